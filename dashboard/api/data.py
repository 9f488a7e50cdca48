"""The numbers of each chart at an address that stays: `/data/NAME.csv` and `/data/NAME.json`, for anybody's programs.

The same rows that the picture is made of, by the same query. `from` and `to` are days (UTC, both included) of charts
over time; `at` is an earlier census (its number, or a day), as of which the chart is told; what else a chart lets
choose has the key that stands in the address of its page. Columns are only ever added and keep their names; the last
says whether the numbers are of the practice federation. In CSV a text that a spreadsheet would run as a formula begins
with an apostrophe; JSON has every text as it is, and what happened meanwhile beside the rows.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl
import trio
from fastapi import APIRouter, Request, Response

from crawler.errors import StoreError
from dashboard import links
from dashboard.charts.catalogue import CHARTS
from dashboard.charts.chart import Chart
from dashboard.charts.events import events_beside
from dashboard.choices import Chosen, RefusedError, parse_strictly
from dashboard.data import CensusSource, View

LICENCE = "CC0-1.0"
SYNTHETIC = "synthetic"
_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MEDIA = {"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}


def router(source: CensusSource) -> APIRouter:
    """The data addresses of all charts."""
    routes = APIRouter()

    @routes.get("/data/{name}.{form}", include_in_schema=False)
    async def data(request: Request, name: str, form: str) -> Response:
        chart = CHARTS.get(name)
        if chart is None or form not in _MEDIA:
            return _problem(404, f"there is no such chart; there are: {', '.join(CHARTS)}, each as .csv and .json")
        try:
            query = dict(request.query_params)
            at = query.pop(links.AT, "")
            chosen = parse_strictly(query, chart.choices + chart.looks, has_range=chart.over_time)
        except RefusedError as refused:
            return _problem(400, str(refused))
        asked = request.headers.get("if-none-match", "")
        return await trio.to_thread.run_sync(_answer, source, chart, chosen, form, at, asked, limiter=source.limiter)

    return routes


def _answer(source: CensusSource, chart: Chart, chosen: Chosen, form: str, at: str, known_tag: str) -> Response:
    try:
        with source.view() as newest:
            if newest is None:
                return _problem(503, "no census was published yet")
            view = newest.as_of(at) if at else newest
            if view is None:
                return _problem(404, "there is no such census; at is the number of one, or a day, as in at=2026-11-23")
            if chart.newest_only and view.past is not None:
                return _problem(404, "this chart is kept for the newest census alone; leave at out")
            tag = _tag(view, chart, chosen, form)
            headers = {**_ANYWHERE, "ETag": tag, "Cache-Control": "no-cache"}
            if tag in (each.strip() for each in known_tag.split(",")):
                return Response(status_code=304, headers=headers)
            rows = chart.rows(view, chosen).with_columns(pl.lit(view.crawl.synthetic).alias(SYNTHETIC))
            body = csv_of(rows) if form == "csv" else json_of(chart, chosen, view, rows)
            return Response(body, media_type=_MEDIA[form], headers=headers)
    except StoreError:
        return _problem(503, "what was published cannot be read; the next census may mend it")


def _tag(view: View, chart: Chart, chosen: Chosen, form: str) -> str:
    made = view.reader.snapshot
    said = (
        made.snapshot_id,
        str(made.published_at),
        form,
        chart.query(chosen, view.past),
        str(chosen.since),
        str(chosen.until),
    )
    return f'"{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]}"'


def csv_of(rows: pl.DataFrame) -> str:
    """Rows as CSV (RFC 4180), times as RFC 3339 in UTC, what is not known empty."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    starts = {name: pl.any_horizontal(pl.col(name).str.starts_with(mark) for mark in _FORMULA) for name in texts}
    guarded = rows.with_columns(
        pl.when(starts[name]).then(pl.concat_str(pl.lit("'"), pl.col(name))).otherwise(pl.col(name)).alias(name)
        for name in texts
    )
    return guarded.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ", line_terminator="\r\n")


def json_of(chart: Chart, chosen: Chosen, view: View, rows: pl.DataFrame) -> str:
    """Rows as JSON, with what is needed to read and cite them."""
    document: dict[str, Any] = {
        "chart": chart.name,
        "title": chart.title,
        "unit": chart.unit,
        "window": chart.window,
        "denominator": chart.denominator,
        "snapshot": view.reader.snapshot_id,
        SYNTHETIC: view.crawl.synthetic,
        "licence": LICENCE,
        "query": chart.query(chosen, view.past),
        "columns": {column.name: column.meaning for column in chart.columns}
        | {SYNTHETIC: "whether the numbers are of the practice federation and say nothing of the real one"},
        "rows": rows.to_dicts(),
        "events": [
            {"at": event.at, "when": event.when, "what": event.text, "source": event.source}
            for event in events_beside(view, rows)
        ],
    }
    return json.dumps(document, default=_text, ensure_ascii=False, separators=(",", ":"))


def _text(value: object) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _problem(status: int, title: str) -> Response:
    """RFC 9457."""
    content: Mapping[str, object] = {"type": "about:blank", "status": status, "title": title}
    headers = {**_ANYWHERE, "Cache-Control": "no-store"}
    return Response(json.dumps(content), status, headers, media_type="application/problem+json")
