"""An answer's content, read within its caps and decoded.

We ask for no content coding, since compressed bytes are cheap to send and dear to read (a gzip bomb grows a
thousandfold). Servers that keep files compressed send them so all the same; gzip is decoded, no further than the cap.
Any other coding is refused (RFC 9110, 8.4 and 12.5.3).
"""

import zlib

from crawler.errors import FailureKind
from crawler.net.connection import HEAD_LIMIT_BYTES, Connection
from crawler.net.exchange import Head
from crawler.net.failures import BrokenOffError
from crawler.net.traffic import Budget

FRAMING_FACTOR = 4
"""What came over the wire may be so many times the cap: a server that sends one byte a chunk, each with an extension of
kilobytes, stays under a cap on content for ever."""


async def read_content(connection: Connection, head: Head, limit_bytes: int, budget: Budget | None) -> bytes:
    """All of it, after the head that was just read.

    Raises:
        BrokenOffError: HTTP_TOO_LARGE as soon as it is, or says it will be, longer than `limit_bytes`, sent or decoded;
            POLICY_BUDGET when the visit's bytes are used up; HTTP_PROTOCOL for codings we cannot read.
    """
    traffic = connection.stack.traffic
    decoder = _decoder(head.headers.get("content-encoding", ""))
    _check_announced(head.headers.get("content-length", ""), limit_bytes)
    wire_limit_bytes = FRAMING_FACTOR * limit_bytes + HEAD_LIMIT_BYTES
    pieces: list[bytes] = []
    room_bytes = limit_bytes
    while (piece := await connection.read_piece()) is not None:
        traffic.bytes_read += len(piece)
        if budget is not None:
            budget.read(len(piece))
        if connection.wire_bytes > wire_limit_bytes:
            raise BrokenOffError(FailureKind.HTTP_PROTOCOL, f"{connection.wire_bytes} bytes, most of them framing")
        decoded = decoder.decode(piece, room_bytes) if decoder else piece
        room_bytes -= len(decoded)
        if room_bytes < 0:
            raise _too_large(limit_bytes)
        pieces.append(decoded)
    if decoder is not None and pieces:
        decoder.check_ended()
    return b"".join(pieces)


def _check_announced(content_length: str, limit_bytes: int) -> None:
    if content_length.isascii() and content_length.isdigit() and int(content_length[:20]) > limit_bytes:
        raise _too_large(limit_bytes)


def _too_large(limit_bytes: int) -> BrokenOffError:
    return BrokenOffError(FailureKind.HTTP_TOO_LARGE, f"more than {limit_bytes} bytes")


class _Gunzip:
    """RFC 1952, one member; never makes more than it is asked for and one byte."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def decode(self, piece: bytes, room_bytes: int) -> bytes:
        """At most one byte more than there is room for: enough to show that it is too large."""
        try:
            return self._inflate.decompress(piece, room_bytes + 1)
        except zlib.error:
            raise BrokenOffError(FailureKind.HTTP_PROTOCOL, "content said to be gzip is none") from None

    def check_ended(self) -> None:
        if not self._inflate.eof:
            raise BrokenOffError(FailureKind.HTTP_PROTOCOL, "gzip content ends before its end")


def _decoder(coding: str) -> _Gunzip | None:
    match coding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Gunzip()
        case other:
            raise BrokenOffError(FailureKind.HTTP_PROTOCOL, f"content coding {other!r}, though none was asked for")
