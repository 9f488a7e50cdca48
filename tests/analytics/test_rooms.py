"""Rooms, memberships and directories, against sums made by hand from `tests.analytics.frames`."""

from analytics.estimate import IntervalKind
from analytics.rooms import rooms
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot
from tests.analytics.frames import empty_snapshot, listed_rooms, observations, snapshot

ANSWERED = 3 / 6
"""Directories of a, b and h answered, of six online servers."""


def row(metric: str, dimension: str, of: Snapshot) -> MetricRow:
    return next(row for row in rooms(of) if (row.metric, row.dimension) == (metric, dimension))


def test_rooms_are_room_ids_and_spaces_are_not_rooms() -> None:
    assert row("rooms", "room", snapshot()).value == 4
    assert row("rooms", "space", snapshot()).value == 1


def test_rooms_say_the_share_of_directories_that_answered() -> None:
    counted = row("rooms", "room", snapshot())
    assert (counted.n, counted.coverage, counted.lo, counted.hi) == (3, ANSWERED, 4, None)


def test_memberships_sum_the_medians_with_bounds_from_the_extremes() -> None:
    counted = row("memberships", "all", snapshot())
    assert counted.value == 118.5  # 100 + 7 + 11.5; the space is no room, the unsaid is not zero
    assert (counted.lo, counted.hi) == (107, 140)  # 90 + 7 + 10 and 120 + 7 + 13
    assert (counted.interval_kind, counted.grade) == (IntervalKind.BOUNDS, Grade.ESTIMATED)
    assert (counted.n, counted.coverage) == (3, ANSWERED)


def test_memberships_beyond_32_bits_do_not_wrap_around() -> None:
    giants = listed_rooms(tuple((f"!{i}:x", 1, 2e9, 2_000_000_000, 2_000_000_000, None) for i in range(5)))
    counted = row("memberships", "all", snapshot(rooms=giants))
    assert (counted.lo, counted.value, counted.hi) == (1e10, 1e10, 1e10)


def test_the_largest_room_has_the_largest_median() -> None:
    largest = row("largest_room_members", "!big:a.example", snapshot())
    assert (largest.value, largest.lo, largest.hi, largest.n) == (100, 90, 120, 3)


def test_directories_by_state_sum_to_the_online_servers() -> None:
    states = {row.dimension: row for row in rooms(snapshot()) if row.metric == "directories"}
    assert {state: counted.value for state, counted in states.items()} == {
        "open": 2,
        "open_empty": 1,
        "denied": 1,
        "skipped": 1,
        "timeout": 1,
    }
    assert {counted.coverage for counted in states.values()} == {5 / 6}


def test_no_directory_answered_is_not_zero_rooms() -> None:
    closed = observations((("x.example", "federating", True, False, "synapse", "1", "denied"),))
    of = snapshot(observations=closed, rooms=listed_rooms(()))
    assert row("rooms", "room", of).value is None
    assert row("memberships", "all", of).value is None
    assert row("memberships", "all", of).coverage == 0


def test_empty_directories_are_zero_rooms() -> None:
    empty = observations((("x.example", "federating", True, True, "synapse", "1", "open_empty"),))
    of = snapshot(observations=empty, rooms=listed_rooms(()))
    assert row("rooms", "room", of).value == 0
    assert row("memberships", "all", of).value == 0
    assert not [row for row in rooms(of) if row.metric == "largest_room_members"]


def test_rooms_that_do_not_say_their_members_have_no_memberships() -> None:
    of = snapshot(rooms=listed_rooms((("!unsaid:a.example", 1, None, None, None, None),)))
    assert row("rooms", "room", of).value == 1
    assert row("memberships", "all", of).value is None


def test_an_empty_crawl_knows_nothing() -> None:
    assert all(row.value is None and row.coverage is None for row in rooms(empty_snapshot()))
