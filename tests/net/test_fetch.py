"""One exchange with a real peer: whatever the peer does, an attempt comes out, within its bounds."""

import gzip
import io
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.errors import Failure, FailureKind
from crawler.model.observation import Attempt, Failed, Ok, Skipped, SkipReason, Timings
from crawler.net import fetch as net_fetch
from crawler.net.connection import HEAD_LIMIT_BYTES, MAX_HEADERS, MAX_INFORMATIONAL, Connection
from crawler.net.fetch import Answer, failure_of_status, fetch
from crawler.net.traffic import Budget
from crawler.net.transport import Network
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork
from tests.net.peers import Peer, Script, Stream, always, answering, ok, reset, silent, start_peer

NAME = "peer.test"
LIMIT_BYTES = 4096

Use = Callable[[Connection, Peer], Awaitable[None]]


async def with_peer(script: Script, authority: Authority, network: Network, use: Use) -> Peer:
    async with trio.open_nursery() as nursery:
        peer = await start_peer(nursery, script, authority.server(NAME))
        connection = network.connection(peer.address, peer.port, NAME)
        await use(connection, peer)
        connection.close()
        nursery.cancel_scope.cancel()
    return peer


async def ask(connection: Connection, uri: str = "/x", timeout_s: float = 30.0, **how: Any) -> Attempt[Answer]:
    arguments = {"host_header": NAME, "body_limit_bytes": LIMIT_BYTES, "timeout_s": timeout_s, **how}
    return await fetch(connection, "GET", uri, **arguments)


async def outcome(script: Script, authority: Authority, network: Network, **how: Any) -> tuple[Attempt[Answer], bool]:
    """The attempt, and whether the connection may serve another."""
    outcomes: list[tuple[Attempt[Answer], bool]] = []

    async def use(connection: Connection, _peer: Peer) -> None:
        outcomes.append((await ask(connection, **how), connection.is_open))

    await with_peer(script, authority, network, use)
    return outcomes[0]


# -- Answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", [b"200 OK", b"204 No Content", b"302 Found", b"403 Forbidden", b"429 Slow", b"599 X"]
)
async def test_any_status_is_an_answer(status: bytes, authority: Authority, make_network: MakeNetwork) -> None:
    body = b"" if status.startswith(b"204") else b'{"errcode":"M_X"}'
    attempt, _ = await outcome(always(ok(body, status=status)), authority, make_network())
    assert isinstance(attempt, Ok)
    assert attempt.value.status == int(status.split()[0])
    assert attempt.value.body == body


async def test_headers_are_found_in_any_case_and_joined(authority: Authority, make_network: MakeNetwork) -> None:
    answer = ok(b"", b"X-One: 1", b"Cache-Control: no-store", b"cache-control: max-age=3", b"X-Odd: \xe9")
    attempt, _ = await outcome(always(answer), authority, make_network())
    assert isinstance(attempt, Ok)
    headers = attempt.value.headers
    assert headers["x-one"] == headers["X-ONE"] == "1"
    assert headers.get("CACHE-control") == "no-store, max-age=3"
    assert headers.get("x-odd") == "é"
    assert headers.get("absent") is None


async def test_what_is_sent(authority: Authority, make_network: MakeNetwork) -> None:
    """The target byte for byte, since signatures cover it; who we are; no coding asked for."""

    async def use(connection: Connection, _peer: Peer) -> None:
        headers = (("Authorization", 'X-Matrix origin="a",sig="b"'),)
        await ask(connection, "/a%21b/~c'd?e=%C3%a9&f=//", host_header="peer.test:8448", headers=headers)
        await fetch(
            connection, "POST", "/p", host_header=NAME, content=b"{}", body_limit_bytes=LIMIT_BYTES, timeout_s=30.0
        )

    network = make_network(contact="mailto:me@example.org (me)")
    peer = await with_peer(always(ok(b"{}")), authority, network, use)
    lines = peer.requests[0].split(b"\r\n")
    assert lines[0] == b"GET /a%21b/~c'd?e=%C3%a9&f=// HTTP/1.1"
    assert sorted(lines[1:-2]) == sorted(
        [
            b"Host: peer.test:8448",
            rb"User-Agent: matrix-census/1.2.3 (+mailto:me@example.org \(me\))",
            b"Accept: application/json",
            b"Accept-Encoding: identity",
            b'Authorization: X-Matrix origin="a",sig="b"',
        ]
    )
    assert peer.requests[1].startswith(b"POST /p HTTP/1.1\r\n")
    assert peer.requests[1].endswith(b"\r\n\r\n{}")


