"""The address plan: which address stands in DNS for what.

Addresses of the practice federation lie in 127.64.0.0/10 and in one unique-local IPv6 block, so that one
`--allow-address` each opens exactly them and leaves 127.0.0.1 and everything private forbidden. Nothing listens there:
`--connect` rules lead every (address, port) to a few listeners on 127.0.0.1, which tell servers apart by SNI and Host.

Ports mean something: a rule can name a port for all addresses, so a port that refuses and a port that stays silent
cost one rule each, however many servers are dead that way.
"""

import ipaddress
from dataclasses import dataclass

from crawler.lab.dice import dice, digest

ALLOWED = ("127.64.0.0/10", "fd4d:6361:6c61:62::/64")

WEB_PORT = 443
FEDERATION_PORT = 8448
OTHER_PORT = 9443
LISTENING_PORTS = (WEB_PORT, FEDERATION_PORT, OTHER_PORT)
REFUSING_PORT = 8449
SILENT_PORT = 8450
STALLING_PORT = 8451
"""Accepts connections and leaves it at that."""

_OWN = ipaddress.IPv4Address("127.64.0.0")
_SHARED = ipaddress.IPv4Address("127.96.0.0")
_MANY = ipaddress.IPv4Address("127.104.0.0")
_REFUSING = ipaddress.IPv4Address("127.120.0.0")
_SILENT = ipaddress.IPv4Address("127.121.0.0")
_FARMS = ipaddress.IPv4Address("127.122.0.0")
_OWN_IPV6 = ipaddress.IPv6Address("fd4d:6361:6c61:62::")
_ADDRESSES_EACH = 8
_SHARED_EACH = 1024
_MANY_EACH = 64

CRAWLER_ADDRESS = "127.127.255.254"
"""Of the crawler's own server name: peers find its key document there."""

SPECIAL = (
    "10.0.0.1",
    "192.168.1.20",
    "172.16.4.4",
    "169.254.169.254",
    "127.0.0.1",
    "100.64.0.9",
    "0.0.0.0",  # noqa: S104 - an address to be refused, not bound
    "224.0.0.251",
    "198.18.0.1",
    "203.0.113.7",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "fe80::1",
    "2002:a00:1::1",
    "fd00::53",
)
"""Addresses that no crawl may dial unless told so, plain and embedded; some look harmless to Python's `is_global`."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """Addresses of a federation of `size` servers, `providers` of which host others."""

    seed: int
    size: int
    providers: int
    tenants_an_address: int = 6

    def own(self, index: int, which: int = 0) -> str:
        """The `which`-th IPv4 address of a server of its own."""
        return str(_OWN + index * _ADDRESSES_EACH + which)

    def own_ipv6(self, index: int, which: int = 0) -> str:
        return str(_OWN_IPV6 + 1 + index * _ADDRESSES_EACH + which)

    def many(self, index: int, count: int) -> tuple[str, ...]:
        """A record set too large for a plain UDP answer of 512 bytes when `count` is above 28."""
        first = _MANY + index % 8192 * _MANY_EACH
        return tuple(str(first + n) for n in range(min(count, _MANY_EACH)))

    def shared(self, provider: int, index: int) -> str:
        """The address at which a provider hosts a server: about `tenants_an_address` servers behind each."""
        tenants = self.provider_share(provider) * self.size
        addresses = max(1, min(_SHARED_EACH, round(tenants * 0.2 / self.tenants_an_address)))
        slot = int.from_bytes(digest(self.seed, "slot", index, size=2))
        return str(_SHARED + provider * _SHARED_EACH + slot % addresses)

    def farm(self, farm: int) -> str:
        """The one address of all names of a farm."""
        return str(_FARMS + farm)

    def provider_share(self, provider: int) -> float:
        """Share of the hosted servers at a provider: the k-th has 1/k as many as the first."""
        return (1 / (provider + 1)) / sum(1 / (k + 1) for k in range(self.providers))

    def draw_provider(self, index: int) -> int:
        weights = [1 / (k + 1) for k in range(self.providers)]
        return dice(self.seed, "provider of", index).choices(range(self.providers), weights)[0]

    @property
    def dead_addresses(self) -> int:
        """How many addresses refuse, and how many are silent: each costs a connect rule."""
        return max(2, min(128, self.size // 100))

    def refusing(self, index: int) -> str:
        """An address where every port refuses."""
        return str(_REFUSING + index % self.dead_addresses)

    def silent(self, index: int) -> str:
        """An address where no connection attempt is ever answered."""
        return str(_SILENT + index % self.dead_addresses)

    def refusing_addresses(self) -> list[str]:
        return [str(_REFUSING + k) for k in range(self.dead_addresses)]

    def silent_addresses(self) -> list[str]:
        return [str(_SILENT + k) for k in range(self.dead_addresses)]

    def special(self, index: int) -> str:
        """An address that must never be dialled."""
        return SPECIAL[index % len(SPECIAL)]

    def special_literal(self, index: int) -> str:
        """One that can be (part of) a server name: no two servers share it."""
        return str(ipaddress.IPv4Address("10.32.0.0") + index)
