"""What a crawl saw becomes intervals: the fold, made within the transaction of the seal.

An interval row says that something is so from one crawl (`valid_from`) until another that looked again and saw
otherwise (`valid_to`; NULL while it stands). For each kind of interval the fold lays beside each other what stands open
and what this crawl saw, ends what it looked at and did not see so, and begins what did not stand. All of it in SQL: the
rows of a census never pass through Python.

What a crawl looked at: a full one at everything but the dead whose turn had not come, so that what else it did not see
has ended; a limited one at the servers it visited, so that nothing else ends. Two things are looked at more seldom, and
are carried until they are: what each address of a server presents (close looks take turns), and who takes part in a
room (look-ups have a budget).

Series (`series`) do not see each other: a crawl ends nothing that another vantage, or another world, said.
"""

from collections.abc import Iterator

from crawler.store.connection import Connection
from crawler.store.intervals import API, INTERVALS, SEEN, TEXT, Interval, same


def fold(connection: Connection, crawl_id: int) -> None:
    """Turn what a completed crawl saw into intervals, and empty what it was kept in until now.

    Args:
        connection: In the transaction that seals the crawl. Crawls of a series are folded in their order.
        crawl_id: The crawl; not folded yet.
    """
    row = connection.execute("SELECT series_id, scope = 'full' FROM crawl WHERE crawl_id = ?", [crawl_id]).fetchone()
    if row is None:
        raise ValueError(f"there is no crawl {crawl_id}")
    values = {"crawl": crawl_id, "series": row[0]}
    for statement in _DIMENSIONS:
        _run(connection, statement, values)
    for interval in INTERVALS:
        for statement in _statements(interval, full=bool(row[1])):
            _run(connection, statement, values)
    _run(connection, _DEVIATIONS, values)
    for table in SEEN:
        _run(connection, f"DELETE FROM {table} WHERE crawl_id = $crawl", values)  # noqa: S608 - our own names
    _run(connection, _FOLDED, values)
    for table in _TEMPORARY:
        connection.execute(f"DROP TABLE temp.{table}")


def _run(connection: Connection, statement: str, values: dict[str, object]) -> None:
    # DuckDB refuses values that a statement does not name.
    connection.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})


def _statements(kind: Interval, *, full: bool) -> Iterator[str]:
    """The statements of one kind. One join lays what stands open beside what was seen; what has no partner that says
    the same ends, or begins. On most days that is little, and nothing else is touched."""
    columns = ", ".join((*kind.keys, *kind.values))
    now = kind.now
    if not now.startswith("temp."):
        now = "temp.fold_now"
        yield f"CREATE OR REPLACE TEMP TABLE fold_now AS {kind.now}"
    # `=` on keys, which are never NULL, lets DuckDB hash on them; what they say may be NULL.
    agree = " AND ".join(
        [f"i.{key} = n.{key}" for key in kind.keys]
        + [f"i.{value} IS NOT DISTINCT FROM n.{value}" for value in kind.values]
    )
    keys = ", ".join(f"i.{key}" for key in kind.keys)
    yield f"""CREATE OR REPLACE TEMP TABLE fold_change AS
        SELECT i.place AS open_row, n.place AS now_row, {keys}
        FROM (
            SELECT rowid AS place, {columns} FROM {kind.table} WHERE series_id = $series AND valid_to IS NULL
        ) i FULL JOIN (SELECT rowid AS place, {columns} FROM {now}) n ON {agree}
        WHERE i.place IS NULL OR n.place IS NULL"""  # noqa: S608 - our own names
    yield f"""UPDATE {kind.table} SET valid_to = $crawl WHERE rowid IN (
            SELECT open_row FROM temp.fold_change i
            WHERE open_row IS NOT NULL AND ({kind.looked_full if full else kind.looked})
        )"""  # noqa: S608 - our own names
    # In the order of the keys, so that columns of one crawl's rows compress well.
    yield f"""INSERT INTO {kind.table} (series_id, {columns}, valid_from, valid_to)
        SELECT $series, {columns}, $crawl, NULL FROM {now} n
        WHERE n.rowid IN (SELECT now_row FROM temp.fold_change WHERE now_row IS NOT NULL)
        ORDER BY {", ".join(kind.keys)}"""  # noqa: S608 - our own names


