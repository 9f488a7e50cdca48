"""The axis of numbers over time: how far it reaches, what a reader must know of it, the digits of its ticks.

Pure.
"""

import math
from collections.abc import Sequence

import polars as pl

BAND_REACH = 2.5
"""A band makes the axis no longer than so many times the largest value: a model that says "at most very many" would
flatten everything else. The table tells its ends."""


def reach(frames: Sequence[pl.DataFrame], *, logarithmic: bool) -> tuple[float, float, float]:
    """The ends of the axis that hold every value and band, and how far apart they are. Linear axes begin at zero if
    that costs less than half of the height."""
    values = [float(number) for frame in frames for number in frame["value"].drop_nulls()]
    ends = [float(number) for frame in frames for name in ("lo", "hi") for number in frame[name].drop_nulls()]
    furthest = max(values, default=1.0) * BAND_REACH
    numbers = [n for n in (*values, *(min(end, furthest) for end in ends)) if not logarithmic or n > 0]
    least, most = min(numbers, default=0.0), max(numbers, default=1.0)
    if logarithmic:
        low, high = math.log10(least or 1), math.log10(most or 1)
        room = max((high - low) * 0.06, 0.05)
        return low - room, high + room, high - low
    # What never changed is drawn above zero, for it has no spread to show.
    low = least if least < 0 or (least > most * 0.5 and least < most) else 0.0
    high = most if most > low else low + 1
    room = (high - low) * 0.06
    return low - (room if low else 0), high + room, high - low


def note(frames: Sequence[pl.DataFrame], lo: float, *, logarithmic: bool) -> str:
    """What a reader must know of the axis."""
    if not logarithmic:
        return "the axis does not begin at zero" if lo > 0 else ""
    has_zero = any((frame["value"] <= 0).any() for frame in frames)
    return "a logarithmic axis has no zero: where a line breaks off, it may be" if has_zero else ""


def share_format(spread: float, *, logarithmic: bool) -> str:
    """As many digits as tell the ticks of a share's axis apart; on a logarithmic one as many as each needs."""
    if logarithmic:
        return ".2~%"
    digits = 0 if spread >= 0.1 else 1 if spread >= 0.01 else 2 if spread >= 0.001 else 3
    return f".{digits}%"
