"""The client side of a server, asked over real sockets: what is absent, what failed, and what is not asked at all."""

import json
import random
from collections.abc import Mapping

import trio

from crawler.engine.client_side import ask_client_side
from crawler.engine.task import Visit
from crawler.engine.visit import visit
from crawler.errors import FailureKind
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support, SupportContact
from crawler.model.close_look import ClientSide
from crawler.model.names import parse_server_name
from crawler.model.observation import Failed, Ok, Skipped, SkipReason
from crawler.protocol.robots import PRODUCT_TOKEN, may_fetch
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork, authority, make_network
from tests.net.nameserver import Zone
from tests.net.peers import Peer, Stream, ok
from tests.net.world import Site, World, routes, world

__all__ = ["authority", "make_network"]

HOST, CLIENT = "127.0.1.1", "127.0.1.2"
ZONE: Zone = {("a.test", "A"): [f"300 {HOST}"], ("client.a.test", "A"): [f"300 {CLIENT}"]}
NAME = parse_server_name("a.test:8448")
NOT_NEEDED, NOT_REACHED = Skipped(SkipReason.NOT_NEEDED), Skipped(SkipReason.NOT_REACHED)


def answer(value: object, status: bytes = b"200 OK") -> bytes:
    return ok(json.dumps(value).encode(), status=status)


HOST_SAYS = {
    "/.well-known/matrix/policy_server": answer({"public_keys": {"ed25519": "A" * 43}}),
    "/robots.txt": ok(b"User-agent: *\nDisallow: /_matrix/federation/\n"),
}
CLIENT_SAYS = {
    "/_matrix/client/v3/login": answer({"flows": [{"type": "m.login.password"}]}),
    "/_matrix/client/v1/auth_metadata": answer({"issuer": "https://account.a.test/"}),
}


def targets(w: World, address: str) -> list[str]:
    return [request.split(b" ", 2)[1].decode() for request in w.at(address).requests]


async def ask(w: World, client_api: str | None = "https://client.a.test", *, registration: bool = False) -> ClientSide:
    async with w.network.visit(NAME) as session:
        return await ask_client_side(session, NAME, client_api, registration=registration, rng=random.Random(1))


async def test_what_is_published(authority: Authority, make_network: MakeNetwork) -> None:
    sites = Site(HOST, ("a.test",), routes(HOST_SAYS)), Site(CLIENT, ("client.a.test",), routes(CLIENT_SAYS))
    async with world(authority, make_network, ZONE, *sites) as w:
        side = await ask(w)
        assert isinstance(side.login_flows, Ok)
        assert side.login_flows.value == ("m.login.password",)
        assert isinstance(side.oauth, Ok)
        assert side.oauth.value == OAuthMetadata("https://account.a.test/", False)
        assert isinstance(side.policy_server, Ok)
        assert side.policy_server.value == {"ed25519": "A" * 43}
        assert isinstance(side.robots, Ok)
        assert may_fetch(side.robots.value or "", PRODUCT_TOKEN, "/_matrix/federation/v1/publicRooms") is False
        assert isinstance(side.client_robots, Ok)
        assert side.client_robots.value is None
        assert side.registration == NOT_NEEDED
        assert targets(w, HOST) == [*HOST_SAYS]
        assert targets(w, CLIENT) == [*CLIENT_SAYS, "/robots.txt"]
        assert (w.at(HOST).connections, w.at(CLIENT).connections) == (1, 1)


async def test_absent_is_not_failed(authority: Authority, make_network: MakeNetwork) -> None:
    """And of one host that is both, robots.txt is asked for once."""
    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), routes({}))) as w:
        side = await ask(w, "https://A.test:443/base")
        for attempt in (side.oauth, side.policy_server, side.robots):
            assert isinstance(attempt, Ok)
            assert attempt.value is None
        assert isinstance(side.login_flows, Failed)
        assert side.login_flows.failure.kind is FailureKind.HTTP_NOT_FOUND
        assert side.client_robots == NOT_NEEDED
        assert targets(w, HOST).count("/robots.txt") == 1
        assert "/base/_matrix/client/v3/login" in targets(w, HOST)


async def test_without_a_client_api_only_the_host_is_asked(authority: Authority, make_network: MakeNetwork) -> None:
    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), routes(HOST_SAYS))) as w:
        side = await ask(w, None, registration=True)
        assert {side.login_flows, side.oauth, side.client_robots, side.registration} == {NOT_REACHED}
        assert targets(w, HOST) == [*HOST_SAYS]


async def test_whether_anybody_may_sign_up(authority: Authority, make_network: MakeNetwork) -> None:
    said = [
        answer({"available": True}),
        answer({"errcode": "M_FORBIDDEN"}, b"403 Forbidden"),
        ok(b"<html>", status=b"403 Forbidden"),
        answer({}),
    ]
    registered = iter(said)

    async def script(peer: Peer, stream: Stream) -> None:
        while request := await peer.read_request(stream):
            asked = b"/register/available?username=" in request
            await stream.send_all(next(registered) if asked else ok(b"{}", status=b"404 Not Found"))

    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), script)) as w:
        sides = [await ask(w, "https://a.test", registration=True) for _ in said]
    opened, closed, firewall, nonsense = (side.registration for side in sides)
    assert isinstance(opened, Ok)
    assert opened.value is Registration.OPEN
    assert isinstance(closed, Ok)
    assert closed.value is Registration.CLOSED
    assert isinstance(firewall, Failed)
    assert firewall.failure.kind is FailureKind.HTTP_FORBIDDEN
    assert isinstance(nonsense, Failed)
    assert nonsense.failure.kind is FailureKind.JSON_SHAPE


# -- What every visit asks -------------------------------------------------------------------------------------------


async def seen_by_a_visit(w: World) -> tuple[object, object]:
    with trio.fail_after(60):
        observation = (await visit(w.network, None, Visit(NAME))).observation
    return observation.client_well_known, observation.support


SUPPORT = {"contacts": [{"role": "m.role.admin", "matrix_id": "@a:a.test"}]}


async def test_a_visit_asks_both_documents_over_one_connection(authority: Authority, make_network: MakeNetwork) -> None:
    said: Mapping[str, bytes] = {
        "/.well-known/matrix/client": answer({"m.homeserver": {"base_url": "https://client.a.test/"}}),
        "/.well-known/matrix/support": answer(SUPPORT),
    }
    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), routes(said))) as w:
        client, support = await seen_by_a_visit(w)
        assert isinstance(client, Ok)
        assert client.value == ClientWellKnown("https://client.a.test")
        assert isinstance(support, Ok)
        assert support.value == Support((SupportContact("m.role.admin", "@a:a.test"),))
        assert targets(w, HOST) == [*said]
        assert w.at(HOST).connections == 1


async def test_a_web_page_is_an_answer(authority: Authority, make_network: MakeNetwork) -> None:
    page = ok(b"<html>Welcome</html>")
    said = {"/.well-known/matrix/client": page, "/.well-known/matrix/support": page}
    async with world(authority, make_network, ZONE, Site(HOST, ("a.test",), routes(said))) as w:
        for attempt in await seen_by_a_visit(w):
            assert isinstance(attempt, Failed)
            assert attempt.failure.kind is FailureKind.JSON_INVALID


async def test_a_silent_host_is_not_asked_twice(authority: Authority, make_network: MakeNetwork) -> None:
    async with world(authority, make_network, ZONE) as w:
        client, support = await seen_by_a_visit(w)
        assert isinstance(client, Failed)
        assert client.failure.kind is FailureKind.TCP_REFUSED
        assert support == NOT_REACHED
