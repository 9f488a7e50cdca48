"""Lines over time as one SVG element, for documents that must stand alone: no script, no font, no file beside them.

Apart from the dashboard, whose charts live in a browser; here a chart is text. An interval is a band behind its line,
dashed where it is a scenario, a number that is not known is a gap, and events are thin dashed lines. Colours are CSS
classes of the document (`STYLE`), so that it follows the reader's light or dark scheme. Every text is escaped.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from xml.sax.saxutils import escape

from analytics.estimate import IntervalKind
from analytics.wording import fine
from crawler.errors import printable

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 168, 14, 30
LINES_MAX = 6

STYLE = """
svg.chart { max-width: 100%; height: auto; font: 11px system-ui, sans-serif; fill: currentColor; }
svg.chart .grid { stroke: currentColor; stroke-opacity: .15; }
svg.chart .event { stroke: currentColor; stroke-opacity: .45; stroke-dasharray: 3 3; }
svg.chart polyline { fill: none; stroke: var(--line); stroke-width: 2; }
svg.chart polygon { fill: var(--line); fill-opacity: .18; }
svg.chart polygon.scenario { stroke: currentColor; stroke-opacity: .5; stroke-dasharray: 2 4; fill-opacity: .08; }
svg.chart text[class] { fill: var(--line); }
.c0 { --line: #0072b2; } .c1 { --line: #c65102; } .c2 { --line: #00805e; }
.c3 { --line: #a3518a; } .c4 { --line: #7a6a00; } .c5 { --line: #5b5bd6; }
@media (prefers-color-scheme: dark) {
  .c0 { --line: #56b4e9; } .c1 { --line: #f0954d; } .c2 { --line: #2bc79b; }
  .c3 { --line: #e1a0cb; } .c4 { --line: #e6d64a; } .c5 { --line: #a5a5f5; }
}
"""
"""What the classes of a chart look like."""


@dataclass(frozen=True, slots=True)
class Point:
    """One number of a series; `value` None: not known."""

    at: datetime
    value: float | None
    lo: float | None
    hi: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One series, oldest first."""

    name: str
    points: tuple[Point, ...]
    interval_kind: IntervalKind


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day."""

    on: date
    title: str


def line_chart(title: str, unit: str, lines: Sequence[Line], events: Sequence[Event] = ()) -> str | None:
    """The chart of at most `LINES_MAX` lines; None where no line has two numbers.

    Both axes are linear. The value axis begins at zero where that wastes less than half of the height.
    """
    drawn = [line for line in lines if sum(point.value is not None for point in line.points) > 1][:LINES_MAX]
    if not drawn:
        return None
    scale = _Scale.of(drawn)
    said = f"{title}, in {unit}: " + "; ".join(_in_words(line) for line in drawn)
    body = [
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(said)}</title>",
        *_axes(scale),
        *_events(scale, events),
        *(part for number, line in enumerate(drawn) for part in _band(scale, line, number)),
        *(part for number, line in enumerate(drawn) for part in _strokes(scale, line, number)),
        *_names(scale, drawn),
        "</svg>",
    ]
    return "".join(body)


def _in_words(line: Line) -> str:
    known = [point for point in line.points if point.value is not None]
    return f"{printable(line.name)} from {fine(known[0].value)} to {fine(known[-1].value)}"


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: datetime
    end: datetime
    low: float
    high: float
    step: float

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "_Scale":
        points = [point for line in lines for point in line.points if point.value is not None]
        numbers = [n for point in points for n in (point.value, point.lo, point.hi) if n is not None]
        low, high = min(numbers), max(numbers)
        if 0 < low < high / 2 or low == high:
            low = min(0.0, low)
        if high == low:
            high = low + 1
        step = _nice((high - low) / 4)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        times = [point.at for point in points]
        return cls(min(times), max(times), low, high, step)

    def x(self, at: datetime) -> float:
        whole = (self.end - self.begin).total_seconds() or 1.0
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (at - self.begin).total_seconds() / whole

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        return [self.low + self.step * i for i in range(round((self.high - self.low) / self.step) + 1)]


def _nice(width: float) -> float:
    """1, 2 or 5 times a power of ten, not below `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= width * (1 - 1e-9))


def _axes(scale: _Scale) -> Iterator[str]:
    for tick in scale.ticks():
        y = scale.y(tick)
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(fine(round(tick, 12)))}</text>'
    for at, anchor in ((scale.begin, "start"), (scale.end, "end")):
        yield f'<text x="{scale.x(at):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{at:%Y-%m-%d}</text>'


def _events(scale: _Scale, events: Sequence[Event]) -> Iterator[str]:
    for event in events:
        at = datetime(event.on.year, event.on.month, event.on.day, tzinfo=scale.begin.tzinfo)
        if scale.begin <= at <= scale.end:
            x = scale.x(at)
            yield f'<line class="event" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}">'
            yield f"<title>{event.on.isoformat()}: {escape(event.title)}</title></line>"


def _band(scale: _Scale, line: Line, number: int) -> Iterator[str]:
    for known, points in groupby(
        line.points, key=lambda p: p.value is not None and p.lo is not None and p.hi is not None
    ):
        run = list(points)
        if not known or len(run) < 2 or all(point.lo == point.hi for point in run):
            continue
        upper = [f"{scale.x(p.at):.1f},{scale.y(p.hi):.1f}" for p in run if p.hi is not None]
        lower = [f"{scale.x(p.at):.1f},{scale.y(p.lo):.1f}" for p in reversed(run) if p.lo is not None]
        kind = "band scenario" if line.interval_kind is IntervalKind.SCENARIO else "band"
        yield f'<polygon class="{kind} c{number}" points="{" ".join(upper + lower)}"/>'


def _strokes(scale: _Scale, line: Line, number: int) -> Iterator[str]:
    for known, points in groupby(line.points, key=lambda point: point.value is not None):
        run = [f"{scale.x(p.at):.1f},{scale.y(p.value):.1f}" for p in points if p.value is not None]
        if known:
            yield f'<polyline class="c{number}" points="{" ".join(run if len(run) > 1 else run * 2)}"/>'


def _names(scale: _Scale, lines: Sequence[Line]) -> Iterator[str]:
    """The name of each line at its end, moved apart where they would lie on each other."""
    ends = sorted(
        (scale.y([p.value for p in line.points if p.value is not None][-1]), number)
        for number, line in enumerate(lines)
    )
    below = 0.0
    for y, number in ends:
        at = max(y, below + 13)
        below = at
        name = printable(lines[number].name)
        short = name if len(name) <= 24 else name[:23] + "…"
        yield f'<text class="c{number}" x="{WIDTH - _RIGHT + 6}" y="{at + 4:.1f}">{escape(short)}</text>'
