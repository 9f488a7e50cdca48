"""Concentration against published values, scikit-bio, pairwise definitions, closed forms and properties."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from skbio.diversity import alpha

from analytics.concentration import (
    Zeros,
    gini,
    herfindahl,
    hill_number,
    lorenz_curve,
    nakamoto,
    shannon_entropy,
    shares,
    top_share,
)
from analytics.estimate import Estimate, IntervalKind

SPIDER = [46, 22, 17, 15, 15, 9, 8, 6, 6, 4, 2, 2, 2, 2] + [1] * 12
"""iNEXT's spider data, site "Girdled" (Hsieh, Ma and Chao 2016)."""

amounts_lists = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any)
orders = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, np.inf]), st.floats(0, 50))


def number(estimate: Estimate) -> float:
    assert estimate.value is not None
    assert estimate.interval_kind is IntervalKind.NONE
    return estimate.value


def pairwise_gini(amounts: list[int]) -> float:
    """The definition: mean absolute difference of two units over twice the mean, every unit with every unit."""
    n = len(amounts)
    return sum(abs(a - b) for a in amounts for b in amounts) / (2 * n * sum(amounts))


def counted_nakamoto(amounts: list[int], threshold: Fraction) -> int:
    """Take the largest until they hold more than the threshold."""
    taken, k = 0, 0
    for amount in sorted(amounts, reverse=True):
        taken, k = taken + amount, k + 1
        if Fraction(taken, sum(amounts)) > threshold:
            return k
    raise AssertionError("the whole is always more than a share below 1")


class TestReferenceValues:
    def test_spider(self) -> None:
        assert number(hill_number(SPIDER, 0)) == 26
        assert number(hill_number(SPIDER, 1)) == pytest.approx(12.059650, abs=5e-7)
        assert number(hill_number(SPIDER, 2)) == pytest.approx(7.84, abs=5e-7)

    def test_gini_of_spider(self) -> None:
        """.599817, which circulates for these data, is scikit-bio's default: rectangles under the Lorenz curve.

        That is 1/n below the definition, which gives .638278.
        """
        assert number(gini(SPIDER, zeros="out")) == pytest.approx(0.638278, abs=5e-7)
        assert number(gini(SPIDER, zeros="out")) == pytest.approx(pairwise_gini(SPIDER), abs=1e-12)
        assert number(gini(SPIDER, zeros="out")) == pytest.approx(
            alpha.gini_index(SPIDER, method="trapezoids"), abs=1e-12
        )
        assert number(gini(SPIDER, zeros="out")) - 1 / 26 == pytest.approx(0.599817, abs=5e-7)
        assert alpha.gini_index(SPIDER, method="rectangles") == pytest.approx(0.599817, abs=5e-7)

    def test_50_30_20(self) -> None:
        amounts = [50, 30, 20]
        assert number(herfindahl(amounts)) == pytest.approx(0.38, abs=1e-12)
        assert number(hill_number(amounts, 2)) == pytest.approx(2.631579, abs=5e-7)
        assert number(gini(amounts, zeros="out")) == pytest.approx(0.2, abs=1e-12)
        assert number(nakamoto(amounts)) == 2, ".5 is not greater than .5"
        assert number(shannon_entropy(amounts)) == pytest.approx(1.029653, abs=5e-7)

    def test_40_30_15_5_5_5(self) -> None:
        amounts = [40, 30, 15, 5, 5, 5]
        assert number(herfindahl(amounts)) == pytest.approx(0.28, abs=1e-12)
        assert number(gini(amounts, zeros="out")) == pytest.approx(0.433333, abs=5e-7)
        assert number(nakamoto(amounts)) == 2
        assert number(nakamoto(amounts, 0.33)) == 1
        assert number(shannon_entropy(amounts)) == pytest.approx(1.461636, abs=5e-7)

    def test_small_ones(self) -> None:
        assert number(gini([9, 1, 2, 3], zeros="out")) == pytest.approx(0.416667, abs=5e-7)
        assert number(herfindahl([9, 1, 2, 3])) == pytest.approx(0.422222, abs=5e-7)
        assert number(gini([0, 0, 0, 1], zeros="in")) == pytest.approx(0.75, abs=1e-12)
        assert number(gini([1, 1, 1, 1], zeros="in")) == 0
        assert number(nakamoto([1, 1, 1, 1])) == 3
        assert number(nakamoto([1, 1, 1, 1], 0.33)) == 2

    def test_matrix_in_2018(self) -> None:
        """Jacob, Grashoefer and Hartenstein 2019: 131,463 users, of which the two largest servers had 76,271 and
        37,751."""
        rest = 131_463 - 76_271 - 37_751
        amounts = [76_271, 37_751] + [1] * rest
        assert number(nakamoto(amounts)) == 1
        assert number(herfindahl(amounts)) >= 0.419


