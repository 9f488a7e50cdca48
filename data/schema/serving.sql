-- What a serving file has beside the tables of the census file. Not a migration: serving files are made anew each time.

CREATE TABLE snapshot (
    snapshot_id VARCHAR NOT NULL,
    crawl_id INTEGER NOT NULL,
    published_at TIMESTAMPTZ NOT NULL,
    schema_version INTEGER NOT NULL,
    crawls INTEGER NOT NULL,
    censuses INTEGER NOT NULL,
    synthetic BOOLEAN NOT NULL,
    content_sha256 VARCHAR NOT NULL
);
COMMENT ON TABLE snapshot IS 'One row: what this serving file is, and how to cite it. Only in serving files.';
COMMENT ON COLUMN snapshot.snapshot_id IS 'How to cite it: name of the census file, number of its newest completed crawl, minute of that crawl''s seal in UTC, first 8 digits of content_sha256.';
COMMENT ON COLUMN snapshot.crawl_id IS 'The newest completed crawl in it, census or limited.';
COMMENT ON COLUMN snapshot.published_at IS 'When this file was made, UTC. The same crawls published again keep their snapshot_id.';
COMMENT ON COLUMN snapshot.schema_version IS 'Schema of the tables: the highest version in schema_migration.';
COMMENT ON COLUMN snapshot.crawls IS 'Completed crawls whose observations are in it.';
COMMENT ON COLUMN snapshot.censuses IS 'How many of them are a census.';
COMMENT ON COLUMN snapshot.synthetic IS 'True when any of them was of the practice federation.';
COMMENT ON COLUMN snapshot.content_sha256 IS 'SHA-256 over the crawls and over what the newest completed one observed and listed, in any order of rows, hex.';
