"""The one nursery of a crawl.

One loop owns the frontier and is the only one to speak to the writer; visitors only send it what they saw. So there is
no lock and no shared dict, and the end is explicit: nothing queued, nothing active. What is finished is committed
batch by batch; whatever ends the crawl, the rest is committed too and the crawl is sealed with how it ended.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, assert_never

import trio

from crawler.config import Settings
from crawler.engine import expand
from crawler.engine.frontier import Frontier
from crawler.engine.progress import Progress
from crawler.engine.rotation import is_turn
from crawler.engine.task import LookedUp, Outcome, Task, Visit, Visited
from crawler.model.crawl import Crawl, CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.names import ServerName, parse_server_name
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer
from crawler.store.writer import CensusWriter

BATCH = 200
"""Observations in one transaction."""

BATCH_S = 1.0
"""Longest time that something seen waits to be committed."""


Worker: TypeAlias = Callable[[Task], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crawl is asked to do."""

    seeds: tuple[ServerName, ...]
    scope: CrawlScope
    max_servers: int | None = None
    synthetic: bool = False
    identity: str | None = None
    crawler_version: str = "unknown"


class CrawlRun:
    """One crawl. `progress` may be read at any time; `stop()` ends it early, with everything seen kept."""

    def __init__(
        self, plan: Plan, settings: Settings, writer: CensusWriter, worker: Worker, now: Callable[[], datetime]
    ) -> None:
        self.progress = Progress()
        self._plan = plan
        self._settings = settings
        self._writer = writer
        self._worker = worker
        self._now = now
        self._frontier = Frontier(max_servers=plan.max_servers, alias_lookups=settings.limits.alias_lookups)
        self._scope = trio.CancelScope()
        self._crawl_id = 0
        self._observations: list[ServerObservation] = []
        self._leads: list[Lead] = []
        self._answers: list[tuple[str, AliasAnswer]] = []

    def stop(self) -> None:
        """End the crawl now; it will be sealed as cancelled."""
        self._scope.cancel()

    async def run(self, report: Callable[[Progress], dict[str, object]]) -> Crawl:
        """Crawl to the end and seal.

        Args:
            report: makes the crawl's report from its final progress.

        Returns:
            The sealed crawl: completed, or cancelled after `stop()`.
        """
        self._crawl_id = await trio.to_thread.run_sync(self._begin)
        state = CrawlState.FAILED
        try:
            with self._scope:
                await self._loop()
            state = CrawlState.CANCELLED if self._scope.cancelled_caught else CrawlState.COMPLETED
        finally:
            with trio.CancelScope(shield=True):
                crawl = await trio.to_thread.run_sync(self._seal, state, report)
        return crawl

    def _begin(self) -> int:
        crawl_id = self._writer.begin_crawl(
            scope=self._plan.scope,
            synthetic=self._plan.synthetic,
            settings_json=self._settings.to_json(),
            vantage=self._settings.vantage,
            identity=self._plan.identity,
            crawler_version=self._plan.crawler_version,
            started_at=self._now(),
        )
        for name in self._plan.seeds:
            self._hear(name, Lead(name.key, LeadSource.SEED))
        if self._plan.scope is CrawlScope.FULL:
            for raw in self._writer.known_servers():
                self._frontier.hear(parse_server_name(raw))
        return crawl_id

    async def _loop(self) -> None:
        limits = self._settings.limits
        done, inbox = trio.open_memory_channel[Outcome](limits.concurrency)
        async with trio.open_nursery() as nursery:
            last_commit = trio.current_time()
            while True:
                while self._frontier.active < limits.concurrency and (task := self._frontier.take()) is not None:
                    nursery.start_soon(self._work, task, done)
                self.progress.look_at(self._frontier)
                if self._frontier.finished:
                    return
                with trio.move_on_at(last_commit + BATCH_S):
                    self._digest(await inbox.receive())
                if len(self._observations) >= BATCH or trio.current_time() >= last_commit + BATCH_S:
                    await trio.to_thread.run_sync(self._commit)
                    last_commit = trio.current_time()

    async def _work(self, task: Task, done: trio.MemorySendChannel[Outcome]) -> None:
        await done.send(await self._worker(self._in_rotation(task)))

    def _in_rotation(self, task: Task) -> Task:
        if not isinstance(task, Visit):
            return task
        share = self._settings.politeness.close_look_share
        return replace(task, closely=is_turn(task.server.key, self._crawl_id, share))

    def _digest(self, outcome: Outcome) -> None:
        limit = self._settings.limits.leads_per_server
        match outcome:
            case Visited(seen, client_base):
                self._observations.append(seen)
                self.progress.count(seen)
                self._frontier.seen(seen, client_base)
                for name, lead in expand.named_by_visit(seen, limit):
                    self._hear(name, lead)
                for alias, owner, members in expand.foreign_aliases(seen):
                    self._frontier.hear_alias(alias, owner, members)
            case LookedUp(task, answers):
                self.progress.aliases_asked += len(task.aliases)
                self._frontier.looked_up(task)
                self._answers.extend((task.owner.key, answer) for answer in answers)
                for name, lead in expand.named_by_answers(task.owner, answers, limit):
                    self._hear(name, lead)
            case _:
                assert_never(outcome)

    def _hear(self, name: ServerName, lead: Lead) -> None:
        self._frontier.hear(name)
        self._leads.append(lead)
        self.progress.leads += 1

    def _commit(self) -> None:
        observations, leads, answers = self._observations, self._leads, self._answers
        self._observations, self._leads, self._answers = [], [], []
        if observations or leads or answers:
            self._writer.record(self._crawl_id, observations, leads, answers)

    def _seal(self, state: CrawlState, report: Callable[[Progress], dict[str, object]]) -> Crawl:
        self._commit()
        self.progress.look_at(self._frontier)
        self.progress.aliases_outstanding = self._frontier.aliases_outstanding
        return self._writer.seal(self._crawl_id, state, self._now(), report(self.progress))
