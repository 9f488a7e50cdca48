-- The certificates as of a crawl, joined so that DuckDB hashes them: with OR it held every one against every server.

CREATE OR REPLACE VIEW server_observation AS
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
LEFT JOIN server_certificate k ON k.server_id = s.server_id AND k.series_id = c.series_id AND k.valid_from <= c.crawl_id
    AND coalesce(k.valid_to, 2147483647) > c.crawl_id
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
