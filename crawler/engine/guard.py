"""How many names of one maker a crawl looks at. Pure: owned by the frontier.

A wildcard in DNS makes any number of names from one domain, and one machine can answer for all of them. So names are
counted by what they have in common: the registrable domain (public suffix list), and, once an earlier crawl saw them,
the signing keys and the address block (/24, /48). A group starts with a fixed allowance, and earns two more places for
each server in it that federates with keys nobody else has: an honest hosting company gets as many as it has tenants, a
wildcard does not. Beyond its allowance a group's names are deferred to later crawls, never dropped.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from publicsuffixlist import PublicSuffixList

from crawler.config import Limits
from crawler.model.names import ServerName
from crawler.model.schedule import ServerSchedule

EARNED = 2
"""Places for each server that proved to be one of its own."""


class Kind(StrEnum):
    """What a group of names has in common."""

    DOMAIN = "domain"
    KEY = "key"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Group:
    kind: Kind
    value: str


class Guard:
    """The allowances of one crawl."""

    def __init__(self, limits: Limits) -> None:
        self._base = {
            Kind.DOMAIN: limits.domain_names,
            Kind.KEY: limits.key_names,
            Kind.BLOCK: limits.block_names,
        }
        self._started: Counter[Group] = Counter()
        self._proven: Counter[Group] = Counter()
        self._keys: set[str] = set()

    def full(self, groups: Iterable[Group]) -> Group | None:
        """The first of these groups that has used its allowance up."""
        return next((group for group in groups if self._started[group] >= self._allowance(group)), None)

    def started(self, groups: Iterable[Group]) -> None:
        """A name of these groups is looked at."""
        self._started.update(groups)

    def proved(self, groups: Iterable[Group], keys: str) -> bool:
        """A server of these groups federates with these keys. Returns whether that earned them places."""
        if keys in self._keys:
            return False
        self._keys.add(keys)
        self._proven.update(groups)
        return True

    def _allowance(self, group: Group) -> int:
        # Who shares keys is one server under many names; there is nothing to prove.
        earned = 0 if group.kind is Kind.KEY else EARNED * self._proven[group]
        return self._base[group.kind] + earned


def groups_of(name: ServerName, remembered: ServerSchedule | None) -> tuple[Group, ...]:
    """What is known of a name before it is looked at."""
    groups = [Group(Kind.DOMAIN, registrable_domain(name))]
    if remembered is not None and remembered.first_key is not None:
        groups.append(Group(Kind.KEY, remembered.first_key))
    if remembered is not None and remembered.address is not None:
        groups.append(Group(Kind.BLOCK, address_block(remembered.address)))
    return tuple(groups)


def registrable_domain(name: ServerName) -> str:
    """The domain that somebody registered; an IP literal is its block, and a bare suffix is itself."""
    if name.is_ip:
        return address_block(name.host)
    host = name.host.lower()
    return _suffixes().privatesuffix(host) or host


def address_block(address: str) -> str:
    """The /24 or /48 that one customer of a network is given."""
    literal = ipaddress.ip_address(address.strip("[]"))
    return str(ipaddress.ip_network((literal, 24 if literal.version == 4 else 48), strict=False))


@cache
def _suffixes() -> PublicSuffixList:
    # The list's private section tells apart tenants of hosting companies that entered themselves there.
    return PublicSuffixList()
