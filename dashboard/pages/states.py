"""Pages that have nothing to show, and say why and what to do: empty, not found, failed, still loading."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording
from crawler.model.crawl import Crawl
from dashboard import links

FAILED = "This page could not be made"


def empty() -> Component:
    """No census was published yet: which command fills it. Where the file lies is the operator's business."""
    return html.Div(
        [
            html.H1("No census yet", tabIndex="-1"),
            html.P("The numbers appear here as soon as a crawl of the whole network is complete.", className="lede"),
            html.Div(
                className="notice",
                children=[
                    html.H2("Take one"),
                    html.P("Of the live network, with an address under which its servers can reach you:"),
                    html.Pre(html.Code("matrix-census crawl --contact me@example.org")),
                    html.P("Or of a practice federation on this machine, to see how it works:"),
                    html.Pre(html.Code("matrix-census demo")),
                    html.P(
                        "Crawl with the same --db as this dashboard serves. A crawl that was stopped, or limited to "
                        "some servers, is kept, but is no census. A new census is shown when a page is next opened; "
                        "the dashboard need not be restarted.",
                        className="quiet",
                    ),
                ],
            ),
        ]
    )


def not_found(path: str) -> Component:
    """An address where no page is."""
    return html.Div(
        [
            html.H1("There is no such page", tabIndex="-1"),
            html.P(["Nothing is at ", html.Code(path), "."], className="lede"),
            html.P(dcc.Link("Go to the overview", href=links.page("/"))),
        ]
    )


def earlier(crawl: Crawl, censuses: Sequence[Crawl], here: str) -> Component:
    """An earlier census is looked at: which, what came before and after it, and the way back.

    Args:
        crawl: The census.
        censuses: All of its series, the oldest first, itself among them.
        here: Path and query of the page without the census.
    """
    ids = [each.id for each in censuses]
    place = ids.index(crawl.id)
    steps: list[Component | str] = []
    for word, found in (("before", ids[max(place - 1, 0) : place]), ("after", ids[place + 1 : place + 2])):
        for number in found:
            with links.looking_at(number):
                steps += [dcc.Link(f"The one {word}", href=links.page(here)), " · "]
    with links.looking_at(None):
        back = dcc.Link("Back to the newest", href=links.page(here))
    said = f"You look at the census of {wording.moment(crawl.finished_at)}"
    return html.P(
        [html.Strong(said), f", number {crawl.id}: series end there. ", *steps, back], className="banner", role="status"
    )


def newest_alone(crawl: Crawl) -> Component:
    """A page that is not of one census, while an earlier one is looked at."""
    return html.P(
        f"This page tells of the published file, which holds all censuses, and not of the census of "
        f"{wording.day(crawl.finished_at or crawl.started_at)} alone, which you look at.",
        className="banner",
        role="status",
    )


def no_such_census(asked: str, censuses: Sequence[Crawl]) -> Component:
    """An address asks for a census that is not there."""
    oldest = f" The oldest is of {wording.moment(censuses[0].finished_at)}." if censuses else ""
    return html.P(
        [html.Strong("There is no such census: "), html.Code(asked), f". This is the newest.{oldest}"],
        className="banner",
        role="status",
    )


def stale(age_s: float, interval_s: float) -> Component:
    """The census is older than two of its intervals: what is shown is true of then."""
    return html.P(
        [
            html.Strong("An old census. "),
            f"It was taken {wording.duration(age_s)} ago; before, there was one every {wording.duration(interval_s)}.",
        ],
        className="banner",
        role="status",
    )


def failed(report_id: str) -> Component:
    """A page broke: a fault of ours. What still works, and an id to report."""
    return html.Div(
        [
            html.H1(FAILED, tabIndex="-1"),
            html.P("The fault is ours. The other pages still work, and nothing was lost.", className="lede"),
            html.Div(
                className="notice",
                children=html.P(["If it comes again, please report it with this id: ", html.Code(report_id)]),
            ),
        ]
    )


def is_whole(answer: bytes) -> bool:
    """Whether what is sent is free of `failed`, and so may be given to the next who asks."""
    return FAILED.encode() not in answer


def skeleton() -> Component:
    """What comes, in grey, while it loads."""
    heights = ("32px", "20px", "160px", "160px", "320px")
    widths = ("240px", "60%", "100%", "100%", "100%")
    blocks = [
        html.Div(className="skeleton", style={"height": height, "width": width})
        for height, width in zip(heights, widths, strict=True)
    ]
    return html.Div([html.P("Loading", className="hidden-text", role="status"), *blocks])
