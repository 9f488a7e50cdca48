"""Answers for programs. Keys are added later, never renamed.

- `/api/v1`    `resources`: servers, rooms, numbers, crawls, leads, changes; `check`: one server, looked at now;
               `submit`: one to be crawled; `health`: which census is shown
- around them  `door`: CORS, rations, faults; `problem`: errors (RFC 9457)
- elsewhere    `data`: the numbers of each chart; `usage`: reports of homeservers; `gauges`: `/metrics`; `badges`;
               `feed`; `mrs`: the shapes of Matrix Rooms Search
- underneath   `shelf`: answers made once for a snapshot, with entity tags; `cursor`: pages that do not mix snapshots;
               `question`: what may be asked; `shapes`: what is answered; `form`: as JSON, CSV, Parquet; `link`
- described    `documentation`: OpenAPI; `page`: the same for people, at `/api`
"""

import json
from functools import cache

from fastapi import APIRouter, FastAPI, Request, Response

from crawler.engine.usage import UsageIntake
from dashboard import links
from dashboard.api import badges, check, data, feed, gauges, health, mrs, resources, submit, usage
from dashboard.api.documentation import openapi
from dashboard.api.door import add_errors
from dashboard.api.page import page
from dashboard.api.shelf import Answer, Shelf
from dashboard.data import CensusSource
from dashboard.desk import Desk

_KEPT = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}


PLACES = ("/api", "/badge", "/catalog", "/data", "/feed.atom", "/healthz", "/metrics", "/push", "/stats")
"""Where all of it is."""


def mount(app: FastAPI, source: CensusSource, desk: Desk, intake: UsageIntake) -> None:
    """Add all of it to an application."""
    described = APIRouter()
    shelf = Shelf(source)
    for routes in (resources.router(shelf), check.router(desk), submit.router(desk), health.router(source)):
        described.include_router(routes)
    app.include_router(described)
    app.include_router(data.router(source))
    app.include_router(usage.router(intake))
    for elsewhere in (gauges, badges, feed, mrs):
        app.include_router(elsewhere.router(shelf))
    app.include_router(_documentation(described))
    add_errors(app, described.routes)


def _documentation(described: APIRouter) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    document = openapi(described)

    @cache
    def for_programs(root: str) -> Answer:
        of_here = {**document, "servers": [{"url": root or "/"}]}
        return Answer.of(json.dumps(of_here, ensure_ascii=False).encode(), "application/json")

    @cache
    def for_people(root: str) -> Answer:
        return Answer.of(page(document, root).encode(), "text/html; charset=utf-8")

    @routes.get("/api/v1/openapi.json")
    async def description(request: Request) -> Response:
        """The description, with the prefix of a proxy as its server."""
        return for_programs(links.root()).response(request, _KEPT)

    @routes.get("/api")
    async def people(request: Request) -> Response:
        """The same for people."""
        return for_people(links.root()).response(request, _KEPT)

    return routes