class TestOracles:
    @given(amounts_lists)
    def test_scikit_bio(self, amounts: list[int]) -> None:
        held = np.asarray([a for a in amounts if a])
        assert number(herfindahl(amounts)) == pytest.approx(alpha.dominance(held), rel=1e-9)
        assert number(shannon_entropy(amounts)) == pytest.approx(alpha.shannon(held), rel=1e-9, abs=1e-12)
        for order in (0, 0.5, 1, 2, 3):
            assert number(hill_number(amounts, order)) == pytest.approx(alpha.hill(held, order=order), rel=1e-9)
        assert number(hill_number(amounts, np.inf)) == pytest.approx(1 / alpha.berger_parker_d(held), rel=1e-9)

    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any))
    def test_pairwise_gini(self, amounts: list[int]) -> None:
        assert number(gini(amounts, zeros="in")) == pytest.approx(pairwise_gini(amounts), abs=1e-12)
        held = [a for a in amounts if a]
        assert number(gini(amounts, zeros="out")) == pytest.approx(pairwise_gini(held), abs=1e-12)

    @given(amounts_lists, st.sampled_from([Fraction(1, 3), Fraction(33, 100), Fraction(1, 2), Fraction(9, 10)]))
    @example([1, 1, 1], Fraction(1, 3))
    def test_nakamoto_by_taking_the_largest(self, amounts: list[int], threshold: Fraction) -> None:
        assert number(nakamoto(amounts, threshold)) == counted_nakamoto(amounts, threshold)

    def test_nakamoto_of_fractions_is_exact_too(self) -> None:
        """Ten times .1: a sum of floats may pass .5 by its rounding; the true joint share of five is just half."""
        assert number(nakamoto([0.1] * 10)) == 6
        assert number(nakamoto([0.3, 0.2, 0.1])) == counted_nakamoto([3, 2, 1], Fraction(1, 2))

    def test_a_float_threshold_is_the_decimal_that_was_written(self) -> None:
        assert number(nakamoto([7, 3], 0.7)) == 2, ".7 is not greater than .7"

    def test_hill_near_1_is_continuous(self) -> None:
        """From both sides the order 1 is met to the accuracy of the slope, -Var(ln p) D/2, at any distance."""
        amounts = np.arange(1, 2001)
        at_one = number(hill_number(amounts, 1))
        p = amounts / amounts.sum()
        slope = -at_one * (np.sum(p * np.log(p) ** 2) - np.sum(p * np.log(p)) ** 2) / 2
        for step in (1e-3, 1e-6, 1e-9, 1e-12):
            for order in (1 - step, 1 + step):
                expected = at_one + slope * (order - 1)
                assert number(hill_number(amounts, order)) == pytest.approx(expected, rel=10 * step**2 + 1e-13)

    def test_hill_of_huge_orders_does_not_underflow(self) -> None:
        assert number(hill_number([5, 3, 2], 1e6)) == pytest.approx(2, rel=1e-5)
        assert number(hill_number([1] * 1000, 1e300)) == pytest.approx(1000, rel=1e-9)


