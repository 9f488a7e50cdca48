"""From an inspection that was judged to the document that tells of it.

Apart from `document`, which is the shape alone: what programs rely on.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from crawler.engine.document import (
    FORMAT,
    AddressDocument,
    AddressFactsDocument,
    CheckDocument,
    ClientDocument,
    DirectoryDocument,
    FailureDocument,
    NamedFailure,
    ResolutionDocument,
    StepDocument,
    Tried,
)
from crawler.errors import Failure
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support
from crawler.model.close_look import Inspection, PresentedTls
from crawler.model.discovery import AddressFacts, Facts, Resolution, SrvFacts, Step, WellKnownFacts
from crawler.model.observation import (
    AddressLook,
    Attempt,
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import DirectoryResult, Stopped
from crawler.model.verdict import Counted, Finding

T = TypeVar("T")


def check_document(seen: Inspection, findings: tuple[Finding, ...], counted: Counted) -> CheckDocument:
    """The document of an inspection that was judged."""
    visit = seen.observation
    return CheckDocument(
        format=FORMAT,
        server_name=visit.server_name.raw,
        observed_at=visit.observed_at,
        took_s=seen.duration_s,
        requests=seen.requests,
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
            login_flows=Tried[tuple[str, ...]](**_tried(seen.client.login_flows)),
            oauth=Tried[OAuthMetadata](**_tried(seen.client.oauth)),
            support=Tried[Support](**_tried(visit.support)),
            policy_server=Tried[Mapping[str, str]](**_tried(seen.client.policy_server)),
            robots=Tried[str](**_tried(seen.client.robots)),
            client_robots=Tried[str](**_tried(seen.client.client_robots)),
            registration=Tried[Registration](**_tried(seen.client.registration)),
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
        facts=_facts(step.facts),
        cached_at=step.cached_at,
    )


def _facts(facts: Facts | None) -> WellKnownFacts | SrvFacts | AddressFactsDocument | None:
    if not isinstance(facts, AddressFacts):
        return facts
    return AddressFactsDocument(
        port=facts.port,
        is_srv_target=facts.is_srv_target,
        usable=facts.usable,
        refused=facts.refused,
        cname=facts.cname,
        other_failure=_maybe(facts.other_failure),
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
