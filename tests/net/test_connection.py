"""Connections to real peers: every way to have one, and every way to have none."""

import contextlib
import errno
import hashlib
import socket
import ssl
import struct
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import h11
import httpx
import pytest
import trio
import trio.lowlevel
import trio.testing
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind, LocalResourcesError, Phase, UsageError
from crawler.model.observation import Failed, Ok, Skipped
from crawler.net import tls
from crawler.net.connection import Connection
from crawler.net.dial import Dialler, parse_rule
from crawler.net.failures import DialFailedError
from crawler.protocol.addresses import AddressPolicy
from tests.net.certificates import DAY, Authority
from tests.net.conftest import MakeNetwork
from tests.net.peers import Peer, Script, Stream, always, answering, ok, reset, silent, start_peer

NAME = "peer.test"
HELLO = ok(b"hello")


@asynccontextmanager
async def listening(
    script: Script, context: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[Peer]:
    async with trio.open_nursery() as nursery:
        yield await start_peer(nursery, script, context, address)
        nursery.cancel_scope.cancel()


async def get(connection: Connection, path: str = "/") -> httpx.Response:
    """One GET as httpx would hand it to a transport, its content read."""
    response = await connection.handle_async_request(httpx.Request("GET", f"https://{connection.tls_name}{path}"))
    await response.aread()
    return response


# -- Connected -------------------------------------------------------------------------------------------------------


async def test_a_verified_connection_and_what_it_tells(authority: Authority, make_network: MakeNetwork) -> None:
    context = authority.server(NAME)
    der = authority.last_issued.public_bytes(serialization.Encoding.DER)
    async with listening(always(HELLO), context) as peer:
        network = make_network()
        connection = network.connection(peer.address, peer.port, NAME)
        assert isinstance(connection.tcp, Skipped)
        assert isinstance(connection.tls, Skipped)
        await connection.connect()
        assert connection.is_open
        assert isinstance(connection.tcp, Ok)
        assert connection.tcp.value == "127.0.0.1"
        assert connection.tcp.timings.tcp_s == connection.tcp.timings.total_s
        assert isinstance(connection.tls, Ok)
        facts = connection.tls.value
        assert facts.protocol == "TLSv1.3"
        assert facts.cipher.startswith("TLS_")
        assert facts.issuer == "Practice Authority"
        assert facts.not_after == authority.last_issued.not_valid_after_utc
        assert facts.fingerprint_sha256 == hashlib.sha256(der).hexdigest()
        assert connection.tls.timings.tls_s is not None
        response = await get(connection)
        assert (response.status_code, response.content) == (200, b"hello")
        assert connection.first_byte_s is not None
        assert connection.wire_bytes == len(HELLO)
        await connection.aclose()
        assert not connection.is_open
    assert peer.sni == [NAME]
    assert (network.traffic.connections, network.traffic.handshakes, network.traffic.requests) == (1, 1, 1)


async def test_an_issuer_without_organisation_is_called_by_its_common_name(
    tmp_path_factory: pytest.TempPathFactory, make_network: MakeNetwork
) -> None:
    nameless = Authority(tmp_path_factory.mktemp("nameless"), organisation=None)
    async with listening(silent, nameless.server(NAME)) as peer:
        connection = make_network(ca=nameless.pem).connection(peer.address, peer.port, NAME)
        await connection.connect()
        assert isinstance(connection.tls, Ok)
        assert connection.tls.value.issuer == "Practice Root"
        connection.close()


@pytest.mark.parametrize("sent", ["*.peer.test", "PEER.test"])
async def test_names_match_without_case_and_with_a_wildcard(
    sent: str, authority: Authority, make_network: MakeNetwork
) -> None:
    async with listening(silent, authority.server(sent)) as peer:
        connection = make_network().connection(peer.address, peer.port, "a.Peer.Test" if "*" in sent else "Peer.Test")
        await connection.connect()
        assert isinstance(connection.tls, Ok)
        connection.close()


async def test_an_ip_literal_is_verified_by_its_address_and_sends_no_sni(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async with listening(always(HELLO), authority.server("127.0.0.9"), "127.0.0.9") as peer:
        connection = make_network().connection(peer.address, peer.port, "127.0.0.9")
        await connection.connect()
        assert isinstance(connection.tls, Ok)
        assert (await get(connection)).content == b"hello"
        connection.close()
    assert peer.sni == [None]


async def test_http_1_1_is_what_we_offer(authority: Authority, make_network: MakeNetwork) -> None:
    context = authority.server(NAME)
    context.set_alpn_protocols(["h2", "http/1.1"])
    chosen: list[str | None] = []

    async def note(_peer: Peer, stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        chosen.append(stream.selected_alpn_protocol())

    async with listening(note, context) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        await connection.connect()
        with contextlib.suppress(Exception):
            await get(connection)
    assert chosen == ["http/1.1"]


async def test_a_certificate_that_verifies_but_cannot_be_read(
    authority: Authority, make_network: MakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No certificate that OpenSSL verifies and Python cannot read is known to us; were there one, it is a failure."""

    def unreadable(_notation: str) -> int:
        raise ValueError("time data does not match")

    monkeypatch.setattr(tls, "parse_time", unreadable)
    async with listening(silent, authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        await connection.connect()
        assert not connection.is_open
        assert isinstance(connection.tls, Failed)
        assert connection.tls.failure.kind is FailureKind.TLS_VERIFY


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1950, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - hypothesis wants them bare
def test_a_time_of_a_certificate_is_pythons(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    text = f"{months[moment.month - 1]} {moment.day:2} {moment:%H:%M:%S} {moment.year:04} GMT"
    assert tls.parse_time(text) == moment
    assert tls.parse_time(text).timestamp() == ssl.cert_time_to_seconds(text)


@pytest.mark.parametrize(
    "text",
    ["", "Nov 24 09:05:07 2026", "Nov 24 09:05:07 2026 CET", "Now 24 09:05:07 2026 GMT", "Nov 31 09:05:07 2026 GMT"],
)
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        tls.parse_time(text)


# -- Not connected: the scenario table -------------------------------------------------------------------------------


Place = tuple[str, int]


@asynccontextmanager
async def refused(_authority: Authority) -> AsyncIterator[Place]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, so that nobody else listens there; not listening
        yield sock.getsockname()


@asynccontextmanager
async def never_accepted(_authority: Authority) -> AsyncIterator[Place]:
    """A full backlog: the kernel drops what else comes."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()


@asynccontextmanager
async def no_route(_authority: Authority) -> AsyncIterator[Place]:
    yield "127.255.255.255", 8448  # the loopback's broadcast address: TCP has no way there


def certificate(*names: str, **how: Any) -> Callable[[Authority], object]:
    @asynccontextmanager
    async def scenario(authority: Authority) -> AsyncIterator[Place]:
        async with listening(always(HELLO), authority.server(*names, **how)) as peer:
            yield peer.address, peer.port

    return scenario


@asynccontextmanager
async def another_authority(authority: Authority) -> AsyncIterator[Place]:
    stranger = Authority(authority.folder, organisation="A stranger")
    async with listening(always(HELLO), stranger.server(NAME)) as peer:
        yield peer.address, peer.port


@asynccontextmanager
async def only_tls_1_1(authority: Authority) -> AsyncIterator[Place]:
    context = authority.server(NAME)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # old versions are what is tested
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(always(HELLO), context) as peer:
        yield peer.address, peer.port


def plain(script: Script) -> Callable[[Authority], object]:
    @asynccontextmanager
    async def scenario(_authority: Authority) -> AsyncIterator[Place]:
        async with listening(script) as peer:
            yield peer.address, peer.port

    return scenario


async def speak_plain_http(_peer: Peer, stream: Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP sent to an HTTPS port")


async def hang_up(_peer: Peer, stream: Stream) -> None:
    await stream.receive_some()


async def reset_in_the_handshake(peer: Peer, stream: Stream) -> None:
    await stream.receive_some()
    reset(peer)


async def drip_a_record(_peer: Peer, stream: Stream) -> None:
    await stream.receive_some()
    for byte in b"\x16\x03\x03\x40\x00" + bytes(200):
        await stream.send_all(bytes([byte]))
        await trio.sleep(0.05)


SCENARIOS = [
    pytest.param(refused, FailureKind.TCP_REFUSED, id="nobody listens"),
    pytest.param(never_accepted, FailureKind.TCP_TIMEOUT, id="never accepted"),
    pytest.param(no_route, FailureKind.TCP_UNREACHABLE, id="no route"),
    pytest.param(certificate("other.test"), FailureKind.TLS_WRONG_NAME, id="another name"),
    pytest.param(certificate("127.0.0.1"), FailureKind.TLS_WRONG_NAME, id="an address instead of the name"),
    pytest.param(certificate(common_name=NAME), FailureKind.TLS_WRONG_NAME, id="the name as common name only"),
    pytest.param(certificate("*.test"), FailureKind.TLS_WRONG_NAME, id="a wildcard of a whole top level"),
    pytest.param(certificate(NAME, starts=-3 * DAY, ends=-DAY), FailureKind.TLS_EXPIRED, id="expired"),
    pytest.param(certificate(NAME, starts=DAY, ends=3 * DAY), FailureKind.TLS_NOT_YET_VALID, id="not yet valid"),
    pytest.param(certificate(NAME, self_signed=True), FailureKind.TLS_SELF_SIGNED, id="self-signed"),
    pytest.param(another_authority, FailureKind.TLS_UNTRUSTED, id="an authority we do not know"),
    pytest.param(certificate(NAME, client_only=True), FailureKind.TLS_VERIFY, id="a client's certificate"),
    pytest.param(only_tls_1_1, FailureKind.TLS_HANDSHAKE, id="TLS 1.1"),
    pytest.param(plain(speak_plain_http), FailureKind.TLS_HANDSHAKE, id="no TLS"),
    pytest.param(plain(hang_up), FailureKind.TLS_HANDSHAKE, id="hangs up"),
    pytest.param(plain(reset_in_the_handshake), FailureKind.TLS_HANDSHAKE, id="resets"),
    pytest.param(plain(silent), FailureKind.TLS_TIMEOUT, id="silent"),
    pytest.param(plain(drip_a_record), FailureKind.TLS_TIMEOUT, id="drips"),
]


@pytest.mark.parametrize(("scenario", "kind"), SCENARIOS)
async def test_scenarios(
    scenario: Callable[[Authority], contextlib.AbstractAsyncContextManager[Place]],
    kind: FailureKind,
    authority: Authority,
    make_network: MakeNetwork,
) -> None:
    async with scenario(authority) as (address, port):
        times_out = kind in (FailureKind.TCP_TIMEOUT, FailureKind.TLS_TIMEOUT)
        network = make_network(connect_timeout_s=0.3 if times_out else 30.0)
        connection = network.connection(address, port, NAME)
        await connection.connect()
        assert not connection.is_open
        with pytest.raises(DialFailedError) as raised:
            await get(connection)
    if kind.phase is Phase.TCP:
        assert isinstance(connection.tcp, Failed)
        assert isinstance(connection.tls, Skipped)
        failed = connection.tcp
        assert network.traffic.connections == 0
    else:
        assert isinstance(connection.tcp, Ok)
        assert isinstance(connection.tls, Failed)
        failed = connection.tls
        assert network.traffic.connections == network.traffic.handshakes == 2
    assert failed.failure.kind is kind
    assert failed.failure.detail
    assert failed.failure.detail.isprintable()
    assert raised.value.failure == failed.failure
    assert network.traffic.requests == 0


async def test_a_wrong_address_literal(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(silent, authority.server("127.0.0.2", "127.0.0.1.test")) as peer:
        connection = make_network().connection(peer.address, peer.port, "127.0.0.1")
        await connection.connect()
    assert isinstance(connection.tls, Failed)
    assert connection.tls.failure.kind is FailureKind.TLS_WRONG_NAME


async def test_reset_before_the_connection_stands() -> None:
    """The kernel says ECONNRESET when a peer accepts and resets before we look: whoever of the two tasks runs first."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        dialler = Dialler(AddressPolicy(("127.0.0.0/8",)), ())
        kinds: set[FailureKind] = set()

        async def accept_and_reset() -> None:
            while True:
                with contextlib.suppress(BlockingIOError):
                    accepted, _ = listener.accept()
                    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    accepted.close()
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept_and_reset)
            for _ in range(200):
                sock = await dialler.dial("127.0.0.1", listener.getsockname()[1], 5.0)
                if isinstance(sock, socket.socket):
                    sock.close()
                else:
                    kinds.add(sock.kind)
                    break
            nursery.cancel_scope.cancel()
    assert kinds == {FailureKind.TCP_RESET}


async def test_an_address_the_kernel_cannot_dial() -> None:
    """A link-local address without its link: EINVAL, without a packet."""
    dialler = Dialler(AddressPolicy(("fe80::/10",)), ())
    failure = await dialler.dial("fe80::1", 8448, 5.0)
    assert not isinstance(failure, socket.socket)
    assert failure.kind in (FailureKind.TCP_OTHER, FailureKind.TCP_UNREACHABLE)  # the second without IPv6


async def test_a_machine_out_of_descriptors_stops_the_run(
    make_network: MakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(*_args: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    network = make_network()
    monkeypatch.setattr(socket, "socket", no_more)
    with pytest.raises(LocalResourcesError):
        await network.connection("127.0.0.1", 1, NAME).connect()


# -- The guard and the connect rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254", "rubbish"]
)
async def test_a_forbidden_address_is_never_dialled(
    address: str, authority: Authority, make_network: MakeNetwork
) -> None:
    """Not even where a connect rule leads somewhere harmless: rules come after every check."""
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        network = make_network(allow_address=(), connect=(f"*:*={peer.address}:{peer.port}",))
        connection = network.connection(address, 8448, NAME)
        await connection.connect()
        assert isinstance(connection.tcp, Failed)
        assert connection.tcp.failure.kind is FailureKind.POLICY_ADDRESS
        assert isinstance(connection.tls, Skipped)
        with pytest.raises(DialFailedError):
            await get(connection)
        assert (peer.connections, network.traffic.connections) == (0, 0)


async def test_an_allowed_address_is_dialled_where_the_rule_says(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        network = make_network(allow_address=(), connect=(f"*:8448={peer.address}:{peer.port}",))
        connection = network.connection("9.9.9.9", 8448, NAME)
        await connection.connect()
        assert isinstance(connection.tcp, Ok)
        assert connection.tcp.value == "9.9.9.9"  # the resolved address is what is observed and paced
        connection.close()
        assert peer.connections == 1


RULES = (
    "192.0.2.1:8448=127.0.0.1:1001",
    "192.0.2.1:*=127.0.0.1:*",
    "[2001:db8:0:0::1]:*=127.0.0.2:1002",
    "*:443=*:1443",
    "*:*=127.0.0.3:1003",
)


@pytest.mark.parametrize(
    ("resolved", "dialled"),
    [
        (("192.0.2.1", 8448), ("127.0.0.1", 1001)),
        (("192.0.2.1", 443), ("127.0.0.1", 443)),
        (("2001:db8::1", 9), ("127.0.0.2", 1002)),
        (("192.0.2.2", 443), ("192.0.2.2", 1443)),
        (("192.0.2.2", 8448), ("127.0.0.3", 1003)),
    ],
)
def test_the_first_matching_rule_wins(resolved: Place, dialled: Place) -> None:
    rules = tuple(parse_rule(rule) for rule in RULES)
    assert Dialler(AddressPolicy(), rules).where(*resolved) == dialled
    assert Dialler(AddressPolicy(), ()).where(*resolved) == resolved


# -- The busy --------------------------------------------------------------------------------------------------------


async def test_handshakes_under_way_are_bounded(authority: Authority, make_network: MakeNetwork) -> None:
    under_way = most = 0

    async with listening(silent, authority.server(NAME)) as peer:
        network = make_network(busy_connections=2)
        shake = tls._shake

        async def counted(stream: tls.TlsStream, timeout_s: float) -> bool:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                return await shake(stream, timeout_s)
            finally:
                under_way -= 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tls, "_shake", counted)
            connections = [network.connection(peer.address, peer.port, NAME) for _ in range(10)]
            async with trio.open_nursery() as nursery:
                for connection in connections:
                    nursery.start_soon(connection.connect)
        assert all(isinstance(connection.tls, Ok) for connection in connections)
        for connection in connections:
            connection.close()
    assert most == 2


async def test_tarpits_do_not_keep_the_others_out(
    authority: Authority, make_network: MakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "BUSY_PATIENCE_S", 0.05)
    async with listening(silent) as tarpit, listening(always(HELLO), authority.server(NAME)) as good:
        network = make_network(busy_connections=1, connect_timeout_s=30.0)
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(network.connection(tarpit.address, tarpit.port, NAME).connect)
            await trio.testing.wait_all_tasks_blocked(0.01)
            connection = network.connection(good.address, good.port, NAME)
            with trio.fail_after(20):  # a tarpit holds the only place for 0.05 s, not for 30
                await connection.connect()
            assert isinstance(connection.tls, Ok)
            connection.close()
            nursery.cancel_scope.cancel()


async def test_waiting_among_the_busy_is_no_time_out(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        network = make_network(busy_connections=1, connect_timeout_s=1.0)
        connection = network.connection(peer.address, peer.port, NAME)
        async with trio.open_nursery() as nursery:
            await connection.stack.busy.acquire_on_behalf_of("another")
            nursery.start_soon(connection.connect)
            await trio.sleep(1.2)
            connection.stack.busy.release_on_behalf_of("another")
        assert isinstance(connection.tls, Ok)
        assert connection.tls.timings.total_s < 1.2
        connection.close()


async def test_a_cancelled_handshake_leaves_no_socket(make_network: MakeNetwork) -> None:
    async with listening(silent) as peer:
        connection = make_network(connect_timeout_s=30.0).connection(peer.address, peer.port, NAME)
        with trio.move_on_after(0.1) as scope:
            await connection.connect()
        assert scope.cancelled_caught
        assert not connection.is_open
        # The peer notices: its next read after our first flight ends.
        with trio.fail_after(5):
            assert await peer.sockets[0].receive_some()
            assert not await peer.sockets[0].receive_some()


# -- Exchanges -------------------------------------------------------------------------------------------------------


async def test_a_connection_is_kept_for_the_next_exchange(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        network = make_network()
        connection = network.connection(peer.address, peer.port, NAME)
        for number in range(5):
            assert (await get(connection, f"/{number}")).content == b"hello"
        connection.close()
    assert peer.connections == network.traffic.connections == 1
    assert [request.split()[1] for request in peer.requests] == [b"/0", b"/1", b"/2", b"/3", b"/4"]


CLOSING = [
    pytest.param(ok(b"hello", b"Connection: close"), id="Connection: close"),
    pytest.param(b"HTTP/1.0 200 OK\r\n\r\nhello", id="HTTP/1.0, until closed"),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhello", id="HTTP/1.1, until closed"),
    pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", id="HTTP/1.0 with a length"),
    pytest.param(HELLO + ok(b"a second answer to one request"), id="an answer nobody asked for behind it"),
]


@pytest.mark.parametrize("answer", CLOSING)
async def test_a_peer_that_closes_after_its_answer_is_dialled_again(
    answer: bytes, authority: Authority, make_network: MakeNetwork
) -> None:
    async with listening(answering(answer), authority.server(NAME)) as peer:
        network = make_network()
        connection = network.connection(peer.address, peer.port, NAME)
        for _ in range(2):
            assert (await get(connection)).content == b"hello"
        assert not connection.is_open
    assert peer.connections == network.traffic.connections == 2
    assert network.traffic.requests == 2


@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_a_connection_closed_while_idle_is_dialled_again_once(
    how: str, authority: Authority, make_network: MakeNetwork
) -> None:
    async def answer_once(peer: Peer, stream: Stream) -> None:
        await peer.read_request(stream)
        await stream.send_all(HELLO)
        if how == "resets":
            reset(peer)

    async with listening(answer_once, authority.server(NAME)) as peer:
        network = make_network()
        connection = network.connection(peer.address, peer.port, NAME)
        for _ in range(3):
            assert (await get(connection)).content == b"hello"
            await trio.sleep(0.05)
    assert peer.connections == 3
    connection.close()


async def test_what_may_change_something_is_not_sent_twice(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(answering(HELLO), authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        await get(connection)
        await trio.sleep(0.05)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - which of them the kernel decides; see below
            await connection.handle_async_request(httpx.Request("POST", f"https://{NAME}/", content=b"{}"))
        assert not isinstance(raised.value, DialFailedError)
    assert peer.connections == 1


async def test_a_fresh_connection_that_is_closed_is_not_dialled_again(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async def read_and_close(peer: Peer, stream: Stream) -> None:
        await peer.read_request(stream)

    async with listening(read_and_close, authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        with pytest.raises(Exception):  # noqa: B017, PT011 - any ending will do; what counts is the peer's view
            await get(connection)
    assert peer.connections == 1


async def test_content_is_sent_with_its_length(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        request = httpx.Request("POST", f"https://{NAME}/x", content=b'{"limit":1}')
        response = await connection.handle_async_request(request)
        await response.aread()
        connection.close()
    head, _, content = peer.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x HTTP/1.1\r\n")
    assert b"content-length: 11" in head.lower()
    assert content == b'{"limit":1}'


async def test_content_larger_than_every_buffer_goes_out_whole(authority: Authority, make_network: MakeNetwork) -> None:
    content = bytes(range(256)) * (16 * 1024)  # 4 MiB, sent to a peer that takes its time

    async def read_late(peer: Peer, stream: Stream) -> None:
        await trio.sleep(0.1)
        await peer.read_request(stream)
        await stream.send_all(HELLO)

    async with listening(read_late, authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        response = await connection.handle_async_request(httpx.Request("POST", f"https://{NAME}/", content=content))
        assert await response.aread() == b"hello"
        connection.close()
    assert peer.requests[0].endswith(content)


async def test_one_exchange_at_a_time(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        request = httpx.Request("GET", f"https://{NAME}/")
        response = await connection.handle_async_request(request)
        with pytest.raises(trio.BusyResourceError):
            await connection.handle_async_request(request)
        await response.aclose()  # unread: the connection cannot be used for another
        assert not connection.is_open
        assert (await get(connection)).content == b"hello"
        connection.close()
    assert peer.connections == 2


async def test_a_bug_of_ours_is_not_the_peers(authority: Authority, make_network: MakeNetwork) -> None:
    async with listening(always(HELLO), authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        request = httpx.Request("GET", f"https://{NAME}/", extensions={"target": b"/with blank"})
        with pytest.raises(h11.LocalProtocolError):
            await connection.handle_async_request(request)
        assert not connection.is_open


async def test_it_is_a_transport_for_httpx_itself(authority: Authority, make_network: MakeNetwork) -> None:
    """Held against httpx's own client: what we return is what it expects of a transport."""
    chunked = (
        b"HTTP/1.1 203 So so\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    async with listening(always(chunked), authority.server(NAME)) as peer:
        connection = make_network().connection(peer.address, peer.port, NAME)
        async with httpx.AsyncClient(transport=connection) as client:
            for _ in range(2):
                response = await client.get(f"https://{NAME}/path?q=%21")
                assert (response.status_code, response.text) == (203, "abcde")
                assert response.headers.get_list("x-a") == ["1", "2"]
        async with httpx.AsyncClient(transport=make_network().connection("127.0.0.1", 1, NAME)) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"https://{NAME}/")
    assert peer.connections == 1
    assert peer.requests[0].startswith(b"GET /path?q=%21 HTTP/1.1\r\n")


async def test_a_peer_that_sends_faster_than_we_read_leaves_room_for_others(
    authority: Authority, make_network: MakeNetwork
) -> None:
    """Its bytes are always there already; deadlines and other tasks of the loop still get their turn."""
    size = 64 * 1024 * 1024

    def pour() -> None:
        accepted, _ = listener.accept()
        with context.wrap_socket(accepted, server_side=True) as secure, contextlib.suppress(OSError):
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // 65536):
                secure.sendall(bytes(65536))

    context = authority.server(NAME)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = make_network().connection("127.0.0.1", listener.getsockname()[1], NAME)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, pour)
            response = await connection.handle_async_request(httpx.Request("GET", f"https://{NAME}/"))
            turns = 0

            async def count_turns() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await trio.lowlevel.checkpoint()

            nursery.start_soon(count_turns)
            read = 0
            assert isinstance(response.stream, httpx.AsyncByteStream)
            async for piece in response.stream:
                read += len(piece)
                time.sleep(0.0005)  # noqa: ASYNC251 - we are slow, so that the socket is never empty
                if read > 4 * 1024 * 1024:
                    break
            pieces = read // (32 * 1024)
            await response.aclose()
            nursery.cancel_scope.cancel()
    assert turns >= pieces - 1  # one came with the head


# -- Trust -----------------------------------------------------------------------------------------------------------


def test_a_ca_file_that_is_none_is_said_so(make_network: MakeNetwork, authority: Authority) -> None:
    missing = authority.folder / "missing.pem"
    with pytest.raises(UsageError, match="cannot be read"):
        make_network(ca=missing)
    empty = authority.folder / "empty.pem"
    empty.write_text("nothing\n")
    with pytest.raises(UsageError, match="no certificate authority"):
        make_network(ca=empty)


def test_the_system_is_trusted_when_no_ca_is_given() -> None:
    context = tls.client_context("")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.hostname_checks_common_name
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_the_ca_replaces_the_systems(
    authority: Authority, make_network: MakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE stands for the system here: it is trusted without --ca, and no longer with it."""
    stranger = Authority(authority.folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.pem))
    async with listening(silent, stranger.server(NAME)) as peer:
        outcomes = []
        for ca in ("", str(authority.pem)):
            context = tls.client_context(ca)
            sock = await Dialler(AddressPolicy(("127.0.0.0/8",)), ()).dial(peer.address, peer.port, 5.0)
            assert isinstance(sock, socket.socket)
            stream, _ = await tls.handshake(sock, context, NAME, trio.CapacityLimiter(1), 5.0)
            outcomes.append(isinstance(stream, tls.TlsStream))
            if isinstance(stream, tls.TlsStream):
                stream.close()
    assert outcomes == [True, False]
