"""The pace of an address where several processes crawl: its slots (`pacing`) are lent among them. Pure.

The lender owns the slots of every address. A process borrows when it first wants one, keeps what it has for as long as
nobody else asks, and rests its slots itself; so there is one question for an address and a process, not one for each
exchange. When another process asks, slots are called back from whoever has most, and come with the rest that they
still need. Whatever happens, an address never has more slots than it would have in one process. The slots of a process
that died come home as if just used.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from crawler.net.pacing import FIRST_SWEEP


@dataclass(frozen=True, slots=True)
class Ask:
    """A process wants slots of an address. One question at a time for each address."""

    address: str


@dataclass(frozen=True, slots=True)
class Return:
    """Slots come home; each still has to rest so long. Durations, since clocks of two processes cannot be compared."""

    address: str
    rests_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """The address is to be left alone for so long: it said so (429)."""

    address: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Lend:
    """Slots for a process; each still has to rest so long, and the address as a whole, too."""

    address: str
    rests_s: tuple[float, ...]
    address_rest_s: float


@dataclass(frozen=True, slots=True)
class Recall:
    """One slot is wanted back, as soon as the exchange that holds it is over."""

    address: str


FromBorrower: TypeAlias = Ask | Return | Rest
ToBorrower: TypeAlias = Lend | Recall | Rest
Sent: TypeAlias = tuple[int, ToBorrower]
"""To which process, and what."""


@dataclass(slots=True)
class _Slots:
    """Of one address. `home` are the times from which those not lent are ready; `lent` and `recalled` count by
    process; `waiting` are the processes that asked, in order."""

    home: list[float]
    lent: dict[int, int] = field(default_factory=dict)
    recalled: dict[int, int] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    rest_until: float = float("-inf")

    def firm(self, borrower: int) -> int:
        """Slots that a process has and may keep."""
        return self.lent.get(borrower, 0) - self.recalled.get(borrower, 0)


class Lender:
    """The slots of all addresses.

    Args:
        concurrency: slots of one address.
        rate_per_s: exchanges a second that they allow together.
        now: a clock in seconds.
    """

    def __init__(self, concurrency: int, rate_per_s: float, now: Callable[[], float]) -> None:
        self._concurrency = concurrency
        self._rest_s = concurrency / rate_per_s
        self._now = now
        self._addresses: dict[str, _Slots] = {}
        self._sweep_at = FIRST_SWEEP

    def __len__(self) -> int:
        """Addresses remembered."""
        return len(self._addresses)

    def heard(self, borrower: int, message: FromBorrower) -> list[Sent]:
        """What a process says. Returns what is to be said, in order."""
        slots = self._slots(message.address)
        match message:
            case Ask():
                if borrower not in slots.waiting:
                    slots.waiting.append(borrower)
            case Return(_, rests_s):
                now = self._now()
                slots.home += [now + rest_s for rest_s in rests_s]
                self._take_from(slots, borrower, len(rests_s))
            case Rest(address, seconds):
                slots.rest_until = max(slots.rest_until, self._now() + seconds)
                return [(other, Rest(address, seconds)) for other in slots.lent if other != borrower]
        return list(self._serve(message.address, slots))

    def lost(self, borrower: int) -> list[Sent]:
        """A process is no more: its slots come home, rested from now, and nobody waits for it."""
        sent: list[Sent] = []
        for address, slots in self._addresses.items():
            if borrower in slots.waiting:
                slots.waiting.remove(borrower)
            count = slots.lent.get(borrower, 0)
            slots.home += [self._now() + self._rest_s] * count
            self._take_from(slots, borrower, count)
            sent += self._serve(address, slots)
        return sent

    def _take_from(self, slots: _Slots, borrower: int, count: int) -> None:
        left = slots.lent.get(borrower, 0) - count
        recalled = min(left, max(0, slots.recalled.get(borrower, 0) - count))
        for counts, value in ((slots.lent, left), (slots.recalled, recalled)):
            counts.pop(borrower, None)
            if value > 0:
                counts[borrower] = value

    def _serve(self, address: str, slots: _Slots) -> Iterable[Sent]:
        while slots.home and slots.waiting:
            # Who has least first, among equals who asked first.
            borrower = min(slots.waiting, key=lambda waiting: slots.lent.get(waiting, 0))
            slots.waiting.remove(borrower)
            count = max(1, len(slots.home) // (len(slots.waiting) + 1))
            slots.home.sort()
            given, slots.home = slots.home[:count], slots.home[count:]
            slots.lent[borrower] = slots.lent.get(borrower, 0) + count
            now = self._now()
            rests_s = tuple(max(0.0, ready_at - now) for ready_at in given)
            yield borrower, Lend(address, rests_s, max(0.0, slots.rest_until - now))
        for borrower in slots.waiting[sum(slots.recalled.values()) :]:
            holder = max(slots.lent, key=slots.firm)
            has = slots.lent.get(borrower, 0)
            # One who has a slot is given another only from who has two more: else the slots would go in circles.
            if holder != borrower and slots.firm(holder) >= (1 if not has else has + 2):
                slots.recalled[holder] = slots.recalled.get(holder, 0) + 1
                yield holder, Recall(address)

    def _slots(self, address: str) -> _Slots:
        slots = self._addresses.get(address)
        if slots is None:
            if len(self._addresses) >= self._sweep_at:
                self._sweep()
            slots = self._addresses[address] = _Slots([float("-inf")] * self._concurrency)
        return slots

    def _sweep(self) -> None:
        now = self._now()
        self._addresses = {
            address: slots
            for address, slots in self._addresses.items()
            if slots.lent or slots.waiting or max((slots.rest_until, *slots.home)) > now
        }
        self._sweep_at = max(FIRST_SWEEP, 2 * len(self._addresses))
