"""`verify`: is a census file what it claims to be.

The writer keeps these rules; this module does not believe it. They are asked of the file in plain SQL that shares
nothing with the fold, so that what a bug, a bad disk or somebody's own UPDATE did is found.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crawler.errors import StoreError
from crawler.store.connection import Connection, connect_to_read
from crawler.store.insert import column_types, quoted
from crawler.store.intervals import INTERVALS, SEEN
from crawler.store.journal import JOURNAL
from crawler.store.lock import lock_to_read
from crawler.store.migrations import latest_version, refuse_newer, refuse_older, schema_version
from crawler.store.serving import serving_file


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that is broken: where, how many rows break it, and what it says."""

    table: str
    rows: int
    rule: str

    def __str__(self) -> str:
        return f"{self.table}: {self.rows} {'row' if self.rows == 1 else 'rows'}: {self.rule}"


def verify(census: Path) -> list[Fault]:
    """What is wrong with a census file, and with what is published of it.

    Raises:
        CensusLockedError: a process is writing it.
        SchemaTooNewError: a newer program wrote it.
        StoreError: there is none, it is no census, of an older schema, or cannot be read.
    """
    if not census.is_file():
        raise StoreError(f"there is no census file {census}; give another --db")
    with lock_to_read(census), closing(connect_to_read(census)) as connection:
        version = schema_version(connection, census)
        refuse_newer(version, census)
        refuse_older(version, census)
        found = faults(connection)
        serving = serving_file(census)
        if serving is not None:
            place = str(serving).replace("'", "''")
            connection.execute(f"ATTACH '{place}' AS serving (READ_ONLY)")
            found += _serving_faults(connection)
        return found


def faults(connection: Connection) -> list[Fault]:
    """What is wrong inside a census file that is open."""
    return [Fault(table, rows, rule) for table, rule, query in _rules() if (rows := _count(connection, query))]


