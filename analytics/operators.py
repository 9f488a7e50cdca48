"""Who runs which servers, as far as names and keys show it: one deployment may answer to many names.

Two servers belong to one operator when their names share a registrable domain (public suffix list, its private section
included, so that tenants of a dynamic DNS service stay apart) or when they publish the same signing key, directly or
through others. The block of the address is a grouping of its own and joins nobody: thousands of strangers rent from one
hosting company, and one shared block would make a single operator of them.
"""

import ipaddress
import json
from functools import cache

import numpy as np
import polars as pl
from publicsuffixlist import PublicSuffixList
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analytics.amounts import IntArray

BLOCK_BITS_IPV4 = 24
BLOCK_BITS_IPV6 = 48
"""What a provider hands to one customer or one rack: RFC 6177 for IPv6; for IPv4 the least that is routed."""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def registrable_domain(server_name: str) -> str:
    """The domain that somebody registered to have this server name; an address literal stands for itself."""
    host = host_of(server_name)
    if ":" in host or host.replace(".", "").isdecimal():
        return host
    return str(_suffixes().privatesuffix(host) or host)


def host_of(server_name: str) -> str:
    """The host of a server name, lower case, without its port and brackets."""
    name = server_name.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def address_block(address: str | None) -> str | None:
    """The /24 or /48 that an address lies in; None where there is no address."""
    if address is None:
        return None
    parsed = ipaddress.ip_address(address)
    bits = BLOCK_BITS_IPV4 if parsed.version == 4 else BLOCK_BITS_IPV6
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def operator_of_each(servers: pl.DataFrame) -> pl.Series:
    """The operator of each row of `servers` (columns `server_name`, `verify_keys`): the first domain of its group.

    `verify_keys` is a JSON object of key ID to key, or null. A key is compared whole; its ID is no part of it.
    """
    domains = [registrable_domain(name) for name in servers["server_name"]]
    claims = [[f"domain {domain}"] for domain in domains]
    for claim, keys in zip(claims, servers["verify_keys"], strict=True):
        claim += [f"key {key}" for key in _keys(keys)]
    group = _joined(claims)
    first: dict[int, str] = {}
    for number, domain in sorted(zip(group.tolist(), domains, strict=True), key=lambda pair: pair[1]):
        first.setdefault(number, domain)
    return pl.Series("operator", [first[number] for number in group.tolist()], dtype=pl.String)


def first_key(keys: str | None) -> str | None:
    """The least of the signing keys that a server publishes; None where it publishes none."""
    return min(_keys(keys), default=None)


def _keys(keys: str | None) -> list[str]:
    return [str(key) for key in json.loads(keys).values()] if keys else []


def _joined(claims: list[list[str]]) -> IntArray:
    """The number of the group of each row: rows are joined by what they have in common."""
    place: dict[str, int] = {}
    rows, columns = [], []
    for row, of_row in enumerate(claims):
        for claim in of_row:
            rows.append(row)
            columns.append(place.setdefault(claim, len(place)) + len(claims))
    size = len(claims) + len(place)
    links = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    found: IntArray = labels[: len(claims)].astype(np.int64)
    return found
