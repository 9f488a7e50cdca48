"""Shares and their differences against statsmodels, exact coverage and properties."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analytics.estimate import Estimate
from analytics.proportions import critical_value, difference, wilson

samples = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.lo is not None
    assert estimate.hi is not None
    return estimate.lo, estimate.hi


def test_15_of_50() -> None:
    estimate = wilson(15, 50)
    assert estimate.value == pytest.approx(0.3)
    assert ends(estimate) == (pytest.approx(0.191036, abs=5e-7), pytest.approx(0.437504, abs=5e-7))
    assert estimate.n == 50


@given(samples, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(sample: tuple[int, int], confidence: float) -> None:
    theirs = proportion_confint(*sample, alpha=1 - confidence, method="wilson")
    assert ends(wilson(*sample, confidence)) == (pytest.approx(theirs[0], abs=1e-9), pytest.approx(theirs[1], abs=1e-9))


@given(samples)
def test_wilson_inverts_the_score_test(sample: tuple[int, int]) -> None:
    """The definition: at its ends p the sample lies exactly z standard errors of p away."""
    hits, n = sample
    for end in ends(wilson(hits, n)):
        if 0 < end < 1:
            distance = abs(hits / n - end) / math.sqrt(end * (1 - end) / n)
            assert distance == pytest.approx(critical_value(0.95), rel=1e-6)


@given(samples)
def test_failures_mirror_successes(sample: tuple[int, int]) -> None:
    hits, n = sample
    lo, hi = ends(wilson(hits, n))
    assert ends(wilson(n - hits, n)) == (pytest.approx(1 - hi, abs=1e-12), pytest.approx(1 - lo, abs=1e-12))


@given(samples, samples)
def test_difference_is_newcombes(first: tuple[int, int], second: tuple[int, int]) -> None:
    theirs = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
    estimate = difference(*first, *second)
    assert estimate.value == pytest.approx(first[0] / first[1] - second[0] / second[1], abs=1e-12)
    assert ends(estimate) == (pytest.approx(theirs[0], abs=1e-9), pytest.approx(theirs[1], abs=1e-9))


def test_newcombes_own_example() -> None:
    """Newcombe 1998, contrast (a), method 10: 56/70 - 48/80 is .2000, .0524 to .3339."""
    estimate = difference(56, 70, 48, 80)
    assert estimate.value == pytest.approx(0.2)
    assert ends(estimate) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.93])
def test_wilson_holds_the_truth_about_as_often_as_it_says(share: float) -> None:
    """Exactly, over every outcome of 100 trials."""
    n = 100
    held = 0.0
    for hits in range(n + 1):
        lo, hi = ends(wilson(hits, n))
        if lo <= share <= hi:
            held += math.comb(n, hits) * share**hits * (1 - share) ** (n - hits)
    assert 0.93 < held < 0.99


def test_critical_value() -> None:
    assert critical_value(0.95) == pytest.approx(1.959964, abs=5e-7)
    assert 2 * NormalDist().cdf(critical_value(0.8)) - 1 == pytest.approx(0.8)
    for confidence in (0.0, 1.0, 1.5):
        with pytest.raises(ValueError, match="confidence"):
            critical_value(confidence)


class TestPolicy:
    def test_nothing_tried(self) -> None:
        assert wilson(0, 0).value is None
        assert difference(0, 0, 3, 5).value is None
        assert difference(3, 5, 0, 0).value is None

    def test_none_and_all_still_have_a_width(self) -> None:
        """z^2/(n + z^2) with z^2 = 3.8415."""
        assert ends(wilson(0, 10)) == (0.0, pytest.approx(3.8415 / 13.8415, abs=1e-4))
        assert ends(wilson(10, 10)) == (pytest.approx(10 / 13.8415, abs=1e-4), 1.0)

    def test_a_single_trial(self) -> None:
        assert ends(wilson(1, 1)) == (pytest.approx(1 / 4.8415, abs=1e-4), 1.0)

    def test_the_same_share_twice(self) -> None:
        estimate = difference(3, 10, 3, 10)
        lo, hi = ends(estimate)
        assert estimate.value == 0
        assert lo == pytest.approx(-hi)

    def test_what_cannot_be_is_refused(self) -> None:
        with pytest.raises(ValueError, match="6 successes in 5 trials"):
            wilson(6, 5)
        with pytest.raises(ValueError, match="trials"):
            difference(1, 2, 0, -1)
