"""Resampling against scipy, closed forms, every resample enumerated, and a known truth."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from analytics.amounts import FloatArray
from analytics.bootstrap import BootstrapKind, bootstrap, bootstrap_counts
from analytics.concentration import hill_number
from analytics.estimate import Estimate, IntervalKind

SKEWED = np.random.default_rng(1).lognormal(0, 1, 40)


def rng() -> np.random.Generator:
    return np.random.default_rng(20260801)


def mean(sample: FloatArray) -> float:
    return float(sample.mean())


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.lo is not None
    assert estimate.hi is not None
    return estimate.lo, estimate.hi


@pytest.mark.parametrize("kind", list(BootstrapKind))
def test_scipy(kind: BootstrapKind) -> None:
    """Two independent resamplings: their ends differ by the noise of 20,000 draws, some thousandths of the width."""
    theirs = stats.bootstrap(
        (SKEWED,), np.mean, n_resamples=20_000, method=kind.value, random_state=7
    ).confidence_interval
    lo, hi = ends(bootstrap(SKEWED, mean, rng=rng(), draws=20_000, kind=kind))
    assert (lo, hi) == (pytest.approx(theirs.low, abs=0.02), pytest.approx(theirs.high, abs=0.02))


def test_bca_differs_from_percentile_where_the_sample_is_skewed() -> None:
    """Otherwise the test above would show nothing for it."""
    percentile = ends(bootstrap(SKEWED, mean, rng=rng(), draws=20_000))
    bca = ends(bootstrap(SKEWED, mean, rng=rng(), draws=20_000, kind=BootstrapKind.BCA))
    assert bca[0] - percentile[0] > 0.03
    assert bca[1] - percentile[1] > 0.05


def test_every_resample_of_a_small_sample() -> None:
    """All 4^4 resamples of four values give the distribution that draws only approach."""
    values = np.array([1.0, 2.0, 4.0, 8.0])
    everything = [np.mean(resample) for resample in product(values, repeat=4)]
    lo, hi = ends(bootstrap(values, mean, rng=rng(), draws=20_000))
    assert lo == pytest.approx(np.quantile(everything, 0.025), abs=0.3)
    assert hi == pytest.approx(np.quantile(everything, 0.975), abs=0.3)


def test_counts_are_individuals_with_a_class() -> None:
    """Drawing 30 of 100 as a multinomial is drawing 100 units of which 30 are 1: binomial, so the ends are known."""
    lo, hi = ends(bootstrap_counts([30, 70], lambda counts: float(counts[0]), rng=rng(), draws=20_000))
    assert (lo, hi) == (
        pytest.approx(stats.binom.ppf(0.025, 100, 0.3), abs=1),
        pytest.approx(stats.binom.ppf(0.975, 100, 0.3), abs=1),
    )


def test_bca_of_counts_is_bca_of_their_individuals() -> None:
    """The jackknife over classes, each weighted with its individuals, is the jackknife over individuals."""
    counts = np.array([60, 25, 10, 5])
    units = np.repeat(np.arange(4.0), counts)

    def hhi_of_counts(sample: FloatArray) -> float:
        return float(np.sum((sample / sample.sum()) ** 2))

    def hhi_of_units(sample: FloatArray) -> float:
        return hhi_of_counts(np.bincount(sample.astype(int), minlength=4).astype(float))

    by_class = ends(bootstrap_counts(counts, hhi_of_counts, rng=rng(), draws=10_000, kind=BootstrapKind.BCA))
    by_unit = ends(bootstrap(units, hhi_of_units, rng=rng(), draws=10_000, kind=BootstrapKind.BCA))
    assert by_class == (pytest.approx(by_unit[0], abs=0.005), pytest.approx(by_unit[1], abs=0.005))


def test_rows_are_units() -> None:
    """Pairs stay together: the correlation of a perfectly correlated sample is 1 in every resample."""
    pairs = np.column_stack([np.arange(20.0), 2 * np.arange(20.0)])
    estimate = bootstrap(pairs, lambda sample: float(np.asarray(np.corrcoef(sample.T))[0, 1]), rng=rng(), draws=200)
    assert ends(estimate) == (pytest.approx(1), pytest.approx(1))


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth_held = 0
    source = np.random.default_rng(5)
    for _ in range(300):
        lo, hi = ends(bootstrap(source.normal(0, 1, 60), mean, rng=source, draws=300))
        truth_held += lo <= 0 <= hi
    assert 0.90 <= truth_held / 300 <= 0.98


def test_the_seed_decides_everything() -> None:
    first, again = (bootstrap(SKEWED, mean, rng=rng(), draws=100, kind=BootstrapKind.BCA) for _ in range(2))
    assert first == again
    assert first != bootstrap(SKEWED, mean, rng=np.random.default_rng(2), draws=100, kind=BootstrapKind.BCA)


@pytest.mark.parametrize("draws", [1, 7, 100, 250, 2001])
def test_progress_rises_to_the_end_without_flooding(draws: int) -> None:
    calls: list[tuple[int, int]] = []
    bootstrap(SKEWED, mean, rng=rng(), draws=draws, progress=lambda done, to_do: calls.append((done, to_do)))
    assert calls[-1] == (draws, draws)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert len(calls) <= 101


class TestPolicy:
    def test_nothing_to_resample(self) -> None:
        assert bootstrap([], mean, rng=rng()).value is None
        assert bootstrap_counts([], mean, rng=rng()).value is None
        assert bootstrap_counts([0, 0], mean, rng=rng()).value is None

    def test_one_unit_shows_no_spread(self) -> None:
        for estimate in (bootstrap([5], mean, rng=rng()), bootstrap_counts([0, 1], np.max, rng=rng())):
            assert estimate.interval_kind is IntervalKind.NONE
            assert "one unit shows no spread" in estimate.method
        assert bootstrap([5], mean, rng=rng()).value == 5

    @pytest.mark.parametrize("kind", list(BootstrapKind))
    def test_equal_units_have_no_width(self, kind: BootstrapKind) -> None:
        assert ends(bootstrap([3, 3, 3], mean, rng=rng(), draws=50, kind=kind)) == (3, 3)

    @pytest.mark.parametrize("kind", list(BootstrapKind))
    def test_a_number_that_resampling_only_lowers_stays_inside(self, kind: BootstrapKind) -> None:
        """Hill's order 0: resamples lose classes, they never find one."""
        counts = [50, 20, 10, 5, *[1] * 26]
        estimate = bootstrap_counts(
            counts, lambda sample: hill_number(sample, 0).value, rng=rng(), draws=300, kind=kind
        )
        assert estimate.value == estimate.hi == 30
        assert estimate.lo is not None
        assert estimate.lo < 20
        assert "widened to the value" in estimate.method

    def test_the_statistic_has_no_value(self) -> None:
        assert bootstrap([1, 2], lambda _: None, rng=rng()).value is None

    def test_too_many_draws_without_value(self) -> None:
        estimate = bootstrap([1, 2, 3], lambda x: float(x.mean()) if np.ptp(x) else None, rng=rng(), draws=1000)
        assert estimate.value == 2
        assert estimate.interval_kind is IntervalKind.NONE
        assert "draws had no value" in estimate.method

    def test_few_draws_without_value_are_named(self) -> None:
        """Of five equally likely values all five drawn alike: once in 625."""
        estimate = bootstrap(range(5), lambda x: float(x.mean()) if np.ptp(x) else None, rng=rng(), draws=4000)
        assert estimate.interval_kind is IntervalKind.CONFIDENCE
        assert "draws had no value" in estimate.method

    def test_zero_heavy(self) -> None:
        estimate = bootstrap([0] * 99 + [100], mean, rng=rng(), draws=500)
        assert estimate.value == 1
        assert estimate.lo == 0

    def test_parameters_out_of_range_are_refused(self) -> None:
        with pytest.raises(ValueError, match="confidence"):
            bootstrap([1, 2], mean, rng=rng(), confidence=1.0)
        with pytest.raises(ValueError, match="draw"):
            bootstrap([1, 2], mean, rng=rng(), draws=0)
