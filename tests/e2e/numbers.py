"""The numbers of a page's charts as the browser holds them, against those of the CSV that stands below each."""

import csv
import io
from collections import defaultdict
from typing import Any

from analytics import wording
from dashboard.charts.catalogue import CHARTS
from dashboard.figures.lines import Lines
from tests.e2e.visitor import Visitor

_DIGITS = 6
"""Of a number that is drawn, if it is not whole."""

_TRACES = """
[...document.querySelectorAll('.dash-graph')].map(graph => [
    graph.id, (graph.closest('section').querySelector('a[download]') || {}).href || '',
    graph.querySelector('.js-plotly-plot').data.map(
        trace => ({type: trace.type, name: trace.name || '', x: trace.x, y: trace.y, way: trace.orientation || 'v',
            named: graph.querySelector('.js-plotly-plot').layout.yaxis?.ticktext})
    )
])
"""


def differences(visitor: Visitor) -> tuple[int, list[str]]:
    """How many charts of the page on the screen were compared, and what is drawn that the CSV does not say: each named
    line whole, each bar alone. What is folded (`other`) is a sum and has no row of its own."""
    traces: list[tuple[str, str, list[dict[str, Any]]]] = visitor.page.evaluate(_TRACES)
    compared, wrong = 0, []
    for name, address, drawn in traces:
        if name not in CHARTS or not address:
            continue
        rows = _told(visitor, address)
        if isinstance(CHARTS[name].drawing, Lines):
            told = [[_short(row["value"]) for row in of] for of in _by_line(rows).values()]
            lines = [trace for trace in drawn if trace["name"] and not trace["name"].startswith("other (")]
            wrong += [f"{name}: {trace['name']}" for trace in lines if list(trace["y"]) not in told]
            compared += bool(lines)
        else:
            values = {_short(row.get("value", "")) for row in rows}
            bars = [bar for trace in drawn if trace["type"] == "bar" for bar in _bars(trace)]
            numbers = [number for label, number in bars if number is not None and "other" not in label.lower()]
            wrong += [f"{name}: {number}" for number in numbers if _short(number) not in values]
            compared += bool(numbers)
    return compared, wrong


def _bars(trace: dict[str, Any]) -> list[tuple[str, Any]]:
    """Label and number of each bar."""
    labels, numbers = (
        (trace.get("named") or trace["y"], trace["x"]) if trace["way"] == "h" else (trace["x"], trace["y"])
    )
    return list(zip(map(str, labels or []), numbers or [], strict=False))


def _told(visitor: Visitor, address: str) -> list[dict[str, str]]:
    # On a connection of its own: one that was idle for as long as the server keeps it may be closed just then.
    answer = visitor.page.request.get(address, headers={"Connection": "close"})
    assert answer.ok, address
    return list(csv.DictReader(io.StringIO(answer.text())))


def _by_line(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    lines = defaultdict(list)
    for row in rows:
        lines[row["line"]].append(row)
    return lines


def _short(number: object) -> float | None:
    if number in ("", None):
        return None
    exact = float(str(number))
    return exact if exact.is_integer() else wording.significant(exact, _DIGITS)
