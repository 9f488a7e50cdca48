"""What a visit attempted and how it went, as rows of the journal. Pure, as `codec` is, which has what came of it."""

import json
import math
from collections.abc import Iterator
from typing import Any, assert_never

from crawler.errors import Failure
from crawler.model.client_side import SupportContact
from crawler.model.discovery import WellKnownFacts
from crawler.model.observation import Attempt, Certificate, Failed, Ok, ServerObservation, Skipped, SkipReason, Timings
from crawler.model.rooms import DirectoryResult, DirectoryState
from crawler.protocol.json_body import clean_text, count_of
from crawler.store.caps import CONTACTS, DETAIL, IDENTIFIER, LINE, NAMES, SOFTWARE, URL
from crawler.store.codec import key_map
from crawler.store.codec_rooms import Row


def attempt_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `attempt`, in the order of the visit."""
    outcomes = (
        ("resolution", _resolution_outcome(seen)),
        *((what, _outcome(attempt)) for what, attempt in seen.attempts),
        ("directory", _directory_outcome(seen.directory)),
    )
    for ordinal, (what, outcome) in enumerate(outcomes):
        yield {"crawl_id": crawl_id, "server_id": server_id, "ordinal": ordinal, "what": what, **outcome}


def _outcome(attempt: Attempt[Any]) -> Row:
    match attempt:
        case Ok(_, timings):
            return _attempt("ok", timings=timings)
        case Failed(failure, timings):
            return _attempt("failed", failure=failure, timings=timings)
        case Skipped(reason):
            return _attempt("skipped", skip_reason=reason)
        case _:
            assert_never(attempt)


def _resolution_outcome(seen: ServerObservation) -> Row:
    timings = Timings(math.fsum(step.duration_s for step in seen.resolution.steps))
    if seen.resolution.failure is not None:
        return _attempt("failed", failure=seen.resolution.failure, timings=timings)
    if seen.resolves:
        return _attempt("ok", timings=timings)
    return _attempt("skipped", skip_reason=SkipReason.NOT_REACHED)


def _directory_outcome(read: DirectoryResult) -> Row:
    if read.state is DirectoryState.SKIPPED:
        return _attempt("skipped", skip_reason=clean_text(read.skipped_because, IDENTIFIER))
    if read.failure is not None or read.state not in (DirectoryState.OPEN, DirectoryState.OPEN_EMPTY):
        return _attempt("failed", failure=read.failure)
    return _attempt("ok")


def _attempt(
    outcome: str, *, failure: Failure | None = None, skip_reason: str | None = None, timings: Timings | None = None
) -> Row:
    return {
        "outcome": outcome,
        "failed_phase": None if failure is None else failure.phase,
        "failed_kind": None if failure is None else failure.kind,
        "detail": _detail(failure),
        "http_status": None if failure is None else count_of(failure.http_status, 999),
        "errcode": None if failure is None else clean_text(failure.errcode, IDENTIFIER),
        "skip_reason": skip_reason,
        "total_s": None if timings is None else timings.total_s,
        "tcp_s": None if timings is None else timings.tcp_s,
        "tls_s": None if timings is None else timings.tls_s,
        "first_byte_s": None if timings is None else timings.first_byte_s,
    }


def _detail(failure: Failure | None) -> str | None:
    return None if failure is None else clean_text(failure.detail, DETAIL) or None


def support_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `support_contact`. A document with a page alone is one row."""
    support = seen.support.value if isinstance(seen.support, Ok) else None
    if support is None:
        return
    for ordinal, contact in enumerate(support.contacts[:CONTACTS] or (SupportContact(""),)):
        yield {
            "server_id": server_id,
            "crawl_id": crawl_id,
            "ordinal": ordinal,
            "role": clean_text(contact.role, IDENTIFIER),
            "matrix_id": clean_text(contact.matrix_id, IDENTIFIER),
            "email_address": clean_text(contact.email_address, IDENTIFIER),
            "support_page": clean_text(support.support_page, URL),
        }


def step_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `resolution_step`."""
    for ordinal, step in enumerate(seen.resolution.steps):
        statuses = step.facts.redirect_statuses if isinstance(step.facts, WellKnownFacts) else None
        yield {
            "crawl_id": crawl_id,
            "server_id": server_id,
            "ordinal": ordinal,
            "question": step.question,
            "subject": clean_text(step.subject, LINE),
            "answer": clean_text(step.answer, LINE),
            "conclusion": clean_text(step.conclusion, LINE),
            "failed_kind": None if step.failure is None else step.failure.kind,
            "detail": _detail(step.failure),
            "duration_s": step.duration_s,
            "cache_s": step.cache_s,
            "cached_at": step.cached_at,
            "redirect_statuses": None if statuses is None else json.dumps(statuses),
        }


def endpoint_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `endpoint`."""
    for ordinal, endpoint in enumerate(seen.resolution.endpoints):
        yield {
            "crawl_id": crawl_id,
            "server_id": server_id,
            "ordinal": ordinal,
            "address": endpoint.address,
            "port": endpoint.port,
            "host_header": clean_text(endpoint.host_header, IDENTIFIER),
            "tls_name": clean_text(endpoint.tls_name, IDENTIFIER),
            "via": endpoint.via,
        }


def address_look_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `address_look`. `ordinal` is that of the endpoint's row, so that gaps are addresses not looked at."""
    place = {endpoint: ordinal for ordinal, endpoint in enumerate(seen.resolution.endpoints)}
    for ordinal, look in enumerate(seen.addresses):
        presented = look.presented.value if isinstance(look.presented, Ok) else None
        leaf = presented.chain[0] if presented is not None else None
        said = look.version.value if isinstance(look.version, Ok) else None
        yield {
            "crawl_id": crawl_id,
            "server_id": server_id,
            "ordinal": place.get(look.endpoint, ordinal),
            "address": look.endpoint.address,
            "port": look.endpoint.port,
            "tcp_failure": _failed_kind(look.tcp),
            "tls_failure": _failed_kind(look.tls),
            "verify_code": look.tls.failure.verify_code if isinstance(look.tls, Failed) else None,
            "version_failure": _failed_kind(look.version),
            "keys_failure": _failed_kind(look.keys),
            "tls_protocol": None if presented is None else clean_text(presented.protocol, IDENTIFIER),
            "tls_cipher": None if presented is None else clean_text(presented.cipher, IDENTIFIER),
            "tls_issuer": None if leaf is None else clean_text(leaf.issuer, IDENTIFIER),
            "tls_names": None if leaf is None else _names(leaf),
            "tls_not_after": None if leaf is None else leaf.not_after,
            "tls_fingerprint": None if leaf is None else clean_text(leaf.fingerprint_sha256, IDENTIFIER),
            "software_raw": None if said is None else clean_text(said.name, SOFTWARE),
            "version_raw": None if said is None else clean_text(said.version, SOFTWARE),
            "verify_keys": key_map(look.keys),
        }


def _names(leaf: Certificate) -> str:
    return json.dumps([clean_text(name, IDENTIFIER) for name in leaf.names[:NAMES]])


def _failed_kind(attempt: Attempt[Any]) -> str | None:
    return attempt.failure.kind if isinstance(attempt, Failed) else None
