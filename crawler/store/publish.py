"""From the census file to a serving file that anybody may open while the next crawl writes.

`stage` copies what is sealed into a draft, steps from above add their tables to it, `commit` swaps it in. A serving
file holds the history of all completed crawls, census or limited, and the journal of the newest ones; of cancelled and
failed crawls their row in `crawl` alone, so that they can be told of and never be counted; of a running one nothing.

It is the serving file before it with what crawls have added since (`increment`), or, where anything else may have
changed the census file, written row by row into a fresh file: so bytes of rows that were forgotten are not in it.
"""

from contextlib import suppress
from pathlib import Path

import duckdb

from crawler.errors import StoreError
from crawler.resources import shipped
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_read, connect_to_write, first_line, transaction
from crawler.store.draft import Draft
from crawler.store.increment import grow
from crawler.store.insert import literal, quoted
from crawler.store.intervals import SEEN
from crawler.store.lock import lock_to_read, lock_to_write
from crawler.store.migrations import migrate, refuse_newer, refuse_older, schema_version
from crawler.store.published import PUBLISHED, insert_published
from crawler.store.serving import drop_drafts, maintained, next_name, pointer, serving_file, serving_folder
from crawler.store.snapshot import write_snapshot
from crawler.store.usage import open_sums


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
        raise StoreError(f"there is no census file {census}; run a crawl first, or give another --db")
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
            upkeep = maintained(census)
            snapshot_id = _fill(path, census, crawl_id, upkeep is not None, now)
    except BaseException:
        with suppress(OSError):
            drop_drafts(census)
        lock.release()
        raise
    return Draft(census, path, snapshot_id, lock, upkeep)


def _newest_completed(census: Path) -> int:
    connection = connect_to_read(census)
    try:
        version = schema_version(connection, census)
        refuse_newer(version, census)
        refuse_older(version, census)
        row = connection.execute("SELECT max(crawl_id) FROM crawl WHERE state = 'completed'").fetchone()
    finally:
        connection.close()
    if row is None or row[0] is None:
        raise StoreError(f"{census} holds no completed crawl yet; nothing to publish")
    return int(row[0])


def _fill(path: Path, census: Path, crawl_id: int, anew: bool, now: Now) -> str:
    """Fill a draft: from the serving file before it and what is newer, or from the census file alone."""
    previous = serving_file(census)
    try:
        if previous is None or anew or not grow(path, previous, census):
            path.unlink(missing_ok=True)
            _copy(path, census, now)
        connection = connect_to_write(path)
        try:
            with transaction(connection, path):
                return write_snapshot(connection, census, crawl_id, now())
        finally:
            connection.close()
    except duckdb.Error as error:
        raise StoreError(f"cannot write {path}: {first_line(error)}") from error
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def _copy(path: Path, census: Path, now: Now) -> None:
    connection = connect_to_write(path)
    try:
        migrate(connection, path, now)
        connection.execute(f"ATTACH {literal(str(census))} AS census_file (READ_ONLY)")
        with transaction(connection, path):
            connection.execute(shipped("schema", "serving.sql").read_text("utf-8"))
            for table in SEEN:
                connection.execute(f"DROP TABLE {quoted(table)}")
            for table in _tables(connection):
                insert_published(connection, table)
            open_sums(connection, "census_file")
        connection.execute("DETACH census_file")
    finally:
        connection.close()


def _tables(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()")
    made = {str(name) for (name,) in rows.fetchall()} - {"schema_migration", "snapshot"}
    if made != set(PUBLISHED):
        raise ValueError(f"what is published of {sorted(made ^ set(PUBLISHED))} is not decided")
    return list(PUBLISHED)
