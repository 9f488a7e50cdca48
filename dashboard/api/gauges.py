"""`/metrics`: the newest census for Prometheus, beside what `watch --health` tells of its crawls, in the same words.

Every metric row is a sample of `matrix_census_metric`, and the ends of its interval are samples of `_low` and `_high`.
What is not known is left out, never told as zero; without a census all that is told is that there is none. Four gauges
have the names that exporters of Matrix Rooms Search gave them, so that boards made for those show this.
"""

from collections.abc import Iterator
from functools import partial

from fastapi import APIRouter, Request, Response

from analytics.funnel import SERVERS, Predicate
from analytics.schemas import MetricRow
from crawler.model.exposition import OPEN_METRICS, TEXT, Family, Sample, exposition
from dashboard.api.problem import NO_CENSUS, UNREADABLE, Problem
from dashboard.api.shelf import Answer, Shelf
from dashboard.data import View

_UNCACHED = {"Cache-Control": "no-store"}


def router(shelf: Shelf) -> APIRouter:
    """The route."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        open_metrics = "application/openmetrics-text" in request.headers.get("accept", "")
        try:
            return await shelf.answer(request, ("gauges", open_metrics), partial(_answer, open_metrics=open_metrics))
        except Problem as problem:
            if problem.kind not in (NO_CENSUS, UNREADABLE):
                raise
            # Up, and nothing to tell: a target that vanishes looks like a network that does.
            nothing = exposition([_published(0)], open_metrics=open_metrics)
            return Response(nothing, media_type=_media_type(open_metrics=open_metrics), headers=_UNCACHED)

    return routes


def _answer(view: View, *, open_metrics: bool) -> Answer:
    text = exposition(families(view), open_metrics=open_metrics)
    return Answer.of(text.encode(), _media_type(open_metrics=open_metrics))


def _media_type(*, open_metrics: bool) -> str:
    return OPEN_METRICS if open_metrics else TEXT


def _published(value: int) -> Family:
    return Family("matrix_census_published", "gauge", "Whether a census is published here.", (Sample(value),))


def families(view: View) -> Iterator[Family]:
    """All of it, from the rows of the newest census."""
    crawl = view.crawl
    yield _published(1)
    labels = {
        "snapshot": view.reader.snapshot_id,
        "vantage": crawl.vantage,
        "synthetic": str(crawl.synthetic).lower(),
        "crawler_version": crawl.crawler_version,
    }
    meaning = "Which snapshot the numbers are of; synthetic: of the practice federation, not the real one."
    yield Family("matrix_census_snapshot", "info", meaning, (Sample(1, labels),))
    if crawl.finished_at is not None:
        sealed = (Sample(int(crawl.finished_at.timestamp())),)
        yield Family("matrix_census_sealed_timestamp_seconds", "gauge", "Seal of the newest census.", sealed)
    meaning = "A number of the newest census; see /api/v1/metrics for its window, denominator and method."
    yield Family("matrix_census_metric", "gauge", meaning, _samples(view, "value"))
    yield Family("matrix_census_metric_low", "gauge", "Lower end of its interval.", _samples(view, "lo"))
    yield Family("matrix_census_metric_high", "gauge", "Upper end of its interval.", _samples(view, "hi"))
    yield Family("matrix_census_metric_n", "gauge", "How many units it rests on.", _samples(view, "n"))
    by_name = {(row.metric, row.dimension): row for row in view.rows}
    for name, key, meaning in (
        ("mrs_servers_online", (SERVERS, Predicate.ONLINE), "Servers online."),
        ("mrs_servers_indexable", (SERVERS, Predicate.LISTING), "Servers online whose room directory answers."),
    ):
        row = by_name.get(key)
        if row is not None and row.value is not None:
            yield Family(name, "gauge", meaning, (Sample(row.value),))
    if crawl.rooms is not None:
        for name in ("mrs_rooms_parsed", "mrs_rooms_indexed"):
            yield Family(name, "gauge", "Rooms listed in the directories that answered.", (Sample(crawl.rooms),))


def _samples(view: View, field: str) -> tuple[Sample, ...]:
    return tuple(Sample(value, _labels(row)) for row in view.rows if (value := getattr(row, field)) is not None)


def _labels(row: MetricRow) -> dict[str, str]:
    labels = {"metric": row.metric, "dimension": str(row.dimension), "unit": row.unit, "grade": row.grade.value}
    return {**labels, "synthetic": str(row.synthetic).lower()}
