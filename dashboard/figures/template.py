"""How every chart looks: no frame, horizontal reading, thin grid lines, the visitor's own fonts, the palette's colours.

A chart's title, subtitle and source stand outside the figure, as text of the page: they wrap, can be selected, and are
read by screen readers.
"""

from functools import cache
from html import unescape
from textwrap import wrap

import plotly.graph_objects as go

from analytics.wording import THIN_SPACE
from dashboard.palette import FONT, PALETTES, Scheme

ROW_HEIGHT_PX = 34
_MARGINS_PX = 16
_CHARACTER_PX = 7.5
"""Of a text of 13 px, on the wide side."""
_NAME, _NARROW_NAME = 30, 17
"""Characters in a line of a bar's name; a narrow screen has room for little else beside it."""


@cache
def template(scheme: Scheme) -> go.layout.Template:
    """Plotly's template for a scheme; a figure takes a copy."""
    palette = PALETTES[scheme]
    axis = {
        "gridcolor": palette.line,
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
        "tickfont": {"color": palette.text, "size": 13},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": palette.text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(palette.lineages),
            "margin": {"l": 8, "r": 8, "t": _MARGINS_PX // 2, "b": _MARGINS_PX // 2},
            "xaxis": axis,
            "yaxis": axis | {"showgrid": False},
            "showlegend": False,
            "dragmode": False,
            "bargap": 0.35,
            "separators": f".{THIN_SPACE}",
            "hoverlabel": {
                "bgcolor": palette.surface,
                "bordercolor": palette.line,
                "font": {"family": FONT, "size": 13, "color": palette.text},
                "align": "left",
            },
        }
    )


def faded(colour: str, opacity: float) -> str:
    """A colour of the palette, `#RRGGBB`, as one that lets through what is behind it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def safe(text: str) -> str:
    """A text for a label: Plotly reads a few tags in its labels, and remote text must not be read so."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, most: int) -> str:
    """A text of a label with so many characters at most; one that was longer says so."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def bars(
    labels: list[str],
    lengths: list[float],
    texts: list[str],
    hovers: list[str],
    colours: list[str],
    scheme: Scheme,
    short_texts: list[str] | None = None,
) -> go.Figure:
    """Horizontal bars from zero, first on top, with what they say at their ends; `short_texts` are what they say where
    there is little room."""
    palette = PALETTES[scheme]
    bar = go.Bar(
        orientation="h",
        # Labels may repeat and are remote text: the axis counts rows, and the labels are its tick texts.
        y=list(range(len(labels))),
        x=lengths,
        text=texts,
        customdata=hovers,
        textposition="outside",
        textfont={"color": palette.text},
        cliponaxis=False,
        marker={"color": colours, "line": {"width": 0}},
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure = go.Figure(bar, {"template": template(scheme), "height": len(labels) * ROW_HEIGHT_PX + _MARGINS_PX})
    # The longest bar fills the plot, and what it says has its place in the margin, however narrow the screen.
    told = texts if short_texts is None else short_texts
    narrow = {"margin.r": _room_px(told), "yaxis.ticktext": [_name(label, _NARROW_NAME) for label in labels]}
    figure.update_layout(margin_r=_room_px(texts), meta={"narrow": narrow, "narrow_text": told})
    figure.update_xaxes(range=[0, max(lengths, default=0) or 1], showticklabels=False, showgrid=False)
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(labels))), ticktext=[_name(label, _NAME) for label in labels]
    )
    return figure


def _room_px(texts: list[str]) -> float:
    return max((len(text) for text in texts), default=0) * _CHARACTER_PX + _MARGINS_PX


def _name(label: str, width: int) -> str:
    """A bar's name, in two lines at most."""
    lines = wrap(unescape(label), width, max_lines=2, placeholder="…")
    return "<br>".join(f"{safe(line)}  " for line in lines)
