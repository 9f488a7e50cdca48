"""From the census file to a serving file that anybody may open while the next crawl writes.

`stage` copies what is sealed into a draft, steps from above add their tables to it, `commit` swaps it in. A serving
file holds the history of all completed crawls, census or limited, and the journal of the newest ones; of cancelled and
failed crawls their row in `crawl` alone, so that they can be told of and never be counted; of a running one nothing. It
is written row by row into a fresh file, so bytes of rows that were deleted from the census file are not in it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

import duckdb

from crawler.errors import StoreError
from crawler.resources import shipped
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_read, connect_to_write, first_line, transaction
from crawler.store.durable import flush_file, flush_folder
from crawler.store.insert import checked_type, column_types, insert_rows, quoted
from crawler.store.intervals import INTERVALS, SEEN
from crawler.store.journal import JOURNAL
from crawler.store.lock import FileLock, lock_to_read, lock_to_write
from crawler.store.migrations import latest_version, migrate, refuse_newer, schema_version
from crawler.store.serving import drop_drafts, next_name, point_to, pointer, prune, serving_file, serving_folder

__all__ = ["Draft", "serving_file", "stage"]


class Draft:
    """A serving file in the making.

    Between calls it is an ordinary closed database: a step may open `path` read-only, read what it needs, close it, and
    then write its table. `snapshot_id` is known from the start. As a context manager it discards itself, if it was not
    committed.
    """

    def __init__(self, census: Path, path: Path, snapshot_id: str, lock: FileLock) -> None:
        self.path = path
        self.snapshot_id = snapshot_id
        self._census = census
        self._lock: FileLock | None = lock

    @property
    def previous(self) -> Path | None:
        """The serving file that this one will replace; None when it is the first."""
        return serving_file(self._census)

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
                    connection.execute(f"COMMENT ON TABLE {quoted(name)} IS {_literal(comment)}")
                for column, text in (comments or {}).items():
                    connection.execute(f"COMMENT ON COLUMN {quoted(name)}.{quoted(column)} IS {_literal(text)}")
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
            connection.execute(f"ATTACH {_literal(str(self.previous))} AS before (READ_ONLY)")
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


def stage(census: Path, *, now: Now = utc_now) -> Draft:
    """Copy what is sealed into a draft.

    Args:
        census: The census file; not being written at this moment.
        now: The time of day.

    Raises:
        CensusLockedError: a process is writing the census file, or publishing it.
        SchemaTooNewError: a newer program wrote it.
        StoreError: it is no census, holds no completed crawl, or the draft cannot be written.
    """
    folder = serving_folder(census)
    if not census.is_file():
        raise StoreError(f"there is no census file {census}; run a crawl first")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {folder}: {error.strerror}") from error
    lock = lock_to_write(pointer(census))
    try:
        drop_drafts(census)
        with lock_to_read(census):
            crawl_id = _newest_completed(census)
            path = folder / f"{next_name(census, max(crawl_id, 0))}.draft"  # below 0: imported crawls alone
            snapshot_id = _fill(path, census, crawl_id, now)
    except BaseException:
        with suppress(OSError):
            drop_drafts(census)
        lock.release()
        raise
    return Draft(census, path, snapshot_id, lock)


def _newest_completed(census: Path) -> int:
    connection = connect_to_read(census)
    try:
        version = schema_version(connection, census)
        refuse_newer(version, census)
        if version < latest_version():
            raise StoreError(f"{census} has the older schema {version}; bring it up to date: matrix-census migrate")
        row = connection.execute("SELECT max(crawl_id) FROM crawl WHERE state = 'completed'").fetchone()
    finally:
        connection.close()
    if row is None or row[0] is None:
        raise StoreError(f"{census} holds no completed crawl yet; nothing to publish")
    return int(row[0])


def _fill(path: Path, census: Path, crawl_id: int, now: Now) -> str:
    connection = connect_to_write(path)
    try:
        migrate(connection, path, now)
        connection.execute(f"ATTACH {_literal(str(census))} AS census_file (READ_ONLY)")
        with transaction(connection, path):
            connection.execute(shipped("schema", "serving.sql").read_text("utf-8"))
            for table in SEEN:
                connection.execute(f"DROP TABLE {quoted(table)}")
            for table in _tables(connection):
                columns = ", ".join(quoted(column) for column in column_types(connection, table))
                source = f"SELECT {columns} FROM census_file.{quoted(table)} WHERE {_PUBLISHED[table]}"  # noqa: S608 - our own names
                connection.execute(f"INSERT INTO {quoted(table)} ({columns}) {source}")
            snapshot_id = _write_snapshot(connection, census, crawl_id, now())
        connection.execute("DETACH census_file")
        return snapshot_id
    except duckdb.Error as error:
        raise StoreError(f"cannot write {path}: {first_line(error)}") from error
    finally:
        connection.close()


_JOURNAL = """crawl_id IN (
    SELECT c.crawl_id FROM census_file.crawl c WHERE c.state = 'completed' AND c.crawl_id >= (
        SELECT coalesce(max(n.crawl_id), 0) FROM census_file.crawl n
        WHERE n.state = 'completed' AND n.scope = 'full' AND n.series_id = c.series_id
    )
)"""
"""Of the newest census of each series, and of what came after it: what a reader shows. The rest is history."""

_ALL = "true"
"""Only completed crawls write history."""

_PUBLISHED = {
    "crawl": "state <> 'running'",
    "series": _ALL,
    **dict.fromkeys(JOURNAL, _JOURNAL),
    "attempt_summary": "crawl_id IN (SELECT crawl_id FROM census_file.crawl WHERE state = 'completed')",
    "lead_summary": "crawl_id IN (SELECT crawl_id FROM census_file.crawl WHERE state = 'completed')",
    "known_room": _ALL,
    "room_text": _ALL,
    "client_api": _ALL,
    **{interval.table: _ALL for interval in INTERVALS},
    # Whom to write to is personal data, and a serving file is for anybody.
    "support_contact": "false",
    "cached_answer": "false",
    # What the next crawl is to know; readers see what was observed.
    "server_schedule": "false",
    "alias_schedule": "false",
    # What the writer alone needs to know.
    "suppression": "false",
    "inbox_entry": "false",
    "imported_series": _ALL,
    # The names of all that completed crawls met.
    "server": """first_crawl_id IN (SELECT crawl_id FROM census_file.crawl WHERE state = 'completed')
    OR server_id IN (
        SELECT server_id FROM server_state
        UNION ALL SELECT server_id FROM lead UNION ALL SELECT named_by FROM lead WHERE named_by IS NOT NULL
        UNION ALL SELECT server_id FROM room_participation UNION ALL SELECT named_by FROM room_participation
    )""",
}
"""Which rows of a table are published, in the order of copying. A new table must be thought of here."""


def _tables(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()")
    made = {str(name) for (name,) in rows.fetchall()} - {"schema_migration", "snapshot"}
    if made != set(_PUBLISHED):
        raise ValueError(f"what is published of {sorted(made ^ set(_PUBLISHED))} is not decided")
    return list(_PUBLISHED)


def _write_snapshot(connection: Connection, census: Path, crawl_id: int, published_at: datetime) -> str:
    digest = _content_sha256(connection, crawl_id)
    row = connection.execute(
        "SELECT finished_at, (SELECT count(*) FROM crawl WHERE state = 'completed'), (SELECT count(*) FROM census),"
        " (SELECT bool_or(synthetic) FROM crawl WHERE state = 'completed') FROM crawl WHERE crawl_id = ?",
        [crawl_id],
    ).fetchone()
    if row is None:
        raise ValueError(f"crawl {crawl_id} was not copied")
    finished_at, crawls, censuses, synthetic = row
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", census.stem)
    snapshot_id = f"{stem}-{max(crawl_id, 0):06d}-{finished_at:%Y%m%dT%H%MZ}-{digest[:8]}"
    connection.execute(
        "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [snapshot_id, crawl_id, published_at, latest_version(), crawls, censuses, synthetic, digest],
    )
    return snapshot_id


_CONTENT = {
    "server_observation": (
        "server_id", "observed_at", "address", "online", "federating", "accepting", "failed_kind", "software_raw",
        "version_raw", "verify_keys", "directory_state", "directory_rooms", "bytes_read",
    ),
    "room": ("room_id", "directories", "members", "name", "topic"),
}  # fmt: skip
"""What of a row tells it from others; whole rows would take four times as long to say the same."""


def _content_sha256(connection: Connection, crawl_id: int) -> str:
    """The crawls, the number of rows of each table, and of the newest completed crawl the sum of the MD5s of its
    observations and rooms: the same for the same rows in any order. Against accidents, not against forgers."""
    said: list[object] = [*connection.execute("SELECT c::VARCHAR FROM crawl c ORDER BY crawl_id").fetchall()]
    for table in _PUBLISHED:
        said += [table, *connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchall()]  # noqa: S608 - our own names
    for view, names in _CONTENT.items():
        columns = ", chr(31), ".join(quoted(column) for column in names)
        content = f"sum(md5_number_lower(concat({columns}))::HUGEINT)"
        query = f"SELECT {content} FROM {quoted(view)} WHERE crawl_id = {crawl_id:d}"  # noqa: S608 - likewise
        said += [view, *connection.execute(query).fetchall()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _literal(text: str) -> str:
    """A text as SQL spells it, where no parameter may stand."""
    return "'" + text.replace("'", "''") + "'"
