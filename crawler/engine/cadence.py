"""When which crawl is due. Pure: the clock is handed in, the dice are injected and seeded.

Each kind of crawl has a grid of slots, one every interval; a crawl begins at its slot, up to the jitter later, so that
many watches do not knock at the same servers in the same minute. The grid goes on from the last crawl of that kind that
completed, so that a restart crawls nobody twice. A slot that passes while another crawl runs is let go, unless that one
is less important: then it is late.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.model.crawl import CrawlScope


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of crawl that is repeated. A limited one visits at most `max_servers`."""

    scope: CrawlScope
    every: timedelta
    max_servers: int | None = None


class Cadence:
    """The slots of all kinds. Of two that are due the one named first begins.

    Args:
        kinds: what is repeated, the most important first.
        jitter: at most so much after its slot does a crawl begin.
        last: when the last completed crawl of a scope began; absent: there was none, and it is due at once.
        now: the time at the start.
        dice: for the jitter.
    """

    def __init__(
        self,
        kinds: tuple[Kind, ...],
        jitter: timedelta,
        last: dict[CrawlScope, datetime],
        now: datetime,
        dice: random.Random,
    ) -> None:
        self._jitter = jitter
        self._dice = dice
        self._slots = {kind: max(last[kind.scope] + kind.every, now) if kind.scope in last else now for kind in kinds}
        self._starts = {kind: self._later(slot) if slot > now else slot for kind, slot in self._slots.items()}

    def next(self) -> tuple[Kind, datetime]:
        """What begins next, and when."""
        kind = min(self._starts, key=lambda kind: self._starts[kind])  # of equals the first named
        return kind, self._starts[kind]

    def starts(self) -> dict[Kind, datetime]:
        """When each kind begins next."""
        return dict(self._starts)

    def begins(self, kind: Kind, now: datetime) -> None:
        """A crawl of `kind` begins; that uses its slot up, unless it begins before it."""
        if self._slots[kind] <= now:
            self._move(kind)

    def let_go(self, ran: Kind, now: datetime) -> int:
        """Leave out the slots that passed while a crawl of kind `ran` was running. Returns how many they were."""
        order = list(self._slots)
        passed = 0
        for kind in order:
            is_late = order.index(kind) < order.index(ran)
            while self._slots[kind] + (kind.every if is_late else timedelta()) <= now:
                self._move(kind)
                passed += 1
            if is_late and self._slots[kind] <= now:
                self._starts[kind] = now
        return passed

    def _move(self, kind: Kind) -> None:
        self._slots[kind] += kind.every
        self._starts[kind] = self._later(self._slots[kind])

    def _later(self, slot: datetime) -> datetime:
        return slot + self._jitter * self._dice.random()
