"""Lifetimes against lifelines, statsmodels, published data, the definition by brute force, and a known truth."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from analytics.estimate import IntervalKind
from analytics.survival import SurvivalCurve, kaplan_meier, log_rank

LEUKAEMIA_TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
LEUKAEMIA_TREATED_DIED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
LEUKAEMIA_PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
"""Weeks of remission, Freireich et al. 1963 (Gehan 1965): the data of the textbooks."""


@st.composite
def lifetimes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole ages with ties, deaths and survivors, some of them watched only from a later age on."""
    n = draw(st.integers(1, 40))
    entries = np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n)), dtype=float)
    more = np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)), dtype=float)
    died = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    return entries + more, died, entries


def by_definition(ages: np.ndarray, died: np.ndarray, entries: np.ndarray, after: float, age: float) -> float:
    """The product over the ages of death of 1 - deaths/at risk, counted one by one."""
    survival = 1.0
    for at in sorted({a for a, d in zip(ages, died, strict=True) if d}):
        if at > age or at < after or (at == after and at > 0):
            continue
        at_risk = sum((e < at or e == 0) and at <= a for a, e in zip(ages, entries, strict=True))
        deaths = sum(d and a == at and (e < a or e == 0) for a, d, e in zip(ages, died, entries, strict=True))
        if at_risk:
            survival *= 1 - deaths / at_risk
    return survival


