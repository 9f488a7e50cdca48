"""What stands around every page: navigation, the line that says which census is shown, the theme switch, the search.

Apart from the pages, which only fill the middle, so that a reader finds the same things in the same place on each.
"""

from collections.abc import Iterable, Sequence

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from analytics import wording
from crawler.model.crawl import Crawl
from dashboard import links
from dashboard.aria import HIDDEN, aria
from dashboard.pages import neighbour
from dashboard.palette import FONT, PALETTES, Scheme

ADDRESS, PAGE, TITLE, THEME = "address", "page", "title", "theme"
NAV, DRAWER, DRAWER_NAV, CENSUS_LINE = "nav", "drawer", "drawer-nav", "census-line"
_PROVIDER, _THEME_BUTTON, _MENU_BUTTON, _SEARCH = "provider", "theme-button", "menu-button", "search"
_PICKER, _PICKED = "census-picker", "census-picked"

FIRST_SIGHT = "first-sight"
"""What is in the document already (`dashboard.first_sight`), and where it comes."""

NAME = "Matrix Census"

_MANTINE_THEME = {
    "fontFamily": FONT,
    "fontFamilyMonospace": 'ui-monospace, "SF Mono", "Liberation Mono", Menlo, monospace',
    "defaultRadius": 4,
    "primaryColor": "blue",
    "respectReducedMotion": True,
}


def frame(scheme: Scheme, skeleton: Component, stores: list[Component]) -> Component:
    """The frame with `skeleton` in its middle, until the page of the address is there."""
    framed: Component = dmc.MantineProvider(
        id=_PROVIDER,
        forceColorScheme=scheme.value,
        theme=_MANTINE_THEME,
        children=[
            dcc.Location(id=ADDRESS, refresh="callback-nav"),
            dcc.Store(id=THEME, data=scheme.value),
            dcc.Store(id=TITLE),
            *stores,
            html.A("Skip to the content", href="#content", className="skip"),
            dmc.Drawer(id=DRAWER, title=NAME, size=280, padding="xs", children=html.Nav(id=DRAWER_NAV)),
            _framed(html.Nav(id=NAV, **aria(label="Pages")), _top(), _middle(skeleton)),
        ],
    )
    return framed


def still(content: Component, line: list[Component], nav: list[Component]) -> Component:
    """The frame with what was made for an address in it, as it looks and without what only the application does."""
    # What does nothing yet is not seen, and has its place.
    top = html.Header(
        [html.Div(line, className="census-line"), html.Div(className="search"), _theme()], className="top"
    )
    return _framed(html.Nav(nav, **aria(label="Pages")), top, html.Main(html.Div(content)))


def _framed(nav: Component, top: Component, middle: Component) -> Component:
    return html.Div(
        className="frame",
        children=[
            html.Div(className="side", children=html.Div(className="side-in", children=[_brand(), nav])),
            html.Div(className="column", children=[top, middle, _foot(), _printed()]),
        ],
    )


def _brand() -> Component:
    return dcc.Link(NAME, href=links.whole("/"), className="brand")


def _top() -> Component:
    return html.Header(
        className="top",
        children=[
            html.Button("Menu", id=_MENU_BUTTON, className="button menu-button", **aria(haspopup="dialog")),
            html.Div(id=CENSUS_LINE, className="census-line"),
            dmc.TextInput(
                id=_SEARCH,
                className="search",
                placeholder="Find a server",
                size="xs",
                **aria(label="Find a server by its name"),
            ),
            _theme(),
        ],
    )


def _theme() -> Component:
    return html.Button(
        id=_THEME_BUTTON,
        className="button",
        **aria(label="Switch between light and dark"),
        children=[
            html.Span("◐", **HIDDEN),
            html.Span(
                className="theme-word",
                children=[
                    html.Span("Dark", className="theme-dark"),
                    html.Span("Light", className="theme-light"),
                ],
            ),
        ],
    )


def _middle(skeleton: Component) -> Component:
    return html.Main(id="content", children=html.Div(id=PAGE, children=skeleton))


def _foot() -> Component:
    return html.Footer(
        [
            "Counted from outside, as any federating server sees the network. All times are UTC. ",
            dcc.Link("Who we are, and how to be left out", href=links.whole(neighbour.PATH)),
            ". For programs: ",
            html.A("API", href=links.whole("/api")),
            ", ",
            html.A("feed", href=links.whole("/feed.atom")),
            ", ",
            dcc.Link("and more", href=links.whole("/data#programs")),
            ".",
        ],
        className="foot",
    )


