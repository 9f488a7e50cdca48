-- What several vantages say of rooms, and of servers and rooms on a day that is past. (0006 has the servers of today.)

CREATE VIEW room_by_vantage AS
SELECT
    c.synthetic,
    r.room_number,
    k.room_id,
    c.series_id,
    c.vantage,
    c.crawl_id,
    c.finished_at,
    r.directories,
    r.members,
    coalesce(r.members_min, r.members::INTEGER) AS members_min,
    coalesce(r.members_max, r.members::INTEGER) AS members_max,
    r.text_id,
    t.name,
    t.topic,
    t.canonical_alias,
    t.join_rule,
    t.room_type
FROM (SELECT * FROM census WHERE crawl_id IN (SELECT max(crawl_id) FROM census GROUP BY series_id)) c
JOIN room_state r ON r.series_id = c.series_id AND r.valid_from <= c.crawl_id AND (
    r.valid_to IS NULL OR r.valid_to > c.crawl_id
)
JOIN known_room k ON k.room_number = r.room_number
JOIN room_text t ON t.text_id = r.text_id;
COMMENT ON VIEW room_by_vantage IS 'What the newest census of each vantage saw listed of each room, side by side. Censuses of vantages need not be of the same day. Text is hostile: escape it where it is shown.';
COMMENT ON COLUMN room_by_vantage.synthetic IS 'True when the crawl was of the practice federation.';
COMMENT ON COLUMN room_by_vantage.room_number IS 'The room.';
COMMENT ON COLUMN room_by_vantage.room_id IS 'Its ID.';
COMMENT ON COLUMN room_by_vantage.series_id IS 'The series of crawls.';
COMMENT ON COLUMN room_by_vantage.vantage IS 'From where the directories were read.';
COMMENT ON COLUMN room_by_vantage.crawl_id IS 'The newest census of the series.';
COMMENT ON COLUMN room_by_vantage.finished_at IS 'Its seal, UTC.';
COMMENT ON COLUMN room_by_vantage.directories IS 'Directories that listed it.';
COMMENT ON COLUMN room_by_vantage.members IS 'Median of the joined members that they said; NULL when none said.';
COMMENT ON COLUMN room_by_vantage.members_min IS 'Fewest; NULL likewise.';
COMMENT ON COLUMN room_by_vantage.members_max IS 'Most; NULL likewise.';
COMMENT ON COLUMN room_by_vantage.text_id IS 'What it says of itself, a row of room_text.';
COMMENT ON COLUMN room_by_vantage.name IS 'Name; NULL when it has none.';
COMMENT ON COLUMN room_by_vantage.topic IS 'Topic; NULL when it has none.';
COMMENT ON COLUMN room_by_vantage.canonical_alias IS 'Canonical alias; NULL when it has none.';
COMMENT ON COLUMN room_by_vantage.join_rule IS 'Join rule as sent; NULL when not said.';
COMMENT ON COLUMN room_by_vantage.room_type IS 'Room type as sent, m.space for spaces; NULL for ordinary rooms.';

CREATE VIEW merged_room AS
SELECT
    m.synthetic,
    m.room_number,
    k.room_id,
    m.vantages,
    m.listed_from,
    m.disagree,
    m.listed_for,
    m.unlisted_for,
    m.members,
    m.members_min,
    m.members_max,
    t.name,
    t.topic,
    t.canonical_alias,
    t.join_rule,
    t.room_type
