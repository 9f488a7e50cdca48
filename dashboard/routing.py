"""An address becomes a page: the explicit list of pages, and the one callback that fills the frame's middle.

The whole address is applied when the layout is built, so that a link brings back what its sender saw. A page that
changes its own address (a table that is sorted) writes what it shows into `SHOWN`; the callback then leaves it alone.
"""

import logging
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlencode

import trio
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from crawler.store.clock import Now, utc_now
from dashboard import frame, links
from dashboard.data import CensusSource, View
from dashboard.pages import (
    about,
    boards,
    chart,
    crawls,
    data,
    methods,
    neighbour,
    overview,
    room,
    rooms,
    server,
    servers,
    states,
)
from dashboard.palette import Scheme
from dashboard.request import PageRequest, parse_query, parse_scheme
from dashboard.security import EMBEDDED

LOG = logging.getLogger(__name__)

STALE_AFTER = 2
"""Intervals between censuses after which the newest is called old."""

SHOWN = "shown"
"""Store: path and query that the page on the screen shows."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `path` may end in `{...}`, which stands for one part of the address. `group` is its place in the
    navigation; None keeps it out."""

    path: str
    title: str
    layout: Callable[[PageRequest], Component]
    group: str | None = None
    needs_census: bool = True
    follows_census: bool = True
    """Whether it shows an earlier census that is asked for."""
    holds: Callable[[str], bool] = lambda _: True
    """Whether there is a page of an argument."""
    titled: Callable[[str], str] = lambda argument: argument[:100]
    """The title of the page of an argument."""

    def match(self, path: str) -> str | None:
        """The argument of `path` if it is of this page ("" when it takes none), else None."""
        prefix, brace, _ = self.path.partition("{")
        if not brace:
            return "" if path.rstrip("/") == prefix.rstrip("/") else None
        argument = path.removeprefix(prefix)
        if not path.startswith(prefix) or not argument or "/" in argument or not self.holds(unquote(argument)):
            return None
        return unquote(argument)


def _board(page: boards.ChartPage, group: str) -> Page:
    return Page(page.path, page.title, page.layout, group)


PAGES: tuple[Page, ...] = (
    Page("/", "Overview", overview.layout, "Network"),
    _board(boards.GROWTH, "Network"),
    Page("/servers", "Servers", servers.layout, "Network"),
    Page("/servers/{name}", "Server", server.layout),
    _board(boards.SOFTWARE, "Network"),
    _board(boards.DECENTRALISATION, "Structure"),
    _board(boards.BRIDGES, "Structure"),
    _board(boards.DISCOVERY, "Rooms"),
    Page("/rooms", "Browse", rooms.layout, "Rooms"),
    Page("/rooms/{name}", "Room", room.layout),
    _board(boards.SIGNAL, "Rooms"),
    _board(boards.SPEC, "Ecosystem"),
    _board(boards.DEVELOPERS, "Ecosystem"),
    Page("/charts/{name}", "Chart", chart.layout, holds=chart.exists, titled=chart.title),
    Page("/embed/{name}", "Chart", chart.embedded, holds=chart.exists, titled=chart.title),
    Page("/crawls", "Crawl health", crawls.layout, "Evidence"),
    Page("/data", "Data", data.layout, "Evidence", follows_census=False),
    Page("/methods", "Methods", methods.layout, "Evidence", needs_census=False),
    Page("/about", "About", about.layout, "Evidence", needs_census=False),
    Page(neighbour.PATH, "For server admins", neighbour.layout, "Evidence", needs_census=False),
)
"""In the order of the navigation."""


