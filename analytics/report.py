"""A report on a month, a quarter or a year: what the numbers are, what they were, and how far that can be trusted.

Apart from how it looks: a report is data here, and `report_html` and `report_markdown` write it down. It is made of
stored rows alone, so that it says exactly what `metrics` and the dashboard say. The period ends with a census and
begins with the last one that is old enough; nothing is scaled to another length. A change is told as beyond its
interval only where both intervals are closed and do not meet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from analytics.bridges import BRIDGED_MEMBERSHIPS, BRIDGED_ROOMS
from analytics.charter import CHARTER, MissionMetric
from analytics.decentralisation import CONCENTRATION
from analytics.definitions import DEFINITIONS, Definition
from analytics.estimate import IntervalKind
from analytics.federation_graph import Holder
from analytics.funnel import SERVERS
from analytics.growth import RETAINED
from analytics.rooms import MEMBERSHIPS, PEOPLE, ROOMS
from analytics.schemas import MetricRow
from analytics.signal import SIGNAL
from analytics.software import BY_LINEAGE
from analytics.svg import Event, Line, Point, line_chart
from analytics.unseen import ESTIMATED

ROWS_SHOWN = 12
"""Rows of one metric in a report; the rest is said to be there."""


class Period(StrEnum):
    """How far a report looks back."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def days(self) -> int:
        """Its length."""
        return {Period.MONTH: 30, Period.QUARTER: 91, Period.YEAR: 365}[self]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row now, and the same row at the beginning of the period; None where that census has none."""

    now: MetricRow
    then: MetricRow | None

    @property
    def change(self) -> float | None:
        """The difference; None where either is not known."""
        if self.then is None or self.then.value is None or self.now.value is None:
            return None
        return self.now.value - self.then.value

    @property
    def beyond_interval(self) -> bool | None:
        """Whether the two intervals leave no room for no change; None where either has none that is closed."""
        if self.then is None or self.change is None:
            return None
        ends = (self.now.lo, self.now.hi, self.then.lo, self.then.hi)
        if any(end is None for end in ends):
            return None
        now_lo, now_hi, then_lo, then_hi = (float(end) for end in ends if end is not None)
        return now_lo > then_hi or then_lo > now_hi


@dataclass(frozen=True, slots=True)
class Part:
    """One metric: what it is, its first rows, and how many more there are."""

    definition: Definition
    rows: tuple[Comparison, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Section:
    """One of the mission's nine, or decentralisation (`mission` None), with a chart where there is a series."""

    title: str
    mission: MissionMetric | None
    chart: str | None
    chart_title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A dated event, or a figure that others published; see `data/reference/annotations.csv`."""

    on: str
    title: str
    value: float | None
    unit: str | None
    source: str
    checked: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that is written down. `begin` is None where the series has no census old enough to compare with."""

    period: Period
    snapshot_id: str
    end: MetricRow
    begin: MetricRow | None
    censuses: int
    made_at: datetime
    sections: tuple[Section, ...]
    events: tuple[Annotation, ...]
    figures: tuple[Annotation, ...]
    corrections: tuple[str, ...]

    @property
    def synthetic(self) -> bool:
        """Whether the servers were of the practice federation."""
        return self.end.synthetic

    @property
    def cite(self) -> str:
        """How to cite it."""
        return (
            f"Matrix Census, {self.period.value} to {self.end.at:%Y-%m-%d}, snapshot {self.snapshot_id}, "
            f"matrix-census {self.end.crawler_version}."
        )


@dataclass(frozen=True, slots=True)
class _Chart:
    mission: int
    title: str
    metric: str
    dimensions: tuple[str, ...] | None


_CHARTS = (
    _Chart(1, "Memberships in public rooms", MEMBERSHIPS, ("all",)),
    _Chart(2, "Servers and rooms retained for 30 days (a proxy)", RETAINED, None),
    _Chart(3, "Servers by predicate", SERVERS, ("known", "online", "federating", "listing")),
    _Chart(5, "Online servers by lineage", BY_LINEAGE, None),
    _Chart(6, "Memberships in listed rooms with bridge evidence", BRIDGED_MEMBERSHIPS, ("all",)),
    _Chart(7, "Share of rooms with fewer signs of noise", SIGNAL, tuple(f"rooms: under {t}" for t in (1, 2, 3))),
    _Chart(8, "Public rooms", ROOMS, ("room",)),
    _Chart(
        0,
        "Share of the largest operators",
        CONCENTRATION[Holder.OPERATOR],
        ("servers: share of the 10 largest", "memberships: share of the 10 largest"),
    ),
)

HEADLINES = (
    (SERVERS, "online"), (SERVERS, "federating"), (ESTIMATED, "Chao2 over answers"), (ROOMS, "room"),
    (MEMBERSHIPS, "all"), (PEOPLE, "all"), (BRIDGED_ROOMS, "all"), (SIGNAL, "rooms: under 2"),
    (CONCENTRATION[Holder.OPERATOR], "servers: Nakamoto, more than half"),
)  # fmt: skip
"""What the summary of a report shows."""


