"""How many there are in all, from k overlapping lists that may depend on each other: log-linear models.

Apart from `analytics.population`, because two lists cannot show their own dependence and three or more can, and because
it needs scipy's optimiser. Each model is a Poisson regression on the 2^k - 1 cells that can be seen ("in A and C, not
in B") with a main effect for each list and some of the pairwise interactions; the cell that nobody sees is extrapolated
(Fienberg 1972; Cormack 1989). Models are averaged by AIC, and the interval holds both the error within the models and
the spread between them (Buckland, Burnham and Augustin 1997). No interaction of three lists is ever in a model, and the
missing cell's own interaction of all lists can never be tested: that assumption stays.
"""

import itertools
import math
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.optimize import linprog

from analytics.amounts import FloatArray, IntArray, checked_counts
from analytics.estimate import Estimate
from analytics.poisson import poisson_regression
from analytics.population import log_normal_estimate

METHOD = "log-linear, averaged by AIC"

LISTS_MAX = 8
"""2^8 cells; with more lists than that most cells are empty and the models say nothing."""

SUBSETS_MAX = 64
"""Up to this many sets of interactions (4 lists) all are fitted; beyond it they are added one by one, the best
first."""

POSITIVE = 1e-3
"""A cell above this is positive: the programme's data are whole numbers and its corners simple fractions of them; its
tolerance is 1e-7."""

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class CaptureTable:
    """Who is in which lists: `cells[h]` counts the units whose lists are the bits of h, the first list being bit 0.

    `cells[0]`, those in no list, is what is sought and is 0 here.
    """

    lists: tuple[str, ...]
    cells: IntArray

    def __post_init__(self) -> None:
        """Raise ValueError unless there are 2 to `LISTS_MAX` lists and one count for each cell."""
        if not 2 <= len(self.lists) <= LISTS_MAX:
            raise ValueError(f"log-linear models take 2 to {LISTS_MAX} lists, not {len(self.lists)}")
        if checked_counts(self.cells).size != 2 ** len(self.lists) or self.cells[0] != 0:
            raise ValueError("a count for each combination of lists is needed, and 0 for none of them")

    @property
    def seen(self) -> int:
        """How many units are in any list."""
        return int(self.cells.sum())


def capture_table(lists: Mapping[str, Collection[Hashable]]) -> CaptureTable:
    """Cross the lists. A unit named twice in one list counts once.

    Raises:
        ValueError: fewer than 2 or more than `LISTS_MAX` lists.
    """
    in_lists: dict[Hashable, int] = {}
    for bit, members in enumerate(lists.values()):
        for member in members:
            in_lists[member] = in_lists.get(member, 0) | 1 << bit
    histories = np.fromiter(in_lists.values(), dtype=np.int64, count=len(in_lists))
    return CaptureTable(tuple(lists), np.bincount(histories, minlength=2 ** len(lists)).astype(np.int64))


@dataclass(frozen=True, slots=True)
class LogLinearModel:
    """One fitted model: which lists interact, the population it finds, and its weight in the average (0 to 1)."""

    interactions: tuple[tuple[str, str], ...]
    value: float
    standard_error: float
    aic: float
    weight: float


@dataclass(frozen=True, slots=True)
class LogLinearAverage:
    """The averaged estimate and the models behind it, the best first.

    `left_out` counts the models whose likelihood has no maximum (too many empty cells for their interactions).
    """

    estimate: Estimate
    models: tuple[LogLinearModel, ...]
    left_out: int


def log_linear(table: CaptureTable) -> LogLinearAverage:
    """The size of a population from k lists, averaged over models with and without pairwise interactions.

    At least the number seen. Two lists can only be taken as independent: then it is Lincoln-Petersen, n1 n2/m. No value
    when fewer than two lists have anybody in them, or when no model has a maximum (lists that share nobody). Lists with
    nobody in them are left aside. The interval is log-normal on the number unseen, 95 %. `n` is the number of units
    seen.
    """
    used = _used_lists(table)
    if len(used) < 2:
        return LogLinearAverage(Estimate.unknown(table.seen, METHOD, "fewer than two lists found anybody"), (), 0)
    set_aside = len(table.lists) - len(used)
    table = _only(table, used)
    fits, left_out = _fit_models(table)
    if not fits:
        why = "no model has a maximum: the lists share too little, or one holds another"
        return LogLinearAverage(Estimate.unknown(table.seen, METHOD, why), (), left_out)
    models = _weighted(table, fits)
    unseen = sum(model.weight * (model.value - table.seen) for model in models)
    value = table.seen + unseen
    error = sum(model.weight * math.hypot(model.standard_error, model.value - value) for model in models)
    method = f"{METHOD} over {len(models)} models of {len(table.lists)} lists"
    if set_aside:
        method += f", {set_aside} empty lists set aside"
    return LogLinearAverage(log_normal_estimate(table.seen, unseen, error**2, table.seen, method), models, left_out)


