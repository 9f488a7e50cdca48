"""For whoever runs a homeserver: who looks at it, what is asked of it, and how to be left out.

Apart from what the numbers mean (`about`), because this is for people who found us in a log and want to know, or want
us gone. What it says of a census is taken from how that census was taken.
"""

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics import wording
from crawler.model.user_agent import PRODUCT, user_agent
from dashboard.data import View
from dashboard.request import PageRequest

PATH = "/admins"

ROBOTS = f"User-agent: {PRODUCT}\nDisallow: /_matrix/federation/v1/publicRooms\n"
ROBOTS_ENTIRELY = f"User-agent: {PRODUCT}\nDisallow: /\n"

TAGS = ("(MRS-noindex:true-MRS)", "matrixrooms.info: noindex", f"{PRODUCT}: noindex")

_ASKED = (
    "where your server is: .well-known documents, DNS, and whether an address takes a verified TLS connection",
    "its version and its signing keys; the versions of its client API",
    "robots.txt, and then the public room directory, page by page, as another homeserver would",
    "for aliases of listed rooms that are yours: which servers are in the room, for some of them each time",
    "about rooms in public spaces: what is in them, once for each space",
)

_ON_THE_LIST = (
    "Whoever takes the census puts your server on a list, and it is never contacted again. On request it is forgotten, "
    "too, with its history, or a room of it is: of a forgotten name a salted hash stays, by which it cannot come back"
)


def layout(request: PageRequest) -> Component:
    """The page; without a census nobody is named who could take one."""
    view = request.census
    return html.Div(
        [
            html.H1("For server admins", tabIndex="-1"),
            html.P(
                "You found us in your log? This is who we are, what we ask of a server, and how to make us stop.",
                className="lede",
            ),
            html.H2("Who we are"),
            _who(view),
            html.P(
                "We count the open Matrix federation from outside. We join no room, read no message, fetch no media "
                "and look at nobody's profile."
            ),
            html.H2("What we ask of a server"),
            html.Ul([html.Li(what) for what in _ASKED]),
            html.P(_pace(view)),
            html.H2("How to be left out"),
            html.Dl(_ways(_contact(view)), className="facts"),
        ]
    )


def _who(view: View | None) -> Component:
    if view is None:
        return html.P("No census was taken from here yet. The contact is in the user agent of every request.")
    contact, identity = _contact(view), view.reader.identity(view.crawl.id)
    return html.Dl(
        [
            html.Dt("contact"),
            html.Dd(_reachable(contact) if contact else "none was given: these are practice servers of this machine"),
            html.Dt("user agent"),
            html.Dd(html.Code(user_agent(view.crawl.crawler_version, contact))),
            html.Dt("signs as"),
            html.Dd(html.Code(identity) if identity else "nobody: its requests are unsigned"),
            html.Dt("newest census"),
            html.Dd(f"{wording.moment(view.crawl.finished_at)}, seen from {view.crawl.vantage}"),
        ],
        className="facts",
    )


def _pace(view: View | None) -> str:
    limits = _settings(view).get("limits", {})
    together, rate = limits.get("address_concurrency"), limits.get("address_rate_per_s")
    pace = f"At most {together} requests at once and {rate:g} a second go to one address. " if together and rate else ""
    return (
        f"{pace}Who answers 429 is given the rest that it asks for, also by later censuses. Who is not there is looked "
        "at ever less often."
    )


def _ways(contact: str) -> list[Component]:
    return [
        html.Dt("robots.txt"),
        html.Dd(
            [
                "At the address of your federation API, in a group that names us. Your directory is then not read:",
                html.Pre(ROBOTS),
                "Or you are left alone for 30 days; then we look once more, as far as robots.txt:",
                html.Pre(ROBOTS_ENTIRELY),
                "A group for everybody (*) is counted and not obeyed: such files are meant for search engines.",
            ]
        ),
        html.Dt("a room's topic"),
        html.Dd(
            [
                "A room is not indexed if its topic holds one of ",
                *_listed(TAGS),
                ". Such rooms are dropped while a directory is read, and only counted.",
            ]
        ),
        html.Dt("your directory"),
        html.Dd(
            "Take a room out of it, and it is gone with the next census. Close it to other servers (403), and it is "
            "not asked for again for 7 days."
        ),
        html.Dt("a line to us"),
        html.Dd(
            [
                "Write to ",
                _reachable(contact) if contact else "the contact in the user agent",
                f". {_ON_THE_LIST}.",
            ]
        ),
    ]


def _listed(texts: tuple[str, ...]) -> list[Component | str]:
    parts: list[Component | str] = []
    for place, text in enumerate(texts):
        parts += [", " if place else "", html.Code(text)]
    return parts


def _reachable(contact: str) -> Component:
    """A link where it is one that a browser can follow, and nothing else: a contact is an operator's own word."""
    if contact.startswith("https://"):
        return html.A(contact, href=contact)
    if contact.startswith("@"):
        return html.A(contact, href=f"https://matrix.to/#/{contact}")
    return html.A(contact, href=f"mailto:{contact}") if "@" in contact else html.Span(contact)


def _contact(view: View | None) -> str:
    contact = _settings(view).get("politeness", {}).get("contact", "")
    return contact if isinstance(contact, str) else ""


def _settings(view: View | None) -> Mapping[str, Any]:
    return {} if view is None else view.reader.settings(view.crawl.id)
