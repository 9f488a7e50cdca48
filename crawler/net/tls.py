"""TLS over a connected socket: the shared contexts, the handshake, and what a connection tells.

OpenSSL is handed what came and tells what to send; the socket is ours. Left to read the socket itself, it would ask the
kernel twice for each record, of which a server's part of a handshake has six, and raise an exception for each that is
not there yet. Who is trusted does not depend on the version of Python (`ssl.create_default_context` does) nor on
`SSLKEYLOGFILE`.
"""

import hashlib
import socket
import ssl
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import trio

from crawler.errors import Failure, FailureKind, UsageError, printable
from crawler.model.observation import TlsFacts
from crawler.net.failures import tls_failure

BUSY_PATIENCE_S = 1.0
"""How long a silent peer keeps its place among the busy: tarpits that never finish a handshake cannot hold them all."""
_RECEIVE_BYTES = 32 * 1024
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENCODING_DER = 2
"""`_ssl.ENCODING_DER`."""


def client_context(ca: str) -> ssl.SSLContext:
    """The context of every connection: TLS 1.2 or newer, HTTP/1.1, certificates verified as federating servers do.

    Args:
        ca: PEM file of the authorities to trust instead of the system's; empty for the system's.

    Raises:
        UsageError: the file cannot be read or holds no certificate.
    """
    context = _context()
    # Names are looked for in subjectAltName only (RFC 9525, 6.3), as Synapse, Go and rustls do.
    context.hostname_checks_common_name = False
    if not ca:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError:
        raise UsageError(f"--ca {ca} holds no certificate authority in PEM") from None
    except OSError as error:
        raise UsageError(f"--ca {ca} cannot be read: {error.strerror}") from error
    return context


