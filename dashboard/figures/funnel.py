"""The funnel: servers by predicate, each with its share of the known."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from analytics.funnel import MEANING, Predicate
from dashboard.figures.drawing import Count, Digest, Look, between, counts
from dashboard.figures.template import bars
from dashboard.palette import PALETTES, Scheme

NO_BAR = 0.0


def funnel_figure(rows: Sequence[Count], scheme: Scheme) -> go.Figure:
    """`rows` of the metric `servers`, in the order of the funnel. What is not known has no bar and says so."""
    known = next((row.value for row in rows if row.dimension == Predicate.KNOWN), None)
    colour = PALETTES[scheme].accent
    return bars(
        labels=[row.dimension for row in rows],
        lengths=[NO_BAR if row.value is None else row.value for row in rows],
        texts=[_end(row, known) for row in rows],
        hovers=[f"{MEANING[Predicate(row.dimension)]}<br>{_end(row, known)}" for row in rows],
        colours=[colour] * len(rows),
        scheme=scheme,
    )


def _end(row: Count, known: float | None) -> str:
    if row.value is None:
        return wording.NOT_KNOWN
    if row.dimension == Predicate.KNOWN or not known:
        return wording.number(row.value)
    if row.dimension == Predicate.ACCEPTING:  # of the others it is not known, so a share of the known would mislead
        return f"{wording.number(row.value)} · of {wording.number(row.n)} that told"
    return f"{wording.number(row.value)} · {wording.percent(row.value / known)}"


def funnel_text(rows: Sequence[Count]) -> str:
    """The chart in one sentence."""
    by_predicate = {row.dimension: row.value for row in rows}
    known, online = by_predicate.get(Predicate.KNOWN), by_predicate.get(Predicate.ONLINE)
    federating = by_predicate.get(Predicate.FEDERATING)
    if not known:
        return "No server was known."
    said = f"Of {wording.number(known)} servers that were named, {wording.number(online)} are online"
    return f"{said} and {wording.number(federating)} of these federate."


@dataclass(frozen=True, slots=True)
class FunnelDrawing:
    """The funnel as a chart draws it."""

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        return funnel_figure(counts(rows), look.scheme)

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        del look
        return funnel_text(counts(rows))

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Each stage with what it means."""
        del look
        body = [
            (
                row.dimension,
                wording.number(row.value),
                between(row.lo, row.hi),
                wording.number(row.n),
                MEANING[Predicate(row.dimension)],
            )
            for row in counts(rows)
        ]
        return Digest(("stage", "servers", "interval", "rests on", "meaning"), tuple(body), right=(1, 3))
