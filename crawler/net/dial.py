"""From a resolved address to a TCP connection: the guard, then the connect rules, then the socket.

The guard stands here, at the only place that opens connections to remotes, and is asked immediately before every dial:
whoever resolved the name, however long ago, and whatever a redirect or an SRV record said in between, a forbidden
address is not dialled.
"""

import ipaddress
import socket
from dataclasses import dataclass
from functools import lru_cache

import trio

from crawler.errors import Failure, FailureKind
from crawler.net.failures import check_own_resources, tcp_failure
from crawler.protocol.addresses import AddressPolicy, special_purpose
from crawler.settings import parse_connect_rule


@dataclass(frozen=True, slots=True)
class ConnectRule:
    """Dial `to` where `match` was resolved; None on the left matches any, on the right keeps what was there."""

    match_address: str | None
    match_port: int | None
    to_address: str | None
    to_port: int | None

    def apply(self, address: str, port: int) -> tuple[str, int] | None:
        """Where to dial instead; None when the rule does not match. `address` is spelled as `canonical` does."""
        if self.match_address not in (None, address) or self.match_port not in (None, port):
            return None
        return self.to_address or address, self.to_port or port


def parse_rule(text: str) -> ConnectRule:
    """`ADDRESS:PORT=ADDRESS:PORT` with `*` for any.

    Raises:
        UsageError: it is none.
    """
    (match_address, match_port), (to_address, to_port) = parse_connect_rule(text)
    return ConnectRule(_known(match_address), match_port, _known(to_address), to_port)


def _known(address: str) -> str | None:
    return None if address == "*" else canonical(address)


@lru_cache(maxsize=4096)
def canonical(address: str) -> str:
    """One spelling for each address, so that rules and paces compare. What is none stays as it is; the guard has it."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


@dataclass(frozen=True, slots=True)
class Dialler:
    """Opens TCP connections to addresses that may be dialled."""

    policy: AddressPolicy
    rules: tuple[ConnectRule, ...]

    async def dial(self, address: str, port: int, timeout_s: float) -> socket.socket | Failure:
        """A connected, non-blocking socket, or why there is none.

        Raises:
            LocalResourcesError: this machine cannot open more sockets.
        """
        why_not = self.policy.why_not(address)
        if why_not is not None:
            return Failure(FailureKind.POLICY_ADDRESS, f"{address} may not be dialled: {why_not}")
        address, port = self.where(canonical(address), port)
        try:
            with trio.move_on_after(timeout_s):
                return await _connect(address, port)
        except OSError as error:
            return tcp_failure(error)
        return Failure(FailureKind.TCP_TIMEOUT, f"no connection in {timeout_s:g} s")

    def has_route(self, address: str, port: int) -> bool:
        """Whether this machine knows a way to `address` at all. Connecting a UDP socket asks the routing table and
        sends nothing.

        A way whose own end is special (a container's unique-local address, for one) does not count towards a public
        IPv6 address: nothing there could answer, unless somebody translates, which IPv6 does not have to.
        """
        address, port = self.where(canonical(address), port)
        is_v6 = ":" in address
        try:
            with socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect((address, port))
                own = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
        except OSError as error:
            check_own_resources(error)
            return False
        there = ipaddress.ip_address(address)
        return not is_v6 or special_purpose(own) is None or special_purpose(there) is not None

    def where(self, address: str, port: int) -> tuple[str, int]:
        """By the first rule that matches."""
        if not self.rules:
            return address, port
        redirected = (rule.apply(address, port) for rule in self.rules)
        return next((there for there in redirected if there is not None), (address, port))


async def _connect(address: str, port: int) -> socket.socket:
    # The standard library's socket rather than trio's, because ssl wants to own the descriptor.
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        # The client's last handshake message and its first request leave in two writes: Nagle's algorithm would hold
        # the second until the first is acknowledged, which a peer may delay by 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect((address, port))
        except BlockingIOError:
            await trio.lowlevel.wait_writable(sock)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "connect") from None
    except BaseException:
        sock.close()
        raise
    return sock
