"""The document of a check: what `check --json` prints and `/api/v1/check` answers, typed and versioned.

Pydantic makes the JSON and the JSON Schema out of one definition, so that neither can say what the other does not; the
schema is shipped as `data/schema/check.schema.json`. `telling` makes a document out of an inspection. Where a part was
asked for it is a `Tried`: absent, failed and empty stay three things. Members are added, never renamed or taken away.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from crawler.errors import FailureKind, Phase
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support
from crawler.model.close_look import Families, PresentedTls
from crawler.model.discovery import (
    Branch,
    Endpoint,
    Question,
    SrvFacts,
    WellKnownFacts,
)
from crawler.model.observation import (
    ClientVersions,
    KeyDocument,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import DirectoryState, DirectoryWay
from crawler.model.verdict import Counted, Finding

FORMAT: Literal["matrix-census/check/1"] = "matrix-census/check/1"

T = TypeVar("T")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class FailureDocument(_Part):
    """Why something failed."""

    phase: Phase
    kind: FailureKind
    detail: str
    """For people; may change its wording."""
    http_status: int | None
    errcode: str | None
    verify_code: int | None
    """OpenSSL's verify code, when a certificate was what failed."""


class Tried(_Part, Generic[T]):
    """One attempt. `value` is set when the outcome is ok, and null there when nothing is published; `failure` when it
    is failed, `skipped_because` when it is skipped."""

    outcome: Literal["ok", "failed", "skipped"]
    value: T | None = None
    failure: FailureDocument | None = None
    skipped_because: SkipReason | None = None
    took_s: float | None = None
    """Wall seconds; null when skipped."""


class AddressFactsDocument(_Part):
    """The addresses of one host at one port."""

    port: int
    is_srv_target: bool
    usable: tuple[str, ...]
    """To be tried, in this order."""
    refused: tuple[str, ...]
    """Private or special, never dialled."""
    cname: str | None
    """What the host is an alias of."""
    other_failure: FailureDocument | None
    """Why one family's look-up failed, where the other's did not."""


class StepDocument(_Part):
    """One question of the resolution."""

    question: Question
    subject: str
    answer: str
    conclusion: str
    """Why a branch was taken or left."""
    failure: FailureDocument | None
    took_s: float
    cache_s: float | None
    """How long the answer may be kept, seconds."""
    facts: WellKnownFacts | SrvFacts | AddressFactsDocument | None
    """What the answer says, for programs; null where there was none that could be judged."""
    cached_at: datetime | None
    """When the answer was heard, if it was kept from then; null for one just heard, as a check's always are."""


class ResolutionDocument(_Part):
    """The way from the name to the endpoints."""

    branch: Branch | None
    delegated: str | None
    steps: tuple[StepDocument, ...]
    endpoints: tuple[Endpoint, ...]
    failure: FailureDocument | None


class AddressDocument(_Part):
    """One address, asked as if it were the only one."""

    endpoint: Endpoint
    tcp: Tried[str]
    tls: Tried[TlsFacts]
    presented: Tried[PresentedTls]
    """What it presents, verified or not."""
    version: Tried[VersionInfo]
    keys: Tried[KeyDocument]


class DirectoryDocument(_Part):
    """The room directory, of which a check reads the first page alone."""

    state: DirectoryState
    rooms: int | None
    """As read when it was read whole, else as it estimates itself; null when not known."""
    way: DirectoryWay | None
    skipped_because: str | None
    failure: FailureDocument | None


class ClientDocument(_Part):
    """The client side."""

    well_known: Tried[ClientWellKnown]
    versions: Tried[ClientVersions]
    login_flows: Tried[tuple[str, ...]]
    oauth: Tried[OAuthMetadata]
    support: Tried[Support]
    policy_server: Tried[Mapping[str, str]]
    robots: Tried[str]
    """Text of robots.txt at the host of the server name, cut to its first half megabyte; null when there is none."""
    client_robots: Tried[str]
    """The same at the host of the client API; not needed when that is the same host."""
    registration: Tried[Registration]
    """Asked only when asked for."""


class NamedFailure(FailureDocument):
    """A failure, and of what."""

    what: str


class CheckDocument(_Part):
    """One server, checked as a federating server would, every step shown."""

    format: Literal["matrix-census/check/1"]
    server_name: str
    observed_at: datetime
    took_s: float
    """All of it, wall seconds."""
    requests: int
    """HTTP requests, all of it."""
    federates: bool
    """It is online and its key document verifies: other servers can talk to it."""
    counted: Counted
    resolution: ResolutionDocument
    endpoint: Endpoint | None
    """The one that was used."""
    tcp: Tried[str]
    tls: Tried[TlsFacts]
    version: Tried[VersionInfo]
    keys: Tried[KeyDocument]
    addresses: tuple[AddressDocument, ...]
    families: Families
    directory: DirectoryDocument
    signed_accepted: bool | None
    """Whether a signed request was accepted; null when none was made."""
    client: ClientDocument
    failures: tuple[NamedFailure, ...]
    """Everything that failed in the visit, in order."""
    conformance: tuple[Finding, ...]
