"""Whether a usage report comes from the server that it names: anybody can send one in anybody's name.

It does if the sender's address is one that the name resolves to, by the algorithm of the server-server API and with the
crawl's own guards and bounds; or if it carries a token whose digest the server publishes (`protocol.usage`). That an
address is right does not tell apart who shares it: tenants of one host, customers of one content delivery network.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

import trio

from crawler.errors import ProtocolError
from crawler.model.names import ServerName
from crawler.model.observation import Ok
from crawler.model.usage import Proof
from crawler.net.transport import Network
from crawler.protocol.usage import (
    TOKEN,
    TXT_LABEL,
    WELL_KNOWN_URI,
    is_published,
    parse_published_tokens,
    tokens_in_txt,
)

_OK = 200


LOOK_S = 30.0
"""How long finding out may take; what is not proven by then is not believed."""

REMEMBERED_S = 600.0
"""How long what was found out counts. A server that moves is believed again by its next report."""

MOST_REMEMBERED = 10_000
"""Servers; the one looked at longest ago is forgotten first."""


@dataclass(slots=True)
class _Found:
    """What is known of a server, None while nobody has asked: its addresses, and the digests that it publishes, which
    are looked for when somebody comes with a token. Who comes while it is being asked waits for the answer (`asking`).
    """

    until_s: float
    addresses: frozenset[str] | None = None
    tokens: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    asking: trio.Lock = field(default_factory=trio.Lock)


class Prover:
    """Finds out whose reports are.

    What was found out of a server is remembered for a while, whoever asks: so nobody can make us ask a server more than
    once in ten minutes by sending reports in its name.

    Args:
        network: How to look.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._found: OrderedDict[str, _Found] = OrderedDict()

    async def prove(self, name: ServerName, sender: str, token: str | None) -> Proof:
        """Why a report is believed to come from `name`.

        Args:
            name: The server that the report names.
            sender: The address that it came from, a literal without brackets.
            token: What it carried; None: nothing.
        """
        found = self._entry(name)
        with trio.move_on_after(LOOK_S):
            async with found.asking:
                if found.addresses is None:
                    found.addresses = frozenset()
                    found.addresses = await self._addresses(name)
                if one_spelling(sender) in found.addresses:
                    return Proof.ADDRESS
                if token is None or TOKEN.match(token) is None or name.is_ip:
                    return Proof.NONE
                if found.tokens is None:
                    found.tokens = (), ()
                    in_dns = tokens_in_txt(await self._network.ask_txt(f"{TXT_LABEL}.{name.host}"))
                    found.tokens = await self._in_well_known(name), in_dns
                for proof, digests in zip((Proof.WELL_KNOWN, Proof.DNS), found.tokens, strict=True):
                    if is_published(token, digests):
                        return proof
        return Proof.NONE

    def _entry(self, name: ServerName) -> _Found:
        known = self._found.get(name.key)
        if known is not None and trio.current_time() < known.until_s:
            return known
        found = self._found[name.key] = _Found(trio.current_time() + REMEMBERED_S)
        self._found.move_to_end(name.key)
        if len(self._found) > MOST_REMEMBERED:
            self._found.popitem(last=False)
        return found

    async def _addresses(self, name: ServerName) -> frozenset[str]:
        async with self._network.visit(name) as session:
            resolution = await session.resolve()
        return frozenset(one_spelling(endpoint.address) for endpoint in resolution.endpoints)

    async def _in_well_known(self, name: ServerName) -> tuple[str, ...]:
        async with self._network.visit(name) as session:
            limit_bytes = session.limits.well_known_bytes
            attempt = await session.get(f"https://{name.host}{WELL_KNOWN_URI}", body_limit_bytes=limit_bytes)
        if not isinstance(attempt, Ok) or attempt.value.status != _OK:
            return ()
        try:
            return parse_published_tokens(attempt.value.body)
        except ProtocolError:
            return ()


def one_spelling(address: str) -> str:
    """An address as it compares; a socket for both families writes IPv4 in IPv6 (RFC 4291, 2.5.5.2)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
