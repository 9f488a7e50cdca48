"""The door to everything that is for programs: who may come in, how often, and what is said to those who err.

Around the routes, as plain ASGI: browsers of other sites may read (CORS), every visitor has a ration, HEAD is answered
as GET without its body, and a fault of ours ends as problem details. Pages pass through untouched.
"""

from collections.abc import Iterable

import trio
from fastapi import APIRouter, FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.api.problem import (
    NOT_FOUND,
    TOO_MANY,
    WRONG_METHOD,
    Problem,
    answer_invalid,
    answer_problem,
    fault_response,
    problem_response,
)
from dashboard.api.shelf import takes_gzip
from dashboard.ration import Ration, visitor_of

REQUESTS_A_MINUTE = 300
"""One visitor's ration of all that is for programs."""


_PLACES = ("/api/", "/badge/", "/catalog/")
_PLACES_THEMSELVES = ("/api", "/metrics", "/stats", "/feed.atom")
_MFT = ("/api/report", "/api/federation-ok")
"""These speak of CORS and methods as matrix-federation-tester does."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]

_READ = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After, X-Cite, X-Snapshot, X-Total",
    # A badge is shown by pages of others.
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def is_for_programs(scope: Scope) -> bool:
    """Whether a request is not for a page."""
    path: str = scope["path"]
    return path.startswith(_PLACES) or path in _PLACES_THEMSELVES


class Door:
    """See the module. `requests_a_minute` is each visitor's; 0: as many as he likes."""

    def __init__(self, app: ASGIApp, requests_a_minute: int = REQUESTS_A_MINUTE) -> None:
        self._app = app
        self._ration = Ration(requests_a_minute) if requests_a_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_for_programs(scope):
            await self._app(scope, receive, send)
            return
        is_mft = scope["path"].endswith(_MFT)
        headless = scope["method"] == "HEAD" and not is_mft
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _READ.items():
                    headers.setdefault(name, value)
            elif headless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        request = Request(scope)
        refusal = self._refusal(request)
        if refusal is not None:
            await refusal(scope, receive, send_on)
            return
        if scope["method"] == "OPTIONS" and not is_mft:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_on)
            return
        inner = {**scope, "method": "GET"} if headless else scope
        if not takes_gzip(request.headers.get("accept-encoding", "")):
            # What packs the answers of pages does not weigh (`gzip;q=0`).
            inner = {**inner, "headers": [each for each in scope["headers"] if each[0] != b"accept-encoding"]}
        try:
            await self._app(inner, receive, send_on)
        except Exception:
            response = fault_response(request)
            if begun:
                raise
            await response(scope, receive, send_on)

    def _refusal(self, request: Request) -> Response | None:
        if self._ration is None:
            return None
        visitor = visitor_of(request.client.host if request.client else "")
        wait_s = self._ration.wait_s(visitor, trio.current_time())
        if not wait_s:
            return None
        more = {"retry_after_s": int(wait_s) + 1}
        return problem_response(Problem(TOO_MANY, "Your address has used up its ration for now.", more))


async def _answer_unrouted(request: Request, error: Exception) -> Response:
    """What no route takes, for example an address with a line break in it."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    if error.status_code != 404 or not is_for_programs(request.scope):
        return await http_exception_handler(request, error)
    return problem_response(Problem(NOT_FOUND, "There is no such address; /api has those that are."))


def _answers(routes: Iterable[BaseRoute], scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def add_errors(app: FastAPI, routes: Iterable[BaseRoute]) -> None:
    """Answer what goes wrong below with problem details, and addresses under /api that are none too.

    Args:
        app: To it, after all other routes of the API.
        routes: Those, to tell a wrong method from a wrong address.
    """
    known = list(routes)
    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, _answer_unrouted)
    rest = APIRouter(include_in_schema=False)

    @rest.api_route("/api/{path:path}", methods=_METHODS)
    async def nothing(request: Request) -> Response:
        methods = {method for method in _METHODS if _answers(known, {**request.scope, "method": method})}
        if methods:
            allow = ", ".join(sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
            raise Problem(WRONG_METHOD, f"Allowed are {allow}.", headers={"Allow": allow})
        raise Problem(NOT_FOUND, "The API has no such address; /api describes those that it has.")

    app.include_router(rest)
