"""How often one server is tried in one crawl before it is called offline. Pure: owned by the one loop.

The first try has short deadlines, so that the dead cost little. Whoever timed out, refused, or failed in another way
that may pass gets a second try with long deadlines, as soon as there is room for it, so that the slow are not lost. A
failure of the second try stands, unless we were not fit to judge (`engine.vigil`); then it is tried again, and whoever
was never tried fairly is left to a later crawl rather than called offline. So is whoever federates and was cut short
while it was read, for then names are lost that nobody else may tell.
"""

from collections import Counter, deque
from dataclasses import replace

from crawler.engine.task import Visit, Visited
from crawler.engine.vigil import Doubt, failures_of_reading, failures_on_the_way
from crawler.errors import FailureKind
from crawler.model.discovery import Question
from crawler.model.observation import ServerObservation

SLOW_ANSWER = frozenset({FailureKind.TLS_TIMEOUT, FailureKind.HTTP_TIMEOUT})
"""Somebody is there and was not waited for. (A connect that times out is most often a firewall.)"""

IN_PASSING = frozenset({FailureKind.DNS_TIMEOUT, FailureKind.DNS_SERVFAIL, FailureKind.TCP_TIMEOUT, *SLOW_ANSWER})
"""Failures in a step of the resolution after which the resolution may have gone on to a wrong place."""


class Tries:
    """Servers that are tried again.

    Args:
        at_most: tries of one server.
        at_once: second tries under way at the same time.
    """

    def __init__(self, *, at_most: int, at_once: int) -> None:
        self._at_most = at_most
        self.at_once = at_once
        self.is_fit = True
        """Whether we would believe a failure now: who was tried unfairly is not tried again before."""
        self._waiting: deque[Visit] = deque()
        self._doubted: deque[Visit] = deque()
        self._best: dict[str, tuple[int, Visited]] = {}
        self.active = 0
        self.again = 0
        """Tries after the first."""
        self.came_back = 0
        """Servers that failed at the first try and were online at a later one."""
        self.doubts: Counter[Doubt] = Counter()
        self.unjudged: dict[str, Doubt] = {}
        """Names never tried fairly, and why the last try was not."""

    @property
    def pending(self) -> int:
        """Servers whose verdict is open."""
        return len(self._waiting) + len(self._doubted) + self.active

    def take(self, *, alone: bool = True) -> Visit | None:
        """The next try to start, if there is one and room for it.

        Args:
            alone: no first try is under way.
        """
        if self.active >= self.at_once:
            return None
        # With no first try under way we are as fit as we can be.
        ripe = self._waiting or (self._doubted if self.is_fit or alone else None)
        if not ripe:
            return None
        self.active += 1
        self.again += 1
        return replace(ripe.popleft(), hurried=False)

    def ended(self, visited: Visited) -> Visited | None:
        """A try ended.

        Returns:
            What is to be recorded of the server; None when it is tried again, or was never tried fairly.
        """
        task = visited.task
        key = task.server.key
        tries_before, best = self._best.pop(key, (0, None))
        if not task.hurried:
            self.active -= 1
        tries = tries_before + 1
        better = visited if best is None or came_as_far(visited.observation, best.observation) else best
        if not is_unsettled(visited.observation) and not is_cut_short(visited):
            verdict: Visited | None = better
        elif task.hurried:
            verdict = None
        elif visited.doubt is None:
            verdict = better
        else:
            self.doubts[visited.doubt] += 1
            verdict = None
            if tries >= self._at_most and better.observation.federating:
                verdict = better
            elif tries >= self._at_most:
                self.unjudged[key] = visited.doubt
                return None
        if verdict is None:
            self._best[key] = tries, better
            (self._waiting if task.hurried else self._doubted).append(task)
        elif tries_before and best is not None and verdict.observation.online and not best.observation.online:
            self.came_back += 1
        return verdict


def is_unsettled(seen: ServerObservation) -> bool:
    """Whether a failure on the way may pass, so that another try may see something else."""
    steps = seen.resolution.steps
    if any(s.question is Question.WELL_KNOWN and s.failure and s.failure.kind in SLOW_ANSWER for s in steps):
        return True
    if seen.federating:
        return False
    fell_out = seen.fell_out
    if fell_out is not None and fell_out.kind.transient:
        return True
    return any(kind in IN_PASSING for kind in failures_on_the_way(seen))


def is_cut_short(visited: Visited) -> bool:
    """Whether a server that federates may have had more to say, had we been fit to hear it."""
    reading = failures_of_reading(visited.observation, visited.robots)
    return visited.doubt is not None and visited.observation.federating and any(kind.transient for kind in reading)


def came_as_far(seen: ServerObservation, before: ServerObservation) -> bool:
    """Whether `seen` came at least as far along the funnel as `before`."""
    return _stages(seen) >= _stages(before)


def _stages(seen: ServerObservation) -> int:
    return sum((seen.resolves, seen.reachable, seen.secure, seen.online, seen.federating))
