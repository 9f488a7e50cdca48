"""Whether we were fit to judge a server while we tried it. Pure: `engine.canary` tells what happened, and when.

A server is called offline, and a directory cut short, only if, all through the try that decides it, our event loop kept
up (else its answer may have lain unread while the deadline passed) and our own network worked (else nobody could have
answered). The network's signs of life are everything that comes in from anybody: answers from name servers, connections
that are established, bytes read over them. A silence between them longer than is allowed makes a try worthless; so does
a lag that is more than some share of the try's deadlines.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import pairwise

from crawler.config import Limits, Liveness
from crawler.errors import FailureKind, Phase
from crawler.model.observation import Failed, ServerObservation
from crawler.model.schedule import Robots

KEPT = 20_000
"""Moments kept of each kind; older ones are forgotten first. At one in 50 ms that is longer than any visit."""

LAG_NOTED_S = 0.05
"""Shorter lags are no matter at any deadline."""

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
    CONNECTION = "connection"


class Doubt(StrEnum):
    """Why a failure is not believed."""

    LAG = "lag"
    OUTAGE = "outage"


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

    def lagged(self, at: float, lag_s: float) -> None:
        """The loop woke us at `at`, so much too late."""
        if lag_s >= LAG_NOTED_S:
            self._lags.append((at, lag_s))

    def heard(self, sign: Sign, at: float) -> None:
        """Something came in."""
        self._signs[sign].append(at)

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
    asked = {Sign.DNS if kind.phase is Phase.DNS else Sign.CONNECTION for kind in transient} - vigil.blind
    if any(vigil.longest_silence_s(sign, since, until) > liveness.silence_s for sign in asked):
        return Doubt.OUTAGE
    return None
