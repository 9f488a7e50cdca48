-- What the depth "check" sees of a server, and answers that may be kept between crawls.
-- Rows of support_contact and cached_answer are replaced and removed: they have no history.

UPDATE attempt SET what = 'client_well_known' WHERE what = 'client_base';
COMMENT ON COLUMN attempt.what IS 'resolution, tcp, tls, version, keys, client_well_known, client_versions, support or directory.';

ALTER TABLE server_observation ADD COLUMN identity_server VARCHAR;
COMMENT ON COLUMN server_observation.identity_server IS 'm.identity_server of .well-known/matrix/client, at most 1024 characters; NULL when not said.';
ALTER TABLE server_observation ADD COLUMN rtc_foci JSON;
COMMENT ON COLUMN server_observation.rtc_foci IS 'URLs of the foci for calls in .well-known/matrix/client (MSC4143), JSON list, at most 20; NULL when the document was not had, an empty list when it names none.';
ALTER TABLE server_observation ADD COLUMN sliding_sync_proxy VARCHAR;
COMMENT ON COLUMN server_observation.sliding_sync_proxy IS 'URL of a sliding sync proxy in .well-known/matrix/client (MSC3575), at most 1024 characters; NULL when not said.';
ALTER TABLE server_observation ADD COLUMN oauth_issuer VARCHAR;
COMMENT ON COLUMN server_observation.oauth_issuer IS 'Issuer of org.matrix.msc2965.authentication in .well-known/matrix/client, at most 1024 characters; NULL when not said.';
ALTER TABLE server_observation ADD COLUMN support_published BOOLEAN;
COMMENT ON COLUMN server_observation.support_published IS 'Whether .well-known/matrix/support is published (who its contacts are is kept apart, and not for ever); NULL when that was not found out.';
ALTER TABLE server_observation ADD COLUMN families VARCHAR;
COMMENT ON COLUMN server_observation.families IS 'Which internet protocols reach the server: both, ipv4_only, ipv6_only, ipv6_broken, ipv4_broken, neither, or unknown (no route of our own); NULL in a visit that did not look at every address.';

CREATE TABLE address_look (
    crawl_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    ordinal SMALLINT NOT NULL,
    address VARCHAR NOT NULL,
    port INTEGER NOT NULL,
    tcp_failure VARCHAR,
    tls_failure VARCHAR,
    verify_code SMALLINT,
    version_failure VARCHAR,
    keys_failure VARCHAR,
    tls_protocol VARCHAR,
    tls_cipher VARCHAR,
    tls_issuer VARCHAR,
    tls_names JSON,
    tls_not_after TIMESTAMPTZ,
    tls_fingerprint VARCHAR,
    software_raw VARCHAR,
    version_raw VARCHAR,
    verify_keys JSON
);
COMMENT ON TABLE address_look IS 'One address of one server, asked as if it were the only one; only of the servers whose turn the close look was in that crawl.';
COMMENT ON COLUMN address_look.crawl_id IS 'The crawl.';
COMMENT ON COLUMN address_look.server_id IS 'The server.';
COMMENT ON COLUMN address_look.ordinal IS 'Place in the order of endpoints, from 0.';
COMMENT ON COLUMN address_look.address IS 'IP address.';
COMMENT ON COLUMN address_look.port IS 'TCP port.';
COMMENT ON COLUMN address_look.tcp_failure IS 'Kind of failure of the connect; NULL when it succeeded.';
COMMENT ON COLUMN address_look.tls_failure IS 'Kind of failure of the verified handshake; NULL when it succeeded or was not reached.';
COMMENT ON COLUMN address_look.verify_code IS 'OpenSSL verify code of that failure; NULL when the certificate was not what failed.';
COMMENT ON COLUMN address_look.version_failure IS 'Kind of failure of the version; NULL when it answered or was not reached.';
COMMENT ON COLUMN address_look.keys_failure IS 'Kind of failure of the key document; NULL when it verified or was not reached.';
COMMENT ON COLUMN address_look.tls_protocol IS 'TLS protocol version of the handshake, verified or not; NULL when there was none.';
COMMENT ON COLUMN address_look.tls_cipher IS 'Cipher suite; NULL likewise.';
COMMENT ON COLUMN address_look.tls_issuer IS 'Issuer of the leaf it presented, also when it does not verify, at most 255 characters; NULL likewise.';
COMMENT ON COLUMN address_look.tls_names IS 'Names of the leaf, JSON list, at most 100; NULL likewise.';
COMMENT ON COLUMN address_look.tls_not_after IS 'End of the leaf''s validity, UTC; NULL likewise.';
COMMENT ON COLUMN address_look.tls_fingerprint IS 'SHA-256 of the leaf in DER, hex; NULL likewise.';
COMMENT ON COLUMN address_look.software_raw IS 'server.name of its version answer, at most 256 characters; NULL when not said or not had.';
COMMENT ON COLUMN address_look.version_raw IS 'server.version of it, at most 256 characters; NULL likewise.';
COMMENT ON COLUMN address_look.verify_keys IS 'Key ID to base64 key, JSON object, at most 100 keys; NULL when no key document verified there.';

CREATE TABLE support_contact (
    server_id INTEGER NOT NULL,
    crawl_id INTEGER NOT NULL,
    ordinal SMALLINT NOT NULL,
    role VARCHAR NOT NULL,
    matrix_id VARCHAR,
    email_address VARCHAR,
    support_page VARCHAR
);
COMMENT ON TABLE support_contact IS 'Whom a server names as its contacts (.well-known/matrix/support), as last seen: replaced at each visit that had an answer, removed when the server no longer publishes it or when the last three censuses did not see it. Personal data: no history, never in exports; empty in serving files.';
COMMENT ON COLUMN support_contact.server_id IS 'The server.';
COMMENT ON COLUMN support_contact.crawl_id IS 'Crawl that saw it last.';
COMMENT ON COLUMN support_contact.ordinal IS 'Place in the document, from 0, at most 20 contacts; a document with a page alone is one row.';
COMMENT ON COLUMN support_contact.role IS 'Role as published, at most 255 characters; empty when none is given, and in the row of a page alone.';
COMMENT ON COLUMN support_contact.matrix_id IS 'Matrix ID, at most 255 characters; NULL when not given.';
COMMENT ON COLUMN support_contact.email_address IS 'E-mail address, at most 255 characters; NULL when not given.';
COMMENT ON COLUMN support_contact.support_page IS 'URL of the support page, at most 1024 characters; NULL when not given.';

CREATE TABLE cached_answer (
    question VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    answer JSON NOT NULL,
    heard_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (question, subject)
);
COMMENT ON TABLE cached_answer IS 'Answers of resolutions that later crawls need not ask for again until they expire; empty in serving files.';
COMMENT ON COLUMN cached_answer.question IS 'well_known, srv or addresses.';
COMMENT ON COLUMN cached_answer.subject IS 'The host or owner name asked about.';
COMMENT ON COLUMN cached_answer.answer IS 'The answer, as the resolution was told it.';
COMMENT ON COLUMN cached_answer.heard_at IS 'When it was heard, UTC.';
COMMENT ON COLUMN cached_answer.expires_at IS 'Until when it may be used instead of asking, UTC.';

ALTER TABLE resolution_step ADD COLUMN cached_at TIMESTAMPTZ;
COMMENT ON COLUMN resolution_step.cached_at IS 'When the answer was heard, UTC, if it was one kept from then, not asked for in this visit: cache_s is what was left of its lifetime; NULL when it was asked for.';
