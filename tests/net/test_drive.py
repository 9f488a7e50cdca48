"""Names resolved over real sockets: every branch of the algorithm, and what hostile names lead to."""

import email.utils
import json
from datetime import UTC, datetime

import pytest
import trio

from crawler.errors import FailureKind
from crawler.model.discovery import Branch, Question, Resolution, WellKnownFacts
from crawler.model.names import parse_server_name
from crawler.net import drive
from crawler.protocol.questions import WellKnownAnswer
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork
from tests.net.nameserver import Zone
from tests.net.peers import Peer, Stream, ok, silent
from tests.net.world import Site, World, redirect, routes, world

WEB = "127.0.4.1"
URI = "/.well-known/matrix/server"


def delegation(to: object) -> bytes:
    return ok(json.dumps({"m.server": to}).encode(), b"Cache-Control: max-age=600")


def web(answer: bytes, name: str = "s.test") -> Site:
    return Site(WEB, (name,), routes({URI: answer}))


async def resolve(w: World, name: str) -> Resolution:
    async with w.network.visit(parse_server_name(name)) as session:
        return await session.resolve()


S: Zone = {("s.test", "A"): [f"300 {WEB}"]}
D: Zone = {("d.test", "A"): ["300 127.0.4.2"], ("d.test", "AAAA"): ["300 2001:db8::2"]}
TARGET: Zone = {("target.test", "A"): ["300 127.0.4.3"]}


def srv(owner: str, target: str = "target.test.", port: int = 9448) -> Zone:
    return {(owner, "SRV"): [f"300 10 0 {port} {target}"]}


BRANCHES = [
    pytest.param("127.0.4.9", {}, None, Branch.IP_LITERAL, ("127.0.4.9", 8448, "127.0.4.9", "127.0.4.9"), id="1"),
    pytest.param("d.test:1234", D, None, Branch.EXPLICIT_PORT, ("127.0.4.2", 1234, "d.test:1234", "d.test"), id="2"),
    pytest.param(
        "s.test",
        S,
        delegation("127.0.4.9:5"),
        Branch.WELL_KNOWN_IP,
        ("127.0.4.9", 5, "127.0.4.9:5", "127.0.4.9"),
        id="3.1",
    ),
    pytest.param(
        "s.test",
        {**S, **D},
        delegation("d.test:443"),
        Branch.WELL_KNOWN_PORT,
        ("127.0.4.2", 443, "d.test:443", "d.test"),
        id="3.2",
    ),
    pytest.param(
        "s.test",
        {**S, **D, **TARGET, **srv("_matrix-fed._tcp.d.test")},
        delegation("d.test"),
        Branch.WELL_KNOWN_SRV,
        ("127.0.4.3", 9448, "d.test", "d.test"),
        id="3.3",
    ),
    pytest.param(
        "s.test",
        {**S, **D, **TARGET, **srv("_matrix._tcp.d.test")},
        delegation("d.test"),
        Branch.WELL_KNOWN_SRV_DEPRECATED,
        ("127.0.4.3", 9448, "d.test", "d.test"),
        id="3.4",
    ),
    pytest.param(
        "s.test",
        {**S, **D},
        delegation("d.test"),
        Branch.WELL_KNOWN_DEFAULT,
        ("127.0.4.2", 8448, "d.test", "d.test"),
        id="3.5",
    ),
    pytest.param(
        "s.test",
        {**S, **TARGET, **srv("_matrix-fed._tcp.s.test")},
        ok(b"", status=b"404 No"),
        Branch.SRV,
        ("127.0.4.3", 9448, "s.test", "s.test"),
        id="4",
    ),
    pytest.param(
        "s.test",
        {**S, **TARGET, **srv("_matrix._tcp.s.test")},
        ok(b"<html>parked"),
        Branch.SRV_DEPRECATED,
        ("127.0.4.3", 9448, "s.test", "s.test"),
        id="5",
    ),
    pytest.param("s.test", S, ok(b"{}"), Branch.DEFAULT, (WEB, 8448, "s.test", "s.test"), id="6"),
]


