"""Which crawl is due when, by a clock in the test's hand."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from crawler.engine.cadence import Cadence, Kind
from crawler.model.crawl import CrawlScope

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FULL = Kind(CrawlScope.FULL, 24 * HOUR)
LIMITED = Kind(CrawlScope.LIMITED, 6 * HOUR, 500)


def cadence(last: dict[CrawlScope, datetime], jitter: timedelta = timedelta()) -> Cadence:
    return Cadence((FULL, LIMITED), jitter, last, NOON, random.Random(1))


def test_the_first_census_begins_at_once_and_the_next_an_interval_after_its_slot() -> None:
    watch = cadence({})
    assert watch.next() == (FULL, NOON)
    watch.begins(FULL, NOON)
    assert watch.let_go(FULL, NOON + HOUR) == 1  # the limited one that was due at noon as well
    assert watch.starts() == {FULL: NOON + 24 * HOUR, LIMITED: NOON + 6 * HOUR}
    assert watch.next() == (LIMITED, NOON + 6 * HOUR)


def test_a_restart_crawls_nobody_twice() -> None:
    watch = cadence({CrawlScope.FULL: NOON - 20 * HOUR, CrawlScope.LIMITED: NOON - 2 * HOUR})
    assert watch.starts() == {FULL: NOON + 4 * HOUR, LIMITED: NOON + 4 * HOUR}
    assert watch.next()[0] is FULL  # of two at the same time the more important
    overdue = cadence({CrawlScope.FULL: NOON - 100 * HOUR, CrawlScope.LIMITED: NOON})
    assert overdue.next() == (FULL, NOON)


def test_slots_that_pass_during_a_long_crawl_are_let_go() -> None:
    watch = cadence({CrawlScope.LIMITED: NOON})
    watch.begins(FULL, NOON)
    assert watch.let_go(FULL, NOON + 49 * HOUR) == 2 + 8
    assert watch.starts() == {FULL: NOON + 72 * HOUR, LIMITED: NOON + 54 * HOUR}


def test_a_census_is_only_late_when_a_limited_crawl_was_running() -> None:
    watch = cadence({CrawlScope.FULL: NOON - 23 * HOUR})
    assert watch.next() == (LIMITED, NOON)
    watch.begins(LIMITED, NOON)
    ended = NOON + 2 * HOUR
    assert watch.let_go(LIMITED, ended) == 0
    assert watch.next() == (FULL, ended)
    watch.begins(FULL, ended)
    assert watch.starts()[FULL] == NOON + 25 * HOUR


def test_a_crawl_that_begins_before_its_slot_does_not_use_it_up() -> None:
    watch = cadence({CrawlScope.FULL: NOON - 20 * HOUR, CrawlScope.LIMITED: NOON})
    watch.begins(FULL, NOON)  # an interrupted one is gone on with
    assert watch.let_go(FULL, NOON + HOUR) == 0
    assert watch.starts()[FULL] == NOON + 4 * HOUR


@pytest.mark.parametrize("seed", range(20))
def test_the_jitter_delays_and_never_moves_the_grid(seed: int) -> None:
    watch = Cadence((FULL,), HOUR, {CrawlScope.FULL: NOON}, NOON, random.Random(seed))
    for day in range(1, 4):
        _, start = watch.next()
        slot = NOON + day * 24 * HOUR
        assert slot <= start <= slot + HOUR
        watch.begins(FULL, start)
        watch.let_go(FULL, start + HOUR)
