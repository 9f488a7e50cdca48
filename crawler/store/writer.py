"""The one writer of a census file.

A crawl is begun, then recorded batch by batch, each batch one transaction, then sealed by one more, which also turns
what it saw into intervals (`intervals`) and lets go of journals that are old enough (`journal`). So a killed crawl
leaves whole batches, and stays `running` until it is resumed (`resume`) or the next one begins and calls it failed;
what earlier crawls saw is not touched by any of it. Whom to write to is personal data: only the last that was heard is
kept, and not for much longer than it is published.

Blocking: the engine calls it in a thread, one call at a time.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

import duckdb

from crawler.errors import StoreError
from crawler.model.crawl import Crawl, CrawlScope, CrawlState, Lead
from crawler.model.observation import ServerObservation
from crawler.model.past import Interrupted, Past
from crawler.model.rooms import AliasAnswer, SpaceAnswer
from crawler.model.schedule import Remembered, ServerSchedule
from crawler.protocol.json_body import clean_text
from crawler.protocol.memory import RememberedAnswer
from crawler.store.answers import load_answers, store_answers
from crawler.store.batch import Answered, Batch
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_write, first_line, transaction
from crawler.store.crawls import read_crawl, series_of
from crawler.store.insert import column_types, insert_rows
from crawler.store.journal import JOURNAL_DAYS
from crawler.store.keys import ReusedKey, reused_keys
from crawler.store.lock import FileLock, lock_to_write
from crawler.store.numbers import ServerNumbers
from crawler.store.phases import phase_times
from crawler.store.resume import answer_numbers, interrupted, read_past, reopen, visited_numbers
from crawler.store.schedule import read_remembered, remember_aliases, remember_servers
from crawler.store.seal import seal
from crawler.store.status import CrawlStatus, write_status
from crawler.store.submissions import Submitted, drop_submitted, read_submitted
from crawler.store.suppression import read_suppressed
from crawler.store.upgrade import bring_up_to_date

_VANTAGE = 255
"""Characters of the name of a vantage."""

_TABLES = (
    "server", "visit", "attempt", "resolution_step", "endpoint", "address_look", "lead", "support_contact",
    "space_child", "unlisted_room",
    "seen_server", "seen_listing", "seen_answer", "seen_participation", "seen_space",
)  # fmt: skip


class CensusWriter:
    """Holds the census file open and locked until `close`. Use as a context manager."""

    def __init__(self, path: Path, lock: FileLock, connection: Connection, now: Now, journal_days: int) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._now = now
        self._journal_days = journal_days
        self._types = {table: column_types(connection, table) for table in _TABLES}
        self._numbers = ServerNumbers(connection.execute(_KNOWN_NUMBERS).fetchall())
        self._crawl: Crawl | None = None
        self._visited: set[int] = set()
        self._answers: dict[Answered, int] = {}
        self.suppressed = read_suppressed(connection)

    @classmethod
    def open(cls, path: Path, *, now: Now = utc_now, journal_days: int = JOURNAL_DAYS) -> "CensusWriter":
        """Open or make a census file, and bring it to the schema of this program.

        Args:
            path: The census file; its folder is made if need be.
            now: The time of day, for the record of migrations and the status.
            journal_days: How long what crawls attempted is kept after they ended.

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
                return cls(path, lock, connection, now, journal_days)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> "CensusWriter":
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

    def begin_crawl(
        self,
        *,
        scope: CrawlScope,
        synthetic: bool,
        settings_json: str,
        vantage: str,
        identity: str | None,
        crawler_version: str,
        started_at: datetime,
    ) -> int:
        """Open a new crawl, and call those left running failed; the meaning of each value is that of its column.

        Returns:
            Its number.

        Raises:
            ValueError: the last one is not sealed; a fault of ours.
            StoreError: the file cannot be written.
        """
        if self._crawl is not None:
            raise ValueError(f"crawl {self._crawl.id} is not sealed yet")
        with transaction(self._connection, self._path):
            self._connection.execute("UPDATE crawl SET state = 'failed' WHERE state = 'running'")
            row = self._connection.execute("SELECT greatest(coalesce(max(crawl_id), 0), 0) + 1 FROM crawl").fetchone()
            crawl_id = int(row[0]) if row else 1
            place = clean_text(vantage, _VANTAGE) or ""
            self._connection.execute(
                "INSERT INTO crawl (crawl_id, series_id, state, folded, scope, synthetic, vantage, crawler_version,"
                " identity, started_at, settings) VALUES (?, ?, 'running', false, ?, ?, ?, ?, ?, ?, ?)",
                [
                    crawl_id,
                    series_of(self._connection, place, synthetic=synthetic),
                    scope.value,
                    synthetic,
                    place,
                    crawler_version,
                    identity,
                    started_at,
                    _json_text(json.loads(settings_json)),
                ],
            )
        self._crawl = replace(read_crawl(self._connection, crawl_id), servers=0, online=0)
        self._tell()
        return crawl_id

    def killed(self) -> int | None:
        """Number of the crawl that was left running, which the next to begin calls failed; None: there is none."""
        row = self._connection.execute("SELECT max(crawl_id) FROM crawl WHERE state = 'running'").fetchone()
        return None if row is None or row[0] is None or self._crawl is not None else int(row[0])

    def interrupted(self, crawl_id: int | None) -> Interrupted:
        """The crawl to resume; see `crawler.store.resume.interrupted`."""
        return interrupted(self._connection, crawl_id)

    def resume_crawl(self, crawl_id: int, version: str) -> Past:
        """Go on with a crawl that was interrupted, as if it had been begun now.

        Args:
            crawl_id: One that `interrupted` gave.
            version: Of this program.

        Returns:
            What it has committed.

        Raises:
            ValueError: the last one is not sealed; a fault of ours.
            StoreError: the file cannot be written.
        """
        if self._crawl is not None:
            raise ValueError(f"crawl {self._crawl.id} is not sealed yet")
        with transaction(self._connection, self._path):
            reopen(self._connection, crawl_id, self._now(), version)
            past = read_past(self._connection, crawl_id)
        self._visited = visited_numbers(self._connection, crawl_id)
        self._answers = answer_numbers(self._connection, crawl_id)
        self._crawl = replace(past.crawl, servers=len(past.visits), online=past.counts.sums["online"])
        self._tell()
        return past

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
        store_answers(self._connection, self._path, answers)

    def record(
        self,
        crawl_id: int,
        observations: Sequence[ServerObservation],
        leads: Sequence[Lead],
        answers: Sequence[tuple[str, AliasAnswer]] = (),
        schedules: Sequence[ServerSchedule] = (),
        asked: Sequence[tuple[str, str]] = (),
        spaces: Sequence[tuple[str, SpaceAnswer]] = (),
    ) -> None:
        """Commit one batch.

        What was forgotten on request (`suppressed`) does not come in again by any way.

        Args:
            crawl_id: The crawl that was begun.
            observations: Visits that ended, with the alias answers had in them.
            leads: Who named whom, in any order.
            answers: Further alias answers: (key of the server that answered, what it said).
            schedules: What to remember of servers, all of them met before or in this batch.
            spaces: What servers told of spaces: (key of the server that answered, what it said).
            asked: Aliases that were asked for, (key of their owner, alias).

        Raises:
            ValueError: the crawl is not the one begun, or a server was visited before in it; a fault of ours.
            StoreError: the file cannot be written; nothing of the batch is in it.
        """
        crawl = self._begun(crawl_id)
        forgotten = self.suppressed
        if forgotten.salt:
            observations = [
                forgotten.leave_out(seen) for seen in observations if not forgotten.has_server(seen.server_name)
            ]
            leads = [
                lead for lead in leads if not any(map(forgotten.has_key, filter(None, (lead.server, lead.named_by))))
            ]
            answers = [
                (owner, left)
                for owner, answer in answers
                if not forgotten.has_key(owner)
                for left in forgotten.answers_left([answer])
            ]
            spaces = [
                (owner, left)
                for owner, told in spaces
                if not forgotten.has_key(owner)
                for left in forgotten.spaces_left([told])
            ]
            schedules = [row for row in schedules if not forgotten.has_key(row.server)]
            asked = [(key, alias) for key, alias in asked if not forgotten.has_key(key)]
        try:
            batch = Batch(crawl_id, self._numbers, self._visited, self._answers)
            for seen in observations:
                batch.add_observation(seen)
            for lead in leads:
                batch.add_lead(lead)
            for owner, answer in answers:
                batch.add_answer(self._numbers.heard(owner), answer)
            for owner, told in spaces:
                batch.add_space(self._numbers.heard(owner), told)
            batch.add_new_servers()
            with transaction(self._connection, self._path):
                for answered, servers in batch.participants.items():
                    if answered in self._answers:
                        # The same server answered for the same room in an earlier batch, through another alias.
                        servers.difference_update(self._participants(crawl_id, self._answers[answered]))
                batch.add_participation()
                self._connection.execute(_FORGET_SUPPORT, [json.dumps(sorted(batch.support_heard))])
                for table, rows in batch.rows.items():
                    types = self._types[table]
                    insert_rows(self._connection, table, types, (tuple(row[c] for c in types) for row in rows))
                remember_servers(self._connection, self._numbers.heard, schedules)
                remember_aliases(self._connection, self._numbers.heard, crawl_id, asked)
                for number, spelling in self._numbers.respelled.items():
                    self._connection.execute(
                        "UPDATE server SET server_name = ? WHERE server_id = ?", [spelling, number]
                    )
        except BaseException:
            self._numbers.forget()
            raise
        self._numbers.keep(batch.visited)
        self._visited |= batch.visited
        self._answers |= batch.answers
        online = sum(seen.online for seen in observations)
        self._crawl = replace(crawl, servers=len(self._visited), online=(crawl.online or 0) + online)
        self._tell()

    def reused_keys(self, crawl_id: int) -> tuple[ReusedKey, ...]:
        """Key IDs that this crawl saw with another key than an earlier one did; see `keys.reused_keys`."""
        return reused_keys(self._connection, crawl_id)

    def seal(self, crawl_id: int, state: CrawlState, finished_at: datetime, report: Mapping[str, object]) -> Crawl:
        """End a crawl: count what it saw, say how it ended, and if it is completed turn what it saw into intervals; all
        in one transaction. Sealing a crawl again changes nothing.

        Args:
            crawl_id: The crawl.
            state: How it ended; not running.
            finished_at: When.
            report: What the crawl has to say of itself; goes into its row as JSON.

        Returns:
            The crawl as it is sealed.

        Raises:
            ValueError: there is no such crawl, or `state` is running.
            StoreError: the file cannot be written.
        """
        if state is CrawlState.RUNNING:
            raise ValueError("a seal says how a crawl ended")
        running = read_crawl(self._connection, crawl_id).state is CrawlState.RUNNING
        if running:
            with transaction(self._connection, self._path):
                seal(self._connection, crawl_id, state, finished_at, _json_text(report), self._journal_days)
        sealed = read_crawl(self._connection, crawl_id)
        if self._crawl is not None and self._crawl.id == crawl_id:
            self._crawl = sealed
            self._tell()
            self._crawl = None
            self._visited.clear()
            self._answers.clear()
        return sealed

    def _begun(self, crawl_id: int) -> Crawl:
        if self._crawl is None or self._crawl.id != crawl_id:
            raise ValueError(f"crawl {crawl_id} is not the one that was begun")
        return self._crawl

    def _participants(self, crawl_id: int, answer_id: int) -> Iterable[int]:
        rows = self._connection.execute(
            "SELECT server_id FROM seen_participation WHERE crawl_id = ? AND answer_id = ?", [crawl_id, answer_id]
        ).fetchall()
        return (int(number) for (number,) in rows)

    def _tell(self) -> None:
        if self._crawl is None:
            return
        # A crawl does not end because its news could not be told; a full disk will end it at the next batch.
        with suppress(StoreError):
            write_status(self._path, CrawlStatus(self._path.name, self._crawl, os.getpid(), self._now()))


def _json_text(value: object) -> str | None:
    """JSON that DuckDB takes. A lone surrogate (an odd byte of our own command line, a stranger's text in the report)
    would be escaped, which is JSON to Python and none to DuckDB, and must not cost a crawl its seal."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    return clean_text(text, len(text))


_KNOWN_NUMBERS = """
SELECT server_id, server_key, server_id IN (
    SELECT server_id FROM server_state UNION ALL SELECT server_id FROM visit
) FROM server
"""

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

_FORGET_SUPPORT = """
DELETE FROM support_contact WHERE server_id IN (SELECT unnest(from_json_strict($1, '["INTEGER"]')))
"""
