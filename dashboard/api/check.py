"""`/api/v1/check`: is my server well, and is it counted? The same look as `matrix-census check`, made now.

Whoever asks makes this machine ask a stranger, so it is guarded as a crawl is (no special address, bounded answers) and
rationed: a visitor so many a minute, all together so many at once.
"""

from collections import OrderedDict, deque
from typing import Any

import trio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from crawler.engine.check import Checker
from crawler.errors import UsageError

CHECKS_A_MINUTE = 10
"""One visitor's ration."""
AT_ONCE = 8
"""Checks under way for all visitors together."""
MINUTE_S = 60.0
MOST_VISITORS = 10_000
"""Visitors remembered; the one not seen for longest is forgotten first."""


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


def router(checker: Checker) -> APIRouter:
    """The route `/api/v1/check`."""
    routes = APIRouter()
    ration = Ration()
    together = trio.CapacityLimiter(AT_ONCE)

    @routes.get("/api/v1/check")
    async def check(request: Request, server_name: str) -> JSONResponse:
        """Check a server now, as a federating server would: the shape of `matrix-census check --json`.

        400: it is no server name. 429: too many checks; Retry-After says when there may be another.
        """
        visitor = request.client.host if request.client else ""
        wait_s = ration.wait_s(visitor, trio.current_time())
        if wait_s:
            return _problem(429, "too many checks", {"Retry-After": str(int(wait_s) + 1)})
        try:
            async with together:
                return _answer(await checker.check(server_name))
        except UsageError as error:
            return _problem(400, str(error))

    return routes


def _answer(found: dict[str, Any]) -> JSONResponse:
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """RFC 9457."""
    content = {"type": "about:blank", "status": status, "title": detail}
    return JSONResponse(
        content, status, {"Cache-Control": "no-store", **(headers or {})}, media_type="application/problem+json"
    )
