"""A share of a sample, and the difference of two shares, with score intervals.

Apart, because every availability and every "share of" on the screen needs them, thousands at a time, without a
statistics library. Score intervals stay inside [0, 1] and keep their rate for small samples and for shares near 0 and
1, where the textbook's p +- 1.96 se collapses to a point. Empty input: the policy in `analytics.estimate`.
"""

import math
from statistics import NormalDist

from analytics.amounts import checked_whole
from analytics.estimate import Estimate, IntervalKind


def critical_value(confidence: float) -> float:
    """The standard normal quantile that leaves (1 - confidence)/2 above it: 1.95996 for .95.

    Raises:
        ValueError: the confidence is not strictly between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1: {confidence}")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """The share successes/trials with Wilson's score interval.

    Range [0, 1]: 0 when none succeeded, 1 when all did; then the interval still has a width, about z^2/(n + z^2). None
    when nothing was tried. `n` is the number of trials. Wilson 1927; recommended by Brown, Cai and DasGupta 2001.

    Raises:
        ValueError: a number that is no count, more successes than trials, or a confidence out of range.
    """
    hits, n = _checked(successes, trials)
    method = f"Wilson, {confidence:.4g}"
    z = critical_value(confidence)
    if n == 0:
        return Estimate.unknown(0, method, "nothing was tried")
    lo, hi = _score_bounds(hits, n, z)
    return Estimate(hits / n, lo, hi, IntervalKind.CONFIDENCE, n, method)


def _score_bounds(hits: int, n: int, z: float) -> tuple[float, float]:
    z2, share = z * z, hits / n
    centre = (hits + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (share * (n - hits) + z2 / 4)) / (n + z2)
    # At the ends the bound is the share itself; rounding must not push it past.
    return 0.0 if hits == 0 else min(share, centre - half), 1.0 if hits == n else max(share, centre + half)


def difference(
    successes: int, trials: int, other_successes: int, other_trials: int, confidence: float = 0.95
) -> Estimate:
    """The first share minus the second, of two independent samples, with Newcombe's hybrid score interval.

    Range [-1, 1], 0 when both shares are equal. None when either sample is empty. `n` is all trials together. Newcombe
    1998 (method 10).

    Raises:
        ValueError: as for `wilson`.
    """
    (hits, n), (other_hits, other_n) = _checked(successes, trials), _checked(other_successes, other_trials)
    method = f"difference, Newcombe, {confidence:.4g}"
    z = critical_value(confidence)
    if n == 0 or other_n == 0:
        return Estimate.unknown(n + other_n, method, "nothing was tried in one of the samples")
    share, other_share = hits / n, other_hits / other_n
    lo, hi = _score_bounds(hits, n, z)
    other_lo, other_hi = _score_bounds(other_hits, other_n, z)
    value = share - other_share
    return Estimate(
        value=value,
        lo=max(-1.0, value - math.hypot(share - lo, other_hi - other_share)),
        hi=min(1.0, value + math.hypot(hi - share, other_share - other_lo)),
        interval_kind=IntervalKind.CONFIDENCE,
        n=n + other_n,
        method=method,
    )


def _checked(successes: int, trials: int) -> tuple[int, int]:
    hits, n = checked_whole(successes, "successes"), checked_whole(trials, "trials")
    if hits > n:
        raise ValueError(f"{hits} successes in {n} trials")
    return hits, n
