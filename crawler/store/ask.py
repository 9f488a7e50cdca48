"""Anybody's own question to the newest serving file, in SQL.

The file is opened read-only, and the connection may neither read nor write any other file, so a question copied from
somewhere can do no harm beyond taking long.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from crawler.errors import StoreError, UsageError
from crawler.store.connection import connect_to_read, first_line
from crawler.store.serving import serving_file

_ROWS = 2000
"""Rows fetched at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """`columns` of the answer, and its `rows`, to be read once."""

    columns: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def ask(census: Path, question: str) -> Iterator[Told]:
    """The answer to a question.

    Args:
        census: The census file whose newest serving file is asked.
        question: SQL.

    Raises:
        StoreError: nothing was published yet, or it cannot be read.
        UsageError: DuckDB does not understand it, or refuses it.
    """
    serving = serving_file(census)
    if serving is None:
        raise StoreError(f"nothing is published for {census} yet; run a crawl first, or: matrix-census publish")
    connection = connect_to_read(serving)
    try:
        for setting in ("enable_external_access = false", "lock_configuration = true"):
            connection.execute(f"SET {setting}")
        try:
            connection.execute(question)
        except duckdb.Error as error:
            raise UsageError(_refusal(error)) from error
        columns = [str(column[0]) for column in connection.description or ()]
        yield Told(columns, _rows(connection))
    finally:
        with suppress(duckdb.Error):
            connection.close()


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    try:
        while rows := connection.fetchmany(_ROWS):
            yield from rows
    except duckdb.Error as error:
        raise UsageError(_refusal(error)) from error


def _refusal(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.PermissionException) or "read-only" in str(error):
        return f"refused: {first_line(error)}. A serving file is only to be read; to write, copy it and use duckdb"
    return first_line(error)
