"""Is my server well, and is it counted? The same look as `matrix-census check`, made now.

- `/api/v1/check`        the document of `check --json`
- `/api/report`          the shape of matrix-federation-tester, for programs that were written for it
- `/api/federation-ok`   GOOD or BAD, as that program answers

All are guarded and rationed at one desk (`dashboard.desk`).
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from crawler.engine.check import CheckDocument
from crawler.errors import UsageError
from dashboard.desk import Desk

_UNCACHED = {"Cache-Control": "no-store"}
_ANYWHERE = {
    **_UNCACHED,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    "Access-Control-Allow-Headers": "Origin, X-Requested-With, Content-Type, Accept",
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def router(desk: Desk) -> APIRouter:
    """The routes of a check."""
    routes = APIRouter()

    @routes.get("/api/v1/check", response_model=CheckDocument)
    async def check(request: Request, server_name: str) -> Response:
        """Check a server now, as a federating server would: the shape of `matrix-census check --json`.

        400: it is no server name. 429: too many checks; Retry-After says when there may be another.
        """
        try:
            name = desk.checker.parse(server_name)
        except UsageError as error:
            return _problem(400, str(error))
        wait_s = desk.wait_s(visitor_of(request))
        if wait_s:
            return _problem(429, "too many checks", {"Retry-After": str(int(wait_s) + 1)})
        return JSONResponse((await desk.check(name)).document.model_dump(mode="json"), headers=_UNCACHED)

    @routes.api_route("/api/report", methods=_METHODS, include_in_schema=False)
    async def report(request: Request, server_name: str = "") -> Response:
        """As matrix-federation-tester answers; also to browsers of other sites."""
        refused = _refused(request, server_name)
        if refused is not None:
            return refused
        try:
            name = desk.checker.parse(server_name)
        except UsageError:
            return JSONResponse(desk.checker.mft_of_no_name(server_name), headers=_ANYWHERE)
        wait_s = desk.wait_s(visitor_of(request))
        if wait_s:
            return _too_many(wait_s)
        return JSONResponse((await desk.check(name)).mft_report, headers=_ANYWHERE)

    @routes.get("/api/federation-ok", include_in_schema=False)
    async def federation_ok(request: Request, server_name: str = "") -> Response:
        """GOOD when the server federates, else BAD, with status 200 either way; 429 when the ration is used up."""
        try:
            name = desk.checker.parse(server_name)
        except UsageError:
            return PlainTextResponse("BAD", headers=_ANYWHERE)
        wait_s = desk.wait_s(visitor_of(request))
        if wait_s:
            return _too_many(wait_s)
        checked = await desk.check(name)
        return PlainTextResponse("GOOD" if checked.federates else "BAD", headers=_ANYWHERE)

    return routes


def visitor_of(request: Request) -> str:
    """Whose ration it is."""
    return request.client.host if request.client else ""


def _refused(request: Request, server_name: str) -> Response | None:
    """What is answered without a check; None when there is to be one."""
    if request.method == "OPTIONS":
        return Response(headers=_ANYWHERE)
    if request.method != "GET":
        return PlainTextResponse("Unsupported method.\n", 405, {**_ANYWHERE, "Allow": "GET, OPTIONS"})
    if not server_name:
        return PlainTextResponse("Missing server_name parameter", 400, _ANYWHERE)
    return None


def _too_many(wait_s: float) -> Response:
    return PlainTextResponse("Too many checks", 429, {**_ANYWHERE, "Retry-After": str(int(wait_s) + 1)})


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """RFC 9457."""
    content = {"type": "about:blank", "status": status, "title": detail}
    return JSONResponse(content, status, {**_UNCACHED, **(headers or {})}, media_type="application/problem+json")
