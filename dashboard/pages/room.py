"""One room: what it says of itself, how many are in it over time, who lists it, and how to join it."""

from urllib.parse import quote

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording as numbers
from analytics.room_text import RULES
from crawler.store.histories import RoomDetail, RoomPoint
from crawler.store.rows import RoomRow
from dashboard import links, wording
from dashboard.charts.series import COLUMNS
from dashboard.data import View
from dashboard.figures.drawing import Look
from dashboard.figures.lines import Line, Lines, fixed
from dashboard.pages.charts import drawn_section
from dashboard.pages.facts import facts, plain_table
from dashboard.pages.servers import server_path
from dashboard.pages.signs import are_known, signs_of
from dashboard.request import PageRequest

_NAME, _TOPIC = 200, 2000
_DRAWING = Lines(fixed(members=Line("members", 0)), steps=True)

_ELSEWHERE = "nofollow noopener noreferrer"

_JOIN = {
    "public": "anybody may join",
    "knock": "one may ask to join",
    "invite": "by invitation",
    "restricted": "members of certain rooms may join",
    "knock_restricted": "members of certain rooms may join, others may ask",
    "private": "by invitation",
}


def layout(request: PageRequest) -> Component:
    """The page."""
    view = request.view
    found = view.reader.room(request.argument, view.crawl.id)
    shown = wording.one_line(request.argument, 255)
    back = html.P(dcc.Link("Public rooms", href=links.page("/rooms")), style={"margin": "0 0 4px"})
    if found is None:
        return html.Div(
            [
                back,
                html.H1("Not in this census", tabIndex="-1"),
                html.P(["No directory ever listed ", html.Code(html.Bdi(shown)), " to a census."], className="lede"),
            ]
        )
    now = found.now
    name = (wording.one_line(now.name, _NAME) or wording.one_line(now.canonical_alias, _NAME)) if now else ""
    return html.Div(
        [
            back,
            html.H1(html.Bdi(name or shown), tabIndex="-1", style={"overflowWrap": "anywhere"}),
            html.P(
                [html.Bdi(html.Code(wording.one_line(now.canonical_alias, _NAME) or shown))]
                if now
                else "It is in no directory any more; this is what earlier censuses saw.",
                className="lede",
            ),
            *(_says(now) if now else []),
            _facts(view, found),
            html.H2("How to join it"),
            _ways(found),
            html.H2("Members over time"),
            _members(view, found, request),
            *_texts(found),
            html.H2("Who lists it"),
            *_names(found.listed_by, found.listed_by_total, "No directory of this census."),
            html.H2("Who is known to be in it"),
            *_names(
                found.servers, found.servers_total, "No server was named: its alias was not looked up in this census."
            ),
        ]
    )


def _says(now: RoomRow) -> list[Component]:
    topic = wording.one_line(now.topic, _TOPIC)
    return [html.P(html.Bdi(topic), className="topic")] if topic else []


def _facts(view: View, found: RoomDetail) -> Component:
    now, first = found.now, found.history[0]
    kind = "space" if now and now.room_type == "m.space" else "room"
    spread = ""
    if now and now.members_min is not None and now.members_min != now.members_max:
        spread = f" (directories report {numbers.number(now.members_min)} to {numbers.number(now.members_max)})"
    signs = signs_of(view, [found.room_id]).get(found.room_id, ())
    noise = "; ".join(RULES[sign] for sign in signs) or "none"
    return facts(
        [
            ("Room ID", html.Code(html.Bdi(wording.one_line(found.room_id, 255)))),
            ("Kind", kind if now else None),
            ("Members", f"{numbers.number(now.members)}{spread}" if now else None),
            ("Joining", _JOIN.get(now.join_rule or "public", wording.one_line(now.join_rule, 40)) if now else None),
            (
                "Its history",
                ("anybody may read it" if now.world_readable else "members alone read it") if now else None,
            ),
            ("First listed", f"{numbers.day(first.seen_from)}, or before"),
            ("Signs of noise", noise if are_known(view) else None),
        ]
    )


def _ways(found: RoomDetail) -> Component:
    """Links that a client opens. The room's own text is only ever part of an address, percent-encoded."""
    alias = found.now.canonical_alias if found.now else None
    target = alias or found.room_id
    plain = quote(target, safe="")
    via = "" if alias else "".join(f"&via={quote(name, safe='')}" for name in found.listed_by[:3]).replace("&", "?", 1)
    matrix = f"matrix:{'r' if alias else 'roomid'}/{quote(target[1:], safe=':')}{via}"
    in_client = html.A("In your Matrix client", href=matrix, rel=_ELSEWHERE)
    by_site = html.A("By matrix.to", href=f"https://matrix.to/#/{plain}{via}", rel=_ELSEWHERE, target="_blank")
    return html.Ul(
        [
            html.Li([in_client, " (a matrix: link)"]),
            html.Li([by_site, ", another site, which offers clients"]),
            html.Li(["Or type ", html.Code(html.Bdi(f"/join {wording.one_line(target, 255)}")), " in a client"]),
        ]
    )


def _members(view: View, found: RoomDetail, request: PageRequest) -> Component:
    rows = members_rows(found.history, view)
    if rows.drop_nulls("value").is_empty():
        return html.P("No directory says how many members it has.", className="quiet")
    words = "joined members, the median of what directories report · each census"
    return drawn_section("room-members", "Members", words, _DRAWING, rows, Look(request.scheme), view, level=3)


def members_rows(history: tuple[RoomPoint, ...], view: View) -> pl.DataFrame:
    """A point at each change and one at the newest census, as the drawing of lines wants them; a stretch in which no
    directory listed the room is a gap."""
    points: list[tuple[object, float | None]] = []
    for at, point in enumerate(history):
        points.append((point.seen_from, point.members))
        following = history[at + 1].seen_from if at + 1 < len(history) else None
        if point.seen_to is None:
            points.append((view.crawl.finished_at, point.members))
        elif point.seen_to != following:
            points.append((point.seen_to, None))
    records = [(at, 0, "members", value, None, None, "none", 1, None) for at, value in points]
    frame = pl.DataFrame(records, schema=[column.name for column in COLUMNS], orient="row")
    return frame.with_columns(pl.col("value", "lo", "hi", "coverage").cast(pl.Float64)).sort("at", maintain_order=True)


def _texts(found: RoomDetail) -> list[Component]:
    if not found.texts:
        return []
    rows = [
        (
            numbers.day(text.at),
            html.Bdi(wording.one_line(text.old_name, 80) or "none"),
            html.Bdi(wording.one_line(text.old_canonical_alias, 80) or "none"),
            "changed" if text.topic_changed else "the same",
        )
        for text in found.texts
    ]
    return [
        html.H2("What it was called before"),
        plain_table("Earlier names", ("Until", "Name", "Alias", "Topic"), rows),
    ]


def _names(names: tuple[str, ...], total: int, none: str) -> list[Component]:
    if not names:
        return [html.P(none, className="quiet")]
    items = [html.Li(dcc.Link(name, href=server_path(name))) for name in names]
    parts: list[Component] = [html.Ul(items, className="names")]
    if total > len(names):
        parts.append(html.P(f"And {numbers.number(total - len(names))} more.", className="quiet"))
    return parts
