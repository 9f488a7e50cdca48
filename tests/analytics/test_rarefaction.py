"""Rarefaction against iNEXT's numbers, all sub-samples enumerated, exact binomials and large samples."""

from fractions import Fraction
from itertools import combinations, pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rarefaction import (
    DRAWN_UP_TO,
    SUMMED_UP_TO,
    rarefaction_curve,
    rarefied_incidence,
    rarefied_richness,
)
from tests.analytics.test_concentration import SPIDER


def exactly(counts: list[int], size: int) -> float:
    """The formula in whole numbers."""
    n = sum(counts)
    return float(sum(1 - Fraction(comb(n - x, size), comb(n, size)) for x in counts))


def number(counts: list[int], size: int) -> float:
    value = rarefied_richness(counts, size).value
    assert value is not None
    return value


def test_spider() -> None:
    curve = [estimate.value for estimate in rarefaction_curve(SPIDER, (10, 50, 100))]
    assert curve == [pytest.approx(x, abs=5e-5) for x in (6.4786, 15.0301, 20.4594)]


@pytest.mark.parametrize("counts", [[3, 2, 1], [4, 1, 1, 1], [2, 2, 2], [7]])
def test_the_mean_over_all_sub_samples(counts: list[int]) -> None:
    individuals = [label for label, x in enumerate(counts) for _ in range(x)]
    for size in range(len(individuals) + 1):
        richness = [len(set(chosen)) for chosen in combinations(individuals, size)]
        assert number(counts, size) == pytest.approx(np.mean(richness), abs=1e-12)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30).filter(any), st.data())
def test_whole_number_arithmetic(counts: list[int], data: st.DataObject) -> None:
    size = data.draw(st.integers(0, sum(counts)))
    assert number(counts, size) == pytest.approx(exactly([x for x in counts if x], size), rel=1e-12, abs=1e-12)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30).filter(any))
def test_it_rises_ever_less_steeply_from_0_over_1_to_all(counts: list[int]) -> None:
    n = sum(counts)
    sizes = range(min(n, 60) + 1)
    curve = [number(counts, size) for size in sizes]
    assert curve[0] == 0
    assert curve[1] == pytest.approx(1, rel=1e-12)
    assert number(counts, n) == pytest.approx(sum(x > 0 for x in counts), rel=1e-12)
    steps = [later - earlier for earlier, later in pairwise(curve)]
    assert all(step >= -1e-12 for step in steps)
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(steps))


def test_large_samples_keep_their_digits() -> None:
    """A thousand million individuals: one drawn finds one class, two find 1 + the chance that they differ
    (Hurlbert)."""
    counts = [1] * 1000 + [5 * 10**8, 5 * 10**8 - 1000]
    n = sum(counts)
    differ = 1 - sum(Fraction(x * (x - 1), n * (n - 1)) for x in counts)
    assert number(counts, 1) == pytest.approx(1, rel=1e-12)
    assert number(counts, 2) == pytest.approx(1 + float(differ), rel=1e-12)
    curve = [number(counts, size) for size in np.geomspace(10**3, n, 200).astype(int).tolist()]
    assert all(later >= earlier for earlier, later in pairwise(curve))


def test_the_rare_tail_of_a_large_sample_is_exact() -> None:
    """Ten million singletons of which one is drawn: log-gamma alone would be wrong by more than the answer."""
    assert number([1] * 10**6, 1) == pytest.approx(1, rel=1e-12)
    assert number([1] * 10**6, 10) == pytest.approx(10, rel=1e-12)


def test_both_ways_of_computing_agree_where_they_meet() -> None:
    counts = [SUMMED_UP_TO, SUMMED_UP_TO + 1, 3, 20_000, 20_000]
    for size in (1, 2, DRAWN_UP_TO, DRAWN_UP_TO + 1, 500, sum(counts) - 20_000, sum(counts) - 4000, sum(counts)):
        assert number(counts, size) == pytest.approx(exactly(counts, size), rel=1e-12)


def test_many_large_classes_in_a_large_sample() -> None:
    """2,000 classes of 5,000, of which 5,000 are drawn: each is missed with the chance (1 - 1/2000)^5000, about
    e^-2.5."""
    counts = [5000] * 2000
    assert number(counts, 5000) == pytest.approx(exactly_equal(5000, 2000, 5000), rel=1e-12)


def exactly_equal(x: int, classes: int, size: int) -> float:
    n = x * classes
    return classes * float(1 - Fraction(comb(n - x, size), comb(n, size)))


class TestPolicy:
    @pytest.mark.parametrize("nothing", [[], [0, 0]])
    def test_nothing_seen(self, nothing: list[int]) -> None:
        assert rarefied_richness(nothing, 0).value is None
        assert rarefied_richness(nothing, 3).value is None

    def test_it_does_not_extrapolate(self) -> None:
        beyond = rarefied_richness([2, 1], 4)
        assert beyond.value is None
        assert "only 3 were seen" in beyond.method

    def test_a_single_individual(self) -> None:
        assert [number([1], size) for size in (0, 1)] == [0, 1]

    def test_classes_not_seen_change_nothing(self) -> None:
        assert rarefied_richness([3, 0, 2, 0], 2) == rarefied_richness([3, 2], 2)

    def test_equal_classes(self) -> None:
        assert number([2, 2], 2) == pytest.approx(1 + 2 / 3)

    def test_a_size_is_a_count(self) -> None:
        with pytest.raises(ValueError, match="size"):
            rarefied_richness([1, 2], -1)


@pytest.mark.parametrize(
    "units", [[{1, 2}, {1}, {3}, set(), {1, 4, 5}], [{1}], [{1, 2}, {1, 2}, {1, 2}], [set(), set()]]
)
def test_incidence_is_the_mean_over_all_sets_of_units(units: list[set[int]]) -> None:
    classes = set().union(*units)
    seen_in = [sum(name in unit for unit in units) for name in classes]
    for size in range(len(units) + 1):
        shown = [len(set().union(*drawn)) for drawn in combinations(units, size)]
        assert rarefied_incidence(seen_in, len(units), size).value == pytest.approx(np.mean(shown), abs=1e-12)


def test_incidence_of_nothing_and_of_too_much() -> None:
    assert rarefied_incidence([], 0, 0).value is None
    assert rarefied_incidence([2], 2, 3).value is None
    with pytest.raises(ValueError, match="3 of 2 units"):
        rarefied_incidence([3], 2, 1)
