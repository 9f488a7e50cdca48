"""The nine cards of the overview: what the Matrix mission calls success, each with the number nearest to it.

Where nobody outside can count the thing itself, the card says so and shows what can be seen instead, under its own
name, in the place and size of the number.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component

from analytics import bridges, developers, discovery, growth, signal, software, spec, unseen, usage, wording
from analytics.charter import CHARTER, MissionMetric
from analytics.funnel import SERVERS, Predicate
from analytics.rooms import LARGEST_ROOM, MEMBERSHIPS, PEOPLE, ROOMS
from analytics.schemas import Grade, MetricRow
from analytics.trend import Point, before
from dashboard import links
from dashboard.charts.chart import as_of
from dashboard.charts.series import SAME_SERIES
from dashboard.data import View
from dashboard.figures.lines import change
from dashboard.figures.sparkline import sparkline
from dashboard.pages.grades import grade_mark
from dashboard.palette import Scheme

WINDOWS = ((30, "in 30 days"), (365, "in a year"))
_SHARE = "share"
_WORDS_LIMIT = 96


@dataclass(frozen=True, slots=True)
class Pick:
    """A number of the newest census: metric, dimension (None: its only one, or the last), and its name in words.
    `choose` finds it among all rows where its dimension is not known beforehand."""

    metric: str
    dimension: str | None
    words: str
    choose: Callable[[Sequence[MetricRow]], MetricRow | None] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What stands for one of the nine. `headline` is None where it is not observable; `others` stand below it, or in
    its place. `chart` is the page that shows more. `of_other` says which of the others the trend is of; None: the
    headline, or the first of the others."""

    number: int
    headline: Pick | None
    others: tuple[Pick, ...]
    chart: str
    of_other: int | None = None

    @property
    def trend(self) -> Pick:
        """What the change and the small picture are of."""
        if self.of_other is not None:
            return self.others[self.of_other]
        return self.headline or self.others[0]


CARDS = (
    Card(
        1,
        None,
        (
            Pick(MEMBERSHIPS, "all", "memberships in public rooms"),
            Pick(PEOPLE, "all", "accounts, at 1.5 to 5 rooms each"),
            Pick(LARGEST_ROOM, None, "members of the largest room"),
            Pick(usage.REPORTED_USERS, "not bridged", "users that servers report"),
        ),
        "/charts/memberships",
    ),
    Card(
        2,
        None,
        (
            Pick(growth.RETAINED, "servers, 30 d", "of servers stayed 30 days"),
            Pick(growth.RETAINED, "rooms, 30 d", "of rooms stayed 30 days"),
            Pick(usage.RETAINED_USERS, "R30v2", "retained users that servers report"),
        ),
        "/charts/retained",
    ),
    Card(
        3,
        Pick(SERVERS, Predicate.ONLINE, "servers online"),
        (
            Pick(SERVERS, Predicate.FEDERATING, "of them federate"),
            Pick(SERVERS, Predicate.KNOWN, "names are known"),
            Pick(unseen.ESTIMATED, "Chao2 over answers", "online, seen or not (Chao2)"),
        ),
        "/growth",
    ),
    Card(
        4,
        Pick(developers.DEVELOPERS, None, "developers in a year", developers.main_number),
        (Pick(developers.DEVELOPERS, None, "in 30 days", partial(developers.main_number, window_d=30)),),
        "/developers",
    ),
    Card(
        5,
        Pick(software.LINEAGES, "all", "families of forks"),
        (
            Pick(software.IMPLEMENTATIONS, "all", "implementation names"),
            Pick(software.DIVERSITY, "effective number, order 1", "effective number of families"),
        ),
        "/software",
    ),
    Card(
        6,
        Pick(bridges.BRIDGED_USERS, bridges.LIVING, "bridged users, in listed rooms"),
        (
            Pick(bridges.BRIDGED_MEMBERSHIPS, bridges.LIVING, "memberships in listed rooms with bridge evidence"),
            Pick(bridges.BRIDGED_ROOMS, bridges.LIVING, "such rooms"),
            Pick(bridges.BRIDGED_ROOMS, bridges.NETWORKS, "rooms in lists of third-party networks, apart"),
        ),
        "/bridges",
        of_other=0,  # of the users only the bounds mean anything, and these are the upper one
    ),
    Card(
        7,
        Pick(signal.SIGNAL, "rooms: under 1", "of listed rooms show no sign of spam"),
        (
            Pick(signal.SIGNAL, "rooms: under 2", "show one at most"),
            Pick(signal.SIGNAL, "memberships: under 1", "of memberships are in rooms with none"),
        ),
        "/signal",
    ),
    Card(
        8,
        Pick(ROOMS, "room", "rooms to be found"),
        (
            Pick(discovery.SERVERS_ON_THE_WAY, "directory answers", "online servers whose directory answers"),
            Pick(discovery.ROOMS_ON_THE_WAY, "open to join", "rooms open to join"),
            Pick(signal.LANGUAGE_DIVERSITY, "effective number, order 1", "effective number of languages"),
        ),
        "/discovery",
    ),
    Card(
        9,
        Pick(spec.LAG, "median", "days from accepting a proposal to its release, the median"),
        (
            Pick(spec.RELEASES, "in 365 d", "releases in a year"),
            Pick(spec.VERSIONS, None, "of servers advertise the newest version that any does"),
        ),
        "/spec",
    ),
)


