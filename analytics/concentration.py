"""How unequally something is held: shares, top-k share, HHI, Hill numbers, Gini, Nakamoto, Lorenz curve.

Apart, because these are pure functions of one array of amounts (servers by hosting network, memberships by server, ...)
that know nothing of Matrix. They are exact for the population handed in: sampling error, where the population is a
sample, is the matter of `analytics.bootstrap`. `n` of every estimate is the number of units counted. Empty input and
zeros: the policy in `analytics.estimate`.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from analytics.amounts import LARGEST_WHOLE, FloatArray, checked_amounts
from analytics.estimate import Estimate

Zeros: TypeAlias = Literal["in", "out"]
"""Whether units that hold nothing belong to the population. For Gini and Lorenz it changes the answer."""

NOTHING = "nothing is held"


def shares(amounts: npt.ArrayLike) -> FloatArray:
    """The share p_i = x_i / sum x of every unit that holds anything, largest first.

    Each lies in (0, 1]; together they are 1. Empty when nothing is held.
    """
    held = _held(amounts)
    if held.size == 0:
        return held
    # Divided by the largest first: sums of huge amounts do not overflow, and shares do not depend on the unit.
    parts = held / held[0]
    part: FloatArray = parts / parts.sum()
    # A share too small for a float has no logarithm and moves no number here.
    return part if part[-1] > 0 else part[part > 0]


def top_share(amounts: npt.ArrayLike, k: int) -> Estimate:
    """The share of the k largest units together.

    Range [0, 1]: k/n if all are equal, 1 if k units hold everything (or there are no more than k). None when nothing is
    held. "Concentration ratio CR_k" of industrial economics (Hall and Tideman 1967).

    Raises:
        ValueError: k is negative.
    """
    if k < 0:
        raise ValueError("k cannot be negative")
    part = shares(amounts)
    method = f"share of the {k} largest"
    if part.size == 0:
        return Estimate.unknown(0, method, NOTHING)
    return Estimate.exact(1.0 if k >= part.size else min(1.0, float(part[:k].sum())), part.size, method)


def herfindahl(amounts: npt.ArrayLike) -> Estimate:
    """The Herfindahl-Hirschman index, sum p_i^2: the chance that two draws with replacement meet the same unit.

    Range [1/n, 1]: 1/n if all n hold the same, 1 if one holds everything. None when nothing is held. Hirschman 1945,
    Herfindahl 1950 (Simpson 1949 in ecology). Times 10,000 for the scale of competition law.
    """
    part = shares(amounts)
    if part.size == 0:
        return Estimate.unknown(0, "HHI", NOTHING)
    return Estimate.exact(min(1.0, float(np.dot(part, part))), part.size, "HHI")


def shannon_entropy(amounts: npt.ArrayLike) -> Estimate:
    """Shannon's entropy, -sum p_i ln p_i, in nats.

    Range [0, ln n]: 0 if one holds everything, ln n if all hold the same. None when nothing is held. Shannon 1948.
    """
    part = shares(amounts)
    if part.size == 0:
        return Estimate.unknown(0, "Shannon entropy", NOTHING)
    return Estimate.exact(max(0.0, -float(np.dot(part, np.log(part)))), part.size, "Shannon entropy")


def hill_number(amounts: npt.ArrayLike, q: float) -> Estimate:
    """The effective number of units of order q, (sum p_i^q)^(1/(1-q)); at q = 1 its limit, exp(Shannon).

    How many equal units would be as diverse. Range [1, n], falling as q grows: q = 0 counts every holder alike (n), q =
    2 is 1/HHI, q = inf is 1 over the largest share. 1 if one holds everything, n if all hold the same. None when
    nothing is held. Hill 1973; Jost 2006.

    Raises:
        ValueError: q is negative (the rarest would decide) or not a number.
    """
    if not q >= 0:
        raise ValueError(f"the order q must be 0 or more: {q}")
    part = shares(amounts)
    method = f"Hill number of order {q:g}"
    if part.size == 0:
        return Estimate.unknown(0, method, NOTHING)
    return Estimate.exact(min(max(1.0, _hill(part, q)), float(part.size)), part.size, method)


def _hill(part: FloatArray, q: float) -> float:
    if q == 0:
        return float(part.size)
    if np.isinf(q):
        return float(1 / part[0])
    log_part = np.log(part)
    if q == 1:
        return float(np.exp(-np.dot(part, log_part)))
    if abs(q - 1) < 0.5:
        # sum p^q - 1 = sum p (p^(q-1) - 1): without this, 1/(1-q) magnifies the rounding of the sum beyond use.
        excess = np.dot(part, np.expm1((q - 1) * log_part))
        return float(np.exp(np.log1p(excess) / (1 - q)))
    exponents = q * log_part
    largest = exponents.max()
    return float(np.exp((largest + np.log(np.exp(exponents - largest).sum())) / (1 - q)))


def gini(amounts: npt.ArrayLike, *, zeros: Zeros) -> Estimate:
    """The Gini coefficient: half the mean absolute difference between two units, over the mean.

    With amounts ascending, 2 sum(i x_i) / (n sum x) - (n+1)/n. Range [0, (n-1)/n]: 0 if all hold the same,
    (n-1)/n if one of n holds everything; it approaches 1 only as n grows, so compare it only between populations that
    are defined alike. None when nothing is held. Gini 1912; the finite form after Dixon et al. 1987.
    """
    ascending = _population(amounts, zeros)
    method = f"Gini, zeros {zeros}"
    if ascending.size == 0 or ascending[-1] == 0:
        return Estimate.unknown(ascending.size, method, NOTHING)
    n = ascending.size
    scaled = ascending / ascending[-1]
    # The same formula with (n+1)/n pulled into the sum: no cancellation, exactly 0 where all are equal.
    spread = float(np.dot(2.0 * np.arange(1, n + 1) - (n + 1), scaled))
    return Estimate.exact(min(max(0.0, spread / (n * float(scaled.sum()))), (n - 1) / n), n, method)


def nakamoto(amounts: npt.ArrayLike, threshold: float | Fraction = 0.5) -> Estimate:
    """The Nakamoto coefficient: the least number of units whose joint share is strictly greater than the threshold.

    Range [1, n]: 1 if one unit alone holds more than the threshold, floor(threshold n) + 1 if all hold the same.
    None when nothing is held. Strict, because half is not a majority: of 50, 30, 20 it takes two to pass .5. The sums
    are exact, and a float threshold means the decimal that was written. Srinivasan and Lee 2017.

    Raises:
        ValueError: the threshold is not in [0, 1).
    """
    limit = threshold if isinstance(threshold, Fraction) else Fraction(str(threshold))
    if not 0 <= limit < 1:
        raise ValueError(f"the threshold must be in [0, 1): {threshold}")
    held = _held(amounts)
    method = f"Nakamoto, share > {float(limit):.4g}"
    if held.size == 0:
        return Estimate.unknown(0, method, NOTHING)
    if held.sum() <= LARGEST_WHOLE and np.all(held == np.floor(held)):
        joint = np.cumsum(held.astype(np.int64))
        least_winning = int(limit * int(joint[-1])) + 1
        return Estimate.exact(int(np.searchsorted(joint, least_winning)) + 1, held.size, method)
    exact = [Fraction(amount) for amount in held.tolist()]
    needed = limit * sum(exact)
    k = next(k for k, together in enumerate(accumulate(exact), start=1) if together > needed)
    return Estimate.exact(k, held.size, method)


@dataclass(frozen=True, slots=True, eq=False)
class LorenzCurve:
    """Cumulative share held against cumulative share of units, poorest first; both run from 0 to 1.

    Convex and never above the diagonal; on it where all hold the same. 1 minus twice the area under it (trapezes) is
    the Gini coefficient.
    """

    units: FloatArray
    held: FloatArray


def lorenz_curve(amounts: npt.ArrayLike, *, zeros: Zeros) -> LorenzCurve | None:
    """The Lorenz curve through (0, 0) and one point for every unit; None when nothing is held. Lorenz 1905."""
    ascending = _population(amounts, zeros)
    if ascending.size == 0 or ascending[-1] == 0:
        return None
    joint = np.cumsum(ascending / ascending[-1])
    return LorenzCurve(
        units=np.linspace(0, 1, ascending.size + 1),
        held=np.concatenate(([0.0], joint / joint[-1])),
    )


def _held(amounts: npt.ArrayLike) -> FloatArray:
    checked = checked_amounts(amounts)
    return np.sort(checked[checked > 0])[::-1]


def _population(amounts: npt.ArrayLike, zeros: Zeros) -> FloatArray:
    checked = checked_amounts(amounts)
    return np.sort(checked if zeros == "in" else checked[checked > 0])
