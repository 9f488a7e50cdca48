"""What the description of the API (OpenAPI) says beside what is in the code: answers, forms, problems, examples.

Examples are made from the shapes themselves, field by field, so that they fit them whatever is added.
"""

import types
import typing
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from crawler.version import VERSION
from dashboard.api.form import MEDIA_TYPES, Form
from dashboard.api.problem import KINDS, MEDIA_TYPE, ProblemDocument


class Examples(NamedTuple):
    """Names in examples."""

    server: str
    room: str


EXAMPLES = Examples("matrix.example", "!garden:matrix.example")

_SAMPLES: dict[str, object] = {
    "server_name": EXAMPLES.server,
    "named_by": "chat.example",
    "room_id": EXAMPLES.room,
    "name": "Garden",
    "room_name": "Garden",
    "topic": "Anything about gardens",
    "canonical_alias": "#garden:matrix.example",
    "software": "synapse",
    "version": "1.121.1",
    "before": "synapse 1.120.2",
    "after": "synapse 1.121.1",
    "kind": "server_version",
    "vantage": "Helsinki",
    "source": "room_id",
    "licence": "CC0-1.0",
    "licence_url": "https://creativecommons.org/publicdomain/zero/1.0/",
    "id": "census-000042-20261124T0310Z-0123abcd",
    "cite": "Matrix Census (open Matrix federation), snapshot census-000042-20261124T0310Z-0123abcd",
    "unit": "servers",
    "window": "one crawl, sealed 24 Nov 2026 03:10 UTC",
    "denominator": "server names that anything named",
    "interval": "none: counted",
    "method": "A sentence on how it comes about.",
    "metric": "servers",
    "dimension": "online",
    "directory_state": "open",
    "client_base": "https://matrix.example",
    "next": "/api/v1/servers?cursor=WyJjZW5zdXMtMDAwMDQyLTEuZHVja2RiIl0",
    "crawler_version": VERSION,
    "value": 170.0,
    "failed_kind": None,
    "failed_phase": None,
    "valid_to": None,
    "seen_to": None,
    "synthetic": False,
    "of": 263,
    "total": 170,
    "observation": None,
}
_MOMENT = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)


def example_of(shape: type[BaseModel]) -> dict[str, Any]:
    """An example that fits a shape."""
    return {name: _sample(name, field.annotation) for name, field in shape.model_fields.items()}


def _sample(name: str, hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    options = [each for each in arguments if each is not types.NoneType] if origin in _UNIONS else [hint]
    first = options[0]
    if isinstance(first, type) and issubclass(first, BaseModel):
        return None if name == "observation" else example_of(first)
    if typing.get_origin(first) is list:
        (of,) = typing.get_args(first)
        return [example_of(of)] if isinstance(of, type) and issubclass(of, BaseModel) else []
    if typing.get_origin(first) is dict:
        return {}
    if isinstance(first, type) and issubclass(first, Enum):
        return next(iter(first)).value
    by_type = {bool: True, int: 1, float: 1.0, str: "text", datetime: _MOMENT.isoformat().replace("+00:00", "Z")}
    sample = _SAMPLES.get(name)
    if name in _SAMPLES and (sample is None or isinstance(sample, first)):
        return sample
    return by_type[first] if len(options) == len(arguments or [hint]) else None


_UNIONS = (typing.Union, types.UnionType)


def forms(shape: type[BaseModel], *offered: Form) -> dict[int | str, dict[str, Any]]:
    """The answers of a resource: its shape as JSON, the same rows in other forms, and that nothing changed."""
    _SHAPES[shape.__name__] = shape
    content: dict[str, Any] = {"application/json": {}}
    for form in offered or tuple(Form):
        media_type = MEDIA_TYPES[form].partition(";")[0]
        binary = {"schema": {"type": "string", "format": "binary"}}
        content.setdefault(media_type, binary if form is Form.PARQUET else {"schema": {"type": "string"}})
    headers = {
        "ETag": {"description": "For `If-None-Match`.", "schema": {"type": "string"}},
        "X-Snapshot": {"description": "The snapshot.", "schema": {"type": "string"}},
    }
    return {
        200: {
            "model": shape,
            "description": "From the snapshot of this moment.",
            "content": content,
            "headers": headers,
        },
        304: {"description": "Nothing changed since the answer that `If-None-Match` names."},
    }


_SHAPES: dict[str, type[BaseModel]] = {}
"""Shapes of answers, by the name that the description has for them."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problem details of these statuses."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        kinds = [kind for kind in KINDS if kind.status == status]
        found[status] = {
            "description": "; ".join(f"{kind.title} (`{kind.name}`)" for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
    return found


PROBLEMS = problems(400, 404, 406, 410, 422, 429, 500, 503)
"""What any resource may answer."""

_INTRODUCTION = """\
The census of the open Matrix federation, for programs.

* Every answer says of which **snapshot** it is, and what its numbers are: unit, window, denominator, interval, grade,
  method. `synthetic` is true for the practice federation, whose figures say nothing about the real one.
* **Pages**: take `next` as it is until it is null. All pages are of one snapshot; when a new census was published in
  between, the answer is 410 (`snapshot-changed`), and one begins again.
* **Forms**: JSON; lists also as CSV and Parquet, by `Accept` or `format=`. In CSV, text that a spreadsheet would take
  for a formula has an apostrophe before it.
* **Caching**: send `If-None-Match`; nothing changes until the next census.
* **Earlier censuses**: `at=` a number or a day answers as when that census was the newest; series and histories end
  there. What is kept for the newest alone is null or empty.
* **Errors** are problem details (RFC 9457).
* Names and topics are text of strangers: escape it where you show it.
* The data are CC0-1.0; `snapshot.cite` says how to cite them.
* Keys are added later, never renamed; a parameter that is none is refused.
"""


def openapi(routes: APIRouter) -> dict[str, Any]:
    """The description of these routes, OpenAPI 3.1."""
    document = get_openapi(
        title="Matrix Census",
        version=VERSION,
        summary="A census of the open Matrix federation.",
        description=_INTRODUCTION,
        routes=routes.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_problem_schemas())
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                # Put in here, because FastAPI leaves out of an example what is null.
                told = response.get("content", {}).get("application/json", {})
                shape = _SHAPES.get(told.get("schema", {}).get("$ref", "").rpartition("/")[2])
                if shape is not None:
                    told["example"] = example_of(shape)
                # FastAPI describes its own errors; ours are problem details.
                if MEDIA_TYPE in response.get("content", {}):
                    response["content"].pop("application/json", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _problem_schemas() -> dict[str, Any]:
    template = "#/components/schemas/{model}"
    schema = ProblemDocument.model_json_schema(mode="serialization", ref_template=template)
    return {**schema.pop("$defs", {}), "ProblemDocument": schema}