def cards(view: View, scheme: Scheme) -> Component:
    """The nine, in the order of the mission; made once for each census and scheme."""
    return view.once(("mission", scheme), lambda: _cards(view, scheme))


def _cards(view: View, scheme: Scheme) -> Component:
    trends = _trends(view)
    words = {metric.number: metric for metric in CHARTER}
    return html.Div([_card(card, words[card.number], view.rows, trends, scheme) for card in CARDS], className="cards")


_TRENDS = f"""
SELECT m.metric, m.dimension, m.at, m.value, m.lo, m.hi FROM metric m JOIN crawl c ON c.crawl_id = m.snapshot
WHERE {SAME_SERIES} AND m.metric IN (SELECT unnest($$metrics)) ORDER BY m.snapshot
"""  # noqa: S608 - text of ours


def _trends(view: View) -> Mapping[str, Sequence[Point]]:
    """The history of what the cards show the trend of, by metric and dimension; one of several dimensions over time
    (the largest room is another room at times) is of the metric alone."""
    with closing(view.reader.cursor()) as cursor:
        rows = pl.DataFrame(
            cursor.sql(as_of(_TRENDS, view.past), params={"metrics": sorted({card.trend.metric for card in CARDS})})
        )
    found: dict[str, list[Point]] = {}
    for metric, dimension, *point in rows.iter_rows():
        for name in (f"{metric} {dimension}", metric):
            found.setdefault(name, []).append(Point(*point))
    return found


def find(rows: Sequence[MetricRow], pick: Pick) -> MetricRow | None:
    """The row of a number; of several without a dimension named, the last."""
    if pick.choose is not None:
        return pick.choose(rows)
    fitting = [row for row in rows if row.metric == pick.metric and pick.dimension in (None, row.dimension)]
    return fitting[-1] if fitting else None


def _card(
    card: Card,
    metric: MissionMetric,
    rows: Sequence[MetricRow],
    trends: Mapping[str, Sequence[Point]],
    scheme: Scheme,
) -> Component:
    row = find(rows, card.headline) if card.headline else None
    grade = row.grade if row else Grade.NOT_OBSERVABLE if card.headline is None else metric.grades[0]
    title = metric.words[0].upper() + metric.words[1:]
    short = title.partition(" (")[0] if len(title) > _WORDS_LIMIT else title
    anchor = f"/methods#mission-{card.number}"
    others = [(pick, find(rows, pick)) for pick in card.others]
    body: list[Component] = []
    if card.headline is None:
        body += [
            html.P("Not countable from outside. What can be seen:", className="card-basis"),
            _seen(others, large=True),
        ]
    else:
        body += [_headline(card.headline, row), _seen(others, large=False)]
    body.append(_trend(card, find(rows, card.trend), trends, scheme))
    return html.Article(
        className="card",
        children=[
            html.Div(
                [html.H2(short, className="card-title", title=title), grade_mark(grade)],
                className="card-head",
            ),
            *body,
            html.P(
                [
                    _basis(row),
                    html.Span(
                        [_link("How", card, anchor), " · ", _link("More", card, card.chart)], className="together"
                    ),
                ],
                className="card-basis card-end",
            ),
        ],
    )


