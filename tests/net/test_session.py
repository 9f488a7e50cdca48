"""A visit: its connections, its budget, URLs with redirects that are resolved and guarded hop by hop."""

import pytest
import trio

from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Branch, Endpoint
from crawler.model.names import parse_server_name
from crawler.model.observation import Attempt, Failed, Ok, Skipped, SkipReason
from crawler.net.fetch import Answer
from crawler.net.session import ADDRESSES_TRIED, MAX_OPEN, Session
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork
from tests.net.nameserver import Zone
from tests.net.peers import Peer, Stream, always, ok, silent
from tests.net.world import Site, redirect, routes, world

LIMIT_BYTES = 4096
A = "127.0.1.1"
B = "127.0.1.2"
DEAD = "127.0.1.9"

ZONE: Zone = {
    ("a.test", "A"): [f"300 {A}"],
    ("b.test", "A"): [f"300 {B}"],
    ("inside.test", "A"): ["300 10.0.0.1"],
    ("half-inside.test", "A"): ["300 10.0.0.1", f"300 {A}"],
    ("metadata.test", "A"): ["300 169.254.169.254"],
    ("loopback.test", "AAAA"): ["300 ::1"],
    ("dead-then-alive.test", "A"): [f"300 {DEAD}", f"300 {A}"],
}
NAMES = ("a.test", "half-inside.test", "dead-then-alive.test")


async def get(session: Session, url: str) -> Attempt[Answer]:
    return await session.get(url, body_limit_bytes=LIMIT_BYTES)


def failure(attempt: Attempt[Answer]) -> Failure:
    assert isinstance(attempt, Failed), attempt
    return attempt.failure


def body(attempt: Attempt[Answer]) -> bytes:
    assert isinstance(attempt, Ok), attempt
    return attempt.value.body


async def test_one_origin_one_look_up_one_connection(authority: Authority, make_network: MakeNetwork) -> None:
    script = routes({"/1": ok(b"one"), "/2?q=%21": ok(b"two")})
    async with world(authority, make_network, ZONE, Site(A, NAMES, script)) as w:
        async with w.network.visit(parse_server_name("a.test")) as session:
            assert body(await get(session, "https://a.test/1")) == b"one"
            assert body(await get(session, "https://A.test:443/2?q=%21")) == b"two"
            attempt = await get(session, "https://a.test")
            assert isinstance(attempt, Ok)
            assert attempt.value.status == 404
            assert (session.requests, session.bytes_read) == (3, 8)
        assert w.at(A).connections == 1
        assert w.nameserver.asked("a.test") in (["A", "AAAA"], ["AAAA", "A"])
        hosts = [line for request in w.at(A).requests for line in request.split(b"\r\n") if line.startswith(b"Host:")]
        assert hosts == [b"Host: a.test", b"Host: A.test:443", b"Host: a.test"]


async def test_connections_end_with_the_visit(authority: Authority, make_network: MakeNetwork) -> None:
    ended = trio.Event()

    async def note_the_end(peer: Peer, stream: Stream) -> None:
        while await peer.read_request(stream):
            await stream.send_all(ok(b""))
        ended.set()

    async with world(authority, make_network, ZONE, Site(A, NAMES, note_the_end)) as w:

        async def visit_and_fail() -> None:
            async with w.network.visit(parse_server_name("a.test")) as session:
                await get(session, "https://a.test/")
                raise RuntimeError("the visitor's own")

        with pytest.raises(RuntimeError, match="the visitor's own"):  # comes out as it went in, in no group
            await visit_and_fail()
        with trio.fail_after(30):
            await ended.wait()


async def test_a_federation_port_at_the_same_place_shares_the_connection(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, routes({"/v": ok(b"v")}))) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        await get(session, "https://a.test/")
        same = session.connection(Endpoint(A, 443, "a.test:443", "A.test", Branch.WELL_KNOWN_PORT))
        assert same.is_open
        await same.connect()
        attempt = await session.request(same, "/v", host_header="a.test:443", body_limit_bytes=LIMIT_BYTES)
        assert body(attempt) == b"v"
        assert isinstance(same.tls, Ok)
        assert w.at(A).connections == 1
        assert not session.connection(Endpoint(A, 443, "b.test", "b.test", Branch.DEFAULT)).is_open


