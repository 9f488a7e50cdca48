"""Cohen's kappa against statsmodels, a published table, and its ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from analytics.agreement import cohen_kappa

LABELS = st.sampled_from(["noise", "signal", "unsure"])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60)


def test_a_table_worked_out_by_hand() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed .7, expected .5, kappa .4."""
    one = ["y"] * 25 + ["n"] * 25
    other = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohen_kappa(one, other).value == pytest.approx(0.4)


@given(PAIRS)
def test_it_is_that_of_statsmodels(pairs: list[tuple[str, str]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    labels = sorted({*one, *other})
    found = cohen_kappa(one, other)
    if found.value is None:
        assert len(labels) == 1
        return
    table = np.array([[sum(pair == (a, b) for pair in pairs) for b in labels] for a in labels])
    with np.errstate(all="ignore"):  # it divides by zero where the variance is none
        oracle = cohens_kappa(table)
    assert found.value == pytest.approx(float(oracle.kappa), abs=1e-12)
    # Where the variance is none, rounding takes its below zero.
    wanted = 0.0 if np.isnan(oracle.std_kappa) else float(oracle.std_kappa)
    assert found.standard_error == pytest.approx(wanted, abs=1e-7)


@given(PAIRS)
def test_it_is_symmetric_bounded_and_one_for_agreement(pairs: list[tuple[str, str]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    found, turned = cohen_kappa(one, other), cohen_kappa(other, one)
    assert found.value == pytest.approx(turned.value) if found.value is not None else turned.value is None
    if found.value is not None and found.lo is not None and found.hi is not None:
        assert -1 <= found.lo <= found.value <= found.hi <= 1
    if len(set(one)) > 1:
        assert cohen_kappa(one, one).value == pytest.approx(1)


def test_nothing_and_one_label_have_no_kappa() -> None:
    assert cohen_kappa([], []).value is None
    assert cohen_kappa(["a"] * 5, ["a"] * 5).value is None
    with pytest.raises(ValueError, match="same items"):
        cohen_kappa(["a"], [])
