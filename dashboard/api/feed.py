"""`/feed.atom`: servers that came and went, and big rooms listed for the first time (Atom, RFC 4287).

An entry is named by what happened, where it was seen from and when, so that it keeps its name whatever is published or
served from elsewhere. Names are text of strangers: made printable, and put into XML by a library.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from fastapi import APIRouter, Request, Response

from analytics import wording as numbers
from crawler.store.changes import Change, ChangeKind
from dashboard import wording
from dashboard.api.link import absolute
from dashboard.api.shapes import LICENCE_URL, citation
from dashboard.api.shelf import Answer, Shelf
from dashboard.data import View

ATOM = "application/atom+xml; charset=utf-8"
ENTRIES = 100
BIG_ROOM = 100
"""Members of a room that is told of."""

_SPACE = "http://www.w3.org/2005/Atom"
_OURS = uuid.UUID("6f1d3c52-93a1-4c0e-9d0b-2a4c6f0d7b11")
"""Namespace (RFC 9562, 5.5) of the names of entries."""

_TOLD = (ChangeKind.SERVER_BIRTH, ChangeKind.SERVER_DEATH, ChangeKind.ROOM_LISTED)

_WORDS = {
    ChangeKind.SERVER_BIRTH: "New server",
    ChangeKind.SERVER_DEATH: "Server gone",
    ChangeKind.ROOM_LISTED: "New big room",
}


def router(shelf: Shelf) -> APIRouter:
    """The route."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/feed.atom")
    async def feed(request: Request) -> Response:
        here, home = absolute(request, "/feed.atom"), absolute(request, "/")
        return await shelf.answer(request, ("feed", here[:300]), partial(_answer, here=here, home=home))

    return routes


def _answer(view: View, *, here: str, home: str) -> Answer:
    found = view.reader.changes(view.crawl.id, kinds=_TOLD, min_members=BIG_ROOM, newest_first=True, limit=ENTRIES)
    Xml.register_namespace("", _SPACE)
    root = Xml.Element(_in_atom("feed"))
    synthetic = " (practice federation, synthetic)" if view.crawl.synthetic else ""
    _add(root, "title", f"Matrix Census{synthetic}: servers that came and went, big rooms")
    _add(root, "subtitle", f"Seen from: {view.crawl.vantage}. A change is seen by the first census after it.")
    _add(root, "id", _name("feed", view.crawl.vantage, str(view.crawl.synthetic)))
    _add(root, "updated", _moment(view.crawl.finished_at or view.crawl.started_at))
    _add(root, "rights", f"CC0-1.0. {citation(view)}")
    _link(root, "self", here, ATOM.partition(";")[0])
    _link(root, "alternate", home, "text/html")
    _link(root, "license", LICENCE_URL, None)
    author = Xml.SubElement(root, _in_atom("author"))
    _add(author, "name", "Matrix Census")
    for entry in _entries(view, found.rows, home):
        root.append(entry)
    return Answer.of(Xml.tostring(root, encoding="utf-8", xml_declaration=True), ATOM)


def _entries(view: View, rows: tuple[Change, ...], home: str) -> Iterator[Xml.Element]:
    for change in rows:
        entry = Xml.Element(_in_atom("entry"))
        subject = change.server_name or change.room_name or change.room_id or ""
        kind = ChangeKind(change.kind)
        _add(entry, "title", f"{_WORDS[kind]}: {subject}")
        of = change.server_name or change.room_id or ""
        _add(entry, "id", _name(kind, of, change.seen_at.isoformat(), view.crawl.vantage, str(view.crawl.synthetic)))
        _add(entry, "updated", _moment(change.seen_at))
        path = f"servers/{quote(of, safe='')}" if change.server_name else f"api/v1/rooms/{quote(of, safe='')}"
        _link(entry, "alternate", f"{home}{path}", None)
        _add(entry, "summary", _summary(kind, change))
        yield entry


def _summary(kind: ChangeKind, change: Change) -> str:
    when = f"by the census sealed {numbers.moment(change.seen_at)}"
    if kind is ChangeKind.SERVER_BIRTH:
        return f"Seen online for the first time {when}."
    if kind is ChangeKind.SERVER_DEATH:
        return f"Found not online any more {when}, and not back since. A later return makes it an outage."
    members = "members not told" if change.members is None else f"{numbers.number(change.members)} members"
    return f"{change.room_id}, {members}: found in a room directory for the first time {when}."


def _in_atom(tag: str) -> str:
    return f"{{{_SPACE}}}{tag}"


def _add(parent: Xml.Element, tag: str, text: str) -> None:
    Xml.SubElement(parent, _in_atom(tag)).text = _of_xml(wording.one_line(text, 600))


def _of_xml(text: str) -> str:
    """Without the two code points that XML 1.0 forbids and that are not replaced as unsafe already."""
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def _link(parent: Xml.Element, relation: str, href: str, media_type: str | None) -> None:
    link = Xml.SubElement(parent, _in_atom("link"), rel=relation, href=_of_xml(wording.one_line(href, 2000)))
    if media_type is not None:
        link.set("type", media_type)


def _name(*parts: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_OURS, chr(31).join(parts))}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
