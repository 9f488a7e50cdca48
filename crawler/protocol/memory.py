"""Answers that may be used again instead of asking, until they expire: within a crawl and, through the store, between
crawls.

How long each kind may be kept is the specifications' word, capped:

    .well-known   as `wellknown.cache_lifetime_s` reads its headers; an invalid one for an hour ("Server discovery", 3)
    DNS records   their TTL, at most a day. RFC 2181, 8, allows a week and more; but a census is taken daily, and must
                  see by the next day that a server moved. Resolvers commonly stop at a day too.
    DNS absences  the SOA's word (RFC 2308, 5), at most three hours, which that section recommends; without SOA never

What may be our own doing or over in a minute (time-outs, refusals, resets, overload, a spent budget) is not kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.model.discovery import Question
from crawler.protocol import wellknown
from crawler.protocol.questions import (
    AddressAnswer,
    Answer,
    Ask,
    AskAddresses,
    AskSrv,
    AskWellKnown,
    Kept,
    SrvAnswer,
    WellKnownAnswer,
)

MAX_TTL_S = 24 * 3600.0
MAX_ABSENCE_S = 3 * 3600.0
MAX_ANSWERS = 100_000
"""Kept at most; the oldest go first."""
MAX_CHARACTERS = 2048
"""Of one answer that is kept; longer ones are asked for again. A delegation has a hundred."""

_ABSENT = frozenset({FailureKind.DNS_NXDOMAIN, FailureKind.DNS_NODATA})


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """An answer and its time. `subject` is the host or owner name, in lower case as DNS compares them."""

    question: Question
    subject: str
    answer: Answer
    heard_at: datetime
    expires_at: datetime


class Memory:
    """What is known. One task's turn at a time; hand what is new to the store with `take_new`.

    Args:
        max_answers: bound on all of them.
    """

    def __init__(self, max_answers: int = MAX_ANSWERS) -> None:
        self._max_answers = max_answers
        self._known: dict[tuple[Question, str], RememberedAnswer] = {}
        self._new: dict[tuple[Question, str], RememberedAnswer] = {}

    def learn(self, remembered: Iterable[RememberedAnswer]) -> None:
        """Take over answers of earlier crawls."""
        for answer in remembered:
            self._put(answer)

    def heard(self, remembered: Iterable[RememberedAnswer]) -> None:
        """Take over what another process of this crawl heard; new to the store, too."""
        for answer in remembered:
            self._put(answer)
            self._new[answer.question, answer.subject] = answer

    def answers(self) -> tuple[RememberedAnswer, ...]:
        """All that is known, for another process to learn."""
        return tuple(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def recall(self, ask: Ask, now: datetime) -> Answer | None:
        """The answer to `ask` if one is known that has not expired."""
        known = self._known.get(_key(ask))
        if known is None:
            return None
        left_s = (known.expires_at - now).total_seconds()
        if left_s <= 0:
            del self._known[_key(ask)]
            return None
        return replace(known.answer, kept=Kept(known.heard_at, left_s), duration_s=0.0)

    def keep(self, ask: Ask, answer: Answer, now: datetime) -> None:
        """Keep what was heard at `now`, if and as long as it may be."""
        for_s = lifetime_s(answer)
        answer = _bare(answer)
        if for_s <= 0 or _characters(answer) > MAX_CHARACTERS:
            return
        remembered = RememberedAnswer(*_key(ask), answer, now, now + timedelta(seconds=for_s))
        self._put(remembered)
        self._new[_key(ask)] = remembered

    def take_new(self) -> list[RememberedAnswer]:
        """What was kept since this was last asked."""
        new = list(self._new.values())
        self._new.clear()
        return new

    def _put(self, remembered: RememberedAnswer) -> None:
        key = (remembered.question, remembered.subject)
        self._known.pop(key, None)
        while len(self._known) >= self._max_answers:
            del self._known[next(iter(self._known))]
        self._known[key] = remembered


def lifetime_s(answer: Answer) -> float:
    """Seconds for which `answer` may be used from when it was heard; 0: not at all."""
    match answer:
        case WellKnownAnswer():
            return _well_known_lifetime_s(answer)
        case SrvAnswer(failure=failure, ttl_s=ttl_s):
            return _dns_lifetime_s(failure, ttl_s)
        case AddressAnswer(failure=failure, ttl_s=ttl_s, other_failure=other):
            return _dns_lifetime_s(failure or other, ttl_s)
        case _:
            assert_never(answer)


def _well_known_lifetime_s(answer: WellKnownAnswer) -> float:
    try:
        wellknown.judge(answer)
    except ProtocolError as error:
        kind = error.failure.kind
        passing = kind.transient or kind is FailureKind.POLICY_BUDGET
        return 0.0 if passing else wellknown.cache_lifetime_s(answer, valid=False)
    return wellknown.cache_lifetime_s(answer, valid=True)


def _dns_lifetime_s(failure: Failure | None, ttl_s: int | None) -> float:
    if ttl_s is None or (failure is not None and failure.kind not in _ABSENT):
        return 0.0
    return min(float(ttl_s), MAX_TTL_S if failure is None else MAX_ABSENCE_S)


def _key(ask: Ask) -> tuple[Question, str]:
    match ask:
        case AskWellKnown(host):
            return Question.WELL_KNOWN, host.lower()
        case AskSrv(owner):
            return Question.SRV, owner.lower()
        case AskAddresses(host):
            return Question.ADDRESSES, host.lower()
        case _:
            assert_never(ask)


def _bare(answer: Answer) -> Answer:
    """Without what no later judgement looks at: the body of an error page, how long it took."""
    if isinstance(answer, WellKnownAnswer) and answer.status != 200:
        return replace(answer, body=b"", duration_s=0.0)
    return replace(answer, duration_s=0.0)


def _characters(answer: Answer) -> int:
    match answer:
        case WellKnownAnswer():
            headers = (answer.content_type, answer.cache_control, answer.expires, answer.date)
            texts = [*answer.redirects, *(header or "" for header in headers)]
            return len(answer.body) + sum(map(len, texts))
        case SrvAnswer(records):
            return sum(len(record.target) + 20 for record in records)
        case AddressAnswer(addresses):
            return sum(map(len, addresses))
        case _:
            assert_never(answer)
