"""What every drawing of a chart offers: from the same rows a figure, a sentence, a small table. Pure: no query, no
request, no clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.choices import AS_FIRST_SHOWN, Chosen
from dashboard.palette import Scheme


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the federation or to how it is counted, drawn as a line across time. `label` is short
    enough to stand on the line; `when` says the day, or the month where only that is known; `source` who says so."""

    at: datetime
    label: str
    text: str
    when: str
    source: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is to be drawn: the colours that the visitor wears, what was chosen, what to mark: events, and the
    censuses that are compared, by their moments."""

    scheme: Scheme
    chosen: Chosen = AS_FIRST_SHOWN
    events: tuple[Event, ...] = ()
    compared: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """The chart as a small table: headings, rows of texts, and which columns are aligned right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


class Drawing(Protocol):
    """One way to draw rows; they have at least one row with a value."""

    def figure(self, rows: pl.DataFrame, look: Look, /) -> go.Figure: ...

    def sentence(self, rows: pl.DataFrame, look: Look, /) -> str: ...

    def digest(self, rows: pl.DataFrame, look: Look, /) -> Digest: ...


Picture = dict[str, Any]
"""A figure as Plotly's JSON: `data`, a list of traces, and `layout`."""


@runtime_checkable
class PlainDrawing(Protocol):
    """A drawing that has its picture without Plotly's objects, which cost as much as all the rest."""

    def picture(self, rows: pl.DataFrame, look: Look, /) -> Picture: ...


def picture(drawing: Drawing, rows: pl.DataFrame, look: Look) -> Picture:
    """The picture of a drawing, of the caller's own: he may change it."""
    if isinstance(drawing, PlainDrawing):
        return drawing.picture(rows, look)
    drawn: Picture = drawing.figure(rows, look).to_dict()
    return drawn


class Count(Protocol):
    """One number of a census: a metric row, or what a chart's rows hold of it."""

    @property
    def dimension(self) -> str: ...

    @property
    def value(self) -> float | None: ...

    @property
    def n(self) -> int: ...


class Counted(NamedTuple):
    """A number with its interval and what it rests on, out of a chart's rows."""

    dimension: str
    value: float | None
    lo: float | None
    hi: float | None
    n: int


def counts(rows: pl.DataFrame) -> list[Counted]:
    """The rows of `dashboard.charts.series.NOW_COLUMNS` one by one."""
    return [Counted(*row) for row in rows.select("line", "value", "lo", "hi", "n").iter_rows()]


def between(lo: float | None, hi: float | None, say: Callable[[float | None], str] = wording.fine) -> str:
    """An interval in words; empty where there is none, or no width."""
    if lo == hi:
        return ""
    if hi is None:
        return f"at least {say(lo)}"
    return f"at most {say(hi)}" if lo is None else f"{say(lo)} to {say(hi)}"
