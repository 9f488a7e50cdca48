"""What each resource of `/api/v1` answers, looked up in a view of one snapshot.

Apart from the routes (`resources`), which know of requests, pages and forms. A page's function gets the view, what was
asked and how many rows come before its first; each answer says of what its numbers are.
"""

from collections.abc import Sequence
from contextlib import closing

from pydantic import BaseModel

from analytics import wording
from analytics.definitions import DEFINITIONS
from analytics.load_stored import load_series_page
from analytics.schemas import Grade
from crawler.model.crawl import CrawlState
from crawler.store import federation
from crawler.store.question import PREDICATES
from dashboard.api import shapes
from dashboard.api.problem import NO_SUCH_CENSUS, NOT_FOUND, Problem
from dashboard.api.question import (
    AskedChanges,
    AskedCrawls,
    AskedHistory,
    AskedLeads,
    AskedMetrics,
    AskedRooms,
    AskedSeries,
    AskedServers,
)
from dashboard.api.shapes import AboutShape, snapshot_shape
from dashboard.data import View

Rows = tuple[Sequence[object], int, AboutShape]
"""Rows of a page, how many there are altogether, and what they are."""

_LIFE = 100
_LISTED_BY = 100


def as_of(view: View, at: str | None) -> View:
    """The census that is asked for.

    Args:
        view: The newest one.
        at: The number of an earlier one, or a day; None: the newest.

    Raises:
        Problem: there is none.
    """
    found = view if at is None else view.as_of(at)
    if found is None:
        raise Problem(NO_SUCH_CENSUS, "There is no census of this number, or none as old as this day.")
    return found


def servers(view: View, asked: AskedServers, offset: int) -> Rows:
    wanted = {name: value for name in PREDICATES if (value := getattr(asked, name)) is not None}
    with closing(view.reader.cursor()) as connection:
        found = federation.known_servers(
            connection,
            view.crawl.id,
            text=asked.q,
            predicates=wanted,
            visited=asked.visited,
            software=asked.software,
            version=asked.version,
            failed_kind=asked.failed_kind,
            directory_state=asked.directory_state,
            sort=asked.sort.removeprefix("-"),
            descending=asked.sort.startswith("-"),
            limit=asked.limit,
            offset=offset,
        )
    method = "Each server is as the last crawl that looked at it saw it; names that no crawl looked at are not listed."
    return found.rows, found.total, _about(view, "servers", "server names that anything named", view.known, method)


def server(view: View, name: str) -> BaseModel:
    with closing(view.reader.cursor()) as connection:
        detail = view.reader.server(name, view.crawl.id)
        state = federation.known_server(connection, view.crawl.id, name)
        if detail is None:
            raise Problem(NOT_FOUND, "Nothing ever named this server to this census. It can be submitted.")
    life = view.reader.changes(view.crawl.id, server_name=name, newest_first=True, limit=_LIFE)
    method = "What a federating server would see of it, from one place at one time; `steps` and `attempts` have it all."
    if view.past is not None:
        method += " They, and who named it, are kept for the newest census alone: here they are empty."
    fields = {
        field: getattr(detail, field) for field in shapes.ServerDetailShape.model_fields if hasattr(detail, field)
    }
    return shapes.ServerAnswer.model_validate(
        {
            "snapshot": snapshot_shape(view),
            "about": _about(view, "servers", "this server", 1, method),
            "data": {**fields, "state": state, "life": life.rows},
        },
        from_attributes=True,
    )


def history(view: View, asked: AskedHistory, offset: int, *, name: str) -> Rows:
    with closing(view.reader.cursor()) as connection:
        states = federation.server_states(connection, view.crawl.id, name, limit=asked.limit, offset=offset)
    if not states.total and not view.reader.knows(name.lower()):
        raise Problem(NOT_FOUND, "Nothing ever named this server to this census. It can be submitted.")
    method = "A state stands from the first crawl that saw it so to the first that looked again and saw otherwise."
    return states.rows, states.total, _all_time(view, "states", "crawls of this vantage", method)


def rooms(view: View, asked: AskedRooms, offset: int) -> Rows:
    found = view.reader.rooms_page(
        view.crawl.id,
        text=asked.q,
        spaces=asked.spaces,
        join_rule=asked.join_rule,
        min_members=asked.min_members,
        listed_by=asked.listed_by,
        sort=asked.sort.removeprefix("-"),
        descending=asked.sort.startswith("-"),
        limit=asked.limit,
        offset=offset,
    )
    method = "Members are the median of what directories report; members_min and members_max bound it."
    denominator = "unique rooms, spaces among them, in the directories that answered"
    about = _about(view, "rooms", denominator, view.crawl.rooms, method)
    return found.rows, found.total, about.model_copy(update={"interval": "of members: least and largest report"})


