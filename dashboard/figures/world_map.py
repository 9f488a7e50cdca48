"""Countries shaded by a count. Outlines are served from our own assets (Natural Earth by way of plotly, MIT)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Counted, Digest, Look, counts
from dashboard.figures.template import faded, safe, template
from dashboard.palette import PALETTES

HEIGHT_PX = 460
NARROW_HEIGHT_PX = 240


@dataclass(frozen=True, slots=True)
class WorldMap:
    """`countries` gives ISO 3166-1 alpha-2 codes their alpha-3 code and name."""

    countries: Callable[[], Mapping[str, tuple[str, str]]]

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """One hue, darker with more; a country without any known server is left in the colour of land."""
        palette = PALETTES[look.scheme]
        known = [row for row in counts(rows) if row.dimension in self.countries()]
        figure = go.Figure(layout={"template": template(look.scheme), "height": HEIGHT_PX})
        figure.add_choropleth(
            locations=[self.countries()[row.dimension][0] for row in known],
            z=[row.value for row in known],
            zmin=0,
            colorscale=[[0, faded(palette.accent, 0.15)], [1, palette.accent]],
            marker={"line": {"color": palette.background, "width": 0.5}},
            colorbar={"thickness": 10, "len": 0.5, "outlinewidth": 0, "tickfont": {"color": palette.quiet, "size": 12}},
            customdata=[f"{safe(self._name(row.dimension))}: {_with_share(row)}" for row in known],
            hovertemplate="%{customdata}<extra></extra>",
        )
        figure.update_geos(
            projection_type="natural earth", showframe=False, showcoastlines=False, showcountries=True,
            countrycolor=palette.line, showland=True, landcolor=palette.surface, showocean=False, showlakes=False,
            bgcolor="rgba(0,0,0,0)", lataxis_range=[-56, 84], resolution=110,
        )  # fmt: skip
        figure.update_layout(
            margin={"l": 0, "r": 0, "t": 0, "b": 0},
            dragmode=False,
            geo={"fitbounds": False},
            meta={"narrow": {"margin.r": 1, "height": NARROW_HEIGHT_PX}},
        )
        return figure

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """The three countries with most."""
        del look
        found = counts(rows)
        first = ", ".join(f"{self._name(row.dimension)} {_with_share(row)}" for row in found[:3])
        covered = rows["coverage"].drop_nulls()
        share = (
            f" The country of {wording.percent(covered[0])} of the online servers is known." if covered.len() else ""
        )
        return f"Most servers are in {first}, of {wording.plural(len(found), 'country', 'countries')}.{share}"

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Every country."""
        del look
        body = [
            (self._name(row.dimension), wording.number(row.value), wording.percent((row.value or 0) / row.n))
            for row in counts(rows)
        ]
        return Digest(("country", "servers", "share"), tuple(body), right=(1, 2))

    def _name(self, country: str) -> str:
        return self.countries()[country][1] if country in self.countries() else country[:20]


def _with_share(row: Counted) -> str:
    return f"{wording.number(row.value)} ({wording.percent((row.value or 0) / row.n)})"
