"""Discovering content on one's own terms (mission metric 8): the way from an online server to a room one can join.

Apart from `analytics.rooms`, which counts rooms. Closed, empty and failed directories are different things and are
kept apart there; here is what is left at each stage, how widely rooms are listed, and how many rooms no directory that
answered lists.
"""

from collections.abc import Iterator

import polars as pl

from analytics.estimate import IntervalKind
from analytics.population import chao2, incidence_coverage
from analytics.rooms import is_space
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

SERVERS_ON_THE_WAY = "discovery_servers"
ROOMS_ON_THE_WAY = "discovery_rooms"
LISTED_IN = "rooms_by_directories"
ROOMS_ESTIMATED = "rooms_estimated"
LISTING_COVERAGE = "listing_coverage"
IN_SPACES = "rooms_in_spaces"

_WIDTHS = ((1, 1, "1 directory"), (2, 2, "2 directories"), (3, 5, "3 to 5 directories"), (6, None, "6 or more"))

_STANDS_OPEN = ("public",)


def discovery(snapshot: Snapshot) -> Iterator[MetricRow]:
    """The funnel in servers, then in rooms; rooms by how many directories list them; rooms that nobody listed.

    Rooms are listed rooms that are no spaces. No directory answered: the rows about rooms have no value.
    """
    online = snapshot.observations.filter(pl.col("online"))
    answered = int(online["listing"].sum())
    coverage = share(answered, online.height)
    with_rooms = int((online["directory_state"] == "open").sum())
    for dimension, count, method in (
        ("online", online.height, "Online servers: where discovery can start."),
        ("directory answers", answered, "Online servers whose room directory answered, also with nothing in it."),
        ("directory has rooms", with_rooms, "Online servers whose room directory answered with rooms."),
    ):
        yield snapshot.row(
            SERVERS_ON_THE_WAY, dimension, count, n=online.height, coverage=1.0 if online.height else None,
            unit="servers", denominator="online servers", method=method,
        )  # fmt: skip
    rooms = snapshot.rooms.filter(~is_space())
    yield from _rooms(snapshot, rooms, answered, coverage)
    yield from _widths(snapshot, rooms, answered, coverage)
    yield _in_spaces(snapshot, rooms)


def _in_spaces(snapshot: Snapshot, rooms: pl.DataFrame) -> MetricRow:
    """Of the listed rooms, those that a space names. `coverage` is the share of listed spaces seen to name any room."""
    children, dimension, unit = snapshot.space_children, "also in a space", "share of rooms"
    why = ""
    if children is None:
        why = "which rooms spaces name is no longer kept of this census."
    elif not snapshot.signed:
        why = "spaces are opened with signed requests alone, and this crawl had no identity."
    elif children.is_empty() or rooms.is_empty():
        why = "no space that was opened names a room." if children.is_empty() else "no rooms are listed."
    if why or children is None:
        return snapshot.not_known(
            IN_SPACES, dimension, unit=unit, denominator="listed rooms", why=why, grade=Grade.MEASURED
        )
    spaces = snapshot.rooms.filter(is_space())
    opened = spaces.join(children, left_on="room_id", right_on="space_id", how="semi").height
    within = rooms.join(children, left_on="room_id", right_on="child_id", how="semi").height / rooms.height
    return snapshot.row(
        IN_SPACES, dimension, within, lo=within, interval_kind=IntervalKind.BOUNDS, n=rooms.height,
        coverage=share(opened, spaces.height), unit=unit, denominator="listed rooms",
        method="Listed rooms that a space names as its child, as the server that was asked about the space tells it. A "
        "lower bound: of listed spaces some are closed to us or left to later crawls, and spaces that nothing lists "
        "are not opened unless another space names them.",
    )  # fmt: skip


def _rooms(snapshot: Snapshot, rooms: pl.DataFrame, answered: int, coverage: float | None) -> Iterator[MetricRow]:
    looked_up = snapshot.participations.select("room_number").unique()
    aliased = rooms.filter(pl.col("canonical_alias").is_not_null())
    joinable = pl.col("join_rule").fill_null("public").is_in(_STANDS_OPEN)
    stages = (
        ("listed", rooms, "Different room IDs in the directories that answered."),
        ("with an alias", aliased, "Listed rooms with a canonical alias, which people can write down."),
        (
            "alias resolves",
            aliased.join(looked_up, on="room_number", how="semi"),
            "Listed rooms whose alias was looked up and answered with servers; a lower bound: look-ups are bounded.",
        ),
        (
            "open to join",
            rooms.filter(joinable),
            "Listed rooms whose join rule is public (or not said, which means it).",
        ),
        (
            "to knock at",
            rooms.filter(pl.col("join_rule").is_in(["knock", "knock_restricted"])),
            "Listed rooms that one may ask to join.",
        ),
        (
            "readable by anybody",
            rooms.filter(pl.col("world_readable").fill_null(value=False)),
            "Listed rooms whose history is world-readable.",
        ),
    )
    for dimension, left, method in stages:
        yield snapshot.row(
            ROOMS_ON_THE_WAY, dimension, left.height if answered else None, n=rooms.height, coverage=coverage,
            unit="rooms", denominator="listed rooms",
            method=method if answered else "Not known: no directory answered.",
        )  # fmt: skip


def _widths(snapshot: Snapshot, rooms: pl.DataFrame, answered: int, coverage: float | None) -> Iterator[MetricRow]:
    for least, most, dimension in _WIDTHS:
        within = pl.col("directories") >= least
        if most is not None:
            within &= pl.col("directories") <= most
        yield snapshot.row(
            LISTED_IN, dimension, rooms.filter(within).height if answered else None, n=rooms.height, coverage=coverage,
            unit="rooms", denominator="listed rooms",
            method="Listed rooms by the number of directories that list them." if answered
            else "Not known: no directory answered.",
        )  # fmt: skip
    sightings = rooms["directories"]
    with_rooms = snapshot.listings["server_id"].n_unique()
    yield snapshot.estimated(
        ROOMS_ESTIMATED,
        "Chao2 over directories",
        chao2(sightings, with_rooms),
        coverage=coverage,
        unit="rooms",
        denominator="directories with rooms",
        method="How many rooms the directories of open servers would list if more of them were read; says nothing of "
        "closed directories and private rooms. Directories share rooms by choice, so read it as at least.",
    )
    yield snapshot.estimated(
        LISTING_COVERAGE,
        "rooms",
        incidence_coverage(sightings, with_rooms),
        coverage=coverage,
        unit="share of listings",
        denominator="listings of rooms",
        method="The chance that the next listing in a directory is of a room that was seen before.",
        grade=Grade.ESTIMATED,
    )
