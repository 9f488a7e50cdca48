"""The document of a check: what `check --json` prints and `/api/v1/check` answers, typed and versioned.

Pydantic makes the JSON and the JSON Schema out of one definition, so that neither can say what the other does not; the
schema is shipped as `data/schema/check.schema.json`. Where a part was asked for it is a `Tried`: absent, failed and
empty stay three things. Members are added, never renamed or taken away.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from crawler.errors import Failure, FailureKind, Phase
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support
from crawler.model.close_look import Families, Inspection, PresentedTls
from crawler.model.discovery import Branch, Endpoint, Question, Resolution, Step
from crawler.model.observation import (
    AddressLook,
    Attempt,
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import DirectoryResult, DirectoryState, DirectoryWay, Stopped
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
    requests: int
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


def check_document(seen: Inspection, findings: tuple[Finding, ...], counted: Counted) -> CheckDocument:
    """The document of an inspection that was judged."""
    visit = seen.observation
    return CheckDocument(
        format=FORMAT,
        server_name=visit.server_name.raw,
        observed_at=visit.observed_at,
        took_s=visit.duration_s,
        requests=visit.requests,
        federates=visit.federating,
        counted=counted,
        resolution=_resolution(visit.resolution),
        endpoint=visit.endpoint,
        tcp=Tried[str](**_tried(visit.tcp)),
        tls=Tried[TlsFacts](**_tried(visit.tls)),
        version=Tried[VersionInfo](**_tried(visit.version)),
        keys=Tried[KeyDocument](**_tried(visit.keys)),
        addresses=tuple(_address(look) for look in seen.addresses),
        families=seen.families,
        directory=_directory(visit.directory),
        signed_accepted=visit.signed_accepted,
        client=ClientDocument(
            well_known=Tried[ClientWellKnown](**_tried(visit.client_well_known)),
            versions=Tried[ClientVersions](**_tried(visit.client_versions)),
            login_flows=Tried[tuple[str, ...]](**_tried(seen.login_flows)),
            oauth=Tried[OAuthMetadata](**_tried(seen.oauth)),
            support=Tried[Support](**_tried(visit.support)),
            policy_server=Tried[Mapping[str, str]](**_tried(seen.policy_server)),
            robots=Tried[str](**_tried(seen.robots)),
            registration=Tried[Registration](**_tried(seen.registration)),
        ),
        failures=tuple(NamedFailure(what=what, **_failure_parts(failure)) for what, failure in visit.failures),
        conformance=findings,
    )


def directory_rooms(directory: DirectoryResult) -> int | None:
    """Rooms in the directory: as read when it was read whole, else as it estimates itself; None when not known."""
    if not directory.pages:
        return None
    return len(directory.rooms) if directory.stopped is Stopped.COMPLETE else directory.total_estimate


def _failure(failure: Failure) -> FailureDocument:
    return FailureDocument(**_failure_parts(failure))


def _failure_parts(failure: Failure) -> dict[str, Any]:
    return {
        "phase": failure.phase,
        "kind": failure.kind,
        "detail": failure.detail,
        "http_status": failure.http_status,
        "errcode": failure.errcode,
        "verify_code": failure.verify_code,
    }


def _maybe(failure: Failure | None) -> FailureDocument | None:
    return None if failure is None else _failure(failure)


def _tried(attempt: Attempt[T]) -> dict[str, Any]:
    match attempt:
        case Ok(value, timings):
            return {"outcome": "ok", "value": value, "took_s": timings.total_s}
        case Failed(failure, timings):
            return {"outcome": "failed", "failure": _failure(failure), "took_s": timings.total_s}
        case _:
            return {"outcome": "skipped", "skipped_because": attempt.reason}


def _resolution(resolution: Resolution) -> ResolutionDocument:
    return ResolutionDocument(
        branch=resolution.branch,
        delegated=resolution.delegated.raw if resolution.delegated else None,
        steps=tuple(_step(step) for step in resolution.steps),
        endpoints=resolution.endpoints,
        failure=_maybe(resolution.failure),
    )


def _step(step: Step) -> StepDocument:
    return StepDocument(
        question=step.question,
        subject=step.subject,
        answer=step.answer,
        conclusion=step.conclusion,
        failure=_maybe(step.failure),
        took_s=step.duration_s,
        cache_s=step.cache_s,
        cached_at=step.cached_at,
    )


def _address(look: AddressLook) -> AddressDocument:
    return AddressDocument(
        endpoint=look.endpoint,
        tcp=Tried[str](**_tried(look.tcp)),
        tls=Tried[TlsFacts](**_tried(look.tls)),
        presented=Tried[PresentedTls](**_tried(look.presented)),
        version=Tried[VersionInfo](**_tried(look.version)),
        keys=Tried[KeyDocument](**_tried(look.keys)),
    )


def _directory(directory: DirectoryResult) -> DirectoryDocument:
    return DirectoryDocument(
        state=directory.state,
        rooms=directory_rooms(directory),
        way=directory.way,
        skipped_because=directory.skipped_because,
        failure=_maybe(directory.failure),
    )
