"""Whether we were fit to judge: lags and silences over any stretch of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Limits, Liveness
from crawler.engine.vigil import Doubt, Sign, Vigil, doubt
from crawler.errors import FailureKind

MOMENTS = st.lists(st.integers(0, 100).map(float), min_size=1, max_size=30).map(sorted)


@given(MOMENTS, st.integers(0, 100), st.integers(0, 50))
def test_the_longest_silence_is_that_between_neighbours(moments: list[float], since: int, length: int) -> None:
    vigil = Vigil(0.0)
    for at in moments:
        vigil.heard(Sign.DNS, at)
    until = float(since + length)
    quiet = [
        end - start
        for start in range(since, since + length + 1)
        for end in range(start, since + length + 1)
        if not any(start < at < end for at in moments)
    ]
    assert vigil.longest_silence_s(Sign.DNS, float(since), until) == max(quiet)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 20)), max_size=20), st.integers(0, 100))
def test_the_worst_lag_is_the_longest_that_reaches_into_the_time(lags: list[tuple[int, int]], since: int) -> None:
    vigil = Vigil(0.0)
    for at, lag in sorted(lags):
        vigil.lagged(float(at), float(lag))
    until = since + 10
    expected = max((lag for at, lag in lags if at >= since and at - lag <= until), default=0)
    assert vigil.worst_lag_s(float(since), float(until)) == expected


def fit(**signs_every_s: float) -> Vigil:
    vigil = Vigil(0.0)
    for sign in Sign:
        every_s = signs_every_s.get(sign.value, 1.0)
        for n in range(int(100 / every_s)):
            vigil.heard(sign, n * every_s)
    return vigil


@pytest.mark.parametrize(
    ("kind", "silent", "expected"),
    [
        (FailureKind.DNS_TIMEOUT, "dns", Doubt.OUTAGE),
        (FailureKind.DNS_TIMEOUT, "connection", None),
        (FailureKind.TCP_TIMEOUT, "connection", Doubt.OUTAGE),
        (FailureKind.TLS_TIMEOUT, "answer", Doubt.OUTAGE),
        (FailureKind.HTTP_TIMEOUT, "answer", Doubt.OUTAGE),
        # Connections may still be taken where nobody answers any more: by the systems of those who are stuck.
        (FailureKind.TLS_TIMEOUT, "connection", None),
        (FailureKind.TCP_TIMEOUT, "answer", None),
        (FailureKind.TCP_UNREACHABLE, "connection", Doubt.OUTAGE),
        (FailureKind.TCP_TIMEOUT, "dns", None),
        (FailureKind.DNS_NXDOMAIN, "dns", None),
        (FailureKind.TLS_EXPIRED, "connection", None),
    ],
)
def test_what_may_pass_is_doubted_while_its_own_way_was_silent(
    kind: FailureKind, silent: str, expected: Doubt | None
) -> None:
    vigil = fit(**{silent: 20.0})
    assert doubt(vigil, Liveness(), Limits(), [kind], 30.0, 50.0) is expected
    vigil.blind.update(Sign)  # nobody to knock at: a silence says nothing
    assert doubt(vigil, Liveness(), Limits(), [kind], 30.0, 50.0) is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FailureKind.DNS_TIMEOUT, Doubt.LAG),
        (FailureKind.HTTP_CLOSED, Doubt.LAG),
        (FailureKind.TCP_REFUSED, None),
        (FailureKind.DNS_NXDOMAIN, None),
    ],
)
def test_what_a_late_loop_can_bring_about_is_doubted(kind: FailureKind, expected: Doubt | None) -> None:
    vigil = fit()
    vigil.lagged(40.0, 3.0)  # more than a quarter of ten seconds
    assert doubt(vigil, Liveness(), Limits(), [kind], 30.0, 50.0) is expected
    assert doubt(vigil, Liveness(), Limits(), [kind], 41.0, 50.0) is None
    patient = Limits(dns_timeout_s=30.0, connect_timeout_s=30.0, request_timeout_s=30.0)
    assert doubt(vigil, Liveness(), patient, [kind], 30.0, 50.0) is None


@pytest.mark.parametrize(
    ("took_s", "kind", "expected"),
    [
        # A tenth of those who answered took more than a quarter of ten seconds.
        ([0.1] * 16 + [2.6] * 2, FailureKind.TLS_TIMEOUT, Doubt.STRAIN),
        ([0.1] * 16 + [2.4] * 2, FailureKind.TLS_TIMEOUT, None),
        ([0.1] * 8 + [9.0], FailureKind.TLS_TIMEOUT, None),  # one may have reasons of its own
        ([9.0] * 4, FailureKind.TLS_TIMEOUT, None),  # too few to tell
        ([9.0] * 9, FailureKind.DNS_TIMEOUT, None),  # handshakes tell nothing of name servers
        ([9.0] * 9, FailureKind.TCP_REFUSED, None),
    ],
)
def test_where_those_who_answer_are_slow_the_silent_may_only_be_slower(
    took_s: list[float], kind: FailureKind, expected: Doubt | None
) -> None:
    vigil = fit()
    for at, each_s in enumerate(took_s):
        vigil.took(Sign.ANSWER, 31.0 + at, each_s)
    assert doubt(vigil, Liveness(), Limits(), [kind], 30.0, 50.0) is expected
    assert doubt(vigil, Liveness(), Limits(), [kind], 50.0, 90.0) is None  # it is over by then


def test_a_burst_in_which_nobody_ever_answered_blames_nobody() -> None:
    vigil = fit()
    for n in range(10):
        assert doubt(vigil, Liveness(), Limits(), [FailureKind.TLS_TIMEOUT], 30.0, 50.0) is None
        vigil.timed_out(40.0 + n)
    assert doubt(vigil, Liveness(), Limits(), [FailureKind.TLS_TIMEOUT], 30.0, 50.0) is Doubt.STRAIN
    for _ in range(5):
        vigil.took(Sign.ANSWER, 45.0, 0.1)
    assert doubt(vigil, Liveness(), Limits(), [FailureKind.TLS_TIMEOUT], 30.0, 50.0) is None


def test_who_keeps_us_waiting_counts_with_the_wait_so_far() -> None:
    vigil = fit()
    for _ in range(5):
        vigil.took(Sign.ANSWER, 45.0, 0.1)
    vigil.waiting[Sign.ANSWER] += [40.0, 42.0, 49.5]
    assert vigil.answers_s(Sign.ANSWER, 0.1, 30.0, 50.0) == 8.0  # the second slowest: 10 s and 8 s so far
    assert doubt(vigil, Liveness(), Limits(), [FailureKind.TLS_TIMEOUT], 30.0, 50.0) is Doubt.STRAIN
