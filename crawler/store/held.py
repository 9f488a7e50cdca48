"""A census file held open and locked, and what a crawl asks of it before it begins and after its visits.

Apart from the writer, which adds what is seen: these are questions, and answers kept for the crawls that come after.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from crawler.errors import StoreError
from crawler.model.crawl import Crawl
from crawler.model.past import Interrupted
from crawler.model.schedule import Remembered
from crawler.protocol.memory import RememberedAnswer
from crawler.store.answers import load_answers, store_answers
from crawler.store.clock import Now
from crawler.store.connection import Connection, connect_to_write, first_line, transaction
from crawler.store.insert import column_types
from crawler.store.keys import ReusedKey, reused_keys
from crawler.store.lock import FileLock, lock_to_write
from crawler.store.phases import phase_times
from crawler.store.resume import interrupted
from crawler.store.schedule import read_remembered
from crawler.store.submissions import Submitted, drop_submitted, read_submitted
from crawler.store.suppression import read_suppressed
from crawler.store.upgrade import bring_up_to_date


@contextmanager
def locked_and_open(path: Path, now: Now) -> Iterator[tuple[FileLock, Connection]]:
    """Lock and open a census file, made if it is not there, at the schema of this program. Both are whose block takes
    them; if it raises, they are let go.

    Raises:
        CensusLockedError: another process has it.
        SchemaTooNewError: a newer program wrote it.
        StoreError: it is no census, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is no file; give another --db")
    lock = lock_to_write(path)
    try:
        connection = connect_to_write(path)
        try:
            bring_up_to_date(connection, path, now)
            # A crawl's batches and its seal are too small for more than one thread to be worth what it takes: of CPU
            # time a third, of memory 25 MB.
            connection.execute("SET GLOBAL threads = 1")
            yield lock, connection
        except BaseException:
            connection.close()
            raise
    except BaseException:
        lock.release()
        raise


class HeldCensus:
    """What is held until `close`. `suppressed` is who was forgotten on request."""

    def __init__(self, path: Path, lock: FileLock, connection: Connection, now: Now) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._now = now
        self._crawl: Crawl | None = None
        self._answer_types = column_types(connection, "cached_answer")
        self.suppressed = read_suppressed(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write all into the file itself and let others at it. A crawl not sealed stays `running`.

        Raises:
            StoreError: the disk gave out; what was committed is whole, in the file or in its log.
        """
        try:
            self._connection.close()
        except duckdb.Error as error:
            raise StoreError(f"cannot close {self._path}: {first_line(error)}") from error
        finally:
            self._lock.release()

    def killed(self) -> int | None:
        """Number of the crawl that was left running, which the next to begin calls failed; None: there is none."""
        row = self._connection.execute("SELECT max(crawl_id) FROM crawl WHERE state = 'running'").fetchone()
        return None if row is None or row[0] is None or self._crawl is not None else int(row[0])

    def interrupted(self, crawl_id: int | None) -> Interrupted:
        """The crawl to resume; see `crawler.store.resume.interrupted`."""
        return interrupted(self._connection, crawl_id)

    def phase_times(self, crawl_id: int) -> dict[str, dict[str, float]]:
        """How long the phases of the visits committed so far took; see `crawler.store.phases`."""
        return phase_times(self._connection, crawl_id)

    def known_servers(self) -> list[str]:
        """The names of all servers that any crawl of the same kind (real or synthetic) as the one begun ever met, in
        the order of meeting; before one is begun, of every kind."""
        kinds = [False, True] if self._crawl is None else [self._crawl.synthetic]
        rows = self._connection.execute(_KNOWN_NAMES, [True in kinds, False in kinds]).fetchall()
        return [str(name) for (name,) in rows]

    def holds_real_crawls(self) -> bool:
        """Whether any crawl of the file was of the real federation."""
        row = self._connection.execute("SELECT count(*) FROM crawl WHERE NOT synthetic").fetchone()
        return row is not None and bool(row[0])

    def remembered(self) -> Remembered:
        """What earlier crawls of the same kind (real or synthetic) as the one begun left for it."""
        return read_remembered(self._connection, self._crawl is not None and self._crawl.synthetic)

    def remembered_answers(self, settings_json: str, now: datetime) -> list[RememberedAnswer]:
        """Answers of earlier crawls that one with these settings may still use; see `answers.load_answers`."""
        return load_answers(self._connection, self._path, settings_json, now)

    def submitted(self) -> Submitted:
        """Names that visitors left for the next crawl; see `crawler.store.submissions`."""
        return read_submitted(self._connection)

    def drop_submitted(self, heard: Submitted) -> None:
        """Let them go, once what was heard of them is committed."""
        if heard.digests:
            with transaction(self._connection, self._path):
                drop_submitted(self._connection, heard.digests)

    def remember(self, answers: Sequence[RememberedAnswer]) -> None:
        """Keep answers for later crawls, at once; see `answers.store_answers`."""
        store_answers(self._connection, self._path, self._answer_types, answers)

    def reused_keys(self, crawl_id: int) -> tuple[ReusedKey, ...]:
        """Key IDs that this crawl saw with another key than an earlier one did; see `keys.reused_keys`."""
        return reused_keys(self._connection, crawl_id)


_KNOWN_NAMES = """
WITH met AS (
    SELECT first_crawl_id AS crawl_id, server_id FROM server
    UNION ALL SELECT crawl_id, server_id FROM lead
    UNION ALL SELECT crawl_id, server_id FROM visit
    UNION ALL SELECT crawl_id, server_id FROM seen_participation
    UNION ALL SELECT valid_from, server_id FROM server_state
    UNION ALL SELECT valid_from, server_id FROM room_participation
)
SELECT server_name FROM server
WHERE server_id IN (
    SELECT server_id FROM met JOIN crawl USING (crawl_id)
    WHERE (crawl.synthetic AND $1) OR (NOT crawl.synthetic AND $2)
)
ORDER BY server_id
"""
