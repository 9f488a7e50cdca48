"""Rooms that are portals of bridges (mission metric 6), told by the pattern of their alias.

An alias shows a portal only where the bridge made one and the room kept it: most portals are private and unlisted, and
admins can change every pattern. So each fingerprint (`data/reference/bridges.csv`) has a confidence, and what is
counted is rooms with evidence. Memberships in them mix people of Matrix, ghosts of the other side and bots: the number
of bridged users lies between none of them and all of them. Networks whose public bridge has ended leave portals behind;
they are counted apart as dead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from analytics.estimate import IntervalKind
from analytics.rooms import is_space
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

BRIDGED_ROOMS = "bridged_rooms"
BRIDGED_MEMBERSHIPS = "bridged_memberships"
BRIDGED_USERS = "bridged_users"

DEAD = "dead bridges"
LIVING = "all"

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


PORTAL_COLUMNS = {
    "room_id": pl.String,
    "members": pl.Float64,
    "protocol": pl.String,
    "network": pl.String,
    "confidence": pl.String,
    "dead": pl.Boolean,
}


def portals(snapshot: Snapshot, fingerprints: Fingerprints) -> pl.DataFrame:
    """The listed rooms with bridge evidence; `dead` when the network's public bridge had ended by the census."""
    rows = []
    listed = snapshot.rooms.filter(~is_space() & pl.col("canonical_alias").is_not_null())
    for room_id, members, alias in listed.select("room_id", "members", "canonical_alias").iter_rows():
        found = fingerprints.portal(alias)
        if found is not None:
            dead = found.ended_on is not None and found.ended_on <= snapshot.at.date()
            rows.append((room_id, members, found.protocol, found.network, found.confidence, dead))
    return pl.DataFrame(rows, schema=PORTAL_COLUMNS, orient="row")


def bridges(snapshot: Snapshot, table: pl.DataFrame) -> Iterator[MetricRow]:
    """Rooms with bridge evidence and memberships in them, by protocol; the bounds of bridged users.

    `coverage` is the share of listed rooms that have an alias to look at. No directory answered: no values.
    """
    rooms = snapshot.rooms.filter(~is_space())
    if not snapshot.observations["listing"].any():
        why = "no directory answered."
        for metric, unit in ((BRIDGED_ROOMS, "rooms"), (BRIDGED_MEMBERSHIPS, "memberships"), (BRIDGED_USERS, "users")):
            yield snapshot.not_known(
                metric, LIVING, unit=unit, denominator="listed rooms", why=why, grade=Grade.ESTIMATED
            )
        return
    found = portals(snapshot, Fingerprints(table))
    coverage = share(int(rooms["canonical_alias"].is_not_null().sum()), rooms.height)
    living = found.filter(~pl.col("dead"))
    parts = [
        (LIVING, living, "Bridges not known to have ended."),
        (
            DEAD,
            found.filter(pl.col("dead")),
            "Portals of networks whose public bridge has ended; not in any other row.",
        ),
    ]
    parts += [
        (protocol, living.filter(pl.col("protocol") == protocol), f"Bridges to {protocol}.")
        for protocol in sorted(living["protocol"].unique())
    ]
    for confidence in ("high", "medium", "low"):
        of_it = living.filter(pl.col("confidence") == confidence)
        parts.append((f"{confidence} confidence", of_it, f"Patterns that tell a bridge with {confidence} confidence."))
    for dimension, part, note in parts:
        yield snapshot.row(
            BRIDGED_ROOMS, dimension, part.height, n=rooms.height, coverage=coverage, unit="rooms",
            denominator="listed rooms", method=f"{_METHOD} {note}", grade=Grade.ESTIMATED,
        )  # fmt: skip
    for dimension, part, note in parts:
        yield _memberships(snapshot, dimension, part, coverage, note)
    reach = float(living["members"].sum())
    yield snapshot.row(
        BRIDGED_USERS,
        LIVING,
        reach / 2,
        lo=0,
        hi=reach,
        interval_kind=IntervalKind.BOUNDS,
        n=living.height,
        coverage=coverage,
        unit="users",
        denominator="rooms with bridge evidence",
        grade=Grade.ESTIMATED,
        method="Only the bounds mean anything: between none and all of the memberships in rooms with bridge evidence; "
        "the value is their middle. Bridges to closed rooms are not seen at all.",
    )


_METHOD = "Listed rooms whose canonical alias has the pattern of a bridge's portal."


def _memberships(
    snapshot: Snapshot, dimension: str, part: pl.DataFrame, coverage: float | None, note: str
) -> MetricRow:
    said = part["members"].drop_nulls()
    is_known = bool(said.len()) or part.is_empty()
    return snapshot.row(
        BRIDGED_MEMBERSHIPS,
        dimension,
        float(said.sum()) if is_known else None,
        n=said.len(),
        coverage=coverage,
        unit="memberships",
        denominator="rooms with bridge evidence that say their members",
        method=f"Memberships, ghosts and bots among them. {_METHOD} {note}"
        if is_known
        else "Not known: none of these rooms says its members.",
        grade=Grade.ESTIMATED,
    )