def census_line(crawl: Crawl | None, known: int) -> list[Component]:
    """Which census is shown: when it was sealed, how complete it is, from where it looked, and whether it is real."""
    if crawl is None:
        return [html.Span("No census yet")]
    visited = crawl.servers or 0
    complete = f"all {wording.number(known)} known servers visited"
    if visited < known:
        complete = f"{wording.percent(visited / known)} of {wording.number(known)} known servers visited"
    parts: list[Component] = [
        html.Span(["Census of ", html.Strong(wording.moment(crawl.finished_at))]),
        html.Span(complete),
        html.Span(f"seen from: {crawl.vantage}"),
    ]
    if crawl.synthetic:
        label = html.Span(["Synthetic: practice servers", html.Span(", not the real federation", className="long")])
        parts.insert(0, html.Span([html.Span("⚠", **HIDDEN), label], className="synthetic"))
    return parts


def _printed() -> Component:
    """Where a page on paper came from; print.js writes the address."""
    return html.P(["Printed from ", html.Span(id="print-address")], className="print-only printed")


def snapshot(snapshot_id: str) -> Component:
    """What was looked at, on paper."""
    return html.Span(["snapshot ", html.Code(snapshot_id)], className="print-only")


def picker(censuses: Sequence[Crawl], past: int | None) -> Component:
    """Where an earlier census is chosen, by its day; of several on a day the last.

    Args:
        censuses: All of the series, the oldest first.
        past: The number of the one that is looked at; None: the newest.
    """
    if len(censuses) < 2:
        return html.Span()
    days = {crawl.id: (crawl.finished_at or crawl.started_at).date().isoformat() for crawl in censuses}
    shown = days.get(past) if past is not None else None
    return html.Div(
        [
            dcc.Store(id=_PICKED, data=shown),
            dmc.DateInput(
                id=_PICKER,
                value=shown,
                valueFormat="D MMM YYYY",
                placeholder="Earlier census",
                minDate=days[censuses[0].id],
                maxDate=days[censuses[-1].id],
                clearable=True,
                debounce=600,
                size="xs",
                **aria(label="Show the census of an earlier day"),
            ),
        ],
        className="picker",
    )


def nav_links(entries: Iterable[tuple[str, str, str]], current: str) -> list[Component]:
    """Links for `(group, label, path)` entries; the one whose path is `current` is marked."""
    marked: list[Component] = []
    shown = ""
    for group, label, path in entries:
        if group != shown:
            marked.append(html.Div(group, className="nav-group"))
            shown = group
        is_current = path == current
        look = "nav-link current" if is_current else "nav-link"
        marked.append(dcc.Link(label, href=links.page(path), className=look))
    return marked


def register(app: Dash) -> None:
    """The callbacks of the frame; all but the search run in the browser."""
    app.clientside_callback(
        ClientsideFunction("census", "toggleTheme"),
        Output(_PROVIDER, "forceColorScheme"),
        Output(THEME, "data"),
        Input(_THEME_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("census", "toggleDrawer"),
        Output(DRAWER, "opened", allow_duplicate=True),
        Input(_MENU_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("census", "settle"),
        Output(DRAWER, "opened"),
        Input(TITLE, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("census", "pickCensus"),
        Output(_PICKED, "data"),
        Input(_PICKER, "value"),
        State(_PICKED, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("census", "search"),
        Output(_SEARCH, "value"),
        Input(_SEARCH, "n_submit"),
        State(_SEARCH, "value"),
        prevent_initial_call=True,
    )


def first_sight_place() -> str:
    """Where in the document the first sight comes."""
    return f"<!--{FIRST_SIGHT}-->"


def index_page(theme_script: str, style: str) -> str:
    """The HTML around the application. The theme's script runs first, so that a dark page never flashes white."""
    meta = "".join(
        f'<meta name="theme-color" media="(prefers-color-scheme: {scheme})" content="{palette.background}">'
        for scheme, palette in PALETTES.items()
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
{{%metas%}}
<title>{{%title%}}</title>
<meta name="description" content="A census of the open Matrix federation: servers, software, public rooms.">
{meta}
<script src="{theme_script}"></script>
{{%favicon%}}
{{%css%}}
<style>{style}</style>
</head>
<body>
<noscript>Tables and charts need JavaScript. The numbers are also in the API, and printed by the command
matrix-census metrics.</noscript>
{first_sight_place()}
{{%app_entry%}}
<div>{{%config%}}{{%scripts%}}{{%renderer%}}</div>
</body>
</html>"""
