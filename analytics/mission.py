"""The metrics of the mission, gathered: what each number means, and all rows of a snapshot.

The Matrix mission names nine things whose growth it counts as success. The rows here answer parts of numbers 1
(end-users reachable), 3 (online servers), 5 (independent implementations) and 8 (discovery). Definitions are written
once, here, and are what the command line and the dashboard show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analytics.funnel import SERVERS, funnel
from analytics.load import load_frames, load_metric_rows
from analytics.rooms import DIRECTORIES, LARGEST_ROOM, MEMBERSHIPS, ROOMS, rooms
from analytics.schemas import MetricRow
from analytics.snapshot import Frames
from analytics.software import BY_LINEAGE, BY_SOFTWARE, BY_VERSION, IMPLEMENTATIONS, LINEAGES, software


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric is. `mission` is the number of the mission's metric it belongs to; `meaning` one plain sentence."""

    metric: str
    mission: int
    title: str
    meaning: str


DEFINITIONS: dict[str, Definition] = {
    definition.metric: definition
    for definition in (
        Definition(
            SERVERS,
            3,
            "Servers of the open federation",
            "How many servers there are, from merely named to listing rooms; each stage asks more than the one before.",
        ),
        Definition(BY_SOFTWARE, 5, "Servers by implementation", "What online servers say they run."),
        Definition(BY_LINEAGE, 5, "Servers by lineage", "Online servers by family of forks."),
        Definition(BY_VERSION, 5, "Servers by version", "What release online servers say they run."),
        Definition(
            IMPLEMENTATIONS, 5, "Implementations in use", "How many different implementation names online servers give."
        ),
        Definition(LINEAGES, 5, "Lineages in use", "How many independent families of forks online servers run."),
        Definition(
            ROOMS, 8, "Public rooms", "Unique rooms, and spaces apart, listed in the room directories that answered."
        ),
        Definition(
            MEMBERSHIPS,
            1,
            "Memberships in public rooms",
            "Members summed over unique public rooms. One person in ten rooms is ten memberships.",
        ),
        Definition(
            LARGEST_ROOM,
            1,
            "Members of the largest room",
            "The members of one room are distinct accounts, bridge ghosts among them.",
        ),
        Definition(DIRECTORIES, 8, "Room directories", "How the room directories of online servers answer."),
    )
}
"""By metric, in the order in which they are read."""


def mission_rows(frames: Frames) -> Iterator[MetricRow]:
    """All rows of all snapshots, oldest snapshot first."""
    for snapshot in frames.snapshots:
        yield from funnel(snapshot)
        yield from software(snapshot, frames.software)
        yield from rooms(snapshot)


def metric_rows(serving: Path, crawl_id: int) -> tuple[MetricRow, ...]:
    """The rows of one snapshot: those stored with it, else computed now.

    Raises:
        StoreError: the file cannot be opened.
    """
    stored = load_metric_rows(serving, crawl_id)
    return stored or tuple(mission_rows(load_frames(serving, [crawl_id])))