async def test_without_a_contact_there_is_no_comment(authority: Authority, make_network: MakeNetwork) -> None:
    async def use(connection: Connection, _peer: Peer) -> None:
        await ask(connection)

    peer = await with_peer(always(ok(b"{}")), authority, make_network(), use)
    assert b"\r\nUser-Agent: matrix-census/1.2.3\r\n" in peer.requests[0]


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

WHOLE = [
    pytest.param(ok(b"x" * LIMIT_BYTES), b"x" * LIMIT_BYTES, id="as long as may be"),
    pytest.param(
        CHUNKED + b"3;why=so\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n", b"abcde", id="chunked with a trailer"
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"until the end", id="until closed"),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + ok(b"late"), b"late", id="1xx before"
    ),
    pytest.param(ok(gzip.compress(b"unasked " * 100), b"Content-Encoding: gzip"), b"unasked " * 100, id="gzip"),
    pytest.param(ok(gzip.compress(b""), b"Content-Encoding: X-GZIP"), b"", id="gzip of nothing"),
    pytest.param(ok(b"", b"Content-Encoding: gzip"), b"", id="nothing, said to be gzip"),
    pytest.param(ok(b"plain", b"Content-Encoding: identity"), b"plain", id="identity"),
]


@pytest.mark.parametrize(("answer", "body"), WHOLE)
async def test_content_comes_whole(answer: bytes, body: bytes, authority: Authority, make_network: MakeNetwork) -> None:
    attempt, _ = await outcome(answering(answer), authority, make_network())
    assert isinstance(attempt, Ok), attempt
    assert attempt.value.body == body


# -- No answers ------------------------------------------------------------------------------------------------------


async def hang_up_after_the_request(peer: Peer, _stream: Stream) -> None:
    await peer.read_request(_stream)


async def reset_after_the_request(peer: Peer, stream: Stream) -> None:
    await peer.read_request(stream)
    reset(peer)


async def reset_in_the_content(peer: Peer, stream: Stream) -> None:
    await peer.read_request(stream)
    await stream.send_all(ok(b"x" * 1000)[:500])
    await trio.sleep(0.05)
    reset(peer)


async def say_half(peer: Peer, stream: Stream) -> None:
    await peer.read_request(stream)
    await stream.send_all(ok(b"x" * 1000)[:500])
    await trio.sleep_forever()


async def drip_the_head(peer: Peer, stream: Stream) -> None:
    await peer.read_request(stream)
    for byte in ok(b"x" * 1000):
        await stream.send_all(bytes([byte]))
        await trio.sleep(0.02)


async def drip_the_content(peer: Peer, stream: Stream) -> None:
    await peer.read_request(stream)
    await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await stream.send_all(b"x")
        await trio.sleep(0.02)


def endless(head: bytes, piece: bytes) -> Script:
    async def script(peer: Peer, stream: Stream) -> None:
        await peer.read_request(stream)
        await stream.send_all(head)
        while True:
            await stream.send_all(piece)

    return script


