"""A serving file in the making: steps from above add their tables to it, and it is swapped in whole.

Apart from `publish`, which fills it with what is sealed: this is what the metrics and the dashboard's steps are given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import duckdb

from crawler.errors import CensusLockedError, StoreError
from crawler.store.connection import connect_to_write, first_line, transaction
from crawler.store.durable import flush_file, flush_folder
from crawler.store.insert import checked_type, column_types, insert_rows, literal, quoted
from crawler.store.lock import FileLock, lock_to_read
from crawler.store.serving import drop_drafts, point_to, prune, published_anew, serving_file


class Draft:
    """A serving file in the making.

    Between calls it is an ordinary closed database: a step may open `path` read-only, read what it needs, close it, and
    then write its table. `snapshot_id` is known from the start. As a context manager it discards itself, if it was not
    committed.
    """

    def __init__(self, census: Path, path: Path, snapshot_id: str, lock: FileLock, upkeep: str | None) -> None:
        self.path = path
        self.snapshot_id = snapshot_id
        self._census = census
        self._upkeep = upkeep
        self._lock: FileLock | None = lock

    @property
    def previous(self) -> Path | None:
        """The serving file that this one will replace; None when it is the first."""
        return serving_file(self._census)

    @contextmanager
    def census(self) -> Iterator[Path | None]:
        """The census file, nobody writing it meanwhile: it still has the journals of earlier censuses, which are not
        published. None while somebody writes it. Not to be held for longer than it takes to read one census."""
        try:
            lock = lock_to_read(self._census)
        except CensusLockedError:
            yield None
            return
        with lock:
            yield self._census

    def write_table(
        self,
        name: str,
        columns: Mapping[str, str],
        rows: Iterable[Sequence[object]],
        comments: Mapping[str, str] | None = None,
        *,
        comment: str | None = None,
    ) -> None:
        """Add a table, all of it or nothing.

        Args:
            name: Its name; none that the file has already.
            columns: Column -> SQL type, `NOT NULL` after it if so; lower-case names.
            rows: Values in the order of the columns; kept in their order.
            comments: Column -> meaning, unit, and when it is NULL.
            comment: What the table is.

        Raises:
            ValueError: a name, a type or a row that is none; a fault of ours.
            StoreError: the file cannot be written.
        """
        self._held()
        types = {column: checked_type(kind.removesuffix(" NOT NULL")) for column, kind in columns.items()}
        lines = ", ".join(
            f"{quoted(column)} {types[column]}{' NOT NULL' if kind.endswith(' NOT NULL') else ''}"
            for column, kind in columns.items()
        )
        connection = connect_to_write(self.path)
        try:
            with transaction(connection, self.path):
                if column_types(connection, name):
                    raise ValueError(f"{name} is there already")
                connection.execute(f"CREATE TABLE {quoted(name)} ({lines})")
                insert_rows(connection, name, types, rows)
                if comment is not None:
                    connection.execute(f"COMMENT ON TABLE {quoted(name)} IS {literal(comment)}")
                for column, text in (comments or {}).items():
                    connection.execute(f"COMMENT ON COLUMN {quoted(name)}.{quoted(column)} IS {literal(text)}")
        finally:
            connection.close()

    def take_over(self, name: str, column: str, values: Sequence[int]) -> None:
        """Copy rows of a table from the serving file before this one, in their order, into the same table here.

        Args:
            name: The table; in both, with the same columns.
            column: Those rows are copied
            values: whose column has one of these values. None of them: nothing is copied.

        Raises:
            StoreError: the file before cannot be read, or this one not be written.
        """
        self._held()
        if not values:
            return
        connection = connect_to_write(self.path)
        try:
            columns = ", ".join(quoted(each) for each in column_types(connection, name))
            connection.execute(f"ATTACH {literal(str(self.previous))} AS before (READ_ONLY)")
            with transaction(connection, self.path):
                connection.execute(
                    f"INSERT INTO {quoted(name)} ({columns}) SELECT {columns} FROM before.{quoted(name)}"  # noqa: S608 - our own names
                    f" WHERE list_contains($values, {quoted(column)}) ORDER BY rowid",
                    {"values": list(values)},
                )
        except duckdb.Error as error:
            raise StoreError(f"cannot take {name} over from {self.previous}: {first_line(error)}") from error
        finally:
            connection.close()

    def commit(self) -> Path:
        """Make it the newest serving file, and remove the oldest.

        Returns:
            Where it is now.

        Raises:
            StoreError: the disk gave out; readers go on with the file they had.
        """
        lock = self._held()
        final = self.path.with_suffix("")
        try:
            connection = connect_to_write(self.path)
            try:
                connection.execute("FORCE CHECKPOINT")
            finally:
                connection.close()
            flush_file(self.path)
            self.path.rename(final)
            flush_folder(final.parent)
            point_to(self._census, final)
            if self._upkeep is not None:
                published_anew(self._census, self._upkeep)
            prune(self._census)
        except duckdb.Error as error:
            raise StoreError(f"cannot finish {self.path}: {first_line(error)}") from error
        except OSError as error:
            raise StoreError(f"cannot publish {self.path}: {error.strerror}") from error
        self._lock = None
        lock.release()
        return final

    def discard(self) -> None:
        """Remove it. After `commit`, and the second time, it does nothing."""
        if self._lock is not None:
            drop_drafts(self._census)
            self._lock.release()
            self._lock = None

    def __enter__(self) -> "Draft":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _held(self) -> FileLock:
        if self._lock is None:
            raise ValueError(f"{self.path} is committed or discarded")
        return self._lock