class TestProperties:
    @given(amounts_lists, orders)
    def test_bounds(self, amounts: list[int], order: float) -> None:
        n = sum(a > 0 for a in amounts)
        assert 1 <= number(hill_number(amounts, order)) <= n
        assert 1 / n * (1 - 1e-12) <= number(herfindahl(amounts)) <= 1
        assert 0 <= number(shannon_entropy(amounts)) <= np.log(n) + 1e-12
        assert 1 <= number(nakamoto(amounts)) <= n
        assert 0 <= number(gini(amounts, zeros="out")) <= (n - 1) / n
        assert 0 <= number(gini(amounts, zeros="in")) <= (len(amounts) - 1) / len(amounts)

    @given(amounts_lists)
    def test_hhi_times_effective_number_is_1(self, amounts: list[int]) -> None:
        assert number(herfindahl(amounts)) * number(hill_number(amounts, 2)) == pytest.approx(1, rel=1e-12)

    @given(amounts_lists, st.lists(orders, min_size=2, max_size=6))
    def test_hill_falls_with_the_order(self, amounts: list[int], some_orders: list[float]) -> None:
        numbers = [number(hill_number(amounts, order)) for order in sorted(some_orders)]
        assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(numbers))

    @given(amounts_lists, st.sampled_from([2, 1000, 2.0**-20, 2.0**900]))
    def test_the_unit_does_not_matter(self, amounts: list[int], factor: float) -> None:
        scaled = [a * factor for a in amounts]
        assert_alike(amounts, scaled, rel=1e-12)
        assert number(nakamoto(scaled)) == number(nakamoto(amounts))

    @given(amounts_lists)
    def test_the_order_of_units_does_not_matter(self, amounts: list[int]) -> None:
        assert_alike(amounts, amounts[::-1], rel=0)

    @given(amounts_lists, st.integers(2, 5))
    def test_replication(self, amounts: list[int], times: int) -> None:
        """k copies of the population: effective numbers k times as large, Gini and Lorenz the same."""
        copies = amounts * times
        for order in (0, 1, 2, 3.7, np.inf):
            expected = times * number(hill_number(amounts, order))
            assert number(hill_number(copies, order)) == pytest.approx(expected, rel=1e-9)
        assert number(gini(copies, zeros="in")) == pytest.approx(number(gini(amounts, zeros="in")), abs=1e-12)

    @given(amounts_lists, st.integers(1, 30))
    def test_zeros_change_gini_and_lorenz_alone(self, amounts: list[int], zeros: int) -> None:
        more = amounts + [0] * zeros
        assert_alike(amounts, more, rel=0)
        assert number(nakamoto(more)) == number(nakamoto(amounts))
        assert number(gini(more, zeros="in")) > number(gini(amounts, zeros="in"))

    @given(amounts_lists, st.data())
    def test_a_transfer_to_the_richer_raises_gini(self, amounts: list[int], data: st.DataObject) -> None:
        ordered = sorted(amounts)
        if ordered[0] == 0 or len(ordered) < 2:
            return
        gift = data.draw(st.integers(1, ordered[0]))
        poorer = [ordered[0] - gift, *ordered[1:-1], ordered[-1] + gift]
        assert number(gini(poorer, zeros="in")) > number(gini(ordered, zeros="in"))

    @given(amounts_lists, st.integers(0, 50))
    def test_top_share_grows_to_1(self, amounts: list[int], k: int) -> None:
        part, whole = sorted(amounts, reverse=True)[:k], sum(amounts)
        assert number(top_share(amounts, k)) == pytest.approx(sum(part) / whole, abs=1e-12)

    @given(amounts_lists, st.sampled_from(["in", "out"]))
    def test_lorenz_is_convex_below_the_diagonal_and_holds_gini(self, amounts: list[int], zeros: Zeros) -> None:
        curve = lorenz_curve(amounts, zeros=zeros)
        assert curve is not None
        assert (curve.units[0], curve.held[0], curve.units[-1], curve.held[-1]) == (0, 0, 1, 1)
        steps = np.diff(curve.held)
        assert np.all(steps >= 0)
        assert np.all(np.diff(steps) >= -1e-12)
        assert np.all(curve.held <= curve.units + 1e-12)
        area = np.trapezoid(curve.held, curve.units)
        assert 1 - 2 * area == pytest.approx(number(gini(amounts, zeros=zeros)), abs=1e-9)


