"""Server names, room IDs and room aliases: the grammar of the specification's appendices.

The raw spelling is kept, because signatures and Host headers carry it; identity and dedup use the ASCII-lower `key`.

    server_name = hostname [ ":" port ]
    port        = 1*5DIGIT                          ; and 1..65535, since nothing else can be dialled
    hostname    = IPv4address / "[" IPv6address "]" / dns-name
    dns-name    = 1*255( ALPHA / DIGIT / "-" / "." ) ; labels non-empty, at most 63 octets each (RFC 1035, 2.3.4)

    room_id     = "!" opaque ":" domain   (room versions 1 to 11)  |  "!" 43( base64url )   (version 12)
    room_alias  = "#" localpart ":" domain, at most 255 bytes with sigil and domain, as room IDs are
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from crawler.errors import FailureKind, ProtocolError

MAX_SERVER_NAME = 230
"""Appendices, "Server Name": the complete name should be at most this long."""

MAX_IDENTIFIER_BYTES = 255

_LABEL = r"[0-9A-Za-z-]{1,63}"
_DNS_NAME = re.compile(rf"\A{_LABEL}(?:\.{_LABEL})*\Z")
_DIGITS_AND_DOTS = re.compile(r"\A[0-9.]+\Z")
_PORT = re.compile(r"\A[0-9]{1,5}\Z")
_IPV6 = re.compile(r"\A[0-9A-Fa-f:.]{2,45}\Z")
_IPV4 = re.compile(r"\A\d{1,3}(?:\.\d{1,3}){3}\Z", re.ASCII)
_DOMAINLESS_ROOM = re.compile(r"\A![A-Za-z0-9_-]{43}\Z")


class HostKind(StrEnum):
    DNS = "dns"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


@dataclass(frozen=True, slots=True)
class ServerName:
    """A parsed server name. `host` has no brackets; `port` is None unless the name carries one."""

    raw: str
    host: str
    port: int | None
    kind: HostKind

    @property
    def key(self) -> str:
        """The identity of the server: the raw name in ASCII lower case."""
        return self.raw.lower()

    @property
    def is_ip(self) -> bool:
        return self.kind is not HostKind.DNS

    @property
    def host_for_url(self) -> str:
        """The host as URLs and Host headers spell it: IPv6 in brackets."""
        return f"[{self.host}]" if self.kind is HostKind.IPV6 else self.host

    def __str__(self) -> str:
        return self.raw


def parse_server_name(text: str) -> ServerName:
    """Parse `text` by the grammar above.

    Raises:
        ProtocolError: NAME_INVALID, with the reason in its detail.
    """
    if not text:
        raise _invalid("it is empty")
    if len(text) > MAX_SERVER_NAME:
        raise _invalid(f"it is {len(text)} characters long, more than {MAX_SERVER_NAME}")
    host, port = _split_port(text)
    if host.startswith("["):
        return ServerName(text, _ipv6(host), port, HostKind.IPV6)
    if _IPV4.match(host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise _invalid(f"{host} is no IPv4 address") from None
        return ServerName(text, host, port, HostKind.IPV4)
    if not _DNS_NAME.match(host):
        raise _invalid("a host is labels of letters, digits and hyphens between single dots")
    if _DIGITS_AND_DOTS.match(host):
        raise _invalid(f"{host} is neither an IPv4 address nor a host name")
    return ServerName(text, host, port, HostKind.DNS)


def _split_port(text: str) -> tuple[str, int | None]:
    if text.endswith("]") or ":" not in text:
        return text, None
    host, _, digits = text.rpartition(":")
    if not _PORT.match(digits):
        raise _invalid("the port is not 1 to 5 digits")
    port = int(digits)
    if not 1 <= port <= 65535:
        raise _invalid(f"port {port} is not between 1 and 65535")
    return host, port


def _ipv6(bracketed: str) -> str:
    inside = bracketed[1:-1] if bracketed.endswith("]") else ""
    if not _IPV6.match(inside):
        raise _invalid("an IPv6 address stands in brackets and has 2 to 45 characters")
    try:
        ipaddress.IPv6Address(inside)
    except ValueError:
        raise _invalid(f"{inside} is no IPv6 address") from None
    return inside


def _invalid(why: str) -> ProtocolError:
    return ProtocolError(FailureKind.NAME_INVALID, why)


def try_server_name(text: str) -> ServerName | None:
    """`parse_server_name`, with None for what does not parse: for names found in remote data, where the same few
    thousand stand again and again. Those met last are kept parsed; what is too long for a name is not kept."""
    return _parsed(text) if len(text) <= MAX_SERVER_NAME else None


@lru_cache(maxsize=16_384)
def _parsed(text: str) -> ServerName | None:
    try:
        return parse_server_name(text)
    except ProtocolError:
        return None


def is_room_id(text: str) -> bool:
    """Whether `text` can be a room ID: of versions 1 to 11 (with a domain) or 12 (a hash)."""
    if _DOMAINLESS_ROOM.match(text):
        return True
    opaque, colon, domain = text[1:].partition(":")
    return text[:1] == "!" and bool(opaque and colon and domain) and _can_be_identifier(text)


def room_id_domain(room_id: str) -> str | None:
    """The server on which the room was made; None for version 12. A hint that the server existed, not where it is."""
    _, _, domain = room_id.partition(":")
    return domain or None


def alias_domain(alias: str) -> str | None:
    """The server that owns `alias`; None if it is no room alias."""
    localpart, colon, domain = alias[1:].partition(":")
    if alias[:1] != "#" or not (localpart and colon and domain) or not _can_be_identifier(alias):
        return None
    return domain


def _can_be_identifier(text: str) -> bool:
    """Unicode (a lone surrogate is none), no NUL, short enough."""
    try:
        return "\x00" not in text and len(text.encode("utf-8")) <= MAX_IDENTIFIER_BYTES
    except UnicodeEncodeError:
        return False
