"""How many there are in all: published values, scikit-bio, brute force and simulations with a known truth."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skbio.diversity import alpha

from analytics.estimate import Estimate, IntervalKind
from analytics.population import ace, chao1, chao2, chapman, good_turing_coverage, incidence_coverage, sample_coverage
from tests.analytics.test_concentration import SPIDER

sightings_lists = st.lists(st.integers(0, 60), min_size=1, max_size=40)


def number(estimate: Estimate) -> float:
    assert estimate.value is not None
    return estimate.value


class TestReferenceValues:
    def test_spider(self) -> None:
        """iNEXT's spider data, site "Girdled"."""
        assert (sum(SPIDER), len(SPIDER), SPIDER.count(1), SPIDER.count(2)) == (168, 26, 12, 4)
        assert number(sample_coverage(SPIDER)) == pytest.approx(0.928855, abs=5e-7)
        assert number(good_turing_coverage(SPIDER)) == pytest.approx(0.928571, abs=5e-7)
        estimate = chao1(SPIDER)
        assert number(estimate) == pytest.approx(43.892857, abs=5e-7)
        assert estimate.standard_error == pytest.approx(14.305578, abs=5e-7)
        assert estimate.lo == pytest.approx(30.5109, abs=5e-5)
        assert estimate.hi == pytest.approx(96.9730, abs=5e-5)
        assert (estimate.n, estimate.interval_kind) == (168, IntervalKind.CONFIDENCE)

    def test_chapman(self) -> None:
        estimate = chapman(10, 15, 5)
        assert number(estimate) == pytest.approx(28.3333, abs=5e-5)
        assert estimate.standard_error == pytest.approx(5.909369, abs=1e-6)
        assert number(estimate) < 10 * 15 / 5, "Lincoln-Petersen"
        assert estimate.n == 20

    def test_chapman_interval_by_hand(self) -> None:
        """T = 8.3333, var = 34.9206: K = exp(1.96 sqrt(ln(1 + .502857))) = exp(1.96 * .638296) = 3.4946."""
        estimate = chapman(10, 15, 5)
        assert estimate.lo == pytest.approx(20 + 8.33333 / 3.4943, abs=1e-3)
        assert estimate.hi == pytest.approx(20 + 8.33333 * 3.4943, abs=1e-2)


class TestOracles:
    @given(sightings_lists)
    def test_ace_is_that_of_scikit_bio(self, counts: list[int]) -> None:
        rare = [c for c in counts if 0 < c <= 10]
        if not any(counts) or (rare and set(rare) == {1}):
            assert ace(counts).value is None
            return
        assert number(ace(counts)) == pytest.approx(alpha.ace(np.asarray(counts), rare_threshold=10), rel=1e-9)

    @given(sightings_lists)
    def test_good_turing_is_that_of_scikit_bio(self, counts: list[int]) -> None:
        if any(counts):
            assert number(good_turing_coverage(counts)) == pytest.approx(
                alpha.goods_coverage(np.asarray(counts)), abs=1e-12
            )

    @given(sightings_lists)
    def test_chao1_tends_to_that_of_scikit_bio(self, counts: list[int]) -> None:
        """scikit-bio leaves out k = (n-1)/n: ours is S plus k times its unseen."""
        n = sum(counts)
        if n < 2:
            return
        theirs = alpha.chao1(np.asarray(counts), bias_corrected=False)
        seen = sum(c > 0 for c in counts)
        assert number(chao1(counts)) == pytest.approx(seen + (n - 1) / n * (theirs - seen), rel=1e-12)

    @given(st.lists(st.integers(2, 40), min_size=1, max_size=60))
    def test_without_singletons_the_interval_is_that_of_scikit_bio(self, counts: list[int]) -> None:
        estimate = chao1(counts)
        lo, hi = alpha.chao1_ci(np.asarray(counts))
        assert estimate.lo == number(estimate) == len(counts)
        assert estimate.lo <= lo + 1e-9, "theirs may leave the value outside; ours starts at what was seen"
        assert estimate.hi == pytest.approx(hi, rel=1e-12)

    def test_without_doubletons_the_variance_is_that_of_scikit_bio_for_large_n(self) -> None:
        counts = [1] * 30 + [10**7]
        theirs = alpha.chao1_ci(np.asarray(counts), bias_corrected=False)
        estimate = chao1(counts)
        assert (estimate.lo, estimate.hi) == (pytest.approx(theirs[0], rel=1e-5), pytest.approx(theirs[1], rel=1e-5))

    def test_chao2_is_chao1_over_units(self) -> None:
        """The same frequencies out of T = 168 units instead of n = 168 individuals: the same number."""
        estimate, other = chao2(SPIDER, units=168), chao1(SPIDER)
        assert (estimate.value, estimate.lo, estimate.hi) == (other.value, other.lo, other.hi)
        assert chao2(SPIDER, units=10**9).value == pytest.approx(26 + 144 / 8, rel=1e-6)

    @pytest.mark.parametrize(("size", "n1", "n2"), [(6, 2, 4), (7, 3, 4), (8, 5, 3)])
    def test_chapman_is_unbiased_where_the_lists_could_cover_everybody(self, size: int, n1: int, n2: int) -> None:
        """Over all pairs of lists of these lengths its mean is the true size exactly (n1 + n2 >= N)."""
        first = [set(chosen) for chosen in combinations(range(size), n1)]
        second = [set(chosen) for chosen in combinations(range(size), n2)]
        overlaps = [len(a & b) for a in first for b in second]
        assert np.mean([number(chapman(n1, n2, m)) for m in overlaps]) == pytest.approx(size, rel=1e-12)

    @pytest.mark.parametrize(("size", "n1", "n2"), [(6, 2, 4), (8, 5, 4)])
    def test_chapmans_variance_is_unbiased_there_too(self, size: int, n1: int, n2: int) -> None:
        """Seber 1970: for n1 + n2 >= N the mean of the variance estimate is the variance of the estimate."""
        first = [set(chosen) for chosen in combinations(range(size), n1)]
        second = [set(chosen) for chosen in combinations(range(size), n2)]
        overlaps = [len(a & b) for a in first for b in second]
        estimates = [chapman(n1, n2, m) for m in overlaps]
        variances = [(estimate.standard_error or 0.0) ** 2 for estimate in estimates]
        assert np.mean(variances) == pytest.approx(np.var([number(estimate) for estimate in estimates]), rel=1e-9)


