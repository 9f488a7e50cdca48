"""Badges: a word and a number as a small picture (SVG) for pages of others, from the newest census.

What is in them is a stranger's text (a name, a version): made printable, cut, and escaped as XML. A picture loads no
font and runs no script, so the width of a text is estimated; the viewer is told to fit the text into it.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from xml.sax.saxutils import escape, quoteattr

from fastapi import APIRouter, Request, Response

from analytics import wording as numbers
from crawler.store import federation
from dashboard import wording
from dashboard.api.problem import NO_CENSUS, Problem
from dashboard.api.shelf import CACHE, Answer, Shelf
from dashboard.data import View

SVG = "image/svg+xml"

_HEIGHT, _PAD, _TEXT_Y = 20, 6, 14
_WIDE, _NARROW = 7.2, 3.6
_LONGEST = 40

# White text on each has a contrast of 4.5 to 1 at least (WCAG 2.2, 1.4.3).
_LABEL, _GOOD, _WARN, _BAD, _QUIET = "#444b54", "#1f7a3d", "#8a5a00", "#b3261e", "#5f6772"


@dataclass(frozen=True, slots=True)
class Badge:
    """`label` is what is told of, `message` what is told."""

    label: str
    message: str
    colour: str


def svg(badge: Badge) -> str:
    """The picture."""
    label = wording.one_line(badge.label, _LONGEST)
    message = wording.one_line(badge.message, _LONGEST) or "?"
    left, right = _width(label), _width(message)
    said = quoteattr(f"{label}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" '
        f"aria-label={said}><title>{escape(f'{label}: {message}')}</title>"
        f'<rect width="{left}" height="{_HEIGHT}" fill="{_LABEL}"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{badge.colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(label, 0, left)}{_text(message, left, right)}</g></svg>"
    )


def _text(text: str, x: int, width: int) -> str:
    return (
        f'<text x="{x + _PAD}" y="{_TEXT_Y}" textLength="{width - 2 * _PAD}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(text)}</text>"
    )


def _width(text: str) -> int:
    """What the text takes at 11 px, roughly; letters beyond Latin are taken to be as wide as they are high."""
    return round(2 * _PAD + sum(11 if ord(c) > 0x2FF else _NARROW if c in "ijlft.,:;|!' " else _WIDE for c in text))


def router(shelf: Shelf) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/badge/servers.svg")
    async def servers(request: Request) -> Response:
        return await _badge(request, shelf, ("servers",), "servers online", _servers)

    @routes.get("/badge/server/{server_name}.svg")
    async def server(request: Request, server_name: str) -> Response:
        ask = partial(_server, name=server_name)
        return await _badge(request, shelf, ("server", server_name.lower()[:300]), server_name, ask)

    @routes.get("/badge/room/{room_id:path}.svg")
    async def room(request: Request, room_id: str) -> Response:
        ask = partial(_room, room_id=room_id)
        return await _badge(request, shelf, ("room", room_id[:300]), "members", ask)

    return routes


async def _badge(
    request: Request, shelf: Shelf, key: tuple[str, ...], label: str, ask: Callable[[View], Badge]
) -> Response:
    def make(view: View) -> Answer:
        badge = ask(view)
        if view.crawl.synthetic:
            badge = Badge(badge.label, f"{badge.message} (synthetic)", badge.colour)
        return Answer.of(svg(badge).encode(), SVG)

    try:
        return await shelf.answer(request, ("badge", *key), make)
    except Problem as problem:
        # A picture that is missing says less than one that says what is missing.
        said = "no census yet" if problem.kind is NO_CENSUS else "not readable"
        return Response(svg(Badge(label, said, _QUIET)), media_type=SVG, headers=CACHE)


def _servers(view: View) -> Badge:
    online = view.crawl.online
    return Badge("Matrix servers online", numbers.number(online), _GOOD if online else _QUIET)


def _server(view: View, name: str) -> Badge:
    with closing(view.reader.cursor()) as connection:
        found = federation.known_server(connection, view.crawl.id, name)
    if found is None:
        return Badge(name, "not known", _QUIET)
    if found.federating:
        return Badge(found.server_name, "federating", _GOOD)
    if found.online:
        return Badge(found.server_name, "online, not federating", _WARN)
    return Badge(found.server_name, "not online", _BAD)


def _room(view: View, room_id: str) -> Badge:
    with closing(view.reader.cursor()) as connection:
        found = federation.listed_room(connection, view.crawl.id, room_id)
    if found is None:
        return Badge("room", "not listed", _QUIET)
    label = found.canonical_alias or found.name or "room"
    if found.members is None:
        return Badge(label, "members not told", _QUIET)
    return Badge(label, f"{numbers.number(found.members)} members", _GOOD)
