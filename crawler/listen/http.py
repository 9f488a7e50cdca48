"""A small HTTP/1.1 server on trio and h11 (RFC 9112), with or without TLS.

Made for peers that nobody vouches for: every wait has a deadline, every size a cap, connections are counted before they
are accepted, and whatever a peer sends, the worst it gets is an error answer and a closed connection. Nothing a peer
or a handler does ever raises out of `serve`; our own bugs in a handler are logged with their traceback and answered
with 500.
"""

import contextlib
import errno
import logging
import ssl
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import format_datetime

import h11
import trio

from crawler.listen.message import TEXT, Bounds, Handler, Request, Response

_log = logging.getLogger(__name__)

_READ_BYTES = 16 * 1024
_METHODS = frozenset({b"GET", b"HEAD", b"POST"})
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_sni: ContextVar[str | None] = ContextVar("_sni", default=None)


def note_sni(name: str | None) -> None:
    """Tell the request what host name the handshake asked for; for `sni_callback`s of contexts handed to `serve`.

    Python gives the name to the callback only. The callback runs inside the task that does the handshake, so a context
    variable belongs to exactly that connection.
    """
    _sni.set(name.lower() if name else None)


async def open_listeners(host: str, port: int, *, count: int = 1, backlog: int = 1024) -> list[trio.SocketListener]:
    """Listen on an IP literal and a port (0: any free one), `count` times (several only make sense for port 0)."""
    found: list[trio.SocketListener] = []
    for _ in range(count):
        found.extend(await trio.open_tcp_listeners(port, host=host, backlog=backlog))
    return found


def listening_port(listener: trio.SocketListener) -> int:
    """The TCP port of a listener."""
    port: int = listener.socket.getsockname()[1]
    return port


