-- History that lasts: what changes is kept as intervals, what was attempted as a journal that is let go after a while.
--
-- Three kinds of tables.
--   seen_*    what a crawl sees, committed batch by batch; turned into intervals and emptied at its seal. Only in census
--             files; of cancelled and failed crawls it stays as long as their journal.
--   journal   what was attempted and how it went, one crawl after the other (visit, attempt, resolution_step, endpoint,
--             address_look, lead, listing_deviation); kept for some days, then summarised (attempt_summary, lead_summary).
--   interval  what is so from one crawl to another (valid_from, valid_to): a row is written once, and the only update ever
--             made is to set an open valid_to, once.
-- The intervals of a series (one vantage, real or synthetic) know nothing of another's. After a full crawl they say exactly
-- what it saw; a limited one ends and begins only what it looked at; cancelled and failed ones change nothing. Carried on
-- unseen are who takes part in a room, since a budget keeps a census from asking for all of it, and the state of the dead,
-- who are looked at ever less often.
-- A crawl of number n saw the rows with valid_from <= n and (valid_to IS NULL OR valid_to > n) of its series.

DROP VIEW room;
DROP VIEW census;

CREATE TABLE series (
    series_id INTEGER NOT NULL,
    vantage VARCHAR NOT NULL,
    synthetic BOOLEAN NOT NULL
);
COMMENT ON TABLE series IS 'One vantage, real or synthetic: crawls that can be compared with each other, and share intervals.';
COMMENT ON COLUMN series.series_id IS 'Number of the series in this file, from 1.';
COMMENT ON COLUMN series.vantage IS 'Where its crawls looked from, in the operator''s words.';
COMMENT ON COLUMN series.synthetic IS 'True when the servers were of the practice federation.';

INSERT INTO series
SELECT row_number() OVER (ORDER BY min(crawl_id)), vantage, synthetic FROM crawl GROUP BY vantage, synthetic;

ALTER TABLE crawl ADD COLUMN series_id INTEGER;
COMMENT ON COLUMN crawl.series_id IS 'The series it belongs to; never NULL.';
ALTER TABLE crawl ADD COLUMN folded BOOLEAN;
COMMENT ON COLUMN crawl.folded IS 'Whether what it saw is in the intervals: true of completed crawls, false of others; a completed one that is not yet is folded at the next start.';
ALTER TABLE crawl ADD COLUMN known INTEGER;
COMMENT ON COLUMN crawl.known IS 'Servers that any lead or visit of it named; NULL until the seal.';
ALTER TABLE crawl ADD COLUMN completeness DOUBLE;
COMMENT ON COLUMN crawl.completeness IS 'Share of these that it visited, 0 to 1; NULL until the seal, and when nothing was known.';

UPDATE crawl SET folded = false, series_id = (
    SELECT s.series_id FROM series s WHERE s.vantage = crawl.vantage AND s.synthetic = crawl.synthetic
);
UPDATE crawl SET known = (
    SELECT count(DISTINCT server_id) FROM (
        SELECT server_id FROM lead l WHERE l.crawl_id = crawl.crawl_id
        UNION ALL SELECT server_id FROM server_observation o WHERE o.crawl_id = crawl.crawl_id
    )
) WHERE servers IS NOT NULL;
UPDATE crawl SET completeness = servers / known WHERE known > 0;

-- What a crawl sees, until its seal.

CREATE TABLE seen_server (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    branch VARCHAR,
    delegated VARCHAR,
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
    tls_protocol VARCHAR,
    tls_cipher VARCHAR,
    client_base VARCHAR,
    identity_server VARCHAR,
    rtc_foci JSON,
    sliding_sync_proxy VARCHAR,
    oauth_issuer VARCHAR,
    support_published BOOLEAN,
    spec_versions JSON,
    unstable_features JSON,
    tls_issuer VARCHAR,
    tls_not_after TIMESTAMPTZ,
    tls_fingerprint VARCHAR,
    directory_state VARCHAR NOT NULL,
    directory_way VARCHAR,
    directory_rooms INTEGER,
    directory_stopped VARCHAR,
    directory_noindex INTEGER NOT NULL
);
COMMENT ON TABLE seen_server IS 'What visits saw of the state of servers, until it is in the intervals: server_state, directory_state, server_certificate.';
COMMENT ON COLUMN seen_server.crawl_id IS 'The crawl.';
COMMENT ON COLUMN seen_server.server_id IS 'The server.';
COMMENT ON COLUMN seen_server.branch IS 'Branch of the specification''s resolution algorithm, 1 to 6; NULL when the name did not resolve.';
COMMENT ON COLUMN seen_server.delegated IS 'm.server of .well-known/matrix/server; NULL when there was no valid one.';
COMMENT ON COLUMN seen_server.resolves IS 'The algorithm yields at least one address that may be dialled.';
COMMENT ON COLUMN seen_server.reachable IS 'TCP to one of them succeeded.';
COMMENT ON COLUMN seen_server.secure IS 'TLS verified for the prescribed name.';
COMMENT ON COLUMN seen_server.online IS 'Secure, and /_matrix/federation/v1/version answered JSON.';
COMMENT ON COLUMN seen_server.federating IS 'Online, and its key document verified itself and was in date.';
COMMENT ON COLUMN seen_server.accepting IS 'Federating, and it accepted a request signed by us; NULL when it was not asked with an identity.';
COMMENT ON COLUMN seen_server.listing IS 'Online, and its room directory answered (open or open_empty).';
COMMENT ON COLUMN seen_server.failed_phase IS 'Phase of the first failure on the way to federating (resolution, tcp, tls, version, keys); NULL when federating, and when nothing failed but something was skipped.';
COMMENT ON COLUMN seen_server.failed_kind IS 'Kind of that failure; NULL likewise.';
COMMENT ON COLUMN seen_server.software_raw IS 'server.name of the version answer, as sent, at most 256 characters; NULL when not said.';
COMMENT ON COLUMN seen_server.version_raw IS 'server.version of it, at most 256 characters; NULL when not said.';
COMMENT ON COLUMN seen_server.software IS 'Normalised implementation name, lower case; NULL when not said. The reference table of implementations explains it.';
COMMENT ON COLUMN seen_server.version IS 'Version number alone, without build and branch; NULL when it says none.';
COMMENT ON COLUMN seen_server.verify_keys IS 'Key ID to base64 key, JSON object, at most 100 keys; NULL when no key document verified.';
COMMENT ON COLUMN seen_server.tls_protocol IS 'TLS protocol version negotiated; NULL when TLS did not verify.';
COMMENT ON COLUMN seen_server.tls_cipher IS 'Cipher suite negotiated; NULL likewise.';
COMMENT ON COLUMN seen_server.client_base IS 'Base URL of the client API from .well-known/matrix/client; NULL when not published or not had.';
COMMENT ON COLUMN seen_server.identity_server IS 'm.identity_server of .well-known/matrix/client, at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN seen_server.rtc_foci IS 'URLs of the foci for calls in .well-known/matrix/client (MSC4143), JSON list, at most 20; NULL when the document was not had, an empty list when it names none.';
COMMENT ON COLUMN seen_server.sliding_sync_proxy IS 'URL of a sliding sync proxy in .well-known/matrix/client (MSC3575), at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN seen_server.oauth_issuer IS 'Issuer of org.matrix.msc2965.authentication in .well-known/matrix/client, at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN seen_server.support_published IS 'Whether .well-known/matrix/support is published (who its contacts are is kept apart, and not for ever); NULL when that was not found out.';
COMMENT ON COLUMN seen_server.spec_versions IS 'versions of /_matrix/client/versions, JSON list, at most 200; NULL when not had.';
COMMENT ON COLUMN seen_server.unstable_features IS 'unstable_features of it, JSON object of booleans, at most 1000; NULL when not had.';
COMMENT ON COLUMN seen_server.tls_issuer IS 'Organisation, else common name, of the leaf certificate''s issuer; NULL when TLS did not verify.';
COMMENT ON COLUMN seen_server.tls_not_after IS 'End of the leaf certificate''s validity, UTC; NULL likewise.';
COMMENT ON COLUMN seen_server.tls_fingerprint IS 'SHA-256 of the leaf in DER, hex; NULL likewise.';
COMMENT ON COLUMN seen_server.directory_state IS 'How the room directory answered; never to be read as a number of rooms.';
COMMENT ON COLUMN seen_server.directory_way IS 'federation or client: the door that answered; NULL when none did.';
COMMENT ON COLUMN seen_server.directory_rooms IS 'Unique rooms read, opted-out ones not counted: its rows in room_listing; NULL when the directory did not answer.';
COMMENT ON COLUMN seen_server.directory_stopped IS 'Why paging ended; only complete means read whole. NULL when no page was read.';
COMMENT ON COLUMN seen_server.directory_noindex IS 'Rooms that opted out of being indexed and were dropped.';

