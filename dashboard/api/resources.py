"""`/api/v1`: servers, rooms, numbers, crawls, leads and changes of the census of this moment.

Every answer says of which snapshot it is, and what its numbers are. All but `check` and `submit`, which have modules of
their own, are the same for every visitor and made once for each snapshot.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from analytics import wording
from analytics.load_stored import load_series_page
from analytics.mission import DEFINITIONS
from analytics.schemas import Grade
from crawler.model.crawl import CrawlState
from crawler.store import federation
from crawler.store.question import PREDICATES
from dashboard.api import shapes
from dashboard.api.cursor import next_cursor, offset_of, question_of
from dashboard.api.documentation import EXAMPLES, PROBLEMS, forms
from dashboard.api.form import MEDIA_TYPES, Form, form_of, page_answer
from dashboard.api.link import address
from dashboard.api.problem import NOT_FOUND, Problem
from dashboard.api.question import (
    Asked,
    AskedChanges,
    AskedCrawls,
    AskedHistory,
    AskedLeads,
    AskedMetrics,
    AskedRooms,
    AskedSeries,
    AskedServers,
    Paged,
)
from dashboard.api.shapes import AboutShape, PageShape, snapshot_shape
from dashboard.api.shelf import Answer, Shelf
from dashboard.data import View

V1 = "/api/v1"

_LIFE = 100
_LISTED_BY = 100
_NAME = 300

ServerName = Annotated[
    str, Path(max_length=_NAME, description="A server name, in any case.", examples=[EXAMPLES.server])
]
RoomId = Annotated[str, Path(max_length=_NAME, description="A room ID, percent-encoded.", examples=[EXAMPLES.room])]


def router(shelf: Shelf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix=V1, responses=PROBLEMS)

    @routes.get("/servers", tags=["servers"], responses=forms(shapes.ServersPage))
    async def servers(request: Request, asked: Annotated[AskedServers, Query()]) -> Response:
        """Servers as known after the newest census, filtered and sorted.

        One that the census left in peace, because it has been dead for long, is as it was last seen; `visited` tells.
        """
        return await _page(request, shelf, asked, "servers", shapes.ServersPage, shapes.ServerShape, _servers)

    @routes.get("/servers/{server_name}", tags=["servers"], responses=forms(shapes.ServerAnswer, Form.JSON))
    async def server(request: Request, server_name: ServerName, asked: Annotated[Asked, Query()]) -> Response:
        """All about one server: its state, each step of the newest visit, who named it, its life."""
        del asked
        return await _one(request, shelf, ("server", server_name.lower()), partial(_server, name=server_name))

    @routes.get("/servers/{server_name}/history", tags=["servers"], responses=forms(shapes.StatesPage))
    async def history(request: Request, server_name: ServerName, asked: Annotated[AskedHistory, Query()]) -> Response:
        """The states of a server, each from one crawl to another, the newest first."""
        ask = partial(_history, name=server_name)
        return await _page(request, shelf, asked, "history", shapes.StatesPage, shapes.StateShape, ask)

    @routes.get("/rooms", tags=["rooms"], responses=forms(shapes.RoomsPage))
    async def rooms(request: Request, asked: Annotated[AskedRooms, Query()]) -> Response:
        """Rooms that directories list, filtered and sorted; of each ID one, with the median of its members."""
        return await _page(request, shelf, asked, "rooms", shapes.RoomsPage, shapes.RoomShape, _rooms)

    # An ID may hold a slash, so these two come in this order.
    @routes.get("/rooms/{room_id:path}/history", tags=["rooms"], responses=forms(shapes.AccountsPage))
    async def room_history(request: Request, room_id: RoomId, asked: Annotated[AskedHistory, Query()]) -> Response:
        """What directories said of a room, each account from one crawl to another, the newest first."""
        ask = partial(_accounts, room_id=room_id)
        return await _page(request, shelf, asked, "room-history", shapes.AccountsPage, shapes.AccountShape, ask)

    @routes.get("/rooms/{room_id:path}", tags=["rooms"], responses=forms(shapes.RoomAnswer, Form.JSON))
    async def room(request: Request, room_id: RoomId, asked: Annotated[Asked, Query()]) -> Response:
        """All about one room that the newest census found listed."""
        del asked
        return await _one(request, shelf, ("room", room_id), partial(_room, room_id=room_id))

    @routes.get("/metrics", tags=["numbers"], responses=forms(shapes.MetricsPage))
    async def metrics(request: Request, asked: Annotated[AskedMetrics, Query()]) -> Response:
        """The numbers of the newest census, or of an earlier one, each with unit, window, denominator, interval, grade
        and method."""
        return await _page(request, shelf, asked, "metrics", shapes.MetricsPage, shapes.MetricShape, _metrics)

    @routes.get("/series", tags=["numbers"], responses=forms(shapes.MetricsPage))
    async def series(request: Request, asked: Annotated[AskedSeries, Query()]) -> Response:
        """One metric over all censuses from the vantage shown, the oldest first."""
        return await _page(request, shelf, asked, "series", shapes.MetricsPage, shapes.MetricShape, _series)

    @routes.get("/crawls", tags=["crawls"], responses=forms(shapes.CrawlsPage))
    async def crawls(request: Request, asked: Annotated[AskedCrawls, Query()]) -> Response:
        """All crawls that ended, the newest first; only those completed and full are censuses."""
        return await _page(request, shelf, asked, "crawls", shapes.CrawlsPage, shapes.CrawlShape, _crawls)

    @routes.get("/crawls/{crawl_id}", tags=["crawls"], responses=forms(shapes.CrawlAnswer, Form.JSON))
    async def crawl(
        request: Request,
        crawl_id: Annotated[int, Path(ge=-(2**31), lt=2**31, examples=[1])],
        asked: Annotated[Asked, Query()],
    ) -> Response:
        """One crawl and its report: what it asked, what bounds it hit, how long the phases took."""
        del asked
        return await _one(request, shelf, ("crawl", crawl_id), partial(_crawl, crawl_id=crawl_id))

    @routes.get("/leads", tags=["crawls"], responses=forms(shapes.LeadsPage))
    async def leads(request: Request, asked: Annotated[AskedLeads, Query()]) -> Response:
        """Who named whom, and how, in the newest census."""
        return await _page(request, shelf, asked, "leads", shapes.LeadsPage, shapes.LeadShape, _leads)

    @routes.get("/changes", tags=["changes"], responses=forms(shapes.ChangesPage))
    async def changes(request: Request, asked: Annotated[AskedChanges, Query()]) -> Response:
        """What changed from census to census, the oldest first: births, outages, returns and deaths of servers, their
        versions; rooms listed, gone and renamed. `since` is how to keep up."""
        return await _page(request, shelf, asked, "changes", shapes.ChangesPage, shapes.ChangeShape, _changes)

    return routes


Rows = tuple[Sequence[object], int, AboutShape]
"""Rows of a page, how many there are altogether, and what they are."""


async def _page(
    request: Request,
    shelf: Shelf,
    asked: Any,
    name: str,
    page: type[BaseModel],
    row: type[BaseModel],
    ask: Callable[[View, Any, int], Rows],
) -> Response:
    """A page of what `ask` gives, for (view, what was asked, rows before the first)."""
    form = form_of(request, asked.format)
    query = asked.model_dump(mode="json", exclude_defaults=True)
    path = request.scope["path"]
    # The proxy's prefix is in the addresses of an answer.
    key = (address(path), form, tuple(sorted((k, str(v)) for k, v in query.items())))

    def make(view: View) -> Answer:
        question = question_of(path, query)
        offset = offset_of(getattr(asked, "cursor", None), view, question)
        rows, total, about = ask(view, asked, offset)
        after = offset + len(rows)
        following = None
        if isinstance(asked, Paged) and rows and after < total:
            following = address(path, {**query, "cursor": next_cursor(view, question, after)})
        made = page.model_validate(
            {
                "snapshot": snapshot_shape(view),
                "about": about,
                "total": total,
                "next": following,
                "data": [row.model_validate(each, from_attributes=True) for each in rows],
            }
        )
        assert isinstance(made, PageShape)  # noqa: S101 - made from it
        return page_answer(made, row, form, name)

    return await shelf.answer(request, key, make)


async def _one(request: Request, shelf: Shelf, key: tuple[object, ...], ask: Callable[[View], BaseModel]) -> Response:
    form_of(request, None, (Form.JSON,))

    def make(view: View) -> Answer:
        headers = {"Link": f'<{shapes.LICENCE_URL}>; rel="license"', "X-Snapshot": view.reader.snapshot_id}
        return Answer.of(ask(view).model_dump_json().encode(), MEDIA_TYPES[Form.JSON], headers)

    return await shelf.answer(request, key, make)


def _servers(view: View, asked: AskedServers, offset: int) -> Rows:
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


def _server(view: View, name: str) -> BaseModel:
    with closing(view.reader.cursor()) as connection:
        detail = view.reader.server(name, view.crawl.id)
        state = federation.known_server(connection, view.crawl.id, name)
        if detail is None:
            raise Problem(NOT_FOUND, "Nothing ever named this server to this census. It can be submitted.")
    life = view.reader.changes(view.crawl.id, server_name=name, newest_first=True, limit=_LIFE)
    method = "What a federating server would see of it, from one place at one time; `steps` and `attempts` have it all."
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


def _history(view: View, asked: AskedHistory, offset: int, *, name: str) -> Rows:
    with closing(view.reader.cursor()) as connection:
        states = federation.server_states(connection, view.crawl.id, name, limit=asked.limit, offset=offset)
    if not states.total and not view.reader.knows(name.lower()):
        raise Problem(NOT_FOUND, "Nothing ever named this server to this census. It can be submitted.")
    method = "A state stands from the first crawl that saw it so to the first that looked again and saw otherwise."
    return states.rows, states.total, _all_time(view, "states", "crawls of this vantage", method)


def _rooms(view: View, asked: AskedRooms, offset: int) -> Rows:
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


def _room(view: View, room_id: str) -> BaseModel:
    crawl_id = view.crawl.id
    with closing(view.reader.cursor()) as connection:
        room = federation.listed_room(connection, crawl_id, room_id)
        if room is None:
            raise Problem(NOT_FOUND, "The newest census found this room in no directory; its history may know it.")
        by = federation.listed_by(connection, crawl_id, room_id)
    return shapes.RoomAnswer.model_validate(
        {
            "snapshot": snapshot_shape(view),
            "about": _about(view, "rooms", "this room", 1, "The median of what directories report, which disagree."),
            "data": {"room": room, "listed_by": by[:_LISTED_BY], "listed_by_total": len(by)},
        },
        from_attributes=True,
    )


def _accounts(view: View, asked: AskedHistory, offset: int, *, room_id: str) -> Rows:
    with closing(view.reader.cursor()) as connection:
        found = federation.room_accounts(connection, view.crawl.id, room_id, limit=asked.limit, offset=offset)
    if not found.total:
        raise Problem(NOT_FOUND, "No census from this vantage ever found this room in a directory.")
    method = "An account stands from the first crawl that found it so to the first that found it otherwise, or nowhere."
    about = _all_time(view, "accounts", "crawls of this vantage", method)
    return found.rows, found.total, about.model_copy(update={"interval": "of members: least and largest report"})


def _metrics(view: View, asked: AskedMetrics, offset: int) -> Rows:
    del offset
    census = view if asked.at is None else view.as_of(asked.at)
    if census is None:
        raise Problem(NOT_FOUND, "There is no census of this number, or none as old as this day.")
    mission = {name: each.mission for name, each in DEFINITIONS.items()}
    rows = [
        row
        for row in census.rows
        if asked.metric in (None, row.metric)
        and asked.dimension in (None, row.dimension)
        and (asked.mission is None or mission.get(row.metric) == asked.mission)
    ]
    return rows, len(rows), _of_each(view, "one crawl")


def _series(view: View, asked: AskedSeries, offset: int) -> Rows:
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


def _crawls(view: View, asked: AskedCrawls, offset: int) -> Rows:
    found = [
        crawl
        for crawl in view.reader.crawls()
        if asked.state in (None, crawl.state) and asked.censuses in (None, crawl.is_census)
    ]
    about = _all_time(view, "crawls", "crawls that ended, of every vantage", "Counted when each was sealed.")
    return found[offset : offset + asked.limit], len(found), about


def _crawl(view: View, crawl_id: int) -> BaseModel:
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


def _leads(view: View, asked: AskedLeads, offset: int) -> Rows:
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


def _changes(view: View, asked: AskedChanges, offset: int) -> Rows:
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
