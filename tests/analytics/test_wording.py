"""How numbers are written for people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import wording
from analytics.estimate import IntervalKind
from analytics.schemas import MetricRow
from tests.analytics.test_schemas import GOOD

S = wording.THIN_SPACE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7.0, "7"),
        (118.5, "118.5"),
        (11842, f"11{S}842"),
        (1234567.75, f"1{S}234{S}568"),
        (None, "not known"),
        (0.04, "0"),
        (-1500, f"-1{S}500"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("value", "rounded"), [(118.5, 118), (12345, 12300), (0.012345, 0.0123), (0, 0), (999.9, 1000), (-4567, -4570)]
)
def test_three_significant_digits(value: float, rounded: float) -> None:
    assert wording.significant(value) == pytest.approx(rounded)


def row(**changes: Any) -> MetricRow:
    return MetricRow(**GOOD | changes)


def test_a_wide_interval_takes_digits_from_the_headline() -> None:
    assert wording.headline(row(value=11842, lo=10000, hi=15000)) == ("about", f"11{S}800")
    assert wording.headline(row(value=11842, lo=11840, hi=11850)) == ("", f"11{S}842")
    assert wording.headline(row(value=11842, lo=11842)) == ("at least", f"11{S}842")
    assert wording.headline(row(value=None, lo=None, interval_kind=IntervalKind.NONE)) == ("", "not known")


def test_intervals_say_what_they_are() -> None:
    assert wording.interval(row()) == "at least 6"
    assert wording.interval(row(lo=5, hi=9)) == "5 to 9"
    assert wording.interval(row(lo=None, hi=9)) == "at most 9"
    assert wording.interval(row(lo=5, hi=9, interval_kind=IntervalKind.SCENARIO)) == "5 to 9 (scenario)"
    assert wording.interval(row(lo=None, interval_kind=IntervalKind.NONE)) == ""
    assert wording.interval(row(value=6, lo=6, hi=6)) == ""


def test_shares_and_plurals() -> None:
    assert wording.percent(0.8125) == f"81.2{S}%"
    assert wording.percent(None) == "not known"
    # Few are not none, and nearly all not all.
    assert [wording.percent(share).removesuffix(f"{S}%") for share in (0, 0.0005, 0.0004, 0.000004, 1e-7, 1)] == [
        "0.0", "0.05", "0.04", "0.0004", "under 0.0001", "100.0"
    ]  # fmt: skip
    assert [wording.percent(share).removesuffix(f"{S}%") for share in (0.9996, 0.99995, 1 - 1e-15)] == [
        "99.96", "99.995", "100.0"
    ]  # fmt: skip
    assert [wording.points(share) for share in (0.1, 0.0123, 0.0003)] == ["10.0 points", "1.2 points", "0.03 points"]
    assert wording.plural(1, "server") == "1 server"
    assert wording.plural(0, "server") == "0 servers"
    assert wording.plural(2, "directory", "directories") == "2 directories"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0124, "12 ms"),
        (0, "0 ms"),
        (0.0001, "under 1 ms"),
        (1, "1 s"),
        (59.94, "59.9 s"),
        (90, "1.5 min"),
        (7200, "2 h"),
        (259200, "3 d"),
    ],
)
def test_durations_take_the_largest_fitting_unit(seconds: float, text: str) -> None:
    assert wording.duration(seconds).replace(S, " ") == text


def test_times_say_utc() -> None:
    time = datetime(2026, 11, 3, 4, 5, tzinfo=UTC)
    assert wording.day(time) == "3 Nov 2026"
    assert wording.moment(time) == "3 Nov 2026, 04:05 UTC"
    assert wording.moment(None) == "not known"


@given(st.floats(min_value=-1e15, max_value=1e15, allow_nan=False))
def test_a_number_reads_back_to_itself_within_its_last_decimal(value: float) -> None:
    assert abs(float(wording.number(value).replace(S, "")) - value) <= (0.051 if abs(value) < 1000 else 0.501)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_a_duration_always_has_a_unit(length: timedelta) -> None:
    assert wording.duration(length.total_seconds()).split(S)[-1] in {"ms", "s", "min", "h", "d"}
