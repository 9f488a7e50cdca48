"""Is the dashboard up, and which census does it show: for monitors, and for whoever waits for a publication."""

from datetime import datetime
from typing import Literal

import trio
from fastapi import APIRouter, Response
from pydantic import BaseModel

from crawler.errors import StoreError
from dashboard.data import CensusSource


class Census(BaseModel):
    """The census on the pages."""

    id: int
    synthetic: bool
    started_at: datetime
    finished_at: datetime | None
    servers: int | None
    online: int | None
    rooms: int | None
    crawler_version: str
    vantage: str


class Health(BaseModel):
    """`empty`: up, but no census was published yet. `unreadable`: what was published cannot be read."""

    status: Literal["ok", "empty", "unreadable"]
    snapshot: str | None = None
    census: Census | None = None


def router(source: CensusSource) -> APIRouter:
    """The routes `/healthz` and `/api/v1/health`."""
    routes = APIRouter()

    @routes.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        """200 as long as the process answers at all."""
        return Response("ok\n", media_type="text/plain", headers={"Cache-Control": "no-store"})

    @routes.get("/api/v1/health", tags=["crawls"])
    async def health(response: Response) -> Health:
        """The state of the dashboard; 503 when its data cannot be read."""
        response.headers["Cache-Control"] = "no-store"
        found = await trio.to_thread.run_sync(_health, source, limiter=source.limiter)
        if found.status == "unreadable":
            response.status_code = 503
        return found

    return routes


def _health(source: CensusSource) -> Health:
    try:
        with source.view() as view:
            if view is None:
                return Health(status="empty")
            names = Census.model_fields
            census = Census(**{name: getattr(view.crawl, name) for name in names})
            return Health(status="ok", snapshot=view.reader.snapshot_id, census=census)
    except StoreError:
        return Health(status="unreadable")
