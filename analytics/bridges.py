"""Rooms that are portals of bridges (mission metric 6), told by the pattern of their alias or by who lists them.

An alias shows a portal only where the bridge made one and the room kept it: most portals are private and unlisted, and
admins can change every pattern. So each fingerprint (`data/reference/bridges.csv`) has a confidence, and what is
counted is rooms with evidence. Memberships in them mix people of Matrix, ghosts of the other side and bots: the number
of bridged users lies between none of them and all of them. Networks whose public bridge has ended leave portals behind;
they are counted apart as dead.

The other evidence is the list of a third-party network, which only an application service can fill (application service
API, "Third-party networks"; client-server API, `PUT /directory/list/appservice/{networkId}/{roomId}`) and which a
directory shows to who asks with `include_all_networks`. Neither that answer nor a room in it names the network: the
protocol is that of the alias where it has a pattern, else not known. These rooms are counted apart from the listed
ones, whose numbers mean what they meant before a directory was asked so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from analytics.estimate import IntervalKind
from analytics.fingerprints import Fingerprints, Portal
from analytics.rooms import is_space
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

BRIDGED_ROOMS = "bridged_rooms"
BRIDGED_MEMBERSHIPS = "bridged_memberships"
BRIDGED_USERS = "bridged_users"

LIVING = "all"
"""Listed rooms whose alias tells a bridge that is not known to have ended."""
DEAD = "dead bridges"
NETWORKS = "third-party networks"
"""Rooms in the lists of third-party networks, listed elsewhere or not; with a colon and a word, a part of them."""
WITH_NETWORKS = "with third-party networks"
"""Listed rooms with bridge evidence and those in the lists of third-party networks, each room once."""
UNKNOWN_PROTOCOL = "unknown protocol"

CONFIDENCES = ("high", "medium", "low")
"""Of the pattern of an alias."""
DIRECTORY = "directory"
"""The confidence of a room without a pattern: its directory alone tells that an application service listed it."""

PORTAL_COLUMNS = {
    "room_id": pl.String,
    "members": pl.Float64,
    "protocol": pl.String,
    "network": pl.String,
    "confidence": pl.String,
    "dead": pl.Boolean,
}

_UNNAMED = Portal(UNKNOWN_PROTOCOL, None, DIRECTORY, None)


def portals(snapshot: Snapshot, fingerprints: Fingerprints) -> pl.DataFrame:
    """The listed rooms with bridge evidence; `dead` when the network's public bridge had ended by the census."""
    return _portals(snapshot, snapshot.rooms, fingerprints, None)


def network_portals(snapshot: Snapshot, network_rooms: pl.DataFrame, fingerprints: Fingerprints) -> pl.DataFrame:
    """The rooms in the lists of third-party networks, each once. Members and alias are those of the directories that
    list the room where there are such, else the median of what is told and the first alias that is."""
    listed = snapshot.rooms.select("room_id", "members", "room_type", "canonical_alias")
    first = (pl.col(name).drop_nulls().first() for name in ("room_type", "canonical_alias"))
    told = (
        network_rooms.sort("room_id", "server_id")
        .group_by("room_id", maintain_order=True)
        .agg(pl.col("members").median(), *first)
        .join(listed, on="room_id", how="left", suffix="_listed", maintain_order="left")
        .select(
            "room_id",
            *(pl.coalesce(f"{name}_listed", name).alias(name) for name in ("members", "room_type", "canonical_alias")),
        )
    )
    return _portals(snapshot, told, fingerprints, _UNNAMED)


def _portals(
    snapshot: Snapshot, rooms: pl.DataFrame, fingerprints: Fingerprints, otherwise: Portal | None
) -> pl.DataFrame:
    """Of these rooms, those whose alias shows a portal; a room whose alias shows none is `otherwise`."""
    rows = []
    plain = rooms.filter(~is_space())
    for room_id, members, alias in plain.select("room_id", "members", "canonical_alias").iter_rows():
        found = fingerprints.portal(alias) or otherwise
        if found is not None:
            dead = found.ended_on is not None and found.ended_on <= snapshot.at.date()
            rows.append((room_id, members, found.protocol, found.network, found.confidence, dead))
    return pl.DataFrame(rows, schema=PORTAL_COLUMNS, orient="row")


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """Portals that are counted together: `n` rooms of `denominator` were looked at for them. `within` is the name of
    the whole where that is not all there is; `confidences` those that can be among them."""

    found: pl.DataFrame
    within: str | None
    confidences: tuple[str, ...]
    n: int
    coverage: float | None
    denominator: str
    method: str

    @property
    def living(self) -> pl.DataFrame:
        """Those not known to have ended."""
        return self.found.filter(~pl.col("dead"))

    def parts(self) -> Iterator[tuple[str, pl.DataFrame, str]]:
        """The living in all, the dead, the living by protocol and by confidence: name, portals, and what they are."""
        living, prefix = self.living, f"{self.within}: " if self.within else ""
        yield self.within or LIVING, living, "Bridges not known to have ended."
        yield (
            f"{prefix}{DEAD}",
            self.found.filter(pl.col("dead")),
            "Portals of networks whose public bridge has ended; not in any other row.",
        )
        for protocol in sorted(living["protocol"].unique()):
            note = "No pattern tells the protocol." if protocol == UNKNOWN_PROTOCOL else f"Bridges to {protocol}."
            yield f"{prefix}{protocol}", living.filter(pl.col("protocol") == protocol), note
        for confidence in self.confidences:
            note = (
                "No pattern: the directory alone tells that an application service listed them."
                if confidence == DIRECTORY
                else f"Patterns that tell a bridge with {confidence} confidence."
            )
            yield f"{prefix}{confidence} confidence", living.filter(pl.col("confidence") == confidence), note

    def rows(self, snapshot: Snapshot) -> Iterator[MetricRow]:
        """Rooms and memberships in them, by these parts."""
        for dimension, part, note in self.parts():
            yield snapshot.row(
                BRIDGED_ROOMS, dimension, part.height, n=self.n, coverage=self.coverage, unit="rooms",
                denominator=self.denominator, method=f"{self.method} {note}", grade=Grade.ESTIMATED,
            )  # fmt: skip
        for dimension, part, note in self.parts():
            yield self._memberships(snapshot, dimension, part, note)

    def _memberships(self, snapshot: Snapshot, dimension: str, part: pl.DataFrame, note: str) -> MetricRow:
        members = _memberships(part)
        return snapshot.row(
            BRIDGED_MEMBERSHIPS,
            dimension,
            members,
            n=part["members"].count(),
            coverage=self.coverage,
            unit="memberships",
            denominator="rooms with bridge evidence that say their members",
            method=f"Memberships, ghosts and bots among them. {self.method} {note}"
            if members is not None
            else f"Not known: {_SILENT}",
            grade=Grade.ESTIMATED,
        )


