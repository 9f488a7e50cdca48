-- What is not crawled from servers: usage that servers report of themselves, people who write code, the specification.

CREATE TABLE outside_source (
    source_id INTEGER PRIMARY KEY,
    kind VARCHAR NOT NULL CHECK (kind IN ('usage', 'developers', 'spec')),
    name VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL,
    replaced_at TIMESTAMPTZ,
    listed INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    summary JSON NOT NULL
);
COMMENT ON TABLE outside_source IS 'Every import of something that no crawl sees, in the order of importing. An import of the same kind and name replaces what came with the one before; its row here stays.';
COMMENT ON COLUMN outside_source.source_id IS 'Number of the import in this file, from 1.';
COMMENT ON COLUMN outside_source.kind IS 'usage (reports from a file), developers (repositories of a list), spec (the specification and its proposals).';
COMMENT ON COLUMN outside_source.name IS 'Name of the list, or of the file or folder without the way to it.';
COMMENT ON COLUMN outside_source.version IS 'Its version: what a list says of itself, a git commit, or the SHA-256 of a file.';
COMMENT ON COLUMN outside_source.as_of IS 'The day of which it speaks, UTC: of developers their newest commit, of a checkout its newest commit, of a file its newest report.';
COMMENT ON COLUMN outside_source.imported_at IS 'When it was imported, UTC.';
COMMENT ON COLUMN outside_source.replaced_at IS 'When a later import took its place, UTC; NULL while it counts. Reports from files add up and are never replaced.';
COMMENT ON COLUMN outside_source.listed IS 'How many things it lists: reports, repositories, proposals.';
COMMENT ON COLUMN outside_source.taken IS 'How many of them could be read.';
COMMENT ON COLUMN outside_source.summary IS 'What else there is to say, as JSON: what was left out and why.';

CREATE TABLE usage_report (
    server_key VARCHAR NOT NULL,
    day DATE NOT NULL,
    proof VARCHAR NOT NULL CHECK (proof IN ('address', 'well_known', 'dns', 'file', 'none')),
    received_at TIMESTAMPTZ NOT NULL,
    reported_at TIMESTAMPTZ,
    software VARCHAR,
    total_users BIGINT,
    total_nonbridged_users BIGINT,
    daily_active_users BIGINT,
    monthly_active_users BIGINT,
    daily_user_type_native BIGINT,
    daily_user_type_guest BIGINT,
    daily_user_type_bridged BIGINT,
    r30_users_all BIGINT,
    r30_users_android BIGINT,
    r30_users_ios BIGINT,
    r30_users_electron BIGINT,
    r30_users_web BIGINT,
    r30v2_users_all BIGINT,
    r30v2_users_android BIGINT,
    r30v2_users_ios BIGINT,
    r30v2_users_electron BIGINT,
    r30v2_users_web BIGINT,
    total_room_count BIGINT,
    daily_active_rooms BIGINT,
    daily_active_e2ee_rooms BIGINT,
    daily_messages BIGINT,
    daily_sent_messages BIGINT,
    daily_e2ee_messages BIGINT,
    daily_sent_e2ee_messages BIGINT,
    PRIMARY KEY (server_key, day, proof)
);
COMMENT ON TABLE usage_report IS 'What servers report of themselves, of each server, day and proof the last. Kept for 90 days, unverified ones for 7. Only in census files: nobody else sees what one server reported.';
COMMENT ON COLUMN usage_report.server_key IS 'The server that the report names, in ASCII lower case. Crawls need not know it.';
COMMENT ON COLUMN usage_report.day IS 'Day on which it was received, UTC.';
COMMENT ON COLUMN usage_report.proof IS 'Why it is believed to come from that server: address (it came from an address that the name resolves to), well_known or dns (it carried a token whose digest the server publishes there), file (whoever imported it vouches for it). none: it is not believed, kept apart and never summed.';
COMMENT ON COLUMN usage_report.received_at IS 'When it was received, UTC.';
COMMENT ON COLUMN usage_report.reported_at IS 'When it was made, as the server''s clock has it, UTC; NULL when not said.';
COMMENT ON COLUMN usage_report.software IS 'Product and version of its user agent, at most 100 characters; NULL when not said.';
COMMENT ON COLUMN usage_report.total_users IS 'Users of the server, those of bridges included; NULL when not said, as all that follow.';
COMMENT ON COLUMN usage_report.total_nonbridged_users IS 'Users that no bridge made.';
COMMENT ON COLUMN usage_report.daily_active_users IS 'Users active in the last day.';
COMMENT ON COLUMN usage_report.monthly_active_users IS 'Users active in the last 30 days.';
COMMENT ON COLUMN usage_report.daily_user_type_native IS 'Accounts made in the last day: users of Matrix.';
COMMENT ON COLUMN usage_report.daily_user_type_guest IS 'Accounts made in the last day: guests.';
COMMENT ON COLUMN usage_report.daily_user_type_bridged IS 'Accounts made in the last day: by bridges.';
COMMENT ON COLUMN usage_report.r30_users_all IS 'Users retained for 30 days by Synapse''s first definition: account older than 30 days, seen within 30 days, first and last seen more than 30 days apart.';
COMMENT ON COLUMN usage_report.r30_users_android IS 'Of them, on Android.';
COMMENT ON COLUMN usage_report.r30_users_ios IS 'Of them, on iOS.';
COMMENT ON COLUMN usage_report.r30_users_electron IS 'Of them, on a desktop.';
COMMENT ON COLUMN usage_report.r30_users_web IS 'Of them, in a browser.';
COMMENT ON COLUMN usage_report.r30v2_users_all IS 'Users retained for 30 days by Synapse''s second definition: seen more than once in 60 days, with more than 30 days between the first and the last time.';
COMMENT ON COLUMN usage_report.r30v2_users_android IS 'Of them, on Android.';
COMMENT ON COLUMN usage_report.r30v2_users_ios IS 'Of them, on iOS.';
COMMENT ON COLUMN usage_report.r30v2_users_electron IS 'Of them, on a desktop.';
COMMENT ON COLUMN usage_report.r30v2_users_web IS 'Of them, in a browser.';
COMMENT ON COLUMN usage_report.total_room_count IS 'Rooms that the server is or was in.';
COMMENT ON COLUMN usage_report.daily_active_rooms IS 'Rooms with a message in the last day.';
COMMENT ON COLUMN usage_report.daily_active_e2ee_rooms IS 'Rooms with an encrypted message in the last day.';
COMMENT ON COLUMN usage_report.daily_messages IS 'Messages of the last day that the server saw.';
COMMENT ON COLUMN usage_report.daily_sent_messages IS 'Messages of the last day that its users sent.';
COMMENT ON COLUMN usage_report.daily_e2ee_messages IS 'Encrypted messages of the last day that the server saw.';
COMMENT ON COLUMN usage_report.daily_sent_e2ee_messages IS 'Encrypted messages of the last day that its users sent.';

