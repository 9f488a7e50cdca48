"""When a server is due, and what life is in it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.engine.schedule import DYING_FAILURES, DYING_FOR, LONGEST, after_visit, is_denied, is_due, is_resting
from crawler.engine.task import Visit, Visited
from crawler.errors import Failure, FailureKind
from crawler.model.observation import ServerObservation
from crawler.model.rooms import DirectoryResult, DirectoryState
from crawler.model.schedule import Life, ServerSchedule
from tests.engine.made import WHEN, dead, online, replaced

DAY = timedelta(days=1)


def visit(before: ServerSchedule | None, seen: ServerObservation, now: datetime) -> ServerSchedule:
    return after_visit(before, Visited(Visit(seen.server_name), seen, ""), now, 60.0)


def course(*days: int, alive_first: bool) -> ServerSchedule:
    """A server visited on these days, dead but for the first if so."""
    after: ServerSchedule | None = None
    for n, day in enumerate(days):
        seen = online("a.test") if alive_first and n == 0 else dead("a.test")
        after = visit(after, seen, WHEN + day * DAY)
    assert after is not None
    return after


def test_the_living_are_due_at_every_crawl() -> None:
    after = course(0, alive_first=True)
    assert (after.life, after.failures, after.online_at) == (Life.ALIVE, 0, WHEN)
    assert is_due(after, WHEN)


@pytest.mark.parametrize(
    ("days", "life"),
    [
        ((0, 1), Life.DYING),
        ((0, *range(1, 10)), Life.DYING),  # many failures, but online nine days ago
        ((0, 20, 40), Life.DYING),  # long ago, but few failures
        ((0, 11, 12, 13, 14, 15), Life.DEAD),
    ],
)
def test_who_was_online_dies_slowly(days: tuple[int, ...], life: Life) -> None:
    after = course(*days, alive_first=True)
    assert after.life is life
    assert is_due(after, after.tried_at) == (life is Life.DYING)
    back = visit(after, online("a.test"), after.tried_at + 90 * DAY)
    assert (back.life, back.failures) == (Life.ALIVE, 0)


def test_the_dead_are_looked_at_ever_less_often_and_never_forgotten() -> None:
    after = visit(None, dead("a.test"), WHEN)
    intervals = []
    for _ in range(40):
        intervals.append(after.due_at - after.tried_at)
        assert not is_due(after, after.due_at - timedelta(seconds=1))
        assert is_due(after, after.due_at)
        after = visit(after, dead("a.test"), after.due_at)
    for n, interval in enumerate(intervals):
        longest = min(2 ** min(n, 9) * DAY, LONGEST)
        assert 0.8 * longest <= interval <= longest
    assert after.life is Life.DEAD


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), min_size=1, max_size=30))
def test_life_is_what_its_definition_says(visits: list[tuple[bool, int]]) -> None:
    after, now = None, WHEN
    for is_online, days in visits:
        now += days * DAY
        after = visit(after, online("a.test") if is_online else dead("a.test"), now)
    assert after is not None
    failures = next((n for n, (is_online, _) in enumerate(reversed(visits)) if is_online), len(visits))
    was_online = failures < len(visits)
    since_online = sum(days for _, days in visits[len(visits) - failures :]) * DAY
    if failures == 0:
        expected = Life.ALIVE
    elif was_online and (failures < DYING_FAILURES or since_online < DYING_FOR):
        expected = Life.DYING
    else:
        expected = Life.DEAD
    assert (after.life, after.failures) == (expected, failures)
    assert after.due_at <= now + LONGEST


def test_a_closed_directory_is_left_alone_for_a_week() -> None:
    closed = replaced(online("a.test"), DirectoryResult(DirectoryState.DENIED))
    after = visit(None, closed, WHEN)
    assert is_denied(after, WHEN + 6.9 * DAY)
    assert not is_denied(after, WHEN + 7 * DAY)
    not_asked = replaced(online("a.test"), DirectoryResult(DirectoryState.SKIPPED))
    assert visit(after, not_asked, WHEN + DAY).denied_until == after.denied_until
    assert visit(after, online("a.test"), WHEN + 8 * DAY).denied_until is None


@pytest.mark.parametrize(("retry_after_s", "rests_s"), [(None, 0), (60.0, 0), (3600.0, 3600), (1e9, 7 * 24 * 3600)])
def test_who_asks_for_a_rest_has_it_across_crawls(retry_after_s: float | None, rests_s: float) -> None:
    limited = Failure(FailureKind.HTTP_RATE_LIMITED, http_status=429, retry_after_s=retry_after_s)
    seen = replaced(online("a.test"), DirectoryResult(DirectoryState.RATE_LIMITED, failure=limited))
    after = visit(None, seen, WHEN)
    assert is_resting(after, WHEN + timedelta(seconds=rests_s - 1)) == (rests_s > 0)
    assert not is_resting(after, WHEN + timedelta(seconds=rests_s))
