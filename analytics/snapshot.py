"""A snapshot: one sealed crawl as numbers see it. What `load` makes and every metric takes."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from analytics.estimate import IntervalKind
from analytics.schemas import Grade, MetricRow

ONE_CRAWL = "one crawl"
"""The window of every row that rests on a single snapshot."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One crawl. `known` counts the servers that any lead or visit named; `observations` has one row for each visited
    server (`schemas.OBSERVATION_COLUMNS`), `rooms` one for each unique room ID (`schemas.ROOM_COLUMNS`). `signed` says
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
            window=ONE_CRAWL,
            denominator=denominator,
            grade=grade,
            method=method,
            snapshot=self.crawl_id,
            at=self.at,
            synthetic=self.synthetic,
            crawler_version=self.crawler_version,
        )


@dataclass(frozen=True, slots=True)
class Frames:
    """The snapshots of a serving file, oldest first, and the reference tables that explain them."""

    snapshots: tuple[Snapshot, ...]
    software: pl.DataFrame


def share(part: int, whole: int) -> float | None:
    """`part / whole`, from 0 to 1; None when there is no whole: no servers looked at is not a coverage of zero."""
    return part / whole if whole else None
