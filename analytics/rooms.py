"""Public rooms, memberships in them, the largest one, and the state of directories (mission metrics 1 and 8).

A room is its room ID, however many directories list it and by whatever alias. Spaces are not rooms and are counted
apart. Directories disagree about members: the median counts, the least and the largest bound it. Memberships are not
people: one person may be in many rooms, and bridge ghosts are counted by the directories as anybody else.
"""

from collections.abc import Iterator

import polars as pl

from analytics.estimate import IntervalKind
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

SPACE = "m.space"
"""The room type of a space (client-server API, "Spaces")."""

ROOMS = "rooms"
MEMBERSHIPS = "memberships"
PEOPLE = "people_scenario"
LARGEST_ROOM = "largest_room_members"
DIRECTORIES = "directories"

_LISTED = "rooms listed in the directories that answered"


def rooms(snapshot: Snapshot) -> Iterator[MetricRow]:
    """Rooms, memberships, the largest room, and online servers by the state of their directory.

    `coverage` of the first three is the share of online servers whose directory answered: closed, failed and unasked
    directories hide their rooms. No directory answered: rooms and memberships are not known, rather than zero.
    """
    online = snapshot.observations.filter(pl.col("online"))
    answered = int(online["listing"].sum())
    coverage = share(answered, online.height)
    plain, spaces = snapshot.rooms.filter(~is_space()), snapshot.rooms.filter(is_space())
    yield _unique(snapshot, "room", plain, answered, coverage)
    yield _unique(snapshot, "space", spaces, answered, coverage)
    yield _memberships(snapshot, plain, answered, coverage)
    yield _people(snapshot, plain, answered, coverage)
    yield from _largest(snapshot, plain, coverage)
    yield from _directories(snapshot, online)


def is_space() -> pl.Expr:
    """Whether a room of the frame is a space."""
    return pl.col("room_type").fill_null("") == SPACE


def own_server() -> pl.Expr:
    """The server of a room of the frame, lower case: that of the alias, else of the room ID; null for a room that has
    neither (room version 12 without an alias)."""
    of_alias = pl.col("canonical_alias").str.extract(r"^#[^:]*:(.+)$")
    return pl.coalesce(of_alias, pl.col("room_id").str.extract(r"^![^:]*:(.+)$")).str.to_lowercase()


def _unique(
    snapshot: Snapshot, dimension: str, listed: pl.DataFrame, answered: int, coverage: float | None
) -> MetricRow:
    count = listed.height if answered else None
    return snapshot.row(
        ROOMS,
        dimension,
        count,
        lo=count,
        interval_kind=IntervalKind.BOUNDS if answered else IntervalKind.NONE,
        n=answered,
        coverage=coverage,
        unit=f"{dimension}s",
        denominator="directories that answered",
        method=f"Count of different room IDs listed as {dimension}s. A lower bound: a room is listed by choice."
        if answered
        else "Not known: no directory answered.",
    )


def _memberships(snapshot: Snapshot, listed: pl.DataFrame, answered: int, coverage: float | None) -> MetricRow:
    counted = listed.filter(pl.col("members").is_not_null())
    if not answered or (counted.is_empty() and not listed.is_empty()):
        return snapshot.row(
            MEMBERSHIPS,
            "all",
            None,
            n=0,
            coverage=coverage,
            unit="memberships",
            denominator=_LISTED,
            grade=Grade.ESTIMATED,
            method="Not known: no directory answered, or none said how many members its rooms have.",
        )
    return snapshot.row(
        MEMBERSHIPS,
        "all",
        float(counted["members"].sum()),
        lo=float(counted["members_min"].cast(pl.Int64).sum()),
        hi=float(counted["members_max"].cast(pl.Int64).sum()),
        interval_kind=IntervalKind.BOUNDS,
        n=counted.height,
        coverage=coverage,
        unit="memberships",
        denominator=_LISTED,
        grade=Grade.ESTIMATED,
        method="Sum over unique rooms of the median of the joined members that directories report; bounds from the "
        "least and the largest report of each room. Memberships, not people.",
    )


ROOMS_EACH = (1.5, 3.0, 5.0)
"""Public rooms of one person, assumed: few, some, many. Nobody outside can count them."""


def _people(snapshot: Snapshot, listed: pl.DataFrame, answered: int, coverage: float | None) -> MetricRow:
    counted = listed.filter(pl.col("members").is_not_null())
    few, some, many = ROOMS_EACH
    if not answered or counted.is_empty():
        return snapshot.not_known(
            PEOPLE, "all", unit="accounts", denominator=_LISTED, grade=Grade.ESTIMATED,
            why="no directory answered with members.",
        )  # fmt: skip
    memberships = float(counted["members"].sum())
    return snapshot.row(
        PEOPLE,
        "all",
        memberships / some,
        lo=memberships / many,
        hi=memberships / few,
        interval_kind=IntervalKind.SCENARIO,
        n=counted.height,
        coverage=coverage,
        unit="accounts",
        denominator=_LISTED,
        grade=Grade.ESTIMATED,
        method=f"Memberships divided by {few:g}, {some:g} and {many:g} public rooms for each account: what the number "
        "of accounts would be under these assumptions. No confidence interval: the assumptions are not measured.",
    )


def _largest(snapshot: Snapshot, listed: pl.DataFrame, coverage: float | None) -> Iterator[MetricRow]:
    counted = listed.filter(pl.col("members").is_not_null()).sort(["members", "room_id"], descending=[True, False])
    if counted.is_empty():
        return
    room = counted.row(0, named=True)
    yield snapshot.row(
        LARGEST_ROOM,
        room["room_id"],
        room["members"],
        lo=room["members_min"],
        hi=room["members_max"],
        interval_kind=IntervalKind.BOUNDS,
        n=room["directories"],
        coverage=coverage,
        unit="members",
        denominator="directories that list this room" if room["directories"] > 1 else "directory that lists this room",
        grade=Grade.ESTIMATED,
        method="Joined members of the room with the largest median, as the directories that list it report; bounds "
        "from the least and the largest report. Ghosts of bridges are among them, and one directory alone can lie.",
    )


def _directories(snapshot: Snapshot, online: pl.DataFrame) -> Iterator[MetricRow]:
    asked = int((online["directory_state"] != "skipped").sum())
    states = (
        online.group_by("directory_state").len("servers").sort(["servers", "directory_state"], descending=[True, False])
    )
    for state, servers in states.iter_rows():
        yield snapshot.row(
            DIRECTORIES,
            state,
            servers,
            n=online.height,
            coverage=share(asked, online.height),
            unit="servers",
            denominator="online servers",
            method="Online servers by how their public room directory answered; open and open_empty are "
            "answers, every other state hides an unknown number of rooms.",
        )