@dataclass(frozen=True, slots=True)
class _Fit:
    pairs: tuple[Pair, ...]
    unseen: float
    standard_error: float
    aic: float


def _fit_models(table: CaptureTable) -> tuple[list[_Fit], int]:
    k = len(table.lists)
    # Two lists have three cells: two main effects and the level use them up.
    pairs = tuple(itertools.combinations(range(k), 2)) if k > 2 else ()
    everything = 2 ** len(pairs) <= SUBSETS_MAX
    fits: list[_Fit] = []
    left_out = 0
    for step in _all_subsets(pairs) if everything else _one_more_each(pairs, fits):
        found = [_fit(table, chosen) for chosen in step]
        left_out += found.count(None)
        fits.extend(fit for fit in found if fit is not None)
    return fits, left_out


def _all_subsets(pairs: Sequence[Pair]) -> Iterator[list[tuple[Pair, ...]]]:
    for size in range(len(pairs) + 1):
        yield list(itertools.combinations(pairs, size))


def _one_more_each(pairs: Sequence[Pair], fits: list[_Fit]) -> Iterator[list[tuple[Pair, ...]]]:
    """Forward: from the independent model, all that have one interaction more than the best one so far of each size."""
    yield [()]
    for size in range(len(pairs)):
        of_this_size = [fit for fit in fits if len(fit.pairs) == size]
        if not of_this_size:
            return
        best = min(of_this_size, key=lambda fit: fit.aic)
        yield [(*best.pairs, pair) for pair in pairs if pair not in best.pairs]


def _fit(table: CaptureTable, pairs: tuple[Pair, ...]) -> _Fit | None:
    """One model; None where the likelihood has no maximum."""
    design, counts = _design(len(table.lists), pairs), table.cells[1:].astype(np.float64)
    fitted = poisson_regression(design, counts) if _has_maximum(design, counts) else None
    if fitted is None:
        return None
    unseen = math.exp(fitted.coefficients[0])
    variance = unseen + unseen**2 * float(fitted.covariance[0, 0])
    return _Fit(pairs, unseen, math.sqrt(variance), fitted.aic)


def _design(k: int, pairs: Sequence[Pair]) -> FloatArray:
    """A row for each cell that can be seen, a column for the level, each list and each interaction.

    The row of the unseen cell would be (1, 0, ..., 0): its expectation is exp(level).
    """
    histories = np.arange(1, 2**k)
    in_list = (histories[:, None] >> np.arange(k)) & 1
    both = [in_list[:, a] * in_list[:, b] for a, b in pairs]
    return np.column_stack([np.ones(histories.size), in_list, *both]).astype(np.float64)


def _has_maximum(design: FloatArray, counts: FloatArray) -> bool:
    """Whether the Poisson likelihood has a maximum: the margins must be reached by cells that are all positive.

    Fienberg and Rinaldo 2012. A linear programme: the largest s such that cells of at least s have the margins of the
    data.
    """
    cells, parameters = design.shape
    margins = design.T @ counts
    answer = linprog(
        c=np.append(np.zeros(cells), -1.0),
        A_eq=np.hstack([design.T, np.zeros((parameters, 1))]),
        b_eq=margins,
        A_ub=np.hstack([-np.eye(cells), np.ones((cells, 1))]),
        b_ub=np.zeros(cells),
        bounds=[(0, None)] * cells + [(None, 1)],
    )
    return bool(answer.success) and -answer.fun > POSITIVE


def _weighted(table: CaptureTable, fits: Sequence[_Fit]) -> tuple[LogLinearModel, ...]:
    best = min(fit.aic for fit in fits)
    likelihoods = [math.exp((best - fit.aic) / 2) for fit in fits]
    models = (
        LogLinearModel(
            interactions=tuple((table.lists[a], table.lists[b]) for a, b in fit.pairs),
            value=table.seen + fit.unseen,
            standard_error=fit.standard_error,
            aic=fit.aic,
            weight=likelihood / sum(likelihoods),
        )
        for fit, likelihood in zip(fits, likelihoods, strict=True)
    )
    return tuple(sorted(models, key=lambda model: model.aic))


def _used_lists(table: CaptureTable) -> list[int]:
    histories = np.arange(table.cells.size)
    return [bit for bit in range(len(table.lists)) if table.cells[(histories >> bit) & 1 == 1].any()]


def _only(table: CaptureTable, bits: Sequence[int]) -> CaptureTable:
    """The table of these lists; the others must have nobody in them."""
    histories = np.arange(table.cells.size)
    compact = np.zeros_like(histories)
    for place, bit in enumerate(bits):
        compact |= ((histories >> bit) & 1) << place
    cells = np.zeros(2 ** len(bits), dtype=np.int64)
    np.add.at(cells, compact, table.cells)
    return CaptureTable(tuple(table.lists[bit] for bit in bits), cells)