def gzip_bomb(size: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(size // 65536):
            file.write(bytes(65536))
    return packed.getvalue()


OK_HEAD = b"HTTP/1.1 200 OK\r\n"

BROKEN = [
    pytest.param(hang_up_after_the_request, FailureKind.HTTP_CLOSED, id="hangs up"),
    pytest.param(reset_after_the_request, FailureKind.HTTP_CLOSED, id="resets"),
    pytest.param(answering(b"HTTP/1.1 20"), FailureKind.HTTP_CLOSED, id="hangs up in the status line"),
    pytest.param(answering(ok(b"x" * 100)[:-1]), FailureKind.HTTP_CLOSED, id="hangs up in the content"),
    pytest.param(answering(CHUNKED + b"5\r\nab"), FailureKind.HTTP_CLOSED, id="hangs up in a chunk"),
    pytest.param(answering(CHUNKED + b"2\r\nab\r\n"), FailureKind.HTTP_CLOSED, id="hangs up before the last chunk"),
    pytest.param(reset_in_the_content, FailureKind.HTTP_CLOSED, id="resets in the content"),
    pytest.param(silent, FailureKind.HTTP_TIMEOUT, id="silent"),
    pytest.param(say_half, FailureKind.HTTP_TIMEOUT, id="says half"),
    pytest.param(drip_the_head, FailureKind.HTTP_TIMEOUT, id="drips the head"),
    pytest.param(drip_the_content, FailureKind.HTTP_TIMEOUT, id="drips the content"),
    pytest.param(answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="speaks SSH"),
    pytest.param(answering(b"HTTP/1.1 abc\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="a status that is no number"),
    pytest.param(answering(OK_HEAD + b"Bad Header: x\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="a header that is none"),
    pytest.param(
        answering(OK_HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        FailureKind.HTTP_PROTOCOL,
        id="two lengths",
    ),
    pytest.param(answering(OK_HEAD + b"Content-Length: -3\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="a negative length"),
    pytest.param(answering(CHUNKED + b"zz\r\n"), FailureKind.HTTP_PROTOCOL, id="a chunk that is none"),
    pytest.param(answering(b"HTTP/1.1 101 Switching\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="another protocol"),
    pytest.param(endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), FailureKind.HTTP_PROTOCOL, id="1xx without end"),
    pytest.param(endless(OK_HEAD + b"X-Long: ", b"x" * 1000), FailureKind.HTTP_PROTOCOL, id="a header without end"),
    pytest.param(endless(OK_HEAD, b"X: y\r\n" * 100), FailureKind.HTTP_PROTOCOL, id="headers without end"),
    pytest.param(
        answering(OK_HEAD + b"X: y\r\n" * (MAX_HEADERS + 1) + b"\r\n"), FailureKind.HTTP_PROTOCOL, id="many headers"
    ),
    pytest.param(endless(CHUNKED, b"1;" + b"x" * 4000 + b"\r\na\r\n"), FailureKind.HTTP_PROTOCOL, id="all framing"),
    pytest.param(endless(CHUNKED + b"1;", b"x" * 4000), FailureKind.HTTP_PROTOCOL, id="a chunk's line without end"),
    pytest.param(
        endless(CHUNKED + b"1\r\na\r\n0\r\n", b"X: y\r\n" * 100), FailureKind.HTTP_PROTOCOL, id="trailers without end"
    ),
    pytest.param(endless(OK_HEAD + b"\r\n", b"x" * 1000), FailureKind.HTTP_TOO_LARGE, id="content without end"),
    pytest.param(
        endless(CHUNKED, b"3e8\r\n" + b"x" * 1000 + b"\r\n"), FailureKind.HTTP_TOO_LARGE, id="chunks without end"
    ),
    pytest.param(answering(ok(b"x" * (LIMIT_BYTES + 1))), FailureKind.HTTP_TOO_LARGE, id="one byte too long"),
    pytest.param(
        answering(OK_HEAD + b"Content-Length: 9" + b"9" * 18 + b"\r\n\r\n"),
        FailureKind.HTTP_TOO_LARGE,
        id="says it is an exabyte",
    ),
    pytest.param(
        answering(ok(gzip_bomb(64 * 1024 * 1024)[:3000], b"Content-Encoding: gzip")),
        FailureKind.HTTP_TOO_LARGE,
        id="a gzip bomb",
    ),
    pytest.param(
        answering(ok(gzip.compress(b"x" * (LIMIT_BYTES + 1)), b"Content-Encoding: gzip")),
        FailureKind.HTTP_TOO_LARGE,
        id="gzip, one byte too long",
    ),
    pytest.param(answering(ok(b"plain", b"Content-Encoding: gzip")), FailureKind.HTTP_PROTOCOL, id="gzip that is none"),
    pytest.param(
        answering(ok(zlib.compress(b"x"), b"Content-Encoding: deflate")), FailureKind.HTTP_PROTOCOL, id="another coding"
    ),
]


@pytest.mark.parametrize(("script", "kind"), BROKEN)
async def test_every_way_to_give_no_answer(
    script: Script, kind: FailureKind, authority: Authority, make_network: MakeNetwork
) -> None:
    network = make_network()
    timeout_s = 0.3 if kind is FailureKind.HTTP_TIMEOUT else 30.0
    with trio.fail_after(60):
        attempt, is_open = await outcome(script, authority, network, timeout_s=timeout_s)
    assert isinstance(attempt, Failed)
    assert attempt.failure.kind is kind
    assert attempt.failure.detail
    assert attempt.failure.detail.isprintable()
    assert not is_open
    # Bounded, not read to the end: within a cap, its framing and what one read brings.
    assert network.traffic.bytes_read <= LIMIT_BYTES + 64 * 1024


async def test_gzip_that_is_cut_is_no_answer(authority: Authority, make_network: MakeNetwork) -> None:
    answer = ok(gzip.compress(b"x" * 100)[:-3], b"Content-Encoding: gzip")
    attempt, is_open = await outcome(always(answer), authority, make_network())
    assert isinstance(attempt, Failed)
    assert attempt.failure.kind is FailureKind.HTTP_PROTOCOL
    assert is_open  # HTTP's own framing was whole


async def test_bounds_on_heads_are_what_they_say(authority: Authority, make_network: MakeNetwork) -> None:
    """Just within them, an answer is an answer."""
    headers = [b"X-%d: %s" % (number, b"y" * 300) for number in range(MAX_HEADERS - 1)]
    answer = b"HTTP/1.1 103 Hints\r\n\r\n" * MAX_INFORMATIONAL + ok(b"fits", *headers)
    assert len(answer) < HEAD_LIMIT_BYTES
    attempt, is_open = await outcome(always(answer), authority, make_network())
    assert isinstance(attempt, Ok)
    assert is_open


@given(answer=st.binary(max_size=300))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_bytes_break_an_exchange(answer: bytes, authority: Authority, make_network: MakeNetwork) -> None:
    for data in (answer, OK_HEAD + answer, CHUNKED + answer, ok(answer, b"Content-Encoding: gzip")):
        attempt, _ = await outcome(answering(data), authority, make_network())
        assert isinstance(attempt, Ok) or attempt.failure.phase.value == "http"  # type: ignore[union-attr]  # Skipped cannot be


@pytest.mark.parametrize(
    ("address", "port_of", "kind"),
    [("127.0.0.1", 1, FailureKind.TCP_REFUSED), ("10.0.0.1", 8448, FailureKind.POLICY_ADDRESS)],
)
async def test_a_dial_that_fails_is_the_attempts_failure(
    address: str, port_of: int, kind: FailureKind, make_network: MakeNetwork
) -> None:
    network = make_network()
    attempt = await ask(network.connection(address, port_of, NAME))
    assert isinstance(attempt, Failed)
    assert attempt.failure.kind is kind
    assert network.traffic.requests == 0


async def test_a_tls_failure_is_the_attempts_failure(authority: Authority, make_network: MakeNetwork) -> None:
    async with trio.open_nursery() as nursery:
        peer = await start_peer(nursery, silent, authority.server("other.test"))
        attempt = await ask(make_network().connection(peer.address, peer.port, NAME))
        nursery.cancel_scope.cancel()
    assert isinstance(attempt, Failed)
    assert attempt.failure.kind is FailureKind.TLS_WRONG_NAME


async def test_bugs_of_ours_are_not_swallowed(
    authority: Authority, make_network: MakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_args: object) -> httpx.Request:
        raise TypeError("a bug")

    monkeypatch.setattr(net_fetch, "_request", bug)

    async def use(connection: Connection, _peer: Peer) -> None:
        with pytest.raises(TypeError, match="a bug"):
            await ask(connection)

    await with_peer(always(ok(b"")), authority, make_network(), use)


async def test_cancelling_from_outside_is_no_failure_and_closes(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async def use(connection: Connection, _peer: Peer) -> None:
        await connection.connect()
        with trio.move_on_after(0.1) as scope:
            await ask(connection, timeout_s=30.0)
        assert scope.cancelled_caught
        assert not connection.is_open

    await with_peer(silent, authority, make_network(), use)


# -- Times, counters, budget, pace -----------------------------------------------------------------------------------


async def test_times_are_of_this_exchange(authority: Authority, make_network: MakeNetwork) -> None:
    async def slowly(peer: Peer, stream: Stream) -> None:
        while await peer.read_request(stream):
            await trio.sleep(0.1)
            await stream.send_all(ok(b"x" * 100)[:-50])
            await trio.sleep(0.1)
            await stream.send_all(b"x" * 50)

    async def use(connection: Connection, _peer: Peer) -> None:
        first, second = await ask(connection), await ask(connection)
        assert isinstance(first, Ok)
        assert isinstance(second, Ok)
        for attempt in (first, second):
            times = attempt.timings
            assert attempt.value.timings == times
            assert times.first_byte_s is not None
            assert 0.09 < times.first_byte_s < times.total_s - 0.09  # relative to the peer's own sleeps
        assert first.timings.tcp_s is not None
        assert first.timings.tls_s is not None
        assert first.timings.tcp_s + first.timings.tls_s < first.timings.total_s
        assert (second.timings.tcp_s, second.timings.tls_s) == (None, None)

    await with_peer(slowly, authority, make_network(), use)


async def test_times_of_failures(authority: Authority, make_network: MakeNetwork) -> None:
    attempt, _ = await outcome(silent, authority, make_network(), timeout_s=0.2)
    assert isinstance(attempt, Failed)
    assert attempt.timings.total_s >= 0.2
    assert attempt.timings.first_byte_s is None
    refused = await ask(make_network().connection("127.0.0.1", 1, NAME))
    assert isinstance(refused, Failed)
    assert (refused.timings.tcp_s, refused.timings.tls_s) == (None, None)


async def test_waiting_for_the_pace_is_no_time_out_and_is_counted(
    authority: Authority, make_network: MakeNetwork
) -> None:
    network = make_network(address_concurrency=1, address_rate_per_s=1.0)

    async def use(connection: Connection, _peer: Peer) -> None:
        assert isinstance(await ask(connection, timeout_s=0.9), Ok)
        attempt = await ask(connection, timeout_s=0.9)
        assert isinstance(attempt, Ok)
        assert attempt.timings.total_s < network.traffic.polite_wait_s

    await with_peer(always(ok(b"")), authority, network, use)
    assert network.traffic.polite_wait_s > 0.9


async def test_the_pace_is_of_the_resolved_address(authority: Authority, make_network: MakeNetwork) -> None:
    """Many names and addresses behind one listener, as the practice federation has them: each its own pace."""
    async with trio.open_nursery() as nursery:
        peer = await start_peer(nursery, always(ok(b"")), authority.server(NAME))
        network = make_network(
            allow_address=(),
            connect=(f"*:*={peer.address}:{peer.port}",),
            address_concurrency=1,
            address_rate_per_s=0.01,
        )
        with trio.fail_after(10):
            for number in range(10):
                connection = network.connection(f"9.9.9.{number}", 443, NAME)
                assert isinstance(await ask(connection), Ok)
                connection.close()
        with trio.move_on_after(0.2) as scope:
            await ask(network.connection("9.9.9.3", 8448, NAME))
        assert scope.cancelled_caught
        nursery.cancel_scope.cancel()


async def test_counters(authority: Authority, make_network: MakeNetwork) -> None:
    network = make_network()
    budget = Budget(10, 10**6)

    async def use(connection: Connection, _peer: Peer) -> None:
        for _ in range(3):
            await ask(connection, budget=budget)

    await with_peer(always(ok(b"x" * 100, status=b"429 Slow")), authority, network, use)
    traffic = network.traffic
    assert (traffic.requests, traffic.connections, traffic.handshakes, traffic.rate_limited) == (3, 1, 1, 3)
    assert traffic.bytes_read == budget.bytes_read == 300
    assert budget.requests == 3


async def test_a_spent_budget_skips(authority: Authority, make_network: MakeNetwork) -> None:
    async def use(connection: Connection, peer: Peer) -> None:
        of_requests, of_bytes = Budget(2, 10**6), Budget(100, 250)
        attempts = [await ask(connection, budget=of_requests) for _ in range(3)]
        assert [type(attempt) for attempt in attempts] == [Ok, Ok, Skipped]
        assert attempts[2] == Skipped(SkipReason.BUDGET)
        attempts = [await ask(connection, budget=of_bytes) for _ in range(4)]
        assert [type(attempt) for attempt in attempts] == [Ok, Ok, Failed, Skipped]
        assert isinstance(attempts[2], Failed)
        assert attempts[2].failure.kind is FailureKind.POLICY_BUDGET
        assert len(peer.requests) == 5

    await with_peer(always(ok(b"x" * 100)), authority, make_network(), use)


async def test_a_limited_address_rests_for_everybody(authority: Authority, make_network: MakeNetwork) -> None:
    network = make_network(retry_after_max_s=0.5)

    async def use(connection: Connection, _peer: Peer) -> None:
        assert isinstance(await ask(connection), Ok)
        other = network.connection(connection.address, connection.port, NAME)
        assert isinstance(await ask(other), Ok)
        other.close()

    answer = ok(b"", b"Retry-After: 3600", status=b"429 Slow")
    await with_peer(always(answer), authority, network, use)
    assert network.traffic.polite_wait_s > 0.3  # rested, but no longer than retry_after_max_s


# -- What a status means ---------------------------------------------------------------------------------------------


def answer_of(status: int, body: bytes = b"", **headers: str) -> Answer:
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Answer(status, httpx.Headers(list(fields.items())), body, Timings(0.0))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, FailureKind.HTTP_REDIRECT),
        (400, FailureKind.HTTP_STATUS),
        (401, FailureKind.HTTP_UNAUTHORIZED),
        (403, FailureKind.HTTP_FORBIDDEN),
        (404, FailureKind.HTTP_NOT_FOUND),
        (429, FailureKind.HTTP_RATE_LIMITED),
        (502, FailureKind.HTTP_SERVER_ERROR),
        (777, FailureKind.HTTP_STATUS),
    ],
)
def test_kinds_of_statuses(status: int, kind: FailureKind) -> None:
    failure = failure_of_status(answer_of(status, b'{"errcode":"M_FORBIDDEN","error":"no"}'))
    assert failure == Failure(kind, f"status {status} M_FORBIDDEN", http_status=status, errcode="M_FORBIDDEN")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"errcode":7}', b"\xff", b'["M_X"]'])
def test_a_body_that_is_no_matrix_error_says_nothing(body: bytes) -> None:
    failure = failure_of_status(answer_of(404, body))
    assert (failure.errcode, failure.retry_after_s) == (None, None)


NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
IN_A_MINUTE = "Tue, 24 Nov 2026 12:01:00 GMT"
LIMITED = b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}'


@pytest.mark.parametrize(
    ("body", "headers", "wait_s"),
    [
        (b"{}", {"retry_after": "7"}, 7.0),
        (LIMITED, {}, 2.5),
        (LIMITED, {"retry_after": "1"}, 2.5),
        (LIMITED, {"retry_after": "3"}, 3.0),
        (b"{}", {"retry_after": "0"}, 0.0),
        (b"{}", {"retry_after": IN_A_MINUTE}, 60.0),
        # Counted by the server's clock, which is ten minutes slow here.
        (b"{}", {"retry_after": IN_A_MINUTE, "date": "Tue, 24 Nov 2026 11:50:00 GMT"}, 660.0),
        (b"{}", {"retry_after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0.0),
        (b"{}", {"retry_after": "9" * 5000}, 999999999.0),
        (b"{}", {"retry_after": "-1"}, None),
        (b"{}", {"retry_after": "²"}, None),
        (b"{}", {"retry_after": "soon"}, None),
        (b"{}", {"retry_after": "Tue, 24 Nov 99999 11:00:00 GMT"}, None),
        (b"{}", {}, None),
    ],
)
def test_how_long_to_wait(body: bytes, headers: dict[str, str], wait_s: float | None) -> None:
    failure = failure_of_status(answer_of(429, body, **headers), now=lambda: NOW)
    assert failure.retry_after_s == wait_s


def test_without_a_clock_given_the_wall_clock_counts() -> None:
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    wait_s = failure_of_status(answer_of(429, Retry_After=in_an_hour)).retry_after_s
    assert wait_s is not None
    assert 3000 < wait_s <= 3600
