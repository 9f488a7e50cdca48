"""How fast one address may be asked. Many server names share an address, and what its machine feels is their sum.

Each address has a few slots. An exchange takes one, and when it completes, the slot rests for `concurrency /
rate_per_s` seconds: the rate is never above `rate_per_s`, and falls by itself when a server answers slowly. Addresses
are forgotten once they have rested, so memory follows what is being asked now, not what was ever asked.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush

import trio

from crawler.net.traffic import Traffic

_FIRST_SWEEP = 1024


class Pacer:
    """Turns for resolved addresses: before connect rules, since the pace is the named machine's, not a listener's."""

    def __init__(self, concurrency: int, rate_per_s: float, traffic: Traffic | None = None) -> None:
        self._concurrency = concurrency
        self._rest_s = concurrency / rate_per_s
        self._traffic = traffic or Traffic()
        self._lanes: dict[str, _Lane] = {}
        self._sweep_at = _FIRST_SWEEP

    def __len__(self) -> int:
        """Addresses remembered."""
        return len(self._lanes)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a slot of `address`, hold it over the body, let it rest afterwards. First come, first served."""
        lane = self._lane(address)
        asked_at = trio.current_time()
        has_to_wait = not lane.is_free(asked_at)
        lane.users += 1
        try:
            async with lane.slots:
                await lane.rest_is_over()
                if has_to_wait:  # else what passed is our own loop's lag
                    self._traffic.polite_wait_s += trio.current_time() - asked_at
                try:
                    yield
                finally:
                    heappush(lane.ready_at, trio.current_time() + self._rest_s)
        finally:
            lane.users -= 1

    def rest(self, address: str, seconds: float) -> None:
        """Begin no exchange with `address` for `seconds` from now: it said that we ask too much."""
        lane = self._lane(address)
        lane.rest_until = max(lane.rest_until, trio.current_time() + seconds)

    def _lane(self, address: str) -> "_Lane":
        lane = self._lanes.get(address)
        if lane is None:
            if len(self._lanes) >= self._sweep_at:
                self._sweep()
            lane = self._lanes[address] = _Lane(self._concurrency)
        return lane

    def _sweep(self) -> None:
        now = trio.current_time()
        self._lanes = {address: lane for address, lane in self._lanes.items() if not lane.is_rested(now)}
        # Doubling makes the sweeps' cost constant for each new address, however many addresses are in use.
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._lanes))


class _Lane:
    """The slots of one address: `ready_at` has one entry for each slot that nobody holds."""

    __slots__ = ("ready_at", "rest_until", "slots", "users")

    def __init__(self, concurrency: int) -> None:
        self.slots = trio.Semaphore(concurrency)
        self.ready_at: list[float] = [float("-inf")] * concurrency
        self.rest_until = float("-inf")
        self.users = 0

    def is_free(self, now: float) -> bool:
        """Whether a slot is ready, so that whoever comes now does not wait."""
        return bool(self.slots.value) and max(self.ready_at[0], self.rest_until) <= now

    async def rest_is_over(self) -> None:
        """Take the slot that was ready first, and wait until it, and the address as a whole, has rested."""
        ready_at = heappop(self.ready_at)
        try:
            # No event: time itself is waited for, again when `rest` moved it on meanwhile
            while (until := max(ready_at, self.rest_until)) > trio.current_time():  # noqa: ASYNC110 - see above
                await trio.sleep_until(until)
        except BaseException:
            heappush(self.ready_at, ready_at)
            raise

    def is_rested(self, now: float) -> bool:
        return not self.users and max(self.rest_until, *self.ready_at) <= now