def _link(word: str, card: Card, href: str) -> Component:
    return dcc.Link(
        [word, html.Span(f" of number {card.number} of the mission", className="hidden-text")], href=links.page(href)
    )


def _basis(row: MetricRow | None) -> str:
    if row is None or row.value is None:
        return ""
    return f"{row.window} · of {wording.number(row.n)} {row.denominator} · "


def _headline(pick: Pick, row: MetricRow | None) -> Component:
    if row is None or row.value is None:
        why = "" if row is None else row.method.removeprefix("Not known: ").capitalize()
        return html.Div([html.P("Not known", className="value unknown"), html.P(why, className="card-basis")])
    if pick.metric == bridges.BRIDGED_USERS:  # only its bounds mean anything
        word, said, interval = "", f"{wording.number(row.lo)} to {wording.number(row.hi)}", ""
    elif _is_share(row):
        word, said, interval = "", wording.percent(row.value), _ends(row)
    else:
        word, said = wording.headline(row)
        interval = _ends(row) if row.hi is not None else ""
    exact = f"{row.value:,.10g} {row.unit}".replace(",", wording.THIN_SPACE)
    return html.P(
        className="value",
        title=exact,
        children=[
            html.Small(word) if word else "",
            html.Span(said),
            html.Small(interval, className="interval") if interval else "",
            html.Span(pick.words, className="value-words"),
        ],
    )


def _is_share(row: MetricRow) -> bool:
    return row.unit.startswith(_SHARE)


def _ends(row: MetricRow) -> str:
    if row.lo is None or row.hi is None or row.lo == row.hi:
        return ""
    return f"{_amount(row.lo, row)} to {_amount(row.hi, row)}"


def _amount(value: float | None, row: MetricRow) -> str:
    return wording.percent(value) if _is_share(row) else wording.fine(value)


def _seen(others: Sequence[tuple[Pick, MetricRow | None]], *, large: bool) -> Component:
    """The numbers beside, or in place of, the headline."""
    items: list[Component] = []
    for pick, row in others:
        value = wording.NOT_KNOWN if row is None else _brief(row)
        if row is not None and row.metric == PEOPLE and row.value is not None:
            value = _ends(row)  # a scenario: its ends say more than its middle
        name = _version(row) if row is not None and row.metric == spec.VERSIONS else pick.words
        items.append(html.Div([html.Dt(name), html.Dd(value)]))
    return html.Dl(items, className="seen large" if large else "seen")


def _brief(row: MetricRow) -> str:
    if _is_share(row):
        return wording.percent(row.value)
    word, said = wording.headline(row)
    return f"{word} {said}" if word == "about" else said


def _version(row: MetricRow) -> str:
    return f"of servers advertise {row.dimension[:12]}"


def _trend(card: Card, row: MetricRow | None, trends: Mapping[str, Sequence[Point]], scheme: Scheme) -> Component:
    """How the number changed, and its picture."""
    pick = card.trend
    if row is None or row.value is None:
        return html.Div(className="trend")
    named = pick.dimension is not None or pick.choose is not None
    points = trends.get(f"{pick.metric} {row.dimension}" if named else pick.metric, ())
    if not points:
        return html.Div(className="trend")
    says: list[Component] = []
    for days, words in WINDOWS:
        then = before(points, days)
        if then is None or then.value is None:
            says.append(html.Div([*_together(f"{words}:", "not known yet")], title="No census is so old."))
        else:
            moved = change(then.value, row.value, shares=_is_share(row))
            says.append(_moved(moved, words))
    picture = sparkline(points, scheme)
    parts: list[Component] = [html.Div(says, className="trend-words")]
    if picture is not None:
        span = f"from {wording.day(points[0].at)} to {wording.day(points[-1].at)}"
        parts.append(html.Img(src=picture, alt=f"{pick.words} {span}", className="sparkline"))
    return html.Div(parts, className="trend")


def _together(*words: str) -> list[Component | str]:
    """Words that a line breaks between, and not within."""
    parts: list[Component | str] = []
    for word in words:
        parts += [html.Span(word, className="together"), " "]
    return parts[:-1]


def _moved(moved: str, words: str) -> Component:
    return html.Div([html.Span(moved, className="trend-number"), " ", *_together(words)])