def assert_alike(amounts: list[int], others: list[int] | list[float], rel: float) -> None:
    np.testing.assert_allclose(shares(amounts), shares(others), rtol=rel)
    for index in (herfindahl, shannon_entropy, lambda a: hill_number(a, 1), lambda a: top_share(a, 2)):
        assert number(index(others)) == pytest.approx(number(index(amounts)), rel=rel, abs=rel)
    assert number(gini(others, zeros="out")) == pytest.approx(number(gini(amounts, zeros="out")), rel=rel, abs=rel)


INDICES: list[Callable[[list[int]], Estimate]] = [
    herfindahl,
    shannon_entropy,
    nakamoto,
    lambda amounts: hill_number(amounts, 0),
    lambda amounts: hill_number(amounts, 1),
    lambda amounts: hill_number(amounts, 2),
    lambda amounts: hill_number(amounts, np.inf),
    lambda amounts: top_share(amounts, 3),
    lambda amounts: gini(amounts, zeros="in"),
    lambda amounts: gini(amounts, zeros="out"),
]


class TestPolicy:
    @pytest.mark.parametrize("index", INDICES)
    @pytest.mark.parametrize("nothing", [[], [0], [0, 0, 0]])
    def test_nothing_has_no_concentration(self, index: Callable[[list[int]], Estimate], nothing: list[int]) -> None:
        assert index(nothing).value is None
        assert "nothing is held" in index(nothing).method

    def test_nothing_has_no_shares_and_no_curve(self) -> None:
        assert shares([]).size == shares([0, 0]).size == 0
        assert lorenz_curve([], zeros="in") is None
        assert lorenz_curve([0, 0], zeros="in") is None

    def test_one_holds_everything(self) -> None:
        for index, expected in zip(INDICES, [1, 0, 1, 1, 1, 1, 1, 1, 0, 0], strict=True):
            assert index([42]).value == expected
            assert index([42]).n == 1

    @pytest.mark.parametrize("n", [2, 3, 7, 10, 1000])
    def test_all_hold_the_same(self, n: int) -> None:
        equal = [7] * n
        assert number(herfindahl(equal)) == pytest.approx(1 / n, rel=1e-12)
        assert number(shannon_entropy(equal)) == pytest.approx(np.log(n), rel=1e-12)
        for order in (0, 0.3, 1, 2, 9, np.inf):
            assert number(hill_number(equal, order)) == pytest.approx(n, rel=1e-12)
        assert number(gini(equal, zeros="in")) == 0
        assert number(nakamoto(equal)) == n // 2 + 1
        assert number(nakamoto(equal, Fraction(1, 3))) == n // 3 + 1

    def test_population_is_stated(self) -> None:
        zero_heavy = [0] * 97 + [5, 3, 2]
        assert gini(zero_heavy, zeros="in").n == 100
        assert gini(zero_heavy, zeros="out").n == 3
        assert number(gini(zero_heavy, zeros="in")) == pytest.approx(pairwise_gini(zero_heavy), abs=1e-12)
        assert herfindahl(zero_heavy).n == 3

    def test_polars_series(self) -> None:
        assert number(herfindahl(pl.Series([50, 30, 20]))) == pytest.approx(0.38)

    @pytest.mark.parametrize("index", INDICES)
    def test_an_absent_amount_is_refused(self, index: Callable[[list[float]], Estimate]) -> None:
        with pytest.raises(ValueError, match="absent"):
            index([1.0, np.nan])

    def test_parameters_out_of_range_are_refused(self) -> None:
        for order in (-0.5, np.nan):
            with pytest.raises(ValueError, match="order q"):
                hill_number([1, 2], order)
        for threshold in (-0.1, 1.0, Fraction(3, 2)):
            with pytest.raises(ValueError, match="threshold"):
                nakamoto([1, 2], threshold)
        with pytest.raises(ValueError, match="k cannot be negative"):
            top_share([1, 2], -1)