FROM (
    SELECT
        c.synthetic,
        o.room_number,
        count(*)::INTEGER AS vantages,
        count(r.series_id)::INTEGER AS listed_from,
        count(r.series_id) < count(*) OR coalesce(min(r.members) < max(r.members), false) OR count(r.members) NOT IN (0, count(*))
            OR count(DISTINCT r.text_id) > 1 AS disagree,
        list(c.vantage ORDER BY c.vantage) FILTER (r.series_id IS NOT NULL) AS listed_for,
        list(c.vantage ORDER BY c.vantage) FILTER (r.series_id IS NULL) AS unlisted_for,
        median(r.members) AS members,
        min(r.members_min) AS members_min,
        max(r.members_max) AS members_max,
        -- One key: most members first, then the series that was begun first, so that the choice is always the same.
        arg_max(r.text_id, coalesce(r.members, -1) * 65536 - r.series_id) AS text_id
    FROM (SELECT * FROM census WHERE crawl_id IN (SELECT max(crawl_id) FROM census GROUP BY series_id)) c
    JOIN (SELECT DISTINCT synthetic, room_number FROM room_by_vantage) o ON o.synthetic = c.synthetic
    LEFT JOIN room_by_vantage r ON r.series_id = c.series_id AND r.room_number = o.room_number
    GROUP BY c.synthetic, o.room_number
) m
JOIN known_room k ON k.room_number = m.room_number
JOIN room_text t ON t.text_id = m.text_id;
COMMENT ON VIEW merged_room IS 'What the newest censuses of all vantages say of a room together: it is listed if any of them saw it so. Who disagrees is told, and room_by_vantage has what each saw. Text is hostile: escape it where it is shown.';
COMMENT ON COLUMN merged_room.synthetic IS 'True for rooms of the practice federation.';
COMMENT ON COLUMN merged_room.room_number IS 'The room.';
COMMENT ON COLUMN merged_room.room_id IS 'Its ID.';
COMMENT ON COLUMN merged_room.vantages IS 'How many vantages there are of this kind, real or synthetic.';
COMMENT ON COLUMN merged_room.listed_from IS 'How many of them saw it listed in their newest census.';
COMMENT ON COLUMN merged_room.disagree IS 'Some saw it listed and some did not, or with other members, or another text.';
COMMENT ON COLUMN merged_room.listed_for IS 'Vantages that saw it listed, a list.';
COMMENT ON COLUMN merged_room.unlisted_for IS 'Vantages that did not, a list; NULL for none.';
COMMENT ON COLUMN merged_room.members IS 'Median of the members that the vantages have of it; NULL when none has any.';
COMMENT ON COLUMN merged_room.members_min IS 'Fewest that any directory said to any of them; NULL likewise.';
COMMENT ON COLUMN merged_room.members_max IS 'Most; NULL likewise.';
COMMENT ON COLUMN merged_room.name IS 'Name as the vantage that saw most members has it; NULL when it has none.';
COMMENT ON COLUMN merged_room.topic IS 'Topic likewise; NULL when it has none.';
COMMENT ON COLUMN merged_room.canonical_alias IS 'Canonical alias likewise; NULL when it has none.';
COMMENT ON COLUMN merged_room.join_rule IS 'Join rule likewise; NULL when not said.';
COMMENT ON COLUMN merged_room.room_type IS 'Room type likewise; NULL for ordinary rooms.';

-- What all vantages together knew of servers at the end of a day: SELECT * FROM merged_servers_on('2026-11-24').
CREATE MACRO merged_servers_on(day) AS TABLE
SELECT
    v.synthetic,
    s.server_id,
    any_value(s.server_name) AS server_name,
    count(*)::INTEGER AS vantages,
    count(*) FILTER (s.online)::INTEGER AS online_from,
    bool_or(s.online) AS online,
    bool_or(s.federating) AS federating,
    bool_or(s.accepting) AS accepting,
    bool_or(s.online) AND NOT bool_and(s.online) AS disagree,
    list(v.vantage ORDER BY v.vantage) FILTER (s.online) AS online_for,
    list(v.vantage ORDER BY v.vantage) FILTER (NOT s.online) AS offline_for,
    arg_max(s.software, c.finished_at) FILTER (s.online) AS software,
    arg_max(s.version, c.finished_at) FILTER (s.online) AS version
FROM federation_on(day) s
JOIN series v ON v.series_id = s.series_id
JOIN crawl c ON c.crawl_id = s.crawl_id
GROUP BY v.synthetic, s.server_id;

-- The rooms, likewise.
CREATE MACRO merged_rooms_on(day) AS TABLE
SELECT
    v.synthetic,
    o.room_number,
    any_value(r.room_id) AS room_id,
    count(*)::INTEGER AS vantages,
    count(r.series_id)::INTEGER AS listed_from,
    count(r.series_id) < count(*) OR coalesce(min(r.members) < max(r.members), false) OR count(r.members) NOT IN (0, count(*))
        OR count(DISTINCT row(r.name, r.topic, r.canonical_alias, r.join_rule, r.room_type))
            FILTER (r.series_id IS NOT NULL) > 1 AS disagree,
    list(v.vantage ORDER BY v.vantage) FILTER (r.series_id IS NOT NULL) AS listed_for,
    list(v.vantage ORDER BY v.vantage) FILTER (r.series_id IS NULL) AS unlisted_for,
    median(r.members) AS members,
    min(coalesce(r.members_min, r.members::INTEGER)) AS members_min,
    max(coalesce(r.members_max, r.members::INTEGER)) AS members_max,
    arg_max(row(r.name), coalesce(r.members, -1) * 65536 - r.series_id)[1] AS name,
    arg_max(row(r.topic), coalesce(r.members, -1) * 65536 - r.series_id)[1] AS topic
FROM crawls_on(day) c
JOIN series v ON v.series_id = c.series_id
JOIN (SELECT DISTINCT x.synthetic, y.room_number FROM rooms_on(day) y JOIN series x USING (series_id)) o
    ON o.synthetic = v.synthetic
LEFT JOIN rooms_on(day) r ON r.series_id = c.series_id AND r.room_number = o.room_number
GROUP BY v.synthetic, o.room_number;
