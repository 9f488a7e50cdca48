"""Observations made by hand, for tests of what is pure."""

from dataclasses import replace
from datetime import UTC, datetime

from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Branch, Endpoint, Resolution
from crawler.model.names import ServerName, parse_server_name
from crawler.model.observation import (
    Failed,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState, DirectoryWay, PublicRoom, Stopped

WHEN = datetime(2026, 11, 24, tzinfo=UTC)


def server(text: str) -> ServerName:
    return parse_server_name(text)


def online(name: str, rooms: tuple[PublicRoom, ...] = (), aliases: tuple[AliasAnswer, ...] = ()) -> ServerObservation:
    """A healthy server with these rooms in its directory."""
    endpoint = Endpoint("192.0.2.1", 8448, name, name, Branch.DEFAULT)
    return ServerObservation(
        server_name=server(name),
        observed_at=WHEN,
        resolution=Resolution(server(name), (), (endpoint,), Branch.DEFAULT),
        endpoint=endpoint,
        tcp=Ok(endpoint.address),
        tls=Ok(TlsFacts("TLSv1.3", "TLS_AES_128_GCM_SHA256", "A CA", WHEN, "00" * 32)),
        version=Ok(VersionInfo("Synapse", "1.100.0")),
        keys=Ok(KeyDocument({"ed25519:a": "k"}, (), WHEN)),
        client_well_known=Ok(None),
        client_versions=Skipped(SkipReason.NOT_NEEDED),
        support=Ok(None),
        directory=DirectoryResult(
            DirectoryState.OPEN if rooms else DirectoryState.OPEN_EMPTY,
            rooms,
            DirectoryWay.FEDERATION,
            1,
            Stopped.COMPLETE,
        ),
        signed_accepted=True,
        aliases=aliases,
    )


def dead(name: str, kind: FailureKind = FailureKind.DNS_NXDOMAIN) -> ServerObservation:
    """A name that does not resolve."""
    nothing = Skipped(SkipReason.NOT_REACHED)
    return ServerObservation(
        server_name=server(name),
        observed_at=WHEN,
        resolution=Resolution(server(name), (), (), failure=Failure(kind)),
        endpoint=None,
        tcp=nothing,
        tls=nothing,
        version=nothing,
        keys=nothing,
        client_well_known=Failed(Failure(kind)),
        client_versions=nothing,
        support=nothing,
        directory=DirectoryResult(DirectoryState.SKIPPED, skipped_because="not_reached"),
        signed_accepted=None,
    )


def room(room_id: str, members: int | None = 1, alias: str | None = None) -> PublicRoom:
    return PublicRoom(room_id, members, canonical_alias=alias)


def replaced(seen: ServerObservation, directory: DirectoryResult) -> ServerObservation:
    """The same server with another directory."""
    return replace(seen, directory=directory)
