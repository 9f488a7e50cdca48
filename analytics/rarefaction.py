"""How many classes a smaller sample would have shown: rarefaction, the exact expectation over all sub-samples.

Apart from `analytics.population`, because it makes no claim about what was not seen; it makes samples of unequal size
comparable, downwards only. Empty and degenerate input: the policy in `analytics.estimate`.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from analytics.amounts import FloatArray, IntArray, checked_counts, checked_whole
from analytics.estimate import Estimate

SUMMED_UP_TO = 4096
DRAWN_UP_TO = 64
"""Classes of at most the first size, and sub-samples of at most the second, get their chance of being missed factor by
factor; the others by Stirling's series."""


def rarefied_richness(sightings: npt.ArrayLike, size: int) -> Estimate:
    """The expected number of classes in a random sub-sample of `size` individuals, drawn without replacement.

    E[S_m] = sum_i (1 - C(n - x_i, m)/C(n, m)). Range [0, S]: 0 at m = 0, 1 at m = 1, S at m = n; it never falls as m
    grows, and each step adds less. No value when nothing was seen or m is above n (this does not extrapolate). No
    interval: it is an expectation, not an estimate of a population. `n` is the number of individuals seen. Sanders
    1968, Hurlbert 1971.

    Raises:
        ValueError: the size is no count.
    """
    return rarefaction_curve(sightings, (size,))[0]


def rarefaction_curve(sightings: npt.ArrayLike, sizes: Iterable[int]) -> tuple[Estimate, ...]:
    """`rarefied_richness` at each size, in the order given."""
    counts = checked_counts(sightings)
    classes, how_many = np.unique(counts[counts > 0], return_counts=True)
    return tuple(_at(classes, how_many, checked_whole(size, "size")) for size in sizes)


def rarefied_incidence(units_seen_in: npt.ArrayLike, units: int, size: int) -> Estimate:
    """The expected number of classes in `size` of `units` sampling units, drawn without replacement, where each class
    was seen in so many of the units (once each).

    E[S_m] = sum_i (1 - C(T - y_i, m)/C(T, m)). Range [0, S], as above; no value when there are no units or m is above
    T. `n` is the number of units. Sample-based rarefaction: Gotelli and Colwell 2001; Colwell, Mao and Chang 2004.

    Raises:
        ValueError: a number is no count, or a class is in more units than there are.
    """
    counts = checked_counts(units_seen_in)
    n, drawn = checked_whole(units, "units"), checked_whole(size, "size")
    classes, how_many = np.unique(counts[counts > 0], return_counts=True)
    if classes.size and int(classes[-1]) > n:
        raise ValueError(f"a class in {classes[-1]} of {n} units")
    method = f"rarefied to {drawn} units"
    if n == 0:
        return Estimate.unknown(0, method, "there are no units")
    return _expected(classes, how_many, n, drawn, method)


def _at(classes: IntArray, how_many: IntArray, size: int) -> Estimate:
    n = int(np.dot(classes, how_many))
    method = f"rarefied to {size}"
    if n == 0:
        return Estimate.unknown(0, method, "nothing was seen")
    return _expected(classes, how_many, n, size, method)


def _expected(classes: IntArray, how_many: IntArray, n: int, size: int, method: str) -> Estimate:
    if size > n:
        return Estimate.unknown(n, method, f"only {n} were seen")
    expected = float(np.dot(how_many, -np.expm1(_log_chance_missed(classes, n, size))))
    return Estimate.exact(min(expected, float(how_many.sum())), n, method)


def _log_chance_missed(classes: IntArray, n: int, size: int) -> FloatArray:
    """ln(C(n-x, m)/C(n, m)) for every x of the classes, ascending; minus infinity where a sub-sample cannot miss it.

    Never as a difference of log-gammas: at n = 10^9 each is 2 * 10^10, and what is sought may be 10^-9.
    """
    log_chance = np.full(classes.size, -np.inf)
    can_be_missed = classes <= n - size
    small = can_be_missed & (classes <= SUMMED_UP_TO)
    if small.any():
        # The x of a class are missed one after the other: the product over j < x of 1 - m/(n - j).
        j = np.arange(int(classes[small].max()))
        log_chance[small] = np.cumsum(np.log1p(-size / (n - j)))[classes[small] - 1]
    large = can_be_missed & ~small
    if not large.any():
        return log_chance
    x = classes[large].astype(np.float64)
    if size <= DRAWN_UP_TO:
        # The m drawn miss the class one after the other: the product over j < m of 1 - x/(n - j).
        log_chance[large] = sum((np.log1p(-x / (n - j)) for j in range(size)), np.zeros_like(x))
    else:
        log_chance[large] = _by_stirling(x, n, size)
    missed: FloatArray = np.minimum(log_chance, 0.0)
    return missed


def _by_stirling(x: FloatArray, n: int, size: int) -> FloatArray:
    """The same for large x and m: Stirling's series for the four factorials, with n ln n and n taken out of each.

    What is left has the size of x + m, not of n ln n, and so has its rounding. The series is good to 1/(360 c^3) with
    c = n - x - m; where c is small the chance is 0 anyway.
    """
    a, b, c = n - x, float(n - size), n - x - size
    main = (a + 0.5) * np.log1p(-x / n) + (b + 0.5) * np.log1p(-size / n)
    last = (c + 0.5) * np.log1p(-np.minimum(x + size, n - 0.5) / n)
    log_chance: FloatArray = main - last + (1 / a + 1 / b - 1 / np.maximum(c, 1) - 1 / n) / 12
    return log_chance
