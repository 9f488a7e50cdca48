"""Whether we were fit to judge a server while we tried it. Pure: `engine.canary` tells what happened, and when.

A server is called offline, and a directory cut short, only if, all through the try that decides it, our event loop kept
up (else its answer may have lain unread while the deadline passed) and our own network worked (else nobody could have
answered). The network's signs of life are everything that comes in from anybody: answers from name servers, connections
that are established, handshakes and bytes read over them. A silence between them longer than is allowed makes a try
worthless; so does a lag that is more than some share of the try's deadlines.

A machine or an uplink that is asked too much of need not show in either: answers come in, late, and our loop reads them
at once. It shows in those who did answer. When one in ten of them took longer than that same share of a deadline, the
deadline tells nothing of those who did not. What is looked at are handshakes and answers of name servers, for which a
server has nothing to think about.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice, pairwise

from crawler.config import Limits, Liveness
from crawler.errors import FailureKind, Phase
from crawler.model.discovery import Question, Step
from crawler.model.observation import Failed, Ok, ServerObservation
from crawler.model.schedule import Robots

KEPT = 20_000
"""Moments kept of each kind; older ones are forgotten first. At one in 50 ms that is longer than any visit."""

LAG_NOTED_S = 0.05
"""Shorter lags are no matter at any deadline."""

FEWEST = 5
"""Answers that are needed to tell whether they are slow as a whole."""

MANY = 2 * FEWEST
"""Tries that time out together, with nobody ever having answered: it may be our doing."""

WAIT_NOTED_S = 1.0
"""Whoever has not answered for so long counts with the wait so far."""

SLOW_SHARE = 0.1
"""Of the answers in some time: so many slow ones make them slow as a whole."""

OUT_OF_TIME = frozenset(
    {
        FailureKind.DNS_TIMEOUT,
        FailureKind.TCP_TIMEOUT,
        FailureKind.TLS_TIMEOUT,
        FailureKind.HTTP_TIMEOUT,
        FailureKind.TLS_HANDSHAKE,
        FailureKind.HTTP_CLOSED,
    }
)
"""What a lagging loop can bring about: deadlines that passed here, and peers that would not wait for us."""


class Sign(StrEnum):
    """How our network shows that it works."""

    DNS = "dns"
    """A name server answered."""
    CONNECTION = "connection"
    """Somebody took a connection. His system does that for him, so it says nothing of answers to come."""
    ANSWER = "answer"
    """Somebody shook hands, or said something."""


class Doubt(StrEnum):
    """Why a failure is not believed."""

    LAG = "lag"
    OUTAGE = "outage"
    STRAIN = "strain"
    """Those who did answer took so long that one who did not may only be slower."""


class Vigil:
    """What one process knows of its own fitness. Times are trio's, in seconds, and never run backwards.

    Args:
        started_at: when we began to watch; counts as a sign of life.
        blind: the signs that nobody can be made to give, so that their absence says nothing.
    """

    def __init__(self, started_at: float, blind: Iterable[Sign] = ()) -> None:
        self.blind = set(blind)
        self._lags: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._signs: dict[Sign, deque[float]] = {sign: deque([started_at], maxlen=KEPT) for sign in Sign}
        self._took: dict[Sign, deque[tuple[float, float]]] = {sign: deque(maxlen=KEPT) for sign in Sign}
        self._timed_out: deque[float] = deque(maxlen=KEPT)
        self.waiting: dict[Sign, list[float]] = {sign: [] for sign in Sign}
        """Since when we wait for those whom we have knocked at."""

    def lagged(self, at: float, lag_s: float) -> None:
        """The loop woke us at `at`, so much too late."""
        if lag_s >= LAG_NOTED_S:
            self._lags.append((at, lag_s))

    def heard(self, sign: Sign, at: float) -> None:
        """Something came in."""
        self._signs[sign].append(at)

    def took(self, sign: Sign, at: float, took_s: float) -> None:
        """Somebody answered, after so long; we learned of it at `at`."""
        self._took[sign].append((at, took_s))

    def timed_out(self, at: float) -> None:
        """A try ended without the answer that it waited for."""
        self._timed_out.append(at)

    def says_nothing(self, sign: Sign, since: float) -> bool:
        """Whether many tries went unanswered from `since` on, and nobody ever answered who could be held
        against them: a burst at the very beginning."""
        return len(self._took[sign]) < FEWEST and len(_newer(self._timed_out, since)) >= MANY

    def answers_s(self, sign: Sign, share: float, since: float, until: float) -> float | None:
        """How long at least that share of the answers took that we learned of from `since` to `until`, the slowest
        ones; None: they are too few to tell."""
        found = list(self._times_s(sign, since, until))
        if len(found) < FEWEST:
            return None
        found.sort(reverse=True)
        # Two at least: a single one is slow for reasons of its own.
        return found[max(1, math.ceil(len(found) * share) - 1)]

    def are_enough(self, sign: Sign, since: float, until: float) -> bool:
        """Whether so many answered from `since` to `until` that `answers_s` can tell."""
        return sum(1 for _ in islice(self._times_s(sign, since, until), FEWEST)) == FEWEST

    def _times_s(self, sign: Sign, since: float, until: float) -> Iterator[float]:
        # Of who has not answered yet, the wait so far is the least that it will take.
        yield from [until - at for at in self.waiting[sign] if since <= at <= until - WAIT_NOTED_S]
        for at, took_s in reversed(self._took[sign]):
            if at < since:
                return
            if at <= until:
                yield took_s

    def last_heard(self, sign: Sign) -> float:
        return self._signs[sign][-1]

    def worst_lag_s(self, since: float, until: float) -> float:
        """Of all lags that reach into the time from `since` to `until`."""
        worst = 0.0
        for at, lag_s in reversed(self._lags):
            if at < since:
                break
            if at - lag_s <= until:
                worst = max(worst, lag_s)
        return worst

    def longest_silence_s(self, sign: Sign, since: float, until: float) -> float:
        """Longest time within `since` and `until` in which nothing of that kind came in."""
        signs = self._signs[sign]
        inside = [at for at in _newer(signs, since) if at <= until]
        moments = [since, *inside, until]
        return max(later - earlier for earlier, later in pairwise(moments))


def _newer(moments: deque[float], since: float) -> list[float]:
    """The moments after `since`, oldest first; a deque is quick at its ends only, and `since` is near the newest."""
    found: list[float] = []
    for at in reversed(moments):
        if at <= since:
            break
        found.append(at)
    found.reverse()
    return found


def failures_on_the_way(seen: ServerObservation) -> Iterator[FailureKind]:
    """What failed before the server was known to federate, in the order of the visit: the steps of the resolution,
    also those that did not end it, then the connection, the version and the keys."""
    for step in seen.resolution.steps:
        if step.failure is not None:
            yield step.failure.kind
    if seen.resolution.failure is not None:
        yield seen.resolution.failure.kind
    for attempt in (seen.tcp, seen.tls, seen.version, seen.keys):
        if isinstance(attempt, Failed):
            yield attempt.failure.kind


def failures_of_reading(seen: ServerObservation, robots: Robots | None) -> Iterator[FailureKind]:
    """What failed of a server that federates on the way to the end of its directory: a directory that was cut short is
    no verdict on anybody, but the rooms and names in it are lost. What kept robots.txt from being had is not told
    apart; the most that we can have done to it is not to have waited long enough."""
    if robots is Robots.UNREACHABLE:
        yield FailureKind.HTTP_TIMEOUT
    if seen.directory.failure is not None:
        yield seen.directory.failure.kind


def doubt(
    vigil: Vigil, liveness: Liveness, limits: Limits, kinds: Iterable[FailureKind], since: float, until: float
) -> Doubt | None:
    """Why the failures of a try that lasted from `since` to `until` are not to be believed; None: they are.

    Args:
        limits: that the try had; their shortest deadline is what a lag is measured against.
        kinds: what failed.
    """
    transient = [kind for kind in kinds if kind.transient]
    if not transient:
        return None
    shortest_s = min(limits.dns_timeout_s, limits.connect_timeout_s, limits.request_timeout_s)
    ran_out = any(kind in OUT_OF_TIME for kind in transient)
    if ran_out and vigil.worst_lag_s(since, until) > liveness.lag_share * shortest_s:
        return Doubt.LAG
    asked = {_sign_of(kind) for kind in transient}
    timed = {Sign.DNS if sign is Sign.DNS else Sign.ANSWER for sign in asked}
    if ran_out and any(is_strained(vigil, sign, liveness.lag_share * shortest_s, since, until) for sign in timed):
        return Doubt.STRAIN
    if any(vigil.longest_silence_s(sign, since, until) > liveness.silence_s for sign in asked - vigil.blind):
        return Doubt.OUTAGE
    return None


def _sign_of(kind: FailureKind) -> Sign:
    """What would have come in, had it not failed."""
    return {Phase.DNS: Sign.DNS, Phase.TCP: Sign.CONNECTION}.get(kind.phase, Sign.ANSWER)


def is_strained(vigil: Vigil, sign: Sign, tolerated_s: float, since: float, until: float) -> bool:
    """Whether those who answered from `since` to `until` took too long, as a whole, for others to be called silent."""
    slow_s = vigil.answers_s(sign, SLOW_SHARE, since, until)
    return vigil.says_nothing(sign, since) if slow_s is None else slow_s > tolerated_s


def answer_times(seen: ServerObservation) -> Iterator[tuple[Sign, float]]:
    """How long handshake and name server took in a visit, where they answered."""
    if isinstance(seen.tls, Ok):
        tcp_s = seen.tcp.timings.total_s if isinstance(seen.tcp, Ok) else 0.0
        yield Sign.ANSWER, tcp_s + seen.tls.timings.total_s
    asked = (step.duration_s for step in seen.resolution.steps if _is_fresh_from_dns(step))
    slowest_s = max(asked, default=None)
    if slowest_s is not None:
        yield Sign.DNS, slowest_s


def _is_fresh_from_dns(step: Step) -> bool:
    # No time: the answer was known from another visit.
    is_of_dns = step.question in (Question.SRV, Question.ADDRESSES) and step.duration_s > 0
    return is_of_dns and step.failure is None and step.cached_at is None
