"""One TLS connection to one pinned address, spoken to through httpx's own request and response types.

Not through `httpx.AsyncClient`, whose pool looks at every idle connection for every request, resolves names by itself
and can reuse a connection for another name: here the address is decided before, the certificate's name never changes,
and there is nothing to look up. HTTP/1.1 is h11's business (RFC 9112); this module moves its bytes.
"""

import socket

import h11
import httpx
import trio

from crawler.errors import Failure, FailureKind
from crawler.model.observation import Attempt, Failed, Ok, PresentedTls, Skipped, SkipReason, Timings, TlsFacts
from crawler.net.dial import canonical
from crawler.net.failures import BrokenOffError, DialFailedError, PeerClosedError
from crawler.net.stack import Stack
from crawler.net.tls import TlsStream, handshake
from crawler.net.unverified import read_presented

HEAD_LIMIT_BYTES = 64 * 1024
"""Status line and headers, also trailers and the line before a chunk."""
MAX_HEADERS = 128
MAX_INFORMATIONAL = 8
"""1xx answers read before the real one."""
IDEMPOTENT = frozenset({"GET", "HEAD"})

NOT_REACHED = Skipped(SkipReason.NOT_REACHED)


class Connection(httpx.AsyncBaseTransport):
    """Dialled by `connect`, or by the first exchange; dialled again when the peer has closed it in between.

    One exchange at a time: the answer's body must be read to its end, or the response closed, before the next.

    Attributes:
        url: where it leads, for requests that give their target apart.
        tcp: how the last dial went; its value is the resolved address.
        tls: how the last handshake went.
        first_byte_s: of the last exchange, from request sent to first byte; None when no byte came.
        wire_bytes: of the last exchange, read from TLS: headers, framing and content.
    """

    def __init__(self, stack: Stack, address: str, port: int, tls_name: str) -> None:
        self.stack = stack
        self.address = canonical(address)
        self.port = port
        self.tls_name = tls_name
        self.url = httpx.URL(scheme="https", host=tls_name, port=port)
        self.tcp: Attempt[str] = NOT_REACHED
        self.tls: Attempt[TlsFacts] = NOT_REACHED
        self.first_byte_s: float | None = None
        self.wire_bytes = 0
        self._stream: TlsStream | None = None
        self._http = h11.Connection(h11.CLIENT)
        self._answered = 0
        self._in_use = False
        self._peer_closed = False

    @property
    def is_open(self) -> bool:
        """Whether a verified connection stands, as far as we know: a peer may have closed it without our noticing."""
        return self._stream is not None

    async def connect(self) -> None:
        """Dial at the address's pace, unless open. How it went is in `tcp` and `tls`."""
        if self.is_open:
            return
        async with self.stack.pacer.turn(self.address):
            try:
                await self.open()
            except DialFailedError:
                return

    async def open(self) -> TlsStream:
        """Dial unless open; the pace is the caller's business.

        Raises:
            DialFailedError: with the failure that `tcp` or `tls` now holds.
        """
        if self._stream is None:
            self.tcp, self.tls = NOT_REACHED, NOT_REACHED
            self._stream = await self._dial()
            self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
            self._answered = 0
            self._peer_closed = False
        return self._stream

    async def _dial(self) -> TlsStream:
        stack = self.stack
        limit_s = stack.limits.connect_timeout_s
        place = self.address, self.port
        silent = stack.silent if stack.silent is not None else set()
        started = trio.current_time()
        # Who was silent in this visit is not waited for as long at another port.
        dial_s = min(limit_s, stack.limits.first_connect_timeout_s) if self.address in silent else limit_s
        sock: socket.socket | Failure | None = stack.silences.known(place, dial_s)
        if sock is None:
            sock = await stack.dialler.dial(self.address, self.port, dial_s)
            if isinstance(sock, Failure) and sock.kind is FailureKind.TCP_TIMEOUT:
                stack.silences.keep(place, dial_s, sock)
        tcp_s = trio.current_time() - started
        if isinstance(sock, Failure):
            if sock.kind is FailureKind.TCP_TIMEOUT:
                silent.add(self.address)
            self.tcp = Failed(sock, Timings(tcp_s))
            raise DialFailedError(sock)
        stack.traffic.connections += 1
        stack.traffic.handshakes += 1
        self.tcp = Ok(self.address, Timings(tcp_s, tcp_s=tcp_s))
        stream, tls_s = await handshake(sock, stack.context, self.tls_name, stack.busy, limit_s)
        timings = Timings(tls_s, tls_s=tls_s)
        if isinstance(stream, Failure):
            self.tls = Failed(stream, timings)
            raise DialFailedError(stream)
        try:
            self.tls = Ok(stream.facts(), timings)
        except ValueError:
            stream.close()
            failure = Failure(FailureKind.TLS_VERIFY, "the certificate cannot be read")
            self.tls = Failed(failure, timings)
            raise DialFailedError(failure) from None
        return stream

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and read the answer's head.

        The target on the wire is the extension `target` when given (RFC 9112, 3.2, byte for byte: signatures cover it),
        else the URL's.

        Raises:
            trio.BusyResourceError: the answer before is neither read nor closed.
            Exception: one of `failures.HTTP_ERRORS`; the connection is closed then.
        """
        if self._in_use:
            raise trio.BusyResourceError("one exchange at a time on one connection")
        content = await request.aread()
        may_be_stale = self._stream is not None and self._answered > 0
        try:
            return await self._exchange(request, content)
        except (OSError, PeerClosedError):
            # A peer may close an idle connection at any moment; a request that crossed that on its way was not
            # answered and may be sent again if it changes nothing (RFC 9112, 9.3.1 and 9.5).
            if not may_be_stale or self.wire_bytes or request.method not in IDEMPOTENT:
                raise
        return await self._exchange(request, content)

    async def _exchange(self, request: httpx.Request, content: bytes) -> httpx.Response:
        self.first_byte_s = None
        self.wire_bytes = 0
        stream = await self.open()
        self._in_use = True
        try:
            target = request.extensions.get("target", request.url.raw_path)
            head = h11.Request(method=request.method, target=target, headers=request.headers.raw)
            data = (self._http.send(head) or b"") + (self._http.send(h11.Data(content)) or b"")
            data += self._http.send(h11.EndOfMessage()) or b""
            self.stack.traffic.requests += 1
            await stream.send_all(data)
            answer = await self._read_head(stream)
        except BaseException:
            self.close()
            raise
        return httpx.Response(
            answer.status_code, headers=answer.headers.raw_items(), stream=_Content(self, stream), request=request
        )

    async def _read_head(self, stream: TlsStream) -> h11.Response:
        for _ in range(MAX_INFORMATIONAL + 1):
            event = await self._next_event(stream)
            if isinstance(event, h11.Response):
                if len(event.headers) > MAX_HEADERS:
                    raise BrokenOffError(FailureKind.HTTP_PROTOCOL, f"{len(event.headers)} headers")
                return event
        raise BrokenOffError(FailureKind.HTTP_PROTOCOL, f"more than {MAX_INFORMATIONAL} informational answers")

    async def read_content(self, stream: TlsStream) -> bytes | None:
        """The next piece of the answer's content; None at its end, when the connection is ready for the next exchange,
        or closed if the peer wants that (RFC 9112, 9.6)."""
        try:
            event = await self._next_event(stream)
        except BaseException:
            self.close()
            raise
        if isinstance(event, h11.Data):
            return bytes(event.data)
        self._answered += 1
        # Bytes behind the answer were not asked for; read as the next answer, they would be told of the wrong request.
        surplus, _ = self._http.trailing_data
        is_whole = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if is_whole and not surplus and not self._peer_closed:
            self._http.start_next_cycle()
            self._in_use = False
        else:
            self.close()
        return None

    async def _next_event(self, stream: TlsStream) -> h11.Event:
        sent_at = trio.current_time()
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                if self._peer_closed:
                    raise PeerClosedError from None
                raise
            if isinstance(event, h11.Event):
                return event
            data = await stream.receive_some()
            if data and self.first_byte_s is None:
                self.first_byte_s = trio.current_time() - sent_at
            self._peer_closed = not data
            self.wire_bytes += len(data)
            self._http.receive_data(data)

    def presented(self) -> Attempt[PresentedTls]:
        """What the peer presented; skipped unless the connection is open."""
        if self._stream is None or not isinstance(self.tls, Ok):
            return NOT_REACHED
        return read_presented(self._stream, self.tls.timings)

    def close(self) -> None:
        """Close now, whatever is under way. A later exchange dials again."""
        self._in_use = False
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def aclose(self) -> None:
        self.close()


class _Content(httpx.AsyncByteStream):
    """An answer's content as it comes. No generator, since the collector would have to finish one dropped half-way."""

    def __init__(self, connection: Connection, stream: TlsStream) -> None:
        self._connection = connection
        self._stream = stream
        self._ended = False

    def __aiter__(self) -> "_Content":
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        piece = await self._connection.read_content(self._stream)
        if piece is None:
            self._ended = True
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        if not self._ended:
            self._ended = True
            self._connection.close()