def _numbered(table: str, number: str, columns: tuple[str, ...], source: str) -> tuple[str, str]:
    """Give a number to each combination of `columns` in `source`: the one that it has in `table`, or a new one there.
    They are left in `fold_text`."""
    names = ", ".join(columns)
    return (
        f"""
        CREATE OR REPLACE TEMP TABLE fold_text AS
        SELECT {", ".join(f"n.{column}" for column in columns)}, d.{number} IS NULL AS is_new, coalesce(
            d.{number},
            (SELECT coalesce(max({number}), 0) FROM {table})
            + row_number() OVER (PARTITION BY d.{number} IS NULL ORDER BY n.place)
        )::INTEGER AS number
        FROM (SELECT {names}, min(place) AS place FROM {source} GROUP BY {names}) n
        LEFT JOIN {table} d ON {same("d", "n", columns)}
        """,  # noqa: S608 - our own names
        f"INSERT INTO {table} SELECT number, {names} FROM temp.fold_text WHERE is_new ORDER BY number",  # noqa: S608 - likewise
    )


_HASH = f"hash({', '.join(TEXT)})"

_DIMENSIONS = (
    """
    CREATE OR REPLACE TEMP TABLE fold_resting AS
    SELECT server_id FROM server_state
    WHERE series_id = $series AND valid_to IS NULL AND NOT online
        AND server_id NOT IN (SELECT server_id FROM visit WHERE crawl_id = $crawl)
    """,
    # Room IDs and texts are long, and nearly all are as they were. Texts are compared by hashes of 64 bits, so that no
    # join has to carry them: who made two that collide would hide a change of his own room, and nothing else.
    f"""
    CREATE OR REPLACE TEMP TABLE fold_listing AS
    SELECT l.place, l.server_id, k.room_number, l.members, l.world_readable, l.guest_can_join,
        CASE WHEN k.said = l.said THEN k.text_id END AS text_id
    FROM (
        SELECT rowid AS place, server_id, room_id, members, world_readable, guest_can_join, {_HASH} AS said
        FROM seen_listing WHERE crawl_id = $crawl
    ) l
    LEFT JOIN (
        SELECT k.room_id, k.room_number, t.text_id, t.said
        FROM known_room k LEFT JOIN (
            SELECT room_number, text_id, said
            FROM room_state JOIN (SELECT text_id, {_HASH} AS said FROM room_text) USING (text_id)
            WHERE series_id = $series AND valid_to IS NULL
        ) t ON t.room_number = k.room_number
    ) k ON k.room_id = l.room_id
    """,  # noqa: S608 - our own names
    """
    CREATE OR REPLACE TEMP TABLE fold_answer AS
    SELECT a.rowid AS place, a.answer_id, a.named_by, k.room_number
    FROM seen_answer a LEFT JOIN known_room k ON k.room_id = a.room_id
    WHERE a.crawl_id = $crawl
    """,
    # Numbered in the order of the directories that list them: the numbers of one directory lie together.
    """
    INSERT INTO known_room
    SELECT (SELECT coalesce(max(room_number), 0) FROM known_room) + row_number() OVER (ORDER BY first, room_id),
        room_id, $crawl
    FROM (
        SELECT room_id, min(first) AS first FROM (
            SELECT l.room_id, l.server_id AS first FROM seen_listing l
            WHERE l.rowid IN (SELECT place FROM temp.fold_listing WHERE room_number IS NULL)
            UNION ALL
            SELECT a.room_id, 2147483647 FROM seen_answer a
            WHERE a.rowid IN (SELECT place FROM temp.fold_answer WHERE room_number IS NULL)
        ) GROUP BY room_id
    )
    """,
    """
    UPDATE temp.fold_listing f SET room_number = k.room_number
    FROM seen_listing l, known_room k
    WHERE f.room_number IS NULL AND l.rowid = f.place AND k.room_id = l.room_id AND k.first_crawl_id = $crawl
    """,
    """
    UPDATE temp.fold_answer f SET room_number = k.room_number
    FROM seen_answer a, known_room k
    WHERE f.room_number IS NULL AND a.rowid = f.place AND k.room_id = a.room_id AND k.first_crawl_id = $crawl
    """,
    # A text that is not as it was is looked for once among all that ever were, with few to be looked for.
    f"""
    CREATE OR REPLACE TEMP TABLE fold_reworded AS
    SELECT l.rowid AS place, {", ".join(f"l.{column}" for column in TEXT)} FROM seen_listing l
    WHERE l.rowid IN (SELECT place FROM temp.fold_listing WHERE text_id IS NULL)
    """,  # noqa: S608 - our own names
    *_numbered("room_text", "text_id", TEXT, "temp.fold_reworded"),
    f"""
    UPDATE temp.fold_listing f SET text_id = t.number
    FROM temp.fold_reworded n JOIN temp.fold_text t ON {same("t", "n", TEXT)}
    WHERE f.place = n.place
    """,  # noqa: S608 - our own names
    *_numbered(
        "client_api", "client_api_id", API, "(SELECT rowid AS place, * FROM seen_server WHERE crawl_id = $crawl)"
    ),
    # Most rooms are in one directory, and need none of the arithmetic of the others.
    """
    CREATE OR REPLACE TEMP TABLE fold_account AS
    WITH several AS (SELECT room_number FROM temp.fold_listing GROUP BY room_number HAVING count(*) > 1)
    SELECT room_number, 1::INTEGER AS directories, members::DOUBLE AS members, NULL::INTEGER AS members_min,
        NULL::INTEGER AS members_max, text_id, world_readable, guest_can_join
    FROM temp.fold_listing WHERE room_number NOT IN (FROM several)
    UNION ALL
    SELECT room_number, count(*)::INTEGER, median(members),
        CASE WHEN min(members) < max(members) THEN min(members) END,
        CASE WHEN min(members) < max(members) THEN max(members) END,
        -- One key of 64 bits: most members first, then the server we met first, so that the choice is always the same.
        arg_max(text_id, coalesce(members, -1)::BIGINT * 4294967296 - server_id),
        bool_or(world_readable), bool_or(guest_can_join)
    FROM temp.fold_listing WHERE room_number IN (FROM several)
    GROUP BY room_number
    """,
)