class TestKnownTruth:
    """Populations made up for the test: what an estimator promises must come true there."""

    def test_chapmans_interval_holds_the_truth_about_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(20260801)
        held, size = 0, 500
        for _ in range(1000):
            lists = rng.random((2, size)) < np.array([[0.3], [0.4]])
            estimate = chapman(int(lists[0].sum()), int(lists[1].sum()), int(lists.all(axis=0).sum()))
            assert estimate.lo is not None
            assert estimate.hi is not None
            held += estimate.lo <= size <= estimate.hi
        assert 0.93 <= held / 1000 <= 0.97

    def test_chao1_is_a_lower_bound_when_chances_differ(self) -> None:
        rng = np.random.default_rng(20260802)
        chances = rng.lognormal(0, 1.5, 400)
        estimates = [number(chao1(rng.multinomial(800, chances / chances.sum()))) for _ in range(300)]
        seen = [np.count_nonzero(rng.multinomial(800, chances / chances.sum())) for _ in range(300)]
        assert np.mean(seen) < np.mean(estimates) < 400

    def test_chao2_is_nearly_unbiased_when_chances_are_equal(self) -> None:
        rng = np.random.default_rng(20260803)
        estimates = [number(chao2((rng.random((12, 300)) < 0.15).sum(axis=0), units=12)) for _ in range(300)]
        assert np.mean(estimates) == pytest.approx(300, rel=0.02)

    def test_coverage_is_nearly_unbiased(self) -> None:
        """The true coverage of a sample is the summed chance of what it saw."""
        rng = np.random.default_rng(20260804)
        chances = rng.lognormal(0, 2, 1000)
        chances /= chances.sum()
        errors = []
        for _ in range(400):
            sample = rng.multinomial(500, chances)
            truth = chances[sample > 0].sum()
            errors.append((number(sample_coverage(sample)) - truth, number(good_turing_coverage(sample)) - truth))
        assert np.abs(np.mean(errors, axis=0)) == pytest.approx(0, abs=0.003)

    def test_coverage_over_few_units_is_nearly_unbiased(self) -> None:
        """True: the summed chances of the classes seen, over those of all. Taken for individuals, the sightings would
        say that less is covered."""
        rng = np.random.default_rng(20260805)
        chances = rng.beta(0.4, 3.0, 800)
        errors = []
        for _ in range(400):
            seen_in = (rng.random((4, chances.size)) < chances).sum(axis=0)
            truth = chances[seen_in > 0].sum() / chances.sum()
            by_units, by_individuals = number(incidence_coverage(seen_in, 4)), number(sample_coverage(seen_in))
            errors.append((by_units - truth, by_individuals - truth))
        of_units, of_individuals = np.mean(errors, axis=0)
        assert of_units == pytest.approx(0, abs=0.01)
        assert of_individuals < -2 * abs(of_units)

    def test_coverage_over_units_by_hand(self) -> None:
        """T = 3, U = 9, Q1 = 4, Q2 = 1: 1 - 4/9 * 8/(8 + 2)."""
        assert number(incidence_coverage([3, 2, 1, 1, 1, 1, 0], 3)) == pytest.approx(1 - 4 / 9 * 0.8)
        assert incidence_coverage([1, 1], 1).value is None
        assert incidence_coverage([], 3).value is None
        assert incidence_coverage([3, 3], 3).value == 1
        with pytest.raises(ValueError, match="seen in 3 of 2 units"):
            incidence_coverage([3], 2)


