"""How often a server is tried before it is called offline."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.engine.task import Visit, Visited
from crawler.engine.tries import Tries
from crawler.engine.vigil import Doubt
from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Question, Step
from crawler.model.observation import Failed, ServerObservation
from crawler.model.schedule import Robots
from tests.engine.made import dead, online, server

SILENT = dead("a.test", FailureKind.DNS_TIMEOUT)
GONE = dead("a.test", FailureKind.DNS_NXDOMAIN)
ALIVE = online("a.test")


def first(seen: ServerObservation, doubt: Doubt | None = None) -> Visited:
    return Visited(Visit(server("a.test")), seen, "", doubt)


def later(tries: Tries, seen: ServerObservation, doubt: Doubt | None = None) -> Visited | None:
    task = tries.take()
    assert task == Visit(server("a.test"), hurried=False)
    return tries.ended(Visited(task, seen, "", doubt))


def after_a_step(seen: ServerObservation, question: Question, kind: FailureKind) -> ServerObservation:
    step = Step(question, "a.test", "", "", Failure(kind))
    return replace(seen, resolution=replace(seen.resolution, steps=(step,)))


@pytest.mark.parametrize(
    "seen",
    [
        ALIVE,
        GONE,
        dead("a.test", FailureKind.POLICY_ADDRESS),
        after_a_step(GONE, Question.WELL_KNOWN, FailureKind.HTTP_NOT_FOUND),
        after_a_step(ALIVE, Question.WELL_KNOWN, FailureKind.TCP_TIMEOUT),  # a firewall before the web port
    ],
)
def test_what_cannot_pass_is_settled_at_once_even_in_a_lag(seen: ServerObservation) -> None:
    tries = Tries(at_most=5, at_once=1)
    outcome = first(seen, Doubt.LAG)
    assert tries.ended(outcome) is outcome
    assert tries.pending == 0


@pytest.mark.parametrize(
    "seen",
    [
        SILENT,
        dead("a.test", FailureKind.DNS_SERVFAIL),
        after_a_step(GONE, Question.WELL_KNOWN, FailureKind.TCP_TIMEOUT),  # else a delegation may be missed
        after_a_step(ALIVE, Question.WELL_KNOWN, FailureKind.HTTP_TIMEOUT),
    ],
)
def test_what_may_pass_is_tried_again_with_patience_and_then_stands(seen: ServerObservation) -> None:
    tries = Tries(at_most=5, at_once=1)
    assert tries.ended(first(seen)) is None
    assert tries.pending == 1
    verdict = later(tries, seen)
    assert verdict is not None
    assert verdict.observation == seen
    assert (tries.pending, tries.again, tries.came_back) == (0, 1, 0)


def test_the_slow_are_not_lost() -> None:
    tries = Tries(at_most=5, at_once=1)
    assert tries.ended(first(SILENT)) is None
    verdict = later(tries, ALIVE)
    assert verdict is not None
    assert verdict.observation is ALIVE
    assert tries.came_back == 1


def test_the_try_that_came_furthest_is_kept() -> None:
    tries = Tries(at_most=5, at_once=1)
    half_way = replace(ALIVE, keys=Failed(Failure(FailureKind.HTTP_TIMEOUT)))
    assert tries.ended(first(half_way)) is None
    verdict = later(tries, SILENT)
    assert verdict is not None
    assert verdict.observation is half_way


def test_who_was_never_tried_fairly_is_not_called_offline() -> None:
    tries = Tries(at_most=4, at_once=1)
    assert tries.ended(first(SILENT)) is None
    for _ in range(3):
        assert later(tries, SILENT, Doubt.OUTAGE) is None
    assert tries.pending == 0
    assert tries.unjudged == {"a.test": Doubt.OUTAGE}
    assert tries.doubts == {Doubt.OUTAGE: 3}


CUT_SHORT = replace(ALIVE, directory=replace(ALIVE.directory, failure=Failure(FailureKind.HTTP_TIMEOUT)))


@pytest.mark.parametrize(("seen", "robots"), [(CUT_SHORT, None), (ALIVE, Robots.UNREACHABLE)])
def test_who_is_cut_short_while_we_are_not_fit_to_read_is_read_again(
    seen: ServerObservation, robots: Robots | None
) -> None:
    tries = Tries(at_most=3, at_once=1)
    assert tries.ended(replace(first(seen, Doubt.OUTAGE), robots=robots)) is None
    verdict = later(tries, ALIVE)
    assert verdict is not None
    assert verdict.observation is ALIVE
    # While we were fit it stands, and at last it stands anyhow: it does federate.
    assert tries.ended(replace(first(seen), robots=robots)) is not None
    assert tries.ended(replace(first(seen, Doubt.OUTAGE), robots=robots)) is None
    assert later(tries, SILENT, Doubt.OUTAGE) is None
    last = later(tries, SILENT, Doubt.OUTAGE)
    assert last is not None
    assert last.observation is seen
    assert (tries.pending, tries.unjudged) == (0, {})


def test_room_bounds_the_tries_under_way() -> None:
    tries = Tries(at_most=5, at_once=2)
    for n in range(3):
        name = f"s{n}.test"
        tries.ended(Visited(Visit(server(name)), dead(name, FailureKind.TCP_TIMEOUT), ""))
    taken = [tries.take(), tries.take(), tries.take()]
    assert [task is not None for task in taken] == [True, True, False]


def test_who_was_tried_unfairly_waits_until_we_are_fit_or_alone() -> None:
    tries = Tries(at_most=5, at_once=2)
    assert tries.ended(first(SILENT)) is None
    assert later(tries, SILENT, Doubt.STRAIN) is None
    tries.is_fit = False
    assert tries.take(alone=False) is None
    assert tries.pending == 1
    tries.is_fit = True
    verdict = later(tries, SILENT, Doubt.STRAIN)
    tries.is_fit = False
    assert verdict is None
    assert tries.take(alone=True) is not None


@given(st.lists(st.tuples(st.sampled_from([SILENT, GONE, ALIVE]), st.sampled_from([None, *Doubt])), min_size=6))
def test_every_server_ends_after_a_bounded_number_of_tries(
    course: list[tuple[ServerObservation, Doubt | None]],
) -> None:
    tries = Tries(at_most=5, at_once=1)
    outcome = tries.ended(first(*course[0]))
    used = 1
    while outcome is None and "a.test" not in tries.unjudged:
        outcome = later(tries, *course[used])
        used += 1
    assert used <= 5
    assert tries.pending == 0
    if outcome is not None and not outcome.observation.online and outcome.observation is SILENT:
        assert used >= 2
        assert course[used - 1][1] is None
