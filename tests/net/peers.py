"""Scripted peers: each connection runs a script over a real socket, and what came in is kept."""

import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import trio

Stream = trio.abc.Stream
Script = Callable[["Peer", Stream], Awaitable[None]]

PROMISED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@dataclass
class Peer:
    """A listener and what it has seen."""

    address: str
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    sni: list[str | None] = field(default_factory=list)
    sockets: list[trio.SocketStream] = field(default_factory=list)

    async def read_request(self, stream: Stream) -> bytes:
        """Head, and content if its length is given; empty when the client has closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = await stream.receive_some()
            if not piece:
                return b""
            data += piece
        head, _, content = data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            while name.lower() == b"content-length" and len(content) < int(value):
                content += await stream.receive_some()
        self.requests.append(head + b"\r\n\r\n" + content)
        return self.requests[-1]


async def start_peer(
    nursery: trio.Nursery, script: Script, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> Peer:
    """Listen on a free port of `address`, with TLS unless `tls` is None."""
    listener = (await trio.open_tcp_listeners(0, host=address))[0]
    peer = Peer(address, listener.socket.getsockname()[1])
    if tls is not None:

        def note_sni(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            peer.sni.append(name)

        tls.sni_callback = note_sni

    async def handle(plain: trio.SocketStream) -> None:
        peer.connections += 1
        peer.sockets.append(plain)
        stream: Stream = plain
        try:
            if tls is not None:
                secure = trio.SSLStream(plain, tls, server_side=True, https_compatible=True)
                await secure.do_handshake()
                stream = secure
            await script(peer, stream)
            await stream.aclose()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    nursery.start_soon(trio.serve_listeners, handle, [listener])
    return peer


def answering(*answers: bytes) -> Script:
    """Each request of a connection is answered with the next of `answers`; after the last, the connection is closed."""

    async def script(peer: Peer, stream: Stream) -> None:
        for answer in answers:
            if not await peer.read_request(stream):
                return
            await stream.send_all(answer)

    return script


def always(answer: bytes) -> Script:
    """Every request gets the same answer, until the client closes."""

    async def script(peer: Peer, stream: Stream) -> None:
        while await peer.read_request(stream):
            await stream.send_all(answer)

    return script


async def silent(_peer: Peer, _stream: Stream) -> None:
    await trio.sleep_forever()


def reset(peer: Peer) -> None:
    """Break the last connection off with RST instead of FIN."""
    sock = peer.sockets[-1].socket
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def ok(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
