"""How fresh what directories list is (mission metric 8): rooms met lately, entries that changed lately, own servers
that still answer.

A directory says nothing of when a room was last talked in, and neither does any number here: an entry changes when
people come, go, rename it or list it elsewhere, and a quiet room of faithful members looks stale. What is older than
the series cannot be told apart, so that a number is only known where the series reaches back far enough.
"""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from analytics.estimate import IntervalKind
from analytics.rooms import is_space, own_server
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Lives, Snapshot, share

FRESHNESS = "listing_freshness"

WITHIN_D = (30, 90)
MEDIAN = "median days since the entry changed"
OWN_SERVER = "own server online"

_ROOMS = "listed rooms"
DAY_S = 86_400


def freshness(snapshot: Snapshot, lives: Lives) -> Iterator[MetricRow]:
    """Shares of listed rooms that are no spaces, counted and not drawn, so without an interval. `coverage` is the share
    of online servers whose directory answered. No rooms are listed: no values."""
    online = snapshot.observations.filter("online")
    coverage = share(int(online["listing"].sum()), online.height)
    rooms = snapshot.rooms.filter(~is_space())
    for dimension, column, what in (
        ("first met", "first_crawl_id", "that no crawl had met until"),
        ("entry changed", "changed_crawl_id", "whose entry (texts, members, in how many directories) was another in"),
    ):  # fmt: skip
        for days in WITHIN_D:
            yield _within(snapshot, lives, rooms, coverage, f"{dimension} within {days} d", column, days, what)
    yield _median(snapshot, lives, rooms, coverage)
    yield _own_server(snapshot, rooms, online, coverage)


def _within(
    snapshot: Snapshot,
    lives: Lives,
    rooms: pl.DataFrame,
    coverage: float | None,
    dimension: str,
    column: str,
    days: int,
    what: str,
) -> MetricRow:
    before = lives.censuses.filter(pl.col("at") <= snapshot.at - timedelta(days=days))
    if before.is_empty() or rooms.is_empty():
        return snapshot.not_known(
            FRESHNESS, dimension, unit="share of rooms", denominator=_ROOMS, window=f"{days} d", grade=Grade.MEASURED,
            why="no rooms are listed." if rooms.is_empty() else f"the series has no census that is {days} days older.",
        )  # fmt: skip
    then, at = before.row(-1)
    return snapshot.row(
        FRESHNESS, dimension, float((rooms[column] > then).sum()) / rooms.height, n=rooms.height, coverage=coverage,
        unit="share of rooms", window=f"{days} d", denominator=_ROOMS,
        method=f"Listed rooms {what} the census of {at:%d %b %Y}, the last that is {days} days older. It says nothing "
        "of whether anybody talks in them.",
    )  # fmt: skip


def _median(snapshot: Snapshot, lives: Lives, rooms: pl.DataFrame, coverage: float | None) -> MetricRow:
    first = lives.censuses.row(0, named=True)
    # A limited crawl may have seen the change; the census after it is the first point of this series that has it.
    seen = (
        rooms.select("changed_crawl_id")
        .sort("changed_crawl_id")
        .join_asof(
            lives.censuses.rename({"crawl_id": "changed_crawl_id"}).sort("changed_crawl_id"),
            on="changed_crawl_id",
            strategy="forward",
        )
    )
    ages = (pl.lit(snapshot.at) - pl.col("at")).dt.total_seconds() / DAY_S
    told = seen.select(ages.alias("days"), (pl.col("at") <= first["at"]).alias("is_older")).sort("days", "is_older")
    if told.is_empty():
        return snapshot.not_known(
            FRESHNESS, MEDIAN, unit="days", denominator=_ROOMS, why="no rooms are listed.", grade=Grade.MEASURED
        )
    days, is_older = told.row((told.height - 1) // 2)
    return snapshot.row(
        FRESHNESS, MEDIAN, days, lo=days if is_older else None,
        interval_kind=IntervalKind.BOUNDS if is_older else IntervalKind.NONE, n=rooms.height, coverage=coverage,
        unit="days", window="the series so far", denominator=_ROOMS,
        method="The least number of days within which the entries of half of the listed rooms changed, as censuses saw "
        "it; at least so many where half of them are as the first census of the series found them.",
    )  # fmt: skip


def _own_server(snapshot: Snapshot, rooms: pl.DataFrame, online: pl.DataFrame, coverage: float | None) -> MetricRow:
    named = rooms.select(own_server().alias("server")).drop_nulls()
    if named.is_empty():
        return snapshot.not_known(
            FRESHNESS, OWN_SERVER, unit="share of rooms", denominator="listed rooms that name a server",
            why="no listed room names its server.", grade=Grade.MEASURED,
        )  # fmt: skip
    alive = named["server"].is_in(online["server_name"].str.to_lowercase().implode()).sum()
    return snapshot.row(
        FRESHNESS, OWN_SERVER, float(alive) / named.height, n=named.height, coverage=coverage, unit="share of rooms",
        denominator="listed rooms that name a server",
        method="Listed rooms whose own server, that of the alias, else of the room ID, is online in this census. A "
        "room goes on without it where others are in it, but its alias leads nowhere. Rooms of version 12 without "
        "an alias name none.",
    )  # fmt: skip
