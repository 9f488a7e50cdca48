"""When a server is due, and what life is in it. Pure; the arithmetic is told in ARCHITECTURE, "Who is looked at when".

Alive: online at its last visit. Dying: it was online once, and either fewer than `DYING_FAILURES` visits in a row
failed or it was online less than `DYING_FOR` ago. Dead: all others that failed. The alive and the dying are due at
every crawl. The dead are due after one day, then two, four and so on up to `LONGEST`: ever less often, never for ever.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.engine.task import Visited
from crawler.errors import Failure
from crawler.model.observation import Ok, ServerObservation
from crawler.model.rooms import DirectoryState
from crawler.model.schedule import Life, Robots, ServerSchedule

DYING_FAILURES = 5
DYING_FOR = timedelta(days=14)
FIRST_INTERVAL = timedelta(days=1)
LONGEST = timedelta(days=30)
SHORTENED_BY = 0.2
"""An interval is shortened by up to this share, by the name: so that the dead do not come all at once, and so that a
daily crawl that starts some minutes early finds them due."""

DENIED_FOR = timedelta(days=7)
"""A directory closed to us is not asked for again for so long."""

ROBOTS_FOR = timedelta(days=30)
"""A robots.txt that lets us, by name, do nothing at all keeps us away for so long."""

LONGEST_REST = timedelta(days=7)
"""Longest time that a Retry-After can keep us away."""


def after_visit(before: ServerSchedule | None, visited: Visited, now: datetime, rest_noted_s: float) -> ServerSchedule:
    """What to remember of a server that was just visited.

    Args:
        before: what was remembered; None: nothing.
        now: the end of the visit.
        rest_noted_s: a Retry-After of at most so much was obeyed within the visit.
    """
    seen = visited.observation
    key = seen.server_name.key
    online_at = now if seen.online else before.online_at if before else None
    failures = 0 if seen.online else (before.failures if before else 0) + 1
    if seen.online:
        life = Life.ALIVE
    elif online_at is not None and (failures < DYING_FAILURES or now - online_at < DYING_FOR):
        life = Life.DYING
    else:
        life = Life.DEAD
    past = before or ServerSchedule(key, life, failures, now, online_at, now)
    return replace(
        past,
        life=life,
        failures=failures,
        tried_at=now,
        online_at=online_at,
        due_at=now + _interval(key, failures, was_online=online_at is not None) if life is Life.DEAD else now,
        not_before=_left_alone(visited, _not_before(seen, now, rest_noted_s), now),
        denied_until=_denied_until(past.denied_until, seen, now),
        first_key=key_fingerprint(seen) or past.first_key,
        robots=visited.robots or past.robots,
        address=seen.endpoint.address if seen.reachable and seen.endpoint else past.address,
    )


def is_due(remembered: ServerSchedule | None, now: datetime) -> bool:
    """Whether a crawl that starts at `now` looks at the server."""
    return remembered is None or (remembered.due_at <= now and not is_resting(remembered, now))


def is_resting(remembered: ServerSchedule | None, now: datetime) -> bool:
    """Whether it asked to be left alone still."""
    return remembered is not None and remembered.not_before is not None and now < remembered.not_before


def is_denied(remembered: ServerSchedule | None, now: datetime) -> bool:
    """Whether its directory was closed to us too lately to ask for it again."""
    return remembered is not None and remembered.denied_until is not None and now < remembered.denied_until


def key_fingerprint(seen: ServerObservation) -> str | None:
    """The signing keys in one short text; None when there are none verified. Whoever has the same holds the same."""
    if not isinstance(seen.keys, Ok):
        return None
    keys = ",".join(sorted(seen.keys.value.verify_keys.values()))
    return hashlib.sha256(keys.encode()).hexdigest()[:32]


def _interval(key: str, failures: int, *, was_online: bool) -> timedelta:
    """Until a dead server is looked at again, after its n-th visit as a dead one."""
    n = max(1, failures - (DYING_FAILURES - 1) if was_online else failures)
    interval = min(FIRST_INTERVAL * (1 << min(n - 1, 10)), LONGEST)
    draw = int.from_bytes(hashlib.sha256(f"{key} {failures}".encode()).digest()[:4], "big") / 2**32
    return interval * (1 - SHORTENED_BY * draw)


def _denied_until(before: datetime | None, seen: ServerObservation, now: datetime) -> datetime | None:
    if seen.directory.state is DirectoryState.DENIED:
        return now + DENIED_FOR
    return before if seen.directory.state is DirectoryState.SKIPPED else None


def _not_before(seen: ServerObservation, now: datetime, rest_noted_s: float) -> datetime | None:
    longest_s = max((f.retry_after_s for f in _all_failures(seen) if f.retry_after_s is not None), default=0.0)
    return now + min(timedelta(seconds=longest_s), LONGEST_REST) if longest_s > rest_noted_s else None


def _left_alone(visited: Visited, not_before: datetime | None, now: datetime) -> datetime | None:
    """Whoever lets us do nothing at all is only asked again whether that still holds, and seldom."""
    return now + ROBOTS_FOR if visited.robots is Robots.DISALLOWS_US_ENTIRELY else not_before


def _all_failures(seen: ServerObservation) -> Iterator[Failure]:
    yield from (failure for _, failure in seen.failures)