async def serve(
    handler: Handler,
    listeners: Sequence[trio.SocketListener],
    *,
    tls: ssl.SSLContext | None = None,
    bounds: Bounds | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `handler` on `listeners` until cancelled; then idle connections are closed at once, answers under way get
    `bounds.grace_s`, and the listeners are closed."""
    server = _Server(handler, tls, bounds or Bounds(), now)
    try:
        async with trio.open_nursery() as outer:
            connections: trio.Nursery = await outer.start(server.hold_connections)
            try:
                async with trio.open_nursery() as accepting:
                    for listener in listeners:
                        accepting.start_soon(server.accept_forever, listener, connections)
                    task_status.started()
            finally:
                server.closing.set()
    finally:
        for listener in listeners:
            await trio.aclose_forcefully(listener)


class _Server:
    """What all connections of one `serve` share."""

    def __init__(
        self, handler: Handler, tls: ssl.SSLContext | None, bounds: Bounds, now: Callable[[], datetime]
    ) -> None:
        self.handler = handler
        self.tls = tls
        self.bounds = bounds
        self.closing = trio.Event()
        self.idle: set[trio.CancelScope] = set()
        self._now = now
        self._slots = trio.Semaphore(bounds.connections)
        self._date: tuple[int, bytes] = (-1, b"")

    async def hold_connections(self, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        """The nursery of all connections. Shielded, because whoever cancels us must not tear an answer apart."""
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.shield = True
            task_status.started(nursery)
            await self.closing.wait()
            nursery.cancel_scope.deadline = trio.current_time() + self.bounds.grace_s
            for scope in self.idle:
                scope.cancel()

    async def accept_forever(self, listener: trio.SocketListener, connections: trio.Nursery) -> None:
        while True:
            await self._slots.acquire()
            try:
                stream = await listener.accept()
            except OSError as error:
                self._slots.release()
                if error.errno not in _OUT_OF_RESOURCES:
                    raise
                _log.warning("cannot accept a connection: %s", error.strerror)
                await trio.sleep(0.1)
            except BaseException:
                self._slots.release()
                raise
            else:
                connections.start_soon(self._connection, stream)

    async def _connection(self, socket_stream: trio.SocketStream) -> None:
        stream: trio.abc.Stream = socket_stream
        try:
            peer = str(socket_stream.socket.getpeername()[0])
            if self.tls is not None:
                _sni.set(None)
                tls_stream = trio.SSLStream(socket_stream, self.tls, server_side=True, https_compatible=True)
                stream = tls_stream
                with trio.fail_after(self.bounds.handshake_s):
                    await tls_stream.do_handshake()
            await _Conversation(self, stream, peer, _sni.get() if self.tls else None).run()
        except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError, OSError) as error:
            _log.debug("a peer was lost: %r", error)
        except Exception:
            _log.exception("a connection failed through a fault of ours")
        finally:
            self._slots.release()
            with trio.move_on_after(1.0, shield=True), contextlib.suppress(trio.BrokenResourceError, OSError):
                await stream.aclose()

    def date(self) -> bytes:
        """The Date header (RFC 9110, 6.6.1), made anew at most once a second."""
        second = int(trio.current_time())
        if self._date[0] != second:
            self._date = (second, format_datetime(self._now(), usegmt=True).encode())
        return self._date[1]


class _RefusedError(Exception):
    """A request that is answered without asking the handler; the connection ends with the answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.response = Response(
            status, why.encode() + b"\n", TEXT, ((b"allow", b"GET, HEAD, POST"),) if status == 405 else ()
        )


class _Conversation:
    """All requests of one connection, one after the other; pipelined ones wait in h11's buffer."""

    def __init__(self, server: _Server, stream: trio.abc.Stream, peer: str, sni: str | None) -> None:
        self.server = server
        self.stream = stream
        self.peer = peer
        self.sni = sni
        self.bounds = server.bounds
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=self.bounds.header_bytes)
        self.head_only = False

    async def run(self) -> None:
        for _ in range(self.bounds.requests):
            try:
                request = await self._receive()
            except h11.RemoteProtocolError as error:
                await self._answer(Response(error.error_status_hint, b"Bad request\n", TEXT), last=True)
                return
            except _RefusedError as refused:
                await self._answer(refused.response, last=True)
                return
            if request is None:
                return
            with trio.fail_after(self.bounds.answer_s):
                response = await self._handle(request)
                if response is None:
                    return
                await self._answer(response, last=self.server.closing.is_set())
            if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
                return
            self.http.start_next_cycle()

    async def _handle(self, request: Request) -> Response | None:
        try:
            return await self.server.handler(request)
        except Exception:
            _log.exception("the handler failed on %s", request.path[:200])
            return Response(500, b"Internal error\n", TEXT)

    async def _receive(self) -> Request | None:
        """The next request, whole; None when the peer left, or idled, or was too slow, or we are closing."""
        head: h11.Request | None = None
        body = bytearray()
        with trio.CancelScope(deadline=trio.current_time() + self.bounds.idle_s) as waiting:
            begun = bool(self.http.trailing_data[0])
            if begun:
                waiting.deadline = trio.current_time() + self.bounds.request_s
            elif self.server.closing.is_set():
                return None
            else:
                self.server.idle.add(waiting)
            try:
                while True:
                    event = self.http.next_event()
                    if event is h11.NEED_DATA:
                        if self.http.they_are_waiting_for_100_continue:
                            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
                        data = await self.stream.receive_some(_READ_BYTES)
                        if not begun:
                            begun = True
                            self.server.idle.discard(waiting)
                            waiting.deadline = trio.current_time() + self.bounds.request_s
                        self.http.receive_data(bytes(data))
                    elif isinstance(event, h11.Request):
                        self._judge(event)
                        head = event
                    elif isinstance(event, h11.Data):
                        body += event.data
                        if len(body) > self.bounds.body_bytes:
                            raise _RefusedError(413, f"a body has at most {self.bounds.body_bytes} bytes")
                    elif isinstance(event, h11.EndOfMessage) and head is not None:
                        return Request(
                            method=head.method.decode("ascii"),
                            target=head.target.decode("ascii"),
                            headers=tuple((name, value) for name, value in head.headers),
                            body=bytes(body),
                            peer=self.peer,
                            sni=self.sni,
                        )
                    else:  # the peer closed its side
                        return None
            finally:
                self.server.idle.discard(waiting)
        return None

    def _judge(self, head: h11.Request) -> None:
        self.head_only = head.method == b"HEAD"
        # h11 judges only what is still incomplete; a head that came whole in one read is judged here.
        if (
            len(head.target) + sum(len(name) + len(value) + 4 for name, value in head.headers)
            > self.bounds.header_bytes
        ):
            raise _RefusedError(431, f"request line and headers have at most {self.bounds.header_bytes} bytes")
        if head.method not in _METHODS:
            raise _RefusedError(405, "only GET, HEAD and POST are served here")
        for name, value in head.headers:
            if name == b"content-length" and int(value) > self.bounds.body_bytes:
                raise _RefusedError(413, f"a body has at most {self.bounds.body_bytes} bytes")

    async def _answer(self, response: Response, *, last: bool) -> None:
        if self.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [
            (b"date", self.server.date()),
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            *response.headers,
        ]
        if last:
            headers.append((b"connection", b"close"))
        out: bytes = self.http.send(h11.Response(status_code=response.status, headers=headers)) or b""
        if response.pause_s and not self.head_only:
            await self._drip(out, response)
            return
        if response.body and not self.head_only:
            out += self.http.send(h11.Data(data=response.body)) or b""
        out += self.http.send(h11.EndOfMessage()) or b""
        with trio.fail_after(self.bounds.answer_s):
            await self.stream.send_all(out)

    async def _drip(self, head: bytes, response: Response) -> None:
        """Send an answer byte by byte. `bounds.answer_s` ends it if the peer does not."""
        await self.stream.send_all(head)
        for at in range(len(response.body)):
            await trio.sleep(response.pause_s)
            await self.stream.send_all(self.http.send(h11.Data(data=response.body[at : at + 1])) or b"")
        self.http.send(h11.EndOfMessage())

    async def _send(self, event: h11.Event) -> None:
        data = self.http.send(event)
        if data:
            await self.stream.send_all(data)