def first_census(censuses: Sequence[tuple[int, datetime]], period: Period) -> int | None:
    """The last census at least a period older than the last of `censuses` (number, seal; oldest first); None without
    one."""
    if not censuses:
        return None
    limit = censuses[-1][1] - timedelta(days=period.days)
    return next((number for number, at in reversed(censuses) if at <= limit), None)


def build_report(
    series: pl.DataFrame,
    now: Sequence[MetricRow],
    then: Sequence[MetricRow],
    annotations: pl.DataFrame,
    *,
    period: Period,
    snapshot_id: str,
    made_at: datetime,
    corrections: Sequence[str] = (),
) -> Report:
    """Put a report together.

    Args:
        series: The stored rows (columns of `schemas.METRIC_COLUMNS`) of the censuses of the period.
        now: The rows of its last census.
        then: Those of the census it begins with; none where there is none old enough.
        annotations: Events and published figures (`reference.ANNOTATION_COLUMNS`).
        period: How long it is.
        snapshot_id: Of the serving file, for whoever cites it.
        made_at: The time of day.
        corrections: What numbers published before are now known to be wrong, a sentence each.
    """
    end, begin = now[0], then[0] if then else None
    since = (begin.at if begin is not None else end.at - timedelta(days=period.days)).date()
    told = [_annotation(row) for row in annotations.iter_rows(named=True)]
    kinds = annotations["kind"].to_list()
    days = annotations["happened_on"].to_list()
    events = tuple(
        one
        for one, kind, day in zip(told, kinds, days, strict=True)
        if kind == "event" and since <= day <= end.at.date()
    )
    marks = [Event(day, one.title) for one, kind, day in zip(told, kinds, days, strict=True) if kind == "event"]
    return Report(
        period=period,
        snapshot_id=snapshot_id,
        end=end,
        begin=begin,
        censuses=series["snapshot"].n_unique(),
        made_at=made_at,
        sections=tuple(_sections(series, now, then, marks)),
        events=events,
        figures=tuple(one for one, kind in zip(told, kinds, strict=True) if kind == "figure"),
        corrections=tuple(corrections),
    )


def summary(report: Report) -> tuple[tuple[Definition, Comparison], ...]:
    """The headlines: one row each of the metrics that most people ask for."""
    rows = {
        (row.now.metric, str(row.now.dimension)): (part.definition, row)
        for section in report.sections
        for part in section.parts
        for row in part.rows
    }
    return tuple(rows[key] for key in HEADLINES if key in rows)


def _annotation(row: dict[str, object]) -> Annotation:
    day = str(row["happened_on"])
    value = row["value"]
    return Annotation(
        on=day if row["precision"] == "day" else day[:7],
        title=str(row["title"]),
        value=float(str(value)) if value is not None else None,
        unit=None if row["unit"] is None else str(row["unit"]),
        source=str(row["source"]),
        checked=str(row["checked"]),
    )


def _sections(
    series: pl.DataFrame, now: Sequence[MetricRow], then: Sequence[MetricRow], events: Sequence[Event]
) -> Iterator[Section]:
    earlier = {(row.metric, str(row.dimension)): row for row in then}
    missions: list[tuple[int, str, MissionMetric | None]] = [(m.number, f"{m.number}. {m.words}", m) for m in CHARTER]
    for number, title, mission in [*missions, (0, "Decentralisation", None)]:
        parts = tuple(_parts(number, now, earlier))
        chart = next((chart for chart in _CHARTS if chart.mission == number), None)
        drawn = None if chart is None else _draw(chart, series, events)
        yield Section(title, mission, drawn, "" if chart is None else chart.title, parts)


def _parts(number: int, now: Sequence[MetricRow], earlier: dict[tuple[str, str], MetricRow]) -> Iterator[Part]:
    for definition in DEFINITIONS.values():
        rows = [row for row in now if row.metric == definition.metric]
        if definition.mission != number or not rows:
            continue
        wanted = {dimension for metric, dimension in HEADLINES if metric == definition.metric}
        # A headline is shown even where many rows stand before it.
        shown = [row for i, row in enumerate(rows) if i < ROWS_SHOWN or str(row.dimension) in wanted]
        compared = tuple(Comparison(row, earlier.get((row.metric, str(row.dimension)))) for row in shown)
        yield Part(definition, compared, len(rows) - len(shown))


def _draw(chart: _Chart, series: pl.DataFrame, events: Sequence[Event]) -> str | None:
    of_metric = series.filter(pl.col("metric") == chart.metric).sort("at")
    if of_metric.is_empty():
        return None
    newest = of_metric.filter(pl.col("snapshot") == of_metric["snapshot"].max())
    dimensions = chart.dimensions or tuple(newest["dimension"].to_list()[:5])
    lines = [_line(of_metric.filter(pl.col("dimension") == dimension), dimension) for dimension in dimensions]
    return line_chart(chart.title, of_metric["unit"].to_list()[-1], lines, events)


def _line(rows: pl.DataFrame, dimension: str) -> Line:
    points = tuple(Point(*row) for row in rows.select("at", "value", "lo", "hi").iter_rows())
    kind = IntervalKind(rows["interval_kind"].to_list()[-1]) if rows.height else IntervalKind.NONE
    return Line(dimension, points, kind)
