"""Is my server well, and is it counted? The same look as `matrix-census check`, made now.

- `/api/v1/check`        the document of `check --json`
- `/api/report`          the shape of matrix-federation-tester, for programs that were written for it
- `/api/federation-ok`   GOOD or BAD, as that program answers

All are guarded and rationed at one desk (`dashboard.desk`).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from crawler.engine.check import CheckDocument
from dashboard.api.documentation import EXAMPLES, problems
from dashboard.api.problem import refused
from dashboard.desk import Desk, Refusal

_UNCACHED = {"Cache-Control": "no-store"}
_ANYWHERE = {
    **_UNCACHED,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    "Access-Control-Allow-Headers": "Origin, X-Requested-With, Content-Type, Accept",
}
_LONGEST = 300
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def router(desk: Desk) -> APIRouter:
    """The routes of a check."""
    routes = APIRouter()

    @routes.get(
        "/api/v1/check",
        tags=["servers"],
        response_model=CheckDocument,
        responses=problems(400, 403, 422, 429, 500, 503),
    )
    async def check(
        request: Request,
        server_name: Annotated[
            str, Query(max_length=_LONGEST, description="A server name.", examples=[EXAMPLES.server])
        ],
    ) -> Response:
        """Check a server now, as a federating server would: the shape of `matrix-census check --json`. Not kept, not
        counted; ten for each visitor, then one every six seconds."""
        admitted = await desk.admit(server_name, visitor(request))
        if isinstance(admitted, Refusal):
            raise refused(admitted)
        return JSONResponse((await desk.check(admitted)).document.model_dump(mode="json"), headers=_UNCACHED)

    @routes.api_route("/api/report", methods=_METHODS, include_in_schema=False)
    async def report(request: Request, server_name: str = "") -> Response:
        """As matrix-federation-tester answers; also to browsers of other sites."""
        refused = _refused(request, server_name)
        if refused is not None:
            return refused
        admitted = await desk.admit(server_name, visitor(request))
        if isinstance(admitted, Refusal):
            if admitted.status == 400:
                return JSONResponse(desk.checker.mft_of_no_name(server_name), headers=_ANYWHERE)
            return _sentence(admitted)
        return JSONResponse((await desk.check(admitted)).mft_report, headers=_ANYWHERE)

    @routes.get("/api/federation-ok", include_in_schema=False)
    async def federation_ok(request: Request, server_name: str = "") -> Response:
        """GOOD when the server federates, else BAD, with status 200 either way; another when there was no check."""
        admitted = await desk.admit(server_name, visitor(request))
        if isinstance(admitted, Refusal):
            return PlainTextResponse("BAD", headers=_ANYWHERE) if admitted.status == 400 else _sentence(admitted)
        checked = await desk.check(admitted)
        return PlainTextResponse("GOOD" if checked.federates else "BAD", headers=_ANYWHERE)

    return routes


def visitor(request: Request) -> str:
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


def _sentence(refusal: Refusal) -> Response:
    return PlainTextResponse(refusal.sentence, refusal.status, {**_ANYWHERE, **_retry_after(refusal)})


def _retry_after(refusal: Refusal) -> dict[str, str]:
    return {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
