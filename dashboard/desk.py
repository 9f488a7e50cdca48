"""The desk where visitors ask for a check of a server, through the pages or the API.

Whoever asks makes this machine ask a stranger, so it is guarded as a crawl is (no special address, bounded answers) and
rationed, for all doors together: a visitor so many a minute, all visitors so many at once.
"""

from collections import OrderedDict, deque
from functools import partial

import trio

from crawler.engine.check import Checked, Checker, Memory, remember
from crawler.errors import StoreError
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


class Desk:
    """Where visitors ask for checks: one ration and one limit for every door."""

    def __init__(self, checker: Checker, source: CensusSource) -> None:
        self.checker = checker
        self._source = source
        self._ration = Ration()
        self._together = trio.CapacityLimiter(AT_ONCE)

    def wait_s(self, visitor: str) -> float:
        """Seconds until this visitor may ask; 0 takes one of the ration."""
        return self._ration.wait_s(visitor, trio.current_time())

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
