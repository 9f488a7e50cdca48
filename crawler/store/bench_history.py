"""A year of the made-up federation as it lies in a census file, written at once: the world of `bench metrics`
and `bench dashboard`.

Apart from `bench_world`, whose days go through the real seal one by one because the seal is what is measured there.
Here what is read afterwards is measured, so the interval tables are filled directly, in SQL, in a minute instead of an
hour; `verify` finds nothing wrong with them. A few servers are in many rooms, rooms have one to two
thousand known servers; names and topics are made of words, and some are copied often, as in life.
"""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from crawler.store.connection import connect_to_write, transaction
from crawler.store.upgrade import bring_up_to_date

_FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def write_history(census: Path, *, servers: int, rooms: int, days: int) -> None:
    """Fill a new census file with a history.

    Args:
        census: Where; not there yet.
        servers: Servers of the first day.
        rooms: Rooms of the first day.
        days: Censuses, one a day.
    """
    with closing(connect_to_write(census)) as connection:
        bring_up_to_date(connection, census, lambda: _FIRST)
        with transaction(connection, census):
            for statement in (*_WORLD, *_HISTORY):
                connection.execute(statement.format(servers=servers, rooms=rooms, days=days))


_WORDS = (
    "matrix community support general chat music open source linux gaming privacy federation project team random news "
    "development python rust help bridge testing english deutsch franzoesisch kultur politik reise essen bilder "
    "photographie musique cuisine voyage jardin histoire projet libre logiciel serveur les amis de la ville pour tous "
    "und der die das ein raum fuer alle menschen mit freude an technik the of and for with room about all people who "
    "like radio amateur space science books films anime cats dogs climate energy city local group meeting weekly dev"
)

_WORLD = (
    f"CREATE TEMP TABLE w_words AS SELECT string_split('{_WORDS}', ' ') AS words",
    """CREATE TEMP TABLE w_server AS
    SELECT range::INTEGER AS server_id,
        CASE WHEN range % 3 = 0 THEN 'matrix.' ELSE '' END || 'host' || range // 2 || '.example' || range % 40 AS name,
        CASE WHEN range <= {servers} THEN 1 ELSE 2 + hash(range) % ({days} - 1) END::INTEGER AS born,
        CASE WHEN hash(range, 'dies') % 10 = 0 THEN born + 1 + hash(range, 'd') % {days} ELSE 100000 END::INTEGER
            AS dies,
        ['synapse', 'synapse', 'synapse', 'synapse', 'dendrite', 'conduit', 'conduwuit', 'continuwuity', 'tuwunel'][
            (1 + hash(range, 's') % 9)::BIGINT
        ] AS software
    FROM range(1, {servers} + {servers} // 10 + 1)""",
    """CREATE TEMP TABLE w_room AS
    SELECT range::INTEGER AS room, (1 + floor({servers} * pow((hash(range, 'o') % 1000003) / 1000003, 2)))::INTEGER
            AS owner,
        CASE WHEN range <= {rooms} THEN 1 ELSE 2 + hash(range) % ({days} - 1) END::INTEGER AS born,
        CASE WHEN hash(range, 'dies') % 10 = 0 THEN born + 1 + hash(range, 'd') % {days} ELSE 100000 END::INTEGER
            AS dies,
        least(2000, {servers}, 1 + floor(pow((hash(range, 'k') % 1000003 + 1) / 1000003, -0.7)))::INTEGER AS known
    FROM range(1, {rooms} + {rooms} // 10 + 1)""",
    """CREATE TEMP TABLE w_part AS
    SELECT DISTINCT room, (1 + floor({servers} * pow((hash(room, n) % 1000003) / 1000003, 2.5)))::INTEGER AS server_id
    FROM w_room, unnest(range(known)) r(n)""",
    """CREATE TEMP TABLE w_told AS
    SELECT room, valid_from, lead(valid_from, 1, CASE WHEN dies <= {days} THEN dies END) OVER once AS valid_to,
        sum((changes % 50 = 1)::INTEGER) OVER once AS renames, changes, owner, known
    FROM (
        SELECT room, born AS valid_from, dies, 0::UBIGINT AS changes, owner, known FROM w_room
        UNION ALL
        SELECT room, day::INTEGER, dies, hash(room, day, 'c'), owner, known
        FROM w_room, range(2, {days} + 1) d(day)
        WHERE day > born AND day < dies AND hash(room, day) % 20 = 0
    )
    WINDOW once AS (PARTITION BY room ORDER BY valid_from)""",
    """CREATE TEMP TABLE w_text AS
    SELECT row_number() OVER (ORDER BY room, renames)::INTEGER AS text_id, room, renames, owner,
        CASE WHEN hash(room, 'copy') % 30 = 0 THEN hash(room, 'of') % 400 ELSE hash(room, renames, 'text') END AS seed
    FROM (SELECT DISTINCT room, renames, owner FROM w_told)""",
)