@pytest.mark.parametrize(("name", "zone", "answer", "branch", "endpoint"), BRANCHES)
async def test_every_branch(
    name: str,
    zone: Zone,
    answer: bytes | None,
    branch: Branch,
    endpoint: tuple[str, int, str, str],
    authority: Authority,
    make_network: MakeNetwork,
) -> None:
    """The AAAA record of d.test is a documentation address, which may not be dialled and is no endpoint."""
    sites = [web(answer)] if answer is not None else []
    async with world(authority, make_network, zone, *sites) as w:
        resolution = await resolve(w, name)
    assert resolution.failure is None
    assert resolution.branch is branch
    (found,) = resolution.endpoints
    assert (found.address, found.port, found.host_header, found.tls_name) == endpoint
    assert found.via is branch


async def test_a_delegation_behind_redirects(authority: Authority, make_network: MakeNetwork) -> None:
    zone = {**S, **D, ("www.s.test", "A"): ["300 127.0.4.5"]}
    www = Site("127.0.4.5", ("www.s.test",), routes({"/moved": delegation("d.test:443")}))
    async with world(authority, make_network, zone, web(redirect("https://www.s.test/moved", b"308 P")), www) as w:
        resolution = await resolve(w, "s.test")
    assert resolution.branch is Branch.WELL_KNOWN_PORT
    assert resolution.delegated == parse_server_name("d.test:443")
    step = next(step for step in resolution.steps if step.question is Question.WELL_KNOWN)
    assert step.cache_s == 600
    assert step.duration_s > 0
    assert isinstance(step.facts, WellKnownFacts)
    assert (step.facts.redirects, step.facts.redirect_statuses) == (("https://www.s.test/moved",), (308,))