def find_page(path: str) -> tuple[Page, str] | None:
    """The page of a path and its argument; None where none is."""
    for page in PAGES:
        argument = page.match(path)
        if argument is not None:
            return page, argument
    return None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one address becomes: the middle, the census line, the navigation with its current path, the title."""

    content: Component
    census_line: list[Component]
    nav: list[Component]
    title: str


def render(source: CensusSource, path: str, search: str, scheme: Scheme, now: Now = utc_now) -> Rendered:
    """Build the page of an address from one view of the census. Blocking: it queries."""
    query = parse_query(search)
    with source.looking(query.get(links.AT)) as view:
        rendered = _render(view, path, query, scheme)
        found = find_page(path)
        if view is None or found is None:
            return rendered
        banner = _banner(view, found[0], path, query, now())
    return replace(rendered, content=html.Div([banner, rendered.content])) if banner else rendered


def _banner(view: View, page: Page, path: str, query: Mapping[str, str], now: datetime) -> Component | None:
    """What must be said of the census before anything it says: that it is an earlier one, is not there, or is old."""
    if not page.needs_census or path.startswith(EMBEDDED):
        return None
    asked = query.get(links.AT)
    if asked and view.past is None and view.as_of(asked) is None:
        return states.no_such_census(asked[:20], view.censuses)
    if view.past is None:
        return _stale(view, now)
    if not page.follows_census:
        return states.newest_alone(view.crawl)
    here = f"{path}?{urlencode({key: value for key, value in query.items() if key != links.AT})}".rstrip("?")
    return states.earlier(view.crawl, view.censuses, here)


def _stale(view: View, now: datetime) -> Component | None:
    """A banner where the census is older than two of its intervals."""
    if view.crawl.finished_at is None or view.interval_s is None:
        return None
    age_s = (now - view.crawl.finished_at).total_seconds()
    return states.stale(age_s, view.interval_s) if age_s > STALE_AFTER * view.interval_s else None


def _nav(current: str) -> list[Component]:
    return frame.nav_links(((page.group, page.title, page.path) for page in PAGES if page.group is not None), current)


def _render(view: View | None, path: str, query: Mapping[str, str], scheme: Scheme) -> Rendered:
    found = find_page(path)
    line = frame.census_line(view.crawl, view.known) if view else frame.census_line(None, 0)
    if view:
        line += [frame.picker(view.censuses, view.past), frame.snapshot(view.reader.snapshot_id)]
    if found is None:
        return Rendered(states.not_found(path[:200]), line, _nav(""), "Not found")
    page, argument = found
    title = page.titled(argument) if argument else page.title
    current = page.path.partition("/{")[0] or "/"
    if view is None and page.needs_census:
        return Rendered(states.empty(), line, _nav(current), "No census yet")
    request = PageRequest(view, scheme, argument, query)
    return Rendered(page.layout(request), line, _nav(current), title)


def address_of(path: str, search: str) -> str:
    """What `SHOWN` holds for a path and a query."""
    return path + (search if search and search != "?" else "")


def question_of(body: Any) -> Hashable | None:
    """What the answer of the frame's callback depends on besides the census: path, query and scheme.

    Args:
        body: Of a callback's request, as anybody may send it.

    Returns:
        None for another callback, for a page that is on the screen already, and for what is not understood.
    """
    try:
        inputs = {f"{part['id']}.{part['property']}": part.get("value") for part in body["inputs"]}
        path, search = (inputs[f"{frame.ADDRESS}.{part}"] or "" for part in ("pathname", "search"))
        shown = body["state"][0].get("value")
        output = body["output"]
    except (AttributeError, IndexError, KeyError, TypeError):
        return None
    if not (isinstance(path, str) and isinstance(search, str) and isinstance(output, str)):
        return None
    if not output.startswith(f"..{frame.PAGE}.children.") or address_of(path or "/", search) == shown:
        return None
    return path or "/", search, parse_scheme(inputs.get(f"{frame.THEME}.data"))


def stores() -> list[Component]:
    """What the routing keeps in the browser."""
    return [dcc.Store(id=SHOWN)]


def register(app: Dash, source: CensusSource) -> None:
    """The callback that fills the frame."""

    @app.callback(
        Output(frame.PAGE, "children"),
        Output(frame.CENSUS_LINE, "children"),
        Output(frame.NAV, "children"),
        Output(frame.DRAWER_NAV, "children"),
        Output(frame.TITLE, "data"),
        Output(SHOWN, "data"),
        Input(frame.ADDRESS, "pathname"),
        Input(frame.ADDRESS, "search"),
        Input(frame.THEME, "data"),
        State(SHOWN, "data"),
    )
    async def route(path: str | None, search: str | None, theme: str, shown: str | None) -> tuple[Any, ...]:
        path, search = links.bare(path or "/"), search or ""
        address = address_of(path, search)
        if shown == address and ctx.triggered_id != frame.THEME:
            return (no_update,) * 6
        scheme = parse_scheme(theme)
        try:
            rendered = await trio.to_thread.run_sync(render, source, path, search, scheme, limiter=source.limiter)
        except Exception:
            # Whatever a page trips over must not take the frame with it; the trace goes to the log, under an id.
            report_id = secrets.token_hex(4)
            LOG.exception("page %r failed, id %s", path[:200], report_id)
            rendered = Rendered(states.failed(report_id), frame.census_line(None, 0), _nav(""), "Failed")
        return rendered.content, rendered.census_line, rendered.nav, rendered.nav, rendered.title, address