CREATE TABLE usage_sum (
    crawl_id INTEGER NOT NULL,
    field VARCHAR NOT NULL,
    servers INTEGER NOT NULL,
    total BIGINT NOT NULL
);
COMMENT ON TABLE usage_sum IS 'Sums of verified usage reports of servers that a census saw online: of each server the last report within seven days of the census''s seal, before it or after it until the next census.';
COMMENT ON COLUMN usage_sum.crawl_id IS 'The census.';
COMMENT ON COLUMN usage_sum.field IS 'What was summed, as usage_report calls it.';
COMMENT ON COLUMN usage_sum.servers IS 'How many servers said it.';
COMMENT ON COLUMN usage_sum.total IS 'The sum over them.';

CREATE TABLE usage_reporting (
    crawl_id INTEGER NOT NULL,
    proof VARCHAR NOT NULL,
    online BOOLEAN NOT NULL,
    servers INTEGER NOT NULL
);
COMMENT ON TABLE usage_reporting IS 'How many servers reported their usage around a census, by proof. A server counts once: by its last verified report, else as none.';
COMMENT ON COLUMN usage_reporting.crawl_id IS 'The census.';
COMMENT ON COLUMN usage_reporting.proof IS 'As in usage_report; reports with none are in no sum.';
COMMENT ON COLUMN usage_reporting.online IS 'Whether the census saw them online; only those that it did are in the sums.';
COMMENT ON COLUMN usage_reporting.servers IS 'Number of servers.';

CREATE TABLE developer_day (
    source_id INTEGER NOT NULL,
    author VARCHAR NOT NULL,
    day DATE NOT NULL
);
COMMENT ON TABLE developer_day IS 'On which days each author of a list''s repositories made a commit. Only in census files.';
COMMENT ON COLUMN developer_day.source_id IS 'The import.';
COMMENT ON COLUMN developer_day.author IS 'HMAC-SHA-256 of the author''s address under the salt of the file, first 32 hex digits. No address and no name is kept.';
COMMENT ON COLUMN developer_day.day IS 'Day of the commit by its author''s date, UTC.';

CREATE TABLE developer_salt (
    salt VARCHAR NOT NULL
);
COMMENT ON TABLE developer_salt IS 'One row once developers were imported: what their addresses are hashed with, so that lists can be compared. Only in census files.';
COMMENT ON COLUMN developer_salt.salt IS 'Random, hex.';

