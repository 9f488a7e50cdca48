-- The first schema: crawls, what each visit saw, rooms as directories listed them, and who named whom.
-- Every row is written once. The only updates ever made: a crawl's state, finished_at, counts and report, at its seal;
-- and, at the first visit to a server so far only heard of, the spelling of its name.
-- Times are TIMESTAMPTZ in UTC. Durations are wall seconds. NULL never stands for zero.
-- Remote text is stored raw but for NUL characters and lone surrogates, which become U+FFFD, and for the caps named here.

CREATE TABLE schema_migration (
    version INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE schema_migration IS 'The steps that brought this file to its schema; the highest version is the schema of the file.';
COMMENT ON COLUMN schema_migration.version IS 'Number of the step, from 1.';
COMMENT ON COLUMN schema_migration.name IS 'Name of the step: its file in data/schema/, without number and ending.';
COMMENT ON COLUMN schema_migration.applied_at IS 'When it was applied to this file, UTC.';

CREATE TABLE crawl (
    crawl_id INTEGER PRIMARY KEY,
    state VARCHAR NOT NULL CHECK (state IN ('running', 'completed', 'cancelled', 'failed')),
    scope VARCHAR NOT NULL CHECK (scope IN ('full', 'limited')),
    synthetic BOOLEAN NOT NULL,
    vantage VARCHAR NOT NULL,
    crawler_version VARCHAR NOT NULL,
    identity VARCHAR,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    settings JSON NOT NULL,
    servers INTEGER,
    online INTEGER,
    rooms INTEGER,
    report JSON
);
COMMENT ON TABLE crawl IS 'One crawl. A census is a crawl that is completed and full.';
COMMENT ON COLUMN crawl.crawl_id IS 'Number of the crawl in this file, from 1, in the order of starting.';
COMMENT ON COLUMN crawl.state IS 'running, completed, cancelled or failed. A killed crawl stays running until the next start calls it failed.';
COMMENT ON COLUMN crawl.scope IS 'full: every server that could be found; limited: a cap or a subset.';
COMMENT ON COLUMN crawl.synthetic IS 'True when the servers were of the practice federation: no figure from it says anything about the real one.';
COMMENT ON COLUMN crawl.vantage IS 'Where the crawler looked from, in the operator''s words.';
COMMENT ON COLUMN crawl.crawler_version IS 'Version of matrix-census that made the crawl.';
COMMENT ON COLUMN crawl.identity IS 'Server name that signed our requests; NULL when the crawl was unsigned.';
COMMENT ON COLUMN crawl.started_at IS 'Start, UTC.';
COMMENT ON COLUMN crawl.finished_at IS 'Seal, UTC; NULL while running and after a kill.';
COMMENT ON COLUMN crawl.settings IS 'Every setting the crawl ran with, as JSON.';
COMMENT ON COLUMN crawl.servers IS 'Servers observed; NULL until the seal.';
COMMENT ON COLUMN crawl.online IS 'Servers online by the predicate of that name; NULL until the seal.';
COMMENT ON COLUMN crawl.rooms IS 'Unique room IDs listed by any directory; NULL until the seal.';
COMMENT ON COLUMN crawl.report IS 'The crawl''s report (requests, bytes, queries, bounds hit) as JSON; NULL until the seal.';

CREATE TABLE server (
    server_id INTEGER PRIMARY KEY,
    server_key VARCHAR NOT NULL UNIQUE,
    server_name VARCHAR NOT NULL,
    first_crawl_id INTEGER NOT NULL
);
COMMENT ON TABLE server IS 'Every server name that anything ever named: the dimension the other tables point to.';
COMMENT ON COLUMN server.server_id IS 'Number of the server in this file.';
COMMENT ON COLUMN server.server_key IS 'Identity: the name in ASCII lower case.';
COMMENT ON COLUMN server.server_name IS 'The spelling that signatures and Host headers carry: the one of the first visit; the key while it was never visited.';
COMMENT ON COLUMN server.first_crawl_id IS 'Crawl that first met the name.';

CREATE TABLE server_observation (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    branch VARCHAR,
    delegated VARCHAR,
    address VARCHAR,
    port INTEGER,
    host_header VARCHAR,
    tls_name VARCHAR,
    resolves BOOLEAN NOT NULL,
    reachable BOOLEAN NOT NULL,
    secure BOOLEAN NOT NULL,
    online BOOLEAN NOT NULL,
    federating BOOLEAN NOT NULL,
    accepting BOOLEAN,
    listing BOOLEAN NOT NULL,
    failed_phase VARCHAR,
    failed_kind VARCHAR,
    software_raw VARCHAR,
    version_raw VARCHAR,
    software VARCHAR,
    version VARCHAR,
    verify_keys JSON,
    keys_valid_until TIMESTAMPTZ,
    tls_protocol VARCHAR,
    tls_cipher VARCHAR,
    tls_issuer VARCHAR,
    tls_not_after TIMESTAMPTZ,
    tls_fingerprint VARCHAR,
    client_base VARCHAR,
    spec_versions JSON,
    unstable_features JSON,
    directory_state VARCHAR NOT NULL,
    directory_way VARCHAR,
    directory_rooms INTEGER,
    directory_pages INTEGER NOT NULL,
    directory_stopped VARCHAR,
    directory_estimate INTEGER,
    directory_noindex INTEGER NOT NULL,
    aliases_outstanding INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes_read BIGINT NOT NULL,
    duration_s DOUBLE NOT NULL
);
COMMENT ON TABLE server_observation IS 'What one visit to one server saw; at most one row for each crawl and server.';
COMMENT ON COLUMN server_observation.crawl_id IS 'The crawl.';
COMMENT ON COLUMN server_observation.server_id IS 'The server.';
COMMENT ON COLUMN server_observation.observed_at IS 'When the visit began, UTC.';
COMMENT ON COLUMN server_observation.branch IS 'Branch of the specification''s resolution algorithm, 1 to 6; NULL when the name did not resolve.';
COMMENT ON COLUMN server_observation.delegated IS 'm.server of .well-known/matrix/server; NULL when there was no valid one.';
COMMENT ON COLUMN server_observation.address IS 'Address of the endpoint used: the first with verified TLS, else the last tried; NULL when none was tried.';
COMMENT ON COLUMN server_observation.port IS 'Its TCP port; NULL likewise.';
COMMENT ON COLUMN server_observation.host_header IS 'Host header sent to it; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_name IS 'Name its certificate had to match; NULL likewise.';
COMMENT ON COLUMN server_observation.resolves IS 'The algorithm yields at least one address that may be dialled.';
COMMENT ON COLUMN server_observation.reachable IS 'TCP to one of them succeeded.';
COMMENT ON COLUMN server_observation.secure IS 'TLS verified for the prescribed name.';
COMMENT ON COLUMN server_observation.online IS 'Secure, and /_matrix/federation/v1/version answered JSON.';
COMMENT ON COLUMN server_observation.federating IS 'Online, and its key document verified itself and was in date.';
COMMENT ON COLUMN server_observation.accepting IS 'Federating, and it accepted a request signed by us; NULL when it was not asked with an identity.';
COMMENT ON COLUMN server_observation.listing IS 'Online, and its room directory answered (open or open_empty).';
COMMENT ON COLUMN server_observation.failed_phase IS 'Phase of the first failure on the way to federating (resolution, tcp, tls, version, keys); NULL when federating, and when nothing failed but something was skipped.';
COMMENT ON COLUMN server_observation.failed_kind IS 'Kind of that failure; NULL likewise.';
COMMENT ON COLUMN server_observation.software_raw IS 'server.name of the version answer, as sent, at most 256 characters; NULL when not said.';
COMMENT ON COLUMN server_observation.version_raw IS 'server.version of it, at most 256 characters; NULL when not said.';
COMMENT ON COLUMN server_observation.software IS 'Normalised implementation name, lower case; NULL when not said. The reference table of implementations explains it.';
COMMENT ON COLUMN server_observation.version IS 'Version number alone, without build and branch; NULL when it says none.';
COMMENT ON COLUMN server_observation.verify_keys IS 'Key ID to base64 key, JSON object, at most 100 keys; NULL when no key document verified.';
COMMENT ON COLUMN server_observation.keys_valid_until IS 'valid_until_ts of it as published, UTC; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_protocol IS 'TLS protocol version negotiated; NULL when TLS did not verify.';
COMMENT ON COLUMN server_observation.tls_cipher IS 'Cipher suite negotiated; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_issuer IS 'Organisation, else common name, of the leaf certificate''s issuer; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_not_after IS 'End of the leaf certificate''s validity, UTC; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_fingerprint IS 'SHA-256 of the leaf in DER, hex; NULL likewise.';
COMMENT ON COLUMN server_observation.client_base IS 'Base URL of the client API from .well-known/matrix/client; NULL when not published or not had.';
COMMENT ON COLUMN server_observation.spec_versions IS 'versions of /_matrix/client/versions, JSON list, at most 200; NULL when not had.';
COMMENT ON COLUMN server_observation.unstable_features IS 'unstable_features of it, JSON object of booleans, at most 1000; NULL when not had.';
COMMENT ON COLUMN server_observation.directory_state IS 'How the room directory answered; never to be read as a number of rooms.';
COMMENT ON COLUMN server_observation.directory_way IS 'federation or client: the door that answered; NULL when none did.';
COMMENT ON COLUMN server_observation.directory_rooms IS 'Unique rooms read, opted-out ones not counted: its rows in listing; NULL when the directory did not answer.';
COMMENT ON COLUMN server_observation.directory_pages IS 'Pages read.';
COMMENT ON COLUMN server_observation.directory_stopped IS 'Why paging ended; only complete means read whole. NULL when no page was read.';
COMMENT ON COLUMN server_observation.directory_estimate IS 'total_room_count_estimate as sent; NULL when not said or not between 0 and 2147483647.';
COMMENT ON COLUMN server_observation.directory_noindex IS 'Rooms that opted out of being indexed and were dropped.';
COMMENT ON COLUMN server_observation.aliases_outstanding IS 'Aliases of its rooms that this crawl''s budget left to later ones.';
COMMENT ON COLUMN server_observation.requests IS 'HTTP requests made in the visit.';
COMMENT ON COLUMN server_observation.bytes_read IS 'Bytes of answers read in the visit, headers not counted.';
COMMENT ON COLUMN server_observation.duration_s IS 'Wall time of the visit, waits for pace included.';

CREATE TABLE attempt (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    ordinal SMALLINT NOT NULL,
    what VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL CHECK (outcome IN ('ok', 'failed', 'skipped')),
    failed_phase VARCHAR,
    failed_kind VARCHAR,
    detail VARCHAR,
    http_status SMALLINT,
    errcode VARCHAR,
    skip_reason VARCHAR,
    total_s DOUBLE,
    tcp_s DOUBLE,
    tls_s DOUBLE,
    first_byte_s DOUBLE
);
COMMENT ON TABLE attempt IS 'Every attempt of every visit: ok, failed (kind, phase) or skipped (why).';
COMMENT ON COLUMN attempt.crawl_id IS 'The crawl.';
COMMENT ON COLUMN attempt.server_id IS 'The server.';
COMMENT ON COLUMN attempt.ordinal IS 'Place in the visit, from 0, in the order in which what is listed.';
COMMENT ON COLUMN attempt.what IS 'resolution, tcp, tls, version, keys, client_base, client_versions or directory.';
COMMENT ON COLUMN attempt.outcome IS 'ok, failed or skipped.';
COMMENT ON COLUMN attempt.failed_phase IS 'Phase of the failure; NULL unless failed.';
COMMENT ON COLUMN attempt.failed_kind IS 'Kind of the failure; NULL unless failed.';
COMMENT ON COLUMN attempt.detail IS 'For people, sanitised, at most 300 characters; NULL unless failed, or when there is nothing to add.';
COMMENT ON COLUMN attempt.http_status IS 'Status when an HTTP answer was the failure; else NULL.';
COMMENT ON COLUMN attempt.errcode IS 'Matrix error code of that answer; NULL when it had none.';
COMMENT ON COLUMN attempt.skip_reason IS 'Why it was not attempted: not_reached, no_identity, opted_out, budget, not_needed or cancelled; NULL unless skipped.';
COMMENT ON COLUMN attempt.total_s IS 'Wall seconds; NULL when skipped, and for directory, whose requests wait for pace (see duration_s of the visit).';
COMMENT ON COLUMN attempt.tcp_s IS 'Seconds of the TCP connect; NULL when a connection was reused or none was made.';
COMMENT ON COLUMN attempt.tls_s IS 'Seconds of the TLS handshake; NULL likewise.';
COMMENT ON COLUMN attempt.first_byte_s IS 'Seconds from request sent to first byte; NULL when no byte came.';

CREATE TABLE resolution_step (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    ordinal SMALLINT NOT NULL,
    question VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    conclusion VARCHAR NOT NULL,
    failed_kind VARCHAR,
    detail VARCHAR,
    duration_s DOUBLE NOT NULL,
    cache_s DOUBLE
);
COMMENT ON TABLE resolution_step IS 'Every question of resolving a server name, with its answer and what followed from it.';
COMMENT ON COLUMN resolution_step.crawl_id IS 'The crawl.';
COMMENT ON COLUMN resolution_step.server_id IS 'The server.';
COMMENT ON COLUMN resolution_step.ordinal IS 'Place in the resolution, from 0.';
COMMENT ON COLUMN resolution_step.question IS 'name, well_known, srv or addresses.';
COMMENT ON COLUMN resolution_step.subject IS 'The host or owner name asked about.';
COMMENT ON COLUMN resolution_step.answer IS 'What was heard, one printable line; empty when it failed.';
COMMENT ON COLUMN resolution_step.conclusion IS 'Why a branch was taken or left.';
COMMENT ON COLUMN resolution_step.failed_kind IS 'Kind of failure; NULL when an answer was had.';
COMMENT ON COLUMN resolution_step.detail IS 'For people, sanitised, at most 300 characters; NULL when an answer was had, or when there is nothing to add.';
COMMENT ON COLUMN resolution_step.duration_s IS 'Wall seconds.';
COMMENT ON COLUMN resolution_step.cache_s IS 'How long the answer may be kept, seconds; NULL when nothing said so.';

CREATE TABLE endpoint (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    ordinal SMALLINT NOT NULL,
    address VARCHAR NOT NULL,
    port INTEGER NOT NULL,
    host_header VARCHAR NOT NULL,
    tls_name VARCHAR NOT NULL,
    via VARCHAR NOT NULL
);
COMMENT ON TABLE endpoint IS 'Where a server name leads to, in the order to be tried; only addresses that may be dialled.';
COMMENT ON COLUMN endpoint.crawl_id IS 'The crawl.';
COMMENT ON COLUMN endpoint.server_id IS 'The server.';
COMMENT ON COLUMN endpoint.ordinal IS 'Place in the order, from 0.';
COMMENT ON COLUMN endpoint.address IS 'IP address.';
COMMENT ON COLUMN endpoint.port IS 'TCP port.';
COMMENT ON COLUMN endpoint.host_header IS 'Host header to send.';
COMMENT ON COLUMN endpoint.tls_name IS 'Name the certificate must match.';
COMMENT ON COLUMN endpoint.via IS 'Branch of the algorithm that led here.';

CREATE TABLE listing (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    room_id VARCHAR NOT NULL,
    members INTEGER,
    name VARCHAR,
    topic VARCHAR,
    canonical_alias VARCHAR,
    join_rule VARCHAR,
    room_type VARCHAR,
    world_readable BOOLEAN,
    guest_can_join BOOLEAN
);
COMMENT ON TABLE listing IS 'One room as one server''s public directory listed it in one crawl; at most one row for each crawl, server and room. Text is hostile: escape it where it is shown.';
COMMENT ON COLUMN listing.crawl_id IS 'The crawl.';
COMMENT ON COLUMN listing.server_id IS 'The server whose directory it was.';
COMMENT ON COLUMN listing.room_id IS 'Room ID.';
COMMENT ON COLUMN listing.members IS 'num_joined_members as listed; NULL when absent, no whole number, or not between 0 and 2147483647.';
COMMENT ON COLUMN listing.name IS 'Room name, raw, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN listing.topic IS 'Topic, raw, at most 4096 characters; NULL when absent.';
COMMENT ON COLUMN listing.canonical_alias IS 'Canonical alias, as listed, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN listing.join_rule IS 'Join rule, at most 255 characters; NULL when absent, which the specification reads as public.';
COMMENT ON COLUMN listing.room_type IS 'Room type, m.space for spaces, at most 255 characters; NULL for a plain room.';
COMMENT ON COLUMN listing.world_readable IS 'Whether history is readable by anybody; NULL when not said.';
COMMENT ON COLUMN listing.guest_can_join IS 'Whether guests may join; NULL when not said.';

CREATE TABLE participation (
    crawl_id INTEGER NOT NULL,
    room_id VARCHAR NOT NULL,
    server_id INTEGER NOT NULL,
    named_by INTEGER NOT NULL
);
COMMENT ON TABLE participation IS 'A server takes part in a room, as the answer to an alias look-up named it: the federation graph. At most one row for each crawl, room, server and answering server.';
COMMENT ON COLUMN participation.crawl_id IS 'The crawl.';
COMMENT ON COLUMN participation.room_id IS 'Room ID.';
COMMENT ON COLUMN participation.server_id IS 'The participating server.';
COMMENT ON COLUMN participation.named_by IS 'The server that answered the look-up.';

CREATE TABLE lead (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    named_by INTEGER,
    count INTEGER NOT NULL
);
COMMENT ON TABLE lead IS 'Who told us of a server, and how; the incidence data of the population estimates. Several answers of one server in one crawl are several rows: sum their count.';
COMMENT ON COLUMN lead.crawl_id IS 'The crawl.';
COMMENT ON COLUMN lead.server_id IS 'The server that was named.';
COMMENT ON COLUMN lead.source IS 'seed, room_id, alias, alias_servers or well_known.';
COMMENT ON COLUMN lead.named_by IS 'The server whose answer named it; NULL for seeds.';
COMMENT ON COLUMN lead.count IS 'How many times that answer named it this way, from 1.';

CREATE VIEW census AS
SELECT * FROM crawl WHERE state = 'completed' AND scope = 'full';
COMMENT ON VIEW census IS 'Crawls that may be shown as a census; the columns are those of crawl.';
COMMENT ON COLUMN census.crawl_id IS 'Number of the crawl in this file, from 1, in the order of starting.';
COMMENT ON COLUMN census.state IS 'running, completed, cancelled or failed. A killed crawl stays running until the next start calls it failed.';
COMMENT ON COLUMN census.scope IS 'full: every server that could be found; limited: a cap or a subset.';
COMMENT ON COLUMN census.synthetic IS 'True when the servers were of the practice federation: no figure from it says anything about the real one.';
COMMENT ON COLUMN census.vantage IS 'Where the crawler looked from, in the operator''s words.';
COMMENT ON COLUMN census.crawler_version IS 'Version of matrix-census that made the crawl.';
COMMENT ON COLUMN census.identity IS 'Server name that signed our requests; NULL when the crawl was unsigned.';
COMMENT ON COLUMN census.started_at IS 'Start, UTC.';
COMMENT ON COLUMN census.finished_at IS 'Seal, UTC; NULL while running and after a kill.';
COMMENT ON COLUMN census.settings IS 'Every setting the crawl ran with, as JSON.';
COMMENT ON COLUMN census.servers IS 'Servers observed; NULL until the seal.';
COMMENT ON COLUMN census.online IS 'Servers online by the predicate of that name; NULL until the seal.';
COMMENT ON COLUMN census.rooms IS 'Unique room IDs listed by any directory; NULL until the seal.';
COMMENT ON COLUMN census.report IS 'The crawl''s report (requests, bytes, queries, bounds hit) as JSON; NULL until the seal.';

CREATE VIEW room AS
SELECT
    crawl_id,
    room_id,
    directories,
    members,
    members_min,
    members_max,
    shown.name AS name,
    shown.topic AS topic,
    shown.canonical_alias AS canonical_alias,
    shown.join_rule AS join_rule,
    shown.room_type AS room_type,
    world_readable,
    guest_can_join
FROM (
    SELECT
        crawl_id,
        room_id,
        count(*)::INTEGER AS directories,
        median(members) AS members,
        min(members) AS members_min,
        max(members) AS members_max,
        -- One key of 64 bits: most members first, then the server we met first, so that the choice is always the same.
        arg_max(listing, coalesce(members, -1)::BIGINT * 4294967296 - server_id) AS shown,
        bool_or(world_readable) AS world_readable,
        bool_or(guest_can_join) AS guest_can_join
    FROM listing
    GROUP BY crawl_id, room_id
);
COMMENT ON VIEW room IS 'Unique rooms of each crawl. What is not a number is taken whole from the listing that reports most members; among equals from the server that was met first.';
COMMENT ON COLUMN room.crawl_id IS 'The crawl.';
COMMENT ON COLUMN room.room_id IS 'Room ID.';
COMMENT ON COLUMN room.directories IS 'In how many directories the room was listed.';
COMMENT ON COLUMN room.members IS 'Median over these directories of the members they report; NULL when none reports any.';
COMMENT ON COLUMN room.members_min IS 'Least of them; NULL likewise.';
COMMENT ON COLUMN room.members_max IS 'Largest of them; NULL likewise.';
COMMENT ON COLUMN room.name IS 'Room name, raw; NULL when absent.';
COMMENT ON COLUMN room.topic IS 'Topic, raw; NULL when absent.';
COMMENT ON COLUMN room.canonical_alias IS 'Canonical alias, as listed; NULL when absent.';
COMMENT ON COLUMN room.join_rule IS 'Join rule; NULL when absent, which the specification reads as public.';
COMMENT ON COLUMN room.room_type IS 'Room type, m.space for spaces; NULL for a plain room.';
COMMENT ON COLUMN room.world_readable IS 'Whether any directory says that anybody may read its history; NULL when none says.';
COMMENT ON COLUMN room.guest_can_join IS 'Whether any directory says that guests may join; NULL when none says.';
