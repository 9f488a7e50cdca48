"""Freshness over the six censuses of `test_growth`, ten days apart, and six rooms.

room   first met   as it is since   own server
1      1st         1st              a.example, online
2      1st         6th              A.EXAMPLE of its alias, online
3      2nd         2nd              f.example, not online
4      4th         5th              none: version 12 without an alias
5      6th         6th              nobody.example, never looked at
6      1st         1st              a.example; a space: no room
"""

from datetime import timedelta

import polars as pl
import pytest

from analytics.estimate import IntervalKind
from analytics.freshness import FRESHNESS, MEDIAN, OWN_SERVER, freshness
from analytics.schemas import ROOM_COLUMNS, MetricRow
from tests.analytics.frames import SEALED, empty_snapshot, snapshot
from tests.analytics.test_growth import lives

ROOMS = (
    ("!1:a.example", 1, 1, None, None),
    ("!2:f.example", 1, 6, "#two:A.EXAMPLE", None),
    ("!3:f.example", 2, 2, None, None),
    ("!" + "A" * 43, 4, 5, None, None),
    ("!5:nobody.example", 6, 6, None, None),
    ("!6:a.example", 1, 1, None, "m.space"),
)


def listed(rooms: tuple[tuple[object, ...], ...] = ROOMS) -> pl.DataFrame:
    columns = ("room_id", "first_crawl_id", "changed_crawl_id", "canonical_alias", "room_type")
    return pl.DataFrame(
        [dict.fromkeys(ROOM_COLUMNS) | dict(zip(columns, room, strict=True)) for room in rooms], schema=ROOM_COLUMNS
    )


def rows(rooms: pl.DataFrame | None = None, *, days: int = 10) -> dict[str, MetricRow]:
    """The censuses `days` apart."""
    history = lives()
    apart = history.censuses.with_columns(pl.lit(SEALED) - timedelta(days=days) * (6 - pl.col("crawl_id")))
    stretched = type(history)(apart.select("crawl_id", pl.col("literal").alias("at")), history.servers, history.rooms)
    snap = snapshot(crawl_id=6, rooms=listed() if rooms is None else rooms)
    return {row.dimension: row for row in freshness(snap, stretched) if row.metric == FRESHNESS}


def test_what_came_and_changed_since_the_census_that_is_old_enough() -> None:
    found = rows()  # 30 days before is the 3rd census
    assert (found["first met within 30 d"].value, found["first met within 30 d"].n) == (2 / 5, 5)
    assert found["entry changed within 30 d"].value == 3 / 5
    assert found["first met within 30 d"].interval_kind is IntervalKind.NONE
    assert found["first met within 30 d"].coverage == 0.5  # three of six directories answered
    missing = found["first met within 90 d"]
    assert (missing.value, missing.window) == (None, "90 d")
    assert "no census that is 90 days older" in missing.method
    wider = rows(days=18)  # 30 days before is the 4th, 90 the 1st
    assert wider["first met within 30 d"].value == 1 / 5
    assert wider["first met within 90 d"].value == 3 / 5
    assert wider["entry changed within 90 d"].value == 4 / 5


def test_the_median_age_of_entries_is_a_bound_where_the_series_is_too_short() -> None:
    median = rows()[MEDIAN]  # 0, 0, 10, 40, and 50 or more
    assert (median.value, median.lo, median.interval_kind) == (10, None, IntervalKind.NONE)
    assert rows(listed(ROOMS[2:4]))[MEDIAN].value == 10  # of two, 40 and 10: within 10 days half of them changed
    old = rows(listed((*ROOMS[:1], *ROOMS[3:4], ("!7:a.example", 1, 1, None, None))))[MEDIAN]
    assert (old.value, old.lo, old.hi, old.interval_kind) == (50, 50, None, IntervalKind.BOUNDS)


def test_a_limited_crawl_counts_as_the_census_after_it() -> None:
    between = lives((1, 2, 3, 5, 6))  # the 4th was limited: no census
    snap = snapshot(crawl_id=6, rooms=listed((("!1:a.example", 4, 4, None, None),)))
    (median,) = (row for row in freshness(snap, between) if row.dimension == MEDIAN)
    assert median.value == 10


def test_own_servers_that_answer() -> None:
    own = rows()[OWN_SERVER]
    assert (own.value, own.n) == (pytest.approx(2 / 4), 4)


def test_without_rooms_nothing_is_known() -> None:
    assert {row.value for row in freshness(empty_snapshot(crawl_id=6), lives())} == {None}
