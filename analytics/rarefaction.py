"""How many classes a smaller sample would have shown: rarefaction, the exact expectation over all sub-samples.

Apart from `analytics.population`, because it makes no claim about what was not seen; it makes samples of unequal size
comparable, downwards only. Empty and degenerate input: the policy in `analytics.estimate`.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from analytics.amounts import FloatArray, IntArray, checked_counts, checked_whole
from analytics.estimate import Estimate

SUMMED_UP_TO = 4096
"""Classes seen at most this often get their chance of being missed as a sum of logarithms, which is exact to rounding;
for larger ones log-gamma is (its error grows with the sample, but such a class is missed with a chance that no longer
counts)."""


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


def _at(classes: IntArray, how_many: IntArray, size: int) -> Estimate:
    n = int(np.dot(classes, how_many))
    method = f"rarefied to {size}"
    if n == 0:
        return Estimate.unknown(0, method, "nothing was seen")
    if size > n:
        return Estimate.unknown(n, method, f"only {n} were seen")
    expected = float(np.dot(how_many, -np.expm1(_log_chance_missed(classes, n, size))))
    return Estimate.exact(min(expected, float(how_many.sum())), n, method)


def _log_chance_missed(classes: IntArray, n: int, size: int) -> FloatArray:
    """ln(C(n-x, m)/C(n, m)) for every x of the classes, ascending; minus infinity where a sub-sample cannot miss it."""
    log_chance = np.full(classes.size, -np.inf)
    can_be_missed = classes <= n - size
    small = can_be_missed & (classes <= SUMMED_UP_TO)
    large = can_be_missed & ~small
    if small.any():
        # The x individuals of a class are missed one after the other: prod over j < x of (n - m - j)/(n - j). The
        # difference of log-gammas would drown in rounding here: at n = 10^9 each is 2 * 10^10, and what is sought may
        # be 10^-9.
        j = np.arange(int(classes[small].max()))
        log_chance[small] = np.cumsum(np.log1p(-size / (n - j)))[classes[small] - 1]
    x = classes[large].astype(np.float64)
    log_chance[large] = gammaln(n - x + 1) - gammaln(n - x - size + 1) - gammaln(n + 1) + gammaln(n - size + 1)
    missed: FloatArray = np.minimum(log_chance, 0.0)
    return missed
