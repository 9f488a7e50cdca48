"""The funnel, against counts made by hand from `tests.analytics.frames`."""

import pytest

from analytics.estimate import IntervalKind
from analytics.funnel import MEANING, Predicate, funnel
from tests.analytics.frames import SERVERS, empty_snapshot, observations, snapshot

BY_HAND = {
    "known": 10,  # a to j
    "resolves": 7,  # all visited but g
    "reachable": 7,
    "secure": 6,  # f's certificate failed
    "online": 6,
    "federating": 5,  # not d
    "accepting": 3,  # a, e, h; b refused, c was not asked
    "listing": 3,  # a, b (open and empty), h
}


@pytest.mark.parametrize("predicate", list(Predicate))
def test_counts_each_predicate(predicate: Predicate) -> None:
    rows = {row.dimension: row for row in funnel(snapshot())}
    assert rows[predicate].value == BY_HAND[predicate]
    assert rows[predicate].unit == "servers"


def test_stands_in_the_order_of_the_funnel() -> None:
    assert [row.dimension for row in funnel(snapshot())] == list(Predicate) == list(MEANING)


def test_every_count_is_a_lower_bound() -> None:
    for row in funnel(snapshot()):
        assert (row.interval_kind, row.lo, row.hi) == (IntervalKind.BOUNDS, row.value, None)


def test_says_how_many_were_visited_of_those_known() -> None:
    online = next(row for row in funnel(snapshot()) if row.dimension == "online")
    assert (online.n, online.coverage) == (8, 0.8)
    assert online.denominator == "servers visited"


def test_accepting_rests_on_those_that_could_be_asked() -> None:
    accepting = next(row for row in funnel(snapshot()) if row.dimension == "accepting")
    assert (accepting.n, accepting.coverage) == (4, 0.8)  # a, b, e, h of the five federating


def test_accepting_is_not_known_without_an_identity() -> None:
    unsigned = observations(tuple((*server[:2], None, *server[3:]) for server in SERVERS))
    accepting = next(
        row for row in funnel(snapshot(signed=False, observations=unsigned)) if row.dimension == "accepting"
    )
    assert accepting.value is None
    assert (accepting.lo, accepting.hi, accepting.interval_kind) == (None, None, IntervalKind.NONE)
    assert "identity" in accepting.method


def test_an_empty_crawl_gives_zeros_without_coverage() -> None:
    rows = list(funnel(empty_snapshot()))
    assert [row.value for row in rows] == [0] * len(Predicate)
    assert all(row.coverage is None for row in rows)


def test_synthetic_travels_with_every_row() -> None:
    assert all(row.synthetic for row in funnel(snapshot(synthetic=True)))
    assert not any(row.synthetic for row in funnel(snapshot(synthetic=False)))
