"""What an endpoint presents when nobody verifies it: a handshake for its own sake, after the verified one failed.

Apart from `connection`, so that no request can ever travel over it: the connection is closed as soon as the handshake
is done, and what was seen is told to people and used for nothing else.
"""

import trio

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.model.observation import Attempt, Failed, Ok, PresentedTls, Timings
from crawler.net.dial import canonical
from crawler.net.stack import Stack
from crawler.net.tls import TlsStream, handshake
from crawler.protocol.certificate import parse_chain


async def look_unverified(
    stack: Stack, address: str, port: int, tls_name: str, verify_code: int | None = None
) -> Attempt[PresentedTls]:
    """Dial, guarded and at the address's pace like every dial; shake hands, read the chain, hang up.

    Args:
        verify_code: OpenSSL's of the verified try, to be kept with what is seen.
    """
    address = canonical(address)
    limit_s = stack.limits.connect_timeout_s
    async with stack.pacer.turn(address):
        started = trio.current_time()
        sock = await stack.dialler.dial(address, port, limit_s)
        tcp_s = trio.current_time() - started
        if isinstance(sock, Failure):
            return Failed(sock, Timings(tcp_s))
        stack.traffic.connections += 1
        stack.traffic.handshakes += 1
        stream, tls_s = await handshake(sock, stack.unverified, tls_name, stack.busy, limit_s)
        timings = Timings(tcp_s + tls_s, tcp_s, tls_s)
        if isinstance(stream, Failure):
            return Failed(stream, timings)
        try:
            return read_presented(stream, timings, verify_code)
        finally:
            stream.close()


def read_presented(stream: TlsStream, timings: Timings, verify_code: int | None = None) -> Attempt[PresentedTls]:
    """What the peer of an open connection presented, verified or not."""
    protocol, cipher = stream.agreed()
    try:
        return Ok(PresentedTls(protocol, cipher, parse_chain(stream.sent_chain()), verify_code), timings)
    except ProtocolError as error:
        return Failed(error.failure, timings)
    except ValueError:
        return Failed(Failure(FailureKind.TLS_VERIFY, "the chain cannot be read"), timings)
