"""A made-up federation, written through the real store and published: what the dashboard is tested on.

Servers of several implementations, healthy and broken in every phase, rooms that several directories list, and texts
that attack whoever shows them. Seeded: the same every time. It says `synthetic`, as everything made up does.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from analytics.steps import store_numbers
from crawler.config import Politeness, Settings
from crawler.errors import Failure, FailureKind
from crawler.model.client_side import ClientWellKnown
from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.discovery import Branch, Endpoint, Question, Resolution, Step
from crawler.model.names import parse_server_name
from crawler.model.observation import (
    Attempt,
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
    Timings,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState, DirectoryWay, PublicRoom, Stopped
from crawler.sources.developer_counts import activity, counts, months
from crawler.store.developers import keep_developers, pseudonyms
from crawler.store.outside import OutsideSource, SourceKind, importing
from crawler.store.publish import stage
from crawler.store.writer import CensusWriter

SEED = 20261123
STARTED = datetime(2026, 11, 23, 2, 14, tzinfo=UTC)
SEALED = STARTED + timedelta(minutes=56)

SCRIPT_ROOM = "<img src=x onerror=alert(1)>"
RTL_TOPIC = "\u202egnitirw neddih\u202c and \u2066more\u2069 \u202eof it"
FORMULA_ROOM = "=cmd|' /C calc'!A0"
PERSIAN_ROOM = "گفتگوی آزاد دربارهٔ ماتریکس"

_SOFTWARE = (
    ("Synapse", ("1.121.1", "1.120.2", "1.119.0", "1.98.0"), 62),
    ("Dendrite", ("0.13.8", "0.14.1"), 9),
    ("continuwuity", ("0.5.0",), 9),
    ("Tuwunel", ("1.4.2", "1.4.1"), 6),
    ("Conduit", ("0.10.9",), 5),
    ("Construct", ("0.9.21",), 2),
    ("ejabberd/mod_matrix_gw", ("24.10",), 2),
    ("<b>bold</b> & co", ("9.9-<i>x</i>",), 4),
    ("Telodendria", ("1.7.0",), 1),
    (None, (None,), 3),
)

_BROKEN: tuple[FailureKind, ...] = (
    FailureKind.DNS_NXDOMAIN,
    FailureKind.DNS_TIMEOUT,
    FailureKind.POLICY_ADDRESS,
    FailureKind.TCP_REFUSED,
    FailureKind.TCP_TIMEOUT,
    FailureKind.TLS_EXPIRED,
    FailureKind.TLS_WRONG_NAME,
    FailureKind.TLS_SELF_SIGNED,
    FailureKind.HTTP_NOT_FOUND,
    FailureKind.JSON_INVALID,
    FailureKind.KEYS_EXPIRED,
)

_TOPICS = (
    "Anything about gardens",
    "Support and questions. Please read the pinned message first; be kind.",
    "Releases, news",
    "Off topic",
    None,
    "Übersetzungen und Sprachen",
    "日本語の雑談",
)
_WORDS = (
    "Garden",
    "Linux",
    "Bridge",
    "Radio",
    "Chess",
    "Bread",
    "Maps",
    "Trains",
    "Poetry",
    "Robots",
    "Lobby",
    "Python",
)


PORTALS = (
    PublicRoom("!portal1:matrix.example", 40, "garden", None, "#_discord_11_22:matrix.example"),
    PublicRoom("!portal2:matrix.example", 12, "kept by a bridge that no alias tells"),
)
"""In the lists of third-party networks alone."""


def observations(servers: int = 260, seed: int = SEED) -> Iterator[ServerObservation]:
    """The visits of a crawl."""
    rng = random.Random(seed)
    names = [f"{rng.choice(('matrix', 'chat', 'hs', 'im'))}{i}.example" for i in range(servers - 2)]
    rooms = list(_rooms(rng, names))
    first = _healthy(rng, "matrix.example", rooms[:130], STARTED, software=("Synapse", "1.121.1"))
    yield replace(first, directory=replace(first.directory, network_rooms=PORTALS))
    yield _healthy(rng, "[2001:db8::8]:8448", rooms[20:30], STARTED, software=("Dendrite", "0.14.1"))
    for i, name in enumerate(names):
        at = STARTED + timedelta(seconds=i * 11)
        if rng.random() < 0.36:
            yield _broken(rng, name, rng.choice(_BROKEN), at)
        else:
            some = rng.sample(rooms, k=min(len(rooms), int(rng.paretovariate(0.9)))) if rng.random() < 0.4 else []
            yield _healthy(rng, name, some, at)


def _rooms(rng: random.Random, names: Sequence[str]) -> Iterator[PublicRoom]:
    yield PublicRoom("!script:matrix.example", 31_337, SCRIPT_ROOM, "<script>alert(2)</script> in the topic")
    yield PublicRoom("!rtl:matrix.example", 28_000, "Right to left", RTL_TOPIC, "#rtl:matrix.example", "public")
    yield PublicRoom("!formula:matrix.example", 27_000, FORMULA_ROOM, None, "#formula:matrix.example")
    yield PublicRoom("!persian:matrix.example", 26_000, PERSIAN_ROOM, "خوش آمدید", "#persian:matrix.example")
    yield PublicRoom("!long:matrix.example", 25_000, "W" * 255, "very " * 400)
    yield PublicRoom(
        "!space:matrix.example", 900, "All of the example rooms", None, "#all:matrix.example", room_type="m.space"
    )
    yield PublicRoom("!silent:matrix.example", None, "A room that says nothing of its members")
    yield PublicRoom("!" + "A" * 43, 512, "A room of version 12", None, "#v12:matrix.example", "knock")
    for i in range(420):
        home = rng.choice(names)
        word = rng.choice(_WORDS)
        members = max(1, int(rng.paretovariate(0.8) * 3))
        alias = f"#{word.lower()}{i}:{home}" if rng.random() < 0.8 else None
        yield PublicRoom(
            f"!r{i}:{home}", members, f"{word} {i}", rng.choice(_TOPICS), alias, "public", None, rng.random() < 0.3
        )


def _resolution(rng: random.Random, name: str) -> Resolution:
    server = parse_server_name(name)
    address = f"203.0.113.{rng.randrange(1, 255)}"
    if server.port is not None:
        step = Step(Question.NAME, name, f"IP literal {server.host}", "An IP literal: connect to it.", None, 0.00002)
        return Resolution(
            server,
            (step,),
            (Endpoint(server.host, server.port, name, server.host, Branch.IP_LITERAL),),
            Branch.IP_LITERAL,
        )
    if rng.random() < 0.5:
        delegate = parse_server_name(f"federation.{name}:443")
        steps: tuple[Step, ...] = (
            Step(Question.NAME, name, "DNS name without a port", "Ask .well-known.", None, 0.00002),
            Step(Question.WELL_KNOWN, name, f"m.server: {delegate.raw}", "Delegated, with a port.", None, 0.124, 86400),
            Step(
                Question.ADDRESSES,
                delegate.host,
                f"AAAA 2001:db8::1, A {address}",
                "Connect to these.",
                None,
                0.018,
                300,
            ),
        )
        ends = (
            Endpoint("2001:db8::1", 443, delegate.raw, delegate.host, Branch.WELL_KNOWN_PORT),
            Endpoint(address, 443, delegate.raw, delegate.host, Branch.WELL_KNOWN_PORT),
        )
        return Resolution(server, steps, ends, Branch.WELL_KNOWN_PORT, delegate)
    not_found = Failure(FailureKind.HTTP_NOT_FOUND, "404 Not Found", 404)
    no_srv = Failure(FailureKind.DNS_NXDOMAIN, "")
    steps = (
        Step(Question.NAME, name, "DNS name without a port", "Ask .well-known.", None, 0.00002),
        Step(Question.WELL_KNOWN, name, "", "No delegation: look for SRV records.", not_found, 0.2),
        Step(Question.SRV, f"_matrix-fed._tcp.{name}", "", "None: look for the deprecated ones.", no_srv, 0.02, 900),
        Step(Question.SRV, f"_matrix._tcp.{name}", "", "None: the name itself, port 8448.", no_srv, 0.02, 900),
        Step(Question.ADDRESSES, name, f"A {address}", "Connect to it.", None, 0.01, 3600),
    )
    return Resolution(server, steps, (Endpoint(address, 8448, name, name, Branch.DEFAULT),), Branch.DEFAULT)


def _tls(rng: random.Random, at: datetime) -> Ok[TlsFacts]:
    facts = TlsFacts(
        "TLSv1.3", "TLS_AES_256_GCM_SHA384", rng.choice(("Let's Encrypt", "Google Trust Services", "ZeroSSL")),
        at + timedelta(days=rng.randrange(1, 90)), f"{rng.getrandbits(256):064x}",
    )  # fmt: skip
    return Ok(facts, Timings(0.06, None, 0.06))


def _healthy(
    rng: random.Random,
    name: str,
    rooms: Sequence[PublicRoom],
    at: datetime,
    software: tuple[str | None, str | None] | None = None,
) -> ServerObservation:
    if software is None:
        weights = [weight for _, _, weight in _SOFTWARE]
        said, versions, _ = rng.choices(_SOFTWARE, weights)[0]
        software = (said, rng.choice(versions))
    state = DirectoryState.OPEN if rooms else rng.choice(
        (DirectoryState.DENIED,) * 5 + (DirectoryState.OPEN_EMPTY, DirectoryState.TIMEOUT, DirectoryState.RATE_LIMITED)
    )  # fmt: skip
    open_ = state in (DirectoryState.OPEN, DirectoryState.OPEN_EMPTY)
    failure = {
        DirectoryState.DENIED: Failure(FailureKind.HTTP_FORBIDDEN, "403 Forbidden", 403, "M_FORBIDDEN"),
        DirectoryState.TIMEOUT: Failure(FailureKind.HTTP_TIMEOUT, "no first byte within 20 s"),
        DirectoryState.RATE_LIMITED: Failure(FailureKind.HTTP_RATE_LIMITED, "429", 429, "M_LIMIT_EXCEEDED", 120.0),
    }.get(state)
    heard = tuple(_as_heard(rng, room) for room in rooms)
    directory = DirectoryResult(
        state, heard, DirectoryWay.FEDERATION if open_ else None, 1 + len(rooms) // 100 if open_ else 0,
        Stopped.COMPLETE if open_ else None, len(rooms) if open_ else None, 1 if len(rooms) > 50 else 0, failure,
    )  # fmt: skip
    resolution = _resolution(rng, name)
    keys = KeyDocument({"ed25519:a_Xy12": "l8Hft5qXKn1vfHrg3p4+W8gELQVo8N13JkluMfmn2sQ"}, (), at + timedelta(days=7))
    return ServerObservation(
        server_name=resolution.server_name,
        observed_at=at,
        resolution=resolution,
        endpoint=resolution.endpoints[0],
        tcp=Ok(resolution.endpoints[0].address, Timings(0.031, 0.031)),
        tls=_tls(rng, at),
        version=Ok(VersionInfo(*software), Timings(0.05, None, None, 0.048)),
        keys=Ok(keys, Timings(0.042, None, None, 0.04)),
        client_well_known=Ok(
            ClientWellKnown(f"https://{resolution.server_name.host_for_url}") if rng.random() < 0.7 else None,
            Timings(0.1),
        ),
        client_versions=Ok(
            ClientVersions(("r0.6.1", "v1.1", "v1.11", "v1.12"), {"org.matrix.msc3575": True}), Timings(0.09)
        ),
        support=Ok(None, Timings(0.03)),
        directory=directory,
        signed_accepted=state is not DirectoryState.RATE_LIMITED or None,
        aliases=tuple(
            AliasAnswer(room.canonical_alias, room.room_id, ("matrix.example", name))
            for room in heard[:5]
            if room.canonical_alias
        ),
        requests=6 + directory.pages,
        bytes_read=rng.randrange(2_000, 90_000),
        duration_s=rng.uniform(0.4, 9),
    )


def _as_heard(rng: random.Random, room: PublicRoom) -> PublicRoom:
    """Directories disagree about members."""
    members = room.members
    heard = members if members is None or rng.random() < 0.6 else max(1, int(members * rng.uniform(0.9, 1.1)))
    return PublicRoom(
        room.room_id,
        heard,
        room.name,
        room.topic,
        room.canonical_alias,
        room.join_rule,
        room.room_type,
        room.world_readable,
    )


def _broken(rng: random.Random, name: str, kind: FailureKind, at: datetime) -> ServerObservation:
    order = ("dns", "policy", "tcp", "tls", "http", "json", "keys")
    reached = order.index(kind.phase.value)
    failed = Failed(
        Failure(kind, f"seen by the test: {kind.value}", 404 if kind is FailureKind.HTTP_NOT_FOUND else None),
        Timings(1.5),
    )
    not_reached = Skipped(SkipReason.NOT_REACHED)
    resolution = _resolution(rng, name)
    if reached < 2:
        step = Step(Question.ADDRESSES, name, "", "It leads nowhere.", failed.failure, 0.4)
        resolution = Resolution(resolution.server_name, (*resolution.steps[:1], step), (), None, None, failed.failure)

    def attempt(phases: Sequence[str], ok: Ok[object]) -> Attempt[object]:
        first, last = order.index(phases[0]), order.index(phases[-1])
        return ok if reached > last else failed if reached >= first else not_reached

    return ServerObservation(
        server_name=resolution.server_name,
        observed_at=at,
        resolution=resolution,
        endpoint=resolution.endpoints[0] if resolution.endpoints else None,
        tcp=attempt(("tcp",), Ok("203.0.113.9", Timings(0.03, 0.03))),  # type: ignore[arg-type]  # of the value it is given
        tls=attempt(("tls",), _tls(rng, at)),  # type: ignore[arg-type]  # likewise
        version=attempt(("http", "json"), Ok(VersionInfo("Synapse", "1.98.0"), Timings(0.05))),  # type: ignore[arg-type]  # likewise
        keys=failed if kind.phase.value == "keys" else not_reached,
        client_well_known=not_reached,
        client_versions=not_reached,
        support=not_reached,
        directory=DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.NOT_REACHED.value),
        signed_accepted=None,
        requests=1,
        bytes_read=0,
        duration_s=1.5,
    )


def leads(seen: Sequence[ServerObservation]) -> list[Lead]:
    """Who named them, and three that were named and not visited."""
    found = [Lead(seen[0].server_name.key, LeadSource.SEED)]
    for i, visit in enumerate(seen[1:], 1):
        found.append(Lead(visit.server_name.key, LeadSource.ROOM_ID, "matrix.example", 1 + i % 7))
        if i % 3 == 0:
            found.append(Lead(visit.server_name.key, LeadSource.ALIAS_SERVERS, seen[i - 1].server_name.key, 2))
    found += [Lead(f"unvisited{i}.example", LeadSource.ALIAS, "matrix.example") for i in range(3)]
    return found


def write_census(
    census: Path,
    *,
    servers: int = 260,
    seed: int = SEED,
    synthetic: bool = True,
    state: CrawlState = CrawlState.COMPLETED,
    scope: CrawlScope = CrawlScope.FULL,
    identity: str | None = "census.example",
    days_ago: int = 0,
) -> None:
    """Write one more crawl into a census file; it began so many days before `STARTED`."""
    seen = list(observations(servers, seed))
    with CensusWriter.open(census) as writer:
        crawl_id = writer.begin_crawl(
            scope=scope,
            synthetic=synthetic,
            settings_json=Settings(politeness=Politeness(contact="ops@census.example")).to_json(),
            vantage="test bench",
            identity=identity,
            crawler_version="0.1.0",
            started_at=STARTED - timedelta(days=days_ago),
        )
        writer.record(crawl_id, seen, leads(seen))
        writer.seal(crawl_id, state, SEALED - timedelta(days=days_ago), {})


def write_history(census: Path) -> None:
    """Three censuses, 40 days, 8 days and no day ago, each larger than the one before, and a limited crawl between."""
    write_census(census, servers=40, days_ago=40)
    write_census(census, servers=50, days_ago=8)
    write_census(census, servers=20, days_ago=4, scope=CrawlScope.LIMITED)
    write_census(census, servers=60)
    write_developers(census, "made", people=12)
    write_developers(census, "<i>other</i>", people=5)


def write_developers(census: Path, name: str, *, people: int) -> None:
    """Import developers of a list of repositories: the first commits every day of the last weeks, the second every
    second day, and so on."""
    until = STARTED.date()
    days = {
        f"{number}@{name}": {until - timedelta(days=back) for back in range(0, 60 * number, number)}
        for number in range(1, people + 1)
    }
    commits: dict[date, int] = {}
    for day in (day for its in days.values() for day in its):
        commits[day.replace(day=1)] = commits.get(day.replace(day=1), 0) + 1
    source = OutsideSource(SourceKind.DEVELOPERS, name, "2026-11-23", until, 4, 3)
    with importing(census, lambda: STARTED) as connection:
        hashed = pseudonyms(connection, days)
        counted = (astuple(count) for count in counts(days, days, days, until))
        by_month = (astuple(month) for month in months(days, commits))
        alive = activity(
            {"https://github.com/element-hq/synapse": {until}, "https://gitlab.com/famedly/conduit": set()}
        )
        keep_developers(connection, source, hashed, counted, by_month, alive, STARTED)


def publish(census: Path) -> Path:
    """Publish a census file with its metric rows, as a crawl does."""
    draft = stage(census)
    try:
        store_numbers(draft)
        return draft.commit()
    finally:
        draft.discard()
