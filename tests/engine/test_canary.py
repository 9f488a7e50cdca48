"""The canary on real sockets: it knocks when nothing comes in, tells an outage from a quiet hour, and slows us down."""

from dataclasses import replace

import trio

from crawler.config import Limits, Liveness
from crawler.engine.canary import LEAST_SHARE, Canary, Throttle
from crawler.engine.task import Visit, Visited
from crawler.engine.vigil import Doubt, Sign
from crawler.errors import Failure, FailureKind
from crawler.model.observation import Ok, ServerObservation, Timings
from crawler.net.transport import Network
from crawler.protocol.questions import AddressAnswer
from tests.engine.made import dead, online, server
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork, authority, make_network
from tests.net.nameserver import Zone
from tests.net.world import Site, routes, world

__all__ = ["authority", "make_network"]

HOST = "127.0.1.1"
ZONE: Zone = {("a.test", "A"): [f"300 {HOST}"]}
LIVENESS = Liveness(knock_after_s=0.05, silence_s=1.0)


async def watch_until_down(canary: Canary, knocks: int) -> bool:
    """Watch until so many knocks were answered or not; whether the network then counts as down."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(canary.watch)
        with trio.fail_after(60):
            while canary.knocks < knocks and canary.down_for_s() is None:  # noqa: ASYNC110 - the canary has no event
                await trio.sleep(0.01)
        is_down = canary.down_for_s() is not None
        nursery.cancel_scope.cancel()
    return is_down


async def test_a_quiet_hour_is_no_outage(authority: Authority, make_network: MakeNetwork) -> None:
    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), routes({}))) as w:
        canary = Canary(w.network, LIVENESS, [server("a.test")])
        assert not await watch_until_down(canary, knocks=6)
        assert w.network.traffic.connections > 0
        assert w.network.traffic.dns_answers > 0
        assert w.at(HOST).requests == []  # a knock asks for nothing


async def test_when_nobody_answers_the_network_is_down(make_network: MakeNetwork) -> None:
    network: Network = make_network(dns="127.0.0.1:1", dns_timeout_s=0.2)
    async with network:
        canary = Canary(network, LIVENESS, [server("a.test")])
        assert await watch_until_down(canary, knocks=10_000)


async def test_after_an_outage_nobody_is_held_to_have_been_silent(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), routes({}))) as w:
        stack = w.network._stack
        stack.silences.keep((HOST, 443), 9.0, Failure(FailureKind.TCP_TIMEOUT))
        stack.dns._keep("b.test", AddressAnswer(failure=Failure(FailureKind.DNS_TIMEOUT)), 9.0)
        stack.dns._keep("c.test", AddressAnswer(failure=Failure(FailureKind.DNS_NXDOMAIN)), 9.0)
        # It knocks so late that the answer comes after a silence longer than is allowed.
        canary = Canary(w.network, Liveness(knock_after_s=0.6, silence_s=0.3), [server("a.test")])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(canary.watch)
            with trio.fail_after(60):
                while stack.silences.known((HOST, 443), 1.0) is not None:  # noqa: ASYNC110 - likewise
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        assert "b.test" not in stack.dns._kept
        assert "c.test" in stack.dns._kept


async def test_without_anybody_to_knock_at_silence_says_nothing(make_network: MakeNetwork) -> None:
    async with make_network(dns="127.0.0.1:1") as network:
        canary = Canary(network, Liveness(knock_after_s=0.01, silence_s=0.01))
        with trio.move_on_after(0.3):
            await canary.watch()
        assert canary.down_for_s() is None
        assert canary.vigil.blind == set(Sign)


def test_who_is_late_takes_less_on_and_recovers() -> None:
    throttle = Throttle(Limits(), Liveness())
    beginning = [throttle.allowed(0.0, second - 60.0) for second in range(60)]
    assert (beginning[0] < 0.3, beginning[-1]) == (True, 1.0)
    assert not throttle.is_due(-0.5)
    assert throttle.is_due(0.0)
    falling = [throttle.allowed(5.0, float(second)) for second in range(1, 30)]
    assert falling[0] == 0.75
    assert falling[-1] == LEAST_SHARE
    rising = [throttle.allowed(0.0, float(second)) for second in range(30, 90)]
    assert rising[-1] == 1.0
    assert throttle.allowed(5.0, 90.0) == 0.75
    assert 0.75 < throttle.allowed(None, 91.0) < 0.8  # nobody answered: that is no reason to ask much more


def answered_after(tls_s: float) -> ServerObservation:
    seen = online("a.test")
    assert isinstance(seen.tls, Ok)
    return replace(seen, tls=Ok(seen.tls.value, Timings(tls_s, tls_s=tls_s)))


async def test_slow_answers_make_us_late_and_unfit_to_judge(make_network: MakeNetwork) -> None:
    async with make_network() as network:
        canary = Canary(network, Liveness())
        for _ in range(9):
            canary.learn(answered_after(0.25))
        assert (canary.late_s(), canary.is_fit(Limits())) == (0.25, True)
        for _ in range(2):
            canary.learn(answered_after(4.0))
        assert (canary.late_s(), canary.is_fit(Limits())) == (0.25, False)
        for _ in range(9):
            canary.learn(answered_after(4.0))
        assert canary.late_s() == 4.0
        # What another process believed is not believed where so many took so long.
        silent = replace(dead("a.test", FailureKind.TLS_TIMEOUT), duration_s=10.0)
        timed_out = Visited(Visit(server("a.test"), hurried=False), silent, "")
        assert canary.review(timed_out, Limits()).doubt is Doubt.STRAIN
        gone = Visited(Visit(server("a.test"), hurried=False), dead("a.test", FailureKind.TCP_REFUSED), "")
        assert canary.review(gone, Limits()).doubt is None
