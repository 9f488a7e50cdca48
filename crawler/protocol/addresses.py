"""Which IP addresses may be dialled (only globally reachable unicast, unless a person allows more) and in what order.

Names, SRV targets, delegates and redirects are all chosen by strangers, and any of them can point at our own network
(server-side request forgery). Every address passes here before every dial. The table is our own copy of the IANA
special-purpose registries (RFC 6890 and its updates), because `ipaddress.is_global` says yes to 64:ff9b::a00:1,
2002:a00:1::1, ::10.0.0.1, 224.0.0.1, fec0::1 and 3fff::1. Addresses that carry an IPv4 address inside are refused as
such, and where a person allows their prefix, the address inside is judged as well.

Out of reach: a NAT64 prefix of the operator's own choice (RFC 6052, 2.2) looks like any other network.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TypeAlias

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

SPECIAL_IPV4: tuple[tuple[ipaddress.IPv4Network, str], ...] = tuple(
    (ipaddress.IPv4Network(cidr), why)
    for cidr, why in (
        ("0.0.0.0/8", "this network (RFC 791, 3.2)"),
        ("10.0.0.0/8", "private (RFC 1918)"),
        ("100.64.0.0/10", "shared address space (RFC 6598)"),
        ("127.0.0.0/8", "loopback (RFC 1122, 3.2.1.3)"),
        ("169.254.0.0/16", "link-local (RFC 3927)"),
        ("172.16.0.0/12", "private (RFC 1918)"),
        ("192.0.0.0/24", "IETF protocol assignments (RFC 6890)"),
        ("192.0.2.0/24", "documentation (RFC 5737)"),
        ("192.31.196.0/24", "AS112 anycast (RFC 7535)"),
        ("192.52.193.0/24", "AMT anycast (RFC 7450)"),
        ("192.88.99.0/24", "6to4 relay anycast, deprecated (RFC 7526)"),
        ("192.168.0.0/16", "private (RFC 1918)"),
        ("192.175.48.0/24", "AS112 anycast (RFC 7534)"),
        ("198.18.0.0/15", "benchmarking (RFC 2544)"),
        ("198.51.100.0/24", "documentation (RFC 5737)"),
        ("203.0.113.0/24", "documentation (RFC 5737)"),
        ("224.0.0.0/4", "multicast (RFC 5771)"),
        ("255.255.255.255/32", "limited broadcast (RFC 8190)"),
        ("240.0.0.0/4", "reserved (RFC 1112)"),
    )
)

SPECIAL_IPV6: tuple[tuple[ipaddress.IPv6Network, str], ...] = tuple(
    (ipaddress.IPv6Network(cidr), why)
    for cidr, why in (
        ("::1/128", "loopback (RFC 4291)"),
        ("::/128", "unspecified (RFC 4291)"),
        ("::ffff:0:0/96", "IPv4-mapped (RFC 4291)"),
        ("::/96", "IPv4-compatible, deprecated (RFC 4291)"),
        ("::ffff:0:0:0/96", "IPv4-translated (RFC 2765)"),
        ("64:ff9b::/96", "NAT64 (RFC 6052)"),
        ("64:ff9b:1::/48", "local-use NAT64 (RFC 8215)"),
        ("100::/64", "discard-only (RFC 6666)"),
        ("100:0:0:1::/64", "dummy prefix (RFC 9780)"),
        ("2001::/32", "Teredo (RFC 4380)"),
        ("2001::/23", "IETF protocol assignments (RFC 2928)"),
        ("2001:db8::/32", "documentation (RFC 3849)"),
        ("2002::/16", "6to4 (RFC 3056)"),
        ("2620:4f:8000::/48", "AS112 anycast (RFC 7534)"),
        ("3fff::/20", "documentation (RFC 9637)"),
        ("5f00::/16", "segment routing SIDs (RFC 9602)"),
        ("fc00::/7", "unique-local (RFC 4193)"),
        ("fe80::/10", "link-local (RFC 4291)"),
        ("fec0::/10", "site-local, deprecated (RFC 3879)"),
        ("ff00::/8", "multicast (RFC 4291)"),
    )
)

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA has opened for global unicast; the rest of the IPv6 space is nobody's to be reached at."""

