"""Online servers by what they say they run, coloured by lineage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import plotly.graph_objects as go
import polars as pl

from analytics import wording as numbers
from analytics.software import NOT_SAID
from dashboard.figures.drawing import Count, Digest, Look, counts
from dashboard.figures.template import bars, safe
from dashboard.palette import PALETTES, Scheme
from dashboard.wording import one_line

C = TypeVar("C", bound=Count)

BARS = 8
"""At most; the rest is one bar, `other`."""

LABEL_LIMIT = 24


@dataclass(frozen=True, slots=True)
class Named:
    """What the reference table knows of an implementation."""

    display_name: str
    lineage: str


def implementations_figure(
    rows: Sequence[Count], reference: Mapping[str, Named], scheme: Scheme, limit: int = BARS
) -> go.Figure:
    """`rows` of `servers_by_software`, largest first; the names beyond `limit` are summed as other, never dropped."""
    palette = PALETTES[scheme]
    shown, other = split(rows, limit)
    labels = [safe(label(row.dimension, reference)) for row in shown]
    values = [row.value or 0 for row in shown]
    colours = [
        palette.lineage(reference[row.dimension].lineage) if row.dimension in reference else palette.other
        for row in shown
    ]
    families = [family(row.dimension, reference) for row in shown]
    if other:
        labels.append(f"other ({len(other)})")
        values.append(sum(row.value or 0 for row in other))
        colours.append(palette.other)
        families.append("")
    online = rows[0].n if rows else 0
    ends = [f"{numbers.number(value)} · {numbers.percent(value / online)}" for value in values]
    hovers = [f"{name}<br>{end}{said}" for name, end, said in zip(labels, ends, families, strict=True)]
    return bars(labels, values, ends, hovers, colours, scheme)


def split(rows: Sequence[C], limit: int) -> tuple[list[C], list[C]]:
    """The rows shown and those that become `other`. What is not said stays shown: it is no small implementation."""
    if len(rows) <= limit:
        return list(rows), []
    kept = [row for row in rows if row.dimension != NOT_SAID][: limit - 2]
    shown = [row for row in rows if row in kept or row.dimension == NOT_SAID]
    return shown, [row for row in rows if row not in shown]


def label(software: str, reference: Mapping[str, Named]) -> str:
    """The name as people write it; remote text as one short line."""
    return reference[software].display_name if software in reference else one_line(software, LABEL_LIMIT)


def family(software: str, reference: Mapping[str, Named]) -> str:
    named = reference.get(software)
    return "" if named is None or named.lineage == software else f"<br>family of forks: {named.lineage}"


def implementations_text(rows: Sequence[Count], reference: Mapping[str, Named]) -> str:
    """The chart in one sentence."""
    named = [row for row in rows if row.dimension != NOT_SAID]
    if not named:
        return "No online server says what it runs."
    first = named[0]
    share = numbers.percent((first.value or 0) / first.n)
    name = label(first.dimension, reference)
    runs = f"{name} runs on {numbers.number(first.value)} of {numbers.number(first.n)} online servers ({share})"
    return f"{runs}; {numbers.plural(len(named), 'implementation name')} in use."


@dataclass(frozen=True, slots=True)
class ImplementationsDrawing:
    """The implementations as a chart draws them; `reference` gives the table of names."""

    reference: Callable[[], Mapping[str, Named]]

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        return implementations_figure(counts(rows), self.reference(), look.scheme)

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        del look
        return implementations_text(counts(rows), self.reference())

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Each implementation, also those that the figure sums."""
        del look
        body = []
        for row in counts(rows):
            name = NOT_SAID if row.dimension == NOT_SAID else label(row.dimension, self.reference())
            share = numbers.percent((row.value or 0) / row.n) if row.n else ""
            known = self.reference().get(row.dimension)
            body.append((name, numbers.number(row.value), share, known.lineage if known else ""))
        return Digest(("implementation", "servers", "share", "family"), tuple(body), right=(1, 2))
