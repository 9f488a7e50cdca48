"""The graph of the newest census as tables: its shape, and what is left of it as servers, operators or networks go.

Apart from `analytics.room_graph` and `analytics.resilience`, which know numbers only: here a snapshot becomes their
input, and their answer rows of a serving file. Only rooms that are no spaces and servers that are online are in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.amounts import IntArray
from analytics.federation_graph import FederationGraph, Holder
from analytics.resilience import (
    DRAWS,
    ResilienceBand,
    ResilienceCurve,
    largest_first,
    remove_at_random,
    remove_in_order,
)
from analytics.room_graph import GraphShape, ServerSets, merge_rooms
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

RESILIENCE = "resilience"
GRAPH = "room_graph"

SEED = 20190611
"""Of the random orders: the same census, the same band."""

EVERY_K_UP_TO = 50
POINTS_BEYOND = 60
STATED_K = (1, 3, 10)

REMOVED = (Holder.SERVER, Holder.OPERATOR, Holder.NETWORK)

RESILIENCE_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "removed": "VARCHAR NOT NULL",
    "removal_order": "VARCHAR NOT NULL",
    "k": "INTEGER NOT NULL",
    "of": "INTEGER NOT NULL",
    "rooms_without_server": "DOUBLE NOT NULL",
    "rooms_without_server_lo": "DOUBLE NOT NULL",
    "rooms_without_server_hi": "DOUBLE NOT NULL",
    "servers_together": "DOUBLE NOT NULL",
    "servers_together_lo": "DOUBLE NOT NULL",
    "servers_together_hi": "DOUBLE NOT NULL",
    "memberships_together": "DOUBLE NOT NULL",
    "memberships_together_lo": "DOUBLE NOT NULL",
    "memberships_together_hi": "DOUBLE NOT NULL",
    "draws": "INTEGER NOT NULL",
}

RESILIENCE_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: the newest.",
    "removed": "What is taken away: server, operator or network.",
    "removal_order": "largest: most rooms first, as in the intact graph; random: the median of random orders.",
    "k": "How many of them are gone: every number up to 50, then fewer and fewer.",
    "of": "How many of them there are.",
    "rooms_without_server": "Share, 0 to 1, of the rooms with a known server that have none left.",
    "rooms_without_server_lo": "Least of the random orders; the value itself where the order is not random.",
    "rooms_without_server_hi": "Largest of them, likewise.",
    "servers_together": "Share of the online servers in the connected component with most servers.",
    "servers_together_lo": "Least of the random orders, likewise.",
    "servers_together_hi": "Largest of them, likewise.",
    "memberships_together": "Share of the memberships in the connected component with most memberships.",
    "memberships_together_lo": "Least of the random orders, likewise.",
    "memberships_together_hi": "Largest of them, likewise.",
    "draws": "Random orders drawn; 0 where the order is not random.",
}

DISTRIBUTION_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "what": "VARCHAR NOT NULL",
    "value": "INTEGER NOT NULL",
    "rooms": "INTEGER",
    "count": "INTEGER NOT NULL",
}

DISTRIBUTION_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: the newest.",
    "what": "rooms_of_server, servers_of_room (degrees), core_of_server (largest k-core a server stays in), "
    "servers_of_component.",
    "value": "The degree, the core, or the servers of a connected component.",
    "rooms": "Rooms of the component; NULL for what is no component.",
    "count": "How many servers, rooms or components have that value.",
}


def distribution_rows(snapshot: Snapshot, shape: GraphShape) -> Iterator[tuple[object, ...]]:
    """Rows of `DISTRIBUTION_COLUMNS`."""
    for what, distribution in (
        ("rooms_of_server", shape.rooms_of_server),
        ("servers_of_room", shape.servers_of_room),
        ("core_of_server", shape.core_of_server),
    ):
        for value, count in distribution.items():
            yield snapshot.crawl_id, what, value, None, count
    for (servers, rooms), count in shape.component_sizes.items():
        yield snapshot.crawl_id, "servers_of_component", servers, rooms, count


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """One thought experiment: the largest gone first, and the band of random orders."""

    kind: Holder
    groups: int
    largest: ResilienceCurve
    random: ResilienceBand


def removals(found: FederationGraph, draws: int = DRAWS) -> list[Removal]:
    """Servers, operators and networks taken away; networks only where any is known."""
    sets = merge_rooms(found.graph)
    return [
        _removal(kind, sets, _groups(found.holders, kind), draws)
        for kind in REMOVED
        if found.holders[kind].is_not_null().any()
    ]


def _removal(kind: Holder, sets: ServerSets, group: IntArray, draws: int) -> Removal:
    return Removal(
        kind=kind,
        groups=int(group.max()) + 1,
        largest=remove_in_order(sets, group, largest_first(sets, group, "rooms")),
        random=remove_at_random(sets, group, rng=np.random.default_rng(SEED), draws=draws),
    )


def _groups(servers: pl.DataFrame, kind: Holder) -> IntArray:
    """The number of the group of each server; one whose holder is not known is a group of its own."""
    place: dict[str, int] = {}
    own = (
        f"\x00{name}" if holder is None else holder for holder, name in servers.select(kind, "server_name").iter_rows()
    )
    return np.array([place.setdefault(name, len(place)) for name in own], dtype=np.int64)


def resilience_rows(snapshot: Snapshot, answers: Sequence[Removal]) -> Iterator[tuple[object, ...]]:
    """Rows of `RESILIENCE_COLUMNS`."""
    for answer in answers:
        for k in _shown(answer.groups):
            for order, band, draws in (
                ("largest", (answer.largest,) * 3, 0),
                ("random", (answer.random.median, answer.random.lo, answer.random.hi), answer.random.draws),
            ):
                shares = [
                    float(getattr(curve, name)[k])
                    for name in ("rooms_without_server", "servers_together", "memberships_together")
                    for curve in band
                ]
                yield snapshot.crawl_id, answer.kind.value, order, k, answer.groups, *shares, draws


def _shown(groups: int) -> list[int]:
    beyond = np.geomspace(EVERY_K_UP_TO, max(groups, EVERY_K_UP_TO), POINTS_BEYOND).astype(int).tolist()
    return sorted({k for k in (*range(EVERY_K_UP_TO + 1), *beyond, groups) if k <= groups})


def resilience(
    snapshot: Snapshot, found: FederationGraph, shape: GraphShape, answers: Sequence[Removal]
) -> Iterator[MetricRow]:
    """The shape of the graph in three numbers, and what is lost when the 1, 3, 10 largest go.

    Shares from 0 (nothing lost) to 1 (all of it). A thought experiment on what is known: rooms with servers that we do
    not know of are lost here and live on in truth.
    """
    in_rooms = found.graph.rooms - shape.servers_of_room.get(0, 0)
    known = share(in_rooms, found.graph.rooms)
    for dimension, value, unit in (
        (
            "connected components with a room",
            sum(n for size, n in shape.component_sizes.items() if min(size) > 0),
            "components",
        ),
        ("largest core", max(shape.core_of_server, default=0), "rooms and servers each"),
        ("servers in no known room", shape.rooms_of_server.get(0, 0), "servers"),
    ):
        yield snapshot.row(
            GRAPH, dimension, value, n=found.graph.servers, coverage=known, unit=unit, denominator="online servers",
            method="The graph of online servers and listed rooms, an edge where a server is known to be in a room.",
        )  # fmt: skip
    for answer in answers:
        for k in STATED_K:
            if k >= answer.groups:
                continue
            yield snapshot.row(
                RESILIENCE,
                f"rooms lost with the {k} largest by {answer.kind}",
                float(answer.largest.rooms_without_server[k]),
                n=in_rooms,
                coverage=known,
                unit="share of rooms",
                denominator="listed rooms with a known server",
                method=f"Rooms left without any known server when the {k} holders that are in most rooms are gone (of "
                f"{answer.groups}); with {k} at random the median of {answer.random.draws} draws is "
                f"{answer.random.median.rooms_without_server[k]:.4f}, from "
                f"{answer.random.lo.rooms_without_server[k]:.4f} to {answer.random.hi.rooms_without_server[k]:.4f}.",
                grade=Grade.ESTIMATED,
            )
