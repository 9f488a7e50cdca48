"""Whether a usage report comes from the server that it names: anybody can send one in anybody's name.

It does if the sender's address is one that the name resolves to, by the algorithm of the server-server API and with the
crawl's own guards and bounds; or if it carries a token whose digest the server publishes (`protocol.usage`). That an
address is right does not tell apart who shares it: tenants of one host, customers of one content delivery network.
"""

import ipaddress

from crawler.errors import ProtocolError
from crawler.model.names import ServerName
from crawler.model.observation import Ok
from crawler.model.usage import Proof
from crawler.net.session import Session
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


async def prove(network: Network, name: ServerName, sender: str, token: str | None) -> Proof:
    """Why a report is believed to come from `name`.

    Args:
        network: How to look.
        name: The server that the report names.
        sender: The address that it came from, a literal without brackets.
        token: What it carried; None: nothing.
    """
    async with network.visit(name) as session:
        if one_spelling(sender) in await _addresses(session):
            return Proof.ADDRESS
        if token is None or TOKEN.match(token) is None or name.is_ip:
            return Proof.NONE
        if await _in_well_known(session, name, token):
            return Proof.WELL_KNOWN
    if is_published(token, tokens_in_txt(await network.ask_txt(f"{TXT_LABEL}.{name.host}"))):
        return Proof.DNS
    return Proof.NONE


async def _addresses(session: Session) -> set[str]:
    resolution = await session.resolve()
    return {one_spelling(endpoint.address) for endpoint in resolution.endpoints}


async def _in_well_known(session: Session, name: ServerName, token: str) -> bool:
    url = f"https://{name.host}{WELL_KNOWN_URI}"
    attempt = await session.get(url, body_limit_bytes=session.limits.well_known_bytes)
    if not isinstance(attempt, Ok) or attempt.value.status != _OK:
        return False
    try:
        return is_published(token, parse_published_tokens(attempt.value.body))
    except ProtocolError:
        return False


def one_spelling(address: str) -> str:
    """An address as it compares; a socket for both families writes IPv4 in IPv6 (RFC 4291, 2.5.5.2)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
