"""Log-linear models against published tables, closed forms, statsmodels and populations of known size."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.estimate import IntervalKind
from analytics.log_linear import CaptureTable, LogLinearAverage, LogLinearModel, capture_table, log_linear
from analytics.population import Z_95, chapman

LETTERS = "ABCDEFGH"

HEPATITIS = {"ABC": 28, "AB": 21, "AC": 17, "BC": 18, "A": 69, "B": 55, "C": 63}
"""Hepatitis A in a college in Taiwan, 1995: lists P, Q, E; 271 cases (Chao et al. 2001)."""

DIABETES = {
    "ABCD": 58, "ABC": 157, "ABD": 18, "AB": 104, "ACD": 46, "AC": 650, "AD": 12, "A": 709,
    "BCD": 14, "BC": 20, "BD": 7, "B": 74, "CD": 8, "C": 182, "D": 10,
}  # fmt: skip
"""Diabetes in Casale Monferrato, 1988: four lists; 2,069 cases (Bruno et al. 1994; IWGDMF 1995)."""


def table(cells: dict[str, int], k: int) -> CaptureTable:
    counts = np.zeros(2**k, dtype=np.int64)
    for lists, count in cells.items():
        counts[sum(1 << LETTERS.index(letter) for letter in lists)] = count
    return CaptureTable(tuple(LETTERS[:k]), counts)


def model(average: LogLinearAverage, *interactions: str) -> LogLinearModel:
    wanted = {tuple(pair) for pair in interactions}
    return next(one for one in average.models if set(one.interactions) == wanted)


class TestPublished:
    def test_hepatitis(self) -> None:
        """Chao et al. 2001: all eight models."""
        average = log_linear(table(HEPATITIS, 3))
        published = {
            (): 388,
            ("AB",): 416,
            ("AC",): 393,
            ("BC",): 413,
            ("AB", "AC"): 464,
            ("AB", "BC"): 527,
            ("AC", "BC"): 452,
        }
        published[("AB", "AC", "BC")] = 1313
        assert len(average.models) == 8
        for interactions, size in published.items():
            assert model(average, *interactions).value == pytest.approx(size, abs=0.51)
        assert model(average, "AB", "AC", "BC").standard_error == pytest.approx(518, abs=1)

    def test_diabetes(self) -> None:
        """IWGDMF 1995: the model chosen by AIC leaves out one interaction and finds 2,771 (2,492 to 3,051)."""
        average = log_linear(table(DIABETES, 4))
        assert average.estimate.n == 2069
        best = average.models[0]
        assert set(best.interactions) == {("A", "B"), ("A", "C"), ("B", "C"), ("B", "D"), ("C", "D")}
        assert best.value == pytest.approx(2771, abs=0.5)
        assert best.value - Z_95 * best.standard_error == pytest.approx(2492, abs=10)
        assert best.value + Z_95 * best.standard_error == pytest.approx(3051, abs=10)


class TestClosedForms:
    @given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
    def test_two_lists_are_lincoln_petersen(self, only_a: int, only_b: int, both: int) -> None:
        average = log_linear(table({"A": only_a, "B": only_b, "AB": both}, 2))
        n1, n2 = only_a + both, only_b + both
        assert average.estimate.value == pytest.approx(n1 * n2 / both, rel=1e-6)
        assert average.estimate.standard_error == pytest.approx((n1 * n2 * only_a * only_b / both**3) ** 0.5, rel=1e-6)
        assert average.models[0].interactions == ()

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(1, 300), min_size=7, max_size=7))
    def test_three_lists(self, counts: list[int]) -> None:
        """Fienberg 1972; Bishop, Fienberg and Holland 1975, chapter 6."""
        a, b, ab, c, ac, bc, abc = counts
        average = log_linear(CaptureTable(("A", "B", "C"), np.array([0, *counts])))
        seen = sum(counts)
        unseen = {
            ("AB", "AC", "BC"): abc * a * b * c / (ab * ac * bc),
            ("AB", "AC"): b * c / bc,
            ("AB", "BC"): a * c / ac,
            ("AC", "BC"): a * b / ab,
            ("AB",): (a + b + ab) * c / (ac + bc + abc),
            ("AC",): (a + c + ac) * b / (ab + bc + abc),
            ("BC",): (b + c + bc) * a / (ab + ac + abc),
        }
        for interactions, expected in unseen.items():
            assert model(average, *interactions).value - seen == pytest.approx(expected, rel=1e-5)

    def test_independence_of_three_lists_solves_its_equation(self) -> None:
        """Darroch 1958: 1 - S/N = product of (1 - n_i/N)."""
        independent = model(log_linear(table(HEPATITIS, 3)))
        n, size = (135, 122, 126), independent.value
        assert 1 - 271 / size == pytest.approx(np.prod([1 - x / size for x in n]), rel=1e-6)


class TestAveraging:
    def test_weights_are_akaikes(self) -> None:
        models = log_linear(table(HEPATITIS, 3)).models
        assert sum(one.weight for one in models) == pytest.approx(1)
        for one in models[1:]:
            assert one.weight / models[0].weight == pytest.approx(np.exp((models[0].aic - one.aic) / 2))

    def test_the_average_and_its_error_are_buckland_burnham_augustins(self) -> None:
        average = log_linear(table(DIABETES, 4))
        size = sum(one.weight * one.value for one in average.models)
        error = sum(one.weight * np.hypot(one.standard_error, one.value - size) for one in average.models)
        assert average.estimate.value == pytest.approx(size)
        assert average.estimate.standard_error == pytest.approx(error)
        assert average.estimate.interval_kind is IntervalKind.CONFIDENCE

    @settings(max_examples=30, deadline=None)
    @given(st.permutations(range(3)), st.lists(st.integers(1, 100), min_size=7, max_size=7))
    def test_the_order_of_the_lists_does_not_matter(self, order: list[int], counts: list[int]) -> None:
        cells = np.array([0, *counts])
        reordered = np.zeros(8, dtype=np.int64)
        for history in range(8):
            reordered[sum((history >> bit & 1) << place for place, bit in enumerate(order))] = cells[history]
        first, second = (log_linear(CaptureTable(("A", "B", "C"), c)).estimate for c in (cells, reordered))
        assert first.value == pytest.approx(second.value, rel=1e-6)
        assert first.hi == pytest.approx(second.hi, rel=1e-5)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 50), min_size=7, max_size=7))
    def test_never_fewer_than_were_seen(self, counts: list[int]) -> None:
        estimate = log_linear(CaptureTable(("A", "B", "C"), np.array([0, *counts]))).estimate
        assert estimate.n == sum(counts)
        if estimate.value is not None:
            assert estimate.lo is not None
            assert sum(counts) <= estimate.lo <= estimate.value


class TestKnownTruth:
    def test_dependent_lists_fool_two_lists_but_not_three(self) -> None:
        """Who is in A is three times as likely in B: two lists find far too few; three can see it."""
        rng = np.random.default_rng(20260801)
        size = 20_000
        in_a = rng.random(size) < 0.3
        in_b = rng.random(size) < np.where(in_a, 0.6, 0.2)
        in_c = rng.random(size) < 0.4
        members = {
            name: np.flatnonzero(chosen).tolist() for name, chosen in zip("ABC", (in_a, in_b, in_c), strict=True)
        }
        fooled = chapman(len(members["A"]), len(members["B"]), int((in_a & in_b).sum()))
        assert fooled.hi is not None
        assert fooled.hi < 0.6 * size
        estimate = log_linear(capture_table(members)).estimate
        assert estimate.lo is not None
        assert estimate.hi is not None
        assert estimate.lo <= size <= estimate.hi
        assert estimate.hi - estimate.lo < 0.2 * size

    def test_five_lists_add_interactions_one_by_one(self) -> None:
        rng = np.random.default_rng(20260802)
        size = 5_000
        chosen = rng.random((5, size)) < np.array([[0.3], [0.2], [0.25], [0.1], [0.4]])
        chosen[1] |= chosen[0] & (rng.random(size) < 0.5)
        histories = (chosen.T << np.arange(5)).sum(axis=1)
        cells = np.bincount(histories, minlength=32)
        cells[0] = 0
        average = log_linear(CaptureTable(tuple("ABCDE"), cells))
        assert ("A", "B") in average.models[0].interactions
        assert len(average.models) + average.left_out == 1 + sum(10 - step for step in range(10))
        assert average.estimate.lo is not None
        assert average.estimate.hi is not None
        assert average.estimate.lo <= size <= average.estimate.hi

    def test_the_interval_holds_the_truth_about_as_often_as_it_says(self) -> None:
        rng, held, rounds = np.random.default_rng(20260803), 0, 200
        for _ in range(rounds):
            chosen = rng.random((3, 600)) < np.array([[0.4], [0.3], [0.35]])
            cells = np.bincount((chosen.T << np.arange(3)).sum(axis=1), minlength=8)
            cells[0] = 0
            estimate = log_linear(CaptureTable(("A", "B", "C"), cells)).estimate
            assert estimate.lo is not None
            assert estimate.hi is not None
            held += estimate.lo <= 600 <= estimate.hi
        assert 0.92 <= held / rounds <= 1.0


class TestPolicy:
    def test_members_are_crossed(self) -> None:
        crossed = capture_table({"seeds": ["a", "b", "b"], "rooms": ["b", "c"], "keys": ["b"]})
        assert crossed.lists == ("seeds", "rooms", "keys")
        assert crossed.cells.tolist() == [0, 1, 1, 0, 0, 0, 0, 1]
        assert crossed.seen == 3

    @pytest.mark.parametrize("k", [2, 3])
    def test_nobody_in_any_list(self, k: int) -> None:
        estimate = log_linear(table({}, k)).estimate
        assert (estimate.value, estimate.n) == (None, 0)

    def test_one_list_found_anybody(self) -> None:
        estimate = log_linear(table({"A": 7}, 3)).estimate
        assert (estimate.value, estimate.n) == (None, 7)
        assert "fewer than two lists" in estimate.method

    def test_an_empty_list_is_set_aside(self) -> None:
        with_empty = log_linear(table({"A": 30, "C": 20, "AC": 10}, 3)).estimate
        without = log_linear(table({"A": 30, "B": 20, "AB": 10}, 2)).estimate
        assert with_empty.value == pytest.approx(without.value)
        assert "1 empty lists set aside" in with_empty.method

    @pytest.mark.parametrize("cells", [{"A": 4, "B": 3}, {"AB": 4, "B": 3}, {"AB": 4}])
    def test_lists_that_share_nobody_or_hold_one_another_give_no_value(self, cells: dict[str, int]) -> None:
        average = log_linear(table(cells, 2))
        assert average.estimate.value is None
        assert average.estimate.n == sum(cells.values())
        assert average.left_out == 1

    def test_models_without_a_maximum_are_left_out_and_counted(self) -> None:
        """A and B share nobody: their interaction would be minus infinity."""
        average = log_linear(table(HEPATITIS | {"AB": 0, "ABC": 0}, 3))
        assert all(("A", "B") not in one.interactions for one in average.models)
        assert len(average.models) + average.left_out == 8
        assert average.estimate.value is not None

    def test_equal_cells(self) -> None:
        average = log_linear(table(dict.fromkeys(HEPATITIS, 10), 3))
        assert average.models[0].value == pytest.approx(80)

    def test_large_and_sparse_tables_do_not_break(self) -> None:
        cells = {"".join(chosen): 0 for size in range(1, 5) for chosen in combinations("ABCD", size)}
        average = log_linear(
            table(cells | {"A": 10**7, "AB": 3, "C": 1, "BC": 1, "D": 1, "AD": 2, "CD": 1, "AC": 1}, 4)
        )
        assert average.estimate.value is not None

    def test_what_is_no_table_is_refused(self) -> None:
        with pytest.raises(ValueError, match="2 to 8 lists"):
            capture_table({"A": [1]})
        with pytest.raises(ValueError, match="2 to 8 lists"):
            capture_table({str(i): [1] for i in range(9)})
        with pytest.raises(ValueError, match="0 for none of them"):
            CaptureTable(("A", "B"), np.array([5, 1, 1, 1]))
        with pytest.raises(ValueError, match="each combination"):
            CaptureTable(("A", "B"), np.array([0, 1, 1]))
        with pytest.raises(ValueError, match="negative"):
            CaptureTable(("A", "B"), np.array([0, 1, -1, 1]))
