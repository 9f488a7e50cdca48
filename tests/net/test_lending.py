"""Several processes keep the pace of one address: whatever they ask for and whoever dies, it has its few slots."""

from collections import Counter, deque
from dataclasses import dataclass, field

import hypothesis.strategies as st
import trio
import trio.testing
from hypothesis import given

from crawler.net.borrowing import BorrowingPacer
from crawler.net.lending import Ask, FromBorrower, Lend, Lender, Recall, Rest, Return, ToBorrower

ADDRESS = "192.0.2.1"
WORKERS = 3
STEPS = st.lists(st.tuples(st.sampled_from(("ask", "return", "die", "tick")), st.integers(0, WORKERS - 1)), max_size=60)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def lent(sent: list[tuple[int, ToBorrower]]) -> Counter[int]:
    return Counter({to: len(message.rests_s) for to, message in sent if isinstance(message, Lend)})


@given(slots=st.integers(1, 4), steps=STEPS)
def test_slots_are_neither_made_nor_lost(slots: int, steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    lender = Lender(slots, 1.0, clock)
    held: Counter[int] = Counter()
    for what, worker in steps:
        match what:
            case "ask":
                held += lent(lender.heard(worker, Ask(ADDRESS)))
            case "return" if held[worker]:
                held[worker] -= 1
                held += lent(lender.heard(worker, Return(ADDRESS, (1.0,))))
            case "die":
                held[worker] = 0
                held += lent(lender.lost(worker))
            case _:
                clock.now += 0.5
        assert held.total() <= slots
    for worker in range(WORKERS):
        lender.lost(worker)
    assert lent(lender.heard(0, Ask(ADDRESS))) == {0: slots}


def test_who_asks_first_has_all_until_another_asks() -> None:
    lender = Lender(2, 5.0, Clock())
    assert lender.heard(0, Ask(ADDRESS)) == [(0, Lend(ADDRESS, (0.0, 0.0), 0.0))]
    assert lender.heard(1, Ask(ADDRESS)) == [(0, Recall(ADDRESS))]
    assert lender.heard(0, Return(ADDRESS, (0.4,))) == [(1, Lend(ADDRESS, (0.4,), 0.0))]
    # One each: neither is given the other's by asking for more.
    assert lender.heard(0, Ask(ADDRESS)) == []


def test_what_a_dead_process_held_comes_home_as_if_just_used() -> None:
    lender = Lender(2, 5.0, Clock())
    lender.heard(0, Ask(ADDRESS))
    lender.heard(1, Ask(ADDRESS))
    assert lender.lost(0) == [(1, Lend(ADDRESS, (0.4, 0.4), 0.0))]


def test_an_address_that_wants_rest_is_left_alone_by_all() -> None:
    lender = Lender(2, 5.0, Clock())
    lender.heard(0, Ask(ADDRESS))
    lender.heard(1, Ask(ADDRESS))
    lender.heard(0, Return(ADDRESS, (0.0,)))
    assert lender.heard(0, Rest(ADDRESS, 7.0)) == [(1, Rest(ADDRESS, 7.0))]
    assert lender.heard(2, Ask(ADDRESS))[0][1] == Recall(ADDRESS)
    assert lender.heard(1, Return(ADDRESS, (0.0,))) == [(2, Lend(ADDRESS, (0.0,), 7.0))]


def test_addresses_at_rest_are_forgotten() -> None:
    clock = Clock()
    lender = Lender(1, 1.0, clock)
    for number in range(10_000):
        lender.heard(0, Ask(str(number)))
        lender.heard(0, Return(str(number), (1.0,)))
        clock.now += 1.0
    assert len(lender) <= 1024


@dataclass
class Together:
    """Processes of one crawl, whose messages all arrive, in order, and a little later."""

    concurrency: int
    rate_per_s: float
    pacers: list[BorrowingPacer] = field(default_factory=list)
    post: deque[tuple[int, FromBorrower]] = field(default_factory=deque)

    def borrower(self, number: int) -> BorrowingPacer:
        pacer = BorrowingPacer(self.concurrency, self.rate_per_s, lambda message: self.post.append((number, message)))
        self.pacers.append(pacer)
        return pacer

    async def carry(self) -> None:
        lender = Lender(self.concurrency, self.rate_per_s, trio.current_time)
        while True:
            await trio.sleep(0.001)
            while self.post:
                for to, message in lender.heard(*self.post.popleft()):
                    self.pacers[to].heard(message)


async def test_three_processes_ask_no_faster_than_one(autojump_clock: trio.testing.MockClock) -> None:
    together = Together(2, 5.0)
    begun: list[float] = []
    by_worker: Counter[int] = Counter()
    at_once = most = 0

    async def exchange(worker: int, pacer: BorrowingPacer) -> None:
        nonlocal at_once, most
        async with pacer.turn(ADDRESS):
            at_once += 1
            most = max(most, at_once)
            begun.append(trio.current_time())
            by_worker[worker] += 1
            await trio.sleep(0.01)
            at_once -= 1

    with trio.fail_after(60):
        async with trio.open_nursery() as carrying:
            carrying.start_soon(together.carry)
            async with trio.open_nursery() as nursery:
                for worker in range(3):
                    pacer = together.borrower(worker)
                    for _ in range(20):
                        nursery.start_soon(exchange, worker, pacer)
            carrying.cancel_scope.cancel()
    assert by_worker == {0: 20, 1: 20, 2: 20}
    assert most == 2
    # Of any 11 in a row, the last begins at least 2 s after the first: 5 a second, counted from completion.
    assert min(later - earlier for earlier, later in zip(begun, begun[10:], strict=False)) >= 2.0


async def test_one_process_alone_has_the_pace_of_a_plain_pacer(autojump_clock: trio.testing.MockClock) -> None:
    together = Together(2, 5.0)
    pacer = together.borrower(0)
    begun: list[float] = []

    async def exchange() -> None:
        async with pacer.turn(ADDRESS):
            begun.append(trio.current_time())

    async with trio.open_nursery() as carrying:
        carrying.start_soon(together.carry)
        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(exchange)
        carrying.cancel_scope.cancel()
    assert [round(at - begun[0], 2) for at in begun] == [0.0, 0.0, 0.4, 0.4, 0.8, 0.8]
