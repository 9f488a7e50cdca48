"""What went wrong, for programs: problem details (RFC 9457), of one of a few kinds that are described once.

`type` is an address of the documentation page, relative to the answer's own (RFC 9457, 3.1.1), so that it leads
somewhere wherever the census is served.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from dashboard import links
from dashboard.desk import Refusal

LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
DOCUMENTATION = "/api"
"""Where the kinds are described."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its name in addresses, its status, a sentence that is always the same, and what to do about it."""

    name: str
    status: int
    title: str
    remedy: str


NO_CENSUS = Kind("no-census", 503, "There is no census yet", "Ask again when one was published.")
UNREADABLE = Kind("unreadable", 503, "The census cannot be read", "Ask again; whoever runs it has to look after it.")
INVALID = Kind("invalid", 422, "The request is not understood", "`errors` names each parameter and what is wrong.")
NO_SERVER_NAME = Kind(
    "no-server-name", 400, "That is no server name", "Give a name as in `example.org` or `host:port`."
)
NOT_FOUND = Kind("not-found", 404, "There is no such thing", "`detail` says what was looked for.")
NO_SUCH_CENSUS = Kind(
    "no-such-census", 404, "There is no such census", "`/api/v1/crawls?censuses=true` lists them; or leave `at` out."
)
WRONG_METHOD = Kind("wrong-method", 405, "The method is not allowed here", "The header `Allow` names those that are.")
NOT_ACCEPTABLE = Kind(
    "not-acceptable", 406, "The answer has no such form", "Accept JSON, or what `detail` names; or say `format=`."
)
BAD_CURSOR = Kind(
    "bad-cursor", 400, "The cursor is none of this question", "Begin again without one; take `next` as it is."
)
SNAPSHOT_CHANGED = Kind(
    "snapshot-changed",
    410,
    "A new census was published",
    "The pages so far are of the snapshot `was`; begin again without a cursor for `now`, so that nothing is mixed.",
)
OPTED_OUT = Kind("opted-out", 403, "The server opted out", "Nothing can be done from here.")
TOO_MANY = Kind("too-many", 429, "Too many requests", "Wait for `retry_after_s` seconds; `Retry-After` says the same.")
CLOSED = Kind("closed", 503, "Nothing can be taken in", "Ask again later.")
FAULT = Kind("fault", 500, "A fault of ours", "Tell whoever runs this census the id in `detail`.")

KINDS = (
    NO_CENSUS, UNREADABLE, INVALID, NO_SERVER_NAME, NOT_FOUND, NO_SUCH_CENSUS, WRONG_METHOD, NOT_ACCEPTABLE, BAD_CURSOR,
    SNAPSHOT_CHANGED, OPTED_OUT, TOO_MANY, CLOSED, FAULT,
)  # fmt: skip
"""All kinds, for the documentation."""

OF_STATUS = {400: NO_SERVER_NAME, 403: OPTED_OUT, 429: TOO_MANY, 503: CLOSED}
"""The kind that a refusal of the desk is."""


class InvalidParameter(BaseModel):
    """What is wrong with one parameter."""

    parameter: str
    message: str


class ProblemDocument(BaseModel):
    """Problem details, RFC 9457."""

    type: str = Field(description="Which kind it is: an address that describes it, relative to that of the answer.")
    title: str
    status: int
    detail: str
    errors: list[InvalidParameter] | None = None
    retry_after_s: int | None = None
    was: str | None = Field(None, description="Of `snapshot-changed`: the snapshot of the cursor.")
    now: str | None = Field(None, description="Of `snapshot-changed`: the snapshot of today.")


@dataclass
class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """Ends a request with problem details. `more` are further members."""

    kind: Kind
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def refused(refusal: Refusal) -> Problem:
    """A refusal of the desk as a problem."""
    more = {} if refusal.retry_after_s is None else {"retry_after_s": refusal.retry_after_s}
    return Problem(OF_STATUS[refusal.status], refusal.sentence, more)


def problem_response(problem: Problem) -> JSONResponse:
    """The answer that says it; never kept by a cache."""
    kind = problem.kind
    document = {"type": links.whole(f"{DOCUMENTATION}#{kind.name}"), "title": kind.title, "status": kind.status}
    content = {**document, "detail": problem.detail, **problem.more}
    headers = {"Cache-Control": "no-store", **problem.headers}
    if "retry_after_s" in problem.more:
        headers["Retry-After"] = str(problem.more["retry_after_s"])
    return JSONResponse(content, kind.status, headers, media_type=MEDIA_TYPE)


async def answer_problem(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's handler of `Problem`."""
    del request
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type alone
    return problem_response(error)


async def answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's handler of a request that does not fit its description."""
    del request
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    errors = [
        {"parameter": ".".join(str(part) for part in found["loc"][1:]) or "body", "message": _message(found)}
        for found in error.errors()[:20]
    ]
    what = "; ".join(f"{found['parameter']}: {found['message']}" for found in errors)
    return problem_response(Problem(INVALID, what[:1000], {"errors": errors}))


def _message(found: Mapping[str, Any]) -> str:
    unknown = found["type"] == "extra_forbidden"
    return "there is no such parameter here" if unknown else str(found["msg"])[:300]


def fault_response(request: Request) -> JSONResponse:
    """For whatever a request trips over: the trace goes to the log, under an id that the visitor is told."""
    report_id = secrets.token_hex(4)
    LOG.exception("%s %r failed, id %s", request.method, request.url.path[:200], report_id)
    return problem_response(Problem(FAULT, f"The id of this fault is {report_id}."))
