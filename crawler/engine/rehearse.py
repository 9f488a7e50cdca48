"""History rehearsed: days of the practice federation, as a perfect crawl would see them, through the real writer.

No socket is opened, so that months take a minute; all else is real: batches, seal, intervals, journal. Apart from
`run`, which visits: here what a visit would see is read off the federation's own tables (`lab.glimpse`). What only a
connection has (durations, bytes, a certificate) is made up plainly: nothing of it is counted as a measurement, and
crawls say that they are synthetic and rehearsed.
"""

import gc
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from crawler.config import Settings
from crawler.engine.expand import named_by_visit
from crawler.errors import Failure, FailureKind, UsageError
from crawler.lab.deaths import Reached
from crawler.lab.glimpse import Glimpse, Watch, glimpses
from crawler.lab.profile import REALISTIC, Profile
from crawler.lab.world import CRAWLER_NAME, World
from crawler.model.client_side import ClientWellKnown
from crawler.model.crawl import Crawl, CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.discovery import Branch, Endpoint, Resolution
from crawler.model.names import parse_server_name, try_server_name
from crawler.model.observation import (
    Attempt,
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState, Stopped
from crawler.store.journal import JOURNAL_DAYS
from crawler.store.writer import CensusWriter

CERTIFICATE_DAYS = 90
RENEWED_DAYS = 60
"""Certificates are renewed so often."""

ALIASES = 10
"""Asked for of each server, those of its biggest rooms."""

TOOK = timedelta(minutes=20)
"""Between begin and seal of a rehearsed crawl."""

_SWEPT_EVERY = 10
_BATCH = 10_000
_LEADS = 10_000

T = TypeVar("T")

_NOT_REACHED = Skipped(SkipReason.NOT_REACHED)

_DOOR_FAILURE = {
    DirectoryState.DENIED: FailureKind.HTTP_FORBIDDEN,
    DirectoryState.AUTH_FAILED: FailureKind.HTTP_UNAUTHORIZED,
    DirectoryState.NOT_IMPLEMENTED: FailureKind.HTTP_NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`days` of a practice federation that had `servers` servers and at most about `rooms` listed rooms (None: as many
    as it has) on the first; the last of them is that before `until`."""

    days: int
    servers: int
    until: datetime
    rooms: int | None = None
    seed: int = 1
    profile: Profile = REALISTIC
    journal_days: int = JOURNAL_DAYS
    """For how many days before the last the journals are kept."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a perfect crawl of one day brings home, to be written."""

    number: int
    observations: list[ServerObservation]
    leads: list[Lead]


def rehearse(writer: CensusWriter, plan: Rehearsal, settings: Settings, version: str) -> Iterator[Crawl]:
    """Write the days, each a full, synthetic crawl; yields each when it is sealed.

    Raises:
        UsageError: the file holds crawls of the real federation.
        StoreError: the file cannot be written.
    """
    if writer.holds_real_crawls():
        raise UsageError("this census file holds crawls of the real federation; rehearse in another: --db FILE")
    for day in _sweeping_seldom(_days(plan)):
        started_at = _begin_of(plan, day.number)
        crawl_id = writer.begin_crawl(
            scope=CrawlScope.FULL,
            synthetic=True,
            settings_json=settings.to_json(),
            vantage=settings.vantage,
            identity=CRAWLER_NAME,
            crawler_version=version,
            started_at=started_at,
        )
        for first in range(0, len(day.observations), _BATCH):
            leads = day.leads if first == 0 else []
            writer.record(crawl_id, day.observations[first : first + _BATCH], leads)
        report = {"rehearsed": True, "day": day.number, "servers": plan.servers, "seed": plan.seed}
        yield writer.seal(crawl_id, CrawlState.COMPLETED, started_at + TOOK, report, journal_days=plan.journal_days)


def _begin_of(plan: Rehearsal, day: int) -> datetime:
    return plan.until - timedelta(days=plan.days - day) - TOOK


def _rooms_of_a_directory(plan: Rehearsal) -> int | None:
    """The cap of every directory under which about `plan.rooms` listings are left on the first day."""
    if plan.rooms is None:
        return None
    sizes = sorted(len(seen.rooms) for seen in glimpses(World(plan.seed, plan.servers, plan.profile), max_aliases=0))
    left = plan.rooms
    for place, size in enumerate(sizes):
        share = left // (len(sizes) - place)
        if size > share:
            return share
        left -= size
    return None


def _days(plan: Rehearsal) -> Iterator[Day]:
    watch = Watch(plan.seed, plan.servers, plan.profile, max_rooms=_rooms_of_a_directory(plan), max_aliases=ALIASES)
    leads_of = _Leads()
    for day in range(plan.days):
        world, seen = watch.on(day)
        at = _begin_of(plan, day)
        observations = []
        leads = [Lead(parse_server_name(name).key, LeadSource.SEED) for name in world.seeds()]
        for place, glimpse in enumerate(seen):
            observation = observation_of(glimpse, at + timedelta(milliseconds=place), day)
            observations.append(observation)
            leads += leads_of(observation)
        yield Day(day, observations, leads)


def _sweeping_seldom(days: Iterator[Day]) -> Iterator[Day]:
    """Days, with Python's search for cycles left to once in a while: by itself it would look through all that is kept
    from day to day several times a day, a third of the time, for the one world that went."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        for day in days:
            yield day
            if day.number % _SWEPT_EVERY == 0:
                gc.collect()
    finally:
        if was_on:
            gc.enable()


class _Leads:
    """What visits name; of who names on one day what it named on the day before, it is not worked out again."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[tuple[object, ...], list[Lead]]] = {}

    def __call__(self, seen: ServerObservation) -> list[Lead]:
        listed = [(room.room_id, room.canonical_alias) for room in seen.directory.rooms]
        mentions = (listed, seen.aliases, seen.resolution.delegated, seen.keys_named)
        before = self._told.get(seen.server_name.raw)
        if before is None or before[0] != mentions:
            leads = [lead for _, lead in named_by_visit(seen, _LEADS)]
            before = self._told[seen.server_name.raw] = mentions, leads
        return before[1]


def observation_of(seen: Glimpse, at: datetime, day: int) -> ServerObservation:
    """A glimpse as the observation of a visit."""
    name = parse_server_name(seen.server)
    failure = None if seen.failure is None else Failure(seen.failure)
    resolves = seen.reached >= Reached.RESOLVES
    branch = seen.branch or Branch.DEFAULT
    endpoints = tuple(
        Endpoint(target.address, target.port, target.host_header, target.tls_name, branch)
        for target in (seen.targets if resolves else ())
    )
    used = next((e for e, target in zip(endpoints, seen.targets, strict=False) if target.works), None)
    used = used or (endpoints[0] if endpoints else None)
    online = seen.reached >= Reached.ONLINE
    delegated = None if seen.delegated is None else try_server_name(seen.delegated)
    return ServerObservation(
        server_name=name,
        observed_at=at,
        resolution=Resolution(name, (), endpoints, seen.branch, delegated, None if resolves else failure),
        endpoint=used,
        tcp=_step(seen, Reached.REACHABLE, "" if used is None else used.address),
        tls=_step(seen, Reached.SECURE, _certificate(seen.server, at, day)),
        version=_step(seen, Reached.ONLINE, VersionInfo(seen.name_raw, seen.version_raw)),
        keys=_step(seen, Reached.FEDERATING, KeyDocument(seen.verify_keys, (), at + timedelta(days=7))),
        client_well_known=_if(online, ClientWellKnown(seen.client_base) if seen.client_base else None),
        client_versions=_if(bool(seen.spec_versions), ClientVersions(seen.spec_versions, seen.unstable_features)),
        support=_if(online, None),
        directory=_directory(seen),
        signed_accepted=seen.accepting,
        aliases=tuple(AliasAnswer(answer.alias, answer.room_id, answer.servers) for answer in seen.aliases),
        duration_s=seen.latency_s,
    )


def _step(seen: Glimpse, stage: Reached, value: T) -> Attempt[T]:
    if seen.reached >= stage:
        return Ok(value)
    if seen.reached == stage - 1 and seen.failure is not None and seen.reached >= Reached.RESOLVES:
        return Failed(Failure(seen.failure))
    return _NOT_REACHED


def _if(asked: bool, value: T) -> Attempt[T]:
    return Ok(value) if asked else _NOT_REACHED


def _certificate(server: str, at: datetime, day: int) -> TlsFacts:
    """Made up: the same until it is renewed."""
    offset = int.from_bytes(hashlib.sha256(server.encode()).digest()[:2]) % RENEWED_DAYS
    serial, age = divmod(day + offset, RENEWED_DAYS)
    issued = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=age)
    fingerprint = hashlib.sha256(f"{server} {serial}".encode()).hexdigest()
    ends = issued + timedelta(days=CERTIFICATE_DAYS)
    return TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "Practice federation", ends, fingerprint)


def _directory(seen: Glimpse) -> DirectoryResult:
    if seen.directory is DirectoryState.SKIPPED:
        return DirectoryResult(seen.directory, skipped_because=SkipReason.NOT_REACHED)
    kind = _DOOR_FAILURE.get(seen.directory)
    read = seen.directory in (DirectoryState.OPEN, DirectoryState.OPEN_EMPTY)
    return DirectoryResult(
        seen.directory,
        seen.rooms,
        seen.way,
        pages=int(read),
        stopped=Stopped.COMPLETE if read else None,
        total_estimate=len(seen.rooms) if read else None,
        noindex=seen.noindex,
        failure=None if kind is None else Failure(kind),
        network_rooms=seen.network_rooms,
    )
