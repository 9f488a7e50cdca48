"""A census file of an older schema becomes one of this program's.

The numbered steps (`migrations`) change the tables. What they cannot do in SQL alone is to turn crawls of the time
before intervals into intervals, one after the other; that is done here with the same fold that seals a crawl. Each
crawl is a transaction of its own, so an upgrade that is cut short goes on where it stopped.
"""

from dataclasses import dataclass
from pathlib import Path

from crawler.errors import StoreError
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_write, transaction
from crawler.store.fold import fold, unfolded
from crawler.store.lock import lock_to_write
from crawler.store.migrations import latest_version, migrate, schema_version
from crawler.store.serving import publish_anew


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done: from which schema to which, and how many crawls became intervals."""

    before: int
    after: int
    folded: int


def bring_up_to_date(connection: Connection, path: Path, now: Now) -> Upgrade:
    """Bring an open file to the schema of this program.

    Args:
        connection: May write, is in no transaction.
        path: What a person is told about.
        now: Says what is recorded as the time of each step.

    Raises:
        SchemaTooNewError: it is newer.
        StoreError: it is no census, or cannot be written.
    """
    if 0 < schema_version(connection, path) < latest_version():
        publish_anew(path)
    before = migrate(connection, path, now)
    crawls = unfolded(connection)
    for crawl_id in crawls:
        with transaction(connection, path):
            fold(connection, crawl_id)
    return Upgrade(before, latest_version(), len(crawls))


def upgrade(census: Path, *, now: Now = utc_now) -> Upgrade:
    """Bring a census file that is there to the schema of this program.

    Raises:
        CensusLockedError: another process has it.
        SchemaTooNewError: a newer program wrote it.
        StoreError: there is none, it is no census, or cannot be written.
    """
    if not census.is_file():
        raise StoreError(f"there is no census file {census}")
    with lock_to_write(census):
        connection = connect_to_write(census)
        try:
            return bring_up_to_date(connection, census, now)
        finally:
            connection.close()
