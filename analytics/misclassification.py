"""The true share behind an imperfect classifier: Rogan-Gladen, with its errors taken from a labelled audit.

Apart, because a share of flagged rooms is no prevalence: with 1 % spam and a specificity of 95 %, most flags are wrong.
Empty and degenerate input: the policy in `analytics.estimate`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from analytics.amounts import BoolArray, FloatArray, IntArray, checked_amounts, checked_whole
from analytics.bootstrap import DRAWS, PROGRESS_CALLS, Progress
from analytics.estimate import Estimate, IntervalKind


def rogan_gladen(flagged_share: float, sensitivity: float, specificity: float) -> float | None:
    """The prevalence (p + Sp - 1)/(Se + Sp - 1), *not* clipped: outside [0, 1] when the errors alone explain more flags
    (or fewer) than there are.

    None when Se + Sp is 1 or less: such a classifier says no more than chance. Rogan and Gladen 1978.

    Raises:
        ValueError: a share that is not in [0, 1].
    """
    if not all(0 <= share <= 1 for share in (flagged_share, sensitivity, specificity)):
        raise ValueError("shares lie in [0, 1]")
    informedness = sensitivity + specificity - 1
    return (flagged_share + specificity - 1) / informedness if informedness > 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Labelled items: what the classifier said, what a person said, and how the item was drawn.

    `weight` is how many items of the population each stands for (1 over its chance of being drawn): an audit that draws
    as many flagged as unflagged items would otherwise overstate the sensitivity. Items are drawn again within their
    `stratum` when the audit is resampled.
    """

    flagged: BoolArray
    truly: BoolArray
    weight: FloatArray
    stratum: IntArray

    def __post_init__(self) -> None:
        """Raise ValueError unless all columns are equally long and the weights are amounts."""
        checked_amounts(self.weight)
        if not self.flagged.shape == self.truly.shape == self.weight.shape == self.stratum.shape:
            raise ValueError("an audit has one flag, one label, one weight and one stratum for each item")

    @classmethod
    def of_items(
        cls,
        flagged: npt.ArrayLike,
        truly: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
        stratum: npt.ArrayLike | None = None,
    ) -> Self:
        """From columns; without weights every item counts the same, without strata all are drawn from one pot."""
        flags = np.asarray(flagged, dtype=np.bool_)
        return cls(
            flagged=flags,
            truly=np.asarray(truly, dtype=np.bool_),
            weight=np.ones(flags.shape) if weight is None else checked_amounts(weight),
            stratum=np.zeros(flags.shape, dtype=np.int64)
            if stratum is None
            else np.unique(stratum, return_inverse=True)[1],
        )

    @classmethod
    def of_counts(cls, true_positives: int, false_negatives: int, true_negatives: int, false_positives: int) -> Self:
        """From the four cells of an audit that drew items that truly are and truly are not separately."""
        cells = (true_positives, false_negatives, true_negatives, false_positives)
        times = [checked_whole(cell, "an audit's cell") for cell in cells]
        truly = np.repeat([True, True, False, False], times)
        return cls.of_items(np.repeat([True, False, False, True], times), truly, stratum=truly)

    def sensitivity(self) -> float | None:
        """The share of those that truly are which are flagged; None when the audit has none."""
        return _share(self.weight, self.truly, self.flagged)

    def specificity(self) -> float | None:
        """The share of those that truly are not which are not flagged; None when the audit has none."""
        return _share(self.weight, ~self.truly, ~self.flagged)


def _share(weight: FloatArray, of: BoolArray, which: BoolArray) -> float | None:
    whole = float(weight[of].sum())
    return min(1.0, float(weight[of & which].sum()) / whole) if whole > 0 else None


def corrected_prevalence(
    flagged: int,
    screened: int,
    audit: Audit,
    *,
    rng: np.random.Generator,
    screened_is_census: bool,
    draws: int = DRAWS,
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> Estimate:
    """The prevalence among what was screened, by Rogan-Gladen, clipped to [0, 1].

    0 means that the audit's false alarms alone explain every flag, 1 that they and the misses explain every item that
    is not flagged. The interval is the percentile bootstrap over the audit's items, each draw clipped like the value;
    with `screened_is_census=False` the flagged share is drawn again too. A draw for which there is no prevalence (no
    item of one kind, or a classifier no better than chance) counts as 0 for the lower end and as 1 for the upper, so
    that an audit that is too small widens the interval instead of narrowing it. No value when nothing was screened or
    the audit itself gives no prevalence. `n` is the number of audited items. Rogan and Gladen 1978; clipping as in Lang
    and Reiczigel 2014.

    Raises:
        ValueError: more flagged than screened, or numbers that are no counts.
    """
    hits, n = checked_whole(flagged, "flagged"), checked_whole(screened, "screened")
    if hits > n:
        raise ValueError(f"{hits} flagged of {n}")
    if not 0 < confidence < 1 or draws < 1:
        raise ValueError("a confidence lies between 0 and 1, and at least one draw is needed")
    audited = int(audit.flagged.size)
    if n == 0:
        return Estimate.unknown(audited, "Rogan-Gladen", "nothing was screened")
    value = _clipped(hits / n, audit)
    if value is None:
        return Estimate.unknown(audited, "Rogan-Gladen", "the audit cannot tell the classifier from chance")
    shares = np.full(draws, hits / n) if screened_is_census else rng.binomial(n, hits / n, draws) / n
    drawn: list[float | None] = []
    every = -(-draws // PROGRESS_CALLS)
    for done, (share, again) in enumerate(zip(shares.tolist(), _resampled(audit, rng), strict=False), start=1):
        drawn.append(_clipped(share, again))
        if progress is not None and (done % every == 0 or done == draws):
            progress(done, draws)
    tail = (1 - confidence) / 2
    lo = float(np.quantile([0.0 if x is None else x for x in drawn], tail))
    hi = float(np.quantile([1.0 if x is None else x for x in drawn], 1 - tail))
    method = f"Rogan-Gladen, bootstrap, {draws} draws, {confidence:.4g}"
    return Estimate(value, min(lo, value), max(hi, value), IntervalKind.CONFIDENCE, audited, method)


def _clipped(flagged_share: float, audit: Audit) -> float | None:
    sensitivity, specificity = audit.sensitivity(), audit.specificity()
    if sensitivity is None or specificity is None:
        return None
    prevalence = rogan_gladen(flagged_share, sensitivity, specificity)
    return None if prevalence is None else min(max(0.0, prevalence), 1.0)


def _resampled(audit: Audit, rng: np.random.Generator) -> Iterator[Audit]:
    """Without end: the audit with the items of each stratum drawn again, with replacement."""
    strata = [np.flatnonzero(audit.stratum == stratum) for stratum in np.unique(audit.stratum)]
    while True:
        rows = np.concatenate([rng.choice(stratum, stratum.size) for stratum in strata])
        yield Audit(audit.flagged[rows], audit.truly[rows], audit.weight[rows], audit.stratum[rows])
