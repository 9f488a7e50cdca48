"""Developers (mission metric 4): distinct human authors of commits in frozen, versioned lists of repositories.

The counting is done when a list is imported (`crawler.sources`), which keeps no address; here the counts as of a census
become rows. The band from fewest to most says how far merging addresses into people may be off, no more: who commits
elsewhere, or writes no commits, is outside of it. Two lists tell how much each misses (Chapman), as far as they are
drawn independently, which they never quite are.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from analytics.estimate import IntervalKind
from analytics.outside import Source
from analytics.population import chapman
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

DEVELOPERS = "developers"
BY_MONTH = "developers_by_month"

LISTED = "repositories of the list"
"""The denominator of what is told of one list."""

MONTHS = 12
YEAR_D = 365


def developers(snapshot: Snapshot) -> Iterator[MetricRow]:
    """For each list: authors, new and returning ones, in 30, 90 and 365 days and in each of the last twelve months."""
    lists = snapshot.outside.of_kind("developers")
    if not lists:
        for metric, window in ((DEVELOPERS, "365 d"), (BY_MONTH, "one month")):
            yield snapshot.not_known(
                metric, "all", unit="authors", denominator=LISTED, window=window,
                why="no repositories were read; see matrix-census import developers --help.", grade=Grade.ESTIMATED,
            )  # fmt: skip
        return
    for source in lists:
        yield from _windows(snapshot, source)
    yield from _unlisted(snapshot, lists)
    for source in lists:
        yield from _months(snapshot, source)


def main_number(rows: Sequence[MetricRow], window_d: int = YEAR_D) -> MetricRow | None:
    """The row that stands for all of a census's: authors within a window, of the list with most of them; where no list
    was read, the row that says so."""
    mine = [row for row in rows if row.metric == DEVELOPERS and row.denominator == LISTED]
    of_lists = [row for row in mine if row.dimension.endswith(f", in {window_d} d")]
    unread = (row for row in mine if row.dimension == "all")
    return max(of_lists, key=lambda row: row.value or 0, default=None) or next(unread, None)


def _windows(snapshot: Snapshot, source: Source) -> Iterator[MetricRow]:
    counts = snapshot.outside.developers.filter(pl.col("source_id") == source.source_id).sort("window_d")
    said = f"in the repositories of {source}"
    for row in counts.iter_rows(named=True):
        window = f"{row['window_d']} d"
        yield snapshot.row(
            DEVELOPERS, f"{source.name}, in {window}", row["authors"], lo=row["fewest"], hi=row["most"],
            interval_kind=IntervalKind.BOUNDS, n=source.taken, coverage=share(source.taken, source.listed),
            unit="authors", window=window, denominator=LISTED, grade=Grade.ESTIMATED,
            method=f"Distinct authors of commits {said}, bots and merges left out, addresses merged by .mailmap; at "
            "least if the same full name is one person, at most if each address is.",
        )  # fmt: skip
        parts = (("new", row["new_authors"]), ("returning", row["authors"] - row["new_authors"]))
        for word, number in parts:
            yield snapshot.row(
                DEVELOPERS, f"{source.name}, {word} in {window}", number, n=source.taken,
                coverage=share(source.taken, source.listed), unit="authors", window=window,
                denominator=LISTED, grade=Grade.ESTIMATED,
                method=f"Of the authors {said}, those whose first commit there lies in the window are new, the others "
                "return.",
            )  # fmt: skip


def _unlisted(snapshot: Snapshot, lists: tuple[Source, ...]) -> Iterator[MetricRow]:
    of_year = {
        row["source_id"]: row["authors"]
        for row in snapshot.outside.developers.filter(pl.col("window_d") == YEAR_D).iter_rows(named=True)
    }
    names = {source.source_id: source.name for source in lists}
    for source_id, other_id, shared in snapshot.outside.overlaps.iter_rows():
        if not {source_id, other_id} <= names.keys() or not shared:
            continue
        yield snapshot.estimated(
            DEVELOPERS, f"by {names[other_id]} and {names[source_id]}, in {YEAR_D} d",
            chapman(of_year.get(source_id, 0), of_year.get(other_id, 0), shared), coverage=None, unit="authors",
            window=f"{YEAR_D} d", denominator="authors of two lists",
            method="Applied to the authors of two lists and those in both; repositories that stand in both lists make "
            "it too low.",
        )  # fmt: skip


def _months(snapshot: Snapshot, source: Source) -> Iterator[MetricRow]:
    of_list = snapshot.outside.months.filter(pl.col("source_id") == source.source_id)
    by_month = {row["month"]: row for row in of_list.iter_rows(named=True)}
    day = min(snapshot.at.date(), source.as_of)
    for back in range(MONTHS, 0, -1):
        number = day.year * 12 + day.month - 1 - back
        month = date(number // 12, number % 12 + 1, 1)
        row = by_month.get(month, {"authors": 0, "new_authors": 0})
        yield snapshot.row(
            BY_MONTH, f"{source.name}, {month:%Y-%m}", row["authors"], n=source.taken,
            coverage=share(source.taken, source.listed), unit="authors", window="one month",
            denominator=LISTED, grade=Grade.ESTIMATED,
            method=f"Distinct authors of commits of the whole month in the repositories of {source}; "
            f"{row['new_authors']} of them new.",
        )  # fmt: skip
