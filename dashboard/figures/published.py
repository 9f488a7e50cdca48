"""Figures that others published, each a point by itself: they count other things than a census, and each another."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Digest, Look
from dashboard.figures.template import safe, template
from dashboard.palette import PALETTES

HEIGHT_PX = 340
_HUES = {"users": 0, "servers": 1, "rooms": 2}
_ROOM = timedelta(days=300)
"""Beside the first and the last point, for what is written over them."""


@dataclass(frozen=True, slots=True)
class Published:
    """Rows have `happened_on`, `precision`, `kind`, `title`, `value`, `unit`, `source`, `checked`."""

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """A point for each figure, on a logarithmic scale, since they are of such different things; no line."""
        palette = PALETTES[look.scheme]
        known = rows.drop_nulls("value").to_dicts()
        figure = go.Figure(layout={"template": template(look.scheme), "height": HEIGHT_PX})
        figure.add_scatter(
            x=[row["happened_on"].isoformat() for row in known],
            y=[row["value"] for row in known],
            mode="markers",
            cliponaxis=False,
            marker={"size": 9, "color": [palette.hue(_HUES.get(row["unit"], -1)) for row in known]},
            customdata=[
                f"{_day(row)}: {wording.number(row['value'])} {safe(row['unit'])}<br>{safe(row['title'])}"
                for row in known
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
        days = [row["happened_on"] for row in known]
        first, last = min(days) - _ROOM, max(days) + _ROOM
        figure.update_layout(
            margin={"l": 8, "r": 12, "t": 24, "b": 36},
            annotations=[
                {
                    "x": row["happened_on"].isoformat(),
                    "y": math.log10(row["value"]),
                    "yanchor": "bottom",
                    "yshift": 5,
                    "text": _short(row),
                    "showarrow": False,
                    "font": {"size": 12, "color": palette.text},
                }
                for row in known
            ],
            # On a narrow screen they would stand on each other; the table has them.
            meta={"narrow": {"margin.r": 13, "annotations": [], "xaxis.nticks": 4}, "note": "logarithmic scale"},
        )
        figure.update_xaxes(
            type="date", range=[first.isoformat(), last.isoformat()], showgrid=False, showline=True,
            linecolor=palette.line, nticks=7, tickangle=0, tickfont={"color": palette.quiet, "size": 12},
        )  # fmt: skip
        figure.update_yaxes(
            type="log", showgrid=True, dtick=1, separatethousands=True, exponentformat="none",
            tickfont={"color": palette.quiet, "size": 12},
        )  # fmt: skip
        return figure

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """How many there are, and what they are not."""
        del look
        figures = rows["value"].count()
        return (
            f"{wording.plural(figures, 'figure')} that others published and "
            f"{wording.plural(rows.height - figures, 'event')}, from {_day(rows.row(0, named=True))} to "
            f"{_day(rows.row(-1, named=True))}. They are joined to no number of this census: they count other things."
        )

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """All of them, with who says so."""
        del look
        body = [
            (
                _day(row),
                row["title"],
                "" if row["value"] is None else _in_full(row),
                row["source"],
                row["checked"],
            )
            for row in rows.iter_rows(named=True)
        ]
        return Digest(("when", "what", "figure", "who says so", "checked"), tuple(body), right=(2,))


def _day(row: dict[str, Any]) -> str:
    return when_known(row["happened_on"], row["precision"])


def _in_full(row: dict[str, Any]) -> str:
    return f"{wording.number(row['value'])} {safe(row['unit'])}"


def _short(row: dict[str, Any]) -> str:
    """`112 M users`: the table says it in full."""
    for size, mark in ((1e6, "M"), (1e3, "k")):
        if row["value"] >= size:
            return f"{row['value'] / size:.3g}{wording.THIN_SPACE}{mark} {safe(row['unit'])}"
    return f"{row['value']:g} {safe(row['unit'])}"


def when_known(day: date, precision: str) -> str:
    """`8 Jul 2026`, or `Apr 2025` where no day is known."""
    return wording.day(datetime.combine(day, time(), UTC)) if precision == "day" else f"{day:%b %Y}"