_SILENT = "none of these rooms says its members."

_UNITS = ((BRIDGED_ROOMS, "rooms"), (BRIDGED_MEMBERSHIPS, "memberships"), (BRIDGED_USERS, "users"))


def bridges(snapshot: Snapshot, table: pl.DataFrame) -> Iterator[MetricRow]:
    """Rooms with bridge evidence and memberships in them, by protocol; the bounds of bridged users.

    `coverage` of the listed rooms is the share of them that have an alias to look at; of those in the lists of
    third-party networks, the share of the directories that answered which were asked for these. No directory answered,
    or none was asked: no values.
    """
    fingerprints = Fingerprints(table)
    listed = _listed(snapshot, fingerprints)
    if isinstance(listed, str):
        yield from _not_known(snapshot, LIVING, "listed rooms", listed)
    else:
        yield from listed.rows(snapshot)
        yield _users(snapshot, LIVING, listed.living, listed.coverage)
    networks = _networks(snapshot, fingerprints)
    if isinstance(networks, str) or isinstance(listed, str):
        why = networks if isinstance(networks, str) else str(listed)
        yield from _not_known(snapshot, NETWORKS, _IN_NETWORKS, why)
        return
    yield from networks.rows(snapshot)
    more = networks.living.join(listed.living, on="room_id", how="anti")
    yield _users(snapshot, WITH_NETWORKS, pl.concat([listed.living, more]), networks.coverage)


_IN_NETWORKS = "rooms in the lists of third-party networks"


def _listed(snapshot: Snapshot, fingerprints: Fingerprints) -> _Evidence | str:
    """Evidence by the alias of listed rooms, or why there is none to look at."""
    if not snapshot.observations["listing"].any():
        return "no directory answered."
    rooms = snapshot.rooms.filter(~is_space())
    return _Evidence(
        found=portals(snapshot, fingerprints),
        within=None,
        confidences=CONFIDENCES,
        n=rooms.height,
        coverage=share(rooms["canonical_alias"].count(), rooms.height),
        denominator="listed rooms",
        method="Listed rooms whose canonical alias has the pattern of a bridge's portal.",
    )


def _networks(snapshot: Snapshot, fingerprints: Fingerprints) -> _Evidence | str:
    """Evidence by the lists of third-party networks, or why there is none to look at."""
    answered = snapshot.observations.filter("listing")
    asked = answered.filter((pl.col("directory_way") == "federation") & (pl.col("directory_stopped") == "complete"))
    if answered.is_empty():
        return "no directory answered."
    if asked.is_empty():
        return "no directory was read whole over federation, which is when it is asked for all networks."
    if snapshot.network_rooms is None:
        return "which rooms only these lists held is no longer kept of this census."
    found = network_portals(snapshot, snapshot.network_rooms, fingerprints)
    return _Evidence(
        found=found,
        within=NETWORKS,
        confidences=(*CONFIDENCES, DIRECTORY),
        n=found.height,
        coverage=share(asked.height, answered.height),
        denominator=_IN_NETWORKS,
        method="Rooms that a directory read whole over federation shows only to who asks with include_all_networks, "
        "whether or not another directory lists them.",
    )


def _not_known(snapshot: Snapshot, dimension: str, denominator: str, why: str) -> Iterator[MetricRow]:
    for metric, unit in _UNITS:
        of = WITH_NETWORKS if (metric, dimension) == (BRIDGED_USERS, NETWORKS) else dimension
        yield snapshot.not_known(metric, of, unit=unit, denominator=denominator, why=why, grade=Grade.ESTIMATED)


def _memberships(rooms: pl.DataFrame) -> float | None:
    """Members summed over the rooms that say them; None where there are rooms and none does."""
    said = rooms["members"].drop_nulls()
    return float(said.sum()) if said.len() or rooms.is_empty() else None


def _users(snapshot: Snapshot, dimension: str, living: pl.DataFrame, coverage: float | None) -> MetricRow:
    reach, denominator = _memberships(living), "rooms with bridge evidence"
    if reach is None:
        return snapshot.not_known(
            BRIDGED_USERS, dimension, unit="users", denominator=denominator, why=_SILENT, grade=Grade.ESTIMATED
        )
    return snapshot.row(
        BRIDGED_USERS,
        dimension,
        reach / 2,
        lo=0,
        hi=reach,
        interval_kind=IntervalKind.BOUNDS,
        n=living.height,
        coverage=coverage,
        unit="users",
        denominator=denominator,
        grade=Grade.ESTIMATED,
        method="Only the bounds mean anything: between none and all of the memberships in rooms with bridge evidence; "
        "the value is their middle. Bridges to closed rooms are not seen at all.",
    )
