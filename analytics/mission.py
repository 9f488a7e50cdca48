"""The metrics gathered: all rows of a snapshot, and which of the mission's nine they answer.

What the nine are is said in `analytics.charter`, what the rows are in `analytics.definitions`, how each number is
computed in its own module; here they are put in the order in which they are stored. Those of part 0 are of
decentralisation, which the mission asks for in other words.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analytics import bridges as bridged
from analytics import code as living
from analytics import conformance as conforming
from analytics import developers as people
from analytics import discovery as found
from analytics import diversity as diverse
from analytics import freshness as fresh
from analytics import graph_tables as graph
from analytics import growth as change
from analytics import known_item as searching
from analytics import signal as noise
from analytics import spec as specification
from analytics import unseen as population
from analytics import usage as reported
from analytics import versions as spread
from analytics.decentralisation import decentralisation, held_by
from analytics.federation_graph import FederationGraph, federation_graph
from analytics.funnel import funnel
from analytics.graph_tables import Removal, removals
from analytics.load_frames import load_frames
from analytics.load_history import load_lives, load_version_stays
from analytics.load_stored import load_metric_rows
from analytics.room_graph import GraphShape, graph_shape
from analytics.rooms import rooms
from analytics.schemas import MetricRow
from analytics.snapshot import Frames, Lives, Snapshot
from analytics.software import (
    software,
)


def computed_rows(serving: Path, crawl_id: int) -> tuple[MetricRow, ...]:
    """The rows of one sealed crawl, computed now, without hosting data; empty when it is not there.

    Raises:
        StoreError: the file cannot be opened.
    """
    frames = load_frames(serving, [crawl_id])
    return tuple(
        row
        for snapshot in frames.snapshots
        for row in snapshot_rows(
            snapshot,
            frames,
            Gathered.of(snapshot, frames, load_lives(serving, crawl_id), load_version_stays(serving, crawl_id)),
        )
    )


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What is costly to compute of a snapshot and used more than once: for rows, and for tables of their own."""

    lives: Lives
    version_stays: pl.DataFrame
    federation: FederationGraph
    held: pl.DataFrame
    shape: GraphShape
    removals: list[Removal]
    features: pl.DataFrame

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        frames: Frames,
        lives: Lives,
        version_stays: pl.DataFrame,
        earlier_features: pl.DataFrame | None = None,
    ) -> "Gathered":
        """Compute it; `earlier_features` are those of the census before."""
        federation = federation_graph(snapshot, frames.reference.software)
        return cls(
            lives=lives,
            version_stays=version_stays,
            federation=federation,
            held=held_by(federation),
            shape=graph_shape(federation.graph),
            removals=removals(federation),
            features=noise.room_features(snapshot, earlier_features),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are computed together, and which of the mission's nine they answer (0: decentralisation)."""

    name: str
    missions: tuple[int, ...]
    rows: Callable[[Snapshot, Frames, Gathered], Iterator[MetricRow]]


PARTS: tuple[Part, ...] = (
    Part("funnel", (3,), lambda snapshot, _, __: funnel(snapshot)),
    Part("unseen", (3,), lambda snapshot, _, __: population.unseen(snapshot)),
    Part("software", (5,), lambda snapshot, frames, _: software(snapshot, frames.reference.software)),
    Part("rooms", (1, 8), lambda snapshot, _, __: rooms(snapshot)),
    Part("growth", (2, 3), lambda snapshot, _, gathered: change.growth(snapshot, gathered.lives)),
    Part(
        "survival",
        (3,),
        lambda snapshot, frames, gathered: change.survival(snapshot, gathered.lives, frames.reference.software),
    ),
    Part(
        "versions",
        (5,),
        lambda snapshot, frames, gathered: spread.versions(
            snapshot, gathered.lives, gathered.version_stays, frames.reference.software_releases
        ),
    ),
    Part(
        "outside",
        (1, 2, 4, 5, 6),
        lambda snapshot, frames, _: outside_rows(snapshot, frames.reference.software),
    ),
    Part("bridges", (6,), lambda snapshot, frames, _: bridged.bridges(snapshot, frames.reference.bridges)),
    Part("signal", (7, 8), lambda snapshot, _, gathered: noise.signal(snapshot, gathered.features)),
    Part("discovery", (8,), lambda snapshot, _, __: found.discovery(snapshot)),
    Part("freshness", (8,), lambda snapshot, _, gathered: fresh.freshness(snapshot, gathered.lives)),
    Part("search", (8,), lambda snapshot, _, __: searching.known_item(snapshot)),
    Part("diversity", (8,), lambda snapshot, _, gathered: diverse.diversity(snapshot, gathered.features)),
    Part("conformance", (9,), lambda snapshot, _, __: conforming.conformance(snapshot)),
    Part("spec", (9,), lambda snapshot, frames, _: specification.spec(snapshot, frames.reference)),
    Part(
        "resilience",
        (0,),
        lambda snapshot, _, gathered: graph.resilience(
            snapshot, gathered.federation, gathered.shape, gathered.removals
        ),
    ),
    Part("concentration", (0,), lambda snapshot, _, gathered: decentralisation(snapshot, gathered.held)),
)
"""In the order in which their rows are stored."""


def snapshot_rows(snapshot: Snapshot, frames: Frames, gathered: Gathered) -> Iterator[MetricRow]:
    """All rows of one snapshot."""
    for part in PARTS:
        yield from part.rows(snapshot, frames, gathered)


OUTSIDE = frozenset(
    {
        reported.REPORTED_USERS, reported.REPORTING, reported.RETAINED_USERS, reported.REPORTED_BRIDGED,
        people.DEVELOPERS, people.BY_MONTH, living.WITH_CODE,
    }
)  # fmt: skip
"""The metrics of `outside_rows`."""


def outside_rows(snapshot: Snapshot, software_table: pl.DataFrame) -> Iterator[MetricRow]:
    """The rows that rest on what no crawl sees, which may be told of a census long after it."""
    yield from reported.usage(snapshot)
    yield from people.developers(snapshot)
    yield from living.code(snapshot, software_table)


def metric_rows(serving: Path, crawl_id: int) -> tuple[MetricRow, ...]:
    """The rows of one snapshot: those stored with it, else computed now.

    Raises:
        StoreError: the file cannot be opened.
    """
    stored = load_metric_rows(serving, crawl_id)
    return stored or computed_rows(serving, crawl_id)
