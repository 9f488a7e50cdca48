"""What is worth waking somebody for, and what is not."""

from dataclasses import replace
from typing import Any

import pytest

from analytics.alerts import alerts
from analytics.estimate import IntervalKind
from analytics.schemas import MetricRow
from tests.analytics.frames import snapshot


def row(metric: str, dimension: str, value: float | None, **changes: Any) -> MetricRow:
    made = snapshot().row(metric, dimension, value, n=1, coverage=0.9, unit="x", denominator="x", method="x")
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (row("servers", "online", 100), row("servers", "online", 89), "fell by more than 10%"),
        (row("servers", "online", 100), row("servers", "online", 91), None),
        (row("servers", "online", 100), row("servers", "online", None), None),
        (row("servers", "online", 100), row("servers", "online", 50, coverage=0.5), None),
        (row("servers_by_software", "a", 40), row("servers_by_software", "a", 19), "fell by more than 50%"),
        (row("servers_by_software", "a", 10), row("servers_by_software", "a", 2), None),
        (
            row("concentration_by_operator", "servers: Nakamoto, more than half", 5),
            row("concentration_by_operator", "servers: Nakamoto, more than half", 4),
            "fewer operators",
        ),
    ],
)
def test_one_number(before: MetricRow, now: MetricRow, why: str | None) -> None:
    found = list(alerts([before], [now]))
    assert [bool(why and why in alert.why) for alert in found] == ([True] if why else [])


def test_a_fall_within_the_intervals_is_none() -> None:
    bounds = IntervalKind.BOUNDS
    before = row("memberships", "all", 100, lo=80, hi=120, interval_kind=bounds)
    now = row("memberships", "all", 85, lo=70, hi=90, interval_kind=bounds)
    assert not list(alerts([before], [now]))
    assert list(alerts([before], [replace(now, hi=79, value=75)]))


def test_an_implementation_that_is_gone_altogether() -> None:
    before = [row("servers_by_software", "a", 30), row("servers_by_software", "b", 50)]
    (alert,) = alerts(before, [row("servers_by_software", "b", 50)])
    assert (alert.dimension, alert.now) == ("a", 0)
    assert not list(alerts(before, []))