async def test_few_connections_stay_open(authority: Authority, make_network: MakeNetwork) -> None:
    count = MAX_OPEN + 2
    zone = {(f"h{number}.test", "A"): [f"60 127.0.2.{number}"] for number in range(count)}
    sites = [Site(f"127.0.2.{number}", (f"h{number}.test",), always(ok(b""))) for number in range(count)]
    async with (
        world(authority, make_network, zone, *sites) as w,
        w.network.visit(parse_server_name("h0.test")) as session,
    ):
        for number in range(count):
            await get(session, f"https://h{number}.test/")
        assert len(session._connections) == MAX_OPEN
        await get(session, f"https://h{count - 1}.test/")
        assert w.at(f"127.0.2.{count - 1}").connections == 1
        await get(session, "https://h0.test/")
        assert w.at("127.0.2.0").connections == 2


# -- Redirects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [b"301 M", b"302 F", b"303 S", b"307 T", b"308 P"])
async def test_redirects_are_followed(status: bytes, authority: Authority, make_network: MakeNetwork) -> None:
    here = routes({"/": redirect("//b.test/x#part", status)})
    there = routes({"/x": redirect("/y?z", b"302 F"), "/y?z": ok(b"found")})
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, here), Site(B, ("b.test",), there)) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        attempt = await get(session, "https://a.test/")
        assert isinstance(attempt, Ok)
        assert attempt.value.body == b"found"
        assert attempt.value.redirects == ("https://b.test/x", "https://b.test/y?z")
        assert attempt.value.redirect_statuses == (int(status.split()[0]), 302)
        assert session.requests == w.network.traffic.requests == 3


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://a.test/", FailureKind.HTTP_REDIRECT),
        ("ftp://a.test/", FailureKind.HTTP_REDIRECT),
        ("https://user@a.test/", FailureKind.HTTP_REDIRECT),
        ("https://[::1", FailureKind.HTTP_REDIRECT),
        ("https://a.test:99999/", FailureKind.HTTP_REDIRECT),
        ("https:///nowhere", FailureKind.HTTP_REDIRECT),
        ("/with blank", FailureKind.HTTP_REDIRECT),
        ("/\xe9", FailureKind.HTTP_REDIRECT),
        ("", FailureKind.HTTP_REDIRECT),
        ("/start", FailureKind.HTTP_REDIRECT),  # a circle of one
        ("https://nowhere.test/", FailureKind.DNS_NXDOMAIN),
        ("https://b.test/", FailureKind.TCP_REFUSED),
        ("https://127.0.1.1/", FailureKind.TLS_WRONG_NAME),
        ("https://inside.test/", FailureKind.POLICY_ADDRESS),
        ("https://metadata.test/latest", FailureKind.POLICY_ADDRESS),
        ("https://loopback.test/", FailureKind.POLICY_ADDRESS),
        ("https://10.0.0.1/", FailureKind.POLICY_ADDRESS),
        ("https://[::1]:8448/", FailureKind.POLICY_ADDRESS),
        ("https://[::ffff:10.0.0.1]/", FailureKind.POLICY_ADDRESS),
    ],
)
async def test_redirects_that_lead_nowhere(
    location: str, kind: FailureKind, authority: Authority, make_network: MakeNetwork
) -> None:
    script = routes({"/start": redirect(location)})
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, script)) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        failed = failure(await get(session, "https://a.test/start"))
        assert failed.kind is kind
        assert failed.detail.isprintable()
        if kind is FailureKind.HTTP_REDIRECT:
            assert failed.http_status == 302  # an answer was had
        assert w.network.traffic.connections == (2 if kind is FailureKind.TLS_WRONG_NAME else 1)


async def test_a_circle_of_redirects_ends(authority: Authority, make_network: MakeNetwork) -> None:
    script = routes({"/1": redirect("/2"), "/2": redirect("https://A.test/3"), "/3": redirect("/1")})
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, script)) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        failed = failure(await get(session, "https://a.test/1"))
        assert failed.kind is FailureKind.HTTP_REDIRECT
        assert session.requests <= w.network.limits.redirects + 1


async def test_redirects_without_end_end(authority: Authority, make_network: MakeNetwork) -> None:
    script = routes({f"/{number}": redirect(f"/{number + 1}") for number in range(50)})
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, script), redirects=3) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        failed = failure(await get(session, "https://a.test/0"))
        assert (failed.kind, failed.http_status) == (FailureKind.HTTP_REDIRECT, 302)
        assert w.network.traffic.requests == 4


async def test_as_many_redirects_as_may_be(authority: Authority, make_network: MakeNetwork) -> None:
    answers = {f"/{number}": redirect(f"/{number + 1}") for number in range(3)}
    script = routes({**answers, "/3": ok(b"there")})
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, script), redirects=3) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert body(await get(session, "https://a.test/0")) == b"there"