CREATE TABLE seen_listing (
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
COMMENT ON TABLE seen_listing IS 'Rooms as directories listed them, until they are in the intervals: room_state, room_listing.';
COMMENT ON COLUMN seen_listing.crawl_id IS 'The crawl.';
COMMENT ON COLUMN seen_listing.server_id IS 'The server whose directory it was.';
COMMENT ON COLUMN seen_listing.room_id IS 'Room ID.';
COMMENT ON COLUMN seen_listing.members IS 'num_joined_members as listed; NULL when absent, no whole number, or not between 0 and 2147483647.';
COMMENT ON COLUMN seen_listing.name IS 'Room name, raw, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN seen_listing.topic IS 'Topic, raw, at most 4096 characters; NULL when absent.';
COMMENT ON COLUMN seen_listing.canonical_alias IS 'Canonical alias, as listed, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN seen_listing.join_rule IS 'Join rule, at most 255 characters; NULL when absent, which the specification reads as public.';
COMMENT ON COLUMN seen_listing.room_type IS 'Room type, m.space for spaces, at most 255 characters; NULL for a plain room.';
COMMENT ON COLUMN seen_listing.world_readable IS 'Whether history is readable by anybody; NULL when not said.';
COMMENT ON COLUMN seen_listing.guest_can_join IS 'Whether guests may join; NULL when not said.';

CREATE TABLE seen_answer (
    crawl_id INTEGER NOT NULL,
    answer_id INTEGER NOT NULL,
    named_by INTEGER NOT NULL,
    room_id VARCHAR NOT NULL
);
COMMENT ON TABLE seen_answer IS 'Rooms whose servers were told by the server that owns an alias, until they are in the intervals: room_participation.';
COMMENT ON COLUMN seen_answer.crawl_id IS 'The crawl.';
COMMENT ON COLUMN seen_answer.answer_id IS 'Number of the answer in its crawl, from 1; several aliases of one room at one server are one.';
COMMENT ON COLUMN seen_answer.named_by IS 'The server that answered.';
COMMENT ON COLUMN seen_answer.room_id IS 'Room ID.';

CREATE TABLE seen_participation (
    crawl_id INTEGER NOT NULL,
    answer_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL
);
COMMENT ON TABLE seen_participation IS 'The servers that such an answer named.';
COMMENT ON COLUMN seen_participation.crawl_id IS 'The crawl.';
COMMENT ON COLUMN seen_participation.answer_id IS 'The answer.';
COMMENT ON COLUMN seen_participation.server_id IS 'The participating server.';

-- The journal.

CREATE TABLE visit (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    address VARCHAR,
    port INTEGER,
    host_header VARCHAR,
    tls_name VARCHAR,
    families VARCHAR,
    keys_valid_until TIMESTAMPTZ,
    directory_pages INTEGER NOT NULL,
    directory_estimate INTEGER,
    aliases_outstanding INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes_read BIGINT NOT NULL,
    duration_s DOUBLE NOT NULL
);
COMMENT ON TABLE visit IS 'Visits to servers: when, where to, and what it took. Journal.';
COMMENT ON COLUMN visit.crawl_id IS 'The crawl.';
COMMENT ON COLUMN visit.server_id IS 'The server.';
COMMENT ON COLUMN visit.observed_at IS 'When the visit began, UTC.';
COMMENT ON COLUMN visit.address IS 'Address of the endpoint used: the first with verified TLS, else the last tried; NULL when none was tried.';
COMMENT ON COLUMN visit.port IS 'Its TCP port; NULL likewise.';
COMMENT ON COLUMN visit.host_header IS 'Host header sent to it; NULL likewise.';
COMMENT ON COLUMN visit.tls_name IS 'Name its certificate had to match; NULL likewise.';
COMMENT ON COLUMN visit.families IS 'Which internet protocols reach the server: both, ipv4_only, ipv6_only, ipv6_broken, ipv4_broken, neither, or unknown (no route of our own); NULL in a visit that did not look at every address.';
COMMENT ON COLUMN visit.keys_valid_until IS 'valid_until_ts of the key document as published, UTC; NULL when none verified.';
COMMENT ON COLUMN visit.directory_pages IS 'Pages of the directory read.';
COMMENT ON COLUMN visit.directory_estimate IS 'total_room_count_estimate as sent; NULL when not said or not between 0 and 2147483647.';
COMMENT ON COLUMN visit.aliases_outstanding IS 'Aliases of its rooms that this crawl''s budget left to later ones.';
COMMENT ON COLUMN visit.requests IS 'HTTP requests made in the visit.';
COMMENT ON COLUMN visit.bytes_read IS 'Bytes of answers read in the visit, headers not counted.';
COMMENT ON COLUMN visit.duration_s IS 'Wall time of the visit, waits for pace included.';

CREATE TABLE listing_deviation (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    room_number INTEGER NOT NULL,
    members INTEGER,
    text_id INTEGER NOT NULL,
    world_readable BOOLEAN,
    guest_can_join BOOLEAN
);
COMMENT ON TABLE listing_deviation IS 'Listings that differ from the account of their room in room_state, as they were, whole. Journal.';
COMMENT ON COLUMN listing_deviation.crawl_id IS 'The crawl.';
COMMENT ON COLUMN listing_deviation.server_id IS 'The server whose directory it was.';
COMMENT ON COLUMN listing_deviation.room_number IS 'The room.';
COMMENT ON COLUMN listing_deviation.members IS 'num_joined_members as listed; NULL when not said.';
COMMENT ON COLUMN listing_deviation.text_id IS 'Its text.';
COMMENT ON COLUMN listing_deviation.world_readable IS 'Whether history is readable by anybody; NULL when not said.';
COMMENT ON COLUMN listing_deviation.guest_can_join IS 'Whether guests may join; NULL when not said.';

CREATE TABLE attempt_summary (
    crawl_id INTEGER NOT NULL,
    what VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    failed_kind VARCHAR,
    skip_reason VARCHAR,
    attempts INTEGER NOT NULL,
    total_p50_s DOUBLE,
    total_p90_s DOUBLE,
    total_max_s DOUBLE,
    first_byte_p50_s DOUBLE
);
COMMENT ON TABLE attempt_summary IS 'What is left of attempt when the journal of a crawl is let go.';
COMMENT ON COLUMN attempt_summary.crawl_id IS 'The crawl.';
COMMENT ON COLUMN attempt_summary.what IS 'As in attempt.';
COMMENT ON COLUMN attempt_summary.outcome IS 'ok, failed or skipped.';
COMMENT ON COLUMN attempt_summary.failed_kind IS 'Kind of the failure; NULL unless failed.';
COMMENT ON COLUMN attempt_summary.skip_reason IS 'Why it was not attempted; NULL unless skipped.';
COMMENT ON COLUMN attempt_summary.attempts IS 'How many.';
COMMENT ON COLUMN attempt_summary.total_p50_s IS 'Median of total_s; NULL when none has any.';
COMMENT ON COLUMN attempt_summary.total_p90_s IS 'Their ninth decile; NULL likewise.';
COMMENT ON COLUMN attempt_summary.total_max_s IS 'Their largest; NULL likewise.';
COMMENT ON COLUMN attempt_summary.first_byte_p50_s IS 'Median of first_byte_s; NULL likewise.';

CREATE TABLE lead_summary (
    crawl_id INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    witnesses INTEGER NOT NULL,
    servers INTEGER NOT NULL
);
COMMENT ON TABLE lead_summary IS 'What is left of lead when the journal of a crawl is let go: the incidence counts that population estimates need.';
COMMENT ON COLUMN lead_summary.crawl_id IS 'The crawl.';
COMMENT ON COLUMN lead_summary.source IS 'As in lead.';
COMMENT ON COLUMN lead_summary.witnesses IS 'Distinct servers that named a server this way; 0 for seeds.';
COMMENT ON COLUMN lead_summary.servers IS 'How many servers were named by so many.';

-- What the intervals speak of: text and names, each stored once.

CREATE TABLE known_room (
    room_number INTEGER NOT NULL,
    room_id VARCHAR NOT NULL,
    first_crawl_id INTEGER NOT NULL
);
COMMENT ON TABLE known_room IS 'Every room ID that a completed crawl met: the dimension the intervals point to.';
COMMENT ON COLUMN known_room.room_number IS 'Number of the room in this file, from 1.';
COMMENT ON COLUMN known_room.room_id IS 'Room ID.';
COMMENT ON COLUMN known_room.first_crawl_id IS 'Crawl that first met it.';

CREATE TABLE room_text (
    text_id INTEGER NOT NULL,
    name VARCHAR,
    topic VARCHAR,
    canonical_alias VARCHAR,
    join_rule VARCHAR,
    room_type VARCHAR
);
COMMENT ON TABLE room_text IS 'What rooms say of themselves; each combination once. Text is hostile: escape it where it is shown.';
COMMENT ON COLUMN room_text.text_id IS 'Number of the text in this file, from 1.';
COMMENT ON COLUMN room_text.name IS 'Room name, raw, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN room_text.topic IS 'Topic, raw, at most 4096 characters; NULL when absent.';
COMMENT ON COLUMN room_text.canonical_alias IS 'Canonical alias, as listed, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN room_text.join_rule IS 'Join rule, at most 255 characters; NULL when absent, which the specification reads as public.';
COMMENT ON COLUMN room_text.room_type IS 'Room type, m.space for spaces, at most 255 characters; NULL for a plain room.';

CREATE TABLE client_api (
    client_api_id INTEGER NOT NULL,
    spec_versions JSON,
    unstable_features JSON
);
COMMENT ON TABLE client_api IS 'What client APIs say they offer; each combination once.';
COMMENT ON COLUMN client_api.client_api_id IS 'Number of the combination in this file, from 1.';
COMMENT ON COLUMN client_api.spec_versions IS 'versions of /_matrix/client/versions, JSON list, at most 200; NULL when not had.';
COMMENT ON COLUMN client_api.unstable_features IS 'unstable_features of it, JSON object of booleans, at most 1000; NULL when not had.';

-- Intervals.

CREATE TABLE server_state (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    branch VARCHAR,
    delegated VARCHAR,
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
    tls_protocol VARCHAR,
    tls_cipher VARCHAR,
    client_base VARCHAR,
    identity_server VARCHAR,
    rtc_foci JSON,
    sliding_sync_proxy VARCHAR,
    oauth_issuer VARCHAR,
    support_published BOOLEAN,
    client_api_id INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE server_state IS 'What a server is, from one crawl to another.';
COMMENT ON COLUMN server_state.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_state.server_id IS 'The server.';
COMMENT ON COLUMN server_state.branch IS 'Branch of the specification''s resolution algorithm, 1 to 6; NULL when the name did not resolve.';
COMMENT ON COLUMN server_state.delegated IS 'm.server of .well-known/matrix/server; NULL when there was no valid one.';
COMMENT ON COLUMN server_state.resolves IS 'The algorithm yields at least one address that may be dialled.';
COMMENT ON COLUMN server_state.reachable IS 'TCP to one of them succeeded.';
COMMENT ON COLUMN server_state.secure IS 'TLS verified for the prescribed name.';
COMMENT ON COLUMN server_state.online IS 'Secure, and /_matrix/federation/v1/version answered JSON.';
COMMENT ON COLUMN server_state.federating IS 'Online, and its key document verified itself and was in date.';
COMMENT ON COLUMN server_state.accepting IS 'Federating, and it accepted a request signed by us; NULL when it was not asked with an identity.';
COMMENT ON COLUMN server_state.listing IS 'Online, and its room directory answered (open or open_empty).';
COMMENT ON COLUMN server_state.failed_phase IS 'Phase of the first failure on the way to federating (resolution, tcp, tls, version, keys); NULL when federating, and when nothing failed but something was skipped.';
COMMENT ON COLUMN server_state.failed_kind IS 'Kind of that failure; NULL likewise.';
COMMENT ON COLUMN server_state.software_raw IS 'server.name of the version answer, as sent, at most 256 characters; NULL when not said.';
COMMENT ON COLUMN server_state.version_raw IS 'server.version of it, at most 256 characters; NULL when not said.';
COMMENT ON COLUMN server_state.software IS 'Normalised implementation name, lower case; NULL when not said. The reference table of implementations explains it.';
COMMENT ON COLUMN server_state.version IS 'Version number alone, without build and branch; NULL when it says none.';
COMMENT ON COLUMN server_state.verify_keys IS 'Key ID to base64 key, JSON object, at most 100 keys; NULL when no key document verified.';
COMMENT ON COLUMN server_state.tls_protocol IS 'TLS protocol version negotiated; NULL when TLS did not verify.';
COMMENT ON COLUMN server_state.tls_cipher IS 'Cipher suite negotiated; NULL likewise.';
COMMENT ON COLUMN server_state.client_base IS 'Base URL of the client API from .well-known/matrix/client; NULL when not published or not had.';
COMMENT ON COLUMN server_state.identity_server IS 'm.identity_server of .well-known/matrix/client, at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN server_state.rtc_foci IS 'URLs of the foci for calls in .well-known/matrix/client (MSC4143), JSON list, at most 20; NULL when the document was not had, an empty list when it names none.';
COMMENT ON COLUMN server_state.sliding_sync_proxy IS 'URL of a sliding sync proxy in .well-known/matrix/client (MSC3575), at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN server_state.oauth_issuer IS 'Issuer of org.matrix.msc2965.authentication in .well-known/matrix/client, at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN server_state.support_published IS 'Whether .well-known/matrix/support is published (who its contacts are is kept apart, and not for ever); NULL when that was not found out.';
COMMENT ON COLUMN server_state.client_api_id IS 'What its client API offers.';
COMMENT ON COLUMN server_state.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_state.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE directory_state (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    directory_state VARCHAR NOT NULL,
    directory_way VARCHAR,
    directory_rooms INTEGER,
    directory_stopped VARCHAR,
    directory_noindex INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE directory_state IS 'How a server''s room directory answers, from one crawl to another.';
COMMENT ON COLUMN directory_state.series_id IS 'The series of crawls.';
COMMENT ON COLUMN directory_state.server_id IS 'The server.';
COMMENT ON COLUMN directory_state.directory_state IS 'How the room directory answered; never to be read as a number of rooms.';
COMMENT ON COLUMN directory_state.directory_way IS 'federation or client: the door that answered; NULL when none did.';
COMMENT ON COLUMN directory_state.directory_rooms IS 'Unique rooms read, opted-out ones not counted: its rows in room_listing; NULL when the directory did not answer.';
COMMENT ON COLUMN directory_state.directory_stopped IS 'Why paging ended; only complete means read whole. NULL when no page was read.';
COMMENT ON COLUMN directory_state.directory_noindex IS 'Rooms that opted out of being indexed and were dropped.';
COMMENT ON COLUMN directory_state.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN directory_state.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE server_address (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    address VARCHAR NOT NULL,
    port INTEGER NOT NULL,
    host_header VARCHAR NOT NULL,
    tls_name VARCHAR NOT NULL,
    via VARCHAR NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE server_address IS 'Where a server name leads to, from one crawl to another; only addresses that may be dialled.';
COMMENT ON COLUMN server_address.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_address.server_id IS 'The server.';
COMMENT ON COLUMN server_address.address IS 'IP address.';
COMMENT ON COLUMN server_address.port IS 'TCP port.';
COMMENT ON COLUMN server_address.host_header IS 'Host header to send.';
COMMENT ON COLUMN server_address.tls_name IS 'Name the certificate must match.';
COMMENT ON COLUMN server_address.via IS 'Branch of the algorithm that led here.';
COMMENT ON COLUMN server_address.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_address.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE server_families (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    families VARCHAR NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE server_families IS 'Which internet protocols reach a server, from one close look to another.';
COMMENT ON COLUMN server_families.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_families.server_id IS 'The server.';
COMMENT ON COLUMN server_families.families IS 'As in visit.';
COMMENT ON COLUMN server_families.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_families.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE address_state (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    address VARCHAR NOT NULL,
    port INTEGER NOT NULL,
    tcp_failure VARCHAR,
    tls_failure VARCHAR,
    verify_code SMALLINT,
    version_failure VARCHAR,
    keys_failure VARCHAR,
    tls_issuer VARCHAR,
    tls_not_after TIMESTAMPTZ,
    tls_fingerprint VARCHAR,
    software_raw VARCHAR,
    version_raw VARCHAR,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE address_state IS 'What one address of a server presents, from one close look to another.';
COMMENT ON COLUMN address_state.series_id IS 'The series of crawls.';
COMMENT ON COLUMN address_state.server_id IS 'The server.';
COMMENT ON COLUMN address_state.address IS 'IP address.';
COMMENT ON COLUMN address_state.port IS 'TCP port.';
COMMENT ON COLUMN address_state.tcp_failure IS 'Kind of failure of the connect; NULL when it succeeded.';
COMMENT ON COLUMN address_state.tls_failure IS 'Kind of failure of the verified handshake; NULL when it succeeded or was not reached.';
COMMENT ON COLUMN address_state.verify_code IS 'OpenSSL verify code of that failure; NULL when the certificate was not what failed.';
COMMENT ON COLUMN address_state.version_failure IS 'Kind of failure of the version; NULL when it answered or was not reached.';
COMMENT ON COLUMN address_state.keys_failure IS 'Kind of failure of the key document; NULL when it verified or was not reached.';
COMMENT ON COLUMN address_state.tls_issuer IS 'Issuer of the leaf it presented, also when it does not verify, at most 255 characters; NULL when there was no handshake.';
COMMENT ON COLUMN address_state.tls_not_after IS 'End of the leaf''s validity, UTC; NULL likewise.';
COMMENT ON COLUMN address_state.tls_fingerprint IS 'SHA-256 of the leaf in DER, hex; NULL likewise.';
COMMENT ON COLUMN address_state.software_raw IS 'server.name of its version answer, at most 256 characters; NULL when not said or not had.';
COMMENT ON COLUMN address_state.version_raw IS 'server.version of it, at most 256 characters; NULL likewise.';
COMMENT ON COLUMN address_state.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN address_state.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE server_certificate (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    tls_fingerprint VARCHAR NOT NULL,
    tls_issuer VARCHAR,
    tls_not_after TIMESTAMPTZ NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE server_certificate IS 'The leaf certificate that verified for a server, from one crawl to another.';
COMMENT ON COLUMN server_certificate.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_certificate.server_id IS 'The server.';
COMMENT ON COLUMN server_certificate.tls_fingerprint IS 'SHA-256 of the leaf in DER, hex.';
COMMENT ON COLUMN server_certificate.tls_issuer IS 'Organisation, else common name, of its issuer; NULL when it names neither.';
COMMENT ON COLUMN server_certificate.tls_not_after IS 'End of its validity, UTC.';
COMMENT ON COLUMN server_certificate.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_certificate.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE room_state (
    series_id INTEGER NOT NULL,
    room_number INTEGER NOT NULL,
    directories INTEGER NOT NULL,
    members DOUBLE,
    members_min INTEGER,
    members_max INTEGER,
    text_id INTEGER NOT NULL,
    world_readable BOOLEAN,
    guest_can_join BOOLEAN,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE room_state IS 'The account of a room by the directories that listed it in the newest crawl that saw it. What is no number is taken whole from the listing that reports most members; among equals from the server that was met first.';
COMMENT ON COLUMN room_state.series_id IS 'The series of crawls.';
COMMENT ON COLUMN room_state.room_number IS 'The room.';
COMMENT ON COLUMN room_state.directories IS 'In how many directories it was listed.';
COMMENT ON COLUMN room_state.members IS 'Median over these directories of the members they report; NULL when none reports any.';
COMMENT ON COLUMN room_state.members_min IS 'Least of them; NULL when all that report any agree, or none does.';
COMMENT ON COLUMN room_state.members_max IS 'Largest of them; NULL likewise.';
COMMENT ON COLUMN room_state.text_id IS 'Its text.';
COMMENT ON COLUMN room_state.world_readable IS 'Whether any directory says that anybody may read its history; NULL when none says.';
COMMENT ON COLUMN room_state.guest_can_join IS 'Whether any directory says that guests may join; NULL when none says.';
COMMENT ON COLUMN room_state.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN room_state.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE room_listing (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    room_number INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE room_listing IS 'A server''s public directory lists a room, from one crawl to another.';
COMMENT ON COLUMN room_listing.series_id IS 'The series of crawls.';
COMMENT ON COLUMN room_listing.server_id IS 'The server whose directory it is.';
COMMENT ON COLUMN room_listing.room_number IS 'The room.';
COMMENT ON COLUMN room_listing.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN room_listing.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE TABLE room_participation (
    series_id INTEGER NOT NULL,
    room_number INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    named_by INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
);
COMMENT ON TABLE room_participation IS 'A server takes part in a room, as the answer to an alias look-up named it, from one crawl to another: the federation graph.';
COMMENT ON COLUMN room_participation.series_id IS 'The series of crawls.';
COMMENT ON COLUMN room_participation.room_number IS 'The room.';
COMMENT ON COLUMN room_participation.server_id IS 'The participating server.';
COMMENT ON COLUMN room_participation.named_by IS 'The server that answered the look-up.';
COMMENT ON COLUMN room_participation.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN room_participation.valid_to IS 'First crawl that asked again and was not told so; also the first census that found the answering server not online, or the room in no directory. NULL while it stands.';

CREATE VIEW server_key AS
WITH said AS (
    SELECT
        series_id,
        server_id,
        unnest(map_entries(from_json(verify_keys, '"MAP(VARCHAR, VARCHAR)"'))) AS said,
        valid_from,
        valid_to
    FROM server_state WHERE verify_keys IS NOT NULL
), islands AS (
    SELECT *, sum(coalesce(valid_from <> ended, true)::INTEGER) OVER (
        PARTITION BY series_id, server_id, said ORDER BY valid_from
    ) AS island
    FROM (SELECT *, lag(valid_to) OVER (PARTITION BY series_id, server_id, said ORDER BY valid_from) AS ended FROM said)
)
SELECT
    series_id,
    server_id,
    said.key AS key_id,
    said.value AS verify_key,
    min(valid_from) AS valid_from,
    CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS valid_to
FROM islands
GROUP BY series_id, server_id, said, island;
COMMENT ON VIEW server_key IS 'A server signs with a key, from one crawl to another: the intervals of each key of server_state.verify_keys.';
COMMENT ON COLUMN server_key.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_key.server_id IS 'The server.';
COMMENT ON COLUMN server_key.key_id IS 'Its ID, such as ed25519:a_1.';
COMMENT ON COLUMN server_key.verify_key IS 'The public key, unpadded base64.';
COMMENT ON COLUMN server_key.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_key.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

-- What is in the file already becomes what a crawl has seen; it is folded into intervals when the file is opened next.

INSERT INTO visit (
    crawl_id, server_id, observed_at, address, port, host_header, tls_name, families, keys_valid_until,
    directory_pages, directory_estimate, aliases_outstanding, requests, bytes_read, duration_s
)
SELECT
    crawl_id, server_id, observed_at, address, port, host_header, tls_name, families, keys_valid_until,
    directory_pages, directory_estimate, aliases_outstanding, requests, bytes_read, duration_s
FROM server_observation ORDER BY rowid;
INSERT INTO seen_server (
    crawl_id, server_id, branch, delegated, resolves, reachable, secure, online, federating, accepting, listing,
    failed_phase, failed_kind, software_raw, version_raw, software, version, verify_keys, tls_protocol,
    tls_cipher, client_base, identity_server, rtc_foci, sliding_sync_proxy, oauth_issuer, support_published,
    spec_versions, unstable_features, tls_issuer, tls_not_after, tls_fingerprint, directory_state, directory_way,
    directory_rooms, directory_stopped, directory_noindex
)
SELECT
    crawl_id, server_id, branch, delegated, resolves, reachable, secure, online, federating, accepting, listing,
    failed_phase, failed_kind, software_raw, version_raw, software, version, verify_keys, tls_protocol,
    tls_cipher, client_base, identity_server, rtc_foci, sliding_sync_proxy, oauth_issuer, support_published,
    spec_versions, unstable_features, tls_issuer, tls_not_after, tls_fingerprint, directory_state, directory_way,
    directory_rooms, directory_stopped, directory_noindex
FROM server_observation ORDER BY rowid;
DROP TABLE server_observation;
INSERT INTO seen_listing SELECT
    crawl_id, server_id, room_id, members, name, topic, canonical_alias, join_rule, room_type, world_readable,
    guest_can_join
FROM listing ORDER BY rowid;
DROP TABLE listing;
INSERT INTO seen_answer
SELECT crawl_id, row_number() OVER (PARTITION BY crawl_id ORDER BY named_by, room_id), named_by, room_id
FROM (SELECT DISTINCT crawl_id, named_by, room_id FROM participation);
INSERT INTO seen_participation
SELECT p.crawl_id, a.answer_id, p.server_id FROM participation p JOIN seen_answer a USING (crawl_id, named_by, room_id);
DROP TABLE participation;

COMMENT ON TABLE attempt IS 'Every attempt of every visit: ok, failed (kind, phase) or skipped (why). Journal.';
COMMENT ON TABLE resolution_step IS 'Every question of resolving a server name, with its answer and what followed from it. Journal.';
COMMENT ON TABLE endpoint IS 'Where a server name leads to, in the order to be tried; only addresses that may be dialled. Journal; server_address is its history.';
COMMENT ON TABLE address_look IS 'One address of one server, asked as if it were the only one; only of the servers whose turn the close look was in that crawl. Journal; address_state is its history.';
COMMENT ON TABLE lead IS 'Who told us of a server, and how; the incidence data of the population estimates. Several answers of one server in one crawl are several rows: sum their count. Journal.';

-- What a crawl saw, read from the intervals. Name a crawl (WHERE crawl_id = ...): all of them at once is years of rows.

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
COMMENT ON COLUMN census.series_id IS 'The series it belongs to; never NULL.';
COMMENT ON COLUMN census.folded IS 'Whether what it saw is in the intervals: true of completed crawls, false of others; a completed one that is not yet is folded at the next start.';
COMMENT ON COLUMN census.known IS 'Servers that any lead or visit of it named; NULL until the seal.';
COMMENT ON COLUMN census.completeness IS 'Share of these that it visited, 0 to 1; NULL until the seal, and when nothing was known.';

CREATE VIEW server_observation AS
SELECT
    c.crawl_id,
    s.server_id,
    v.observed_at,
    s.branch,
    s.delegated,
    v.address,
    v.port,
    v.host_header,
    v.tls_name,
    s.resolves,
    s.reachable,
    s.secure,
    s.online,
    s.federating,
    s.accepting,
    s.listing,
    s.failed_phase,
    s.failed_kind,
    s.software_raw,
    s.version_raw,
    s.software,
    s.version,
    s.verify_keys,
    v.keys_valid_until,
    s.tls_protocol,
    s.tls_cipher,
    k.tls_issuer,
    k.tls_not_after,
    k.tls_fingerprint,
    s.client_base,
    a.spec_versions,
    a.unstable_features,
    d.directory_state,
    d.directory_way,
    d.directory_rooms,
    v.directory_pages,
    d.directory_stopped,
    v.directory_estimate,
    d.directory_noindex,
    v.aliases_outstanding,
    v.requests,
    v.bytes_read,
    v.duration_s,
    s.identity_server,
    s.rtc_foci,
    s.sliding_sync_proxy,
    s.oauth_issuer,
    s.support_published,
    v.families
FROM crawl c
JOIN server_state s ON s.series_id = c.series_id AND s.valid_from <= c.crawl_id AND (
        s.valid_to IS NULL OR s.valid_to > c.crawl_id
    )
JOIN client_api a ON a.client_api_id = s.client_api_id
JOIN directory_state d ON d.server_id = s.server_id AND d.series_id = c.series_id AND d.valid_from <= c.crawl_id AND (
        d.valid_to IS NULL OR d.valid_to > c.crawl_id
    )
LEFT JOIN server_certificate k ON k.server_id = s.server_id AND k.series_id = c.series_id AND k.valid_from <= c.crawl_id AND (
        k.valid_to IS NULL OR k.valid_to > c.crawl_id
    )
LEFT JOIN visit v ON v.crawl_id = c.crawl_id AND v.server_id = s.server_id
-- Which of the dead had their turn is in the journal alone.
WHERE c.state = 'completed' AND (
    v.crawl_id IS NOT NULL OR (c.scope = 'full' AND c.servers > 0 AND c.crawl_id NOT IN (SELECT crawl_id FROM visit))
);
COMMENT ON VIEW server_observation IS 'What one visit to one server saw; at most one row for each completed crawl and server. Of limited crawls nothing when their journal was let go: what they looked at is not known any more. Of censuses then also the dead that they did not look at, as last seen.';
COMMENT ON COLUMN server_observation.crawl_id IS 'The crawl.';
COMMENT ON COLUMN server_observation.server_id IS 'The server.';
COMMENT ON COLUMN server_observation.observed_at IS 'When the visit began, UTC. NULL when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.branch IS 'Branch of the specification''s resolution algorithm, 1 to 6; NULL when the name did not resolve.';
COMMENT ON COLUMN server_observation.delegated IS 'm.server of .well-known/matrix/server; NULL when there was no valid one.';
COMMENT ON COLUMN server_observation.address IS 'Address of the endpoint used: the first with verified TLS, else the last tried; NULL when none was tried; and when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.port IS 'Its TCP port; NULL likewise; and when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.host_header IS 'Host header sent to it; NULL likewise; and when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.tls_name IS 'Name its certificate had to match; NULL likewise; and when the journal of the crawl was let go.';
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
COMMENT ON COLUMN server_observation.keys_valid_until IS 'valid_until_ts of the key document as published, UTC; NULL when none verified; and when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.tls_protocol IS 'TLS protocol version negotiated; NULL when TLS did not verify.';
COMMENT ON COLUMN server_observation.tls_cipher IS 'Cipher suite negotiated; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_issuer IS 'Organisation, else common name, of the leaf certificate''s issuer; NULL when TLS did not verify.';
COMMENT ON COLUMN server_observation.tls_not_after IS 'End of the leaf certificate''s validity, UTC; NULL likewise.';
COMMENT ON COLUMN server_observation.tls_fingerprint IS 'SHA-256 of the leaf in DER, hex; NULL likewise.';
COMMENT ON COLUMN server_observation.client_base IS 'Base URL of the client API from .well-known/matrix/client; NULL when not published or not had.';
COMMENT ON COLUMN server_observation.spec_versions IS 'versions of /_matrix/client/versions, JSON list, at most 200; NULL when not had.';
COMMENT ON COLUMN server_observation.unstable_features IS 'unstable_features of it, JSON object of booleans, at most 1000; NULL when not had.';
COMMENT ON COLUMN server_observation.directory_state IS 'How the room directory answered; never to be read as a number of rooms.';
COMMENT ON COLUMN server_observation.directory_way IS 'federation or client: the door that answered; NULL when none did.';
COMMENT ON COLUMN server_observation.directory_rooms IS 'Unique rooms read, opted-out ones not counted: its rows in room_listing; NULL when the directory did not answer.';
COMMENT ON COLUMN server_observation.directory_pages IS 'Pages of the directory read. NULL when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.directory_stopped IS 'Why paging ended; only complete means read whole. NULL when no page was read.';
COMMENT ON COLUMN server_observation.directory_estimate IS 'total_room_count_estimate as sent; NULL when not said or not between 0 and 2147483647; and when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.directory_noindex IS 'Rooms that opted out of being indexed and were dropped.';
COMMENT ON COLUMN server_observation.aliases_outstanding IS 'Aliases of its rooms that this crawl''s budget left to later ones. NULL when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.requests IS 'HTTP requests made in the visit. NULL when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.bytes_read IS 'Bytes of answers read in the visit, headers not counted. NULL when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.duration_s IS 'Wall time of the visit, waits for pace included. NULL when the journal of the crawl was let go.';
COMMENT ON COLUMN server_observation.identity_server IS 'm.identity_server of .well-known/matrix/client, at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN server_observation.rtc_foci IS 'URLs of the foci for calls in .well-known/matrix/client (MSC4143), JSON list, at most 20; NULL when the document was not had, an empty list when it names none.';
COMMENT ON COLUMN server_observation.sliding_sync_proxy IS 'URL of a sliding sync proxy in .well-known/matrix/client (MSC3575), at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN server_observation.oauth_issuer IS 'Issuer of org.matrix.msc2965.authentication in .well-known/matrix/client, at most 1024 characters; NULL when not said.';
COMMENT ON COLUMN server_observation.support_published IS 'Whether .well-known/matrix/support is published (who its contacts are is kept apart, and not for ever); NULL when that was not found out.';
COMMENT ON COLUMN server_observation.families IS 'Which internet protocols reach the server: both, ipv4_only, ipv6_only, ipv6_broken, ipv4_broken, neither, or unknown (no route of our own); NULL in a visit that did not look at every address; and when the journal of the crawl was let go.';

CREATE VIEW listing AS
SELECT
    c.crawl_id,
    l.server_id,
    k.room_id,
    CASE WHEN d.crawl_id IS NULL THEN r.members::INTEGER ELSE d.members END AS members,
    t.name,
    t.topic,
    t.canonical_alias,
    t.join_rule,
    t.room_type,
    CASE WHEN d.crawl_id IS NULL THEN r.world_readable ELSE d.world_readable END AS world_readable,
    CASE WHEN d.crawl_id IS NULL THEN r.guest_can_join ELSE d.guest_can_join END AS guest_can_join
FROM crawl c
JOIN room_listing l ON l.series_id = c.series_id AND l.valid_from <= c.crawl_id AND (
        l.valid_to IS NULL OR l.valid_to > c.crawl_id
    )
JOIN room_state r ON r.room_number = l.room_number AND r.series_id = c.series_id AND r.valid_from <= c.crawl_id AND (
        r.valid_to IS NULL OR r.valid_to > c.crawl_id
    )
JOIN known_room k ON k.room_number = l.room_number
LEFT JOIN listing_deviation d ON d.crawl_id = c.crawl_id AND d.server_id = l.server_id AND d.room_number = l.room_number
JOIN room_text t ON t.text_id = coalesce(d.text_id, r.text_id)
LEFT JOIN visit v ON v.crawl_id = c.crawl_id AND v.server_id = l.server_id
WHERE c.state = 'completed' AND (c.scope = 'full' OR v.crawl_id IS NOT NULL);
COMMENT ON VIEW listing IS 'One room as one server''s public directory listed it in one completed crawl; at most one row for each crawl, server and room. When the journal of the crawl was let go, all but server_id and room_id are those of the room. Text is hostile: escape it where it is shown.';
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

CREATE VIEW participation AS
SELECT c.crawl_id, k.room_id, p.server_id, p.named_by
FROM crawl c
JOIN room_participation p ON p.series_id = c.series_id AND p.valid_from <= c.crawl_id AND (
        p.valid_to IS NULL OR p.valid_to > c.crawl_id
    )
JOIN known_room k ON k.room_number = p.room_number
LEFT JOIN visit v ON v.crawl_id = c.crawl_id AND v.server_id = p.named_by
WHERE c.state = 'completed' AND (c.scope = 'full' OR v.crawl_id IS NOT NULL);
COMMENT ON VIEW participation IS 'A server takes part in a room, as far as known after a completed crawl: as answers to alias look-ups of this crawl named it, and of earlier ones where the budget of this one did not reach. At most one row for each crawl, room, server and answering server.';
COMMENT ON COLUMN participation.crawl_id IS 'The crawl.';
COMMENT ON COLUMN participation.room_id IS 'Room ID.';
COMMENT ON COLUMN participation.server_id IS 'The participating server.';
COMMENT ON COLUMN participation.named_by IS 'The server that answered the look-up.';

CREATE VIEW room AS
SELECT
    c.crawl_id,
    k.room_id,
    r.directories,
    r.members,
    coalesce(r.members_min, r.members::INTEGER) AS members_min,
    coalesce(r.members_max, r.members::INTEGER) AS members_max,
    t.name,
    t.topic,
    t.canonical_alias,
    t.join_rule,
    t.room_type,
    r.world_readable,
    r.guest_can_join
FROM crawl c
JOIN room_state r ON r.series_id = c.series_id AND r.valid_from <= c.crawl_id AND (
        r.valid_to IS NULL OR r.valid_to > c.crawl_id
    )
JOIN known_room k ON k.room_number = r.room_number
JOIN room_text t ON t.text_id = r.text_id
LEFT JOIN (
    -- The rooms of limited crawls: those that the directories they read list.
    SELECT DISTINCT c.crawl_id, l.room_number
    FROM crawl c
    JOIN visit v USING (crawl_id)
    JOIN room_listing l ON l.server_id = v.server_id AND l.series_id = c.series_id AND l.valid_from <= c.crawl_id AND (
        l.valid_to IS NULL OR l.valid_to > c.crawl_id
    )
    WHERE c.scope = 'limited' AND c.state = 'completed'
) seen ON seen.crawl_id = c.crawl_id AND seen.room_number = r.room_number
WHERE c.state = 'completed' AND (c.scope = 'full' OR seen.crawl_id IS NOT NULL);
COMMENT ON VIEW room IS 'Unique rooms of each completed crawl. What is not a number is taken whole from the listing that reports most members; among equals from the server that was met first.';
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
-- Lives: what was so on a day, and what became of servers and rooms. Times are the seals of crawls.

CREATE VIEW server_life AS
SELECT
    s.series_id,
    n.server_name,
    s.server_id,
    s.valid_from,
    s.valid_to,
    b.finished_at AS seen_from,
    e.finished_at AS seen_to,
    s.online,
    s.federating,
    s.accepting,
    s.software,
    s.version,
    s.failed_kind
FROM server_state s
JOIN server n USING (server_id)
JOIN crawl b ON b.crawl_id = s.valid_from
LEFT JOIN crawl e ON e.crawl_id = s.valid_to;
COMMENT ON VIEW server_life IS 'Every state a server was in, one after the other.';
COMMENT ON COLUMN server_life.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_life.server_name IS 'Its name.';
COMMENT ON COLUMN server_life.server_id IS 'The server.';
COMMENT ON COLUMN server_life.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_life.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';
COMMENT ON COLUMN server_life.seen_from IS 'Seal of the crawl valid_from, UTC.';
COMMENT ON COLUMN server_life.seen_to IS 'Seal of the crawl valid_to, UTC; NULL while it stands.';
COMMENT ON COLUMN server_life.online IS 'Secure, and /_matrix/federation/v1/version answered JSON.';
COMMENT ON COLUMN server_life.federating IS 'Online, and its key document verified itself and was in date.';
COMMENT ON COLUMN server_life.accepting IS 'Federating, and it accepted a request signed by us; NULL when it was not asked with an identity.';
COMMENT ON COLUMN server_life.software IS 'Normalised implementation name, lower case; NULL when not said. The reference table of implementations explains it.';
COMMENT ON COLUMN server_life.version IS 'Version number alone, without build and branch; NULL when it says none.';
COMMENT ON COLUMN server_life.failed_kind IS 'Kind of that failure; NULL likewise.';

CREATE VIEW room_life AS
SELECT
    r.series_id,
    k.room_id,
    r.room_number,
    r.valid_from,
    r.valid_to,
    b.finished_at AS seen_from,
    e.finished_at AS seen_to,
    r.directories,
    r.members,
    t.name,
    t.topic,
    t.canonical_alias,
    t.join_rule,
    t.room_type
FROM room_state r
JOIN known_room k USING (room_number)
JOIN room_text t USING (text_id)
JOIN crawl b ON b.crawl_id = r.valid_from
LEFT JOIN crawl e ON e.crawl_id = r.valid_to;
COMMENT ON VIEW room_life IS 'Every account of a room, one after the other: members over time, and what it called itself.';
COMMENT ON COLUMN room_life.series_id IS 'The series of crawls.';
COMMENT ON COLUMN room_life.room_id IS 'Room ID.';
COMMENT ON COLUMN room_life.room_number IS 'The room.';
COMMENT ON COLUMN room_life.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN room_life.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';
COMMENT ON COLUMN room_life.seen_from IS 'Seal of the crawl valid_from, UTC.';
COMMENT ON COLUMN room_life.seen_to IS 'Seal of the crawl valid_to, UTC; NULL while it stands.';
COMMENT ON COLUMN room_life.directories IS 'In how many directories it was listed.';
COMMENT ON COLUMN room_life.members IS 'Median over these directories of the members they report; NULL when none reports any.';
COMMENT ON COLUMN room_life.name IS 'Room name, raw, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN room_life.topic IS 'Topic, raw, at most 4096 characters; NULL when absent.';
COMMENT ON COLUMN room_life.canonical_alias IS 'Canonical alias, as listed, at most 255 characters; NULL when absent.';
COMMENT ON COLUMN room_life.join_rule IS 'Join rule, at most 255 characters; NULL when absent, which the specification reads as public.';
COMMENT ON COLUMN room_life.room_type IS 'Room type, m.space for spaces, at most 255 characters; NULL for a plain room.';

CREATE VIEW server_session AS
SELECT
    series_id,
    server_id,
    online,
    min(valid_from) AS valid_from,
    CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS valid_to
FROM (
    SELECT *, sum(changed) OVER (PARTITION BY series_id, server_id ORDER BY valid_from) AS stretch
    FROM (
        SELECT series_id, server_id, online, valid_from, valid_to, coalesce(
            lag(online) OVER before <> online OR lag(valid_to) OVER before <> valid_from, true
        )::INTEGER AS changed
        FROM server_state
        WINDOW before AS (PARTITION BY series_id, server_id ORDER BY valid_from)
    )
)
GROUP BY series_id, server_id, online, stretch;
COMMENT ON VIEW server_session IS 'How long a server was up, or down, at a stretch: its states joined while online stays the same. A server that a census did not visit is neither.';
COMMENT ON COLUMN server_session.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_session.server_id IS 'The server.';
COMMENT ON COLUMN server_session.online IS 'Whether it was up.';
COMMENT ON COLUMN server_session.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_session.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE VIEW server_event AS
WITH up AS (
    SELECT series_id, server_id, valid_from, valid_to,
        row_number() OVER (PARTITION BY series_id, server_id ORDER BY valid_from) AS place,
        lead(valid_from) OVER (PARTITION BY series_id, server_id ORDER BY valid_from) AS back
    FROM server_session WHERE online
), happened AS (
    SELECT series_id, server_id, valid_from AS crawl_id, CASE WHEN place = 1 THEN 'birth' ELSE 'return' END AS event
    FROM up
    UNION ALL
    SELECT series_id, server_id, valid_to, CASE WHEN back IS NULL THEN 'death' ELSE 'outage' END
    FROM up WHERE valid_to IS NOT NULL
)
SELECT h.series_id, h.server_id, n.server_name, h.event, h.crawl_id, c.finished_at AS at
FROM happened h JOIN server n USING (server_id) JOIN crawl c USING (crawl_id);
COMMENT ON VIEW server_event IS 'When servers came, went and came back. A death is known only for now: a later return makes it an outage.';
COMMENT ON COLUMN server_event.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_event.server_id IS 'The server.';
COMMENT ON COLUMN server_event.server_name IS 'Its name.';
COMMENT ON COLUMN server_event.event IS 'birth: first seen online; outage: no longer, and back later; death: no longer, and not back since; return: back online.';
COMMENT ON COLUMN server_event.crawl_id IS 'The crawl.';
COMMENT ON COLUMN server_event.at IS 'Its seal, UTC.';

CREATE VIEW server_version AS
SELECT series_id, server_id, software, version, min(valid_from) AS valid_from,
    CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS valid_to
FROM (
    SELECT *, sum(changed) OVER (PARTITION BY series_id, server_id ORDER BY valid_from) AS stretch
    FROM (
        SELECT series_id, server_id, software, version, valid_from, valid_to, (
            lag(software) OVER before IS DISTINCT FROM software
            OR lag(version) OVER before IS DISTINCT FROM version
            OR lag(valid_to) OVER before IS DISTINCT FROM valid_from
        )::INTEGER AS changed
        FROM server_state WHERE online
        WINDOW before AS (PARTITION BY series_id, server_id ORDER BY valid_from)
    )
)
GROUP BY series_id, server_id, software, version, stretch;
COMMENT ON VIEW server_version IS 'Which software and version a server ran while it was online, from one crawl to another.';
COMMENT ON COLUMN server_version.series_id IS 'The series of crawls.';
COMMENT ON COLUMN server_version.server_id IS 'The server.';
COMMENT ON COLUMN server_version.software IS 'Normalised implementation name, lower case; NULL when not said. The reference table of implementations explains it.';
COMMENT ON COLUMN server_version.version IS 'Version number alone, without build and branch; NULL when it says none.';
COMMENT ON COLUMN server_version.valid_from IS 'First crawl of the series that saw it so.';
COMMENT ON COLUMN server_version.valid_to IS 'First crawl that looked again and saw otherwise, or nothing; NULL while it stands.';

CREATE VIEW room_rename AS
SELECT
    now.series_id,
    now.room_number,
    k.room_id,
    now.valid_from AS crawl_id,
    c.finished_at AS at,
    o.name AS old_name,
    t.name AS name,
    o.canonical_alias AS old_canonical_alias,
    t.canonical_alias AS canonical_alias,
    o.topic IS DISTINCT FROM t.topic AS topic_changed
FROM room_state now
JOIN room_state was
    ON was.series_id = now.series_id AND was.room_number = now.room_number AND was.valid_to = now.valid_from
    AND was.text_id <> now.text_id
JOIN room_text t ON t.text_id = now.text_id
JOIN room_text o ON o.text_id = was.text_id
JOIN known_room k ON k.room_number = now.room_number
JOIN crawl c ON c.crawl_id = now.valid_from;
COMMENT ON VIEW room_rename IS 'When a room changed its name, topic or alias between two accounts of it.';
COMMENT ON COLUMN room_rename.series_id IS 'The series of crawls.';
COMMENT ON COLUMN room_rename.room_number IS 'The room.';
COMMENT ON COLUMN room_rename.room_id IS 'Room ID.';
COMMENT ON COLUMN room_rename.crawl_id IS 'The crawl.';
COMMENT ON COLUMN room_rename.at IS 'Its seal, UTC.';
COMMENT ON COLUMN room_rename.old_name IS 'Name before, raw; NULL when it had none.';
COMMENT ON COLUMN room_rename.name IS 'Name after, raw; NULL when it has none.';
COMMENT ON COLUMN room_rename.old_canonical_alias IS 'Alias before; NULL when it had none.';
COMMENT ON COLUMN room_rename.canonical_alias IS 'Alias after; NULL when it has none.';
COMMENT ON COLUMN room_rename.topic_changed IS 'Whether the topic changed.';

CREATE VIEW online_by_software AS
WITH delta AS (
    SELECT series_id, software, crawl_id, sum(change) AS change FROM (
        SELECT series_id, software, valid_from AS crawl_id, count(*) AS change
        FROM server_state WHERE online GROUP BY ALL
        UNION ALL
        SELECT series_id, software, valid_to, -count(*)
        FROM server_state WHERE online AND valid_to IS NOT NULL GROUP BY ALL
    ) GROUP BY ALL
), kind AS (
    SELECT DISTINCT series_id, software FROM delta
)
SELECT
    c.series_id,
    c.crawl_id,
    c.finished_at AS at,
    k.software,
    sum(coalesce(d.change, 0)) OVER (PARTITION BY k.series_id, k.software ORDER BY c.crawl_id)::BIGINT AS servers
FROM crawl c
JOIN kind k ON k.series_id = c.series_id
LEFT JOIN delta d
    ON d.series_id = c.series_id AND d.crawl_id = c.crawl_id AND d.software IS NOT DISTINCT FROM k.software
WHERE c.state = 'completed';
COMMENT ON VIEW online_by_software IS 'Online servers by software after each completed crawl: the history of implementations, summed up from changes.';
COMMENT ON COLUMN online_by_software.series_id IS 'The series of crawls.';
COMMENT ON COLUMN online_by_software.crawl_id IS 'The crawl.';
COMMENT ON COLUMN online_by_software.at IS 'Its seal, UTC.';
COMMENT ON COLUMN online_by_software.software IS 'Normalised implementation name; NULL of servers that do not say.';
COMMENT ON COLUMN online_by_software.servers IS 'How many were online.';

CREATE VIEW members_by_crawl AS
WITH delta AS (
    SELECT series_id, crawl_id, sum(rooms) AS rooms, sum(members) AS members FROM (
        SELECT series_id, valid_from AS crawl_id, count(*) AS rooms, sum(members) AS members
        FROM room_state GROUP BY ALL
        UNION ALL
        SELECT series_id, valid_to, -count(*), -sum(members)
        FROM room_state WHERE valid_to IS NOT NULL GROUP BY ALL
    ) GROUP BY ALL
)
SELECT
    c.series_id,
    c.crawl_id,
    c.finished_at AS at,
    sum(coalesce(d.rooms, 0)) OVER (PARTITION BY c.series_id ORDER BY c.crawl_id)::BIGINT AS rooms,
    sum(coalesce(d.members, 0)) OVER (PARTITION BY c.series_id ORDER BY c.crawl_id) AS members
FROM crawl c LEFT JOIN delta d ON d.series_id = c.series_id AND d.crawl_id = c.crawl_id
WHERE c.state = 'completed';
COMMENT ON VIEW members_by_crawl IS 'Rooms and their members after each completed crawl, summed up from changes.';
COMMENT ON COLUMN members_by_crawl.series_id IS 'The series of crawls.';
COMMENT ON COLUMN members_by_crawl.crawl_id IS 'The crawl.';
COMMENT ON COLUMN members_by_crawl.at IS 'Its seal, UTC.';
COMMENT ON COLUMN members_by_crawl.rooms IS 'Unique rooms listed.';
COMMENT ON COLUMN members_by_crawl.members IS 'Sum over them of the median of the members that directories report; rooms that report none add nothing.';

-- The last completed crawl of each series that was sealed by the end of a day, UTC.
CREATE MACRO crawls_on(day) AS TABLE
SELECT series_id, max(crawl_id) AS crawl_id FROM crawl
WHERE state = 'completed' AND finished_at < timezone('UTC', (day::DATE + 1)::TIMESTAMP)
GROUP BY series_id;

-- The federation as it was known at the end of a day: SELECT * FROM federation_on('2026-11-24').
CREATE MACRO federation_on(day) AS TABLE
SELECT s.* EXCLUDE (valid_from, valid_to, client_api_id), n.server_name, c.crawl_id
FROM crawls_on(day) c
JOIN server_state s ON s.series_id = c.series_id AND s.valid_from <= c.crawl_id AND (
    s.valid_to IS NULL OR s.valid_to > c.crawl_id
)
JOIN server n USING (server_id);

-- The rooms that directories listed, likewise.
CREATE MACRO rooms_on(day) AS TABLE
SELECT r.* EXCLUDE (valid_from, valid_to, text_id), k.room_id, t.* EXCLUDE (text_id), c.crawl_id
FROM crawls_on(day) c
JOIN room_state r ON r.series_id = c.series_id AND r.valid_from <= c.crawl_id AND (
    r.valid_to IS NULL OR r.valid_to > c.crawl_id
)
JOIN known_room k USING (room_number)
JOIN room_text t USING (text_id);
