"""What a reader gets: one dataclass for each kind of answer, its fields named as the columns of the schema.

The data dictionary (`data/README.md`) says what each means and when it is None. Remote text is raw: escape it where it
is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some of the rows that were asked for; `total` counts all of them."""

    rows: tuple[R, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many servers each predicate holds for, in one crawl.

    `known` were named by any lead or visited; `observed` were visited. `accepting` counts those known to accept, out of
    `accepting_asked` only: a crawl without an identity asks nobody, and says nothing about it.
    """

    known: int
    observed: int
    resolves: int
    reachable: int
    secure: int
    online: int
    federating: int
    accepting: int
    accepting_asked: int
    listing: int


@dataclass(frozen=True, slots=True)
class SoftwareCount:
    """Online servers that say they run this; None where they do not say. A version alone counts apart."""

    software: str | None
    version: str | None
    servers: int


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One server in a table of servers."""

    server_name: str
    observed_at: datetime
    software: str | None
    version: str | None
    resolves: bool
    reachable: bool
    secure: bool
    online: bool
    federating: bool
    accepting: bool | None
    listing: bool
    failed_phase: str | None
    failed_kind: str | None
    directory_state: str
    directory_rooms: int | None
    branch: str | None
    duration_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One visit: the columns of `server_observation`."""

    observed_at: datetime
    branch: str | None
    delegated: str | None
    address: str | None
    port: int | None
    host_header: str | None
    tls_name: str | None
    resolves: bool
    reachable: bool
    secure: bool
    online: bool
    federating: bool
    accepting: bool | None
    listing: bool
    failed_phase: str | None
    failed_kind: str | None
    software_raw: str | None
    version_raw: str | None
    software: str | None
    version: str | None
    verify_keys: Mapping[str, str] | None
    keys_valid_until: datetime | None
    tls_protocol: str | None
    tls_cipher: str | None
    tls_issuer: str | None
    tls_not_after: datetime | None
    tls_fingerprint: str | None
    client_base: str | None
    identity_server: str | None
    rtc_foci: tuple[str, ...] | None
    sliding_sync_proxy: str | None
    oauth_issuer: str | None
    support_published: bool | None
    spec_versions: tuple[str, ...] | None
    unstable_features: Mapping[str, bool] | None
    directory_state: str
    directory_way: str | None
    directory_rooms: int | None
    directory_pages: int
    directory_stopped: str | None
    directory_estimate: int | None
    directory_noindex: int
    aliases_outstanding: int
    requests: int
    bytes_read: int
    duration_s: float
    families: str | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt of a visit: the columns of `attempt`."""

    what: str
    outcome: str
    failed_phase: str | None
    failed_kind: str | None
    detail: str | None
    http_status: int | None
    errcode: str | None
    skip_reason: str | None
    total_s: float | None
    tcp_s: float | None
    tls_s: float | None
    first_byte_s: float | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One question of a resolution: the columns of `resolution_step`."""

    question: str
    subject: str
    answer: str
    conclusion: str
    failed_kind: str | None
    detail: str | None
    duration_s: float
    cache_s: float | None
    cached_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One place to connect to: the columns of `endpoint`."""

    address: str
    port: int
    host_header: str
    tls_name: str
    via: str


@dataclass(frozen=True, slots=True)
class AddressLookRow:
    """One address asked for itself: the columns of `address_look`."""

    ordinal: int
    address: str
    port: int
    tcp_failure: str | None
    tls_failure: str | None
    verify_code: int | None
    version_failure: str | None
    keys_failure: str | None
    tls_protocol: str | None
    tls_cipher: str | None
    tls_issuer: str | None
    tls_names: tuple[str, ...] | None
    tls_not_after: datetime | None
    tls_fingerprint: str | None
    software_raw: str | None
    version_raw: str | None
    verify_keys: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class LeadRow:
    """Who named a server: `named_by` is a server name, None for seeds; `count` sums over that server's answers."""

    source: str
    named_by: str | None
    count: int


@dataclass(frozen=True, slots=True)
class ServerDetail:
    """All about one server in one crawl. `observation` is None when it was named but not visited; `leads` are those
    that count most, of `leads_total`; `addresses` are there only when it was its turn to be looked at closely;
    `participations` counts the rooms that others say it is in."""

    server_name: str
    crawl_id: int
    observation: Observation | None
    attempts: tuple[AttemptRow, ...]
    steps: tuple[StepRow, ...]
    endpoints: tuple[EndpointRow, ...]
    addresses: tuple[AddressLookRow, ...]
    listings: int
    participations: int
    leads: tuple[LeadRow, ...]
    leads_total: int


@dataclass(frozen=True, slots=True)
class RoomRow:
    """One room in a table of rooms: the columns of the view `room`."""

    room_id: str
    directories: int
    members: float | None
    members_min: int | None
    members_max: int | None
    name: str | None
    topic: str | None
    canonical_alias: str | None
    join_rule: str | None
    room_type: str | None
    world_readable: bool | None
    guest_can_join: bool | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a serving file is: the columns of `snapshot`."""

    snapshot_id: str
    crawl_id: int
    published_at: datetime
    schema_version: int
    crawls: int
    censuses: int
    synthetic: bool
    content_sha256: str
