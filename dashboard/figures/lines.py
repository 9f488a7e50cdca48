"""Numbers over time, as lines: the interval a band in the line's hue, a scenario hatched, what is not known a gap.

Rows are of `dashboard.charts.series.COLUMNS`. Lines end in their names instead of a legend; under a narrow screen the
names stand above the figure (the page has them as text anyway), which the figure brings along as a patch that the
browser applies (`layout.meta.narrow`, see census.js).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from analytics.estimate import IntervalKind
from dashboard.figures.axis import note, reach, share_format
from dashboard.figures.drawing import Digest, Look, Picture
from dashboard.figures.marks import marks
from dashboard.figures.template import faded, safe, shortened, template
from dashboard.palette import PALETTES, Palette

HEIGHT_PX = 320
_TOP_PX, _BOTTOM_PX, _NARROW_RIGHT_PX = 24, 36, 12
_LABEL_GAP_PX = 17
_CHARACTER_PX = 7.6
_LABEL_MOST_PX = 168
_LABEL_ROOM_PX = 20
BAND_OPACITY = 0.18
MARKED_BELOW = 16
"""Points of a line that are so few are marked: a line alone would hide how few they are."""
LINES_MOST = 7
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
OTHER = -1

Styled = Callable[[Sequence[str]], "Mapping[str, Line]"]


@dataclass(frozen=True, slots=True)
class Line:
    """How the line of one value of `line` looks: its name in words, its hue (`Palette.hue`), its dash. `is_loose`:
    points that no line joins."""

    label: str
    hue: int = OTHER
    dash: str = "solid"
    is_loose: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over time. `line_of` gives each line its look, by the values of `line`, the largest of the newest census
    first; a line that it leaves out is not drawn. `share`: the value is a share, 0 to 1; `steps`: it holds until the
    next one; `bands`: intervals are drawn. Where many of them would lie on each other they are only told."""

    line_of: Styled
    share: bool = False
    steps: bool = False
    bands: bool = True

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """The lines, each with its band below it, as Plotly has checked them."""
        return go.Figure(self.picture(rows, look))

    def picture(self, rows: pl.DataFrame, look: Look) -> Picture:
        """The same, as it is sent."""
        palette = PALETTES[look.scheme]
        shares = self.in_shares(look)
        drawn = self.drawn(rows, look)
        reached = [frame if self.bands else frame.select("value", lo="value", hi="value") for _, frame in drawn]
        lo, hi, ticks = reach(reached, logarithmic=look.chosen.logarithmic)
        traces = [_band(frame, palette.hue(line.hue)) for line, frame in drawn] if self.bands else []
        traces += [_line(line, frame, palette, shares=shares, steps=self.steps) for line, frame in drawn]
        labels = [_label(line, frame, palette, look) for line, frame in drawn if not line.is_loose]
        _spread(labels, lo, hi)
        right_px = min(max((len(str(label["text"])) for label in labels), default=0) * _CHARACTER_PX, _LABEL_MOST_PX)
        verticals, letters = marks(rows, look, palette)
        layout = {
            "template": template(look.scheme).to_plotly_json(),
            "height": HEIGHT_PX,
            "margin": {"l": 8, "r": right_px + _LABEL_ROOM_PX, "t": _TOP_PX, "b": _BOTTOM_PX},
            "annotations": labels + letters,
            "shapes": verticals,
            "hovermode": "x unified",
            "meta": {
                "narrow": {"margin.r": _NARROW_RIGHT_PX, "annotations": letters, "xaxis.nticks": 4},
                "note": note([frame for _, frame in drawn], lo, logarithmic=look.chosen.logarithmic),
            },
            "xaxis": {
                "type": "date", "showgrid": False, "showline": True, "linecolor": palette.line,
                "hoverformat": "%-d %b %Y, %H:%M UTC", "nticks": 7, "tickangle": 0,
                "tickfont": {"color": palette.quiet, "size": 12},
            },
            "yaxis": {
                "range": [lo, hi], "showgrid": True, "nticks": 6,
                "type": "log" if look.chosen.logarithmic else "linear",
                "tickformat": share_format(ticks, logarithmic=look.chosen.logarithmic) if shares else "",
                "separatethousands": True,
                "exponentformat": "none", "tickfont": {"color": palette.quiet, "size": 12},
                **({"dtick": 1 if hi - lo > 1.2 else "D2"} if look.chosen.logarithmic else {}),
            },
        }  # fmt: skip
        return {"data": [trace for trace in traces if trace is not None], "layout": layout}

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """The newest number of the first lines, and how they changed."""
        said = []
        drawn = self.drawn(rows, look)
        for line, frame in drawn[:3]:
            known = frame.drop_nulls("value")
            first, last = known.row(0, named=True), known.row(-1, named=True)
            words = f"{line.label}: {self.amount(last['value'], look)}"
            if last["lo"] is not None and last["hi"] is not None and last["lo"] != last["hi"]:
                words += f" ({self.amount(last['lo'], look)} to {self.amount(last['hi'], look)})"
            words += f" on {wording.day(last['at'])}"
            if first["at"] < last["at"]:
                words += f", {self._change(first['value'], last['value'], look)} since {wording.day(first['at'])}"
            said.append(words)
        more = len(drawn) - len(said)
        whole = "; ".join(said) + (f"; and {wording.plural(more, 'line')} more." if more else ".")
        return whole[0].upper() + whole[1:] if whole.split(maxsplit=1)[0].rstrip(":,").isalpha() else whole

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Each line at its first and its newest census, to compare the two."""
        body = []
        days: set[tuple[str, str]] = set()
        for line, frame in self.drawn(rows, look, fold=False):
            known = frame.drop_nulls("value")
            first, last = known.row(0, named=True), known.row(-1, named=True)
            days.add((wording.day(first["at"]), wording.day(last["at"])))
            ends = [self.amount(end, look) if end is not None else "" for end in (last["lo"], last["hi"])]
            interval = f"{ends[0]} to {ends[1]}" if all(ends) else f"at least {ends[0]}" if ends[0] else ""
            body.append(
                (
                    line.label,
                    self.amount(first["value"], look),
                    self.amount(last["value"], look),
                    self._change(first["value"], last["value"], look),
                    interval,
                    wording.number(last["n"]),
                )
            )
        first_day, last_day = days.pop() if len(days) == 1 else ("first", "newest")
        return Digest(("", first_day, last_day, "change", "interval", "rests on"), tuple(body), right=(1, 2, 3, 5))

    def in_shares(self, look: Look) -> bool:
        """Whether the numbers are told as shares."""
        return self.share or look.chosen.shares

    def amount(self, value: float | None, look: Look) -> str:
        """A number as it is told."""
        return wording.percent(value) if self.in_shares(look) else wording.fine(value)

    def _change(self, first: float, last: float, look: Look) -> str:
        return change(first, last, shares=self.in_shares(look))

    def drawn(self, rows: pl.DataFrame, look: Look, *, fold: bool = True) -> list[tuple[Line, pl.DataFrame]]:
        """The lines with any value, in the order of their style; past the most that are drawn, summed as other."""
        if look.chosen.shares:
            rows = rows.with_columns(pl.col("value", "lo", "hi") / pl.col("n"))
        known = rows.filter(pl.col("value").is_not_null())
        newest = known.group_by("line").agg(pl.col("at").max(), pl.col("value").last())
        ranked = newest.sort(["at", "value", "line"], descending=[True, True, False])["line"].to_list()
        styles = {key: line for key, line in self.line_of(ranked).items() if key in ranked}
        of_line = {key: frame for (key,), frame in rows.partition_by("line", as_dict=True).items()}
        lines = [(line, of_line[key]) for key, line in styles.items()]
        if not fold or len(lines) <= LINES_MOST:
            return lines
        kept, rest = lines[: LINES_MOST - 1], lines[LINES_MOST - 1 :]
        summed = (
            pl.concat([frame for _, frame in rest])
            .group_by("at", "census", maintain_order=True)
            .agg(pl.col("value").sum(), pl.col("n").max())
            .with_columns(
                pl.lit(None, dtype=pl.Float64).alias("lo"), pl.lit(None, dtype=pl.Float64).alias("hi"),
                pl.lit(IntervalKind.NONE.value).alias("interval"),
            )
            .sort("at")
        )  # fmt: skip
        return [*kept, (Line(f"other ({len(rest)})", OTHER, "dot"), summed)]


def change(first: float, last: float, *, shares: bool) -> str:
    """`up 7 (+3.3 %)`, of shares `up 1.2 points`, `unchanged`."""
    if math.isclose(first, last, rel_tol=1e-9, abs_tol=1e-12):
        return "unchanged"
    difference = last - first
    way, sign = ("up", "+") if difference > 0 else ("down", "−")
    if shares:
        return f"{way} {wording.points(abs(difference))}"
    relative = f" ({sign}{wording.percent(abs(difference) / abs(first))})" if first else ""
    return f"{way} {wording.fine(abs(difference))}{relative}"


def fixed(**lines: Line) -> Styled:
    """The same lines whatever there is; a key that is no word of Python comes in a mapping, with `**`."""
    return lambda _: lines


def ranked(label_of: Callable[[str], str]) -> Styled:
    """Lines in the order of size, each with the next hue and dash."""
    return lambda keys: {
        key: Line(label_of(key), at, DASHES[at % len(DASHES)]) if at < LINES_MOST else Line(label_of(key))
        for at, key in enumerate(keys)
    }


def _band(frame: pl.DataFrame, colour: str) -> dict[str, Any] | None:
    """From lo to hi where both are known; a scenario is hatched, for it says nothing of chance."""
    both = frame.filter(pl.col("lo").is_not_null() & pl.col("hi").is_not_null() & (pl.col("lo") < pl.col("hi")))
    if both.is_empty():
        return None
    if both.height == 1 and both["value"][0] is not None:
        return _whisker(both.row(0, named=True), _moments(both), colour)
    scenario = both["interval"].to_list()[-1] == IntervalKind.SCENARIO
    band: dict[str, Any] = {"fillcolor": faded(colour, BAND_OPACITY)}
    if scenario:
        band = {
            "fillpattern": {"shape": "/", "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)", "size": 7, "solidity": 0.12}
        }
    at = _moments(both)
    return {
        "type": "scatter", "x": at + at[::-1], "y": _short(both["hi"]) + _short(both["lo"])[::-1], "mode": "lines",
        "line": {"width": 0}, "fill": "toself", "hoverinfo": "skip", "showlegend": False, **band,
    }  # fmt: skip


def _whisker(row: Mapping[str, Any], at: list[str], colour: str) -> dict[str, Any]:
    """One interval alone: a band of it would have no width."""
    reach = {"array": [row["hi"] - row["value"]], "arrayminus": [row["value"] - row["lo"]]}
    return {
        "type": "scatter", "x": at, "y": [row["value"]], "mode": "markers", "marker": {"size": 6, "color": colour},
        "error_y": {"type": "data", "symmetric": False, **reach, "color": colour, "thickness": 1.5, "width": 5},
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _line(line: Line, frame: pl.DataFrame, palette: Palette, *, shares: bool, steps: bool) -> dict[str, Any]:
    colour = palette.hue(line.hue)
    say = wording.percent if shares else wording.fine
    look: dict[str, Any] = {"mode": "lines", "line": {"color": colour, "width": 2, "dash": line.dash}}
    if steps:
        look["line"]["shape"] = "hv"
    if line.is_loose:
        look = {"mode": "markers", "marker": {"size": 7, "symbol": "circle-open", "color": colour}}
    elif frame["value"].count() < MARKED_BELOW:
        look |= {"mode": "lines+markers", "marker": {"size": 6, "color": colour}}
    return {
        "type": "scatter", "x": _moments(frame), "y": _short(frame["value"]), "name": safe(line.label), **look,
        "customdata": [_hover(row, say) for row in frame.select("value", "lo", "hi").iter_rows()],
        "hovertemplate": "%{customdata}",
    }  # fmt: skip


def _hover(row: tuple[Any, ...], say: Callable[[float | None], str]) -> str:
    value, lo, hi = row
    if lo is None or lo == hi:
        return say(value)
    return f"{say(value)} ({say(lo)} to {say(hi)})" if hi is not None else f"at least {say(value)}"


def _moments(frame: pl.DataFrame) -> list[str]:
    return frame["at"].dt.strftime("%Y-%m-%d %H:%M").to_list()


def _short(numbers: pl.Series) -> list[float | None]:
    """Whole ones as such, others to six digits: the picture needs no more, and they are shorter to send."""
    return [None if n is None else int(n) if n == int(n) else wording.significant(n, 6) for n in numbers]


def _label(line: Line, frame: pl.DataFrame, palette: Palette, look: Look) -> dict[str, Any]:
    last = frame.drop_nulls("value").row(-1, named=True)["value"]
    return {
        "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "yanchor": "middle", "showarrow": False,
        "y": math.log10(last) if look.chosen.logarithmic and last > 0 else last,
        "text": safe(shortened(line.label, int(_LABEL_MOST_PX / _CHARACTER_PX))),
        "font": {"color": palette.hue(line.hue) if line.hue >= 0 else palette.quiet, "size": 13},
    }  # fmt: skip


def _spread(labels: list[dict[str, Any]], lo: float, hi: float) -> None:
    """Move labels apart that would stand on each other."""
    height_px = HEIGHT_PX - _TOP_PX - _BOTTOM_PX
    gap = _LABEL_GAP_PX * (hi - lo) / height_px
    labels.sort(key=lambda label: float(label["y"]))
    for before, label in pairwise(labels):
        label["y"] = max(label["y"], before["y"] + gap)
    excess = (labels[-1]["y"] - hi) if labels else 0
    if excess > 0:
        labels[-1]["y"] = hi
        for label, after in zip(labels[-2::-1], labels[:0:-1], strict=False):
            label["y"] = min(label["y"], after["y"] - gap)