def _count(connection: Connection, query: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()  # noqa: S608 - our own queries
    return int(row[0]) if row else 0


def _rules() -> Iterator[tuple[str, str, str]]:
    for interval in INTERVALS:
        table, keys = interval.table, ", ".join(("series_id", *interval.keys))
        yield (
            table,
            "two intervals of one thing overlap",
            f"""SELECT 1 FROM (
                SELECT valid_from, lag(coalesce(valid_to, 2147483647)) OVER (
                    PARTITION BY {keys} ORDER BY valid_from, valid_to NULLS LAST
                ) AS ended FROM {table}
            ) WHERE valid_from < ended""",  # noqa: S608 - our own names
        )
        yield table, "an interval ends before it begins", f"SELECT 1 FROM {table} WHERE valid_to <= valid_from"  # noqa: S608 - our own names
        yield (
            table,
            "begins or ends with no completed crawl of its series",
            f"""SELECT 1 FROM {table} i WHERE (i.series_id, i.valid_from) NOT IN ({_COMPLETED})
            OR (i.valid_to IS NOT NULL AND (i.series_id, i.valid_to) NOT IN ({_COMPLETED}))""",  # noqa: S608 - our own names
        )
        for column, (dimension, number) in _DIMENSIONS.items():
            if column in (*interval.keys, *interval.values):
                yield (
                    table,
                    f"{column} is not in {dimension}",
                    f"SELECT 1 FROM {table} WHERE {column} NOT IN (SELECT {number} FROM {dimension})",  # noqa: S608 - our own names
                )
    for table in (*JOURNAL, *SEEN):
        orphans = f"SELECT 1 FROM {table} WHERE crawl_id NOT IN (SELECT crawl_id FROM crawl)"  # noqa: S608 - our own names
        yield table, "of a crawl that is not there", orphans
    for table in SEEN:
        left = f"SELECT 1 FROM {table} WHERE crawl_id IN (SELECT crawl_id FROM crawl WHERE folded)"  # noqa: S608 - our own names
        yield table, "left behind by a crawl whose intervals are made", left
    for table, number, columns in _ONCE:
        twice = f"SELECT 1 FROM {table} GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608 - our own names
        yield table, f"{columns} is there twice", twice
        yield table, f"{number} is there twice", f"SELECT 1 FROM {table} GROUP BY {number} HAVING count(*) > 1"  # noqa: S608 - our own names
    yield from _SUMS


_COMPLETED = "SELECT (series_id, crawl_id) FROM crawl WHERE state = 'completed' AND folded"

_DIMENSIONS = {
    "server_id": ("server", "server_id"),
    "named_by": ("server", "server_id"),
    "room_number": ("known_room", "room_number"),
    "text_id": ("room_text", "text_id"),
    "client_api_id": ("client_api", "client_api_id"),
}

_ONCE = (
    ("server", "server_id", "server_key"),
    ("known_room", "room_number", "room_id"),
    ("room_text", "text_id", "name, topic, canonical_alias, join_rule, room_type"),
    ("client_api", "client_api_id", "spec_versions, unstable_features"),
    ("series", "series_id", "vantage, synthetic"),
)

_AS_OF = "i.series_id = c.series_id AND i.valid_from <= c.crawl_id AND (i.valid_to IS NULL OR i.valid_to > c.crawl_id)"


def _sum_of(column: str, table: str, counted: str, differs: str = "<>") -> str:
    """Censuses whose count is not that of the intervals: of every tenth and of the newest, since it asks them all."""
    return f"""
    SELECT 1 FROM (
        SELECT c.crawl_id, any_value(c.{column}) AS said, count({counted}) AS found
        FROM (SELECT * FROM census WHERE folded AND (crawl_id % 10 = 0 OR crawl_id IN (
            SELECT max(crawl_id) FROM census GROUP BY series_id
        ))) c
        LEFT JOIN {table} i ON {_AS_OF}
        GROUP BY c.crawl_id
    ) WHERE said {differs} found"""  # noqa: S608 - our own names


_SUMS = (
    (
        "crawl",
        "more servers were looked at than are in server_state",
        # The dead whose turn had not come are in it, too.
        _sum_of("servers", "server_state", "i.server_id", ">"),
    ),
    (
        "crawl",
        "online is not the number of servers online in server_state",
        _sum_of("online", "server_state", "CASE WHEN i.online THEN 1 END"),
    ),
    ("crawl", "rooms is not the number of rooms in room_state", _sum_of("rooms", "room_state", "i.room_number")),
    (
        "room_state",
        "a room stands that no directory lists",
        """SELECT 1 FROM room_state WHERE valid_to IS NULL AND (series_id, room_number) NOT IN (
            SELECT (series_id, room_number) FROM room_listing WHERE valid_to IS NULL
        )""",
    ),
    (
        "room_listing",
        "a room is listed that has no account",
        """SELECT 1 FROM room_listing WHERE valid_to IS NULL AND (series_id, room_number) NOT IN (
            SELECT (series_id, room_number) FROM room_state WHERE valid_to IS NULL
        )""",
    ),
    (
        "server_state",
        "stands without its directory_state",
        """SELECT 1 FROM server_state WHERE valid_to IS NULL AND (series_id, server_id) NOT IN (
            SELECT (series_id, server_id) FROM directory_state WHERE valid_to IS NULL
        )""",
    ),
    (
        "lead_span",
        "a lead is there twice",
        "SELECT 1 FROM lead_span GROUP BY series_id, server_id, source, named_by HAVING count(*) > 1",
    ),
    (
        "lead_span",
        "its first or last crawl is no completed one of its series, or its number of crawls cannot be",
        f"""SELECT 1 FROM lead_span
        WHERE (series_id, first_crawl_id) NOT IN ({_COMPLETED}) OR (series_id, last_crawl_id) NOT IN ({_COMPLETED})
            OR first_crawl_id > last_crawl_id OR crawls < 1 OR (crawls = 1 AND first_crawl_id < last_crawl_id)
        """,  # noqa: S608 - our own names
    ),
    (
        "lead_span",
        "of a server that is not in server",
        """SELECT 1 FROM lead_span WHERE server_id NOT IN (SELECT server_id FROM server)
            OR (named_by IS NOT NULL AND named_by NOT IN (SELECT server_id FROM server))""",
    ),
    (
        "lead",
        "a lead of a completed crawl is not in lead_span",
        """SELECT 1 FROM lead l JOIN crawl c USING (crawl_id) ANTI JOIN lead_span s
        ON s.series_id = c.series_id AND s.server_id = l.server_id AND s.source = l.source
            AND s.named_by IS NOT DISTINCT FROM l.named_by AND l.crawl_id BETWEEN s.first_crawl_id AND s.last_crawl_id
        WHERE c.state = 'completed' AND c.folded""",
    ),
    (
        "crawl",
        "completed without a time, a count or a series",
        """
        SELECT 1 FROM crawl WHERE series_id IS NULL OR (
            state = 'completed' AND (finished_at IS NULL OR servers IS NULL OR online IS NULL OR rooms IS NULL)
        )""",
    ),
)


def _serving_faults(connection: Connection) -> Iterator[Fault]:
    """The newest serving file against its source: each table that has history, as of the crawls that it was made of."""
    row = connection.execute(
        "SELECT max(crawl_id), (SELECT schema_version FROM serving.snapshot) FROM serving.crawl"
        " WHERE state = 'completed'"
    ).fetchone()
    if row is None or row[0] is None or row[1] != latest_version():
        return
    newest = int(row[0])
    for table in (*(interval.table for interval in INTERVALS), "known_room", "room_text"):
        columns = [column for column in column_types(connection, table) if column not in ("valid_from", "valid_to")]
        names = ", ".join(quoted(column) for column in columns)
        if "valid_from" in column_types(connection, table):
            # What was sealed since, is not in the file yet: neither what began nor what ended.
            names += f", valid_from, CASE WHEN valid_to <= {newest} THEN valid_to END AS valid_to"
            where = f"WHERE valid_from <= {newest}"
        elif table == "known_room":
            where = f"WHERE first_crawl_id <= {newest}"
        else:
            where = "WHERE text_id IN (SELECT text_id FROM serving.room_text)"
        here = f"SELECT {names} FROM {quoted(table)} {where}"  # noqa: S608 - our own names
        there = f"SELECT {names} FROM serving.{quoted(table)}"  # noqa: S608 - likewise
        rows = _count(connection, f"({here} EXCEPT ALL {there}) UNION ALL ({there} EXCEPT ALL {here})")
        if rows:
            yield Fault(table, rows, "the serving file is not what the census file says")