# -- Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["inside.test", "metadata.test", "loopback.test", "10.0.0.1", "[::1]"])
async def test_forbidden_addresses(host: str, authority: Authority, make_network: MakeNetwork) -> None:
    async with (
        world(authority, make_network, ZONE) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        failed = failure(await get(session, f"https://{host}/"))
        assert failed.kind is FailureKind.POLICY_ADDRESS
        assert w.network.traffic.connections == 0


async def test_of_several_addresses_only_allowed_ones_are_dialled(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, always(ok(b"hello")))) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert body(await get(session, "https://half-inside.test/")) == b"hello"


async def test_without_allowance_nothing_special_is_dialled(authority: Authority, make_network: MakeNetwork) -> None:
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, always(ok(b"hello"))), allow_address=()) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert failure(await get(session, "https://a.test/")).kind is FailureKind.POLICY_ADDRESS
        connection = session.connection(Endpoint(A, 443, "a.test", "a.test", Branch.DEFAULT))
        await connection.connect()
        assert isinstance(connection.tcp, Failed)
        assert connection.tcp.failure.kind is FailureKind.POLICY_ADDRESS
        assert w.at(A).connections == 0


async def test_a_dead_address_does_not_hide_a_living_one(authority: Authority, make_network: MakeNetwork) -> None:
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, always(ok(b"hello")))) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert body(await get(session, "https://dead-then-alive.test/")) == b"hello"


async def test_of_a_dead_host_only_some_addresses_are_dialled(authority: Authority, make_network: MakeNetwork) -> None:
    zone = {("dead.test", "A"): [f"60 127.0.3.{number}" for number in range(1, 9)]}
    async with (
        world(authority, make_network, zone) as w,
        w.network.visit(parse_server_name("dead.test")) as session,
    ):
        failed = failure(await get(session, "https://dead.test/"))
        assert failed.kind is FailureKind.TCP_REFUSED
        assert len(session._connections) == ADDRESSES_TRIED


async def test_a_bad_certificate_is_not_tried_again_elsewhere(authority: Authority, make_network: MakeNetwork) -> None:
    zone = {("two.test", "A"): [f"60 {A}", f"60 {B}"]}
    sites = [Site(A, ("other.test",), silent), Site(B, ("other.test",), silent)]
    async with (
        world(authority, make_network, zone, *sites) as w,
        w.network.visit(parse_server_name("two.test")) as session,
    ):
        assert failure(await get(session, "https://two.test/")).kind is FailureKind.TLS_WRONG_NAME
        assert w.network.traffic.connections == 1


@pytest.mark.parametrize(
    "url", ["http://a.test/", "https://", "https://a_b.test/", "https://[::1", "a.test/", "https:"]
)
async def test_what_is_no_https_url(url: str, authority: Authority, make_network: MakeNetwork) -> None:
    async with (
        world(authority, make_network, ZONE) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert failure(await get(session, url)).kind is FailureKind.NAME_INVALID
        assert w.network.traffic.dns_queries == 0


async def test_a_target_that_is_no_ascii_is_encoded(authority: Authority, make_network: MakeNetwork) -> None:
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, routes({"/%C3%A9%20%21": ok(b"hello")}))) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert body(await get(session, "https://a.test/é %21")) == b"hello"


# -- Budget ----------------------------------------------------------------------------------------------------------


async def test_every_request_counts_and_none_comes_after_the_last(
    authority: Authority, make_network: MakeNetwork
) -> None:
    script = routes({f"/{number}": redirect(f"/{number + 1}") for number in range(50)})
    async with (
        world(authority, make_network, ZONE, Site(A, NAMES, script), server_requests=3) as w,
        w.network.visit(parse_server_name("a.test")) as session,
    ):
        assert not session.spent
        assert await get(session, "https://a.test/0") == Skipped(SkipReason.BUDGET)
        assert session.spent
        connection = session.connection(Endpoint(A, 443, "a.test", "a.test", Branch.DEFAULT))
        attempt = await session.request(connection, "/", host_header="a.test", body_limit_bytes=LIMIT_BYTES)
        assert attempt == Skipped(SkipReason.BUDGET)
        assert (session.requests, len(w.at(A).requests)) == (3, 3)
        # Another visit has its own.
        async with w.network.visit(parse_server_name("a.test")) as other:
            assert isinstance(await get(other, "https://a.test/50"), Ok)


async def test_waiting_as_asked(authority: Authority, make_network: MakeNetwork) -> None:
    async with world(authority, make_network, ZONE) as w, w.network.visit(parse_server_name("a.test")) as session:
        before = trio.current_time()
        await session.rest(0.05)
        assert trio.current_time() - before >= 0.05
