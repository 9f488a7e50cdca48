"""How long servers and rooms last: Kaplan-Meier with delayed entry and right censoring, its median, the log-rank test.

Apart, because lifetimes are the one kind of number here that is mostly not over yet. An *age* is counted from the
unit's own beginning. A server that was already old when we first saw it enters late (left truncation: had it died
before, we would not know of it) and is at risk from its entry age on, not before; one that is still there leaves at its
present age without having died (right censoring). Times known only to lie between two crawls are the caller's to place.
lifelines does the fitting; importing it takes seconds and 75 MB, which those who only show numbers must not pay, so it
is imported when something is fitted. Empty and degenerate input: the policy in `analytics.estimate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtrc

from analytics.amounts import BoolArray, FloatArray, IntArray, checked_amounts
from analytics.estimate import Estimate, IntervalKind
from analytics.proportions import critical_value


@dataclass(frozen=True, slots=True)
class SurvivalPoint:
    """The curve from this age to the next: the share that survives it.

    `lo` and `hi` are the log-log interval (Greenwood's variance, exponential form), None while nobody has died and
    after nobody is left: the variance formula says nothing there. `at_risk` were there just before the age, `died` at
    it.
    """

    age: float
    survival: float
    lo: float | None
    hi: float | None
    at_risk: int
    died: int


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A Kaplan-Meier curve: right-continuous steps, from 1 at `survived_to` downwards.

    With delayed entry it is the survival of those that reached the age `survived_to`: the first age from which on there
    was always somebody at risk and nobody entered after the curve had come to 0. Where the risk set runs out, what went
    before cannot be joined to what comes after (Klein and Moeschberger 2003, section 4.6). `n` counts the units at risk
    after that age, `left_out` those that were not.
    """

    points: tuple[SurvivalPoint, ...]
    survived_to: float
    n: int
    left_out: int
    confidence: float

    def at(self, age: float) -> Estimate:
        """The share alive at an age. Range [0, 1]; none before `survived_to` or beyond the last age that was
        observed."""
        method = f"Kaplan-Meier at {age:g}, given survival to {self.survived_to:g}"
        if not self.points:
            return Estimate.unknown(0, method, "nobody was at risk")
        if age < self.survived_to or (age > self.points[-1].age and self.points[-1].survival > 0):
            return Estimate.unknown(self.n, method, "nobody was observed at that age")
        passed = [point for point in self.points if point.age <= age]
        point = passed[-1] if passed else SurvivalPoint(self.survived_to, 1.0, None, None, self.n, 0)
        kind = IntervalKind.NONE if point.lo is None else IntervalKind.CONFIDENCE
        return Estimate(point.survival, point.lo, point.hi, kind, self.n, method)

    def median(self) -> Estimate:
        """The first age that no more than half survive, with the ages at which the bounds of the curve fall to half.

        No value while more than half survive the last age observed. An upper bound that never falls to half leaves the
        interval open above. Brookmeyer and Crowley 1982, on the log-log scale.
        """
        method = f"median, Kaplan-Meier, given survival to {self.survived_to:g}"
        value = _first_age([(point.age, point.survival) for point in self.points])
        if value is None:
            return Estimate.unknown(
                self.n, method, "more than half survive the last age observed" if self.n else "nobody"
            )
        lo = _first_age([(point.age, point.lo) for point in self.points])
        hi = _first_age([(point.age, point.hi) for point in self.points])
        kind = IntervalKind.NONE if lo is None and hi is None else IntervalKind.CONFIDENCE
        return Estimate(value, lo, hi, kind, self.n, method)


def _first_age(curve: list[tuple[float, float | None]]) -> float | None:
    # Half within rounding: products of fractions that make exactly .5 come out a little above it.
    return next((age for age, share in curve if share is not None and share <= 0.5 * (1 + 1e-12)), None)


def kaplan_meier(
    ages: npt.ArrayLike, died: npt.ArrayLike, entry_ages: npt.ArrayLike | None = None, confidence: float = 0.95
) -> SurvivalCurve:
    """The survival curve of units that left observation at `ages`, by death where `died`, else alive.

    `entry_ages` are the ages from which on each was watched (0, or not given: from its beginning, so that a death at
    age 0 counts). Who enters late is at risk only *after* the entry age; an age not above it is never at risk. Kaplan
    and Meier 1958; delayed entry Tsai, Jewell and Wang 1987.

    Raises:
        ValueError: columns of unequal length, negative ages, or an exit before the entry.
    """
    critical_value(confidence)
    exits, deaths, entries = _checked(ages, died, entry_ages)
    survived_to = _survived_to(exits, deaths, entries)
    kept = (exits > survived_to) | ((exits == 0) & (survived_to == 0))
    kept &= _ever_at_risk(exits, entries)
    left_out = int(np.count_nonzero(~kept))
    exits, deaths, entries = exits[kept], deaths[kept], np.maximum(entries[kept], survived_to)
    points = _points(exits, deaths, entries, 1 - confidence) if exits.size else ()
    return SurvivalCurve(points, survived_to, exits.size, left_out, confidence)


@dataclass(frozen=True, slots=True)
class LogRank:
    """The log-rank test that groups die at the same rate at every age.

    `statistic` is chi-square with `degrees_of_freedom` if they do; `p_value` is the chance of one at least as large.
    Both None, with `why`, where nothing can be compared. `observed` and `expected` deaths are by group, in the order of
    `groups`.
    """

    statistic: float | None
    p_value: float | None
    degrees_of_freedom: int
    groups: tuple[str, ...]
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    n: int
    why: str = ""


def log_rank(
    ages: npt.ArrayLike, died: npt.ArrayLike, groups: Sequence[str], entry_ages: npt.ArrayLike | None = None
) -> LogRank:
    """Compare the survival of groups, with delayed entry as in `kaplan_meier`.

    At each age of death the deaths of each group are held against its share of the risk set. Statistic 0 when all die
    exactly as expected. Groups that were never at risk together with another are not compared: the degrees of freedom
    are the rank of the variance matrix, usually the number of groups less one. Mantel 1966. Our own sum, because
    lifelines' test ignores entry ages.

    Raises:
        ValueError: as for `kaplan_meier`, or not one group for each unit.
    """
    exits, deaths, entries = _checked(ages, died, entry_ages)
    if len(groups) != exits.size:
        raise ValueError("one group for each unit is needed")
    names, group = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    at_ages = np.unique(exits[deaths & _ever_at_risk(exits, entries)])
    at_risk = np.zeros((at_ages.size, names.size))
    dead = np.zeros_like(at_risk)
    for column in range(names.size):
        mine = (group == column) & _ever_at_risk(exits, entries)
        at_risk[:, column] = _at_risk(exits[mine], entries[mine], at_ages)
        dead[:, column] = _how_many(exits[mine & deaths], at_ages)
    everyone, all_dead = at_risk.sum(axis=1), dead.sum(axis=1)
    share = at_risk / everyone[:, None]
    expected = all_dead @ share
    # Hypergeometric: nothing varies where one unit is left.
    varies = all_dead * (everyone - all_dead) / np.maximum(everyone - 1, 1)
    variance = np.diag(varies @ share) - share.T @ (share * varies[:, None])
    surplus = dead.sum(axis=0) - expected
    # The surpluses of groups that were at risk together sum to 0: one of each such set says nothing new.
    _, together = connected_components(variance < 0, directed=False)
    kept = np.setdiff1d(np.arange(names.size), np.unique(together, return_index=True)[1])
    statistic = None
    if kept.size:
        statistic = max(0.0, float(surplus[kept] @ np.linalg.solve(variance[np.ix_(kept, kept)], surplus[kept])))
    return LogRank(
        statistic=statistic,
        p_value=None if statistic is None else float(chdtrc(kept.size, statistic)),
        degrees_of_freedom=kept.size,
        groups=tuple(str(name) for name in names),
        observed=tuple(int(count) for count in dead.sum(axis=0)),
        expected=tuple(float(count) for count in expected),
        n=int(np.count_nonzero(_ever_at_risk(exits, entries))),
        why="" if kept.size else "no two groups were at risk together when somebody died and somebody did not",
    )


def _checked(
    ages: npt.ArrayLike, died: npt.ArrayLike, entry_ages: npt.ArrayLike | None
) -> tuple[FloatArray, BoolArray, FloatArray]:
    exits, deaths = checked_amounts(ages), np.asarray(died, dtype=np.bool_)
    entries = np.zeros_like(exits) if entry_ages is None else checked_amounts(entry_ages)
    if not exits.shape == deaths.shape == entries.shape:
        raise ValueError("ages, deaths and entry ages must be equally long")
    if np.any(entries > exits):
        raise ValueError("a unit cannot leave before it entered")
    return exits, deaths, entries


def _ever_at_risk(exits: FloatArray, entries: FloatArray) -> BoolArray:
    """Watched from the beginning, a unit is at risk at age 0 too; otherwise only after the age of entry."""
    ever: BoolArray = (entries < exits) | (entries == 0)
    return ever


def _at_risk(exits: FloatArray, entries: FloatArray, at_ages: FloatArray) -> IntArray:
    """How many are at risk just before each age: entered earlier (or at the beginning) and not yet gone."""
    entered = np.searchsorted(np.sort(np.where(entries == 0, -1.0, entries)), at_ages, side="left")
    return entered - np.searchsorted(np.sort(exits), at_ages, side="left")


def _how_many(ages: FloatArray, at_ages: FloatArray) -> IntArray:
    ordered = np.sort(ages)
    return np.searchsorted(ordered, at_ages, side="right") - np.searchsorted(ordered, at_ages, side="left")


def _survived_to(exits: FloatArray, deaths: BoolArray, entries: FloatArray) -> float:
    """The age that the curve must be conditional on; 0 where it can start at the beginning."""
    kept = _ever_at_risk(exits, entries)
    exits, deaths, entries = exits[kept], deaths[kept], entries[kept]
    if exits.size == 0:
        return 0.0
    ages = np.unique(exits)
    at_risk = _at_risk(exits, entries, ages)
    everybody_left = at_risk == _how_many(exits, ages)
    everybody_died = at_risk == _how_many(exits[deaths], ages)
    start = float(entries.min())
    for age, all_dead in zip(ages[everybody_left], everybody_died[everybody_left], strict=True):
        later = entries[(entries >= age) & (entries > 0)]
        if later.size and (all_dead or later.min() > age):
            start = float(later.min())
    return start


def _points(exits: FloatArray, deaths: BoolArray, entries: FloatArray, alpha: float) -> tuple[SurvivalPoint, ...]:
    from lifelines import KaplanMeierFitter  # see the module

    # lifelines switches numpy's warnings off for the whole thread and never on again; errstate gives them back.
    with np.errstate():
        fitted = KaplanMeierFitter(alpha=alpha).fit(exits, deaths, entry=entries if entries.any() else None)
    ages = np.unique(exits)
    rows = np.searchsorted(fitted.timeline, ages)
    survival = fitted.survival_function_.to_numpy()[rows, 0]
    bounds = fitted.confidence_interval_.to_numpy()[rows]
    died, at_risk = _how_many(exits[deaths], ages), _at_risk(exits, entries, ages)
    points = []
    for row, age in enumerate(ages.tolist()):
        share = float(survival[row])
        # Before the first death and after the last unit lifelines says 1 to 1 and 0 to 0, as if it were certain.
        lo, hi = (float(bounds[row, 0]), float(bounds[row, 1])) if 0 < share < 1 else (None, None)
        points.append(SurvivalPoint(age, share, lo, hi, int(at_risk[row]), int(died[row])))
    return tuple(points)