def room(view: View, room_id: str) -> BaseModel:
    crawl_id = view.crawl.id
    with closing(view.reader.cursor()) as connection:
        room = federation.listed_room(connection, crawl_id, room_id)
        if room is None:
            raise Problem(NOT_FOUND, "The census found this room in no directory; its history may know it.")
        by = federation.listed_by(connection, crawl_id, room_id)
    return shapes.RoomAnswer.model_validate(
        {
            "snapshot": snapshot_shape(view),
            "about": _about(view, "rooms", "this room", 1, "The median of what directories report, which disagree."),
            "data": {"room": room, "listed_by": by[:_LISTED_BY], "listed_by_total": len(by)},
        },
        from_attributes=True,
    )


def accounts(view: View, asked: AskedHistory, offset: int, *, room_id: str) -> Rows:
    with closing(view.reader.cursor()) as connection:
        found = federation.room_accounts(connection, view.crawl.id, room_id, limit=asked.limit, offset=offset)
    if not found.total:
        raise Problem(NOT_FOUND, "No census from this vantage ever found this room in a directory.")
    method = "An account stands from the first crawl that found it so to the first that found it otherwise, or nowhere."
    about = _all_time(view, "accounts", "crawls of this vantage", method)
    return found.rows, found.total, about.model_copy(update={"interval": "of members: least and largest report"})


def metrics(view: View, asked: AskedMetrics, offset: int) -> Rows:
    del offset
    mission = {name: each.mission for name, each in DEFINITIONS.items()}
    rows = [
        row
        for row in view.rows
        if asked.metric in (None, row.metric)
        and asked.dimension in (None, row.dimension)
        and (asked.mission is None or mission.get(row.metric) == asked.mission)
    ]
    return rows, len(rows), _of_each(view, "one crawl")


def series(view: View, asked: AskedSeries, offset: int) -> Rows:
    with closing(view.reader.cursor()) as connection:
        rows, total = load_series_page(
            connection,
            view.crawl.id,
            asked.metric,
            dimension=asked.dimension,
            since=asked.since,
            until=asked.until,
            limit=asked.limit,
            offset=offset,
        )
    if not total and asked.metric not in DEFINITIONS:
        raise Problem(NOT_FOUND, f"There is no such metric; known are {', '.join(DEFINITIONS)}.")
    return rows, total, _of_each(view, "each census")


def _of_each(view: View, window: str) -> AboutShape:
    del view
    return AboutShape(
        unit="see `unit` of each row",
        window=window,
        denominator="see `denominator` of each row; `n` counts it",
        of=None,
        interval="see `lo`, `hi` and `interval_kind` of each row",
        grade=Grade.MEASURED,
        method="The rows are counted exactly; how each value comes about, and its own grade, it says itself.",
    )


def crawls(view: View, asked: AskedCrawls, offset: int) -> Rows:
    found = [
        crawl
        for crawl in view.reader.crawls()
        if asked.state in (None, crawl.state) and asked.censuses in (None, crawl.is_census)
    ]
    about = _all_time(view, "crawls", "crawls that ended, of every vantage", "Counted when each was sealed.")
    return found[offset : offset + asked.limit], len(found), about


def crawl(view: View, crawl_id: int) -> BaseModel:
    crawl = next((each for each in view.reader.crawls() if each.id == crawl_id), None)
    if crawl is None or crawl.state is CrawlState.RUNNING:
        raise Problem(NOT_FOUND, "No crawl of this number is published.")
    return shapes.CrawlAnswer.model_validate(
        {
            "snapshot": snapshot_shape(view),
            "about": _all_time(view, "crawls", "this crawl", "Counted when it was sealed."),
            "data": {"crawl": crawl, "report": view.reader.report(crawl_id)},
        },
        from_attributes=True,
    )


def leads(view: View, asked: AskedLeads, offset: int) -> Rows:
    with closing(view.reader.cursor()) as connection:
        found = federation.named_servers(
            connection,
            view.crawl.id,
            server_name=asked.server_name,
            named_by=asked.named_by,
            source=asked.source,
            limit=asked.limit,
            offset=offset,
        )
    method = "Each server, source and teller once; who is named often is not therefore online."
    return found.rows, found.total, _about(view, "leads", "namings in one crawl", None, method)


def changes(view: View, asked: AskedChanges, offset: int) -> Rows:
    found = view.reader.changes(
        view.crawl.id,
        since=asked.since,
        kinds=asked.kind,
        server_name=asked.server_name,
        room_id=asked.room_id,
        min_members=asked.min_members,
        newest_first=asked.newest_first,
        limit=asked.limit,
        offset=offset,
    )
    method = "A change is seen by the first crawl after it; of the first crawl of a vantage nothing is told."
    return found.rows, found.total, _all_time(view, "changes", "crawls of this vantage", method)


def _about(view: View, unit: str, denominator: str, of: int | None, method: str) -> AboutShape:
    return AboutShape(
        unit=unit,
        window=f"one crawl, sealed {wording.moment(view.crawl.finished_at)}",
        denominator=denominator,
        of=of,
        interval="none: counted",
        grade=Grade.MEASURED,
        method=method,
    )


def _all_time(view: View, unit: str, denominator: str, method: str) -> AboutShape:
    about = _about(view, unit, denominator, None, method)
    return about.model_copy(update={"window": f"all crawls until {wording.moment(view.crawl.finished_at)}"})
