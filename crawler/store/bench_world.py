"""The made-up federation of `bench store`, in SQL. Apart from the measuring, which is the same whatever the world is.

Servers and rooms have a day of birth and perhaps one of death. On a day 0.25 % of servers are down, back the next, and
0.5 % have a new version; 5 % of rooms have other members, 0.1 % another name. A tenth of the rooms is in a second
directory, whose count differs. Each room has participants, two on average, of which one in two hundred changes a day.
"""

WORLD = (
    """CREATE TEMP TABLE w_server AS
    SELECT range::INTEGER AS server_id, 'server' || range || '.example' AS name,
        CASE WHEN range <= {servers} THEN 1 ELSE 2 + hash(range) % {days} END AS born,
        CASE WHEN hash(range, 'dies') % 10 = 0 THEN 2 + hash(range, 'day') % {days} ELSE 100000 END AS dies,
        ['synapse', 'synapse', 'synapse', 'dendrite', 'conduwuit', 'continuwuity'][
            (1 + hash(range, 's') % 6)::BIGINT
        ] AS software,
        1 AS minor, md5('key' || range) AS signs
    FROM range(1, {servers} + {servers} // 10 + 1)""",
    """CREATE TEMP TABLE w_room AS
    SELECT range::INTEGER AS room,
        '!' || substr(md5(range::VARCHAR), 1, 18) || ':server' || owner || '.example' AS room_id,
        owner, CASE WHEN hash(range, 'two') % 10 = 0 THEN 1 + (owner + 7) % {servers} END AS second,
        CASE WHEN range <= {rooms} THEN 1 ELSE 2 + hash(range) % {days} END AS born,
        CASE WHEN hash(range, 'dies') % 10 = 0 THEN 2 + hash(range, 'day') % {days} ELSE 100000 END AS dies,
        (2 + hash(range, 'm') % 40 + CASE WHEN range % 50 = 0 THEN hash(range, 'b') % 20000 ELSE 0 END)::INTEGER
            AS members,
        'Room ' || range || ' of ' || substr(md5(range || 'n'), 1, 12) AS name,
        CASE WHEN range % 3 > 0 THEN 'We talk of ' || md5(range || 't') || ' and of ' || md5(range || 'u') END AS topic,
        '#r' || range || ':server' || owner || '.example' AS alias
    FROM (
        SELECT range, (1 + hash(range, 'owner') % {servers})::INTEGER AS owner
        FROM range(1, {rooms} + {rooms} // 10 + 1)
    )""",
    """CREATE TEMP TABLE w_part AS
    SELECT room, (1 + hash(room, n) % {servers})::INTEGER AS server_id, n FROM w_room, range(0, 4) r(n)
    WHERE hash(room, n, 'in') % 2 = 0""",
    "INSERT INTO server SELECT server_id, name, name, 1 FROM w_server",
)
"""Made once. `{servers}`, `{rooms}` and `{days}` are put in by `str.format`."""

GOES_ON = ("w_server", "w_room", "w_part")
"""What one day hands on to the next."""

# One in eleven of those rooms has as many members as before, so that one in twenty changes.
STEP = (
    "UPDATE w_server SET minor = minor + 1 WHERE hash(server_id, $day) % 200 = 0",
    """UPDATE w_room SET members = greatest(1, members + (hash(room, $day, 'by') % 11)::INTEGER - 5)
    WHERE hash(room, $day) % 18 = 0""",
    "UPDATE w_room SET name = 'Renamed ' || $day || ' ' || room WHERE hash(room, $day) % 1000 = 1",
    """UPDATE w_part SET server_id = 1 + (server_id + 11) % (SELECT max(server_id) FROM w_part)
    WHERE hash(room, n, $day) % 200 = 0""",
    """CREATE OR REPLACE TEMP TABLE w_today AS
    SELECT *, hash(server_id, $day) % 400 <> 1 AS online FROM w_server WHERE born <= $day AND dies > $day""",
    """CREATE OR REPLACE TEMP TABLE w_listed AS
    SELECT r.*, s.server_id, r.members + (s.server_id <> r.owner)::INTEGER AS told
    FROM w_room r JOIN w_today s ON s.server_id = r.owner AND s.online WHERE r.born <= $day AND r.dies > $day
    UNION ALL
    SELECT r.*, s.server_id, r.members + 1
    FROM w_room r JOIN w_today s ON s.server_id = r.second AND s.online
    WHERE r.second <> r.owner AND r.born <= $day AND r.dies > $day""",
)
"""What happens on a day."""

