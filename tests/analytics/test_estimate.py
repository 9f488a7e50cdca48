"""An estimate refuses to contradict itself."""

import math

import pytest

from analytics.estimate import Estimate, IntervalKind


def test_exact_has_no_interval() -> None:
    assert Estimate.exact(3, 7, "count") == Estimate(3.0, None, None, IntervalKind.NONE, 7, "count")


def test_unknown_says_why() -> None:
    unknown = Estimate.unknown(0, "HHI", "nothing is held")
    assert unknown.value is None
    assert unknown.method == "HHI: nothing is held"


def test_an_interval_may_be_open_on_one_side() -> None:
    assert Estimate(5.0, 4.0, None, IntervalKind.CONFIDENCE, 3, "median").hi is None


@pytest.mark.parametrize(
    ("value", "lo", "hi", "kind", "n", "method", "error", "complaint"),
    [
        (math.nan, None, None, IntervalKind.NONE, 1, "m", None, "finite"),
        (1.0, 0.0, math.inf, IntervalKind.CONFIDENCE, 1, "m", None, "finite"),
        (1.0, None, None, IntervalKind.NONE, 1, "m", math.nan, "finite"),
        (None, 0.0, 1.0, IntervalKind.BOUNDS, 1, "m", None, "no value"),
        (None, None, None, IntervalKind.NONE, 1, "m", 0.1, "no value"),
        (1.0, 0.0, 2.0, IntervalKind.NONE, 1, "m", None, "has a kind"),
        (1.0, None, None, IntervalKind.SCENARIO, 1, "m", None, "has a kind"),
        (3.0, 0.0, 2.0, IntervalKind.BOUNDS, 1, "m", None, "outside"),
        (1.0, None, 0.5, IntervalKind.BOUNDS, 1, "m", None, "outside"),
        (1.0, None, None, IntervalKind.NONE, -1, "m", None, "negative"),
        (1.0, None, None, IntervalKind.NONE, 1, "", None, "named"),
    ],
)
def test_contradictions_are_refused(
    value: float | None,
    lo: float | None,
    hi: float | None,
    kind: IntervalKind,
    n: int,
    method: str,
    error: float | None,
    complaint: str,
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Estimate(value, lo, hi, kind, n, method, error)


def test_the_complement_of_a_share_turns_its_interval_round() -> None:
    share = Estimate(0.2, 0.1, 0.4, IntervalKind.CONFIDENCE, 10, "made")
    turned = share.complement()
    assert (turned.value, turned.lo, turned.hi) == (0.8, 0.6, 0.9)
    assert turned.complement().lo == pytest.approx(0.1)
    assert Estimate(1.0, None, None, IntervalKind.NONE, 3, "made").complement().value == 0
    unknown = Estimate.unknown(0, "made", "nothing")
    assert unknown.complement() == unknown
