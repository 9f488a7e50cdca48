"""Numbers of one census side by side, as bars from zero: counts with their share of the whole, or shares.

Rows are of `dashboard.charts.series.NOW_COLUMNS`, in the order in which they are to be read. Intervals are written at
the bars' ends. Of many rows the rest is one bar, `other`, which the table opens.
"""

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Counted, Digest, Look, between, counts
from dashboard.figures.template import bars, safe
from dashboard.palette import PALETTES

BARS_MOST = 15
TOLD = 4


def as_it_is(name: str) -> str:
    """A name that needs no other."""
    return name


def one_hue(_: str) -> int:
    """All bars in the first hue."""
    return 0


@dataclass(frozen=True, slots=True)
class CountBars:
    """`heading` is of the column of names; `label_of` and `hue_of` give a name its words and its hue
    (`Palette.hue`); `share`: the value is a share, 0 to 1; `of_whole`: counts are shown with their share of n;
    `sums`: what is left out of the picture may be summed as other."""

    heading: str
    label_of: Callable[[str], str] = as_it_is
    hue_of: Callable[[str], int] = one_hue
    share: bool = False
    of_whole: bool = False
    sums: bool = True
    most: int = BARS_MOST

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """The bars, the first on top."""
        palette = PALETTES[look.scheme]
        shown, rest = self._split(counts(rows))
        labels = [safe(self.label_of(row.dimension)) for row in shown]
        lengths = [row.value or 0.0 for row in shown]
        colours = [palette.hue(self.hue_of(row.dimension)) for row in shown]
        ends = [self._end(row) for row in shown]
        short = [self._end(row, briefly=True) for row in shown]
        if rest:
            summed = Counted("", sum(row.value or 0 for row in rest), None, None, rest[0].n)
            labels.append(f"other ({len(rest)})")
            lengths.append(summed.value or 0.0)
            colours.append(palette.other)
            ends.append(self._end(summed))
            short.append(self._end(summed, briefly=True))
        hovers = [f"{label}<br>{end}" for label, end in zip(labels, ends, strict=True)]
        return bars(labels, lengths, ends, hovers, colours, look.scheme, short)

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """The first rows, in their order."""
        del look
        known = [row for row in counts(rows) if row.value is not None]
        said = "; ".join(f"{self.label_of(row.dimension)}: {self._end(row)}" for row in known[:TOLD])
        return f"{said}; and {wording.number(len(known) - TOLD)} more." if len(known) > TOLD else f"{said}."

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Every row."""
        del look
        body = [
            (
                self.label_of(row.dimension),
                self._say(row.value),
                between(row.lo, row.hi, self._say),
                wording.percent(row.value / row.n) if self.of_whole and row.n and row.value is not None else "",
                wording.number(row.n),
            )
            for row in counts(rows)
        ]
        headings = (self.heading, "value", "interval", "share" if self.of_whole else "", "rests on")
        return Digest(headings, tuple(body), right=(1, 3, 4))

    def _split(self, found: list[Counted]) -> tuple[list[Counted], list[Counted]]:
        known = [row for row in found if row.value is not None]
        if len(known) <= self.most:
            return known, []
        return known[: self.most - 1], known[self.most - 1 :] if self.sums and not self.share else []

    def _say(self, value: float | None) -> str:
        return wording.percent(value) if self.share else wording.fine(value)

    def _end(self, row: Counted, *, briefly: bool = False) -> str:
        said = self._say(row.value)
        if self.of_whole and row.n and row.value is not None:
            return f"{said} · {wording.percent(row.value / row.n)}"
        known = row.lo is not None and row.hi is not None
        interval = between(row.lo, row.hi, self._say) if known and not briefly else ""
        return f"{said} ({interval})" if interval else said
