"""What stands across time in a picture of lines: what happened meanwhile, and the days that a reader compares.

Each is a vertical and a short text; on a narrow screen both stay, since the names of the lines leave.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from analytics import wording
from dashboard.figures.drawing import Look
from dashboard.figures.template import faded, safe
from dashboard.palette import Palette

_Drawn = list[dict[str, Any]]


def marks(rows: pl.DataFrame, look: Look, palette: Palette) -> tuple[_Drawn, _Drawn]:
    """Verticals and their texts, of what lies between the first and the last moment of `rows`."""
    first, last = rows["at"].min(), rows["at"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return [], []
    verticals: _Drawn = []
    texts: _Drawn = []
    for event in look.events:
        if first <= event.at <= last:
            day = f"{event.at:%Y-%m-%d}"
            verticals.append(_vertical(day, {"color": palette.quiet, "width": 1, "dash": "dash"}))
            texts.append(
                {
                    "x": day, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
                    "text": safe(event.label), "hovertext": safe(f"{event.when}: {event.text}"),
                    "font": {"size": 11, "color": palette.quiet},
                }
            )  # fmt: skip
    compared = sorted(at for at in look.compared if first <= at <= last)
    for at in compared:
        moment = f"{at:%Y-%m-%d %H:%M}"
        verticals.append(_vertical(moment, {"color": palette.text, "width": 1.5}))
        texts.append(_day(at, moment, palette, is_left=_is_left(at, compared, first, last)))
    return verticals, texts


def _is_left(at: datetime, compared: Sequence[datetime], first: datetime, last: datetime) -> bool:
    """Whether its day stands on the left of its vertical: of two away from each other, of one where there is room."""
    return at == compared[0] if len(compared) > 1 else at - first > last - at


def _day(at: datetime, moment: str, palette: Palette, *, is_left: bool) -> dict[str, Any]:
    return {
        "x": moment, "y": 1, "yref": "paper", "yanchor": "top", "showarrow": False, "text": wording.day(at),
        "xanchor": "right" if is_left else "left", "xshift": -3 if is_left else 3,
        "font": {"size": 12, "color": palette.text}, "bgcolor": faded(palette.background, 0.8),
    }  # fmt: skip


def _vertical(x: str, line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "paper", "line": line}
