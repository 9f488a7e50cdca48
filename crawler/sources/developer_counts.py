"""How many developers there were on each day: distinct people with a commit in a window that ends with it. Pure.

A commit on day d is in the windows of w days that end on d to d + w - 1. So each person is a few stretches of days, and
how many people there are on a day is a sum over the beginnings and ends of stretches, for all days at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta

WINDOWS_D = (30, 90, 365)
YEAR_D = 365

Days = Mapping[str, Set[date]]
"""Person -> days with a commit."""


@dataclass(frozen=True, slots=True)
class Count:
    """From `day` on until the next count of the same window; see `developer_count`."""

    day: date
    window_d: int
    authors: int
    fewest: int
    most: int
    new_authors: int


@dataclass(frozen=True, slots=True)
class Month:
    """See `developer_month`."""

    month: date
    authors: int
    new_authors: int
    commits: int


def grouped(days: Days, family_of: Mapping[str, str]) -> dict[str, set[date]]:
    """The days of each family."""
    of: dict[str, set[date]] = {}
    for address, its in days.items():
        of.setdefault(family_of[address], set()).update(its)
    return of


def counts(authors: Days, fewest: Days, most: Days, until: date) -> Iterator[Count]:
    """The counts of every day on which one changes, up to `until`.

    Args:
        authors, fewest, most: Days by person, the persons told apart in three ways.
        until: The last day that is known; windows that end later are not counted.
    """
    for window_d in WINDOWS_D:
        firsts = {person: {min(days)} for person, days in authors.items()}
        changes = [_changes(days.values(), window_d) for days in (authors, fewest, most, firsts)]
        totals = [0, 0, 0, 0]
        for day in sorted(set().union(*changes)):
            if day > until:
                break
            totals = [total + change[day] for total, change in zip(totals, changes, strict=True)]
            yield Count(day, window_d, *totals)


def months(authors: Days, commits: Mapping[date, int]) -> Iterator[Month]:
    """Those that have a commit, in their order."""
    active: Counter[date] = Counter()
    first: Counter[date] = Counter()
    for days in authors.values():
        its = {day.replace(day=1) for day in days}
        active.update(its)
        first[min(its)] += 1
    for month in sorted(active):
        yield Month(month, active[month], first[month], commits[month])


def overlap(one: Days, other: Days, until: date) -> Iterator[tuple[date, int]]:
    """How many people have a commit in both within a year, from each day on which that changes."""
    changes: Counter[date] = Counter()
    for person in one.keys() & other.keys():
        for start, end in _both(stretches(one[person], YEAR_D), stretches(other[person], YEAR_D)):
            changes[start] += 1
            changes[end] -= 1
    total = 0
    for day in sorted(changes):
        if day > until:
            break
        total += changes[day]
        yield day, total


ACTIVE_D = 90
"""A repository is active on a day if a person committed to it within so many days that end with it."""


def activity(repositories: Mapping[str, Set[date]]) -> Iterator[tuple[str, date | None, date | None]]:
    """When each repository was active; see `repository_activity`. One without a day never was."""
    for repository, days in sorted(repositories.items()):
        if not days:
            yield repository, None, None
        for start, end in stretches(days, ACTIVE_D):
            yield repository, start, end


def stretches(days: Iterable[date], window_d: int) -> list[tuple[date, date]]:
    """The stretches of days whose windows hold one of `days`; each from its first day to the one after its last."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        end = day + timedelta(days=window_d)
        if found and day <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((day, end))
    return found


def _changes(people: Iterable[Set[date]], window_d: int) -> Counter[date]:
    changes: Counter[date] = Counter()
    for days in people:
        for start, end in stretches(days, window_d):
            changes[start] += 1
            changes[end] -= 1
    return changes


def _both(one: list[tuple[date, date]], other: list[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    for start, end in one:
        for other_start, other_end in other:
            first, last = max(start, other_start), min(end, other_end)
            if first < last:
                yield first, last
