"""The desk where visitors ask for a check of a server, through the pages or the API.

Whoever asks makes this machine ask a stranger, so it is guarded as a crawl is (no special address, bounded answers) and
rationed, for all doors together: a visitor so many a minute, all visitors so many at once.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import partial

import trio

from crawler.engine.check import Checked, Checker, Memory, remember
from crawler.errors import StoreError, UsageError
from crawler.model.names import ServerName
from dashboard.data import CensusSource

CHECKS_A_MINUTE = 10
"""One visitor's ration."""
AT_ONCE = 8
"""Checks under way for all visitors together."""
MINUTE_S = 60.0
MOST_VISITORS = 10_000
"""Visitors remembered; the one not seen for longest is forgotten first."""


class Ration:
    """How many checks each visitor has had in the last minute."""

    def __init__(self, most: int = CHECKS_A_MINUTE) -> None:
        self._most = most
        self._visitors: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, visitor: str, now_s: float) -> float:
        """Take one of the visitor's checks.

        Returns:
            0 when there was one; else the seconds until there will be, and none is taken.
        """
        times = self._visitors.setdefault(visitor, deque(maxlen=self._most))
        self._visitors.move_to_end(visitor)
        if len(self._visitors) > MOST_VISITORS:
            self._visitors.popitem(last=False)
        if len(times) == self._most and now_s - times[0] < MINUTE_S:
            return MINUTE_S - (now_s - times[0])
        times.append(now_s)
        return 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a visitor gets no check: the HTTP status (400 no server name, 403 it opted out, 429 the ration is used up,
    503 it cannot be known who opted out), a sentence, and when to ask again."""

    status: int
    sentence: str
    retry_after_s: int | None = None


class Desk:
    """Where visitors ask for checks: one ration and one limit for every door."""

    def __init__(self, checker: Checker, source: CensusSource) -> None:
        self.checker = checker
        self._source = source
        self._ration = Ration()
        self._together = trio.CapacityLimiter(AT_ONCE)

    async def admit(self, server_name: str, visitor: str) -> ServerName | Refusal:
        """Whether this visitor may have this server looked at, which takes one of the ration."""
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
        wait_s = self._ration.wait_s(visitor, trio.current_time())
        if wait_s:
            return Refusal(429, "too many checks from your address", int(wait_s) + 1)
        return name

    async def check(self, name: ServerName) -> Checked:
        """Check a server now."""
        async with self._together:
            memory = await trio.to_thread.run_sync(partial(self._remember, name), limiter=self._source.limiter)
            return await self.checker.check(name, memory)

    def _remember(self, name: ServerName) -> Memory:
        try:
            with self._source.view() as view:
                return Memory() if view is None else remember(view.reader, name)
        except StoreError:
            return Memory()  # a census that cannot be read keeps nobody from looking now
