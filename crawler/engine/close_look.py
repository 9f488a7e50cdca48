"""The close look: every address of a server, asked as if it were the only one.

Part of depth `check`, and of a crawl for the servers whose turn it is (`rotation`). Apart from the visit, which is
content with the first address that works and so never sees that the others do not, or say something else.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import trio

from crawler.config import Limits
from crawler.engine.judge import parsed
from crawler.model.discovery import Endpoint
from crawler.model.names import ServerName
from crawler.model.observation import (
    AddressLook,
    Attempt,
    Failed,
    Families,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
)
from crawler.net.session import Session
from crawler.net.transport import Connection
from crawler.protocol import federation

T = TypeVar("T")

NOT_REACHED = Skipped(SkipReason.NOT_REACHED)


async def look_at_addresses(session: Session, seen: ServerObservation, limits: Limits) -> tuple[AddressLook, ...]:
    """Ask the endpoints of a resolution, together, each at its address's pace and within the visit's budget.

    Args:
        session: of the visit.
        seen: what the visit saw. What it asked of the endpoint it used is not asked again.
        limits: `close_look_addresses` bounds how many.

    Returns:
        One look for each endpoint that was chosen, in the order of endpoints.
    """
    chosen = choose(seen.resolution.endpoints, limits.close_look_addresses)
    looks: dict[Endpoint, AddressLook] = {}

    async def look(endpoint: Endpoint) -> None:
        if endpoint == seen.endpoint:
            looks[endpoint] = await _look_again(session, endpoint, seen)
        else:
            looks[endpoint] = await _look(session, endpoint, seen.server_name, seen.observed_at, limits)

    async with trio.open_nursery() as nursery:
        for endpoint in chosen:
            nursery.start_soon(look, endpoint)
    return tuple(looks[endpoint] for endpoint in chosen)


def choose(endpoints: Sequence[Endpoint], at_most: int) -> tuple[Endpoint, ...]:
    """The first `at_most` endpoints, in their order; where there are more, each family has half, or what the other
    leaves."""
    of_v6 = [endpoint for endpoint in endpoints if ":" in endpoint.address]
    of_v4 = [endpoint for endpoint in endpoints if ":" not in endpoint.address]
    v6_count = max(at_most - len(of_v4), (at_most + 1) // 2)
    kept = set(of_v6[:v6_count])
    kept.update(of_v4[: at_most - len(kept)])
    return tuple(endpoint for endpoint in endpoints if endpoint in kept)


async def _look_again(session: Session, endpoint: Endpoint, seen: ServerObservation) -> AddressLook:
    """The endpoint of the visit: only what it presents is still to be seen."""
    presented = session.connection(endpoint).presented()
    if not isinstance(presented, Ok) and isinstance(seen.tcp, Ok):
        presented = await session.look_unverified(endpoint, _verify_code(seen.tls))
    return AddressLook(endpoint, seen.tcp, seen.tls, presented, seen.version, seen.keys)


async def _look(
    session: Session, endpoint: Endpoint, name: ServerName, observed_at: datetime, limits: Limits
) -> AddressLook:
    async with session.apart(endpoint) as connection:
        await connection.connect()
        tcp, tls, presented = connection.tcp, connection.tls, connection.presented()
        if not isinstance(tls, Ok):
            if isinstance(tcp, Ok):
                presented = await session.look_unverified(endpoint, _verify_code(tls))
            return AddressLook(endpoint, tcp, tls, presented, NOT_REACHED, NOT_REACHED)

        async def ask(uri: str, parse: Callable[[bytes], T]) -> Attempt[T]:
            return await _ask(session, connection, endpoint, uri, parse, limits)

        version = await ask(federation.VERSION_URI, federation.parse_version)
        keys = await ask(federation.KEYS_URI, lambda body: federation.parse_key_document(body, name, observed_at))
        return AddressLook(endpoint, tcp, tls, presented, version, keys)


async def _ask(
    session: Session,
    connection: Connection,
    endpoint: Endpoint,
    uri: str,
    parse: Callable[[bytes], T],
    limits: Limits,
) -> Attempt[T]:
    # Not patiently: an address that has had enough of us (429) is left alone, and its failure says so.
    attempt = await session.request(
        connection, uri, host_header=endpoint.host_header, body_limit_bytes=limits.body_bytes
    )
    return parsed(attempt, parse)


def _verify_code(tls: Attempt[object]) -> int | None:
    return tls.failure.verify_code if isinstance(tls, Failed) else None


def judge_families(looks: Sequence[AddressLook], has_route: Callable[[Endpoint], bool]) -> Families:
    """Which internet protocols reach the server, by `Families`' own rule.

    Args:
        looks: every address looked at.
        has_route: whether we could have reached an endpoint; asked only about a family that did not answer.
    """
    verified = any(isinstance(look.tls, Ok) for look in looks)
    answering = [look for look in looks if isinstance(look.tls if verified else look.tcp, Ok)]
    v6, v4 = (any(look.is_v6 is family for look in looks) for family in (True, False))
    v6_up, v4_up = (any(look.is_v6 is family for look in answering) for family in (True, False))
    dead = [look for look in looks if not (v6_up if look.is_v6 else v4_up)]
    if not looks or not all(has_route(look.endpoint) for look in dead):
        return Families.UNKNOWN
    if v6_up and v4_up:
        return Families.BOTH
    if v4_up:
        return Families.IPV6_BROKEN if v6 else Families.IPV4_ONLY
    if v6_up:
        return Families.IPV4_BROKEN if v4 else Families.IPV6_ONLY
    return Families.NEITHER


class Matter(StrEnum):
    """What the addresses of one server should say alike."""

    KEYS = "keys"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Split brain: addresses of one server that answer, and answer differently. `said` holds each answer, spelled for
    people, with the endpoints that gave it, in the order of endpoints."""

    matter: Matter
    said: tuple[tuple[str, tuple[Endpoint, ...]], ...]


def disagreements(looks: Sequence[AddressLook]) -> tuple[Disagreement, ...]:
    """In what the addresses disagree. Those that did not answer agree with everybody: they have failures of their
    own."""
    said: dict[Matter, defaultdict[str, list[Endpoint]]] = {matter: defaultdict(list) for matter in Matter}
    for look in looks:
        if isinstance(look.keys, Ok):
            keys = sorted(look.keys.value.verify_keys.items())
            said[Matter.KEYS][", ".join(f"{key_id} {key}" for key_id, key in keys)].append(look.endpoint)
        if isinstance(look.version, Ok):
            software = look.version.value
            words = f"{software.name or 'no name'} {software.version or 'without a version'}"
            said[Matter.VERSION][words].append(look.endpoint)
    return tuple(
        Disagreement(matter, tuple((words, tuple(endpoints)) for words, endpoints in answers.items()))
        for matter, answers in said.items()
        if len(answers) > 1
    )
