"""The rate of the last minute, and what it says of the rest."""

import pytest

from crawler.engine.rate import RecentRate


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    rate = RecentRate(100.0, 500)
    assert rate.per_s is None
    rate.note(101.0, 600)
    assert rate.per_s is None
    assert rate.eta_s(10) is None


def test_only_the_last_minute_counts_and_what_was_before_the_start_does_not() -> None:
    rate = RecentRate(0.0, 1000)
    for second in range(1, 121):
        rate.note(float(second), 1000 + 10 * second)
    for second in range(121, 241):
        rate.note(float(second), 2200 + second - 120)
    assert rate.per_s == pytest.approx(1.0)
    assert rate.eta_s(30) == pytest.approx(30.0)


def test_a_standstill_has_no_end() -> None:
    rate = RecentRate(0.0)
    for second in range(1, 200):
        rate.note(float(second), 7)
    assert rate.per_s == 0
    assert rate.eta_s(3) is None
