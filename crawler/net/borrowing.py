"""A pacer whose slots are lent to it: one of several processes that together keep the pace of every address.

The other end of `lending`; what both say travels through whoever runs the process.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import assert_never

import trio

from crawler.net.lending import Ask, FromBorrower, Lend, Recall, Rest, Return, ToBorrower
from crawler.net.pacing import FIRST_SWEEP, Lane, Pacer
from crawler.net.traffic import Traffic


class _BorrowedLane(Lane):
    """`held` counts the slots that are here, in use or not; `recalled` those of them that are wanted back; `asked`,
    whether a question for more is under way."""

    __slots__ = ("asked", "held", "recalled")

    def __init__(self, address: str) -> None:
        super().__init__(address, 0)
        self.held = 0
        self.recalled = 0
        self.asked = False


class BorrowingPacer(Pacer):
    """Turns like any `Pacer`'s.

    Args:
        say: sends the lender a message; must not block.
    """

    def __init__(
        self, concurrency: int, rate_per_s: float, say: Callable[[FromBorrower], None], traffic: Traffic | None = None
    ) -> None:
        super().__init__(concurrency, rate_per_s, traffic)
        self._say = say

    def rest(self, address: str, seconds: float) -> None:
        super().rest(address, seconds)
        self._say(Rest(address, seconds))

    async def take(self, lane: Lane) -> float:
        if not lane.is_free(trio.current_time()):
            self._ask(lane)
        return await super().take(lane)

    def put_back(self, lane: Lane, ready_at: float) -> None:
        if not isinstance(lane, _BorrowedLane) or not lane.recalled:
            super().put_back(lane, ready_at)
            return
        lane.users -= 1
        lane.recalled -= 1
        self._return(lane, [ready_at])
        if lane.slots.statistics().tasks_waiting:
            self._ask(lane)

    def heard(self, message: ToBorrower) -> None:
        """What the lender says."""
        lane = self._lanes.get(message.address)
        if not isinstance(lane, _BorrowedLane):
            return  # returned whole, and crossed by this on the way
        match message:
            case Lend(_, rests_s, address_rest_s):
                now = trio.current_time()
                lane.asked = False
                lane.rest_until = max(lane.rest_until, now + address_rest_s)
                lane.held += len(rests_s)
                for rest_s in rests_s:
                    heappush(lane.ready_at, now + rest_s)
                    lane.slots.release()
                if lane.slots.statistics().tasks_waiting:
                    self._ask(lane)
            case Recall():
                if lane.slots.value:
                    lane.slots.acquire_nowait()
                    self._return(lane, [heappop(lane.ready_at)])
                elif lane.held > lane.recalled:
                    lane.recalled += 1
            case Rest(_, seconds):
                lane.rest_until = max(lane.rest_until, trio.current_time() + seconds)
            case _:
                assert_never(message)

    def _new_lane(self, address: str) -> Lane:
        return _BorrowedLane(address)

    def _ask(self, lane: Lane) -> None:
        if isinstance(lane, _BorrowedLane) and not lane.asked and lane.held < self._concurrency:
            lane.asked = True
            self._say(Ask(lane.address))

    def _return(self, lane: _BorrowedLane, ready_at: list[float]) -> None:
        now = trio.current_time()
        lane.held -= len(ready_at)
        self._say(Return(lane.address, tuple(max(0.0, at - now) for at in ready_at)))

    def _sweep(self) -> None:
        now = trio.current_time()
        for address, lane in list(self._lanes.items()):
            if isinstance(lane, _BorrowedLane) and not lane.asked and lane.is_rested(now):
                del self._lanes[address]
                if lane.held:
                    self._return(lane, lane.ready_at)
        self._sweep_at = max(FIRST_SWEEP, 2 * len(self._lanes))
