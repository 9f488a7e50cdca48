"""A draft that grows out of the serving file before it: what is newer is brought, and nothing else is written again.

After a year a census file holds millions of interval rows, of which a crawl adds or ends one in a hundred. Apart from
`publish`, which decides whether this may be done and writes a draft from the census file alone where it may not: a
serving file is right to grow from only while crawls are all that has changed the census file since. Maintenance says so
(`serving.publish_anew`); whether it is so is also looked at here, before and after.
"""

import shutil
from pathlib import Path

import duckdb

from crawler.resources import shipped
from crawler.store.connection import Connection, connect_to_write, transaction
from crawler.store.insert import column_types, literal, quoted
from crawler.store.intervals import INTERVALS, Interval
from crawler.store.journal import JOURNAL
from crawler.store.migrations import latest_version, schema_version
from crawler.store.published import NEVER, PUBLISHED, insert_published
from crawler.store.usage import open_sums

_BY_CRAWL = (*JOURNAL, "attempt_summary", "lead_summary")
"""A crawl's rows are all there or none, and never change."""

_BY_NUMBER = {"known_room": "room_number", "room_text": "text_id"}
"""Rows get the next number, and never change."""


def grow(path: Path, previous: Path, census: Path) -> bool:
    """Make a draft of the previous serving file and what is newer in the census file.

    Args:
        path: Where the draft is to be.
        previous: The serving file before it.
        census: The census file; nobody writes it.

    Returns:
        Whether it could be done; if not, what is at `path` is to be thrown away.

    Raises:
        OSError: the copy failed.
        duckdb.Error: the draft cannot be written.
    """
    shutil.copyfile(previous, path)
    connection = connect_to_write(path)
    try:
        connection.execute(f"ATTACH {literal(str(census))} AS census_file (READ_ONLY)")
        if not _grows_from(connection, previous):
            return False
        with transaction(connection, path):
            connection.execute(_NEWER)
            _clear(connection)
        # In a transaction of its own: DuckDB keeps the keys of deleted rows until they are committed.
        with transaction(connection, path):
            _bring(connection)
        if not _counts_agree(connection):
            return False
        with transaction(connection, path):
            open_sums(connection, "census_file")
        connection.execute("DROP TABLE temp.newer_crawl")
        connection.execute("DETACH census_file")
        return True
    except duckdb.ConstraintException:
        return False  # rows that no crawl writes; the draft from the census file alone will have them as they are
    finally:
        connection.close()


def _grows_from(connection: Connection, previous: Path) -> bool:
    """Whether the file before is of this schema and all its completed crawls are in the census file, unchanged."""
    if schema_version(connection, previous) != latest_version():
        return False
    columns = ", ".join(quoted(column) for column in column_types(connection, "crawl"))
    here = f"SELECT {columns} FROM crawl WHERE state = 'completed'"  # noqa: S608 - our own names
    there = f"SELECT {columns} FROM census_file.crawl"  # noqa: S608 - likewise
    return connection.execute(f"{here} EXCEPT {there} LIMIT 1").fetchone() is None


_NEWER = """
CREATE TEMP TABLE newer_crawl AS
SELECT crawl_id FROM census_file.crawl WHERE state = 'completed'
EXCEPT SELECT crawl_id FROM crawl WHERE state = 'completed'
"""


def _clear(connection: Connection) -> None:
    """Remove what steps added, and the rows that are brought anew."""
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()")
    for (name,) in rows.fetchall():
        if name not in PUBLISHED and name != "schema_migration":
            connection.execute(f"DROP TABLE {quoted(name)}")
    connection.execute(shipped("schema", "serving.sql").read_text("utf-8"))
    grown = {"server", *(interval.table for interval in INTERVALS), *_BY_CRAWL, *_BY_NUMBER}
    for table in PUBLISHED:
        if table not in grown:
            connection.execute(f"DELETE FROM {quoted(table)}")  # noqa: S608 - our own names


def _bring(connection: Connection) -> None:
    intervals = {interval.table: interval for interval in INTERVALS}
    for table, published in PUBLISHED.items():
        if published == NEVER:
            continue
        name = quoted(table)
        if table in intervals:
            connection.execute(_end(intervals[table]))
            insert_published(connection, table, "valid_from IN (SELECT crawl_id FROM temp.newer_crawl)")
        elif table in _BY_CRAWL:
            connection.execute(
                f"""DELETE FROM {name} WHERE crawl_id IN (SELECT crawl_id FROM (
                    SELECT crawl_id, count(*) FROM {name} GROUP BY crawl_id
                    EXCEPT SELECT crawl_id, count(*) FROM census_file.{name} WHERE {published} GROUP BY crawl_id
                ))"""  # noqa: S608 - our own names
            )
            insert_published(connection, table, f"crawl_id NOT IN (SELECT crawl_id FROM {name})")  # noqa: S608 - likewise
        elif table in _BY_NUMBER:
            number = _BY_NUMBER[table]
            insert_published(connection, table, f"{number} > (SELECT coalesce(max({number}), 0) FROM {name})")  # noqa: S608 - likewise
        elif table == "server":
            # Last in `PUBLISHED`: who is published depends on the rows of others. Its indices make it dear to empty.
            connection.execute(_UNNAMED)
            connection.execute(_RESPELLED)
            insert_published(connection, table, "server_id NOT IN (SELECT server_id FROM server)")
        else:
            insert_published(connection, table)


_UNNAMED = f"""
DELETE FROM server WHERE server_id NOT IN (SELECT server_id FROM census_file.server WHERE {PUBLISHED["server"]})
"""  # noqa: S608 - our own words

_RESPELLED = """
UPDATE server SET server_name = c.server_name FROM census_file.server c
WHERE c.server_id = server.server_id AND c.server_name <> server.server_name
"""


def _end(kind: Interval) -> str:
    """What stood open in the file before and was ended since."""
    place = ("series_id", *kind.keys, "valid_from")
    same = " AND ".join(f"{kind.table}.{column} = e.{column}" for column in place)
    return f"""
    UPDATE {kind.table} SET valid_to = e.valid_to FROM (
        SELECT {", ".join(place)}, valid_to FROM census_file.{kind.table}
        WHERE valid_to IN (SELECT crawl_id FROM temp.newer_crawl)
            AND valid_from NOT IN (SELECT crawl_id FROM temp.newer_crawl)
    ) e WHERE {kind.table}.valid_to IS NULL AND {same}
    """  # noqa: S608 - our own names


def _counts_agree(connection: Connection) -> bool:
    """Whether each table has as many rows as it should, and each kind of interval begins and ends as it should."""
    intervals = {interval.table for interval in INTERVALS}
    for table, published in PUBLISHED.items():
        counted = "count(*), count(valid_to), sum(valid_from), sum(valid_to)" if table in intervals else "count(*)"
        here = connection.execute(f"SELECT {counted} FROM {quoted(table)}").fetchone()  # noqa: S608 - our own names
        there = connection.execute(
            f"SELECT {counted} FROM census_file.{quoted(table)} WHERE {published}"  # noqa: S608 - likewise
        ).fetchone()
        if here != there:
            return False
    return True
