"""A snapshot: one sealed crawl as numbers see it. What `load` makes and every metric takes."""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from analytics.estimate import Estimate, IntervalKind
from analytics.hosting import Places
from analytics.outside import Outside
from analytics.reference import Reference
from analytics.schemas import Grade, MetricRow

ONE_CRAWL = "one crawl"
"""The window of every row that rests on a single snapshot."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One crawl. `known` counts the servers that any lead or visit named; `observations` has one row for each visited
    server (`schemas.OBSERVATION_COLUMNS`), `rooms` one for each unique room ID (`schemas.ROOM_COLUMNS`), `leads` who
    named whom (`LEAD_COLUMNS`), `listings` and `participations` which server lists and is in which room
    (`IN_ROOM_COLUMNS`), `places` where the addresses are, `outside` what no crawl sees, `network_rooms` what only the
    lists of third-party networks held (`NETWORK_ROOM_COLUMNS`), `space_children` which rooms spaces name
    (`SPACE_CHILD_COLUMNS`), `answers` what servers answered (`ANSWER_COLUMNS`); None: that is not kept. `signed` says
    whether the crawl had an identity to sign requests with."""

    crawl_id: int
    at: datetime
    is_census: bool
    synthetic: bool
    signed: bool
    crawler_version: str
    known: int
    observations: pl.DataFrame
    rooms: pl.DataFrame
    leads: pl.DataFrame
    listings: pl.DataFrame
    participations: pl.DataFrame
    places: Places
    outside: Outside = field(default_factory=Outside)
    network_rooms: pl.DataFrame | None = None
    space_children: pl.DataFrame | None = None
    answers: pl.DataFrame | None = None

    def row(
        self,
        metric: str,
        dimension: str,
        value: float | None,
        *,
        n: int,
        coverage: float | None,
        unit: str,
        denominator: str,
        method: str,
        lo: float | None = None,
        hi: float | None = None,
        interval_kind: IntervalKind = IntervalKind.NONE,
        grade: Grade = Grade.MEASURED,
        window: str = ONE_CRAWL,
    ) -> MetricRow:
        """A metric row of this snapshot; see `MetricRow` for what each part means."""
        return MetricRow(
            metric=metric,
            dimension=dimension,
            value=value,
            lo=lo,
            hi=hi,
            interval_kind=interval_kind,
            n=n,
            coverage=coverage,
            unit=unit,
            window=window,
            denominator=denominator,
            grade=grade,
            method=method,
            snapshot=self.crawl_id,
            at=self.at,
            synthetic=self.synthetic,
            crawler_version=self.crawler_version,
        )

    def estimated(
        self,
        metric: str,
        dimension: str,
        estimate: Estimate,
        *,
        coverage: float | None,
        unit: str,
        denominator: str,
        method: str,
        grade: Grade = Grade.ESTIMATED,
        window: str = ONE_CRAWL,
    ) -> MetricRow:
        """A row from an estimator's answer: its value, interval and n; `method` says what it was applied to."""
        return self.row(
            metric,
            dimension,
            estimate.value,
            lo=estimate.lo,
            hi=estimate.hi,
            interval_kind=estimate.interval_kind,
            n=estimate.n,
            coverage=coverage,
            unit=unit,
            denominator=denominator,
            method=f"{estimate.method}. {method}" if estimate.value is not None else f"Not known: {estimate.method}.",
            grade=grade,
            window=window,
        )

    def not_known(
        self,
        metric: str,
        dimension: str,
        *,
        unit: str,
        denominator: str,
        why: str,
        grade: Grade,
        window: str = ONE_CRAWL,
    ) -> MetricRow:
        """A row without a value: it says why."""
        return self.row(
            metric, dimension, None, n=0, coverage=None, unit=unit, denominator=denominator, method=f"Not known: {why}",
            grade=grade, window=window,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoomCount:
    """Rooms listed in a census, memberships in them, and how many of them the newest census of a history lists, too."""

    rooms: int
    memberships: float
    still_listed: int


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """The history of a series up to one census: its `censuses` (`schemas.CENSUS_COLUMNS`), the stretches in which
    servers were online (`STAY_COLUMNS`), and the rooms of each census (`ROOM_HISTORY_COLUMNS`). Crawls name the
    times."""

    censuses: pl.DataFrame
    servers: pl.DataFrame
    rooms: pl.DataFrame

    def online_in(self, crawl_id: int) -> pl.DataFrame:
        """The stays of the servers that were online in a crawl."""
        return self.servers.filter(
            (pl.col("valid_from") <= crawl_id) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > crawl_id))
        )

    def rooms_in(self, crawl_id: int) -> RoomCount:
        """The rooms of a census."""
        row = self.rooms.row(by_predicate=pl.col("crawl_id") == crawl_id, named=True)
        return RoomCount(row["rooms"], row["memberships"], row["still_listed"])


@dataclass(frozen=True, slots=True)
class Frames:
    """The snapshots of a serving file, oldest first, and the reference tables that explain them."""

    snapshots: tuple[Snapshot, ...]
    reference: Reference


def share(part: int, whole: int) -> float | None:
    """`part / whole`, from 0 to 1; None when there is no whole: no servers looked at is not a coverage of zero."""
    return part / whole if whole else None