_HISTORY = (
    "INSERT INTO series VALUES (1, 'bench', true)",
    """INSERT INTO crawl BY NAME SELECT range::INTEGER AS crawl_id, 1 AS series_id, 'completed' AS state,
        true AS folded, 'full' AS scope, true AS synthetic, 'bench' AS vantage, 'bench' AS crawler_version,
        'bench' AS identity,
        TIMESTAMPTZ '2025-01-01 00:00:00+00' + to_days(range::INTEGER) AS started_at,
        TIMESTAMPTZ '2025-01-01 03:00:00+00' + to_days(range::INTEGER) AS finished_at, '{{}}' AS settings
    FROM range(1, {days} + 1)""",
    "INSERT INTO server SELECT server_id, name, name, born FROM w_server",
    """INSERT INTO client_api
    SELECT n.n::INTEGER, '["v1.1","v1.' || n.n || '"]', '{{"org.matrix.msc' || n.n || '":true}}'
    FROM range(1, 20) n(n)""",
    "INSERT INTO client_api VALUES (20, NULL, NULL)",
    """CREATE TEMP TABLE w_seen AS
    SELECT server_id, valid_from, lead(valid_from, 1, CASE WHEN dies <= {days} THEN dies END) OVER once AS valid_to,
        software, online
    FROM (
        SELECT server_id, born AS valid_from, dies, software, true AS online FROM w_server
        UNION ALL
        SELECT server_id, day::INTEGER, dies, software, hash(server_id, day, 'on') % 3 > 0
        FROM w_server, range(2, {days} + 1) d(day)
        WHERE day > born AND day < dies AND hash(server_id, day) % 100 = 0
        UNION ALL SELECT server_id, dies, 100001, software, false FROM w_server WHERE dies <= {days}
    )
    WINDOW once AS (PARTITION BY server_id ORDER BY valid_from)""",
    """INSERT INTO server_state BY NAME
    SELECT 1 AS series_id, server_id, '6' AS branch, true AS resolves, online AS reachable, online AS secure, online,
        online AS federating, CASE WHEN online THEN true END AS accepting, online AS listing,
        CASE WHEN NOT online THEN 'tcp' END AS failed_phase, CASE WHEN NOT online THEN 'tcp_timeout' END AS failed_kind,
        CASE WHEN online THEN software END AS software_raw,
        CASE WHEN online THEN '1.' || (100 + valid_from // 14) || '.0' END AS version_raw,
        CASE WHEN online THEN software END AS software,
        CASE WHEN online THEN '1.' || (100 + valid_from // 14) || '.0' END AS version,
        CASE WHEN online THEN '{{"ed25519:a":"' || md5('key' || server_id // 2) || '"}}' END AS verify_keys,
        CASE WHEN online THEN 'TLSv1.3' END AS tls_protocol,
        CASE WHEN online THEN 'TLS_AES_256_GCM_SHA384' END AS tls_cipher,
        CASE WHEN online THEN (1 + (server_id + valid_from) % 19)::INTEGER ELSE 20 END AS client_api_id,
        valid_from, valid_to
    FROM w_seen ORDER BY valid_from, server_id""",
    """INSERT INTO directory_state BY NAME
    SELECT 1 AS series_id, server_id, CASE WHEN online THEN 'open' ELSE 'skipped' END AS directory_state,
        CASE WHEN online THEN 'federation' END AS directory_way, CASE WHEN online THEN 15 END AS directory_rooms,
        CASE WHEN online THEN 'complete' END AS directory_stopped, 0 AS directory_noindex, valid_from, valid_to
    FROM w_seen ORDER BY valid_from, server_id""",
    """INSERT INTO server_certificate BY NAME
    SELECT 1 AS series_id, server_id, sha256(server_id || '-' || valid_from) AS tls_fingerprint,
        ['Let''s Bench', 'Bench Trust', 'Zero Bench'][(1 + hash(server_id, 'ca') % 3)::BIGINT] AS tls_issuer,
        TIMESTAMPTZ '2026-06-01 00:00:00+00' AS tls_not_after, valid_from, valid_to
    FROM w_seen WHERE online ORDER BY valid_from, server_id""",
    """INSERT INTO known_room SELECT room, '!' || substr(md5(room::VARCHAR), 1, 18) || ':' || s.name, r.born
    FROM w_room r JOIN w_server s ON s.server_id = r.owner ORDER BY room""",
    """INSERT INTO room_text
    SELECT text_id, list_aggregate(list_transform(range(1 + (seed % 4)::BIGINT),
            lambda i: words[(1 + hash(seed, i) % len(words))::BIGINT]), 'string_agg', ' '),
        CASE WHEN seed % 3 > 0 THEN list_aggregate(list_transform(range(5 + (seed % 23)::BIGINT),
            lambda i: words[(1 + hash(seed, i, 't') % len(words))::BIGINT]), 'string_agg', ' ')
            || CASE WHEN seed % 20 = 0 THEN ' https://host' || seed % 999 || '.example/' ELSE '' END END,
        '#room' || room || ':' || s.name, 'public', CASE WHEN room % 40 = 0 THEN 'm.space' END
    FROM w_text JOIN w_server s ON s.server_id = owner, w_words ORDER BY text_id""",
    """INSERT INTO room_state BY NAME
    SELECT 1 AS series_id, t.room AS room_number, 1 AS directories,
        (1 + known * 9 + (hash(room, valid_from, 'm') % 9))::DOUBLE AS members, NULL AS members_min,
        NULL AS members_max, w.text_id, true AS world_readable, false AS guest_can_join, valid_from, valid_to
    FROM w_told t JOIN w_text w USING (room, renames) ORDER BY valid_from, room""",
    """INSERT INTO room_listing SELECT 1, owner, room, born, CASE WHEN dies <= {days} THEN dies END
    FROM w_room  ORDER BY born, room""",
    """INSERT INTO room_participation
    SELECT 1, room, server_id, owner, r.born, CASE WHEN dies <= {days} THEN dies END
    FROM w_part JOIN w_room r USING (room)  ORDER BY r.born, room""",
    """INSERT INTO visit SELECT {days}, server_id, TIMESTAMPTZ '2025-01-01 00:10:00+00' + to_days({days}),
        '51.' || hash(server_id, 'a') % 200 || '.' || hash(server_id, 'b') % 250 || '.' || server_id % 250, 8448,
        name, name, '4', NULL, 1, 20, 0, 8, 5000, 1 FROM w_server WHERE born <= {days} AND dies > {days}""",
    """INSERT INTO attempt BY NAME
    SELECT {days} AS crawl_id, server_id, w.n AS ordinal, w.what,
        CASE WHEN s.online OR w.n = 0 THEN 'ok' WHEN w.n = 1 THEN 'failed' ELSE 'skipped' END AS outcome,
        CASE WHEN outcome = 'failed' THEN 'tcp' END AS failed_phase,
        CASE WHEN outcome = 'failed' THEN 'tcp_timeout' END AS failed_kind,
        CASE WHEN outcome = 'skipped' THEN 'not_reached' END AS skip_reason,
        CASE WHEN outcome <> 'skipped' THEN (hash(server_id, w.n) % 1000) / 1000 END AS total_s
    FROM visit JOIN w_seen s USING (server_id), (SELECT unnest(['resolution', 'tcp', 'tls', 'version', 'keys',
        'client_well_known', 'support', 'client_versions', 'directory']) AS what, unnest(range(0, 9))::SMALLINT AS n) w
    WHERE s.valid_to IS NULL ORDER BY server_id, ordinal""",
    """INSERT INTO attempt_summary
    SELECT c.crawl_id, a.* FROM crawl c, (
        SELECT what, outcome, failed_kind, skip_reason, count(*)::INTEGER, quantile_disc(total_s, 0.5),
            quantile_disc(total_s, 0.9), max(total_s), NULL
        FROM attempt GROUP BY ALL
    ) a WHERE c.crawl_id < {days} ORDER BY ALL""",
    """INSERT INTO endpoint
    SELECT crawl_id, server_id, n, address || CASE n WHEN 0 THEN '' ELSE '0' END, port, name, name, '4'
    FROM visit JOIN w_server USING (server_id), range(2) r(n) ORDER BY server_id, n""",
    """INSERT INTO resolution_step BY NAME
    SELECT crawl_id, server_id, n AS ordinal, ['well_known', 'srv', 'addresses'][(n + 1)::BIGINT] AS question,
        name AS subject, 'made up' AS answer, 'made up' AS conclusion, 0.01 AS duration_s
    FROM visit JOIN w_server USING (server_id), range(3) r(n) ORDER BY server_id, n""",
    """INSERT INTO lead
    SELECT {days}, server_id, CASE WHEN hash(server_id, owner) % 3 = 0 THEN 'alias_servers' ELSE 'room_id' END, owner,
        count(*)::INTEGER
    FROM w_part JOIN w_room USING (room) WHERE born <= {days} AND dies > {days} GROUP BY ALL""",
    "INSERT INTO lead SELECT {days}, server_id, 'seed', NULL, 1 FROM w_server WHERE server_id <= 50",
    """INSERT INTO lead_span
    SELECT DISTINCT 1, server_id, source, named_by, {days}, {days}, 1 FROM lead ORDER BY ALL""",
    """UPDATE crawl SET servers = s.servers, online = s.online, known = s.servers, completeness = 1 FROM (
        SELECT c.crawl_id, count(*)::INTEGER AS servers, count(*) FILTER (i.online)::INTEGER AS online
        FROM crawl c JOIN server_state i
            ON i.valid_from <= c.crawl_id AND (i.valid_to IS NULL OR i.valid_to > c.crawl_id)
        GROUP BY c.crawl_id
    ) s WHERE s.crawl_id = crawl.crawl_id""",
    "UPDATE crawl SET rooms = (SELECT rooms FROM members_by_crawl m WHERE m.crawl_id = crawl.crawl_id)",
)
