"""A census file written anew, row by row, into a fresh file.

DuckDB leaves the bytes of deleted rows in the file until something else needs their place, and never makes the file
smaller. What must be gone, or small, or a copy that is whole, is therefore copied into a fresh file: it has what the
tables have, and nothing else. Rows of intervals are sorted in it, by what they are about.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crawler.errors import StoreError
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_read, connect_to_write, first_line, transaction
from crawler.store.durable import flush_file, flush_folder
from crawler.store.insert import column_types, quoted
from crawler.store.intervals import ORDER
from crawler.store.lock import lock_to_read, lock_to_write
from crawler.store.migrations import migrate, refuse_newer, refuse_older, schema_version
from crawler.store.serving import publish_anew
from crawler.store.upgrade import bring_up_to_date

COMPACTED_EVERY = 30
"""A completed crawl of so many compacts the census file after it: crawls add rows at the end, and a file grows by a
third more than what is in it needs."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """`before_bytes` and `after_bytes` are the sizes of the old file and of the new one."""

    before_bytes: int
    after_bytes: int


def compact(census: Path, *, now: Now = utc_now) -> Rewritten:
    """Write a census file anew and put it in the place of the old one, atomically.

    Raises:
        CensusLockedError: another process has it.
        SchemaTooNewError: a newer program wrote it.
        StoreError: there is none, it is no census, or the disk gave out: the old file stays as it is.
    """
    with locked_census(census):
        before = census.stat().st_size
        with opened_census(census, now):
            pass  # at the schema of this program, with all of its log in it
        rewrite(census, now)
        return Rewritten(before, census.stat().st_size)


@contextmanager
def locked_census(census: Path) -> Iterator[None]:
    """Be the one who writes a census file that is there.

    Raises:
        CensusLockedError: another process has it.
        StoreError: there is none.
    """
    if not census.is_file():
        raise StoreError(f"there is no census file {census}; give another --db")
    with lock_to_write(census):
        yield


@contextmanager
def opened_census(census: Path, now: Now) -> Iterator[Connection]:
    """A census file open to write, at the schema of this program. The caller holds its lock.

    Raises:
        SchemaTooNewError: a newer program wrote it.
        StoreError: it is no census, or cannot be written.
    """
    connection = connect_to_write(census)
    try:
        bring_up_to_date(connection, census, now)
        yield connection
    finally:
        connection.close()


def rewrite(census: Path, now: Now, check: Callable[[Path], None] | None = None) -> None:
    """Put a fresh copy of a census file in its place. The caller holds its lock, and nobody has it open.

    Args:
        check: Looks at the fresh file before it takes the place; what it raises leaves the old file as it is.

    Raises:
        StoreError: the disk gave out: the old file stays as it is.
    """
    fresh = _beside(census)
    publish_anew(census)
    try:
        copy_rows(census, fresh, now)
        if check is not None:
            check(fresh)
        _put_in_place(fresh, census)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def back_up(census: Path, to: Path, *, now: Now = utc_now) -> None:
    """Write a copy of a census file that is whole: what is committed, in a file of its own.

    Raises:
        CensusLockedError: a process is writing the census file.
        StoreError: there is none, it is of an older schema, `to` is there already, or the disk gave out.
    """
    _refuse_taken(to)
    _make_folder(to)
    if not census.is_file():
        raise StoreError(f"there is no census file {census}; give another --db")
    with lock_to_read(census):
        refuse_older(_schema_of(census), census)
        fresh = _beside(to)
        try:
            copy_rows(census, fresh, now)
            _put_in_place(fresh, to)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise


def restore(backup: Path, census: Path, *, now: Now = utc_now) -> None:
    """Write a census file from a backup.

    Raises:
        SchemaTooNewError: a newer program wrote the backup.
        StoreError: the backup is no census, `census` is there already, or the disk gave out.
    """
    _refuse_taken(census)
    _make_folder(census)
    with lock_to_write(census):
        if not _schema_of(backup):
            raise StoreError(f"{backup} is an empty file, not a backup of a census")
        fresh = _beside(census)
        try:
            shutil.copyfile(backup, fresh)
            with opened_census(fresh, now):
                pass
            publish_anew(census)
            _put_in_place(fresh, census)
        except OSError as error:
            raise StoreError(f"cannot copy {backup}: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)


def copy_rows(source: Path, to: Path, now: Now) -> None:
    """Copy every row of every table of a census file of this schema into a file that is not there yet.

    Raises:
        StoreError: it cannot be written.
    """
    connection = connect_to_write(to)
    try:
        migrate(connection, to, now)
        connection.execute(f"ATTACH '{_escaped(source)}' AS source_file (READ_ONLY)")
        with transaction(connection, to):
            connection.execute("DELETE FROM schema_migration")
            for table in tables_of(connection):
                columns = ", ".join(quoted(column) for column in column_types(connection, table))
                rows = f"SELECT {columns} FROM source_file.{quoted(table)} {ORDER.get(table, '')}"  # noqa: S608 - our own names
                connection.execute(f"INSERT INTO {quoted(table)} ({columns}) {rows}")
        connection.execute("DETACH source_file")
        connection.execute("FORCE CHECKPOINT")
    except duckdb.Error as error:
        raise StoreError(f"cannot write {to}: {first_line(error)}") from error
    finally:
        connection.close()


def tables_of(connection: Connection) -> list[str]:
    """The tables of the main database, in the order of their making."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary"
        " ORDER BY table_oid"
    ).fetchall()
    return [str(name) for (name,) in rows]


def _put_in_place(fresh: Path, census: Path) -> None:
    try:
        flush_file(fresh)
        fresh.replace(census)
        flush_folder(census.parent)
    except OSError as error:
        raise StoreError(f"cannot replace {census}: {error.strerror}") from error


def _beside(census: Path) -> Path:
    fresh = census.with_name(f".{census.name}.{os.getpid()}.fresh")
    fresh.unlink(missing_ok=True)
    return fresh


def _refuse_taken(path: Path) -> None:
    if path.exists():
        raise StoreError(f"{path} is there already; give another name, or move it away")


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {path.parent}: {error.strerror}") from error


def _schema_of(path: Path) -> int:
    connection = connect_to_read(path)
    try:
        version = schema_version(connection, path)
    finally:
        connection.close()
    refuse_newer(version, path)
    return version


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
