"""Conformance of servers written out, so that every numerator and denominator can be counted on paper.

server        well-known   client   support   keys        versions     error answers                   paging
a.example     ok           ok       none      ok          ok           -                               complete
b.example     not JSON     shape    ok        expired     404          404 where it names no API       repeated token
c.example     404          ok       bad JSON  timed out   bad JSON     404 without a code              skipped
d.example     -            ok       -         ok          401          401 with a code, 403 without    -
e.example     ok           ok       -         ok          404          404 with a code                 broke off
h.example     -            none     404       ok          -            404 of a host's file alone      complete
"""

import polars as pl
import pytest

from analytics.conformance import ALL, CONFORMANCE, ERROR_CODES, PAGING, conformance
from analytics.proportions import wilson
from analytics.schemas import ANSWER_COLUMNS, Grade, MetricRow
from analytics.snapshot import Snapshot
from tests.analytics.frames import empty_snapshot, observations, snapshot

A, B, C, D, E, F, _, H = range(1, 9)

ANSWERS = [
    (A, "well_known", "ok", None, None, False),
    (A, "client_well_known", "ok", None, None, False),
    (A, "support", "ok", None, None, False),
    (A, "keys", "ok", None, None, False),
    (A, "client_versions", "ok", None, None, False),
    (B, "well_known", "failed", "well_known_not_json", None, False),
    (B, "client_well_known", "failed", "json_shape", None, False),
    (B, "support", "ok", None, None, False),
    (B, "keys", "failed", "keys_expired", None, False),
    (B, "client_versions", "failed", "http_not_found", 404, False),
    (C, "well_known", "failed", "http_not_found", 404, False),
    (C, "client_well_known", "ok", None, None, False),
    (C, "support", "failed", "json_invalid", None, False),
    (C, "keys", "failed", "http_timeout", None, False),
    (C, "client_versions", "failed", "json_invalid", None, False),
    (C, "directory", "failed", "http_not_found", 404, False),
    (D, "client_well_known", "ok", None, None, False),
    (D, "keys", "ok", None, None, False),
    (D, "client_versions", "failed", "http_unauthorized", 401, True),
    (D, "directory", "failed", "http_forbidden", 403, False),
    (E, "well_known", "ok", None, None, False),
    (E, "client_well_known", "ok", None, None, False),
    (E, "keys", "ok", None, None, False),
    (E, "client_versions", "failed", "http_not_found", 404, True),
    (H, "keys", "ok", None, None, False),
    (H, "client_well_known", "ok", None, None, False),
    (H, "version", "failed", "http_server_error", 502, False),
    (H, "support", "failed", "http_not_found", 404, False),
    (F, "well_known", "failed", "well_known_bad_server", None, False),  # not online
]

MET = {
    "well-known of the server": (2, 3),  # a, e; and b
    "well-known for clients": (4, 5),  # a, c, d, e; and b. h publishes none
    "support document": (1, 2),  # b; and c. a publishes none
    "key document": (4, 5),  # a, d, e, h; and b. c was not heard
    "client versions": (1, 2),  # a; and c
    ERROR_CODES: (1, 3),  # e; and c, d
    PAGING: (2, 3),  # a, h; and b
    ALL: (3, 6),  # a, e, h
}


def federation(answers: list[tuple[object, ...]] | None = ANSWERS) -> Snapshot:  # type: ignore[assignment]  # a constant
    stopped = {"a.example": "complete", "b.example": "repeated_token", "e.example": "failed", "h.example": "complete"}
    seen = observations().with_columns(
        pl.col("server_name").replace_strict(stopped, default=None, return_dtype=pl.String).alias("directory_stopped"),
        pl.col("server_id").is_in([A, C, D, E]).alias("has_client_base"),
        pl.when(pl.col("server_id").is_in([A, B])).then(pl.col("server_id") == B).alias("support_published"),
    )
    frame = None if answers is None else pl.DataFrame(answers, schema=ANSWER_COLUMNS, orient="row")
    return snapshot(observations=seen, answers=frame)


def rows(of: Snapshot) -> dict[str, MetricRow]:
    found = {row.dimension: row for row in conformance(of)}
    assert {row.metric for row in found.values()} == {CONFORMANCE}
    assert list(found) == list(MET)
    return found


@pytest.mark.parametrize("dimension", MET)
def test_each_check_is_met_by_those_counted_on_paper(dimension: str) -> None:
    row, (met, made) = rows(federation())[dimension], MET[dimension]
    assert (row.value, row.n) == (met / made, made)
    assert (row.lo, row.hi) == (wilson(met, made).lo, wilson(met, made).hi)
    assert row.coverage == pytest.approx(made / 6)
    assert row.grade is Grade.MEASURED


def test_where_nothing_could_be_checked_nothing_is_said() -> None:
    none = rows(federation([]))
    assert {dimension: row.value for dimension, row in none.items()} == dict.fromkeys(MET) | {PAGING: 2 / 3, ALL: 2 / 3}
    assert {row.value for row in rows(empty_snapshot(answers=pl.DataFrame(schema=ANSWER_COLUMNS))).values()} == {None}


def test_without_the_journal_only_paging_is_known() -> None:
    found = rows(federation(None))
    assert {dimension for dimension, row in found.items() if row.value is not None} == {PAGING}
    assert "no longer kept" in found[ERROR_CODES].method
