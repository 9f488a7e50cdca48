"""How far a crawl is: numbers that the one loop keeps and that a person or a program is shown."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from crawler.engine.frontier import Frontier
from crawler.engine.guard import registrable_domain
from crawler.engine.schedule import key_fingerprint
from crawler.errors import FailureKind
from crawler.model.observation import Failed, Ok, ServerObservation, Skipped
from crawler.model.rooms import DirectoryState

BOUNDS = frozenset(
    {FailureKind.POLICY_BUDGET, FailureKind.HTTP_TOO_LARGE, FailureKind.HTTP_TIMEOUT, FailureKind.TLS_TIMEOUT}
)
"""Failures by which somebody who is there would have kept us busy for longer than we let them."""


def _bound_hit(seen: ServerObservation) -> str | None:
    stopped = seen.directory.stopped
    if stopped is not None and stopped.value.endswith("_budget"):
        return stopped.value
    return next((failure.kind.value for _, failure in seen.failures if failure.kind in BOUNDS), None)


@dataclass(slots=True)
class Progress:
    """Counts so far. `listings` counts entries of directories, a room in three directories three times."""

    visited: int = 0
    resolves: int = 0
    reachable: int = 0
    secure: int = 0
    online: int = 0
    federating: int = 0
    listing: int = 0
    queued: int = 0
    active: int = 0
    known: int = 0
    leads: int = 0
    listings: int = 0
    pages: int = 0
    noindex: int = 0
    requests: int = 0
    bytes_read: int = 0
    deferred: int = 0
    aliases_asked: int = 0
    aliases_outstanding: int = 0
    failures: Counter[FailureKind] = field(default_factory=Counter)
    directories: Counter[DirectoryState] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    spaces: int = 0
    """Rooms that servers told of when spaces were opened."""
    spaces_outstanding: int = 0
    again: int = 0
    """Tries after the first."""
    came_back: int = 0
    """Servers that a later try found online."""
    doubts: Counter[str] = field(default_factory=Counter)
    """Failures that were not believed, by why."""
    guarded: int = 0
    """Names deferred because too many like them were looked at."""
    guarded_groups: dict[str, int] = field(default_factory=dict)
    """Such a group -> names of it that were deferred."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Names heard of and not looked at: not_due, resting, opted_out."""
    robots: Counter[str] = field(default_factory=Counter)
    """What robots.txt said, of the servers that were asked."""
    lives: Counter[str] = field(default_factory=Counter)
    """Servers visited that are now alive, dying or dead."""
    distinct: dict[str, set[str]] = field(default_factory=lambda: {"keys": set(), "addresses": set(), "domains": set()})
    """What the federating servers have between them, each once."""
    unjudged: dict[str, str] = field(default_factory=dict)
    """Servers never tried fairly -> why the last try was not; left to a later crawl."""
    paused: str = ""
    """Why the crawl takes no new task now."""
    keys_reused: dict[str, list[str]] = field(default_factory=dict)
    """Server -> key IDs under which an earlier crawl saw another key. Known at the seal."""
    bounds_hit: dict[str, str] = field(default_factory=dict)
    """Server -> the bound of ours that it ran into; what a remote made us cut short is named, not hidden."""
    crawl_id: int | None = None
    """None until the crawl is begun."""
    began_at: datetime | None = None
    """When this sitting began: the process that runs the crawl now."""
    ended_at: datetime | None = None
    past_sittings: tuple[Mapping[str, Any], ...] = ()
    """The sittings before this one, of a crawl that was resumed; see `model.past`."""
    phase_times: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """How long the phases of all visits took; only known at the end."""

    def count(self, seen: ServerObservation) -> None:
        """Take one visit in. The failure counted is the first on the way to federating."""
        self.visited += 1
        self.resolves += seen.resolves
        self.reachable += seen.reachable
        self.secure += seen.secure
        self.online += seen.online
        self.federating += seen.federating
        self.listing += seen.listing
        self.listings += len(seen.directory.rooms)
        self.pages += seen.directory.pages
        self.noindex += seen.directory.noindex
        self.requests += seen.requests
        self.bytes_read += seen.bytes_read
        self.aliases_asked += len(seen.aliases)
        if seen.federating:
            self.distinct["keys"].add(key_fingerprint(seen) or "")
            self.distinct["domains"].add(registrable_domain(seen.server_name))
            self.distinct["addresses"].add(seen.endpoint.address if seen.endpoint else "")
        self.directories[seen.directory.state] += 1
        bound = _bound_hit(seen)
        if bound is not None:
            self.bounds_hit[seen.server_name.raw] = bound
        for what, attempt in seen.attempts:
            match attempt:
                case Ok():
                    outcome = "ok"
                case Failed():
                    outcome = "failed"
                case Skipped():
                    outcome = "skipped"
                case _:
                    assert_never(attempt)
            self.attempts[f"{what} {outcome}"] += 1
        failure = seen.fell_out
        if failure is not None:
            self.failures[failure.kind] += 1

    def look_at(self, frontier: Frontier) -> None:
        """Take over what the frontier counts."""
        self.queued = frontier.queued
        self.active = frontier.active
        self.known = frontier.known
        self.deferred = frontier.deferred
        self.guarded = frontier.guarded
        self.left_out = frontier.left_out
        self.spaces_outstanding = frontier.spaces.outstanding
        tries = frontier.tries
        self.active += tries.active
        self.again, self.came_back = tries.again, tries.came_back
        self.doubts, self.unjudged = Counter(tries.doubts), dict(tries.unjudged)
