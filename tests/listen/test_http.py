"""The server against peers that are polite, clumsy, slow and hostile."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import h11
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.listen.http import listening_port, open_listeners, serve
from crawler.listen.message import Bounds, Handler, Request, Response, json_response

SOON_S = 10.0
"""No exchange on loopback may take longer; what is tested is that it ends, not when."""


async def echo(request: Request) -> Response:
    """Says back what it was asked."""
    return json_response(200, {"method": request.method, "target": request.target, "body": request.body.decode()})


@asynccontextmanager
async def serving(handler: Handler = echo, bounds: Bounds | None = None) -> AsyncIterator[int]:
    """A server of `handler` on a free port of loopback, for the length of the block."""
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            listeners = await open_listeners("127.0.0.1", 0)

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                await serve(handler, listeners, bounds=bounds, task_status=task_status)

            await nursery.start(run)
            yield listening_port(listeners[0])
            nursery.cancel_scope.cancel()


@dataclass
class Peer:
    """The other end of one connection: sends bytes, reads answers."""

    stream: trio.SocketStream

    def __post_init__(self) -> None:
        self.http = h11.Connection(h11.CLIENT)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer; raises when the connection ends before one."""
        with trio.fail_after(SOON_S):
            body = b""
            status, headers = 0, {}
            while True:
                event = self.http.next_event()
                if event is h11.NEED_DATA:
                    self.http.receive_data(await self.stream.receive_some(65536))
                elif isinstance(event, h11.Response):
                    status = event.status_code
                    headers = {name.decode(): value.decode() for name, value in event.headers}
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    return status, headers, body
                elif isinstance(event, h11.ConnectionClosed):
                    raise EOFError

    async def ask(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send raw bytes, whatever they are, and read the answer to them."""
        await self.stream.send_all(raw)
        method = raw.split(b" ", 1)[0]
        if self.http.our_state is h11.DONE:
            self.http.start_next_cycle()
        # h11 only lets the framing of the answer be known to who sent the request through it.
        self.http.send(
            h11.Request(method=method if method in (b"HEAD", b"POST") else b"GET", target="/", headers=[("Host", "x")])
        )
        self.http.send(h11.EndOfMessage())
        return await self.answer()

    async def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        found = b""
        with trio.fail_after(SOON_S):
            try:
                while data := await self.stream.receive_some(65536):
                    found += data
            except trio.BrokenResourceError:  # ended with a reset: also an end
                pass
        return found


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        yield Peer(stream)


def get(target: str = "/", *headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: here", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_answers_and_keeps_the_connection() -> None:
    async with serving() as port, connected(port) as peer:
        for number in range(3):
            status, headers, body = await peer.ask(get(f"/{number}?q=%21"))
            assert status == 200
            assert body == b'{"method":"GET","target":"/%d?q=%%21","body":""}' % number
            assert headers["content-type"] == "application/json"
            assert headers["date"].endswith(" GMT")
            assert "connection" not in headers


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with serving() as port, connected(port) as peer:
        await peer.stream.send_all(get("/a") + get("/b") + get("/c", "Connection: close"))
        answers = await peer.rest()
        assert answers.count(b"HTTP/1.1 200") == 3
        assert answers.index(b'"/a"') < answers.index(b'"/b"') < answers.index(b'"/c"')


async def test_head_has_the_length_but_not_the_body() -> None:
    async with serving() as port, connected(port) as peer:
        await peer.stream.send_all(get("/x").replace(b"GET", b"HEAD") + get("/y", "Connection: close"))
        answers = await peer.rest()
        assert b'"/x"' not in answers
        assert b'"/y"' in answers
        first = answers.split(b"\r\n\r\n")[0]
        assert b"content-length: %d" % len(b'{"method":"HEAD","target":"/x","body":""}') in first


async def test_a_body_is_read_whole_even_in_chunks() -> None:
    async with serving() as port, connected(port) as peer:
        head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        await peer.stream.send_all(head + b"3\r\nabc\r\n")
        await peer.stream.send_all(b"2\r\nde\r\n0\r\n\r\n")
        assert b'"body":"abcde"' in await peer.rest()


async def test_a_waiting_peer_is_told_to_continue() -> None:
    async with serving() as port, connected(port) as peer:
        await peer.stream.send_all(
            b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        with trio.fail_after(SOON_S):
            assert (await peer.stream.receive_some(100)).startswith(b"HTTP/1.1 100")
        await peer.stream.send_all(b"ok")
        assert b'"body":"ok"' in await peer.rest()


CHUNK = b"ffff\r\n" + bytes(0xFFFF) + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", 400),
        (b"HELO mail.example\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (get("/" + "x" * 20_000), 431),
        (get("/", *(f"X-{n}: {'y' * 100}" for n in range(300))), 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + CHUNK, 413),
    ],
)  # fmt: skip
async def test_what_cannot_be_served_is_refused_and_the_connection_ends(raw: bytes, status: int) -> None:
    async with serving() as port:
        async with connected(port) as peer:
            await peer.stream.send_all(raw)
            answer = await peer.rest()
            assert answer.startswith(b"HTTP/1.1 %d" % status)
        async with connected(port) as peer:
            assert (await peer.ask(get()))[0] == 200


@given(st.lists(st.binary(max_size=300), max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_noise_stops_the_server(noise: list[bytes]) -> None:
    async with serving(bounds=Bounds(idle_s=0.2, request_s=0.2)) as port:
        async with connected(port) as peer:
            for part in noise:
                try:
                    await peer.stream.send_all(part)
                except trio.BrokenResourceError:
                    break
            answer = await peer.rest()
            assert not answer.startswith(b"HTTP/1.1 5")
        async with connected(port) as peer:
            assert (await peer.ask(get()))[0] == 200


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"]
)
async def test_a_peer_that_stops_half_way_is_let_go(sent: bytes) -> None:
    async with serving(bounds=Bounds(idle_s=0.1, request_s=0.1)) as port, connected(port) as peer:
        await peer.stream.send_all(sent)
        assert await peer.rest() == b""


async def test_a_peer_that_drips_is_let_go() -> None:
    async with serving(bounds=Bounds(idle_s=0.2, request_s=0.3)) as port, connected(port) as peer:

        async def drip() -> None:
            while True:
                await peer.stream.send_all(b"X")
                await trio.sleep(0.02)

        with trio.fail_after(SOON_S), pytest.raises(trio.BrokenResourceError):
            await drip()


async def test_a_connection_ends_after_its_share_of_requests() -> None:
    async with serving(bounds=Bounds(requests=2)) as port, connected(port) as peer:
        await peer.stream.send_all(get("/1") + get("/2") + get("/3"))
        answers = await peer.rest()
        assert answers.count(b"HTTP/1.1 200") == 2


async def test_a_fault_of_the_handler_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Response:
        raise KeyError("ours")

    with caplog.at_level(logging.ERROR, logger="crawler.listen.http"):
        async with serving(broken) as port, connected(port) as peer:
            assert (await peer.ask(get("/why")))[0] == 500
            assert (await peer.ask(get("/why")))[0] == 500
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


async def test_a_handler_can_hang_up() -> None:
    async def mute(request: Request) -> None:
        return None

    async with serving(mute) as port, connected(port) as peer:
        await peer.stream.send_all(get())
        assert await peer.rest() == b""


async def test_no_more_connections_than_bounded() -> None:
    inside, most = 0, 0
    release = trio.Event()

    async def counting(request: Request) -> Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await release.wait()
        inside -= 1
        return Response(204)

    async with serving(counting, Bounds(connections=3)) as port:
        done: list[int] = []

        async def ask() -> None:
            async with connected(port) as peer:
                done.append((await peer.ask(get()))[0])

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked(0.2)
            assert inside == 3
            release.set()
        assert done == [204] * 10
        assert most == 3


async def _stopped_while(during: Callable[[Peer, trio.Event], Awaitable[None]], bounds: Bounds) -> None:
    """Start a slow handler, let `during` talk to it, and stop the server in the middle."""
    entered, finish = trio.Event(), trio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await finish.wait()
        return Response(200, b"done")

    listeners = await open_listeners("127.0.0.1", 0)
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as nursery, connected(listening_port(listeners[0])) as peer:
            scope = trio.CancelScope()

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                with scope:
                    await serve(slow, listeners, bounds=bounds, task_status=task_status)

            await nursery.start(run)
            await peer.stream.send_all(get())
            await entered.wait()
            scope.cancel()
            await during(peer, finish)


async def test_an_answer_under_way_is_finished_when_told_to_stop() -> None:
    async def finishing(peer: Peer, finish: trio.Event) -> None:
        await trio.testing.wait_all_tasks_blocked()
        finish.set()
        answer = await peer.rest()
        assert answer.endswith(b"done")
        assert b"connection: close" in answer

    await _stopped_while(finishing, Bounds(grace_s=SOON_S))


async def test_grace_ends() -> None:
    async def never(peer: Peer, finish: trio.Event) -> None:
        assert await peer.rest() == b""

    await _stopped_while(never, Bounds(grace_s=0.1))


async def test_idle_connections_are_closed_at_once_when_told_to_stop() -> None:
    listeners = await open_listeners("127.0.0.1", 0)
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(lambda task_status: serve(echo, listeners, task_status=task_status))
            async with connected(listening_port(listeners[0])) as peer:
                assert (await peer.ask(get()))[0] == 200
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True), trio.fail_after(SOON_S):
                    assert await peer.stream.receive_some(10) == b""
