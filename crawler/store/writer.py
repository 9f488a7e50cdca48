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
from operator import itemgetter
from pathlib import Path

from crawler.errors import StoreError
from crawler.model.crawl import Crawl, CrawlScope, CrawlState, Lead
from crawler.model.observation import ServerObservation
from crawler.model.past import Past
from crawler.model.rooms import AliasAnswer, SpaceAnswer
from crawler.model.schedule import ServerSchedule
from crawler.protocol.json_body import clean_text
from crawler.store.batch import Answered, Batch
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, transaction, within_memory, without_checkpoint
from crawler.store.crawls import read_crawl, series_of
from crawler.store.held import HeldCensus, locked_and_open
from crawler.store.insert import column_types, insert_rows
from crawler.store.journal import JOURNAL_DAYS
from crawler.store.lock import FileLock
from crawler.store.numbers import ServerNumbers
from crawler.store.resume import answer_numbers, read_past, reopen, visited_numbers
from crawler.store.schedule import remember_aliases, remember_servers
from crawler.store.seal import seal
from crawler.store.status import CrawlStatus, write_status

_VANTAGE = 255
"""Characters of the name of a vantage."""

_TABLES = (
    "server", "visit", "attempt", "resolution_step", "endpoint", "address_look", "lead", "support_contact",
    "space_child", "unlisted_room",
    "seen_server", "seen_listing", "seen_answer", "seen_participation", "seen_space",
    "server_schedule", "alias_schedule",
)  # fmt: skip


class CensusWriter(HeldCensus):
    """Holds the census file open and locked until `close`. Use as a context manager."""

    def __init__(self, path: Path, lock: FileLock, connection: Connection, now: Now) -> None:
        super().__init__(path, lock, connection, now)
        self._types = {table: column_types(connection, table) for table in _TABLES}
        self._numbers = ServerNumbers(connection.execute(_KNOWN_NUMBERS).fetchall())
        self._visited: set[int] = set()
        self._answers: dict[Answered, int] = {}

    @classmethod
    def open(cls, path: Path, *, now: Now = utc_now) -> "CensusWriter":
        """Open or make a census file, and bring it to the schema of this program.

        Args:
            path: The census file; its folder is made if need be.
            now: The time of day, for the record of migrations and the status.

        Raises:
            CensusLockedError: another process has it.
            SchemaTooNewError: a newer program wrote it.
            StoreError: it is no census, or cannot be written.
        """
        with locked_and_open(path, now) as (lock, connection):
            return cls(path, lock, connection, now)

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
        has_key = self.suppressed.has_key
        schedules = [row for row in schedules if not has_key(row.server)]
        asked = [(key, alias) for key, alias in asked if not has_key(key)]
        try:
            batch = Batch(crawl_id, self._numbers, self._visited, self._answers, self.suppressed)
            for seen in observations:
                batch.add_observation(seen)
            for lead in leads:
                batch.add_lead(lead)
            for owner, answer in answers:
                batch.add_answer(owner, answer)
            for owner, told in spaces:
                batch.add_space(owner, told)
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
                    insert_rows(self._connection, table, types, map(itemgetter(*types), rows))
                heard = self._numbers.heard
                remember_servers(self._connection, self._types["server_schedule"], heard, schedules)
                remember_aliases(self._connection, self._types["alias_schedule"], heard, crawl_id, asked)
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
        self._crawl = replace(crawl, servers=len(self._visited), online=(crawl.online or 0) + batch.online)
        self._tell()

    def seal(
        self,
        crawl_id: int,
        state: CrawlState,
        finished_at: datetime,
        report: Mapping[str, object],
        *,
        journal_days: int = JOURNAL_DAYS,
    ) -> Crawl:
        """End a crawl: count what it saw, say how it ended, and if it is completed turn what it saw into intervals; all
        in one transaction. Sealing a crawl again changes nothing.

        Args:
            crawl_id: The crawl.
            state: How it ended; not running.
            finished_at: When.
            report: What the crawl has to say of itself; goes into its row as JSON.
            journal_days: How long what crawls attempted is kept after they ended; older journals are summarised now.

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
            connection, path = self._connection, self._path
            with without_checkpoint(connection), within_memory(connection, path), transaction(connection, path):
                seal(connection, crawl_id, state, finished_at, _json_text(report), journal_days)
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

_FORGET_SUPPORT = """
DELETE FROM support_contact WHERE server_id IN (SELECT unnest(from_json_strict($1, '["INTEGER"]')))
"""