CREATE TABLE developer_count (
    source_id INTEGER NOT NULL,
    day DATE NOT NULL,
    window_d INTEGER NOT NULL,
    authors INTEGER NOT NULL,
    fewest INTEGER NOT NULL,
    most INTEGER NOT NULL,
    new_authors INTEGER NOT NULL
);
COMMENT ON TABLE developer_count IS 'Distinct human authors of commits in the repositories of a list, over windows that end with a day. A day that is not there is as the one before it.';
COMMENT ON COLUMN developer_count.source_id IS 'The import.';
COMMENT ON COLUMN developer_count.day IS 'Last day of the window, UTC.';
COMMENT ON COLUMN developer_count.window_d IS 'Length of the window in days: 30, 90 or 365.';
COMMENT ON COLUMN developer_count.authors IS 'Authors with a commit in it; addresses that a .mailmap of any of the repositories says are one person''s are one.';
COMMENT ON COLUMN developer_count.fewest IS 'The same, if addresses with the same full name are one person''s as well.';
COMMENT ON COLUMN developer_count.most IS 'The same, if every address is a person of its own.';
COMMENT ON COLUMN developer_count.new_authors IS 'Of the authors, those whose first commit in these repositories lies in the window; the others return.';

CREATE TABLE developer_month (
    source_id INTEGER NOT NULL,
    month DATE NOT NULL,
    authors INTEGER NOT NULL,
    new_authors INTEGER NOT NULL,
    commits INTEGER NOT NULL
);
COMMENT ON TABLE developer_month IS 'Distinct human authors of commits in the repositories of a list, month by month; months without a commit are not there.';
COMMENT ON COLUMN developer_month.source_id IS 'The import.';
COMMENT ON COLUMN developer_month.month IS 'First day of the month, UTC.';
COMMENT ON COLUMN developer_month.authors IS 'Authors with a commit in it.';
COMMENT ON COLUMN developer_month.new_authors IS 'Of them, those whose first commit it has.';
COMMENT ON COLUMN developer_month.commits IS 'Their commits, merges and those of a fork''s origin left out; one that several repositories have counts once.';

CREATE TABLE developer_overlap (
    source_id INTEGER NOT NULL,
    other_id INTEGER NOT NULL,
    day DATE NOT NULL,
    authors INTEGER NOT NULL
);
COMMENT ON TABLE developer_overlap IS 'How many authors two lists have in common, over the 365 days that end with a day: what the coverage of a list is estimated from. A day that is not there is as the one before it.';
COMMENT ON COLUMN developer_overlap.source_id IS 'One import, the later.';
COMMENT ON COLUMN developer_overlap.other_id IS 'The other.';
COMMENT ON COLUMN developer_overlap.day IS 'Last day of the window, UTC.';
COMMENT ON COLUMN developer_overlap.authors IS 'Authors with a commit in the window in both.';

CREATE TABLE spec_release (
    source_id INTEGER NOT NULL,
    version VARCHAR NOT NULL,
    released_on DATE NOT NULL,
    proposals INTEGER NOT NULL,
    entries INTEGER NOT NULL
);
COMMENT ON TABLE spec_release IS 'Releases of the Matrix specification, from its changelogs.';
COMMENT ON COLUMN spec_release.source_id IS 'The import.';
COMMENT ON COLUMN spec_release.version IS 'Version, such as v1.4.';
COMMENT ON COLUMN spec_release.released_on IS 'Day of the release, as its changelog says.';
COMMENT ON COLUMN spec_release.proposals IS 'Different proposals that its changelog names.';
COMMENT ON COLUMN spec_release.entries IS 'Entries of its changelog.';

CREATE TABLE spec_proposal (
    source_id INTEGER NOT NULL,
    msc INTEGER NOT NULL,
    slug VARCHAR,
    accepted_on DATE,
    first_release VARCHAR,
    first_released_on DATE
);
COMMENT ON TABLE spec_proposal IS 'Accepted proposals of changes to the Matrix specification (MSCs).';
COMMENT ON COLUMN spec_proposal.source_id IS 'The import.';
COMMENT ON COLUMN spec_proposal.msc IS 'Its number.';
COMMENT ON COLUMN spec_proposal.slug IS 'Its name in the proposals; NULL when only a changelog names it.';
COMMENT ON COLUMN spec_proposal.accepted_on IS 'Day on which its text was merged, UTC; NULL when only a changelog names it.';
COMMENT ON COLUMN spec_proposal.first_release IS 'First release whose changelog names it; NULL when none does.';
COMMENT ON COLUMN spec_proposal.first_released_on IS 'Day of that release; NULL likewise.';
