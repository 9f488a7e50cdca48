"""DuckDB behind one door: how files are opened, what a transaction is, and what DuckDB's errors mean to a person.

DuckDB raises one exception for a file that is no database, one that may not be read, one of a newer DuckDB and one
that another process holds. Which it is is found out by looking, at the file's header and at the lock in the kernel, not
by reading the message. Every connection speaks UTC.

The Python API differs between DuckDB 1.5 and 2.0; only what both have is used (`execute`, `fetchall`, `cursor`,
`begin`, `commit`). Values are bound, but never lists of them: where neither numpy nor pandas is installed, DuckDB
looks for both anew for each value of a list (70 us a value); `insert` has the way around.
"""

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from crawler.errors import CensusLockedError, StoreError, printable

Connection = duckdb.DuckDBPyConnection

_MAGIC = b"DUCK"
"""DuckDB, "Storage Versions and Format": bytes 8 to 11 of every database file."""

_FLOCK = "hhqqi4x"
"""`struct flock` of Linux on 64 bits: type, whence, start, length, process."""


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep DuckDB from importing pandas, which it does at the first value that is bound, only to see that the value is
    none of pandas' own: a quarter of a second and 45 MB. For a process that has nothing to do with it meanwhile."""
    modules: dict[str, Any] = vars(sys)["modules"]
    if "pandas" in modules:
        yield
        return
    modules["pandas"] = None  # how the import system spells that there is none
    try:
        yield
    finally:
        del modules["pandas"]


WORKING_BYTES = 128 * 1024 * 1024
"""What DuckDB may work in, besides what it keeps of a file."""

_SPILL_SUFFIX = ".tmp"
"""DuckDB puts what does not fit into memory into a folder beside the file, of the same name with this behind it."""


def connect_to_write(path: Path) -> Connection:
    """Open or create a database. The caller holds the lock (`lock`), so no other part of this process has it open.

    Raises:
        CensusLockedError: a foreign program (the duckdb command line, say) has it open.
        StoreError: it is no DuckDB file, or cannot be written.
    """
    if path.is_file() and path.stat().st_size == 0:
        # What is left of a file whose creation was cut short; DuckDB refuses it, and nothing is lost with it.
        path.unlink()
    if path.exists():
        _look(path, os.O_RDWR)
    _drop_spilled(path)
    return _connect(path, read_only=False)


def connect_to_read(path: Path) -> Connection:
    """Open a database that is there, without ever changing it. For a census file the caller holds the lock to read;
    serving files need none, since nobody ever writes to one.

    Raises:
        CensusLockedError: a foreign program is writing it.
        StoreError: it is not there, is no DuckDB file, or cannot be read.
    """
    _look(path, os.O_RDONLY)
    return _connect(path, read_only=True)


def _connect(path: Path, *, read_only: bool) -> Connection:
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        holder = _holder(path)
        if holder is not None:
            raise CensusLockedError(f"{path} is open in process {holder}; end it and try again") from error
        raise StoreError(f"DuckDB {duckdb.__version__} cannot open {path}: {first_line(error)}") from error
    # GLOBAL, because cursors do not take over what was set for their connection alone.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def _drop_spilled(path: Path) -> None:
    """Remove what a process that was killed had put aside: DuckDB lets it lie, and it may tell of who is forgotten."""
    folder = path.with_name(path.name + _SPILL_SUFFIX)
    with suppress(OSError):  # nearly always there is none
        for left in folder.glob("duckdb_temp_*"):
            left.unlink()
        folder.rmdir()


def _look(path: Path, access: int) -> None:
    try:
        handle = os.open(path, access | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error
    try:
        header = os.pread(handle, 12, 0)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(handle)
    if header[8:] != _MAGIC:
        raise StoreError(f"{path} is no DuckDB file; give another --db, or move it away")


def _holder(path: Path) -> int | None:
    """The process that holds DuckDB's own lock (fcntl) on the file; None when none does."""
    if sys.platform != "linux" or not path.is_file():
        return None
    question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, question))
    except OSError:
        return None
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else int(process)


@contextmanager
def transaction(connection: Connection, path: Path) -> Iterator[None]:
    """All of it or nothing. `path` is what a person is told about.

    Raises:
        StoreError: the disk or the memory gave out; nothing of this transaction is in the file.
    """
    connection.begin()
    try:
        yield
    except BaseException as error:
        with suppress(duckdb.Error):
            connection.rollback()
        if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException)):
            raise _not_written(path, error) from error
        raise
    try:
        connection.commit()
    except duckdb.Error as error:
        with suppress(duckdb.Error):
            connection.rollback()
        raise _not_written(path, error) from error


@contextmanager
def without_checkpoint(connection: Connection) -> Iterator[None]:
    """Transactions that end in the log and leave the file alone. What is committed is as safe, and a disk that has no
    room for the blocks of a checkpoint makes no failure of it; the log goes into the file with a commit after these, or
    when the file is closed."""
    connection.execute("SET GLOBAL checkpoint_threshold = '1TB'")
    try:
        yield
    finally:
        with suppress(duckdb.FatalException):  # nothing can be asked any more of a file that could not be written
            connection.execute("RESET GLOBAL checkpoint_threshold")


@contextmanager
def within_memory(connection: Connection, path: Path) -> Iterator[None]:
    """Transactions that leave most of the memory alone, of which DuckDB otherwise takes four fifths. The bound
    grows with the file, since some things have to be in memory, and those grow with it; what else does not fit is put
    on the disk meanwhile. `path` is the file's."""
    log = path.with_name(path.name + ".wal")
    size_bytes = sum(each.stat().st_size for each in (path, log) if each.exists())
    connection.execute(f"SET GLOBAL memory_limit = '{(size_bytes + WORKING_BYTES) // 1000} kB'")
    try:
        yield
    finally:
        with suppress(duckdb.FatalException):
            connection.execute("RESET GLOBAL memory_limit")


def _not_written(path: Path, error: duckdb.Error) -> StoreError:
    return StoreError(
        f"cannot write to {path}: {first_line(error)}; what was committed before is whole. "
        f"Is there room on the disk? Then start again"
    )


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says, for people: its first line, made printable."""
    return printable(str(error).partition("\n")[0])
