"""How long answers may be used again: the specification's and the RFCs' words, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Question, SrvRecord
from crawler.protocol.memory import MAX_CHARACTERS, Memory, lifetime_s
from crawler.protocol.questions import (
    AddressAnswer,
    Answer,
    AskAddresses,
    AskSrv,
    AskWellKnown,
    Kept,
    SrvAnswer,
    WellKnownAnswer,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR_S, DAY_S = 3600, 86400
VALID = WellKnownAnswer(200, b'{"m.server": "d.example:443"}')
RECORD = SrvRecord(10, 5, 8448, "t.example")


def failed(kind: FailureKind) -> Failure:
    return Failure(kind)


LIFETIMES = [
    pytest.param(VALID, DAY_S, id="no header: a day"),
    pytest.param(replace(VALID, cache_control="max-age=600"), 600, id="max-age"),
    pytest.param(replace(VALID, cache_control="max-age=999999"), 2 * DAY_S, id="at most two days"),
    pytest.param(replace(VALID, cache_control="no-store"), 0, id="no-store"),
    pytest.param(WellKnownAnswer(404), HOUR_S, id="404: an hour"),
    pytest.param(WellKnownAnswer(404, cache_control="max-age=86400"), HOUR_S, id="an error for no more than an hour"),
    pytest.param(WellKnownAnswer(200, b"<html>"), HOUR_S, id="no JSON: an hour"),
    pytest.param(WellKnownAnswer(failure=failed(FailureKind.TLS_EXPIRED)), HOUR_S, id="a bad certificate: an hour"),
    pytest.param(WellKnownAnswer(503), 0, id="overload passes"),
    pytest.param(WellKnownAnswer(429), 0, id="so does a rate limit"),
    pytest.param(WellKnownAnswer(failure=failed(FailureKind.TCP_TIMEOUT)), 0, id="a time-out may be ours"),
    pytest.param(WellKnownAnswer(failure=failed(FailureKind.POLICY_BUDGET)), 0, id="a spent budget is ours"),
    pytest.param(SrvAnswer((RECORD,), 300), 300, id="TTL"),
    pytest.param(SrvAnswer((RECORD,), 7 * DAY_S), DAY_S, id="TTL of a week: a day"),
    pytest.param(SrvAnswer((RECORD,), 0), 0, id="TTL 0"),
    pytest.param(SrvAnswer((RECORD,)), 0, id="no TTL"),
    pytest.param(SrvAnswer(failure=failed(FailureKind.DNS_NXDOMAIN), ttl_s=900), 900, id="absence as the SOA says"),
    pytest.param(SrvAnswer(failure=failed(FailureKind.DNS_NODATA), ttl_s=DAY_S), 3 * HOUR_S, id="at most three hours"),
    pytest.param(SrvAnswer(failure=failed(FailureKind.DNS_NXDOMAIN)), 0, id="absence without SOA"),
    pytest.param(SrvAnswer(failure=failed(FailureKind.DNS_SERVFAIL), ttl_s=900), 0, id="no answer at all"),
    pytest.param(AddressAnswer(("192.0.2.1",), 60), 60, id="addresses"),
    pytest.param(
        AddressAnswer(("192.0.2.1",), 60, other_failure=failed(FailureKind.DNS_SERVFAIL)), 0, id="half an answer"
    ),
]


@pytest.mark.parametrize(("answer", "seconds"), LIFETIMES)
def test_lifetimes(answer: Answer, seconds: float) -> None:
    assert lifetime_s(answer) == seconds


def test_an_answer_is_used_until_it_expires_and_says_so() -> None:
    memory = Memory()
    memory.keep(AskSrv("_matrix-fed._tcp.Example.org"), SrvAnswer((RECORD,), 300, duration_s=0.5), NOW)
    later = NOW + timedelta(seconds=299)
    assert memory.recall(AskSrv("_MATRIX-fed._tcp.example.org"), later) == SrvAnswer(
        (RECORD,), 300, kept=Kept(NOW, 1.0)
    )
    assert memory.recall(AskSrv("_matrix-fed._tcp.example.org"), NOW + timedelta(seconds=300)) is None
    assert len(memory) == 0


def test_questions_of_different_kinds_are_different() -> None:
    memory = Memory()
    memory.keep(AskWellKnown("example.org"), VALID, NOW)
    assert memory.recall(AskAddresses("example.org"), NOW) is None
    assert memory.recall(AskWellKnown("other.example"), NOW) is None
    assert isinstance(memory.recall(AskWellKnown("EXAMPLE.org"), NOW), WellKnownAnswer)


def test_what_is_new_is_handed_over_once_and_what_was_learnt_is_not_new() -> None:
    memory = Memory()
    memory.keep(AskWellKnown("example.org"), VALID, NOW)
    (new,) = memory.take_new()
    assert (new.question, new.subject, new.answer) == (Question.WELL_KNOWN, "example.org", VALID)
    assert new.expires_at - new.heard_at == timedelta(days=1)
    assert memory.take_new() == []
    other = Memory()
    other.learn([new])
    assert other.take_new() == []
    assert other.recall(AskWellKnown("example.org"), NOW) is not None


def test_error_pages_are_kept_without_their_body_and_long_documents_not_at_all() -> None:
    memory = Memory()
    memory.keep(AskWellKnown("a.example"), WellKnownAnswer(404, b"x" * 50_000), NOW)
    memory.keep(AskWellKnown("b.example"), replace(VALID, body=VALID.body + b" " * MAX_CHARACTERS), NOW)
    memory.keep(AskWellKnown("c.example"), replace(VALID, redirects=("https://c.example/" + "x" * 2100,)), NOW)
    assert memory.recall(AskWellKnown("a.example"), NOW) == WellKnownAnswer(404, kept=Kept(NOW, 3600.0))
    assert len(memory) == 1


def test_it_is_bounded_and_the_oldest_go_first() -> None:
    memory = Memory(max_answers=3)
    for number in range(5):
        memory.keep(AskAddresses(f"h{number}.example"), AddressAnswer(("192.0.2.1",), 60), NOW)
    assert [memory.recall(AskAddresses(f"h{n}.example"), NOW) is not None for n in range(5)] == [False] * 2 + [True] * 3
