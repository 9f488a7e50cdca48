"""A serving file opened for analytics, asked, and which censuses are in it. The only module that knows DuckDB.

What is read is next door: `load_frames` (a census), `load_history` (the years before it), `load_stored` (numbers that
were computed before), `load_outside` (what no crawl saw). They are given a connection and ask it with `ask`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import duckdb
import polars as pl

from analytics.schemas import CRAWL_COLUMNS, checked
from crawler.errors import StoreError

Connection: TypeAlias = duckdb.DuckDBPyConnection

IS_CENSUS = (pl.col("state") == "completed") & (pl.col("scope") == "full")

_NAMED = re.compile(r"\$(\w+)")


@contextmanager
def open_serving(serving: Path) -> Iterator[Connection]:
    """A read-only connection to a serving file, closed at the end.

    Raises:
        StoreError: the file cannot be opened.
    """
    try:
        connection = duckdb.connect(str(serving), read_only=True)
    except duckdb.Error as error:
        raise StoreError(f"cannot open the serving file {serving}: {str(error).splitlines()[0]}") from error
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def ask(connection: Connection, query: str, **values: int | str | datetime | None) -> pl.DataFrame:
    """The answer to a query as a frame; `$name` in the query stands for the value of that name.

    The values become variables of the connection: of a relation with parameters DuckDB makes Python objects before
    Arrow, which takes some fifty times as long. Frames of Python are never scanned by name.
    """
    for name, value in values.items():
        connection.execute(f'SET VARIABLE "{name}" = $value', {"value": value})
    return pl.DataFrame(connection.sql(_NAMED.sub(r"getvariable('\1')", query)))


def has_table(connection: Connection, name: str) -> bool:
    """Whether the file has a table: files of older programs lack some."""
    # To its end: DuckDB 2 refuses `sql` on a connection with an answer that is not read whole.
    found = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [name]).fetchall()
    return found != [(0,)]


def crawls(connection: Connection) -> pl.DataFrame:
    """Every crawl of the file, oldest first (`schemas.CRAWL_COLUMNS`)."""
    return checked(ask(connection, "FROM crawl ORDER BY crawl_id"), CRAWL_COLUMNS, "crawl")


def census_ids(serving: Path) -> list[int]:
    """The numbers of the censuses of a serving file, oldest first."""
    with open_serving(serving) as connection:
        return [int(number) for number in crawls(connection).filter(IS_CENSUS)["crawl_id"]]


def newest_census(serving: Path) -> int | None:
    """The number of the newest census in a serving file; None when it holds none."""
    ids = census_ids(serving)
    return ids[-1] if ids else None


def newest_snapshot(serving: Path) -> str:
    """The name of a serving file for whoever cites it."""
    with open_serving(serving) as connection:
        row = connection.execute("SELECT snapshot_id FROM snapshot").fetchone()
    return str(row[0]) if row else ""
