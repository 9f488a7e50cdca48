"""Curves over something that is no time: what is left as the largest go, how a share grows with how many are counted.

Rows have `line`, `x`, `value`, `lo`, `hi`, in the order of x. The same bands as of `figures.lines`; curves may all
end in one point, so that their names stand above them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Digest, Look, between
from dashboard.figures.lines import Line, Styled
from dashboard.figures.template import faded, safe, template
from dashboard.palette import PALETTES

HEIGHT_PX = 340
_TOLD_MOST = 3


@dataclass(frozen=True, slots=True)
class Curves:
    """`line_of` gives each line its look, by the values of `line` as they come; `x_title` says what x counts; `points`
    are the x that the table shows, `point_words` says one in a sentence; `share`: values are shares; `steps`: the value
    holds until the next x; `log_x`: x on a logarithmic scale; `diagonal`: both are shares, and it is drawn what they
    were if all were alike."""

    line_of: Styled
    x_title: str
    points: tuple[float, ...]
    share: bool = True
    steps: bool = False
    log_x: bool = False
    diagonal: bool = False
    point_words: str = "{}"

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """The curves, from zero."""
        palette = PALETTES[look.scheme]
        figure = go.Figure(layout={"template": template(look.scheme), "height": HEIGHT_PX})
        if self.diagonal:
            figure.add_scatter(
                x=[0, 1], y=[0, 1], mode="lines", line={"color": palette.quiet, "width": 1, "dash": "dot"},
                name="all equal", hoverinfo="skip",
            )  # fmt: skip
        for line, frame in self._drawn(rows):
            colour = palette.hue(line.hue)
            banded = frame.filter(pl.col("lo").is_not_null() & (pl.col("lo") < pl.col("hi")))
            if not banded.is_empty():
                x, lo, hi = (banded[name].to_list() for name in ("x", "lo", "hi"))
                if self.steps:  # each end holds until the next x, as the value does
                    x, lo, hi = [each for at in x for each in (at, at)][1:], _held(lo), _held(hi)
                figure.add_scatter(
                    x=x + x[::-1], y=hi + lo[::-1], mode="lines",
                    line={"width": 0}, fill="toself", fillcolor=faded(colour, 0.18), hoverinfo="skip",
                )  # fmt: skip
            figure.add_scatter(
                x=frame["x"].to_list(), y=[wording.significant(v, 5) for v in frame["value"]],
                name=safe(line.label),
                mode="lines",
                line={"color": colour, "width": 2, "dash": line.dash, "shape": "hv" if self.steps else "linear"},
                customdata=[self._say(v) for v in frame["value"]], hovertemplate="%{customdata}",
            )  # fmt: skip
        figure.update_layout(margin={"l": 8, "r": 16, "t": 12, "b": 44}, hovermode="x unified", meta={"key": True})
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
        """The first lines at the first two of the points that are told, or where they end before them."""
        del look
        said = []
        drawn = list(self._drawn(rows))
        for line, frame in drawn[:_TOLD_MOST]:
            reached = [point for point in self.points if point <= frame["x"][-1]]
            for point in reached[:2] or [frame["x"][-1]]:
                row = self._at(frame, point)
                if row is not None:
                    words = self.point_words.format(self._point(point))
                    said.append(f"{line.label}, {words}: {self._say(row['value'])}")
        if len(drawn) > _TOLD_MOST:
            said.append(f"and {wording.plural(len(drawn) - _TOLD_MOST, 'line')} more")
        whole = "; ".join(said) or "Nothing at the points that are told"
        return f"{whole[0].upper()}{whole[1:]}."

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Each line at a few points, and where it ends."""
        del look
        body = []
        for line, frame in self._drawn(rows):
            end = frame["x"][-1]
            for point in dict.fromkeys((*(point for point in self.points if point < end), end)):
                row = self._at(frame, point)
                if row is not None:
                    interval = between(row["lo"], row["hi"], self._say)
                    body.append((line.label, self._point(point), self._say(row["value"]), interval))
        return Digest(("", self.x_title, "value", "interval"), tuple(body), right=(1, 2))

    def _drawn(self, rows: pl.DataFrame) -> Iterator[tuple[Line, pl.DataFrame]]:
        keys = rows["line"].unique(maintain_order=True).to_list()
        for key, line in self.line_of(keys).items():
            if key in keys:
                yield line, rows.filter(pl.col("line") == key)

    def _at(self, frame: pl.DataFrame, point: float) -> dict[str, Any] | None:
        """A line at a point: where it has one, where its last step holds, or on the straight piece of a curve of
        shares. Beyond its end it says nothing."""
        before, after = frame.filter(pl.col("x") <= point).tail(1), frame.filter(pl.col("x") >= point).head(1)
        if before.is_empty() or after.is_empty():
            return None
        first, second = before.row(0, named=True), after.row(0, named=True)
        if self.steps or first["x"] == point:
            return first
        if not self.diagonal:
            return None
        way = (point - first["x"]) / (second["x"] - first["x"])
        return first | {"value": first["value"] + way * (second["value"] - first["value"])}

    def _point(self, x: float) -> str:
        return wording.percent(x) if self.diagonal else wording.fine(x)

    def _say(self, value: float | None) -> str:
        return wording.percent(value) if self.share else wording.fine(value)


def _held(numbers: list[float]) -> list[float]:
    """Each number at its own x and at the next."""
    return [each for number in numbers for each in (number, number)][:-1]
