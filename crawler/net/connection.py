"""One TLS connection to one pinned address.

Not through `httpx.AsyncClient`, whose pool looks at every idle connection for every request, resolves names by itself
and can reuse a connection for another name: here the address is decided before, the certificate's name never changes,
and there is nothing to look up. It is a transport of httpx's all the same, so that whoever wants can put a client on
top; the crawl, for which even the making of httpx's requests and responses is a tenth of an exchange, speaks to it
directly. HTTP/1.1 (RFC 9112) is h11's business, but for everyday heads (`head`); this module moves the bytes.
"""

import socket

import h11
import httpx
import trio

from crawler.errors import Failure, FailureKind
from crawler.model.observation import Attempt, Failed, Ok, PresentedTls, Skipped, SkipReason, Timings, TlsFacts
from crawler.net.dial import canonical
from crawler.net.exchange import Head, Request
from crawler.net.failures import BrokenOffError, DialFailedError, PeerClosedError
from crawler.net.head import BEGINNING, Fields, PlainHead, read_plain_head
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

_END_OF_HEAD = b"\r\n\r\n"


class Connection(httpx.AsyncBaseTransport):
    """Dialled by `connect`, or by the first exchange; dialled again when the peer has closed it in between.

    One exchange at a time: the answer's body must be read to its end, or the response closed, before the next.

    Attributes:
        tcp: how the last dial went; its value is the resolved address.
        tcp_s: how long it took, and `tls_s` how long the handshake after it took; None while there is none.
        first_byte_s: of the last exchange, from request sent to first byte; None when no byte came.
        wire_bytes: of the last exchange, read from TLS: headers, framing and content.
    """

    def __init__(self, stack: Stack, address: str, port: int, tls_name: str) -> None:
        self.stack = stack
        self.address = canonical(address)
        self.port = port
        self.tls_name = tls_name
        self.tcp: Attempt[str] = NOT_REACHED
        self.tcp_s: float | None = None
        self.tls_s: float | None = None
        self.first_byte_s: float | None = None
        self.wire_bytes = 0
        self._tls: Attempt[TlsFacts] | None = NOT_REACHED
        self._stream: TlsStream | None = None
        self._http: h11.Connection | None = None
        self._left = 0
        self._closes = False
        self._surplus = b""
        self._answered = 0
        self._in_use = False
        self._peer_closed = False

    @property
    def tls(self) -> Attempt[TlsFacts]:
        """How the last handshake went. What it agreed is read by `connect`, or when it is first asked for while the
        connection is open: not every exchange wants to know."""
        if self._tls is None:
            self._tls = NOT_REACHED if self._stream is None else self._read_facts(self._stream)
        return self._tls

    @property
    def is_open(self) -> bool:
        """Whether a verified connection stands, as far as we know: a peer may have closed it without our noticing."""
        return self._stream is not None

    async def connect(self) -> None:
        """Dial at the address's pace, unless open. How it went is in `tcp` and `tls`; one whose certificate cannot be
        read is closed again."""
        if self._stream is None:
            async with self.stack.pacer.turn(self.address):
                try:
                    await self.open()
                except DialFailedError:
                    return
        if self._tls is None and self._stream is not None:
            self._tls = self._read_facts(self._stream)

    async def open(self) -> TlsStream:
        """Dial unless open; the pace is the caller's business.

        Raises:
            DialFailedError: with the failure that `tcp` or `tls` now holds.
        """
        if self._stream is None:
            self.tcp, self._tls = NOT_REACHED, NOT_REACHED
            self.tcp_s, self.tls_s = None, None
            self._stream = await self._dial()
            self._tls = None
            self._answered = 0
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
        self.tcp_s = tcp_s
        stream, tls_s = await handshake(sock, stack.context, self.tls_name, stack.busy, limit_s)
        if isinstance(stream, Failure):
            self._tls = Failed(stream, Timings(tls_s, tls_s=tls_s))
            raise DialFailedError(stream)
        self.tls_s = tls_s
        return stream

    def _read_facts(self, stream: TlsStream) -> Attempt[TlsFacts]:
        timings = Timings(self.tls_s or 0.0, tls_s=self.tls_s)
        try:
            return Ok(stream.facts(), timings)
        except ValueError:
            self.close()
            return Failed(Failure(FailureKind.TLS_VERIFY, "the certificate cannot be read"), timings)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for httpx, whose extension `target` is sent in the URL's place when given.

        Raises:
            trio.BusyResourceError: see `exchange`.
            Exception: see `exchange`.
        """
        target = request.extensions.get("target", request.url.raw_path)
        fields = [(name, value) for name, value in request.headers.raw if name.lower() not in _FRAMING]
        head = await self.exchange(Request(request.method, target, fields, await request.aread()))
        return httpx.Response(head.status, headers=list(head.raw), stream=_Content(self), request=request)

    async def exchange(self, request: Request) -> Head:
        """Send `request` and read the answer's head. Then read all of its content, or `break_off`.

        Raises:
            trio.BusyResourceError: the answer before is neither read nor broken off.
            Exception: one of `failures.HTTP_ERRORS`; the connection is closed then.
        """
        if self._in_use:
            raise trio.BusyResourceError("one exchange at a time on one connection")
        may_be_stale = self._stream is not None and self._answered > 0
        try:
            return await self._exchange(request)
        except (OSError, PeerClosedError):
            # A peer may close an idle connection at any moment; a request that crossed that on its way was not
            # answered and may be sent again if it changes nothing (RFC 9112, 9.3.1 and 9.5).
            if not may_be_stale or self.wire_bytes or request.method not in IDEMPOTENT:
                raise
        return await self._exchange(request)

    async def _exchange(self, request: Request) -> Head:
        self.first_byte_s = None
        self.wire_bytes = 0
        stream = await self.open()
        self._in_use = True
        self._http = None
        self._surplus = b""
        self._peer_closed = False
        try:
            wire = request.to_wire()
            self.stack.traffic.requests += 1
            await stream.send_all(wire)
            plain, came = await self._read_plain_head(stream)
            if plain is not None and request.method != "HEAD":
                if len(plain.fields) > MAX_HEADERS:
                    raise _too_many(len(plain.fields))
                self._left, self._closes, self._surplus = plain.length, plain.closes, came
                return Head(plain.status, Fields(plain.fields), plain.fields)
            self._http = _http_after(request, came)
            answer = await self._read_head(stream, self._http)
        except BaseException:
            self.close()
            raise
        raw = list(answer.headers.raw_items())
        return Head(answer.status_code, Fields(raw), raw)

    async def _read_plain_head(self, stream: TlsStream) -> tuple[PlainHead | None, bytes]:
        """An everyday head and what came behind it; or None, and all that came."""
        sent_at = trio.current_time()
        came = bytearray()
        while True:
            searched = len(came)
            data = await self._receive(stream, sent_at)
            came += data
            if not data or len(came) > HEAD_LIMIT_BYTES or not came.startswith(BEGINNING[: len(came)]):
                return None, bytes(came)
            end = came.find(_END_OF_HEAD, max(0, searched - len(_END_OF_HEAD)))
            if end >= 0:
                end += len(_END_OF_HEAD)
                plain = read_plain_head(bytes(came[:end]))
                return plain, bytes(came) if plain is None else bytes(came[end:])

    async def _read_head(self, stream: TlsStream, http: h11.Connection) -> h11.Response:
        for _ in range(MAX_INFORMATIONAL + 1):
            event = await self._next_event(stream, http)
            if isinstance(event, h11.Response):
                if len(event.headers) > MAX_HEADERS:
                    raise _too_many(len(event.headers))
                return event
        raise BrokenOffError(FailureKind.HTTP_PROTOCOL, f"more than {MAX_INFORMATIONAL} informational answers")

    async def read_piece(self) -> bytes | None:
        """The next piece of the answer's content; None at its end, when the connection is ready for the next exchange,
        or closed if the peer wants that (RFC 9112, 9.6)."""
        stream = self._stream
        if stream is None:
            raise trio.ClosedResourceError
        try:
            piece = await (self._next_plain(stream) if self._http is None else self._next_data(stream, self._http))
        except BaseException:
            self.close()
            raise
        if piece is None:
            self._answered += 1
            # Bytes behind the answer were not asked for; read as the next answer, they would be told of the wrong
            # request.
            if self._closes or self._surplus or self._peer_closed:
                self.close()
            self._in_use = False
        return piece

    async def _next_plain(self, stream: TlsStream) -> bytes | None:
        if not self._left:
            return None
        piece = self._surplus or await self._receive(stream, trio.current_time())
        if not piece:
            raise PeerClosedError
        piece, self._surplus = piece[: self._left], piece[self._left :]
        self._left -= len(piece)
        return piece

    async def _next_data(self, stream: TlsStream, http: h11.Connection) -> bytes | None:
        event = await self._next_event(stream, http)
        if isinstance(event, h11.Data):
            return bytes(event.data)
        self._surplus, _ = http.trailing_data
        self._closes = http.our_state is not h11.DONE or http.their_state is not h11.DONE
        return None

    async def _next_event(self, stream: TlsStream, http: h11.Connection) -> h11.Event:
        sent_at = trio.current_time()
        while True:
            try:
                event = http.next_event()
            except h11.RemoteProtocolError:
                if self._peer_closed:
                    raise PeerClosedError from None
                raise
            if isinstance(event, h11.Event):
                return event
            http.receive_data(await self._receive(stream, sent_at))

    async def _receive(self, stream: TlsStream, sent_at: float) -> bytes:
        data = await stream.receive_some()
        if data and self.first_byte_s is None:
            self.first_byte_s = trio.current_time() - sent_at
        self._peer_closed = not data
        self.wire_bytes += len(data)
        return data

    def presented(self) -> Attempt[PresentedTls]:
        """What the peer presented; skipped unless the connection is open."""
        tls = self.tls
        if self._stream is None or not isinstance(tls, Ok):
            return NOT_REACHED
        return read_presented(self._stream, tls.timings)

    def break_off(self) -> None:
        """Close if an answer is not read to its end."""
        if self._in_use:
            self.close()

    def close(self) -> None:
        """Close now, whatever is under way. A later exchange dials again."""
        self._in_use = False
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def aclose(self) -> None:
        self.close()


_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


def _too_many(count: int) -> BrokenOffError:
    return BrokenOffError(FailureKind.HTTP_PROTOCOL, f"{count} headers")


def _http_after(request: Request, came: bytes) -> h11.Connection:
    """h11 in the state of having sent `request`, and having been answered so far."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
    http.send(h11.Request(method=request.method, target=request.target, headers=list(request.all_fields)))
    http.send(h11.Data(request.content))
    http.send(h11.EndOfMessage())
    http.receive_data(came)
    return http


class _Content(httpx.AsyncByteStream):
    """An answer's content as it comes. No generator, since the collector would have to finish one dropped half-way."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ended = False

    def __aiter__(self) -> "_Content":
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        piece = await self._connection.read_piece()
        if piece is None:
            self._ended = True
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        if not self._ended:
            self._ended = True
            self._connection.close()
