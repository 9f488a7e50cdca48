"""Is my server well, and is it counted? The same look as `matrix-census check`, made now.

- `/api/v1/check`        the document of `check --json`
- `/api/report`          the shape of matrix-federation-tester, for programs that were written for it
- `/api/federation-ok`   GOOD or BAD, as that program answers

Whoever asks makes this machine ask a stranger, so it is guarded as a crawl is (no special address, bounded answers) and
rationed: a visitor so many a minute, all together so many at once.
"""

from collections import OrderedDict, deque
from functools import partial

import trio
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from crawler.engine.check import CheckDocument, Checked, Checker, Memory, remember
from crawler.errors import StoreError, UsageError
from crawler.model.names import ServerName
from dashboard.data import CensusSource

CHECKS_A_MINUTE = 10
"""One visitor's ration."""
AT_ONCE = 8
"""Checks under way for all visitors together."""
MINUTE_S = 60.0
MOST_VISITORS = 10_000
"""Visitors remembered; the one not seen for longest is forgotten first."""

_UNCACHED = {"Cache-Control": "no-store"}
_ANYWHERE = {
    **_UNCACHED,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    "Access-Control-Allow-Headers": "Origin, X-Requested-With, Content-Type, Accept",
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Ration:
    """How many checks each visitor has had in the last minute."""

    def __init__(self, most: int = CHECKS_A_MINUTE) -> None:
        self._most = most
        self._visitors: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, visitor: str, now_s: float) -> float:
        """Take one of the visitor's checks.

        Returns:
            0 when there was one; else the seconds until there will be, and none is taken.
        """
        times = self._visitors.setdefault(visitor, deque(maxlen=self._most))
        self._visitors.move_to_end(visitor)
        if len(self._visitors) > MOST_VISITORS:
            self._visitors.popitem(last=False)
        if len(times) == self._most and now_s - times[0] < MINUTE_S:
            return MINUTE_S - (now_s - times[0])
        times.append(now_s)
        return 0.0


class Desk:
    """Where visitors ask for checks: one ration and one limit for every door."""

    def __init__(self, checker: Checker, source: CensusSource) -> None:
        self.checker = checker
        self._source = source
        self._ration = Ration()
        self._together = trio.CapacityLimiter(AT_ONCE)

    def wait_s(self, request: Request) -> float:
        """Seconds until this visitor may ask; 0 takes one of the ration."""
        return self._ration.wait_s(request.client.host if request.client else "", trio.current_time())

    async def check(self, name: ServerName) -> Checked:
        """Check a server now."""
        async with self._together:
            memory = await trio.to_thread.run_sync(partial(self._remember, name), limiter=self._source.limiter)
            return await self.checker.check(name, memory)

    def _remember(self, name: ServerName) -> Memory:
        try:
            with self._source.view() as view:
                return Memory() if view is None else remember(view.reader, name)
        except StoreError:
            return Memory()  # a census that cannot be read keeps nobody from looking now


def router(desk: Desk) -> APIRouter:
    """The routes of a check."""
    routes = APIRouter()

    @routes.get("/api/v1/check", response_model=CheckDocument)
    async def check(request: Request, server_name: str) -> Response:
        """Check a server now, as a federating server would: the shape of `matrix-census check --json`.

        400: it is no server name. 429: too many checks; Retry-After says when there may be another.
        """
        wait_s = desk.wait_s(request)
        if wait_s:
            return _problem(429, "too many checks", {"Retry-After": str(int(wait_s) + 1)})
        try:
            name = desk.checker.parse(server_name)
        except UsageError as error:
            return _problem(400, str(error))
        return JSONResponse((await desk.check(name)).document.model_dump(mode="json"), headers=_UNCACHED)

    @routes.api_route("/api/report", methods=_METHODS, include_in_schema=False)
    async def report(request: Request, server_name: str = "") -> Response:
        """As matrix-federation-tester answers; also to browsers of other sites."""
        refused = _refused(desk, request, server_name)
        if refused is not None:
            return refused
        try:
            name = desk.checker.parse(server_name)
        except UsageError:
            return JSONResponse(desk.checker.mft_of_no_name(server_name), headers=_ANYWHERE)
        return JSONResponse((await desk.check(name)).mft_report, headers=_ANYWHERE)

    @routes.get("/api/federation-ok", include_in_schema=False)
    async def federation_ok(request: Request, server_name: str = "") -> Response:
        """GOOD when the server federates, else BAD, with status 200 either way; 429 when the ration is used up."""
        wait_s = desk.wait_s(request)
        if wait_s:
            return _too_many(wait_s)
        try:
            name = desk.checker.parse(server_name)
        except UsageError:
            return PlainTextResponse("BAD", headers=_ANYWHERE)
        checked = await desk.check(name)
        return PlainTextResponse("GOOD" if checked.federates else "BAD", headers=_ANYWHERE)

    return routes


def _refused(desk: Desk, request: Request, server_name: str) -> Response | None:
    """What is answered without a check; None when there is to be one."""
    if request.method == "OPTIONS":
        return Response(headers=_ANYWHERE)
    if request.method != "GET":
        return PlainTextResponse("Unsupported method.\n", 405, {**_ANYWHERE, "Allow": "GET, OPTIONS"})
    if not server_name:
        return PlainTextResponse("Missing server_name parameter", 400, _ANYWHERE)
    wait_s = desk.wait_s(request)
    return _too_many(wait_s) if wait_s else None


def _too_many(wait_s: float) -> Response:
    return PlainTextResponse("Too many checks", 429, {**_ANYWHERE, "Retry-After": str(int(wait_s) + 1)})


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """RFC 9457."""
    content = {"type": "about:blank", "status": status, "title": detail}
    return JSONResponse(content, status, {**_UNCACHED, **(headers or {})}, media_type="application/problem+json")