WELL_KNOWN_FAILURES = [
    pytest.param(web(redirect("http://s.test/")), FailureKind.WELL_KNOWN_REDIRECTS, id="redirect to http"),
    pytest.param(web(redirect(URI)), FailureKind.WELL_KNOWN_REDIRECTS, id="redirect in a circle"),
    pytest.param(web(redirect("https://10.0.0.1/")), FailureKind.POLICY_ADDRESS, id="redirect to a private address"),
    pytest.param(web(redirect("https://inside.test/")), FailureKind.POLICY_ADDRESS, id="redirect to a name of one"),
    pytest.param(web(ok(b"x" * 60_000)), FailureKind.HTTP_TOO_LARGE, id="too large"),
    pytest.param(web(delegation("d.test"), name="other.test"), FailureKind.TLS_WRONG_NAME, id="wrong certificate"),
    pytest.param(web(b"rubbish\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="no HTTP"),
    pytest.param(web(ok(b"", status=b"503 Busy")), FailureKind.HTTP_SERVER_ERROR, id="503"),
    pytest.param(web(ok(b"no json")), FailureKind.WELL_KNOWN_NOT_JSON, id="no JSON"),
    pytest.param(web(delegation("https://d.test/")), FailureKind.WELL_KNOWN_BAD_SERVER, id="a URL"),
    pytest.param(None, FailureKind.TCP_REFUSED, id="nobody there"),
]


@pytest.mark.parametrize(("site", "kind"), WELL_KNOWN_FAILURES)
async def test_a_well_known_that_fails_sends_us_on(
    site: Site | None, kind: FailureKind, authority: Authority, make_network: MakeNetwork
) -> None:
    zone = {**S, **TARGET, **srv("_matrix-fed._tcp.s.test"), ("inside.test", "A"): ["60 10.0.0.1"]}
    async with world(authority, make_network, zone, *([site] if site else [])) as w:
        resolution = await resolve(w, "s.test")
    step = next(step for step in resolution.steps if step.question is Question.WELL_KNOWN)
    assert step.failure is not None
    assert step.failure.kind is kind
    assert resolution.branch is Branch.SRV
    assert [endpoint.address for endpoint in resolution.endpoints] == ["127.0.4.3"]


async def test_a_well_known_beyond_the_budget(authority: Authority, make_network: MakeNetwork) -> None:
    async with (
        world(authority, make_network, S, web(delegation("d.test")), server_requests=1) as w,
        w.network.visit(parse_server_name("s.test")) as session,
    ):
        await session.get(f"https://s.test{URI}", body_limit_bytes=1000)
        resolution = await session.resolve()
    step = next(step for step in resolution.steps if step.question is Question.WELL_KNOWN)
    assert step.failure is not None
    assert step.failure.kind is FailureKind.POLICY_BUDGET


@pytest.mark.parametrize(
    ("name", "zone", "kind"),
    [
        ("10.0.0.1", {}, FailureKind.POLICY_ADDRESS),
        ("[::1]:8448", {}, FailureKind.POLICY_ADDRESS),
        ("in.test:1", {("in.test", "A"): ["60 10.0.0.1"]}, FailureKind.POLICY_ADDRESS),
        (
            "s.test",
            {**S, **srv("_matrix-fed._tcp.s.test", "in.test."), ("in.test", "A"): ["60 10.0.0.1"]},
            FailureKind.POLICY_ADDRESS,
        ),
        ("s.test", {**S, **srv("_matrix-fed._tcp.s.test", ".", 0)}, FailureKind.DNS_SRV_UNAVAILABLE),
        ("nowhere.test", S, FailureKind.DNS_NXDOMAIN),
    ],
)
async def test_names_that_lead_nowhere(
    name: str, zone: Zone, kind: FailureKind, authority: Authority, make_network: MakeNetwork
) -> None:
    async with world(authority, make_network, zone, web(ok(b"", status=b"404 No"))) as w:
        resolution = await resolve(w, name)
    assert resolution.endpoints == ()
    assert resolution.failure is not None
    assert resolution.failure.kind is kind


async def test_the_well_known_host_is_looked_up_once(authority: Authority, make_network: MakeNetwork) -> None:
    async with world(authority, make_network, S, web(ok(b"{}"))) as w:
        await resolve(w, "s.test")
        assert sorted(w.nameserver.asked("s.test")) == ["A", "AAAA"]


async def test_headers_reach_the_judge(authority: Authority, make_network: MakeNetwork) -> None:
    answers = await _well_known(
        authority,
        make_network,
        ok(
            b"{}",
            b"Content-Type: text/plain",
            b"Cache-Control: no-cache",
            b"Expires: Tue, 24 Nov 2026 12:01:00 GMT",
            b"Date: Tue, 24 Nov 2026 12:00:00 GMT",
        ),
    )
    assert (answers.content_type, answers.cache_control) == ("text/plain", "no-cache")
    assert (answers.expires, answers.date) == ("Tue, 24 Nov 2026 12:01:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT")


async def test_without_a_date_the_time_of_receipt_stands_for_it(
    authority: Authority, make_network: MakeNetwork
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    answer = await _well_known(authority, make_network, ok(b"{}"))
    assert (answer.content_type, answer.cache_control, answer.expires) == (None, None, None)
    assert answer.date is not None
    assert before <= email.utils.parsedate_to_datetime(answer.date) <= datetime.now(UTC)


async def _well_known(authority: Authority, make_network: MakeNetwork, answer: bytes) -> WellKnownAnswer:
    async with (
        world(authority, make_network, S, web(answer)) as w,
        w.network.visit(parse_server_name("s.test")) as session,
    ):
        return await drive._ask_well_known("s.test", session._stack, session.get)


async def test_a_tarpit_costs_its_time_outs_and_no_more(authority: Authority, make_network: MakeNetwork) -> None:
    async def drip(peer: Peer, stream: Stream) -> None:
        await peer.read_request(stream)
        while True:
            await stream.send_all(b"x")
            await trio.sleep(0.05)

    site = Site(WEB, ("s.test",), drip)
    async with world(authority, make_network, S, site, request_timeout_s=0.3) as w:
        with trio.fail_after(30):
            resolution = await resolve(w, "s.test")
    assert resolution.branch is Branch.DEFAULT


async def test_silence_where_tls_should_be(authority: Authority, make_network: MakeNetwork) -> None:
    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host=WEB))[0]
        nursery.start_soon(trio.serve_listeners, _hold, [listener])
        rule = f"{WEB}:443={WEB}:{listener.socket.getsockname()[1]}"
        async with world(authority, make_network, S, Site("127.0.4.8", ("x.test",), silent)) as w:
            network = make_network(dns=w.nameserver.where, connect=(rule,), connect_timeout_s=0.3)
            async with network, network.visit(parse_server_name("s.test")) as session:
                resolution = await session.resolve()
        nursery.cancel_scope.cancel()
    step = next(step for step in resolution.steps if step.question is Question.WELL_KNOWN)
    assert step.failure is not None
    assert step.failure.kind is FailureKind.TLS_TIMEOUT


async def _hold(stream: trio.SocketStream) -> None:
    async with stream:
        await trio.sleep_forever()
