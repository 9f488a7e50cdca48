"""The API against its own description, by schemathesis over a socket: whatever is asked, no fault of ours, and every
answer is one that is described. `check` is left out: it would ask whatever hosts are made up for it."""

from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

OPERATIONS = (
    ("GET", "/api/v1/servers"),
    ("GET", "/api/v1/servers/{server_name}"),
    ("GET", "/api/v1/servers/{server_name}/history"),
    ("GET", "/api/v1/rooms"),
    ("GET", "/api/v1/rooms/{room_id}"),
    ("GET", "/api/v1/rooms/{room_id}/history"),
    ("GET", "/api/v1/metrics"),
    ("GET", "/api/v1/series"),
    ("GET", "/api/v1/crawls"),
    ("GET", "/api/v1/crawls/{crawl_id}"),
    ("GET", "/api/v1/leads"),
    ("GET", "/api/v1/changes"),
    ("GET", "/api/v1/health"),
    ("POST", "/api/v1/submit"),
)

CHECKS = [
    not_a_server_error,
    response_headers_conformance,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@cache
def described(site: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{site}/api/v1/openapi.json")


def test_every_operation_is_tried_or_left_out_on_purpose(site: str) -> None:
    paths = described(site).raw_schema["paths"]
    there = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert there == {*OPERATIONS, ("GET", "/api/v1/check")}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(site: str, method: str, path: str) -> None:
    operation = described(site)[path][method]

    @given(case=operation.as_strategy())
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def asked(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)

    asked()