_FOLDED = """
UPDATE crawl SET folded = true, rooms = (SELECT count(*) FROM temp.fold_account) WHERE crawl_id = $crawl
"""

_DEVIATIONS = """
INSERT INTO listing_deviation
SELECT $crawl, l.server_id, l.room_number, l.members, l.text_id, l.world_readable, l.guest_can_join
FROM temp.fold_listing l JOIN temp.fold_account a USING (room_number)
WHERE a.directories > 1 AND (
    l.members IS DISTINCT FROM a.members OR l.text_id <> a.text_id
    OR l.world_readable IS DISTINCT FROM a.world_readable OR l.guest_can_join IS DISTINCT FROM a.guest_can_join
)
ORDER BY l.server_id, l.room_number
"""

_TEMPORARY = (
    "fold_resting", "fold_listing", "fold_answer", "fold_reworded", "fold_text", "fold_account", "fold_now",
    "fold_change",
)  # fmt: skip


def unfolded(connection: Connection) -> list[int]:
    """Completed crawls whose intervals are still to be made, in order: those of a file of an older schema."""
    rows = connection.execute("SELECT crawl_id FROM crawl WHERE state = 'completed' AND NOT folded ORDER BY crawl_id")
    return [int(crawl_id) for (crawl_id,) in rows.fetchall()]
