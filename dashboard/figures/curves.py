"""Curves over something that is no time: what is left as the largest go, how a share grows with how many are counted.

Rows have `line`, `x`, `value`, `lo`, `hi`, in the order of x. The same bands and names at the ends as `figures.lines`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Digest, Look, between
from dashboard.figures.lines import Line
from dashboard.figures.template import faded, safe, template
from dashboard.palette import PALETTES

HEIGHT_PX = 340


@dataclass(frozen=True, slots=True)
class Curves:
    """`lines` gives each line its look; `x_title` says what x counts; `share`: values are shares; `points` are the x
    that the table shows; `steps`: the value holds until the next x; `log_x`: x on a logarithmic scale."""

    lines: Mapping[str, Line]
    x_title: str
    points: tuple[float, ...]
    share: bool = True
    steps: bool = False
    log_x: bool = False
    diagonal: bool = False

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """The curves, from zero."""
        palette = PALETTES[look.scheme]
        figure = go.Figure(layout={"template": template(look.scheme), "height": HEIGHT_PX})
        if self.diagonal:
            figure.add_scatter(
                x=[0, 1], y=[0, 1], mode="lines", line={"color": palette.quiet, "width": 1, "dash": "dot"},
                name="all equal", hoverinfo="skip",
            )  # fmt: skip
        for key, line in self.lines.items():
            frame = rows.filter(pl.col("line") == key)
            if frame.is_empty():
                continue
            colour = palette.hue(line.hue)
            banded = frame.filter(pl.col("lo").is_not_null() & (pl.col("lo") < pl.col("hi")))
            if not banded.is_empty():
                x = banded["x"].to_list()
                figure.add_scatter(
                    x=x + x[::-1], y=banded["hi"].to_list() + banded["lo"].to_list()[::-1], mode="lines",
                    line={"width": 0}, fill="toself", fillcolor=faded(colour, 0.18), hoverinfo="skip",
                )  # fmt: skip
            figure.add_scatter(
                x=frame["x"].to_list(), y=[wording.significant(v, 5) for v in frame["value"]],
                name=safe(line.label),
                mode="lines",
                line={"color": colour, "width": 2, "dash": line.dash, "shape": "hv" if self.steps else "linear"},
                customdata=[self._say(v) for v in frame["value"]], hovertemplate="%{customdata}",
            )  # fmt: skip
        figure.update_layout(margin={"l": 8, "r": 16, "t": 12, "b": 44}, hovermode="x unified")
        figure.update_xaxes(
            title={"text": self.x_title, "font": {"size": 13, "color": palette.quiet}}, showgrid=False, showline=True,
            linecolor=palette.line, type="log" if self.log_x else "linear",
            tickfont={"color": palette.quiet, "size": 12},
            tickformat=".0%" if self.diagonal else "",
        )  # fmt: skip
        figure.update_yaxes(
            rangemode="tozero", showgrid=True, tickformat=".0%" if self.share else "", exponentformat="none",
            separatethousands=True, tickfont={"color": palette.quiet, "size": 12}, nticks=6,
        )  # fmt: skip
        return figure

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """Each line at the first of the points that are told."""
        del look
        said = []
        for key, line in self.lines.items():
            for point in self.points[:2]:
                at = rows.filter((pl.col("line") == key) & (pl.col("x") <= point)).tail(1)
                if at.height:
                    said.append(f"{line.label}, {wording.fine(point)}: {self._say(at['value'][0])}")
        whole = "; ".join(said) or "Nothing at the points that are told"
        return f"{whole[0].upper()}{whole[1:]}."

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Each line at a few points."""
        del look
        body = []
        for key, line in self.lines.items():
            for point in self.points:
                at = rows.filter((pl.col("line") == key) & (pl.col("x") <= point)).tail(1)
                if at.height and at["x"][0] == point:
                    row = at.row(0, named=True)
                    interval = between(row["lo"], row["hi"], self._say)
                    body.append((line.label, wording.fine(point), self._say(row["value"]), interval))
        return Digest(("", self.x_title, "value", "interval"), tuple(body), right=(1, 2))

    def _say(self, value: float | None) -> str:
        return wording.percent(value) if self.share else wording.fine(value)
