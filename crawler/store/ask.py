"""Anybody's own question to the newest serving file, in SQL.

The file is opened read-only, and the connection may neither read nor write any other file, so a question copied from
somewhere can do no harm beyond taking long.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from crawler.errors import UsageError, printable
from crawler.store.connection import connect_to_read, first_line
from crawler.store.serving import nothing_published, serving_file

T = TypeVar("T")

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
        raise nothing_published(census)
    connection = connect_to_read(serving)
    try:
        for setting in ("enable_external_access = false", "lock_configuration = true"):
            connection.execute(f"SET {setting}")
        try:
            _interruptible(connection, lambda: connection.execute(question))
        except duckdb.Error as error:
            raise UsageError(_refusal(error)) from error
        columns = [str(column[0]) for column in connection.description or ()]
        yield Told(columns, _rows(connection))
    finally:
        with suppress(duckdb.Error):
            connection.close()


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    try:
        while rows := _interruptible(connection, lambda: connection.fetchmany(_ROWS)):
            yield from rows
    except duckdb.Error as error:
        raise UsageError(_refusal(error)) from error


def _interruptible(connection: duckdb.DuckDBPyConnection, action: Callable[[], T]) -> T:
    """Do it in a thread, so that Ctrl-C reaches us meanwhile: DuckDB looks for it only between pieces of work, and then
    waits for the end of those that are begun, which may be never."""
    with ThreadPoolExecutor(1) as thread:
        doing = thread.submit(action)
        try:
            return doing.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


def _refusal(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.PermissionException) or "read-only" in str(error):
        said = first_line(error).rstrip(".!")
        return f"refused: {said}. A serving file is only to be read; to write, copy it and use duckdb"
    # What DuckDB thinks was meant comes before the part of the question that it did not understand.
    said, _, _ = str(error).partition("\nLINE ")
    told = " ".join(printable(each) for each in said.splitlines() if each.strip())
    return f"{told} SHOW TABLES lists what there is." if isinstance(error, duckdb.CatalogException) else told
