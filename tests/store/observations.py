"""Observations to store: plain ones made by hand, and, as hypothesis strategies, whatever the model allows."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from crawler.errors import Failure, FailureKind
from crawler.model.client_side import ClientWellKnown, Support, SupportContact
from crawler.model.discovery import Branch, Endpoint, Question, Resolution, Step
from crawler.model.names import parse_server_name
from crawler.model.observation import (
    AddressLook,
    Attempt,
    Certificate,
    ClientVersions,
    Failed,
    Families,
    KeyDocument,
    Ok,
    OldKey,
    PresentedTls,
    ServerObservation,
    Skipped,
    SkipReason,
    Timings,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState, DirectoryWay, PublicRoom, Stopped

T = TypeVar("T")

FEW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
"""How often a test draws whole observations, which are large: some, and with patience."""

DAY = datetime(2026, 11, 24, 3, 45, tzinfo=UTC)
NOT_REACHED = Skipped(SkipReason.NOT_REACHED)
NO_SUPPORT: Attempt[Support | None] = Ok(None)
UNREAD = DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.NOT_REACHED)


def online(
    name: str,
    *,
    software: str | None = "Synapse",
    version: str | None = "1.163.2",
    rooms: tuple[PublicRoom, ...] = (),
    aliases: tuple[AliasAnswer, ...] = (),
    signed_accepted: bool | None = True,
    observed_at: datetime = DAY,
    support: Attempt[Support | None] = NO_SUPPORT,
) -> ServerObservation:
    """A server that federates and shows its directory."""
    server = parse_server_name(name)
    endpoint = Endpoint("192.0.2.7", 8448, f"{server.host_for_url}:8448", server.host, Branch.SRV)
    other = Endpoint("2001:db8::7", 8448, f"{server.host_for_url}:8448", server.host, Branch.SRV)
    steps = (
        Step(Question.NAME, name, "a DNS name without a port", "steps 3 to 6", duration_s=0.0),
        Step(
            Question.WELL_KNOWN, server.host, "", "go on to SRV", Failure(FailureKind.HTTP_NOT_FOUND, "404", 404), 0.25
        ),
        Step(Question.SRV, f"_matrix-fed._tcp.{server.host}", "10 0 8448 m.test", "found", None, 0.5, 300.0),
    )
    return ServerObservation(
        server_name=server,
        observed_at=observed_at,
        resolution=Resolution(server, steps, (endpoint, other), Branch.SRV),
        endpoint=endpoint,
        tcp=Ok(endpoint.address, Timings(0.01, tcp_s=0.01)),
        tls=Ok(TlsFacts("TLSv1.3", "TLS_AES_128_GCM_SHA256", "Let's Test", DAY + timedelta(days=60), "ab" * 32)),
        version=Ok(VersionInfo(software, version), Timings(0.2, 0.01, 0.02, 0.15)),
        keys=Ok(
            KeyDocument({"ed25519:a_1": "b" * 43}, (OldKey("ed25519:old", None, None),), DAY + timedelta(days=7)),
            Timings(0.1),
        ),
        client_well_known=Ok(
            ClientWellKnown(
                f"https://{server.host}",
                "https://id.test",
                ("https://rtc.test/livekit",),
                "https://sync.test",
                "https://account.test/",
            )
        ),
        client_versions=Ok(ClientVersions(("v1.1", "v1.18"), {"org.matrix.msc3575": True, "x.y": False})),
        support=support,
        directory=DirectoryResult(
            DirectoryState.OPEN if rooms else DirectoryState.OPEN_EMPTY,
            rooms,
            DirectoryWay.FEDERATION,
            pages=1,
            stopped=Stopped.COMPLETE,
            total_estimate=len(rooms),
            noindex=1,
        ),
        signed_accepted=signed_accepted,
        aliases=aliases,
        aliases_outstanding=3,
        requests=9,
        bytes_read=12_345,
        duration_s=1.75,
    )


def closely(name: str) -> ServerObservation:
    """A server that federates by IPv4, while its IPv6 address presents an expired certificate."""
    seen = online(name)
    v4, v6 = seen.resolution.endpoints
    leaf = Certificate("CN=x.test", "CN=R3,O=Let's Test", ("x.test", "192.0.2.7"), DAY, DAY, "cd" * 32)
    expired = Failure(FailureKind.TLS_EXPIRED, "expired", verify_code=10)
    shown = PresentedTls("TLSv1.3", "TLS_AES_128_GCM_SHA256", (leaf,))
    looks = (
        AddressLook(v4, seen.tcp, seen.tls, Ok(shown), seen.version, seen.keys),
        AddressLook(v6, Ok(v6.address), Failed(expired), Ok(replace(shown, verify_code=10)), NOT_REACHED, NOT_REACHED),
    )
    return replace(seen, addresses=looks, families=Families.IPV6_BROKEN)


def dead(name: str, kind: FailureKind = FailureKind.DNS_NXDOMAIN) -> ServerObservation:
    """A server whose name does not resolve."""
    server = parse_server_name(name)
    failure = Failure(kind, "no such name")
    step = Step(Question.ADDRESSES, server.host, "", "the end", failure, 0.125)
    return ServerObservation(
        server_name=server,
        observed_at=DAY,
        resolution=Resolution(server, (step,), (), failure=failure),
        endpoint=None,
        tcp=NOT_REACHED,
        tls=NOT_REACHED,
        version=NOT_REACHED,
        keys=NOT_REACHED,
        client_well_known=NOT_REACHED,
        client_versions=NOT_REACHED,
        support=NOT_REACHED,
        directory=UNREAD,
        signed_accepted=None,
    )


def bad_certificate(name: str) -> ServerObservation:
    """A server that answers TCP but whose certificate has expired."""
    server = parse_server_name(name)
    endpoint = Endpoint("192.0.2.9", 8448, name, server.host, Branch.DEFAULT)
    return ServerObservation(
        server_name=server,
        observed_at=DAY,
        resolution=Resolution(server, (), (endpoint,), Branch.DEFAULT),
        endpoint=endpoint,
        tcp=Ok(endpoint.address, Timings(0.02, tcp_s=0.02)),
        tls=Failed(Failure(FailureKind.TLS_EXPIRED, "expired 3 days ago"), Timings(0.05, tls_s=0.05)),
        version=NOT_REACHED,
        keys=NOT_REACHED,
        client_well_known=Failed(Failure(FailureKind.HTTP_RATE_LIMITED, "slow down", 429, "M_LIMIT_EXCEEDED", 2.5)),
        client_versions=NOT_REACHED,
        support=NOT_REACHED,
        directory=UNREAD,
        signed_accepted=None,
    )


def some_federation(seed: int, servers: int, rooms: int = 5) -> list[ServerObservation]:
    """Servers of every kind, whose directories list common rooms; the same for the same seed."""
    rng = random.Random(seed)
    names = ["Synapse", "Dendrite", "conduwuit", None, "Construct"]
    states = [DirectoryState.OPEN, DirectoryState.DENIED, DirectoryState.TIMEOUT]
    found: list[ServerObservation] = []
    for number in range(servers):
        name = f"{'Host' if number % 7 == 0 else 'host'}{number}.test"
        draw = rng.random()
        if draw < 0.2:
            found.append(dead(name, rng.choice([FailureKind.DNS_NXDOMAIN, FailureKind.DNS_TIMEOUT])))
        elif draw < 0.35:
            found.append(bad_certificate(name))
        else:
            listed = tuple(
                PublicRoom(
                    f"!{room}:host{room % servers}.test",
                    rng.choice([None, 0, 1, 5, 70, 800]),
                    rng.choice([None, "Lobby", "lobby two", "ÄRGER", "100% _fun_"]),
                    rng.choice([None, "a topic", "Another Topic"]),
                    rng.choice([None, f"#room{room}:host{room % servers}.test"]),
                    rng.choice([None, "public", "knock"]),
                    rng.choice([None, None, "m.space"]),
                    rng.choice([None, True, False]),
                    rng.choice([None, True, False]),
                )
                for room in rng.sample(range(rooms * 3), rng.randrange(rooms))
            )
            seen = online(
                name,
                software=rng.choice(names),
                version=rng.choice(["1.163.2", "0.15.1 (b=main)", None]),
                rooms=listed,
                signed_accepted=rng.choice([True, False, None]),
            )
            state = rng.choice(states)
            if state is not DirectoryState.OPEN:
                kind = FailureKind.HTTP_FORBIDDEN if state is DirectoryState.DENIED else FailureKind.HTTP_TIMEOUT
                seen = _with_directory(seen, DirectoryResult(state, failure=Failure(kind)))
            found.append(seen)
    return found


def _with_directory(seen: ServerObservation, directory: DirectoryResult) -> ServerObservation:
    fields = {name: getattr(seen, name) for name in ServerObservation.__slots__}
    return ServerObservation(**fields | {"directory": directory})


@cache
def server_names() -> st.SearchStrategy[str]:
    """Names that parse, in any case."""
    label = st.text("abcXYZ019-", min_size=1, max_size=8)
    return st.one_of(
        st.lists(label, min_size=1, max_size=3).map(".".join).filter(lambda name: not name.replace(".", "").isdigit()),
        st.sampled_from(["[2001:db8::1]", "[2001:db8::1]:8448", "192.0.2.1:443", "Example.ORG:8448"]),
    )


@cache
def hostile_text() -> st.SearchStrategy[str]:
    """Anything a Python string may hold: lone surrogates, NUL, quotes, right-to-left overrides."""
    return st.one_of(
        st.text(st.characters(exclude_categories=[]), max_size=20),
        st.sampled_from(
            [
                "\x00",
                "\ud800",
                "a\udfffb",
                "'; DROP TABLE crawl; --",
                '"',
                "\\u0000",
                "\u202egnp.exe",
                "🜁" * 9,
                "long " * 999,
            ]
        ),
    )


@cache
def failures() -> st.SearchStrategy[Failure]:
    return st.builds(
        Failure,
        st.sampled_from(FailureKind),
        hostile_text(),
        st.none() | st.integers(100, 999),
        st.none() | hostile_text(),
        st.none() | st.floats(0, 1e6),
    )


@cache
def seconds() -> st.SearchStrategy[float]:
    return st.floats(0, 1e5, allow_nan=False)


@cache
def timings() -> st.SearchStrategy[Timings]:
    part = st.none() | seconds()
    return st.builds(Timings, seconds(), part, part, part)


def attempts(values: st.SearchStrategy[T]) -> st.SearchStrategy[Attempt[T]]:
    return st.one_of(
        st.builds(Ok, values, timings()),
        st.builds(Failed, failures(), timings()),
        st.builds(Skipped, st.sampled_from(SkipReason)),
    )


@cache
def times() -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by design


@cache
def public_rooms() -> st.SearchStrategy[PublicRoom]:
    text = st.none() | hostile_text()
    flag = st.none() | st.booleans()
    return st.builds(
        PublicRoom,
        hostile_text().map(lambda text: f"!{text}:x.test"),
        st.none() | st.integers(-5, 2**40),
        text,
        text,
        text,
        text,
        text,
        flag,
        flag,
    )


@cache
def directories() -> st.SearchStrategy[DirectoryResult]:
    return st.builds(
        DirectoryResult,
        st.sampled_from(DirectoryState),
        st.lists(public_rooms(), max_size=4, unique_by=lambda room: room.room_id).map(tuple),
        st.none() | st.sampled_from(DirectoryWay),
        st.integers(0, 500),
        st.none() | st.sampled_from(Stopped),
        st.none() | st.integers(-(2**70), 2**70),
        st.integers(0, 1000),
        st.none() | failures(),
        st.none() | hostile_text(),
    )


@cache
def endpoints() -> st.SearchStrategy[Endpoint]:
    return st.builds(
        Endpoint,
        st.sampled_from(["192.0.2.1", "2001:db8::1"]),
        st.integers(1, 65535),
        hostile_text(),
        hostile_text(),
        st.sampled_from(Branch),
    )


@cache
def steps() -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        st.sampled_from(Question),
        hostile_text(),
        hostile_text(),
        hostile_text(),
        st.none() | failures(),
        seconds(),
        st.none() | seconds(),
    )


@cache
def address_looks() -> st.SearchStrategy[AddressLook]:
    """At most one certificate each is enough: what is kept is of the leaf."""
    names = st.lists(hostile_text(), max_size=2).map(tuple)
    leaf = st.builds(Certificate, hostile_text(), hostile_text(), names, times(), times(), hostile_text())
    shown = st.builds(
        PresentedTls, hostile_text(), hostile_text(), leaf.map(lambda one: (one,)), st.none() | st.integers(0, 99)
    )
    parts = _parts()
    return st.builds(
        AddressLook, endpoints(), parts["tcp"], parts["tls"], attempts(shown), parts["version"], parts["keys"]
    )


@cache
def _parts() -> dict[str, st.SearchStrategy[Any]]:
    """What an observation is drawn from, built once: building a strategy costs more than drawing from it."""
    keys = st.dictionaries(hostile_text(), hostile_text(), max_size=3)
    features = st.dictionaries(hostile_text(), st.booleans(), max_size=3)
    versions = st.lists(hostile_text(), max_size=3).map(tuple)
    names = st.lists(server_names() | hostile_text(), max_size=3).map(tuple)
    tls = st.builds(TlsFacts, st.just("TLSv1.3"), st.just("AES"), hostile_text(), times(), hostile_text())
    said = st.none() | hostile_text()
    urls = st.lists(hostile_text(), max_size=2).map(tuple)
    client_well_known = st.builds(ClientWellKnown, said, said, urls, said, said)
    contacts = st.lists(st.builds(SupportContact, hostile_text(), said, said), max_size=2).map(tuple)
    support = st.builds(Support, contacts, said)
    return {
        "delegated": st.none() | server_names().map(parse_server_name),
        "steps": st.lists(steps(), max_size=3).map(tuple),
        "endpoints": st.lists(endpoints(), max_size=2).map(tuple),
        "branch": st.none() | st.sampled_from(Branch),
        "failure": st.none() | failures(),
        "endpoint": st.none() | endpoints(),
        "tcp": attempts(st.just("192.0.2.1")),
        "tls": attempts(tls),
        "version": attempts(st.builds(VersionInfo, st.none() | hostile_text(), st.none() | hostile_text())),
        "keys": attempts(st.builds(KeyDocument, keys, st.just(()), times())),
        "client_well_known": attempts(st.none() | client_well_known),
        "support": attempts(st.none() | support),
        "client_versions": attempts(st.builds(ClientVersions, versions, features)),
        "accepted": st.none() | st.booleans(),
        "aliases": st.lists(st.builds(AliasAnswer, hostile_text(), hostile_text(), names), max_size=2).map(tuple),
        "count": st.integers(0, 10**6),
    }


@cache
def looks() -> st.SearchStrategy[tuple[AddressLook, ...]]:
    return st.lists(address_looks(), max_size=2, unique_by=lambda look: look.endpoint).map(tuple)


@st.composite
def observations(draw: st.DrawFn) -> ServerObservation:
    """Whatever the model allows, also what no visit would ever give."""
    parts = _parts()
    name = parse_server_name(draw(server_names()))
    delegated = draw(parts["delegated"])
    resolution = Resolution(
        name,
        draw(parts["steps"]),
        draw(parts["endpoints"]),
        draw(parts["branch"]),
        delegated,
        draw(parts["failure"]),
    )
    return ServerObservation(
        server_name=name,
        observed_at=draw(times()),
        resolution=resolution,
        endpoint=draw(parts["endpoint"]),
        tcp=draw(parts["tcp"]),
        tls=draw(parts["tls"]),
        version=draw(parts["version"]),
        keys=draw(parts["keys"]),
        client_well_known=draw(parts["client_well_known"]),
        client_versions=draw(parts["client_versions"]),
        support=draw(parts["support"]),
        directory=draw(directories()),
        signed_accepted=draw(parts["accepted"]),
        aliases=draw(parts["aliases"]),
        aliases_outstanding=draw(parts["count"]),
        requests=draw(parts["count"]),
        bytes_read=draw(st.integers(0, 2**40)),
        duration_s=draw(seconds()),
        addresses=draw(looks()),
        families=draw(st.none() | st.sampled_from(Families)),
    )
