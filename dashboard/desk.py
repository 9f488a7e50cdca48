"""The desk where visitors ask for something to be done about a server, through the pages or the API: a check of it now,
or that the next crawl looks at it.

Whoever asks makes this machine ask a stranger, so it is guarded as a crawl is (no special address, bounded answers) and
rationed, for all doors together: a visitor so many a minute, all visitors so many at once; of names to be crawled all
visitors together so many a day.
"""

from dataclasses import dataclass
from functools import partial

import trio

from crawler.engine.check import Checked, Checker, Memory, remember
from crawler.errors import StoreError, UsageError
from crawler.model.names import ServerName
from crawler.store.submissions import submit
from dashboard.data import CensusSource
from dashboard.ration import Ration, visitor_of

CHECKS_A_MINUTE = 10
"""One visitor's ration of checks; names to be crawled have one of their own, as large."""
AT_ONCE = 8
"""Checks under way for all visitors together."""
SUBMISSIONS_A_DAY = 1000
"""Names to be crawled that are taken in from all visitors together."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a visitor gets nothing: the HTTP status (400 no server name, 403 it opted out, 429 the ration is used up,
    503 it cannot be known who opted out, or nothing can be taken in), a sentence, and when to ask again."""

    status: int
    sentence: str
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A name that was submitted. `known`: the census shown has heard of it already, so nothing had to be left for the
    next crawl."""

    name: ServerName
    known: bool


class Desk:
    """Where visitors ask: one ration and one limit for every door."""

    def __init__(self, checker: Checker, source: CensusSource) -> None:
        self.checker = checker
        self._source = source
        self._checks = Ration(CHECKS_A_MINUTE)
        self._submissions = Ration(CHECKS_A_MINUTE)
        self._all_submissions = Ration(SUBMISSIONS_A_DAY, DAY_S)
        self._together = trio.CapacityLimiter(AT_ONCE)

    async def admit(self, server_name: str, visitor: str) -> ServerName | Refusal:
        """Whether this visitor may have this server looked at, which takes one of the ration."""
        return await self._admit(server_name, visitor, self._checks, "checks")

    async def _admit(self, server_name: str, visitor: str, ration: Ration, what: str) -> ServerName | Refusal:
        try:
            name = self.checker.parse(server_name)
        except UsageError as error:
            return Refusal(400, str(error))
        try:
            opt_outs = await trio.to_thread.run_sync(self.checker.opt_outs, limiter=self._source.limiter)
        except UsageError:
            return Refusal(503, "the opt-out list of this census cannot be read; no server is looked at until it can")
        if opt_outs.has_server(name):
            return Refusal(403, f"{name} opted out: no census counts it, and it is not looked at from here")
        wait_s = ration.wait_s(visitor_of(visitor), trio.current_time())
        if wait_s:
            return Refusal(429, f"too many {what} from your address", int(wait_s) + 1)
        return name

    async def check(self, name: ServerName) -> Checked:
        """Check a server now."""
        async with self._together:
            memory = await trio.to_thread.run_sync(partial(self._remember, name), limiter=self._source.limiter)
            return await self.checker.check(name, memory)

    async def submit(self, server_name: str, visitor: str) -> Taken | Refusal:
        """Leave a server name for the next crawl; one that the census shown knows already is not left again."""
        name = await self._admit(server_name, visitor, self._submissions, "names")
        if isinstance(name, Refusal):
            return name
        if await trio.to_thread.run_sync(partial(self._is_known, name), limiter=self._source.limiter):
            return Taken(name, known=True)
        wait_s = self._all_submissions.wait_s("", trio.current_time())
        if wait_s:
            return Refusal(429, "as many names as this census takes in a day were submitted today", int(wait_s) + 1)
        try:
            await trio.to_thread.run_sync(partial(submit, self._source.census, name), limiter=self._source.limiter)
        except StoreError:
            return Refusal(503, "nothing can be taken in at the moment; whoever runs this census has to make room")
        return Taken(name, known=False)

    def _is_known(self, name: ServerName) -> bool:
        try:
            with self._source.view() as view:
                return view is not None and view.reader.knows(name.key)
        except StoreError:
            return False

    def _remember(self, name: ServerName) -> Memory:
        try:
            with self._source.view() as view:
                return Memory() if view is None else remember(view.reader, name)
        except StoreError:
            return Memory()  # a census that cannot be read keeps nobody from looking now
