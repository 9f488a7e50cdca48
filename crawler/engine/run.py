"""The one nursery of a crawl.

One loop owns the frontier and is the only one to speak to the writer; visitors only send it what they saw. So there is
no lock and no shared dict, and the end is explicit: nothing queued, nothing active. What is finished is committed
batch by batch; whatever ends the crawl, the rest is committed too and the crawl is sealed with how it ended.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias, assert_never

import trio

from crawler.config import Settings
from crawler.engine import expand
from crawler.engine.canary import Canary, Throttle
from crawler.engine.frontier import NOTHING_REMEMBERED, Frontier
from crawler.engine.plan import Plan
from crawler.engine.progress import Progress
from crawler.engine.resume import remembered_before, restore_frontier, restore_progress
from crawler.engine.rotation import is_turn
from crawler.engine.schedule import after_visit
from crawler.engine.task import Explored, LookedUp, Outcome, Task, Visit, Visited
from crawler.engine.uncommitted import Uncommitted
from crawler.errors import CensusError
from crawler.model.crawl import Crawl, CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.names import ServerName, parse_server_name
from crawler.model.schedule import Remembered
from crawler.protocol.memory import Memory
from crawler.store.writer import CensusWriter

BATCH_S = 2.0
"""Longest time that something seen waits to be committed."""


Worker: TypeAlias = Callable[[Task], Awaitable[Outcome]]


class CrawlRun:
    """One crawl. `progress` may be read at any time; `stop()` ends it early, with everything seen kept."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        writer: CensusWriter,
        worker: Worker,
        now: Callable[[], datetime],
        canary: Canary | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.progress = Progress()
        self._plan = plan
        self._settings = settings
        self._writer = writer
        self._worker = worker
        self._now = now
        self._canary = canary
        self._frontier = Frontier(settings.limits, started_at=now())
        self._remembered = NOTHING_REMEMBERED
        self._own_aliases_outstanding = 0
        self._throttle = Throttle(settings.limits, settings.liveness)
        self._scope = trio.CancelScope()
        self._crawl_id = 0
        self._uncommitted = Uncommitted()
        self._memory = memory

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
        await trio.to_thread.run_sync(self._begin)
        state = CrawlState.FAILED
        try:
            with self._scope:
                await self._loop()
            state = CrawlState.CANCELLED if self._scope.cancelled_caught else CrawlState.COMPLETED
        finally:
            self._take_remembered()
            with trio.CancelScope(shield=True):
                crawl = await trio.to_thread.run_sync(self._seal, state, report)
        return crawl

    def _begin(self) -> None:
        self.progress.began_at = self._now()
        if self._plan.resumes is None:
            self._begin_new(self.progress.began_at)
        else:
            self._resume(self._plan.resumes)
        self._hear_known()
        self.progress.crawl_id = self._crawl_id

    def _begin_new(self, started_at: datetime) -> None:
        self._crawl_id = self._writer.begin_crawl(
            scope=self._plan.scope,
            synthetic=self._plan.synthetic,
            settings_json=self._plan.settings_json(self._settings),
            vantage=self._settings.vantage,
            identity=self._plan.identity,
            crawler_version=self._plan.crawler_version,
            started_at=started_at,
        )
        self._remembered = self._writer.remembered()
        self._frontier = self._new_frontier(started_at, self._remembered)
        for name, source in self._plan.seeds:
            self._hear(name, Lead(name.key, source), insisted=self._plan.insists)
        submitted = self._writer.submitted()
        for name in submitted.names:
            self._hear(name, Lead(name.key, LeadSource.SUBMITTED))
        # The seeds are all that a crawl which is killed at once has to go on with.
        self._commit()
        self._writer.drop_submitted(submitted)

    def _resume(self, crawl_id: int) -> None:
        past = self._writer.resume_crawl(crawl_id, self._plan.crawler_version)
        remembered = self._writer.remembered()
        self._remembered = remembered_before(past, remembered)
        self._frontier = self._new_frontier(past.crawl.started_at, self._remembered)
        restore_frontier(self._frontier, past, remembered, insists=self._plan.insists)
        restore_progress(self.progress, past, remembered)
        self.progress.past_sittings = past.sittings
        self._own_aliases_outstanding = past.counts.sums["aliases_outstanding"]
        self._crawl_id = crawl_id

    def _new_frontier(self, started_at: datetime, remembered: Remembered) -> Frontier:
        return Frontier(
            self._settings.limits,
            started_at=started_at,
            max_servers=self._plan.max_servers,
            remembered=remembered,
            has_opted_out=self._is_left_out,
            explores=self._plan.identity is not None,
        )

    def _hear_known(self) -> None:
        if self._plan.scope is CrawlScope.LIMITED:
            return
        known = [parse_server_name(raw) for raw in self._writer.known_servers()]
        # Those looked at longest ago first, so that the names of a full group take turns over the crawls.
        known.sort(key=lambda name: _tried_at(self._remembered, name))
        for name in known:
            self._frontier.hear(name)

    def _is_left_out(self, name: ServerName) -> bool:
        return self._plan.opt_outs.has_server(name) or self._writer.suppressed.has_server(name)

    async def _loop(self) -> None:
        done, inbox = trio.open_memory_channel[Outcome](self._settings.limits.concurrency)
        async with trio.open_nursery() as nursery:
            if self._canary is not None:
                nursery.start_soon(self._canary.watch)
            last_commit = trio.current_time()
            while True:
                self._look_after_ourselves()
                while not self.progress.paused and (task := self._frontier.take()) is not None:
                    nursery.start_soon(self._work, task, done)
                self.progress.look_at(self._frontier)
                if self._frontier.finished:
                    nursery.cancel_scope.cancel()
                    return
                with trio.move_on_at(last_commit + BATCH_S):
                    self._digest(await inbox.receive())
                    with suppress(trio.WouldBlock):
                        while not self._uncommitted.is_full:
                            self._digest(inbox.receive_nowait())
                if self._uncommitted.is_full or trio.current_time() >= last_commit + BATCH_S:
                    self._take_remembered()
                    await trio.to_thread.run_sync(self._commit)
                    last_commit = trio.current_time()

    def _look_after_ourselves(self) -> None:
        """Pause while our network is down; take less on while our event loop lags or answers are slow.

        Raises:
            CensusError: it has been down for too long.
        """
        if self._canary is None:
            return
        liveness = self._settings.liveness
        down_s = self._canary.down_for_s()
        self.progress.paused = "" if down_s is None else f"nothing has come in for {down_s:.0f} s: is our network down?"
        if down_s is not None and down_s > liveness.outage_max_s:
            raise CensusError(
                f"nothing has come in for {down_s:.0f} s, from nobody: the network of this machine seems down. What "
                "was seen is kept; start again when it works"
            )
        now = trio.current_time()
        if self._throttle.is_due(now):
            share = self._throttle.allowed(self._canary.late_s(), now)
            self._frontier.slow_down(share, is_fit=self._canary.is_fit(self._settings.limits))

    async def _work(self, task: Task, done: trio.MemorySendChannel[Outcome]) -> None:
        outcome = await self._worker(self._as_set(task))
        try:
            done.send_nowait(outcome)
        except trio.WouldBlock:
            await done.send(outcome)

    def _as_set(self, task: Task) -> Task:
        """What a task has of the settings."""
        if not isinstance(task, Visit):
            return task
        politeness = self._settings.politeness
        closely = is_turn(task.server.key, self._crawl_id, politeness.close_look_share)
        return replace(task, closely=closely, asks_robots=politeness.robots_txt)

    def _digest(self, outcome: Outcome) -> None:
        limit = self._settings.limits.leads_per_server
        match outcome:
            case Visited():
                verdict = self._frontier.seen(outcome)
                if verdict is None:
                    return
                self._remember(verdict)
                seen = self._writer.suppressed.leave_out(self._plan.opt_outs.leave_out(verdict.observation))
                self._uncommitted.add(seen)
                self.progress.count(seen)
                for name, lead in expand.named_by_visit(seen, limit):
                    self._hear(name, lead)
                for alias, owner, members in expand.foreign_aliases(seen):
                    self._frontier.hear_alias(alias, owner, members)
            case LookedUp(task, answers, _):
                asked = task.aliases[: len(task.aliases) - outcome.left]
                self.progress.aliases_asked += len(asked)
                self._uncommitted.asked.extend((task.owner.key, alias) for alias in asked)
                self._frontier.looked_up(task)
                answers = self._writer.suppressed.answers_left(self._plan.opt_outs.answers_left(answers))
                self._uncommitted.answers.extend((task.owner.key, answer) for answer in answers)
                for name, lead in expand.named_by_answers(task.owner, answers, limit):
                    self._hear(name, lead)
            case Explored(exploration, told):
                told = self._writer.suppressed.spaces_left(told)
                self._frontier.explored(exploration, told)
                self._uncommitted.spaces.extend((exploration.server.key, answer) for answer in told)
                self.progress.spaces += len(told)
                for name, lead in expand.named_by_spaces(exploration.server, told, limit):
                    self._hear(name, lead)
            case _:
                assert_never(outcome)

    def _remember(self, visited: Visited) -> None:
        seen = visited.observation
        before = self._remembered.servers.get(seen.server_name.key)
        after = after_visit(before, visited, self._now(), self._settings.limits.retry_after_max_s)
        self._uncommitted.schedules.append(after)
        self.progress.lives[after.life] += 1
        if visited.robots is not None:
            self.progress.robots[visited.robots] += 1
        self._own_aliases_outstanding += seen.aliases_outstanding
        self._uncommitted.asked.extend((seen.server_name.key, alias) for alias in visited.asked)

    def _hear(self, name: ServerName, lead: Lead, *, insisted: bool = False) -> None:
        self._frontier.hear(name, insisted=insisted)
        self._uncommitted.leads.append(lead)
        self.progress.leads += 1

    def _take_remembered(self) -> None:
        # Here and not in the thread that commits: visits go on keeping answers meanwhile.
        if self._memory is not None:
            self._uncommitted.heard += self._memory.take_new()

    def _commit(self) -> None:
        seen, self._uncommitted = self._uncommitted, Uncommitted()
        seen.commit(self._writer, self._crawl_id)

    def _seal(self, state: CrawlState, report: Callable[[Progress], dict[str, object]]) -> Crawl:
        self._commit()
        for reused in self._writer.reused_keys(self._crawl_id):
            self.progress.keys_reused.setdefault(reused.server_name, []).append(reused.key_id)
        self.progress.look_at(self._frontier)
        groups = self._frontier.guarded_groups
        self.progress.guarded_groups = {f"{group.kind} {group.value}": count for group, count in groups.items()}
        self.progress.aliases_outstanding = self._own_aliases_outstanding + self._frontier.aliases.outstanding
        self.progress.phase_times = self._writer.phase_times(self._crawl_id)
        self.progress.ended_at = self._now()
        return self._writer.seal(
            self._crawl_id,
            state,
            self.progress.ended_at,
            report(self.progress),
            journal_days=self._settings.history.journal_days,
        )


def _tried_at(remembered: Remembered, name: ServerName) -> datetime:
    before = remembered.servers.get(name.key)
    return datetime.min.replace(tzinfo=UTC) if before is None else before.tried_at