class TestProperties:
    @given(sightings_lists)
    def test_never_fewer_than_were_seen(self, counts: list[int]) -> None:
        seen, n = sum(c > 0 for c in counts), sum(counts)
        for estimate in (chao1(counts), chao2(counts, units=60), ace(counts)):
            if estimate.value is None:
                continue
            assert estimate.value >= seen - 1e-9
            if estimate.lo is not None:
                assert seen - 1e-9 <= estimate.lo <= estimate.value <= (estimate.hi or math.inf)
        if n >= 2 and (number(chao1(counts)) > seen):
            assert chao1(counts).standard_error != 0

    @given(sightings_lists)
    def test_coverage_is_a_share(self, counts: list[int]) -> None:
        for estimate in (good_turing_coverage(counts), sample_coverage(counts)):
            assert estimate.value is None or 0 <= estimate.value <= 1

    @given(sightings_lists, st.integers(0, 20))
    def test_classes_not_seen_change_nothing(self, counts: list[int], zeros: int) -> None:
        more = counts + [0] * zeros
        for estimator in (chao1, ace, good_turing_coverage, sample_coverage):
            assert estimator(more) == estimator(counts)

    @given(st.integers(1, 10**6), st.integers(1, 10**6), st.data())
    def test_chapman_is_symmetric_and_bounded(self, n1: int, n2: int, data: st.DataObject) -> None:
        m = data.draw(st.integers(0, min(n1, n2)))
        estimate = chapman(n1, n2, m)
        assert (estimate.value, estimate.lo, estimate.hi) == (
            pytest.approx(chapman(n2, n1, m).value),
            pytest.approx(chapman(n2, n1, m).lo),
            pytest.approx(chapman(n2, n1, m).hi),
        )
        assert n1 + n2 - m <= number(estimate) * (1 + 1e-12)
        assert number(estimate) <= (n1 + 1) * (n2 + 1) - 1
        if m > 0:
            assert number(estimate) <= n1 * n2 / m * (1 + 1e-12), "Lincoln-Petersen is never below"


class TestPolicy:
    @pytest.mark.parametrize("nothing", [[], [0], [0, 0, 0]])
    def test_nothing_seen(self, nothing: list[int]) -> None:
        for estimate in (
            chao1(nothing),
            chao2(nothing, units=5),
            ace(nothing),
            good_turing_coverage(nothing),
            sample_coverage(nothing),
        ):
            assert estimate.value is None
            assert "nothing was seen" in estimate.method

    def test_a_single_sighting(self) -> None:
        assert chao1([1]).value is None
        assert sample_coverage([1]).value is None
        assert chao2([1], units=1).value is None
        assert ace([1]).value is None
        assert good_turing_coverage([1]).value == 0

    def test_one_class_seen_often(self) -> None:
        estimate = chao1([50])
        assert (estimate.value, estimate.lo) == (1, 1)
        assert estimate.hi == pytest.approx(1)
        assert (ace([50]).value, sample_coverage([50]).value) == (1, 1)

    def test_everything_seen_once(self) -> None:
        """n = S = f1 = 10, k = .9: 10 + .9 * 10 * 9 / 2 = 50.5; nothing says that it ends there."""
        estimate = chao1([1] * 10)
        assert number(estimate) == pytest.approx(50.5)
        assert estimate.hi is not None
        assert estimate.hi > 140
        assert ace([1] * 10).value is None
        assert good_turing_coverage([1] * 10).value == 0

    def test_everything_seen_equally_often(self) -> None:
        assert (chao1([3] * 20).value, ace([3] * 20).value, sample_coverage([3] * 20).value) == (20, 20, 1)

    def test_one_seen_once_and_nothing_twice(self) -> None:
        """f1 = 1, f2 = 0: the formula finds nothing unseen; the interval is not a point all the same."""
        estimate = chao1([1, 3, 3])
        assert (estimate.value, estimate.lo) == (3, 3)
        assert estimate.hi is not None
        assert estimate.hi > 3.5

    def test_lists_of_which_one_holds_the_other(self) -> None:
        estimate = chapman(5, 9, 5)
        assert (estimate.value, estimate.lo, estimate.hi) == (9, None, None)
        assert "one list holds the other" in estimate.method

    def test_an_empty_list(self) -> None:
        assert chapman(0, 9, 0).value is None
        assert chapman(0, 0, 0).value is None

    def test_lists_that_share_nobody(self) -> None:
        assert number(chapman(4, 9, 0)) == 5 * 10 - 1

    def test_what_cannot_be_is_refused(self) -> None:
        with pytest.raises(ValueError, match="in both lists"):
            chapman(3, 5, 4)
        with pytest.raises(ValueError, match="n1"):
            chapman(-1, 5, 0)
        with pytest.raises(ValueError, match="of 3 units"):
            chao2([4], units=3)
        with pytest.raises(ValueError, match="whole"):
            chao1([1.5])
