"""Where servers fall out, as a flow: from known to listing, and at each stage the reasons of those that go no further.

Rows have `stage` (the last that a server passed), `why` (the kind of failure, or what keeps it from the next stage) and
`value`, in the order of the stages.
"""

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Digest, Look
from dashboard.figures.template import faded, safe, template
from dashboard.palette import PALETTES

HEIGHT_PX = 620
REASONS_MOST = 5
"""Reasons drawn at each stage; the rest is one of them, `other reasons`, which the table opens."""
OTHER = "other reasons"


@dataclass(frozen=True, slots=True)
class Flow:
    """`stages` in their order; `say_why` puts a reason into words."""

    stages: tuple[str, ...]
    say_why: Callable[[str], str]

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """One node for each stage, one for each reason at its stage."""
        palette = PALETTES[look.scheme]
        ended = self._ended(rows)
        labels = list(self.stages)
        node_colours = [palette.accent] * len(labels)
        links: list[tuple[int, int, int, str]] = []
        for at, stage in enumerate(self.stages):
            onward = sum(sum(ended.get(later, {}).values()) for later in self.stages[at + 1 :])
            if at + 1 < len(self.stages) and onward:
                links.append((at, at + 1, onward, palette.accent))
            if at + 1 == len(self.stages):
                continue
            for why, servers in _folded(ended.get(stage, {})):
                labels.append(why if why == OTHER else self.say_why(why))
                node_colours.append(palette.other)
                links.append((at, len(labels) - 1, servers, palette.other))
        figure = go.Figure(layout={"template": template(look.scheme), "height": HEIGHT_PX})
        figure.add_sankey(
            arrangement="snap",
            node={
                "label": [safe(label) for label in labels], "color": node_colours, "pad": 14, "thickness": 12,
                "line": {"width": 0}, "hovertemplate": "%{label}: %{value:,}<extra></extra>",
            },
            link={
                "source": [link[0] for link in links], "target": [link[1] for link in links],
                "value": [link[2] for link in links], "color": [faded(link[3], 0.28) for link in links],
                "hovertemplate": "%{source.label}, %{target.label}: %{value:,}<extra></extra>",
            },
            textfont={"color": palette.text, "size": 12, "shadow": "none"},
        )  # fmt: skip
        # A narrow screen has no room for its names: there the table stands in its place.
        figure.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8}, meta={"wide_only": True})
        return figure

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """The three largest reasons."""
        del look
        out = rows.filter(pl.col("stage") != self.stages[-1]).sort("value", descending=True).head(3)
        whole = int(rows["value"].sum())
        reasons = "; ".join(
            f"{self.say_why(why)} {wording.number(value)} ({stage})"
            for stage, why, value in out.select("stage", "why", "value").rows()
        )
        reached = int(rows.filter(pl.col("stage") == self.stages[-1])["value"].sum())
        return (
            f"Of {wording.plural(whole, 'server')} {wording.number(reached)} come to the end. Most others: {reasons}."
        )

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Every stage and reason."""
        del look
        whole = rows["value"].sum() or 1
        body = [
            (stage, self.say_why(why), wording.number(value), wording.percent(value / whole))
            for stage, why, value in rows.select("stage", "why", "value").iter_rows()
        ]
        return Digest(("got as far as", "and no further because", "servers", "of all"), tuple(body), right=(2, 3))

    def _ended(self, rows: pl.DataFrame) -> dict[str, dict[str, int]]:
        ended: dict[str, dict[str, int]] = {}
        for stage, why, value in rows.select("stage", "why", "value").iter_rows():
            ended.setdefault(stage, {})[why] = int(value)
        return ended


def _folded(reasons: dict[str, int]) -> list[tuple[str, int]]:
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ranked) <= REASONS_MOST:
        return ranked
    return [*ranked[: REASONS_MOST - 1], (OTHER, sum(servers for _, servers in ranked[REASONS_MOST - 1 :]))]