_LAST_32_BITS_ARE_IPV4 = tuple(
    ipaddress.IPv6Network(cidr)
    for cidr in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_TEREDO = ipaddress.IPv6Network("2001::/32")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
_LOW_32 = 0xFFFF_FFFF
_LOOPBACK = 1
"""As a number; it and the unspecified address lie in ::/96 and embed nothing."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What may be dialled: what is globally reachable, and what lies in `allowed` (CIDRs)."""

    allowed: tuple[str, ...] = ()

    def may_dial(self, address: str) -> bool:
        """Whether `address`, an IP literal without brackets, may be dialled."""
        return self.why_not(address) is None

    def why_not(self, address: str) -> str | None:
        """Why `address` may not be dialled, for people; None when it may."""
        return _why_not(self.allowed, address)


@lru_cache(maxsize=4096)
def _why_not(allowed: tuple[str, ...], address: str) -> str | None:
    # Kept, since each address is judged anew before each dial, and looking through all special networks takes longer
    # than many a system call. Nothing but its arguments decides.
    if "%" in address:
        return "an address with a zone id points at one of our own links (RFC 4007)"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "no IP address"
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in allowed]
    if (why := _why_banned(parsed, networks)) is not None:
        return why
    for inside in embedded_ipv4(parsed):
        if (why := _why_banned(inside, networks)) is not None:
            return f"{inside} inside it is {why}"
    return None


def _why_banned(address: IpAddress, allowed: Iterable[IpNetwork]) -> str | None:
    why = special_purpose(address)
    return None if why is None or any(address in network for network in allowed) else why


def special_purpose(address: IpAddress) -> str | None:
    """What special purpose `address` itself has (what it embeds not looked at); None for global unicast."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((why for network, why in SPECIAL_IPV4 if address in network), None)
    for network, why in SPECIAL_IPV6:
        if address in network:
            return why
    return None if address in GLOBAL_UNICAST else "outside of global unicast (RFC 4291, 2.4)"


def embedded_ipv4(address: IpAddress) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses that transition mechanisms would read out of `address`.

    Mapped, compatible and translated addresses, NAT64 (last 32 bits), 6to4 (RFC 3056, 2), Teredo (server and
    obfuscated client, RFC 4380, 4) and ISATAP interface identifiers under any prefix (RFC 5214, 6.1).
    """
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    bits = int(address)
    found: list[int] = []
    if bits > _LOOPBACK and any(address in network for network in _LAST_32_BITS_ARE_IPV4):
        found.append(bits & _LOW_32)
    elif address in _TEREDO:
        found += [bits >> 64 & _LOW_32, ~bits & _LOW_32]
    elif address in _SIX_TO_FOUR:
        found.append(bits >> 80 & _LOW_32)
    if bits >> 32 & _LOW_32 in _ISATAP:
        found.append(bits & _LOW_32)
    return tuple(ipaddress.IPv4Address(value) for value in found)


def is_ip_literal(text: str) -> bool:
    """Whether `text` is an IP address of either family, without brackets."""
    if not (":" in text or text[-1:].isdigit()):
        return False  # nearly every host name
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def interleave(addresses: Iterable[str]) -> tuple[str, ...]:
    """`addresses` with the families taking turns, IPv6 first, the order within each kept (RFC 8305, 4)."""
    ipv6: list[str] = []
    ipv4: list[str] = []
    for address in addresses:
        (ipv6 if ":" in address else ipv4).append(address)
    turns = zip_longest(ipv6, ipv4)
    return tuple(address for turn in turns for address in turn if address is not None)