def unverified_context() -> ssl.SSLContext:
    """A context that asks the same and believes everybody: only to see what is presented, never to ask over."""
    context = _context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsStream:
    """TLS over a connected socket, which is taken over. One task at a time; closed by whoever sees an error.

    Args:
        sock: non-blocking.
        tls_name: whom the certificate must name, where the context verifies.
    """

    __slots__ = ("_came", "_sock", "_tls", "_to_send", "_unsent")

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, tls_name: str) -> None:
        self._sock = sock
        self._came, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._unsent = b""
        self._tls = context.wrap_bio(self._came, self._to_send, server_hostname=tls_name)

    async def shake_hands(self) -> None:
        """Go on with the handshake, to its end. Raises OSError when there is none to be had."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._hear()
            else:
                return await self._flush()

    async def send_all(self, data: bytes) -> None:
        """Raises OSError when the connection breaks."""
        while True:
            try:
                self._tls.write(data)
            except ssl.SSLWantReadError:  # the peer negotiates anew (TLS 1.2)
                await self._hear()
            else:
                return await self._flush()

    async def receive_some(self) -> bytes:
        """At least one byte, or none when the peer has closed. Raises OSError when the connection breaks.

        A peer that leaves without TLS's goodbye counts as having closed: many do, and HTTP's own framing tells
        whether the answer was whole.
        """
        while True:
            if self._came.pending or self._came.eof or self._tls.pending():
                try:
                    return self._tls.read(_RECEIVE_BYTES)
                except ssl.SSLWantReadError:
                    pass  # a session ticket, or a part of a record
                except ssl.SSLEOFError:
                    return b""
            await self._hear()

    async def _hear(self) -> None:
        """Wait for the peer to say something, or to leave, once all is sent that it may wait for."""
        await self._flush()
        # To read before something is there, as it hardly ever is, costs more than to wait for it. The wait also lets
        # other tasks have their turn when a peer sends faster than we read.
        await trio.lowlevel.wait_readable(self._sock)
        with suppress(BlockingIOError):
            data = self._sock.recv(_RECEIVE_BYTES)
            if data:
                self._came.write(data)
            else:
                self._came.write_eof()

    async def _flush(self) -> None:
        # What is left is kept, for a wait may be cancelled and the handshake gone on with.
        self._unsent += self._to_send.read()
        while self._unsent:
            try:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._sock)

    def facts(self) -> TlsFacts:
        """What the handshake agreed and whom the certificate names.

        Raises:
            ValueError: a certificate that verifies but cannot be read.
        """
        certificate = self._tls.getpeercert()
        der = self._tls.getpeercert(binary_form=True)
        cipher = self._tls.cipher()
        if not certificate or der is None or cipher is None:
            raise ValueError("no certificate")
        return TlsFacts(
            protocol=self._tls.version() or "",
            cipher=cipher[0],
            issuer=_organisation(certificate["issuer"]),
            not_after=parse_time(str(certificate["notAfter"])),
            fingerprint_sha256=hashlib.sha256(der).hexdigest(),
        )

    def agreed(self) -> tuple[str, str]:
        """Protocol version and cipher suite; empty when the connection was broken already."""
        cipher = self._tls.cipher()
        return self._tls.version() or "", cipher[0] if cipher else ""

    def sent_chain(self) -> list[bytes]:
        """The certificates as the peer sent them, in DER, the leaf first. OpenSSL bounds what it takes (100 KiB)."""
        if sys.version_info >= (3, 13):
            return self._tls.get_unverified_chain()
        # Before 3.13 the method is there, on the object beneath, and without a public name (PR 25467 of CPython).
        beneath: Any = self._tls._sslobj  # type: ignore[attr-defined] # noqa: SLF001 - see above
        return [certificate.public_bytes(_ENCODING_DER) for certificate in beneath.get_unverified_chain() or ()]

    def close(self) -> None:
        """Say goodbye if that needs no waiting, and close."""
        # OSError: the handshake was not done, the peer has not said goodbye yet, or there is no room to say it.
        with suppress(OSError):
            self._tls.unwrap()
        with suppress(OSError):
            self._sock.send(self._unsent + self._to_send.read())
        self._sock.close()


def parse_time(text: str) -> datetime:
    """A time as OpenSSL spells it: `Nov 24 09:05:07 2026 GMT`.

    Raises:
        ValueError: it is none.
    """
    month, day, clock, year, zone = text.split()
    hour, minute, second = clock.split(":")
    if zone != "GMT":
        raise ValueError(f"{zone} is not how OpenSSL spells it")
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)


def _organisation(name: object) -> str:
    """The organisation in a name as `getpeercert` has it (groups of pairs), else its common name."""
    groups = name if isinstance(name, tuple) else ()
    parts = {pair[0]: pair[1] for group in groups for pair in group}
    return printable(parts.get("organizationName") or parts.get("commonName") or "")


async def handshake(
    sock: socket.socket, context: ssl.SSLContext, tls_name: str, busy: trio.CapacityLimiter, timeout_s: float
) -> tuple[TlsStream | Failure, float]:
    """Verify that the peer is `tls_name`. Takes the socket over: it is closed unless a stream is returned.

    An IP literal is verified by the certificate's IP addresses and sends no SNI (RFC 6066, 3).

    Returns:
        The stream, or why there is none, and the seconds that took. Neither they nor the time-out count the wait for
        a place among the busy, which is our own doing.
    """
    stream: TlsStream | None = None
    started = trio.current_time()
    try:
        await _take_place(busy)
        try:
            started = trio.current_time()
            stream = TlsStream(sock, context, tls_name)
            done = await _shake(stream, min(BUSY_PATIENCE_S, timeout_s))
        finally:
            busy.release()
        if not done:
            done = await _shake(stream, max(0.0, timeout_s - (trio.current_time() - started)))
    except BaseException as error:
        (stream or sock).close()
        if isinstance(error, OSError):
            return tls_failure(error), trio.current_time() - started
        raise
    took_s = trio.current_time() - started
    if done:
        return stream, took_s
    stream.close()
    return Failure(FailureKind.TLS_TIMEOUT, f"no handshake in {timeout_s:g} s"), took_s


async def _take_place(busy: trio.CapacityLimiter) -> None:
    """Not a checkpoint where a place is free: the handshake that follows is one."""
    try:
        busy.acquire_nowait()
    except trio.WouldBlock:
        await busy.acquire()


async def _shake(stream: TlsStream, timeout_s: float) -> bool:
    """Go on with the handshake; whether it is done within `timeout_s`."""
    with trio.move_on_after(timeout_s):
        await stream.shake_hands()
        return True
    return False
