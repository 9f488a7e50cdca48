"""What is seen before the application has come: the overview, written into the document as plain HTML.

A browser needs a second or more to fetch and run what tables and charts take. The numbers that most come for need none
of it, so they are in the document itself: the same frame and the same cards, from the same components. When the
application has filled its own frame, census.js takes this one away; without JavaScript it stays, links and all. Of
charts it has the sentence and the table.

Only components of HTML are written, and of their properties those that say something: an id would be there twice, and
the policy forbids style attributes. Every text is escaped here, as React does it there.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from dash.development.base_component import Component

from dashboard import frame, links, routing
from dashboard.data import CensusSource
from dashboard.palette import Scheme
from dashboard.request import parse_query

PATHS = ("", "/")
"""Pages that are seen so: on the others, charts and tables are all there is to see."""

_EMPTY = frozenset({"br", "hr", "img"})
_SPELT = {"className": "class", "colSpan": "colspan", "rowSpan": "rowspan"}
_SAID = frozenset({"class", "colspan", "rowspan", "title", "href", "src", "alt", "role", "scope"})
_FLAGS = frozenset({"open", "disabled"})


def first_sight(source: CensusSource, path: str, search: str, scheme: Scheme) -> str:
    """The HTML of the frame with the overview in it; empty for another page. Blocking."""
    if path not in PATHS or parse_query(search).keys() - {links.AT}:
        return ""
    rendered = routing.render(source, "/", search, scheme)
    still = frame.still(rendered.content, rendered.census_line, rendered.nav)
    return f'<div id="{frame.FIRST_SIGHT}">{written(still)}</div>'


def written(part: Any) -> str:
    """A tree of components as HTML; what is no component of HTML and no link is left out."""
    if part is None or isinstance(part, bool):
        return ""
    if isinstance(part, list | tuple):
        return "".join(map(written, part))
    if not isinstance(part, Component):
        return escape(str(part))
    told = part.to_plotly_json()
    properties: Mapping[str, Any] = told["props"]
    is_link = (told["namespace"], told["type"]) == ("dash_core_components", "Link")
    if told["namespace"] != "dash_html_components" and not is_link:
        return ""
    tag = "a" if is_link else str(told["type"]).lower()
    opening = f"<{tag}{''.join(_attributes(properties))}>"
    return opening if tag in _EMPTY else f"{opening}{written(properties.get('children'))}</{tag}>"


def _attributes(properties: Mapping[str, Any]) -> list[str]:
    said = []
    for name, value in properties.items():
        spelt = _SPELT.get(name, name)
        if spelt in _FLAGS and value:
            said.append(f" {spelt}")
        elif value is not None and (spelt in _SAID or (spelt.startswith("aria-") and spelt != "aria-labelledby")):
            said.append(f' {spelt}="{escape(str(value))}"')
    return said
