"""How fast one address may be asked. Many server names share an address, and what its machine feels is their sum.

Each address has a few slots. An exchange takes one, and when it completes, the slot rests for `concurrency /
rate_per_s` seconds: the rate is never above `rate_per_s`, and falls by itself when a server answers slowly. Addresses
are forgotten once they have rested, so memory follows what is being asked now, not what was ever asked.

Where several processes crawl, an address's slots are lent among them: `lending` and `borrowing`.
"""

from heapq import heappop, heappush
from types import TracebackType

import trio

from crawler.net.traffic import Traffic

FIRST_SWEEP = 1024
"""Addresses remembered before those that have rested are forgotten; afterwards at each doubling, so that the sweeps'
cost is constant for each new address, however many addresses are in use."""


class Pacer:
    """Turns for resolved addresses: before connect rules, since the pace is the named machine's, not a listener's."""

    def __init__(self, concurrency: int, rate_per_s: float, traffic: Traffic | None = None) -> None:
        self._concurrency = concurrency
        self._rest_s = concurrency / rate_per_s
        self._traffic = traffic or Traffic()
        self._lanes: dict[str, Lane] = {}
        self._sweep_at = FIRST_SWEEP

    def __len__(self) -> int:
        """Addresses remembered."""
        return len(self._lanes)

    def turn(self, address: str) -> "Turn":
        """Wait for a slot of `address`, hold it over the `async with` block, let it rest afterwards. First come, first
        served."""
        return Turn(self, self._lane(address))

    def rest(self, address: str, seconds: float) -> None:
        """Begin no exchange with `address` for `seconds` from now: it said that we ask too much."""
        lane = self._lane(address)
        lane.rest_until = max(lane.rest_until, trio.current_time() + seconds)

    async def take(self, lane: "Lane") -> float:
        """Wait for a slot of a lane and until it has rested. Returns since when it was ready."""
        asked_at = trio.current_time()
        has_to_wait = not lane.is_free(asked_at)
        lane.users += 1
        try:
            await lane.slot()
        except BaseException:
            lane.users -= 1
            raise
        ready_at = heappop(lane.ready_at)
        try:
            # No event: time itself is waited for, again when `rest` moved it on meanwhile
            while (until := max(ready_at, lane.rest_until)) > trio.current_time():  # noqa: ASYNC110 - see above
                await trio.sleep_until(until)
        except BaseException:
            self.put_back(lane, ready_at)
            raise
        if has_to_wait:  # else what passed is our own loop's lag
            self._traffic.polite_wait_s += trio.current_time() - asked_at
        return ready_at

    def completed(self, lane: "Lane") -> None:
        """An exchange is over: its slot rests."""
        self.put_back(lane, trio.current_time() + self._rest_s)

    def put_back(self, lane: "Lane", ready_at: float) -> None:
        """Whoever held a slot has it no longer."""
        lane.users -= 1
        heappush(lane.ready_at, ready_at)
        lane.slots.release()

    def _lane(self, address: str) -> "Lane":
        lane = self._lanes.get(address)
        if lane is None:
            if len(self._lanes) >= self._sweep_at:
                self._sweep()
            lane = self._lanes[address] = self._new_lane(address)
        return lane

    def _new_lane(self, address: str) -> "Lane":
        return Lane(address, self._concurrency)

    def _sweep(self) -> None:
        now = trio.current_time()
        self._lanes = {address: lane for address, lane in self._lanes.items() if not lane.is_rested(now)}
        self._sweep_at = max(FIRST_SWEEP, 2 * len(self._lanes))


class Turn:
    """One turn at an address. A class, since there is one for each exchange and a generator costs three times more."""

    __slots__ = ("_lane", "_pacer")

    def __init__(self, pacer: Pacer, lane: "Lane") -> None:
        self._pacer = pacer
        self._lane = lane

    async def __aenter__(self) -> None:
        await self._pacer.take(self._lane)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pacer.completed(self._lane)


class Lane:
    """The slots of one address: `ready_at` has one entry for each slot that is here and that nobody holds."""

    __slots__ = ("address", "ready_at", "rest_until", "slots", "users")

    def __init__(self, address: str, slots: int) -> None:
        self.address = address
        self.slots = trio.Semaphore(slots)
        self.ready_at: list[float] = [float("-inf")] * slots
        self.rest_until = float("-inf")
        self.users = 0

    def is_free(self, now: float) -> bool:
        """Whether a slot is ready, so that whoever comes now does not wait."""
        return bool(self.slots.value) and max(self.ready_at[0], self.rest_until) <= now

    async def slot(self) -> None:
        """Wait for a slot. Not a checkpoint where one is free: the exchange that follows is one."""
        if self.slots.value:
            self.slots.acquire_nowait()
        else:
            await self.slots.acquire()

    def is_rested(self, now: float) -> bool:
        return not self.users and max((self.rest_until, *self.ready_at)) <= now
