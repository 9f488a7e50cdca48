"""What is in the document before any script has run: the overview's numbers, and never a stranger's markup."""

from html.parser import HTMLParser
from pathlib import Path

import httpx
from dash import dcc, html

from dashboard.app import create_app
from dashboard.aria import aria
from dashboard.data import CensusSource
from dashboard.first_sight import first_sight, written
from dashboard.palette import Scheme
from dashboard.routing import render
from tests.dashboard.markup import texts


class Seen(HTMLParser):
    """Texts and elements, as a browser that knows nothing of us finds them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(document)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_text_stays_text_and_nothing_is_said_that_the_policy_forbids() -> None:
    hostile = '<img src=x onerror=alert(1)> & "so"'
    tree = html.Div(
        [html.P(hostile, title=hostile, id="twice", style={"color": "red"}), dcc.Link(hostile, href="/a?b=1&c=2"), 3],
        **aria(label=hostile),
    )
    seen = Seen(written([tree, None, dcc.Store(id="kept", data=hostile), html.Br(), html.Details("x", open=True)]))
    assert seen.texts == [hostile, hostile, "3", "x"]
    assert seen.elements == [
        ("div", {"aria-label": hostile}),
        ("p", {"title": hostile}),
        ("a", {"href": "/a?b=1&c=2"}),
        ("br", {}),
        ("details", {"open": None}),
    ]


def test_it_says_what_the_application_will_say(history: Path) -> None:
    source = CensusSource(history)
    for search in ("", "?at=1"):
        told = Seen(first_sight(source, "/", search, Scheme.LIGHT)).texts
        page = [text for text in texts(render(source, "/", search, Scheme.LIGHT).content) if text]
        assert [text for text in page if text not in "".join(told)] == []
        assert len(page) > 50
    assert first_sight(source, "/", "?q=x", Scheme.LIGHT) == first_sight(source, "/growth", "", Scheme.LIGHT) == ""
    source.close()


async def test_the_document_has_it_where_it_belongs(census: Path) -> None:
    transport = httpx.ASGITransport(create_app(census, root_path="/census"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        first, other = [(await client.get(f"/census{path}")).text for path in ("/", "/growth")]
    assert "<!--" not in first + other
    assert [tag for tag, attributes in Seen(first).elements if attributes.get("id") == "first-sight"] == ["div"]
    assert 'id="first-sight"' not in other
    links = [attributes["href"] or "" for tag, attributes in Seen(first).elements if tag == "a"]
    assert len(links) > 20
    assert [link for link in links if not link.startswith("/census/")] == []
