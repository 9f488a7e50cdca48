"""What is remembered of a server between crawls, so that the next one knows when, and what not, to ask it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Life(StrEnum):
    """How alive a server is held to be; the arithmetic is in `engine.schedule`."""

    ALIVE = "alive"
    DYING = "dying"
    DEAD = "dead"


class Robots(StrEnum):
    """What a server's robots.txt says of us."""

    ALLOWS = "allows"
    DISALLOWS_US = "disallows_us"
    DISALLOWS_US_ENTIRELY = "disallows_us_entirely"
    DISALLOWS_ALL = "disallows_all"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class ServerSchedule:
    """One visited server. `server` is its key.

    Attributes:
        failures: visits in a row, up to the last, in which it was not online.
        online_at: when it was last seen online; None: never.
        due_at: not looked at before; for the living the time of the last visit.
        not_before: it asked to be left alone until then (Retry-After); None: it did not.
        denied_until: it closed its directory to us; not asked for again before. None: it did not.
        robots: what its robots.txt says; None: never read.
        first_key: fingerprint of its signing keys; None: never had.
        address: where it was last reached; None: never.
    """

    server: str
    life: Life
    failures: int
    tried_at: datetime
    online_at: datetime | None
    due_at: datetime
    not_before: datetime | None = None
    denied_until: datetime | None = None
    robots: Robots | None = None
    first_key: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """All that earlier crawls left: the schedule by server key, and by owner's key the crawl that last asked for each
    alias."""

    servers: Mapping[str, ServerSchedule]
    aliases: Mapping[str, Mapping[str, int]]
