"""`/stats`, `/catalog/servers`, `/catalog/servers/objects` in the shapes of Matrix Rooms Search, for programs written
for it. Only the shapes are theirs; the numbers are of the newest census.

`indexable` is what we call listing: online, and the room directory answers. Every room that we read and that did not
opt out we list, so parsed and indexed are one number. Contacts are always empty: nobody's is published here. Without a
census the answer is an error in their shape, never a zero.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from crawler.store import timeline
from crawler.store.timeline import Day, Named
from dashboard.api.problem import Problem
from dashboard.api.shelf import Answer, Shelf
from dashboard.data import View

MOST_NAMES = 10
"""Names of software told by themselves; the rest is `other`."""

JSON = "application/json"
OTHER = "other"


def router(shelf: Shelf) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/stats")
    async def stats(request: Request) -> Response:
        return await _answer(request, shelf, "stats", _stats)

    @routes.get("/catalog/servers")
    async def names(request: Request) -> Response:
        return await _answer(request, shelf, "servers", lambda view: [each.name for each in _catalogue(view)])

    @routes.get("/catalog/servers/objects")
    async def objects(request: Request) -> Response:
        return await _answer(
            request, shelf, "objects", lambda view: {each.name: _object(each) for each in _catalogue(view)}
        )

    return routes


async def _answer(request: Request, shelf: Shelf, key: str, ask: Callable[[View], Any]) -> Response:
    def make(view: View) -> Answer:
        headers = {"X-Snapshot": view.reader.snapshot_id}
        return Answer.of(json.dumps(ask(view), ensure_ascii=False).encode(), JSON, headers)

    try:
        return await shelf.answer(request, ("mrs", key), make)
    except Problem as problem:
        told = {"errcode": "CENSUS_NOT_PUBLISHED", "error": problem.detail}
        return JSONResponse(told, problem.kind.status, {"Cache-Control": "no-store", "Retry-After": "60"})


def _stats(view: View) -> dict[str, Any]:
    with closing(view.reader.cursor()) as connection:
        days = timeline.days(connection, view.crawl.id)
    newest = days[-1]
    told: dict[str, Any] = {
        "servers": newest.online,
        "rooms": newest.rooms,
        "details": _details(newest),
    }
    line = [{"date": day.at.date().isoformat(), "details": _details(day)} for day in thinned(days[:-1], newest.at)]
    return {**told, "timeline": line} if line else told


def _details(day: Day) -> dict[str, Any]:
    servers = {"online": day.online, "indexable": day.listing, "software": software(day.software)}
    return {"servers": servers, "rooms": {"indexed": day.rooms, "parsed": day.rooms}}


def software(counts: Mapping[str | None, int]) -> dict[str, int]:
    """Names as they write them (lower case, letters alone), the most common ones, and the rest together."""
    merged: Counter[str] = Counter()
    for name, count in counts.items():
        merged[" ".join(re.sub("[^a-z]+", " ", (name or "").lower()).split()) or OTHER] += count
    rest = merged.pop(OTHER, 0)
    top = merged.most_common(MOST_NAMES)
    rest += sum(merged.values()) - sum(count for _, count in top)
    return {**dict(top), **({OTHER: rest} if rest else {})}


def thinned(days: Iterable[Day], today: datetime) -> list[Day]:
    """One for each day of this month, for each week of this year, for each month before: the last of each."""
    kept: dict[tuple[object, ...], Day] = {}
    for day in days:
        kept[_stretch(day.at.date(), today.date())] = day
    return list(kept.values())


def _stretch(day: date, today: date) -> tuple[object, ...]:
    if (day.year, day.month) == (today.year, today.month):
        return ("day", day)
    if day.year == today.year:
        return ("week", day - timedelta(days=day.weekday()))
    return ("month", day.year, day.month)


def _catalogue(view: View) -> tuple[Named, ...]:
    with closing(view.reader.cursor()) as connection:
        return timeline.catalogue(connection, view.crawl.id)


def _object(each: Named) -> dict[str, Any]:
    return {
        "name": each.name,
        "url": each.client_base or "",
        "software": each.software or "",
        "version": each.version or "",
        "online": each.online,
        "indexable": each.listing,
        "contacts": {"emails": [], "mxids": [], "url": ""},
        "online_at": _moment(each.online_at),
        "checked_at": _moment(each.checked_at),
    }


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat().replace("+00:00", "Z")