SEEN_DAY = (
    """INSERT INTO visit SELECT $day, server_id, $at, '192.0.2.' || server_id % 250, 8448, name, name, NULL,
        $at, 1, 20, 0, 8, 5000 + hash(server_id, $day) % 5000, (hash(server_id, $day) % 3000) / 1000 FROM w_today""",
    """INSERT INTO attempt SELECT $day, server_id, w.n, w.what, CASE WHEN online OR w.n < 1 THEN 'ok' ELSE 'failed' END,
        CASE WHEN NOT online AND w.n > 0 THEN 'tcp' END, CASE WHEN NOT online AND w.n > 0 THEN 'tcp_timeout' END,
        NULL, NULL, NULL, NULL, (hash(server_id, w.n, $day) % 1000) / 1000, NULL, NULL, NULL
    FROM w_today, (SELECT unnest(['resolution', 'tcp', 'tls', 'version', 'keys', 'client_well_known', 'client_versions',
        'directory']) AS what, unnest(range(0, 8))::SMALLINT AS n) w""",
    "INSERT INTO endpoint SELECT $day, server_id, 0, '192.0.2.' || server_id % 250, 8448, name, name, '6' FROM w_today",
    "INSERT INTO lead SELECT $day, server_id, 'room_id', 1, 1 FROM w_today",
    """INSERT INTO seen_server BY NAME SELECT $day AS crawl_id, server_id, '6' AS branch, true AS resolves,
        online AS reachable, online AS secure, online, online AS federating, online AS accepting, online AS listing,
        CASE WHEN NOT online THEN 'tcp' END AS failed_phase, CASE WHEN NOT online THEN 'tcp_timeout' END AS failed_kind,
        CASE WHEN online THEN software END AS software_raw, CASE WHEN online THEN '1.' || minor END AS version_raw,
        CASE WHEN online THEN software END AS software, CASE WHEN online THEN '1.' || minor END AS version,
        CASE WHEN online THEN '{"ed25519:a":"' || signs || '"}' END AS verify_keys,
        CASE WHEN online THEN 'TLSv1.3' END AS tls_protocol,
        CASE WHEN online THEN 'TLS_AES_256_GCM_SHA384' END AS tls_cipher,
        CASE WHEN online THEN '["v1.1","v1.11"]' END AS spec_versions,
        CASE WHEN online THEN '{"org.matrix.' || software || minor % 20 || '":true}' END AS unstable_features,
        CASE WHEN online THEN 'Let''s Bench' END AS tls_issuer,
        CASE WHEN online THEN
            TIMESTAMPTZ '2025-01-01 00:00:00+00' + to_days(60 * (1 + ($day + server_id) // 60)::INTEGER)
        END AS tls_not_after,
        CASE WHEN online THEN sha256(server_id || '-' || ($day + server_id) // 60) END AS tls_fingerprint,
        CASE WHEN online THEN 'open' ELSE 'skipped' END AS directory_state,
        CASE WHEN online THEN 'federation' END AS directory_way,
        CASE WHEN online THEN coalesce(l.rooms, 0) END AS directory_rooms,
        CASE WHEN online THEN 'complete' END AS directory_stopped, 0 AS directory_noindex
    FROM w_today LEFT JOIN (SELECT server_id, count(*)::INTEGER AS rooms FROM w_listed GROUP BY server_id) l
        USING (server_id)""",
    """INSERT INTO seen_listing SELECT $day, server_id, room_id, told, name, topic, alias, 'public', NULL, true, false
    FROM w_listed""",
    """INSERT INTO seen_answer SELECT $day, room, owner, room_id FROM w_listed WHERE server_id = owner""",
    """INSERT INTO seen_participation SELECT DISTINCT $day, room, p.server_id
    FROM w_part p JOIN w_listed l USING (room) WHERE l.server_id = l.owner""",
)
"""What a crawl of that day sees and attempts, batch by batch in life."""

DAY = {
    "server_day": """SELECT server_id, online, CASE WHEN online THEN software END AS software,
        CASE WHEN online THEN '1.' || minor END AS version FROM w_today""",
    "room_day": "SELECT room, median(told) AS members FROM w_listed GROUP BY room",
    "listing_day": "SELECT server_id, room, told FROM w_listed",
    "participation_day": """SELECT DISTINCT room, p.server_id, l.owner AS named_by
        FROM w_part p JOIN w_listed l USING (room) WHERE l.server_id = l.owner""",
}
"""The same day, for the full copies: what their tables hold of it but for the day."""

FULL_TABLES = (
    "CREATE TABLE whole.server_name (server_id INTEGER, server_name VARCHAR)",
    "CREATE TABLE whole.room_name (room INTEGER, room_id VARCHAR, name VARCHAR, topic VARCHAR, alias VARCHAR)",
    "CREATE TABLE whole.server_day (day INTEGER, server_id INTEGER, online BOOLEAN, software VARCHAR, version VARCHAR)",
    "CREATE TABLE whole.room_day (day INTEGER, room INTEGER, members DOUBLE)",
    "CREATE TABLE whole.listing_day (day INTEGER, server_id INTEGER, room INTEGER, members INTEGER)",
    "CREATE TABLE whole.participation_day (day INTEGER, room INTEGER, server_id INTEGER, named_by INTEGER)",
)

FULL_NAMES = {
    "server_name": "SELECT server_id, name FROM w_server",
    "room_name": "SELECT room, room_id, name, topic, alias FROM w_room",
}
"""Their text, given once at the end and without what rooms were called before: what differs is the days."""
