"""The specification's own history, and what servers advertise."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from analytics.reference import load_mscs, load_releases, reference
from analytics.schemas import MetricRow
from analytics.spec import ACCEPTED, FEATURES, LAG, RELEASES, VERSIONS, spec
from tests.analytics.frames import observations, snapshot


def rows(**changes: object) -> dict[tuple[str, str], MetricRow]:
    return {(row.metric, row.dimension): row for row in spec(snapshot(**changes), reference())}


def test_the_lag_is_the_one_that_others_computed() -> None:
    found = rows()
    assert found[LAG, "median"].value == 74
    assert found[LAG, "first quartile"].value == 45
    assert found[LAG, "third quartile"].value == 157
    assert found[LAG, "median"].n == 187


def test_proposals_that_wait_are_in_the_median_of_the_wait() -> None:
    """By hand, as of 2024-01-11: waits of 10, 20 and 40 days that are over, of 30 and 50 that are not. Survival is 4/5
    after 10 days, 3/5 after 20; one is censored at 30; then 1 of 2 is released at 40: 3/10. The one of before the first
    release stays out."""
    first, released, now = date(2023, 11, 1), date(2023, 12, 31), datetime(2024, 1, 11, tzinfo=UTC)
    told = [
        (date(2023, 12, 21), released),
        (date(2023, 12, 11), released),
        (date(2023, 11, 21), released),
        (date(2023, 12, 12), None),
        (date(2023, 11, 22), date(2024, 3, 1)),  # not yet, as of the census
        (date(2023, 10, 1), None),
        (date(2024, 2, 1), None),
    ]
    like = load_mscs().clear()
    mscs = pl.DataFrame(
        [
            dict.fromkeys(like.columns) | {"msc": number, "merged_date": merged, "first_spec_release_date": out}
            for number, (merged, out) in enumerate(told, 1)
        ],
        schema=like.schema,
    )
    releases = pl.DataFrame({"version": ["v1.1", "v1.2"], "release_date": [first, released]})
    by_hand = reference().with_spec(releases=releases, mscs=mscs, source="a table")
    row = next(r for r in spec(snapshot(at=now), by_hand) if r.dimension == "median, those that wait included")
    assert (row.value, row.n, row.coverage) == (40, 5, 1)
    early = [r for r in spec(snapshot(at=datetime(2023, 10, 2, tzinfo=UTC)), by_hand) if r.metric == LAG]
    assert [r.value for r in early] == [None, None]


def test_the_wait_of_the_tables_that_ship() -> None:
    """Of those accepted since v1.1 fewer waited long than of those before, which v1.1 collected."""
    row = rows()[LAG, "median, those that wait included"]
    assert row.value is not None
    assert row.lo is not None
    assert row.hi is not None
    assert 0 < row.lo <= row.value <= row.hi
    since = load_mscs().filter(pl.col("merged_date").is_between(date(2021, 11, 9), date(2026, 11, 23)))
    assert row.n == since.height > 100


def test_tables_hold_what_is_known_of_them() -> None:
    assert load_releases().height == 19
    assert load_mscs()["msc"].is_unique().all()
    found = rows()
    # v1.17, v1.18 and v1.19 at least lie in the year before 23 Nov 2026; the table says how many.
    in_year = load_releases().filter(pl.col("release_date") > date(2025, 11, 23))
    assert found[RELEASES, "in 365 d"].value == in_year.height
    assert {"v1.18", "v1.19"} <= set(in_year["version"])


def test_what_is_later_than_the_census_is_not_known_yet() -> None:
    early = rows(at=datetime(2022, 7, 1, tzinfo=UTC))
    assert early[RELEASES, "in 365 d"].value == 3  # v1.1 of 2021-11-09, v1.2, v1.3
    assert early[RELEASES, "in 365 d"].n == 3
    assert early[LAG, "median"].n < 187
    quarters = [dimension for metric, dimension in early if metric == ACCEPTED]
    assert quarters == ["2020-Q3", "2020-Q4", "2021-Q1", "2021-Q2", "2021-Q3", "2021-Q4", "2022-Q1", "2022-Q2"]


def test_accepted_proposals_by_quarter() -> None:
    merged = load_mscs()["merged_date"].drop_nulls()
    in_quarter = [day for day in merged if (day.year, (day.month + 2) // 3) == (2026, 1)]
    assert rows()[ACCEPTED, "2026-Q1"].value == len(in_quarter) > 0


def test_versions_in_their_order_over_those_that_answer() -> None:
    seen = observations().with_columns(
        spec_versions=pl.when(pl.col("server_id") == 1)
        .then(pl.lit('["r0.6.1", "v1.9", "v1.10"]'))
        .when(pl.col("server_id") == 2)
        .then(pl.lit('["v1.9", "v1.9", "nonsense", 7]'))
        .when(pl.col("server_id") == 6)  # not online
        .then(pl.lit('["v1.2"]')),
        unstable_features=pl.when(pl.col("server_id") == 1).then(pl.lit('{"a": true, "b": false}')),
    )
    found = rows(observations=seen)
    assert [dimension for metric, dimension in found if metric == VERSIONS] == ["v1.9", "v1.10"]
    assert found[VERSIONS, "v1.10"].value == 0.5
    assert found[VERSIONS, "v1.10"].coverage == pytest.approx(2 / 6)
    assert [dimension for metric, dimension in found if metric == FEATURES] == ["a"]
    assert found[FEATURES, "a"].lo is not None
