"""The forms that rows are sent in: JSON, CSV (RFC 4180), Parquet; which one is asked for, by `format=` or `Accept`.

Apart from the shapes, which say what is in them. A file may outlive its address: each says in itself which snapshot it
is of and whether that is synthetic (CSV in two columns, Parquet in its metadata too), and the answer's headers name the
licence and how to cite. Text of strangers that a spreadsheet would take for a formula has an apostrophe before it in
CSV (OWASP, "CSV Injection"); JSON and Parquet have it as it is.
"""

import io
import json
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import polars as pl
from fastapi import Request
from pydantic import BaseModel

from dashboard.api.data import csv_of
from dashboard.api.problem import NOT_ACCEPTABLE, Problem
from dashboard.api.shapes import LICENCE_URL, PageShape, SnapshotShape
from dashboard.api.shelf import Answer


class Form(StrEnum):
    """What `format=` may say."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv; charset=utf-8",
    Form.PARQUET: "application/vnd.apache.parquet",
}

_ACCEPTED = {
    "application/json": Form.JSON,
    "text/csv": Form.CSV,
    "application/vnd.apache.parquet": Form.PARQUET,
    "application/*": Form.JSON,
    "text/*": Form.CSV,
    "*/*": Form.JSON,
}


def form_of(request: Request, asked: Form | None, offered: Sequence[Form] = tuple(Form)) -> Form:
    """The form to answer in: what `format=` says, else what `Accept` likes best (RFC 9110, 12.5.1).

    Raises:
        Problem: none of those offered.
    """
    if asked is not None:
        return asked
    accept = request.headers.get("accept", "*/*") or "*/*"
    liked: list[tuple[float, int, int, Form]] = []
    for place, part in enumerate(accept[:2000].split(",")):
        media_type, _, parameters = part.partition(";")
        media_type = media_type.strip().lower()
        form = _ACCEPTED.get(media_type)
        weight = _weight(parameters)
        if form is not None and weight > 0:
            # A wildcard stands behind what is named, at the same weight.
            liked.append((weight, -media_type.count("*"), -place, form))
    for *_, form in sorted(liked, reverse=True):
        if form in offered:
            return form
    names = ", ".join(MEDIA_TYPES[form].partition(";")[0] for form in offered)
    raise Problem(NOT_ACCEPTABLE, f"This can be had as {names}.")


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value.strip()), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def page_answer(page: PageShape, row: type[BaseModel], form: Form, name: str) -> Answer:
    """A page in the form asked for. `name` is what a file of it is called."""
    snapshot = page.snapshot
    headers = {"Link": f'<{LICENCE_URL}>; rel="license"', "X-Snapshot": snapshot.id}
    headers["X-Total"] = str(page.total)
    if page.next is not None:
        headers["Link"] += f', <{page.next}>; rel="next"'
    if form is Form.JSON:
        return Answer.of(page.model_dump_json().encode(), MEDIA_TYPES[form], headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}-{snapshot.id}.{form}"'
    headers["X-Cite"] = _header_text(snapshot.cite)
    rows: list[BaseModel] = getattr(page, "data")  # noqa: B009 - a field made at run time
    frame = _frame(rows, row)
    body = _csv(frame, snapshot) if form is Form.CSV else _parquet(frame, page)
    return Answer.of(body, MEDIA_TYPES[form], headers)


def _frame(rows: Sequence[BaseModel], row: type[BaseModel]) -> pl.DataFrame:
    """Rows as a frame whose columns have their types even when there is none."""
    schema = {name: _column_type(field.annotation) for name, field in row.model_fields.items()}
    return pl.DataFrame(
        {name: [_plain(getattr(each, name)) for each in rows] for name in schema}, schema=schema, strict=False
    )


def _column_type(hint: Any) -> pl.DataType | type[pl.DataType]:
    options = [each for each in typing.get_args(hint) if each is not types.NoneType] or [hint]
    plain: dict[object, pl.DataType | type[pl.DataType]] = {
        bool: pl.Boolean,
        int: pl.Int64,
        float: pl.Float64,
        datetime: pl.Datetime("us", "UTC"),
    }
    return plain.get(options[0], pl.String)  # words and enums; what is nested is JSON


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return value


def _csv(frame: pl.DataFrame, snapshot: SnapshotShape) -> bytes:
    told = [pl.lit(snapshot.id).alias("snapshot_id"), pl.lit(snapshot.synthetic).alias("snapshot_synthetic")]
    return csv_of(frame.with_columns(told)).encode()


def _parquet(frame: pl.DataFrame, page: PageShape) -> bytes:
    written = io.BytesIO()
    metadata = {
        "snapshot": page.snapshot.model_dump_json(),
        "about": page.about.model_dump_json(),
        "licence": page.snapshot.licence,
        "cite": page.snapshot.cite,
    }
    frame.write_parquet(written, compression="zstd", metadata=metadata)
    return written.getvalue()


def _header_text(text: str) -> str:
    """Text of an operator (the vantage) as a header takes it: printable ASCII."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:500]
