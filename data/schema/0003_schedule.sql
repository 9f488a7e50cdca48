-- What crawls remember of servers for the crawls after them: when to look again, what not to ask again. Working state,
-- not record: unlike all else in this file its rows are replaced. What was seen is in the tables of observations.

CREATE TABLE server_schedule (
    server_id INTEGER PRIMARY KEY,
    life VARCHAR NOT NULL CHECK (life IN ('alive', 'dying', 'dead')),
    failures INTEGER NOT NULL,
    tried_at TIMESTAMPTZ NOT NULL,
    online_at TIMESTAMPTZ,
    due_at TIMESTAMPTZ NOT NULL,
    not_before TIMESTAMPTZ,
    denied_until TIMESTAMPTZ,
    robots VARCHAR,
    first_key VARCHAR,
    address VARCHAR
);
COMMENT ON TABLE server_schedule IS 'When each server that was ever visited is looked at again, and why; one row for each. A name without a row was never visited, or was left to a later crawl.';
COMMENT ON COLUMN server_schedule.server_id IS 'The server.';
COMMENT ON COLUMN server_schedule.life IS 'alive, dying or dead, as of the last visit.';
COMMENT ON COLUMN server_schedule.failures IS 'Visits in a row, up to the last, in which it was not online; 0 when it was.';
COMMENT ON COLUMN server_schedule.tried_at IS 'End of the last visit, UTC.';
COMMENT ON COLUMN server_schedule.online_at IS 'End of the last visit that saw it online, UTC; NULL when none did.';
COMMENT ON COLUMN server_schedule.due_at IS 'Crawls that start earlier do not look at it, UTC; for the alive and the dying the time of the last visit.';
COMMENT ON COLUMN server_schedule.not_before IS 'It asked (Retry-After) not to be asked before, UTC; NULL when it did not.';
COMMENT ON COLUMN server_schedule.denied_until IS 'It closed its room directory to us; not asked for again before, UTC. NULL when it did not.';
COMMENT ON COLUMN server_schedule.robots IS 'What its robots.txt says of us: allows, disallows_us (our name may not read the directory), disallows_us_entirely (our name may do nothing), disallows_all (nobody may: counted, not obeyed), unreachable (no answer: the directory is left alone in that crawl); NULL when it was never asked for.';
COMMENT ON COLUMN server_schedule.first_key IS 'Fingerprint of its signing keys (first 32 hex digits of SHA-256), to see who shares them; NULL when never had.';
COMMENT ON COLUMN server_schedule.address IS 'IP address at which it was last reached; NULL when it never was.';

CREATE TABLE alias_schedule (
    server_id INTEGER NOT NULL,
    alias VARCHAR NOT NULL,
    crawl_id INTEGER NOT NULL,
    PRIMARY KEY (server_id, alias)
);
COMMENT ON TABLE alias_schedule IS 'Which aliases were looked up, and when last, so that each crawl asks for those that waited longest.';
COMMENT ON COLUMN alias_schedule.server_id IS 'The server that owns the alias.';
COMMENT ON COLUMN alias_schedule.alias IS 'The alias, at most 255 characters.';
COMMENT ON COLUMN alias_schedule.crawl_id IS 'The last crawl that asked for it, answered or not.';

COMMENT ON COLUMN lead.source IS 'How it was named: seed, mrs_catalog, federation_info (lists given to us); room_id, alias, alias_servers, well_known, space_child, space_via, space_sender (answers of servers).';
COMMENT ON COLUMN lead.named_by IS 'The server whose answer named it; NULL for seeds and lists.';

CREATE VIEW lead_span AS
SELECT server_id, source, named_by, min(crawl_id) AS first_crawl_id, max(crawl_id) AS last_crawl_id,
    count(DISTINCT crawl_id)::INTEGER AS crawls
FROM lead GROUP BY server_id, source, named_by;
COMMENT ON VIEW lead_span IS 'Every lead once, with the crawls that saw it first and last.';
COMMENT ON COLUMN lead_span.server_id IS 'The server that was named.';
COMMENT ON COLUMN lead_span.source IS 'How, as in lead.';
COMMENT ON COLUMN lead_span.named_by IS 'The server whose answer named it; NULL for seeds and lists.';
COMMENT ON COLUMN lead_span.first_crawl_id IS 'First crawl that saw this lead.';
COMMENT ON COLUMN lead_span.last_crawl_id IS 'Last crawl that saw it.';
COMMENT ON COLUMN lead_span.crawls IS 'Number of crawls that saw it.';
