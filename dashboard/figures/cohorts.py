"""What is left of those that came together: a cell for each cohort and each month since, darker with more."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from analytics import wording
from dashboard.figures.drawing import Digest, Look
from dashboard.figures.template import faded, template
from dashboard.palette import PALETTES

_ROW_PX, _FRAME_PX, _LEAST_PX = 30, 64, 160
COHORTS_MOST = 18
"""The newest that are drawn; the table has all."""
WRITTEN_MOST = 9
"""Columns up to which the share is written into each cell: more would not fit a narrow screen."""
OLD = "older"


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Rows have `cohort`, `from_first_census`, `size`, `age_months`, `present`, `value`, `lo`, `hi`: by cohort, the one
    of unknown age first, then by age."""

    def figure(self, rows: pl.DataFrame, look: Look) -> go.Figure:
        """One hue, from nothing left to all there; cells of months that have not come are empty."""
        palette = PALETTES[look.scheme]
        cohorts = _cohorts(rows)[-COHORTS_MOST:]
        ages = list(range(max(int(frame["age_months"][-1]) for _, frame in cohorts) + 1))
        cells = [{row["age_months"]: row for row in frame.iter_rows(named=True)} for _, frame in cohorts]
        shown = [[cell.get(age) for age in ages] for cell in cells]
        figure = go.Figure(layout={"template": template(look.scheme)})
        figure.add_heatmap(
            x=ages,
            y=list(range(len(cohorts))),
            z=[[None if cell is None else cell["value"] for cell in line] for line in shown],
            zmin=0, zmax=1, xgap=2, ygap=2, hoverongaps=False,
            colorscale=[[0, faded(palette.accent, 0.08)], [1, faded(palette.accent, 0.75)]],
            colorbar={
                "thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "nticks": 3,
                "tickfont": {"color": palette.quiet, "size": 12},
            },
            text=[["" if cell is None else f"{cell['value'] * 100:.0f}" for cell in line] for line in shown],
            texttemplate="%{text}" if len(ages) <= WRITTEN_MOST else "",
            textfont={"size": 12, "color": palette.text},
            customdata=[
                ["" if cell is None else f"{name}, {_after(cell['age_months'])}: {_share(cell)}" for cell in line]
                for (name, _), line in zip(cohorts, shown, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=max(len(cohorts) * _ROW_PX + _FRAME_PX, _LEAST_PX),
            margin={"l": 8, "r": 8, "t": 8, "b": 44},
            meta={"narrow": {"margin.r": 4, "xaxis.nticks": 5}},
        )
        figure.update_xaxes(
            title={"text": "months since they were first seen", "font": {"size": 13, "color": palette.quiet}},
            showgrid=False, tickfont={"color": palette.quiet, "size": 12},
            dtick=1 if len(ages) <= WRITTEN_MOST else None,
        )  # fmt: skip
        figure.update_yaxes(
            autorange="reversed", showgrid=False, tickvals=list(range(len(cohorts))),
            ticktext=[f"{name}  " for name, _ in cohorts], tickfont={"size": 12},
        )  # fmt: skip
        return figure

    def sentence(self, rows: pl.DataFrame, look: Look) -> str:
        """What is left of the first cohort and of the largest of known age."""
        del look
        cohorts = _cohorts(rows)
        told = [cohorts[0]]
        young = [each for each in cohorts if not each[1]["from_first_census"][0]]
        if young:
            told.append(max(young, key=lambda each: (each[1]["age_months"].len(), each[1]["size"][0])))
        said = []
        for name, frame in dict(told).items():
            last = frame.row(-1, named=True)
            said.append(f"{name}, {_after(last['age_months'])}: {_share(last)}")
        whole = "; ".join(said)
        return f"{whole[0].upper()}{whole[1:]}."

    def digest(self, rows: pl.DataFrame, look: Look) -> Digest:
        """Each cohort: how many came, and what was left when they were last looked at."""
        del look
        body = []
        for name, frame in _cohorts(rows):
            last = frame.row(-1, named=True)
            interval = f"{wording.percent(last['lo'])} to {wording.percent(last['hi'])}"
            body.append(
                (
                    name, wording.number(last["size"]), str(last["age_months"]), wording.number(last["present"]),
                    wording.percent(last["value"]), interval,
                )
            )  # fmt: skip
        heads = ("first seen", "how many", "months since", "still there", "share", "interval")
        return Digest(heads, tuple(body), right=(1, 2, 3, 4))


def _cohorts(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    return [
        (_name(frame.row(0, named=True)), frame)
        for _, frame in rows.group_by("cohort", "from_first_census", maintain_order=True)
    ]


def _name(row: dict[str, Any]) -> str:
    """`Nov 2026`; those of the first census are older by an unknown time."""
    return f"{row['cohort']:%b %Y}, {OLD}" if row["from_first_census"] else f"{row['cohort']:%b %Y}"


def _after(months: int) -> str:
    return f"after {wording.plural(months, 'month')}" if months else "in that month"


def _share(row: dict[str, Any]) -> str:
    return f"{wording.percent(row['value'])} ({wording.number(row['present'])} of {wording.number(row['size'])})"
