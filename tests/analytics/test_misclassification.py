"""The share behind an imperfect classifier: worked examples, the delta method, simulations with a known truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.estimate import Estimate
from analytics.misclassification import Audit, corrected_prevalence, rogan_gladen

shares = st.floats(0, 1)


def rng() -> np.random.Generator:
    return np.random.default_rng(20260801)


def corrected(flagged: int, screened: int, audit: Audit, *, census: bool = True, draws: int = 2000) -> Estimate:
    return corrected_prevalence(flagged, screened, audit, rng=rng(), screened_is_census=census, draws=draws)


class TestTheFormula:
    @given(shares, st.floats(0.51, 1), st.floats(0.51, 1))
    def test_it_undoes_the_classifier(self, prevalence: float, sensitivity: float, specificity: float) -> None:
        """Apply the errors to a true share, correct, and get it back."""
        flagged = prevalence * sensitivity + (1 - prevalence) * (1 - specificity)
        assert rogan_gladen(min(flagged, 1.0), sensitivity, specificity) == pytest.approx(prevalence, abs=1e-9)

    def test_a_perfect_classifier_changes_nothing(self) -> None:
        assert rogan_gladen(0.37, 1, 1) == pytest.approx(0.37)

    def test_it_leaves_0_to_1_where_the_errors_explain_too_much(self) -> None:
        assert rogan_gladen(0.02, 0.9, 0.95) == pytest.approx(-0.03 / 0.85)
        assert rogan_gladen(0.99, 0.9, 0.95) == pytest.approx(0.94 / 0.85)

    def test_no_better_than_chance(self) -> None:
        assert rogan_gladen(0.5, 0.5, 0.5) is None
        assert rogan_gladen(0.5, 0.3, 0.6) is None

    @pytest.mark.parametrize("wrong", [(-0.1, 0.9, 0.9), (0.1, 1.1, 0.9), (0.1, 0.9, math.nan)])
    def test_shares_are_shares(self, wrong: tuple[float, float, float]) -> None:
        with pytest.raises(ValueError, match="shares"):
            rogan_gladen(*wrong)


class TestTheAudit:
    def test_counts(self) -> None:
        audit = Audit.of_counts(true_positives=45, false_negatives=5, true_negatives=90, false_positives=10)
        assert (audit.sensitivity(), audit.specificity()) == (pytest.approx(0.9), pytest.approx(0.9))

    def test_weights_undo_the_stratified_drawing(self) -> None:
        """10,000 items: 500 flagged, 400 of them rightly; 9,500 not, 95 of them wrongly. 100 of each are labelled.

        The corrected prevalence is then the true one, (400 + 95)/10,000; without weights, 80 of 81 would seem to be
        found.
        """
        flagged = np.repeat([True, True, False, False], [80, 20, 1, 99])
        truly = np.repeat([True, False, True, False], [80, 20, 1, 99])
        audit = Audit.of_items(flagged, truly, weight=np.where(flagged, 5, 95), stratum=flagged)
        assert audit.sensitivity() == pytest.approx(400 / 495)
        assert audit.specificity() == pytest.approx(9405 / 9505)
        assert corrected(500, 10_000, audit).value == pytest.approx(0.0495)
        assert Audit.of_items(flagged, truly).sensitivity() == pytest.approx(80 / 81)

    def test_without_one_kind_there_is_no_rate(self) -> None:
        assert Audit.of_counts(0, 0, 5, 1).sensitivity() is None
        assert Audit.of_counts(5, 1, 0, 0).specificity() is None

    def test_columns_are_equally_long(self) -> None:
        with pytest.raises(ValueError, match="for each item"):
            Audit.of_items([True, False], [True])
        with pytest.raises(ValueError, match="negative"):
            Audit.of_items([True], [True], [-1.0])


class TestPrevalence:
    def test_value_and_interval_by_the_delta_method(self) -> None:
        """Large audit: variance = (pi^2 Se(1-Se)/n1 + (1-pi)^2 Sp(1-Sp)/n0)/(Se+Sp-1)^2 (Rogan and Gladen 1978)."""
        audit = Audit.of_counts(1600, 400, 2850, 150)
        estimate = corrected(3000, 10_000, audit, draws=4000)
        pi = (0.3 + 0.95 - 1) / 0.75
        error = math.sqrt(pi**2 * 0.8 * 0.2 / 2000 + (1 - pi) ** 2 * 0.95 * 0.05 / 3000) / 0.75
        assert estimate.value == pytest.approx(pi)
        assert estimate.lo == pytest.approx(pi - 1.96 * error, abs=0.002)
        assert estimate.hi == pytest.approx(pi + 1.96 * error, abs=0.002)
        assert estimate.n == 5000

    def test_a_sample_of_the_screened_adds_its_own_error(self) -> None:
        """Perfect audit of many: only the binomial error of the flagged share is left, none for a census."""
        audit = Audit.of_counts(1000, 0, 1000, 0)
        census, sample = corrected(30, 100, audit), corrected(30, 100, audit, census=False)
        assert (census.lo, census.hi) == (pytest.approx(0.3), pytest.approx(0.3))
        assert (sample.lo, sample.hi) == (pytest.approx(0.21, abs=0.015), pytest.approx(0.39, abs=0.015))

    def test_the_interval_holds_the_truth_about_as_often_as_it_says(self) -> None:
        source, held, rounds = np.random.default_rng(11), 0, 300
        for _ in range(rounds):
            truly = source.random(3000) < 0.15
            flagged = np.where(truly, source.random(3000) < 0.8, source.random(3000) < 0.05)
            drawn = source.choice(3000, 400, replace=False)
            estimate = corrected_prevalence(
                int(flagged.sum()),
                3000,
                Audit.of_items(flagged[drawn], truly[drawn]),
                rng=source,
                screened_is_census=True,
                draws=200,
            )
            assert estimate.lo is not None
            assert estimate.hi is not None
            held += estimate.lo <= truly.mean() <= estimate.hi
        assert held / rounds >= 0.92

    def test_clipped_at_0_when_false_alarms_explain_every_flag(self) -> None:
        estimate = corrected(20, 1000, Audit.of_counts(45, 5, 90, 10))
        assert estimate.value == estimate.lo == 0
        assert estimate.hi is not None
        assert estimate.hi < 0.1

    def test_clipped_at_1(self) -> None:
        estimate = corrected(999, 1000, Audit.of_counts(90, 10, 95, 5))
        assert estimate.value == estimate.hi == 1

    def test_a_small_audit_widens_instead_of_narrowing(self) -> None:
        """One item that truly is among twelve: a third of the draws miss it and say nothing, so anything may be
        true."""
        audit = Audit.of_items([True] * 1 + [False] * 11, [True] * 1 + [False] * 11)
        estimate = corrected(100, 1000, audit)
        assert (estimate.lo, estimate.value, estimate.hi) == (0, pytest.approx(0.1), 1)

    def test_seed_and_progress(self) -> None:
        audit = Audit.of_counts(9, 1, 18, 2)
        calls: list[tuple[int, int]] = []
        first = corrected_prevalence(
            10, 50, audit, rng=rng(), screened_is_census=True, draws=250, progress=lambda *at: calls.append(at)
        )
        assert first == corrected(10, 50, audit, draws=250)
        assert calls[-1] == (250, 250)
        assert len(calls) <= 101


class TestPolicy:
    def test_nothing_screened(self) -> None:
        assert corrected(0, 0, Audit.of_counts(5, 1, 5, 1)).value is None

    def test_an_empty_audit_or_one_that_says_no_more_than_chance(self) -> None:
        for audit in (Audit.of_items([], []), Audit.of_counts(3, 0, 0, 0), Audit.of_counts(5, 5, 5, 5)):
            estimate = corrected(3, 10, audit)
            assert estimate.value is None
            assert "chance" in estimate.method

    def test_none_flagged(self) -> None:
        estimate = corrected(0, 1000, Audit.of_counts(50, 0, 50, 0))
        assert (estimate.value, estimate.lo, estimate.hi) == (0, 0, 0)

    def test_what_cannot_be_is_refused(self) -> None:
        audit = Audit.of_counts(5, 1, 5, 1)
        with pytest.raises(ValueError, match="11 flagged of 10"):
            corrected(11, 10, audit)
        with pytest.raises(ValueError, match="draw"):
            corrected(1, 10, audit, draws=0)
