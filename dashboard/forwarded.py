"""Who a visitor is behind a reverse proxy of ours, and whether he came by TLS: `X-Forwarded-For`, `X-Forwarded-Proto`.

Believed from addresses that were named only: anybody can send such headers. Each proxy appends the address that it was
asked from, so that header is read from its end, as long as the addresses are those of trusted proxies; the first that
is not is the visitor's. Plain ASGI: whoever asks for the client's address gets the right one.
"""

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from crawler.errors import UsageError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

HOPS = 16
"""Addresses looked at in one header."""


def parse_proxies(texts: Sequence[str]) -> tuple[Network, ...]:
    """The addresses of trusted proxies.

    Raises:
        UsageError: one is no address and no CIDR.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise UsageError(f"--trusted-proxy wants an address or CIDR such as 127.0.0.1 or 10.0.0.0/8: {error}") from None


def visitor_behind(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The visitor's address.

    Args:
        peer: Who asked us.
        forwarded: The values of `X-Forwarded-For`, in the order of the header lines.
        trusted: Whose word is taken.
    """
    visitor = peer
    claims = [claim.strip() for line in forwarded for claim in line.split(",")][-HOPS:]
    while claims and _is_trusted(visitor, trusted):
        claimed = _parse(claims.pop())
        if claimed is None:
            break
        visitor = str(claimed)
    return visitor


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    address = _parse(text)
    return address is not None and any(address in network for network in trusted)


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _values(scope: Scope, header: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]


class ForwardedFor:
    """Puts the visitor's address where the peer's is, and the scheme that he used, if the peer is a trusted proxy."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._trusted:
            peer, port = scope["client"]
            lines = _values(scope, b"x-forwarded-for")
            scope = {**scope, "client": (visitor_behind(peer, lines, self._trusted), port)}
            schemes = _values(scope, b"x-forwarded-proto")
            if schemes[-1:] in (["https"], ["http"]) and _is_trusted(peer, self._trusted):
                scope["scheme"] = schemes[-1]
        await self._app(scope, receive, send)