class TestKaplanMeier:
    def test_leukaemia(self) -> None:
        """Kalbfleisch and Prentice 2002, table 1.2: the treated group."""
        curve = kaplan_meier(LEUKAEMIA_TREATED, LEUKAEMIA_TREATED_DIED)
        expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
        steps = {point.age: point.survival for point in curve.points if point.died}
        assert steps == {age: pytest.approx(survival, abs=5e-4) for age, survival in expected.items()}
        assert [point.at_risk for point in curve.points if point.died] == [21, 17, 15, 12, 11, 7, 6]
        assert curve.median().value == 23
        assert (curve.n, curve.left_out, curve.survived_to) == (21, 0, 0)

    def test_interval_is_greenwoods_on_the_log_log_scale(self) -> None:
        curve = kaplan_meier(LEUKAEMIA_TREATED, LEUKAEMIA_TREATED_DIED)
        greenwood = 0.0
        for point in curve.points:
            greenwood += point.died / (point.at_risk * (point.at_risk - point.died))
            if greenwood == 0:
                continue
            width = 1.959964 * math.sqrt(greenwood) / -math.log(point.survival)
            assert point.lo == pytest.approx(point.survival ** math.exp(width), rel=1e-6)
            assert point.hi == pytest.approx(point.survival ** math.exp(-width), rel=1e-6)

    @given(lifetimes())
    def test_the_definition(self, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        ages, died, entries = data
        curve = kaplan_meier(ages, died, entries)
        assert curve.n + curve.left_out == len(ages)
        for point in curve.points:
            expected = by_definition(ages, died, entries, curve.survived_to, point.age)
            assert point.survival == pytest.approx(expected, abs=1e-9)

    @given(lifetimes())
    def test_statsmodels_where_nobody_was_left_out(self, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        ages, died, entries = data
        ages = ages + 1  # statsmodels does not know deaths at age 0
        curve = kaplan_meier(ages, died, entries)
        if curve.survived_to > 0:
            return
        theirs = SurvfuncRight(ages, died.astype(int), entry=np.where(entries == 0, -1, entries))
        mine = {point.age: (point.survival, point.at_risk) for point in curve.points}
        for age, survival, at_risk in zip(theirs.surv_times, theirs.surv_prob, theirs.n_risk, strict=True):
            if age in mine:
                assert mine[age] == (pytest.approx(survival, abs=1e-9), at_risk)

    @given(lifetimes())
    def test_it_falls_from_1_inside_its_interval(self, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        curve = kaplan_meier(*data)
        assert all(later.survival <= earlier.survival for earlier, later in pairwise(curve.points))
        for point in curve.points:
            assert 0 <= point.survival <= 1
            assert (point.lo is None) == (point.survival in (0, 1))
            if point.lo is not None and point.hi is not None:
                assert 0 <= point.lo <= point.survival <= point.hi <= 1
            assert 0 <= point.died <= point.at_risk
            assert curve.at(point.age).value == point.survival

    @given(lifetimes())
    def test_nobody_enters_after_the_curve_came_to_0(self, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        ages, died, entries = data
        curve = kaplan_meier(ages, died, entries)
        ended = [point.age for point in curve.points if point.survival == 0]
        ever = (ages > entries) | (entries == 0)
        assert not ended or not np.any(entries[ever & (entries > 0)] >= min(ended))
        assert all(point.at_risk > 0 for point in curve.points)

    def test_numpys_warnings_are_left_as_they_were(self) -> None:
        """lifelines switches them off for the thread."""
        before = np.geterr()
        kaplan_meier([1, 2, 3], [1, 1, 0])
        assert np.geterr() == before


class TestDelayedEntry:
    def test_late_entrants_are_not_at_risk_before(self) -> None:
        """Five from birth, five watched from age 10 on. At age 5 one of five dies, not one of ten."""
        curve = kaplan_meier(
            [5, 20, 20, 20, 20, 15, 20, 20, 20, 20], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0] * 5 + [10] * 5
        )
        assert [(p.age, p.at_risk, p.survival) for p in curve.points if p.died] == [
            (5, 5, pytest.approx(0.8)),
            (15, 9, pytest.approx(0.8 * 8 / 9)),
        ]

    def test_ignoring_it_would_flatter(self) -> None:
        """Exponential lifetimes of mean 100; who died before age 50 was never known to half of the watchers."""
        rng = np.random.default_rng(20260801)
        lives = rng.exponential(100, 4000)
        entries = np.where(np.arange(4000) % 2 == 0, 0.0, 50.0)
        known = lives > entries
        curve = kaplan_meier(lives[known], np.ones(known.sum(), dtype=bool), entries[known])
        naive = kaplan_meier(lives[known], np.ones(known.sum(), dtype=bool))
        truth = math.exp(-1)
        estimate = curve.at(100)
        assert estimate.lo is not None
        assert estimate.hi is not None
        assert estimate.lo <= truth <= estimate.hi
        assert naive.at(100).lo is not None
        assert (naive.at(100).lo or 0) > truth

    def test_where_the_risk_set_runs_out_the_curve_starts_anew(self) -> None:
        """The only one watched from birth dies at 2; the others enter at 5: the curve is that of those who reached
        5."""
        curve = kaplan_meier([2, 9, 10, 11], [1, 1, 0, 0], [0, 5, 5, 5])
        assert (curve.survived_to, curve.n, curve.left_out) == (5, 3, 1)
        assert curve.at(9).value == pytest.approx(2 / 3)
        assert curve.at(2).value is None
        assert curve.at(5).value == 1
        assert "given survival to 5" in curve.median().method

    def test_a_death_of_all_at_the_age_when_others_enter(self) -> None:
        """All at risk die at 3, others enter at 3: without the new start the curve would be 0 while they live."""
        curve = kaplan_meier([3, 3, 8, 8], [1, 1, 0, 1], [0, 0, 3, 3])
        assert (curve.survived_to, curve.n) == (3, 2)
        assert curve.at(8).value == pytest.approx(0.5)

    def test_an_entry_that_is_not_before_the_exit_is_never_at_risk(self) -> None:
        curve = kaplan_meier([4, 4, 6], [1, 0, 0], [0, 4, 0])
        assert (curve.n, curve.left_out) == (2, 1)
        assert curve.at(4).value == pytest.approx(0.5)


class TestMedian:
    def test_interval_is_where_the_bounds_fall_to_half(self) -> None:
        curve = kaplan_meier(LEUKAEMIA_PLACEBO, [1] * 21)
        with np.errstate(divide="ignore", invalid="ignore"):  # statsmodels takes the logarithm of the 0 at the end
            theirs = SurvfuncRight(np.array(LEUKAEMIA_PLACEBO), np.ones(21, dtype=int)).quantile_ci(0.5)
        median = curve.median()
        assert (median.value, median.lo, median.hi) == (8, theirs[0], theirs[1])
        assert (median.lo, median.hi) == (4, 11)

    def test_open_above_and_not_reached(self) -> None:
        treated = kaplan_meier(LEUKAEMIA_TREATED, LEUKAEMIA_TREATED_DIED).median()
        assert (treated.value, treated.lo, treated.hi) == (23, 13, None)
        young = kaplan_meier([1, 5, 5, 5], [1, 0, 0, 0]).median()
        assert young.value is None
        assert "more than half survive" in young.method

    def test_exactly_half(self) -> None:
        """Two of four dead is half, however the fractions were multiplied."""
        assert kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).median().value == 2
        assert kaplan_meier(range(1, 11), [1] * 10).median().value == 5

    def test_it_holds_the_truth_about_as_often_as_it_says(self) -> None:
        rng, held, rounds = np.random.default_rng(20260802), 0, 200
        for _ in range(rounds):
            lives, watched = rng.exponential(10, 80), rng.uniform(5, 30, 80)
            median = kaplan_meier(np.minimum(lives, watched), lives <= watched).median()
            assert median.lo is not None
            truth = 10 * math.log(2)
            held += median.lo <= truth and (median.hi is None or truth <= median.hi)
        assert 0.9 <= held / rounds <= 0.99


class TestLogRank:
    def test_leukaemia(self) -> None:
        """The textbook's 16.79 on one degree of freedom; 9 deaths against 19.25 expected."""
        test = log_rank(
            LEUKAEMIA_TREATED + LEUKAEMIA_PLACEBO, LEUKAEMIA_TREATED_DIED + [1] * 21, ["6-MP"] * 21 + ["placebo"] * 21
        )
        assert test.statistic == pytest.approx(16.79, abs=5e-3)
        assert test.p_value == pytest.approx(4.17e-5, abs=5e-7)
        assert (test.degrees_of_freedom, test.groups, test.n) == (1, ("6-MP", "placebo"), 42)
        assert test.observed == (9, 21)
        assert test.expected == (pytest.approx(19.25, abs=5e-3), pytest.approx(10.75, abs=5e-3))

    @given(lifetimes(), st.data())
    def test_lifelines_without_delayed_entry(
        self, data: tuple[np.ndarray, np.ndarray, np.ndarray], more: st.DataObject
    ) -> None:
        ages, died, _ = data
        groups = more.draw(st.lists(st.sampled_from("abc"), min_size=len(ages), max_size=len(ages)))
        mine = log_rank(ages, died, groups)
        if mine.statistic is None or mine.degrees_of_freedom < len(set(groups)) - 1:
            return
        theirs = multivariate_logrank_test(ages, groups, died)
        assert mine.statistic == pytest.approx(theirs.test_statistic, rel=1e-6, abs=1e-9)
        assert mine.p_value == pytest.approx(theirs.p_value, rel=1e-6, abs=1e-9)

    @given(lifetimes(), st.data())
    def test_statsmodels_with_delayed_entry(
        self, data: tuple[np.ndarray, np.ndarray, np.ndarray], more: st.DataObject
    ) -> None:
        ages, died, entries = data
        ages = ages + 1
        groups = np.array(more.draw(st.lists(st.sampled_from("abc"), min_size=len(ages), max_size=len(ages))))
        mine = log_rank(ages, died, groups.tolist(), entries)
        if mine.statistic is None or mine.degrees_of_freedom < len(set(groups)) - 1:
            return
        statistic, p_value = survdiff(ages, died.astype(int), groups, entry=np.where(entries == 0, -1, entries))
        assert mine.statistic == pytest.approx(statistic, rel=1e-6, abs=1e-9)
        assert mine.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-9)

    def test_it_rejects_equal_groups_about_as_often_as_it_says(self) -> None:
        rng, rejected, rounds = np.random.default_rng(20260803), 0, 400
        groups = ["a", "b"] * 40
        for _ in range(rounds):
            lives, watched = rng.exponential(10, 80), rng.uniform(5, 30, 80)
            entries = np.minimum(rng.choice([0.0, 2.0], 80), lives / 2)
            p_value = log_rank(np.minimum(lives, watched), lives <= watched, groups, entries).p_value
            assert p_value is not None
            rejected += p_value < 0.05
        assert 0.025 <= rejected / rounds <= 0.08

    def test_identical_groups(self) -> None:
        test = log_rank([1, 2, 3, 1, 2, 3], [1, 1, 0, 1, 1, 0], list("aaabbb"))
        assert (test.statistic, test.p_value) == (pytest.approx(0, abs=1e-12), pytest.approx(1))

    def test_groups_that_were_never_at_risk_together_are_not_compared(self) -> None:
        test = log_rank([2, 3, 9, 10], [1, 1, 1, 1], list("aabb"), [0, 0, 5, 5])
        assert (test.statistic, test.p_value, test.degrees_of_freedom) == (None, None, 0)
        assert "at risk together" in test.why
        three = log_rank([2, 3, 2, 4, 9, 10], [1, 1, 1, 1, 1, 1], list("aaccbb"), [0, 0, 0, 0, 5, 5])
        two = log_rank([2, 3, 2, 4], [1, 1, 1, 1], list("aacc"))
        assert three.degrees_of_freedom == 1
        assert three.statistic == pytest.approx(two.statistic)


class TestPolicy:
    def nothing(self, curve: SurvivalCurve) -> None:
        assert curve.points == ()
        assert curve.n == 0
        assert curve.median().value is None
        assert curve.at(1).value is None

    def test_nobody(self) -> None:
        self.nothing(kaplan_meier([], []))
        test = log_rank([], [], [])
        assert (test.statistic, test.n, test.groups) == (None, 0, ())

    def test_nobody_at_risk(self) -> None:
        curve = kaplan_meier([5, 5], [1, 0], [5, 5])
        self.nothing(curve)
        assert curve.left_out == 2

    def test_a_single_death_shows_no_spread(self) -> None:
        curve = kaplan_meier([5], [1])
        assert (curve.at(4).value, curve.at(5).value, curve.at(99).value) == (1, 0, 0)
        assert curve.at(5).interval_kind is IntervalKind.NONE
        median = curve.median()
        assert (median.value, median.interval_kind) == (5, IntervalKind.NONE)

    def test_a_single_survivor(self) -> None:
        curve = kaplan_meier([5], [0])
        assert curve.at(5).value == 1
        assert curve.at(6).value is None, "nobody was observed there"
        assert curve.median().value is None

    def test_nobody_died_is_no_certainty(self) -> None:
        point = kaplan_meier([5, 6, 7], [0, 0, 0]).points[-1]
        assert (point.survival, point.lo, point.hi) == (1, None, None)

    def test_all_died_at_once(self) -> None:
        curve = kaplan_meier([5, 5, 5], [1, 1, 1])
        assert (curve.median().value, curve.at(5).value) == (5, 0)

    def test_deaths_at_age_0_count(self) -> None:
        """A server seen in one crawl and never again."""
        curve = kaplan_meier([0, 0, 10, 10], [1, 1, 0, 0])
        assert curve.at(0).value == pytest.approx(0.5)
        assert curve.n == 4

    def test_one_group(self) -> None:
        assert log_rank([1, 2], [1, 1], ["a", "a"]).p_value is None

    def test_what_cannot_be_is_refused(self) -> None:
        with pytest.raises(ValueError, match="equally long"):
            kaplan_meier([1, 2], [1])
        with pytest.raises(ValueError, match="before it entered"):
            kaplan_meier([1], [1], [2])
        with pytest.raises(ValueError, match="negative"):
            kaplan_meier([-1], [1])
        with pytest.raises(ValueError, match="confidence"):
            kaplan_meier([1], [1], confidence=2)
        with pytest.raises(ValueError, match="one group"):
            log_rank([1, 2], [1, 1], ["a"])
