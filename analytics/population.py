"""How many there are in all, from how often each was seen: Chapman, Chao1, Chao2, ACE and sample coverage.

Apart from the log-linear models (`analytics.log_linear`), which need more than two lists and a fitting library. All of
these assume a population that stays the same while it is looked at and sources that do not depend on each other;
sources of the federation do (a server found in one large room is found in the next), which makes every estimate here
too low. Read them as "at least". Intervals are 95 %, with the 1.96 that the papers print. Empty and degenerate input:
the policy in `analytics.estimate`.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.amounts import IntArray, checked_counts, checked_whole
from analytics.estimate import Estimate, IntervalKind

Z_95 = 1.96

NOTHING = "nothing was seen"


def chapman(in_first: int, in_second: int, in_both: int) -> Estimate:
    """The size of a population from two independent lists, (n1+1)(n2+1)/(m+1) - 1.

    Range [units seen, (n1+1)(n2+1) - 1]: the lower end when one list holds the other, the upper when they share nobody.
    Nearly free of the bias of Lincoln-Petersen (n1 n2/m), exactly so when n1 + n2 is at least the true size. The
    interval is log-normal on the number unseen. No interval when one list holds the other (the variance formula then
    gives 0, which is no certainty); no value when a list is empty. `n` is the number of units seen. Chapman 1951,
    variance Seber 1970, interval Chao 1987.

    Raises:
        ValueError: a number that is no count, or more in both than in one.
    """
    n1, n2, m = (checked_whole(x, name) for x, name in ((in_first, "n1"), (in_second, "n2"), (in_both, "m")))
    if m > min(n1, n2):
        raise ValueError(f"{m} in both lists, but only {min(n1, n2)} in one of them")
    seen = n1 + n2 - m
    if n1 == 0 or n2 == 0:
        return Estimate.unknown(seen, "Chapman", "a list is empty")
    value = (n1 + 1) * (n2 + 1) / (m + 1) - 1
    variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) ** 2 * (m + 2))
    if variance == 0:
        return Estimate.exact(seen, seen, "Chapman: one list holds the other, no spread to measure")
    return log_normal_estimate(seen, value - seen, variance, seen, "Chapman")


def chao1(sightings: npt.ArrayLike) -> Estimate:
    """A lower bound for the number of classes, from how often each class was seen among n individuals.

    S + k f1^2/(2 f2), or S + k f1(f1-1)/2 if nothing was seen exactly twice, k = (n-1)/n. Range [S, S + (S-1)^2/2]: S
    when nothing was seen exactly once, the upper end when everything was. No value below two sightings. `n` is the
    number of sightings. Chao 1984; variance and interval Chao 1987; without singletons the interval of Colwell
    (EstimateS, equation 14).
    """
    counts = checked_counts(sightings)
    return _chao(_Frequencies.of(counts), int(counts.sum()), "Chao1", "sighting")


def chao2(units_seen_in: npt.ArrayLike, units: int) -> Estimate:
    """A lower bound for the number of servers, from in how many of the sampling units (directories, rooms, crawls) each
    was seen.

    As `chao1` with Q1, Q2, the number seen in exactly one and two units, and k = (T-1)/T over T units. No value below
    two units. `n` is the number of sampling units. Chao 1987.

    Raises:
        ValueError: something was seen in more units than there are.
    """
    counts = checked_counts(units_seen_in)
    return _chao(_Frequencies.of(counts), _checked_units(counts, units), "Chao2", "sampling unit")


@dataclass(frozen=True, slots=True)
class _Frequencies:
    """How many classes were seen (S), seen exactly once (f1), exactly twice (f2), and all sightings together."""

    seen: int
    once: int
    twice: int
    sightings: int

    @classmethod
    def of(cls, counts: IntArray) -> "_Frequencies":
        return cls(
            seen=int(np.count_nonzero(counts)),
            once=int(np.count_nonzero(counts == 1)),
            twice=int(np.count_nonzero(counts == 2)),
            sightings=int(counts.sum()),
        )


def _chao(seen: _Frequencies, total: int, method: str, unit: str) -> Estimate:
    if seen.seen == 0:
        return Estimate.unknown(total, method, NOTHING)
    if total == 1:
        return Estimate.unknown(total, method, f"one {unit} cannot say what it missed")
    k = (total - 1) / total
    f1, f2 = seen.once, seen.twice
    if f2 > 0:
        r = f1 / f2
        unseen = k * f1 * f1 / (2 * f2)
        variance = f2 * (k / 2 * r**2 + k**2 * r**3 + k**2 / 4 * r**4)
    else:
        unseen = k * f1 * (f1 - 1) / 2
        variance = k * f1 * (f1 - 1) / 2 + k**2 * f1 * (2 * f1 - 1) ** 2 / 4 - k**2 * f1**4 / (4 * (seen.seen + unseen))
    if unseen == 0:
        return _nothing_unseen(seen, total, method)
    return log_normal_estimate(seen.seen, unseen, variance, total, method)


def _nothing_unseen(seen: _Frequencies, total: int, method: str) -> Estimate:
    """Everything was seen again: the interval is that of classes which are all missed with one chance, exp(-n/S)."""
    missed = math.exp(-seen.sightings / seen.seen)
    centre = seen.seen / (1 - missed)
    half = Z_95 * math.sqrt(seen.seen * missed / (1 - missed))
    return Estimate(
        value=float(seen.seen),
        lo=float(seen.seen),
        hi=max(float(seen.seen), centre + half),
        interval_kind=IntervalKind.CONFIDENCE,
        n=total,
        method=f"{method}, nothing unseen by it",
        standard_error=math.sqrt(seen.seen * missed * (1 - missed)),
    )


def log_normal_estimate(seen: int, unseen: float, variance: float, n: int, method: str) -> Estimate:
    """The estimate seen + unseen with a 95 % interval that is log-normal in the number unseen: never below the seen.

    [S + T/K, S + T K], K = exp(1.96 sqrt(ln(1 + var/T^2))), T the number unseen, greater than 0. Chao 1987.
    """
    spread = math.exp(Z_95 * math.sqrt(math.log1p(variance / unseen**2)))
    return Estimate(
        value=seen + unseen,
        lo=min(seen + unseen, seen + unseen / spread),
        hi=max(seen + unseen, seen + unseen * spread),
        interval_kind=IntervalKind.CONFIDENCE,
        n=n,
        method=method,
        standard_error=math.sqrt(variance),
    )


def ace(sightings: npt.ArrayLike, rare_cut: int = 10) -> Estimate:
    """The abundance-based coverage estimator of the number of classes; classes seen up to `rare_cut` times are rare.

    S_abundant + S_rare/C + (f1/C) g^2, with C = 1 - f1/n_rare the coverage of the rare ones and g^2 their estimated
    squared coefficient of variation. At least S; equal to it when nothing was seen exactly once. No value when nothing
    was seen, or when every rare class was seen exactly once (C is 0: use Chao1). No interval: bootstrap it. `n` is the
    number of sightings. Chao and Lee 1992; Chao et al. 2000.
    """
    counts = checked_counts(sightings)
    counts = counts[counts > 0]
    total = int(counts.sum())
    method = f"ACE, rare up to {checked_whole(rare_cut, 'rare_cut')}"
    if counts.size == 0:
        return Estimate.unknown(0, method, NOTHING)
    rare = counts[counts <= rare_cut].astype(np.float64)
    abundant = counts.size - rare.size
    if rare.size == 0:
        return Estimate.exact(abundant, total, method)
    once = int(np.count_nonzero(rare == 1))
    if once == rare.size:
        return Estimate.unknown(total, method, "every rare class was seen exactly once")
    sightings_of_rare = float(rare.sum())
    coverage = 1 - once / sightings_of_rare
    pairs = float(np.dot(rare, rare - 1))
    variation = max(rare.size / coverage * pairs / (sightings_of_rare * (sightings_of_rare - 1)) - 1, 0.0)
    return Estimate.exact(abundant + rare.size / coverage + once / coverage * variation, total, method)


def good_turing_coverage(sightings: npt.ArrayLike) -> Estimate:
    """The share of all individuals that belong to the classes seen, 1 - f1/n.

    Range [0, 1]: 0 when every sighting was of something new, 1 when nothing was seen exactly once. None when nothing
    was seen. `n` is the number of sightings. Good 1953.
    """
    seen = _Frequencies.of(checked_counts(sightings))
    if seen.seen == 0:
        return Estimate.unknown(0, "Good-Turing coverage", NOTHING)
    return Estimate.exact(1 - seen.once / seen.sightings, seen.sightings, "Good-Turing coverage")


def sample_coverage(sightings: npt.ArrayLike) -> Estimate:
    """The share of all individuals that belong to the classes seen: Good-Turing, corrected by what was seen twice.

    1 - (f1/n) (n-1) f1/((n-1) f1 + 2 f2); if nothing was seen exactly twice, f1 - 1 stands for f1 and 2 for 2 f2 in the
    second factor. Range [0, 1], its ends as for Good-Turing (but above 0 in samples of finite size). None below two
    sightings. `n` is the number of sightings. Chao and Jost 2012, equation 4a; Chao et al. 2014 for f2 = 0.
    """
    seen = _Frequencies.of(checked_counts(sightings))
    return _coverage(seen, seen.sightings, "sample coverage (Chao and Jost)", "sighting")


def incidence_coverage(units_seen_in: npt.ArrayLike, units: int) -> Estimate:
    """The share of all sightings in sampling units that are of the classes seen, from in how many units each was seen.

    As `sample_coverage` with Q1, Q2 and the U sightings in all T units together: 1 - (Q1/U) (T-1) Q1/((T-1) Q1 + 2 Q2).
    A unit shows a class once or not at all, so that it is the units that are drawn, and T - 1 stands where n - 1 stood:
    with few units it makes a difference. None below two units. `n` is the number of sightings. Chao and Jost 2012,
    appendix; Chao et al. 2014.

    Raises:
        ValueError: something was seen in more units than there are.
    """
    counts = checked_counts(units_seen_in)
    total = _checked_units(counts, units)
    return _coverage(_Frequencies.of(counts), total, "sample coverage over units (Chao and Jost)", "sampling unit")


def _coverage(seen: _Frequencies, drawn: int, method: str, unit: str) -> Estimate:
    """Of so many draws, of individuals or of units."""
    n, f1, f2 = seen.sightings, seen.once, seen.twice
    if n == 0:
        return Estimate.unknown(0, method, NOTHING)
    if drawn == 1:
        return Estimate.unknown(n, method, f"one {unit} cannot say what it missed")
    if f1 == 0:
        return Estimate.exact(1.0, n, method)
    again, pairs = ((drawn - 1) * f1, 2 * f2) if f2 > 0 else ((drawn - 1) * (f1 - 1), 2)
    return Estimate.exact(1 - f1 / n * again / (again + pairs), n, method)


def _checked_units(units_seen_in: IntArray, units: int) -> int:
    total = checked_whole(units, "units")
    if units_seen_in.size and units_seen_in.max() > total:
        raise ValueError(f"seen in {units_seen_in.max()} of {total} units")
    return total
