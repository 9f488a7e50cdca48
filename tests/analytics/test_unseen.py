"""Estimates of all online servers from leads that are worked out on paper."""

import json

import polars as pl
import pytest

from analytics.schemas import LEAD_COLUMNS, MetricRow
from analytics.unseen import COVERAGE, DISTINCT, ESTIMATED, unseen
from tests.analytics.frames import empty_snapshot, observations, snapshot

# server, source, named by. Servers 1, 2, 3, 4, 5 and 8 of the federation are online, 6 and 7 are not.
LEADS = (
    (1, "seed", None),
    (2, "seed", None),
    (2, "room_id", 1),
    (3, "room_id", 1),
    (3, "alias", 2),
    (4, "alias", 8),
    (5, "alias", 8),
    (5, "room_id", 8),
    (8, "room_id", 2),
    (6, "room_id", 1),
    (1, "room_id", 1),  # of itself: does not count
)


def leads(rows: tuple[tuple[int, str, int | None], ...] = LEADS) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=LEAD_COLUMNS, orient="row")


def by_dimension(rows: list[MetricRow], metric: str) -> dict[str, MetricRow]:
    return {row.dimension: row for row in rows if row.metric == metric}


def test_answers_are_the_sampling_units_and_nobody_vouches_for_himself() -> None:
    rows = list(unseen(snapshot(leads=leads())))
    row = by_dimension(rows, ESTIMATED)["Chao2 over answers"]
    # Named by others: 2 by {1}, 3 by {1, 2}, 4 by {8}, 5 by {8}, 8 by {2}: S 5, Q1 4, Q2 1, over T 3 units.
    assert row.value == pytest.approx(5 + (2 / 3) * 16 / 2)
    assert row.n == 3
    assert row.lo is not None
    assert row.lo >= 5
    assert row.coverage == 1.0
    # Namings: 6, of which 4 singletons and one pair, over T 3 units: 1 - 4/6 * (2*4)/(2*4 + 2).
    coverage = by_dimension(rows, COVERAGE)["answers"]
    assert coverage.value == pytest.approx(1 - 4 / 6 * 8 / 10)


def test_pairs_of_sources_are_crossed_among_online_servers() -> None:
    estimated = by_dimension(list(unseen(snapshot(leads=leads()))), ESTIMATED)
    # room_id: 2, 3, 5, 8 (6 is not online); alias: 3, 4, 5; both: 3, 5.
    assert estimated["Chapman, alias and room_id"].value == pytest.approx(4 * 5 / 3 - 1)
    assert estimated["Chapman, room_id and seed"].value == pytest.approx(5 * 3 / 2 - 1)
    assert estimated["log-linear over sources"].n == 6


def test_names_that_were_taken_because_nothing_else_had_them_are_no_list() -> None:
    rows = [list(unseen(snapshot(leads=leads((*LEADS, *more))))) for more in ((), ((4, "submitted", None),))]
    assert by_dimension(rows[0], ESTIMATED) == by_dimension(rows[1], ESTIMATED)


def test_two_sources_alone_are_lincoln_and_petersen() -> None:
    two = tuple(lead for lead in LEADS if lead[1] in ("room_id", "alias") and lead[0] != 1)
    row = by_dimension(list(unseen(snapshot(leads=leads(two)))), ESTIMATED)["log-linear over sources"]
    assert row.value == pytest.approx(4 * 3 / 2, rel=1e-6)


def test_no_leads_no_numbers_and_no_zero() -> None:
    rows = [row for row in unseen(empty_snapshot()) if row.metric == ESTIMATED]
    assert len(rows) == 2
    assert all(row.value is None and row.method.startswith("Not known") for row in rows)


def test_distinct_counts_by_what_servers_share() -> None:
    seen = observations().with_columns(
        verify_keys=pl.when(pl.col("server_id").is_in([1, 2])).then(pl.lit(json.dumps({"ed25519:a": "K"}))),
        address=pl.when(pl.col("online")).then(pl.lit("192.0.2.9")),
    )
    distinct = by_dimension(list(unseen(snapshot(observations=seen))), DISTINCT)
    assert distinct["names"].value == 6
    assert distinct["signing keys"].value == 1
    assert distinct["signing keys"].coverage == pytest.approx(2 / 6)
    assert distinct["addresses"].value == 1
    assert distinct["operators"].value == 5
    without_keys = by_dimension(list(unseen(snapshot())), DISTINCT)
    assert without_keys["signing keys"].value is None
