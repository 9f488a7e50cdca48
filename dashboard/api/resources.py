"""`/api/v1`: servers, rooms, numbers, crawls, leads and changes of the census of this moment.

Every answer says of which snapshot it is, and what its numbers are. All but `check` and `submit`, which have modules of
their own, are the same for every visitor and made once for each snapshot.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from dashboard.api import answers, shapes
from dashboard.api.cursor import next_cursor, offset_of, question_of
from dashboard.api.documentation import EXAMPLES, PROBLEMS, forms
from dashboard.api.form import MEDIA_TYPES, Form, form_of, page_answer
from dashboard.api.link import address
from dashboard.api.question import (
    Asked,
    AskedAsOf,
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
from dashboard.api.shapes import PageShape, snapshot_shape
from dashboard.api.shelf import Answer, Shelf
from dashboard.data import View

V1 = "/api/v1"

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
        """Servers as known after the newest census, or an earlier one, filtered and sorted.

        One that the census left in peace, because it has been dead for long, is as it was last seen; `visited` tells.
        """
        return await _page(request, shelf, asked, "servers", shapes.ServersPage, shapes.ServerShape, answers.servers)

    @routes.get("/servers/{server_name}", tags=["servers"], responses=forms(shapes.ServerAnswer, Form.JSON))
    async def server(request: Request, server_name: ServerName, asked: Annotated[AskedAsOf, Query()]) -> Response:
        """All about one server: its state, each step of the newest visit, who named it, its life."""
        ask = partial(answers.server, name=server_name)
        return await _one(request, shelf, ("server", server_name.lower(), asked.at), ask, asked.at)

    @routes.get("/servers/{server_name}/history", tags=["servers"], responses=forms(shapes.StatesPage))
    async def history(request: Request, server_name: ServerName, asked: Annotated[AskedHistory, Query()]) -> Response:
        """The states of a server, each from one crawl to another, the newest first; with `at` those up to that
        census."""
        ask = partial(answers.history, name=server_name)
        return await _page(request, shelf, asked, "history", shapes.StatesPage, shapes.StateShape, ask)

    @routes.get("/rooms", tags=["rooms"], responses=forms(shapes.RoomsPage))
    async def rooms(request: Request, asked: Annotated[AskedRooms, Query()]) -> Response:
        """Rooms that directories list, filtered and sorted; of each ID one, with the median of its members."""
        return await _page(request, shelf, asked, "rooms", shapes.RoomsPage, shapes.RoomShape, answers.rooms)

    # An ID may hold a slash, so these two come in this order.
    @routes.get("/rooms/{room_id:path}/history", tags=["rooms"], responses=forms(shapes.AccountsPage))
    async def room_history(request: Request, room_id: RoomId, asked: Annotated[AskedHistory, Query()]) -> Response:
        """What directories said of a room, each account from one crawl to another, the newest first; with `at` those
        up to that census."""
        ask = partial(answers.accounts, room_id=room_id)
        return await _page(request, shelf, asked, "room-history", shapes.AccountsPage, shapes.AccountShape, ask)

    @routes.get("/rooms/{room_id:path}", tags=["rooms"], responses=forms(shapes.RoomAnswer, Form.JSON))
    async def room(request: Request, room_id: RoomId, asked: Annotated[AskedAsOf, Query()]) -> Response:
        """All about one room that the newest census, or an earlier one, found listed."""
        ask = partial(answers.room, room_id=room_id)
        return await _one(request, shelf, ("room", room_id, asked.at), ask, asked.at)

    @routes.get("/metrics", tags=["numbers"], responses=forms(shapes.MetricsPage))
    async def metrics(request: Request, asked: Annotated[AskedMetrics, Query()]) -> Response:
        """The numbers of the newest census, or of an earlier one, each with unit, window, denominator, interval, grade
        and method."""
        return await _page(request, shelf, asked, "metrics", shapes.MetricsPage, shapes.MetricShape, answers.metrics)

    @routes.get("/series", tags=["numbers"], responses=forms(shapes.MetricsPage))
    async def series(request: Request, asked: Annotated[AskedSeries, Query()]) -> Response:
        """One metric over all censuses from the vantage shown, the oldest first; with `at` those up to that one."""
        return await _page(request, shelf, asked, "series", shapes.MetricsPage, shapes.MetricShape, answers.series)

    @routes.get("/crawls", tags=["crawls"], responses=forms(shapes.CrawlsPage))
    async def crawls(request: Request, asked: Annotated[AskedCrawls, Query()]) -> Response:
        """All crawls that ended, the newest first; only those completed and full are censuses."""
        return await _page(request, shelf, asked, "crawls", shapes.CrawlsPage, shapes.CrawlShape, answers.crawls)

    @routes.get("/crawls/{crawl_id}", tags=["crawls"], responses=forms(shapes.CrawlAnswer, Form.JSON))
    async def crawl(
        request: Request,
        crawl_id: Annotated[int, Path(ge=-(2**31), lt=2**31, examples=[1])],
        asked: Annotated[Asked, Query()],
    ) -> Response:
        """One crawl and its report: what it asked, what bounds it hit, how long the phases took."""
        del asked
        return await _one(request, shelf, ("crawl", crawl_id), partial(answers.crawl, crawl_id=crawl_id))

    @routes.get("/leads", tags=["crawls"], responses=forms(shapes.LeadsPage))
    async def leads(request: Request, asked: Annotated[AskedLeads, Query()]) -> Response:
        """Who named whom, and how, in the newest census."""
        return await _page(request, shelf, asked, "leads", shapes.LeadsPage, shapes.LeadShape, answers.leads)

    @routes.get("/changes", tags=["changes"], responses=forms(shapes.ChangesPage))
    async def changes(request: Request, asked: Annotated[AskedChanges, Query()]) -> Response:
        """What changed from census to census, the oldest first: births, outages, returns and deaths of servers, their
        versions; rooms listed, gone and renamed. `since` is how to keep up."""
        return await _page(request, shelf, asked, "changes", shapes.ChangesPage, shapes.ChangeShape, answers.changes)

    return routes


async def _page(
    request: Request,
    shelf: Shelf,
    asked: Any,
    name: str,
    page: type[BaseModel],
    row: type[BaseModel],
    ask: Callable[[View, Any, int], answers.Rows],
) -> Response:
    """A page of what `ask` gives, for (view, what was asked, rows before the first)."""
    form = form_of(request, asked.format)
    query = asked.model_dump(mode="json", exclude_defaults=True)
    path = request.scope["path"]
    # The proxy's prefix is in the addresses of an answer.
    key = (address(path), form, tuple(sorted((k, str(v)) for k, v in query.items())))

    def make(newest: View) -> Answer:
        view = answers.as_of(newest, getattr(asked, "at", None))
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


async def _one(
    request: Request, shelf: Shelf, key: tuple[object, ...], ask: Callable[[View], BaseModel], at: str | None = None
) -> Response:
    form_of(request, None, (Form.JSON,))

    def make(newest: View) -> Answer:
        view = answers.as_of(newest, at)
        headers = {"Link": f'<{shapes.LICENCE_URL}>; rel="license"', "X-Snapshot": view.reader.snapshot_id}
        return Answer.of(ask(view).model_dump_json().encode(), MEDIA_TYPES[Form.JSON], headers)

    return await shelf.answer(request, key, make)
