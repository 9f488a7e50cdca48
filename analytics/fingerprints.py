"""Fingerprints of bridges: what the alias of a room says of the bridge behind it.

The patterns are in `data/reference/bridges.csv`, each with its source and how sure it is; apart from the counting, so
that it can be asked of any alias. Pure.
"""

import re
from dataclasses import dataclass
from datetime import date

import polars as pl

_ALIAS_LENGTH_MAX = 255
"""An alias is at most 255 bytes (appendices, "Room aliases"): patterns are not tried on more."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One pattern of a portal's alias. `domain` None: at any server. `ended_on`: when its public bridge was shut."""

    protocol: str
    network: str | None
    localpart: re.Pattern[str]
    domain: str | None
    confidence: str
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class Portal:
    """What the alias of a room says of the bridge behind it."""

    protocol: str
    network: str | None
    confidence: str
    ended_on: date | None


class Fingerprints:
    """All patterns; the first that matches decides."""

    def __init__(self, table: pl.DataFrame) -> None:
        self._all = tuple(
            Fingerprint(
                protocol=row["protocol"],
                network=row["network"],
                localpart=re.compile(row["localpart"]),
                domain=row["domain"],
                confidence=row["confidence"],
                ended_on=date.fromisoformat(row["ended_on"]) if row["ended_on"] else None,
            )
            for row in table.iter_rows(named=True)
        )

    def portal(self, alias: str | None) -> Portal | None:
        """The portal that an alias shows; None where it shows none."""
        if alias is None or not alias.startswith("#") or len(alias) > _ALIAS_LENGTH_MAX:
            return None
        localpart, colon, domain = alias[1:].partition(":")
        if not colon:
            return None
        for print_ in self._all:
            if print_.domain in (None, domain.lower()) and print_.localpart.search(localpart):
                return Portal(print_.protocol, print_.network, print_.confidence, print_.ended_on)
        return None
