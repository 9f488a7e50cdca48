"""How numbers, times and shares are written for people: the same on the command line and on the dashboard.

Thin spaces between thousands, one decimal for shares, durations in the largest fitting unit, days as 23 Nov 2026, times
in UTC and saying so. What is not known is called so, never zero.
"""

import math
from datetime import datetime

from analytics.estimate import IntervalKind
from analytics.schemas import MetricRow

THIN_SPACE = "\u202f"
"""NARROW NO-BREAK SPACE: thin, and a number never breaks over two lines."""

NOT_KNOWN = "not known"

_WIDE = 0.02
"""An interval is wide when it spans more than this share of its value; digits past the third then say nothing."""

_WHOLE_FROM = 1000

_FINE_BELOW = 10

_LEAST_S = 0.0005

_ROUNDED_BELOW, _TOLD_FROM, _NOISE = 0.1, 0.00005, 1e-9
"""Per cent: what one decimal says little of, what four make zero, and what is nothing but the arithmetic."""

_UNITS_S = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def number(value: float | None) -> str:
    """`11 842`, `3.5`; one decimal below a thousand, none above, none that is zero."""
    if value is None:
        return NOT_KNOWN
    rounded = round(value, 1 if abs(value) < _WHOLE_FROM else 0)
    text = f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"
    return text.replace(",", THIN_SPACE)


def fine(value: float | None) -> str:
    """`0.381`, `0.0042`: three significant digits below ten, where a decimal says too little; else as `number`."""
    if value is None or value == int(value) or abs(value) >= _FINE_BELOW:
        return number(value)
    rounded = significant(value)
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def amount(row: MetricRow) -> str:
    """The value of a row: finely where it is a share or an index."""
    return fine(row.value)


def significant(value: float, digits: int = 3) -> float:
    """`value` rounded to `digits` significant digits."""
    if value == 0:
        return 0.0
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def headline(row: MetricRow) -> tuple[str, str]:
    """The word before the number of a row, and the number: three significant digits and `about` where its interval is
    wide, `at least` where it is open above, else no word."""
    if row.value is None:
        return "", NOT_KNOWN
    if row.lo is not None and row.hi is None:
        return "at least", number(row.value)
    wide = row.lo is not None and row.hi is not None and row.hi - row.lo > _WIDE * abs(row.value)
    return ("about", number(significant(row.value))) if wide else ("", number(row.value))


def interval(row: MetricRow) -> str:
    """What the interval of a row says: `at least 11 842`, `11 801 to 12 960`; empty when there is none, or no width."""
    if row.lo == row.hi:
        return ""
    if row.hi is None:
        return f"at least {fine(row.lo)}"
    if row.lo is None:
        return f"at most {fine(row.hi)}"
    kind = "" if row.interval_kind is not IntervalKind.SCENARIO else " (scenario)"
    return f"{fine(row.lo)} to {fine(row.hi)}{kind}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as `81.3 %`; one that would be rounded to none or to all with the digits that tell: `0.03 %`,
    `99.996 %`."""
    return NOT_KNOWN if share is None else f"{_per_cent(share * 100)}{THIN_SPACE}%"


def points(difference: float) -> str:
    """The size of a difference of two shares, as `1.2 points`, `0.03 points`."""
    return f"{_per_cent(difference * 100)} points"


def _per_cent(told: float) -> str:
    if _NOISE < abs(told) < _TOLD_FROM:
        return f"under {2 * _TOLD_FROM:.4f}"
    gap = min(abs(told), abs(100 - told))
    return f"{told:.{-math.floor(math.log10(gap)) if _TOLD_FROM <= gap < _ROUNDED_BELOW else 1}f}"


def duration(seconds: float | None) -> str:
    """`12 ms`, `3.2 s`, `1.5 min`, `2 h`, `3 d`."""
    if seconds is None:
        return NOT_KNOWN
    for size, unit in _UNITS_S:
        if seconds >= size:
            return f"{number(seconds / size)}{THIN_SPACE}{unit}"
    if 0 < seconds < _LEAST_S:
        return f"under 1{THIN_SPACE}ms"
    return f"{seconds * 1000:.0f}{THIN_SPACE}ms"


def day(time: datetime) -> str:
    """`23 Nov 2026`."""
    return f"{time.day} {time:%b %Y}"


def moment(time: datetime | None) -> str:
    """`23 Nov 2026, 03:10 UTC`; `time` is aware and in UTC."""
    return NOT_KNOWN if time is None else f"{day(time)}, {time:%H:%M} UTC"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 server`, `2 servers`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
