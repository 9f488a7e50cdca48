-- Every lead for good: how a server was named and by whom, with the completed crawls that saw it first and last. The
-- journal has the rows of each crawl and is let go after a while; this is kept. And what a redirect's status was.

DROP VIEW lead_span;

CREATE TABLE lead_span (
    series_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    named_by INTEGER,
    first_crawl_id INTEGER NOT NULL,
    last_crawl_id INTEGER NOT NULL,
    crawls INTEGER NOT NULL
);
COMMENT ON TABLE lead_span IS 'Every lead once for each series of crawls, with the completed crawls that saw it first and last: the incidence of each server over time. Of crawls whose journal was let go before schema 7 nothing is in it.';
COMMENT ON COLUMN lead_span.series_id IS 'The series of crawls.';
COMMENT ON COLUMN lead_span.server_id IS 'The server that was named.';
COMMENT ON COLUMN lead_span.source IS 'How, as in lead.';
COMMENT ON COLUMN lead_span.named_by IS 'The server whose answer named it; NULL for seeds and lists.';
COMMENT ON COLUMN lead_span.first_crawl_id IS 'First completed crawl of the series that saw this lead; in an imported series, the first that was imported from then on.';
COMMENT ON COLUMN lead_span.last_crawl_id IS 'Last completed crawl of the series that saw it; in an imported series, the last that was imported until then.';
COMMENT ON COLUMN lead_span.crawls IS 'Number of completed crawls of the series that saw it, from 1. What a server says of aliases is asked in turns, so that not every crawl sees every lead.';

INSERT INTO lead_span
SELECT c.series_id, l.server_id, l.source, l.named_by, min(l.crawl_id), max(l.crawl_id), count(DISTINCT l.crawl_id)::INTEGER
FROM lead l JOIN crawl c USING (crawl_id)
WHERE c.state = 'completed'
GROUP BY ALL ORDER BY ALL;

ALTER TABLE resolution_step ADD COLUMN redirect_statuses JSON;
COMMENT ON COLUMN resolution_step.redirect_statuses IS 'Of a .well-known document that was valid, the statuses of the redirects before it, a JSON array in their order; empty when there was none, or they are not known; NULL for everything else, and before schema 7.';
