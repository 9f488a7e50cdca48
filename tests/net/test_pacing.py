"""The pace of one address, to the second, on a clock that jumps."""

import trio
import trio.testing

from crawler.net.pacing import Pacer
from crawler.net.traffic import Traffic

ADDRESS = "192.0.2.1"


async def _ask(pacer: Pacer, log: list[tuple[float, float]], takes_s: float = 0.0, address: str = ADDRESS) -> None:
    async with pacer.turn(address):
        began = trio.current_time()
        await trio.sleep(takes_s)
        log.append((began, trio.current_time()))


async def _run(pacer: Pacer, takes_s: list[float]) -> list[float]:
    """When each of the exchanges began, counted from the first; all are asked for at once."""
    log: list[tuple[float, float]] = []
    async with trio.open_nursery() as nursery:
        for seconds in takes_s:
            nursery.start_soon(_ask, pacer, log, seconds)
    begins = sorted(began for began, _ in log)
    return [round(began - begins[0], 6) for began in begins]


async def test_two_at_once_and_five_a_second(autojump_clock: trio.testing.MockClock) -> None:
    assert await _run(Pacer(2, 5.0), [0.0] * 7) == [0.0, 0.0, 0.4, 0.4, 0.8, 0.8, 1.2]


async def test_the_rest_is_counted_from_completion(autojump_clock: trio.testing.MockClock) -> None:
    assert await _run(Pacer(1, 2.0), [3.0, 3.0, 3.0]) == [0.0, 3.5, 7.0]


async def test_a_slow_exchange_holds_only_its_own_slot(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(2, 4.0)
    log: list[tuple[float, float]] = []
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ask, pacer, log, 10.0)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(3):
            nursery.start_soon(_ask, pacer, log)
    assert [round(began - started, 6) for began, _ in sorted(log)] == [0.0, 0.0, 0.5, 1.0]


async def test_addresses_do_not_wait_for_each_other(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(1, 0.1)
    log: list[tuple[float, float]] = []
    started = trio.current_time()
    await _ask(pacer, log, address="192.0.2.1")
    await _ask(pacer, log, address="192.0.2.2")
    assert trio.current_time() == started


async def test_first_come_first_served(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(1, 1.0)
    order: list[int] = []

    async def ask(number: int) -> None:
        async with pacer.turn(ADDRESS):
            order.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(ask, number)
            await trio.testing.wait_all_tasks_blocked()
    assert order == list(range(10))


async def test_an_address_that_asks_for_rest_gets_it(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(2, 1000.0)
    pacer.rest(ADDRESS, 30.0)
    pacer.rest(ADDRESS, 10.0)  # a shorter wish does not cut a longer one
    started = trio.current_time()
    log: list[tuple[float, float]] = []
    await _ask(pacer, log)
    assert trio.current_time() - started == 30.0


async def test_a_rest_asked_for_meanwhile_lengthens_the_wait(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(1, 1.0)
    log: list[tuple[float, float]] = []
    started = trio.current_time()
    await _ask(pacer, log)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ask, pacer, log)
        await trio.sleep(0.5)
        pacer.rest(ADDRESS, 5.0)
    assert log[-1][0] - started == 5.5


async def test_who_gives_up_waiting_takes_nothing_with_him(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(1, 1.0)
    log: list[tuple[float, float]] = []
    started = trio.current_time()
    await _ask(pacer, log)
    with trio.move_on_after(0.25) as scope:
        await _ask(pacer, log)
    assert scope.cancelled_caught
    await _ask(pacer, log)
    assert trio.current_time() - started == 1.0


async def test_a_cancelled_exchange_still_rests_its_slot(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(1, 1.0)
    log: list[tuple[float, float]] = []
    started = trio.current_time()
    with trio.move_on_after(3.0):
        await _ask(pacer, log, takes_s=100.0)
    await _ask(pacer, log)
    assert trio.current_time() - started == 4.0


async def test_waits_are_counted(autojump_clock: trio.testing.MockClock) -> None:
    traffic = Traffic()
    await _run(Pacer(1, 1.0, traffic), [0.0, 0.0, 0.0])
    assert traffic.polite_wait_s == 3.0  # 0 + 1 + 2


async def test_a_free_slot_is_no_wait(autojump_clock: trio.testing.MockClock) -> None:
    """However long our own loop takes to come to it."""
    traffic = Traffic()
    pacer = Pacer(1, 1.0, traffic)

    async def ask(address: str) -> None:
        async with pacer.turn(address):
            pass

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(ask, f"192.0.2.{number}")
        for _ in range(10):  # a loop that takes a second for each of its rounds
            await trio.lowlevel.checkpoint()
            autojump_clock.jump(1.0)
    assert traffic.polite_wait_s == 0.0


async def test_rested_addresses_are_forgotten_and_busy_ones_are_not(autojump_clock: trio.testing.MockClock) -> None:
    pacer = Pacer(1, 1.0)
    log: list[tuple[float, float]] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ask, pacer, log, 1e6, "192.0.2.255")
        await trio.testing.wait_all_tasks_blocked()
        pacer.rest("192.0.2.254", 1e6)
        most = 0
        for number in range(5000):
            await _ask(pacer, log, address=f"2001:db8::{number:x}")
            await trio.sleep(0.01)
            most = max(most, len(pacer))
        assert most < 1200  # 100 are resting at any time; the rest is what a sweep has not come to yet
        # Still held, still resting:
        for address in ("192.0.2.255", "192.0.2.254"):
            with trio.move_on_after(10.0) as scope:
                await _ask(pacer, log, address=address)
            assert scope.cancelled_caught
        nursery.cancel_scope.cancel()
