"""Two days of a chart of lines beside each other: both values with their intervals, and how far apart they are.

The interval of a difference is what the ends of both allow: from the least that the later can be less the most that the
earlier can be, to the reverse. Of bounds and scenarios that is all there is to say. Of two 95 % intervals it is wider
than a 95 % interval of the difference would be, which would need how the two estimates hang together: nobody knows.
Pure.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from analytics import wording
from dashboard.figures.drawing import Digest, Look, between
from dashboard.figures.lines import Lines, change

Row = Mapping[str, Any]

_DIGITS = 12
"""After the point: what is further behind is the arithmetic's."""


def census_of(rows: pl.DataFrame, day: date) -> datetime | None:
    """The moment of the last census of a day (UTC) or before it; None when there is none."""
    before = rows.filter(pl.col("at") < _end(day))["at"].max()
    return before if isinstance(before, datetime) else None


def as_of(frame: pl.DataFrame, day: date) -> Row | None:
    """The number of a line at the last census of a day (UTC) or before it; None when there is none, or it is not
    known."""
    before = frame.filter(pl.col("at") < _end(day))
    found = before.row(-1, named=True) if before.height else None
    return found if found and found["value"] is not None else None


def comparison(drawing: Lines, rows: pl.DataFrame, look: Look, first: date, second: date) -> Digest:
    """A row for each line."""
    body = []
    for line, frame in drawing.drawn(rows, look, fold=False):
        if line.is_loose:
            continue
        then, now = as_of(frame, first), as_of(frame, second)
        moved, reach = wording.NOT_KNOWN, ""
        if then and now:
            moved = change(then["value"], now["value"], shares=drawing.in_shares(look))
            reach = _reach(drawing, then, now, look)
        body.append((line.label, _told(drawing, then, look), _told(drawing, now, look), moved, reach))
    headings = ("", wording.day(_moment(first)), wording.day(_moment(second)), "difference", "what the intervals allow")
    return Digest(headings, tuple(body), right=(1, 2, 3))


def _told(drawing: Lines, row: Row | None, look: Look) -> str:
    if row is None:
        return wording.NOT_KNOWN
    if row["lo"] == row["value"] and row["hi"] is None:
        return f"at least {drawing.amount(row['value'], look)}"
    interval = between(row["lo"], row["hi"], lambda end: drawing.amount(end, look))
    return f"{drawing.amount(row['value'], look)} ({interval})" if interval else drawing.amount(row["value"], look)


def _reach(drawing: Lines, then: Row, now: Row, look: Look) -> str:
    """The ends of the difference, signed, and whether zero is between them."""
    if any(row[end] is None for row in (then, now) for end in ("lo", "hi")):
        return ""
    lo, hi = (round(end, _DIGITS) for end in (now["lo"] - then["hi"], now["hi"] - then["lo"]))
    if lo == hi:
        return ""  # counted both times
    word = "a change" if lo > 0 or hi < 0 else "may be none"
    return f"{_signed(drawing, lo, look)} to {_signed(drawing, hi, look)}: {word}"


def _signed(drawing: Lines, difference: float, look: Look) -> str:
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    size = abs(difference)
    return f"{sign}{wording.points(size) if drawing.in_shares(look) else wording.fine(size)}"


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date) -> datetime:
    return _moment(day) + timedelta(days=1)
