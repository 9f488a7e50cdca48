"""How long a visit waits for who does not answer, over real sockets."""

from typing import Any

from crawler.engine.task import Visit
from crawler.engine.tries import is_unsettled
from crawler.engine.visit import visit
from crawler.errors import FailureKind
from crawler.model.names import parse_server_name
from crawler.model.observation import Failed, Ok
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork, authority, make_network
from tests.net.nameserver import Zone
from tests.net.peers import ok, silent
from tests.net.world import Site, routes, world

__all__ = ["authority", "make_network"]

HOST = "127.0.1.1"
ZONE: Zone = {("a.test", "A"): [f"300 {HOST}"]}
VERSION = {"/_matrix/federation/v1/version": ok(b'{"server": {"name": "Synapse", "version": "1"}}')}
LIMITS: dict[str, Any] = {"request_timeout_s": 0.5, "first_request_timeout_s": 0.4, "first_connect_timeout_s": 0.3}


async def test_a_first_try_does_not_wait_twice_for_one_that_is_waited_for_again(
    authority: Authority, make_network: MakeNetwork
) -> None:
    sites = [Site(HOST, ("a.test",), silent, port) for port in (443, 8448)]
    async with world(authority, make_network, ZONE, *sites, **LIMITS) as w:
        for hurried, waited in ((True, ["0.4", "0.3"]), (False, ["0.5", "0.5"])):
            visited = await visit(w.network, None, Visit(parse_server_name("a.test"), hurried=hurried))
            seen = visited.observation
            well_known = next(step.failure for step in seen.resolution.steps if step.failure is not None)
            assert isinstance(seen.version, Failed)
            assert well_known.kind is seen.version.failure.kind is FailureKind.HTTP_TIMEOUT
            assert [well_known.detail, seen.version.failure.detail] == [f"no whole answer in {s} s" for s in waited]
            assert is_unsettled(seen)


async def test_a_first_try_sees_who_is_there_behind_a_silent_host(
    authority: Authority, make_network: MakeNetwork
) -> None:
    sites = [Site(HOST, ("a.test",), silent, 443), Site(HOST, ("a.test",), routes(VERSION), 8448)]
    async with world(authority, make_network, ZONE, *sites, **LIMITS) as w:
        seen = (await visit(w.network, None, Visit(parse_server_name("a.test")))).observation
    assert isinstance(seen.version, Ok)
    assert seen.online
