"""`/push`: where homeservers report their usage, in the shape of Synapse's reports and at panopticon's address.

A homeserver's `report_stats_endpoint` points here. Whoever answers `{}` has it on the disk; whether it is believed
stands in a header, for people who try it by hand. Nothing is read from here but what the census file's writer does
with it.
"""

from typing import assert_never

import trio
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from crawler.engine.usage import Proof, RefusedReportError, UsageIntake
from dashboard.api.check import visitor
from dashboard.ration import Ration, visitor_of

REPORTS_A_MINUTE = 60
"""One address's ration. A server reports eight times a day, but many may share an address."""
AT_ONCE = 8
"""Reports under way for all together."""
_WAITING = 64
"""Reports that wait for their turn; more are sent away, and come again three hours later."""
_RETRY_AFTER_S = 600

PROOF_HEADER = "Matrix-Census-Proof"


def router(intake: UsageIntake) -> APIRouter:
    """The route of usage reports."""
    routes = APIRouter()
    ration = Ration(REPORTS_A_MINUTE)
    together = trio.CapacityLimiter(AT_ONCE)

    @routes.api_route("/push", methods=["POST", "PUT"], include_in_schema=False)
    async def push(request: Request, token: str | None = None) -> Response:
        """Take one usage report. 400 no report, 403 opted out, 413 too large, 429 or 503 later."""
        sender = visitor(request)
        wait_s = ration.wait_s(visitor_of(sender), trio.current_time())
        if wait_s:
            return _sentence(429, "too many reports from your address", int(wait_s) + 1)
        if together.statistics().tasks_waiting >= _WAITING:
            return _sentence(503, "too many reports at once", _RETRY_AFTER_S)
        body = await request.body()
        try:
            async with together:
                proof = await intake.receive(body, sender, token, request.headers.get("user-agent", ""))
        except RefusedReportError as refused:
            return _sentence(refused.status, str(refused), _RETRY_AFTER_S if refused.status == 503 else None)
        return JSONResponse({}, headers={"Cache-Control": "no-store", PROOF_HEADER: _words(proof)})

    return routes


def _sentence(status: int, sentence: str, retry_after_s: int | None = None) -> Response:
    headers = {"Cache-Control": "no-store"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return PlainTextResponse(f"{sentence}\n", status, headers)


def _words(proof: Proof) -> str:
    """What the sender is told; ASCII, for it stands in a header."""
    match proof:
        case Proof.ADDRESS:
            return "verified; the server name resolves to your address"
        case Proof.WELL_KNOWN | Proof.DNS:
            return f"verified; the digest of your token is published ({proof.value})"
        case Proof.NONE | Proof.FILE:
            return "not verified, and not counted; the server name does not resolve to your address"
        case _:
            assert_never(proof)
