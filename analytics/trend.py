"""How a number changed: the newest census against the last one that is at least so many days older.

As `analytics.growth` does, apart for numbers of any metric: without a census old enough the change is not known, and
nothing is scaled to another length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Point:
    """A number at the seal of a census; None where it was not known."""

    at: datetime
    value: float | None
    lo: float | None = None
    hi: float | None = None


def before(points: Sequence[Point], days: int) -> Point | None:
    """The last of `points` (oldest first) with a value that is at least `days` older than the newest; None when there
    is none."""
    if not points:
        return None
    latest = points[-1].at - timedelta(days=days)
    return next((point for point in reversed(points) if point.at <= latest and point.value is not None), None)
