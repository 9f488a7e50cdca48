"""Intervals by resampling: percentile and BCa, from a seeded generator, with progress.

Apart, because it works for every statistic that is a function of an array. Two ways to resample: *units* with
replacement (a room, a labelled item: each value is one draw), and *counts* as a multinomial (each server is a draw and
the array says how many fell into each class). What it cannot see: classes that the sample missed. Percentile: Efron
1979; bias corrected and accelerated: Efron 1987. Degenerate input: the policy in `analytics.estimate`.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from analytics.amounts import FloatArray, checked_counts
from analytics.estimate import Estimate, IntervalKind

Statistic: TypeAlias = Callable[[FloatArray], float | None]
"""A function of the resampled array; None where it has no value for it."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the draws done and the draws to do, at most about a hundred times, the last time when all are done."""

DRAWS = 2000

PROGRESS_CALLS = 100


class BootstrapKind(StrEnum):
    """How draws become an interval."""

    PERCENTILE = "percentile"
    BCA = "BCa"


def bootstrap(
    values: npt.ArrayLike,
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    confidence: float = 0.95,
    kind: BootstrapKind = BootstrapKind.PERCENTILE,
    progress: Progress | None = None,
) -> Estimate:
    """The statistic of the values with an interval from resampling the values (units) with replacement.

    `values` may have any number of dimensions; the first one is resampled (a row of it is a unit). No value where the
    statistic has none for the values; no interval for fewer than two units, or when more than a tail of the draws has
    no value. `n` is the number of units.
    """
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    if n == 0:
        return Estimate.unknown(0, f"bootstrap, {kind}", "there is nothing to resample")
    observed = statistic(sample)
    if observed is None or n == 1:
        return _without_interval(observed, n, kind)
    resampled = (statistic(sample[rng.integers(0, n, n)]) for _ in range(draws))
    left_out = (
        ((statistic(np.delete(sample, i, axis=0)), 1) for i in range(n)) if kind is BootstrapKind.BCA else iter(())
    )
    return _interval(observed, n, resampled, left_out, draws, confidence, kind, progress)


def bootstrap_counts(
    counts: npt.ArrayLike,
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    confidence: float = 0.95,
    kind: BootstrapKind = BootstrapKind.PERCENTILE,
    progress: Progress | None = None,
) -> Estimate:
    """The statistic of counts by class with an interval from drawing the individuals again.

    The same as `bootstrap` over individuals with the class as their value, in one multinomial draw each. `n` is the
    number of individuals.
    """
    sample = checked_counts(counts)
    n = int(sample.sum())
    if n == 0:
        return Estimate.unknown(0, f"bootstrap, {kind}", "there is nothing to resample")
    observed = statistic(sample.astype(np.float64))
    if observed is None or n == 1:
        return _without_interval(observed, n, kind)
    chances = sample / n
    resampled = (statistic(rng.multinomial(n, chances).astype(np.float64)) for _ in range(draws))
    left_out = _one_individual_less(sample.astype(np.float64), statistic) if kind is BootstrapKind.BCA else iter(())
    return _interval(observed, n, resampled, left_out, draws, confidence, kind, progress)


def _without_interval(observed: float | None, n: int, kind: BootstrapKind) -> Estimate:
    method = f"bootstrap, {kind}"
    if observed is None:
        return Estimate.unknown(n, method, "the statistic has no value here")
    return Estimate.exact(observed, n, f"{method}: one unit shows no spread")


def _one_individual_less(sample: FloatArray, statistic: Statistic) -> Iterator[tuple[float | None, int]]:
    """The statistic without one individual of each class, and how many individuals that stands for."""
    for place in np.flatnonzero(sample):
        fewer = sample.copy()
        fewer[place] -= 1
        yield statistic(fewer), int(sample[place])


def _interval(
    observed: float,
    n: int,
    resampled: Iterator[float | None],
    left_out: Iterator[tuple[float | None, int]],
    draws: int,
    confidence: float,
    kind: BootstrapKind,
    progress: Progress | None,
) -> Estimate:
    if not 0 < confidence < 1 or draws < 1:
        raise ValueError("a confidence lies between 0 and 1, and at least one draw is needed")
    drawn = _draw(resampled, draws, progress)
    tail = (1 - confidence) / 2
    method = f"bootstrap, {kind}, {draws} draws, {confidence:.4g}"
    without_value = draws - drawn.size
    if without_value > tail * draws:
        return Estimate.exact(observed, n, f"{method}: {without_value} draws had no value")
    levels, note = (tail, 1 - tail), ""
    if kind is BootstrapKind.BCA:
        levels, note = _bca_levels(observed, drawn, left_out, tail)
    lo, hi = (float(end) for end in np.quantile(drawn, levels))
    if not lo <= observed <= hi:
        note += ", widened to the value"
    if without_value:
        note += f", {without_value} draws had no value"
    return Estimate(observed, min(lo, observed), max(hi, observed), IntervalKind.CONFIDENCE, n, method + note)


def _draw(resampled: Iterator[float | None], draws: int, progress: Progress | None) -> FloatArray:
    drawn: list[float] = []
    every = -(-draws // PROGRESS_CALLS)
    for done, value in enumerate(resampled, start=1):
        if value is not None:
            drawn.append(value)
        if progress is not None and (done % every == 0 or done == draws):
            progress(done, draws)
    return np.asarray(drawn)


def _bca_levels(
    observed: float, drawn: FloatArray, left_out: Iterator[tuple[float | None, int]], tail: float
) -> tuple[tuple[float, float], str]:
    """The quantiles to read instead of the tails: shifted by the median's bias and the skewness of the jackknife."""
    below = float((np.count_nonzero(drawn < observed) + np.count_nonzero(drawn == observed) / 2) / drawn.size)
    if not tail < below < 1 - tail:
        # The shift would read both ends off the last few draws: a point, and no more certain for it.
        return (tail, 1 - tail), " (nearly all draws on one side: percentiles)"
    pairs = [(value, weight) for value, weight in left_out if value is not None]
    values, weights = np.asarray([value for value, _ in pairs]), np.asarray([float(weight) for _, weight in pairs])
    if weights.sum() == 0:
        return (tail, 1 - tail), " (no jackknife: percentiles)"
    deviations = np.average(values, weights=weights) - values
    spread = float(np.dot(weights, deviations**2))
    acceleration = float(np.dot(weights, deviations**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    normal = NormalDist()
    bias = normal.inv_cdf(below)

    def level(at: float) -> float:
        shifted = bias + normal.inv_cdf(at)
        return normal.cdf(bias + shifted / max(1 - acceleration * shifted, np.finfo(np.float64).eps))

    return (level(tail), level(1 - tail)), ""
