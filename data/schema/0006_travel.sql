-- Who is to be forgotten, what other processes said, what came from other census files, and what several vantages say.

CREATE TABLE suppression (
    kind VARCHAR NOT NULL CHECK (kind IN ('server', 'room')),
    salt VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    since TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE suppression IS 'Servers and rooms that were forgotten on request: neither crawled nor stored again. Of each nothing is kept but a salted hash. Only in census files.';
COMMENT ON COLUMN suppression.kind IS 'server, or room (a room ID or a room alias).';
COMMENT ON COLUMN suppression.salt IS 'Random, the same in all rows of a file, hex.';
COMMENT ON COLUMN suppression.digest IS 'HMAC-SHA-256 under the salt of the kind, a colon and the name (of a server in ASCII lower case), hex. Who holds the file can try a name, not read one.';
COMMENT ON COLUMN suppression.since IS 'When it was forgotten, UTC.';

CREATE TABLE inbox_entry (
    digest VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    left_at TIMESTAMPTZ NOT NULL,
    content JSON NOT NULL
);
COMMENT ON TABLE inbox_entry IS 'What other processes left in inbox/ and nothing has used yet; what is used at once (forget) is not kept. Only in census files.';
COMMENT ON COLUMN inbox_entry.digest IS 'SHA-256 of kind, time and content, hex: the same entry drained twice is one row.';
COMMENT ON COLUMN inbox_entry.kind IS 'What it is, one word of the process that left it.';
COMMENT ON COLUMN inbox_entry.left_at IS 'When it was left, UTC.';
COMMENT ON COLUMN inbox_entry.content IS 'What it says, as JSON.';

CREATE TABLE imported_series (
    series_id INTEGER NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    vantage VARCHAR NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE imported_series IS 'Series that were read from an export of another census file. Their crawls have numbers below 0, so that the newest crawl of the file is always its own.';
COMMENT ON COLUMN imported_series.series_id IS 'The series here.';
COMMENT ON COLUMN imported_series.snapshot_id IS 'Snapshot that was exported: how to cite where it is from.';
COMMENT ON COLUMN imported_series.vantage IS 'Name of its vantage there.';
COMMENT ON COLUMN imported_series.imported_at IS 'When it was read, UTC.';

COMMENT ON COLUMN crawl.crawl_id IS 'Number of the crawl in this file, from 1, in the order of starting. Of imported crawls below 0, in the order of starting within their series.';

CREATE VIEW by_vantage AS
SELECT
    c.synthetic,
    s.server_id,
    n.server_name,
    c.series_id,
    c.vantage,
    c.crawl_id,
    c.finished_at,
    s.resolves,
    s.reachable,
    s.secure,
    s.online,
    s.federating,
    s.accepting,
    s.failed_phase,
    s.failed_kind,
    s.software,
    s.version
FROM (SELECT * FROM census WHERE crawl_id IN (SELECT max(crawl_id) FROM census GROUP BY series_id)) c
JOIN server_state s ON s.series_id = c.series_id AND s.valid_from <= c.crawl_id AND (
    s.valid_to IS NULL OR s.valid_to > c.crawl_id
)
JOIN server n USING (server_id);
COMMENT ON VIEW by_vantage IS 'What the newest census of each vantage saw of each server that it looked at, side by side. Censuses of vantages need not be of the same day.';
COMMENT ON COLUMN by_vantage.synthetic IS 'True when the crawl was of the practice federation.';
COMMENT ON COLUMN by_vantage.server_id IS 'The server.';
COMMENT ON COLUMN by_vantage.server_name IS 'Its name.';
COMMENT ON COLUMN by_vantage.series_id IS 'The series of crawls.';
COMMENT ON COLUMN by_vantage.vantage IS 'From where it was looked at.';
COMMENT ON COLUMN by_vantage.crawl_id IS 'The newest census of the series.';
COMMENT ON COLUMN by_vantage.finished_at IS 'Its seal, UTC.';
COMMENT ON COLUMN by_vantage.resolves IS 'The algorithm yields at least one address that may be dialled.';
COMMENT ON COLUMN by_vantage.reachable IS 'TCP to one of them succeeded.';
COMMENT ON COLUMN by_vantage.secure IS 'TLS verified for the prescribed name.';
COMMENT ON COLUMN by_vantage.online IS 'Secure, and /_matrix/federation/v1/version answered JSON.';
COMMENT ON COLUMN by_vantage.federating IS 'Online, and its key document verified itself and was in date.';
COMMENT ON COLUMN by_vantage.accepting IS 'Federating, and it accepted a request signed by us; NULL when it was not asked with an identity.';
COMMENT ON COLUMN by_vantage.failed_phase IS 'Phase of the first failure on the way to federating; NULL when federating, and when nothing failed but something was skipped.';
COMMENT ON COLUMN by_vantage.failed_kind IS 'Kind of that failure; NULL likewise.';
COMMENT ON COLUMN by_vantage.software IS 'Normalised implementation name; NULL when not said.';
COMMENT ON COLUMN by_vantage.version IS 'Version number alone; NULL when it says none.';

CREATE VIEW merged_server AS
SELECT
    synthetic,
    server_id,
    any_value(server_name) AS server_name,
    count(*)::INTEGER AS vantages,
    count(*) FILTER (online)::INTEGER AS online_from,
    bool_or(resolves) AS resolves,
    bool_or(reachable) AS reachable,
    bool_or(secure) AS secure,
    bool_or(online) AS online,
    bool_or(federating) AS federating,
    bool_or(accepting) AS accepting,
    bool_or(online) AND NOT bool_and(online) AS disagree,
    list(vantage ORDER BY vantage) FILTER (online) AS online_for,
    list(vantage ORDER BY vantage) FILTER (NOT online) AS offline_for,
    arg_max(software, finished_at) FILTER (online) AS software,
    arg_max(version, finished_at) FILTER (online) AS version
FROM by_vantage
GROUP BY synthetic, server_id;
COMMENT ON VIEW merged_server IS 'What the newest censuses of all vantages say of a server together: it is online if any of them saw it so. Who disagrees is told, and by_vantage has what each saw.';
COMMENT ON COLUMN merged_server.synthetic IS 'True for servers of the practice federation.';
COMMENT ON COLUMN merged_server.server_id IS 'The server.';
COMMENT ON COLUMN merged_server.server_name IS 'Its name.';
COMMENT ON COLUMN merged_server.vantages IS 'How many vantages looked at it in their newest census.';
COMMENT ON COLUMN merged_server.online_from IS 'How many of them saw it online.';
COMMENT ON COLUMN merged_server.resolves IS 'Whether it resolved for any of them.';
COMMENT ON COLUMN merged_server.reachable IS 'Whether any of them reached it.';
COMMENT ON COLUMN merged_server.secure IS 'Whether TLS verified for any of them.';
COMMENT ON COLUMN merged_server.online IS 'Whether any of them saw it online.';
COMMENT ON COLUMN merged_server.federating IS 'Whether any of them saw it federating.';
COMMENT ON COLUMN merged_server.accepting IS 'Whether it accepted a signed request of any of them; NULL when none asked with an identity.';
COMMENT ON COLUMN merged_server.disagree IS 'Some saw it online and some did not.';
COMMENT ON COLUMN merged_server.online_for IS 'Vantages that saw it online, a list; NULL for none.';
COMMENT ON COLUMN merged_server.offline_for IS 'Vantages that looked and did not see it online, a list; NULL for none.';
COMMENT ON COLUMN merged_server.software IS 'Software as the newest of the censuses that saw it online has it; NULL when not said.';
COMMENT ON COLUMN merged_server.version IS 'Version likewise; NULL when it says none.';
