"""About: what is counted and how, in plain words, and what the words mean."""

from dash import dcc, html
from dash.development.base_component import Component

from analytics.definitions import DEFINITIONS
from analytics.funnel import MEANING
from analytics.schemas import Grade
from dashboard import links
from dashboard.pages import neighbour, submit
from dashboard.request import PageRequest

_GRADES: dict[Grade, str] = {
    Grade.MEASURED: "we counted it",
    Grade.ESTIMATED: "a model of what we counted, with its interval",
    Grade.REPORTED: "somebody's own count, with how much of the network reports",
    Grade.NOT_OBSERVABLE: "nobody outside can count it; what stands beside it is named as a proxy",
}


def layout(request: PageRequest) -> Component:
    """The page; it needs no census."""
    del request
    return html.Div(
        [
            html.H1("About", tabIndex="-1"),
            html.P("What this census counts, how it looks, and what it leaves alone.", className="lede"),
            html.H2("What it does"),
            html.P(
                "Matrix Census finds homeservers of the open Matrix federation, checks each one the way "
                "another homeserver would, and reads the public room directories. From what it sees it computes the "
                "numbers that the Matrix mission names as success. It looks from outside, as anybody could."
            ),
            html.P(
                "It has no account on any server, joins no room and reads no message. It sees what servers publish: "
                "their address, certificate, version, signing keys, and the rooms that they list for everybody."
            ),
            html.H2("The stages of a server"),
            _definitions({predicate.value: meaning for predicate, meaning in MEANING.items()}),
            html.P(
                "Every count is a lower bound: a server that nothing named to us is not in it. Absent, failed and zero "
                "are kept apart: a directory that did not answer is not a directory without rooms."
            ),
            html.H2("The numbers"),
            _definitions({definition.title: definition.meaning for definition in DEFINITIONS.values()}),
            html.P(
                "The numbers of directories and of members are what servers say. Servers can err and can lie: for each "
                "room the median over the directories that list it counts, and the least and the largest bound it."
            ),
            html.H2("Grades"),
            _definitions({grade.value: meaning for grade, meaning in _GRADES.items()}),
            html.H2("If you run a homeserver"),
            html.P(
                [
                    dcc.Link("Who we are, what we ask of it, and how to be left out", href=links.page(neighbour.PATH)),
                    ".",
                ]
            ),
            submit.panel(),
            html.H2("This site"),
            html.P(
                "Nothing is fetched from any other host. One cookie, named theme, remembers whether you chose light or "
                "dark. Nothing else is kept about you."
            ),
        ]
    )


def _definitions(words: dict[str, str]) -> Component:
    items: list[Component] = []
    for word, meaning in words.items():
        items += [html.Dt(word), html.Dd(meaning)]
    return html.Dl(items, className="facts")
