"""A connection of ours as a transport of httpx's, so that what it returns can be held against httpx's own client."""

import httpx

from crawler.net.connection import Connection
from crawler.net.exchange import Request

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class HttpxTransport(httpx.AsyncBaseTransport):
    """The extension `target` of a request is sent in its URL's place when given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = request.extensions.get("target", request.url.raw_path)
        fields = [(name, value) for name, value in request.headers.raw if name.lower() not in _FRAMING]
        head = await self._connection.exchange(Request(request.method, target, fields, await request.aread()))
        return httpx.Response(head.status, headers=list(head.raw), stream=_Content(self._connection), request=request)

    async def aclose(self) -> None:
        self._connection.close()


class _Content(httpx.AsyncByteStream):
    """An answer's content as it comes. No generator, since the collector would have to finish one dropped half-way."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ended = False

    def __aiter__(self) -> "_Content":
        return self

    async def __anext__(self) -> bytes:
        piece = None if self._ended else await self._connection.read_piece()
        if piece is None:
            self._ended = True
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        if not self._ended:
            self._ended = True
            self._connection.break_off()
