"""The metric row refuses to contradict itself; columns have one spelling and type."""

import dataclasses
import json
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from analytics.estimate import IntervalKind
from analytics.schemas import METRIC_COLUMNS, Grade, MetricRow, checked
from tests.analytics.frames import SEALED

GOOD: dict[str, Any] = {
    "metric": "servers",
    "dimension": "online",
    "value": 6,
    "lo": 6,
    "hi": None,
    "interval_kind": IntervalKind.BOUNDS,
    "n": 8,
    "coverage": 0.8,
    "unit": "servers",
    "window": "one crawl",
    "denominator": "servers known",
    "grade": Grade.MEASURED,
    "method": "count",
    "snapshot": 1,
    "at": SEALED,
    "synthetic": True,
    "crawler_version": "0.1.0",
}


def test_the_table_has_the_columns_of_the_row_in_its_order() -> None:
    assert list(METRIC_COLUMNS) == [field.name for field in dataclasses.fields(MetricRow)] == list(GOOD)


def test_json_says_words_and_iso_times() -> None:
    told = json.loads(json.dumps(MetricRow(**GOOD).as_json()))
    assert (told["interval_kind"], told["grade"]) == ("bounds", "measured")
    assert told["at"] == "2026-11-23T03:10:00+00:00"
    assert told["hi"] is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"value": 5}, "outside"),
        ({"hi": 5}, "outside"),
        ({"value": float("nan")}, "finite"),
        ({"hi": float("inf")}, "finite"),
        ({"value": None}, "no value"),
        ({"interval_kind": IntervalKind.NONE}, "needs a kind"),
        ({"coverage": 1.01}, "no share"),
        ({"n": -1}, "negative"),
        ({"unit": ""}, "every word"),
        ({"at": datetime(2026, 11, 23)}, "aware"),  # noqa: DTZ001 - a naive time is the case
    ],
)
def test_refuses_what_contradicts_itself(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MetricRow(**GOOD | change)


def test_not_known_is_allowed_and_is_not_zero() -> None:
    row = MetricRow(**GOOD | {"value": None, "lo": None, "interval_kind": IntervalKind.NONE})
    assert row.value is None


def test_checked_orders_columns_and_drops_the_rest() -> None:
    frame = pl.DataFrame({"b": ["x"], "extra": [1], "a": [1]}, schema={"b": pl.String, "extra": pl.Int8, "a": pl.Int32})
    assert checked(frame, {"a": pl.Int32, "b": pl.String}, "t").columns == ["a", "b"]


@pytest.mark.parametrize(
    ("columns", "complaint"), [({"c": pl.Int32}, "no column c"), ({"a": pl.Int64}, "a is Int32, not Int64")]
)
def test_checked_refuses_other_columns(columns: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        checked(pl.DataFrame({"a": [1]}, schema={"a": pl.Int32}), columns, "t")
