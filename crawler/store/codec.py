"""What a visit saw, as rows. Pure: no DuckDB, no numbers given out.

Apart from the writer, so that what lands in which column can be read, and tested, without a file. A row is a dict from
column to value, in any order; times are aware datetimes, JSON columns hold JSON text.

Parsers have cleaned and capped remote text already. It is done once more here, since one text that DuckDB cannot store
would lose a whole batch of other servers' observations.
"""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, assert_never

from crawler.errors import Failure
from crawler.model.client_side import SupportContact
from crawler.model.discovery import WellKnownFacts
from crawler.model.observation import (
    Attempt,
    Certificate,
    Failed,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
    Timings,
)
from crawler.model.rooms import DirectoryResult, DirectoryState, PublicRoom, SpaceAnswer, SpaceChild
from crawler.protocol.json_body import clean_text, count_of
from crawler.protocol.software import normalise

Row: TypeAlias = dict[str, Any]

IDENTIFIER = 255
"""Most characters of room IDs, aliases, room types, header and certificate names, error codes."""
SOFTWARE = 256
ROOM_NAME = 255
TOPIC = 4096
URL = 1024
LINE = 2000
"""Most characters of one line of a resolution step, which may quote a list of records."""
DETAIL = 300
KEYS = 100
NAMES = 100
"""Names of one certificate."""
SPEC_VERSIONS = 200
FEATURES = 1000
RTC_FOCI = 20
CONTACTS = 20


def observation_row(crawl_id: int, server_id: int, seen: ServerObservation) -> Row:
    """The rows of `visit` and of `seen_server` in one: each table takes its columns."""
    fell_out = seen.fell_out
    return {
        "crawl_id": crawl_id,
        "server_id": server_id,
        "observed_at": seen.observed_at,
        "branch": seen.resolution.branch,
        "delegated": None if seen.resolution.delegated is None else seen.resolution.delegated.raw,
        "resolves": seen.resolves,
        "reachable": seen.reachable,
        "secure": seen.secure,
        "online": seen.online,
        "federating": seen.federating,
        "accepting": seen.accepting,
        "listing": seen.listing,
        "failed_phase": None if fell_out is None else fell_out.phase,
        "failed_kind": None if fell_out is None else fell_out.kind,
        "aliases_outstanding": seen.aliases_outstanding,
        "requests": seen.requests,
        "bytes_read": seen.bytes_read,
        "duration_s": seen.duration_s,
        "families": seen.families,
        **_endpoint_columns(seen),
        **_tls_columns(seen),
        **_version_columns(seen),
        **_key_columns(seen),
        **_client_columns(seen),
        **_directory_columns(seen.directory),
    }


def _endpoint_columns(seen: ServerObservation) -> Row:
    used = seen.endpoint
    return {
        "address": None if used is None else used.address,
        "port": None if used is None else used.port,
        "host_header": None if used is None else clean_text(used.host_header, IDENTIFIER),
        "tls_name": None if used is None else clean_text(used.tls_name, IDENTIFIER),
    }


def _tls_columns(seen: ServerObservation) -> Row:
    facts = seen.tls.value if isinstance(seen.tls, Ok) else None
    return {
        "tls_protocol": None if facts is None else clean_text(facts.protocol, IDENTIFIER),
        "tls_cipher": None if facts is None else clean_text(facts.cipher, IDENTIFIER),
        "tls_issuer": None if facts is None else clean_text(facts.issuer, IDENTIFIER),
        "tls_not_after": None if facts is None else facts.not_after,
        "tls_fingerprint": None if facts is None else clean_text(facts.fingerprint_sha256, IDENTIFIER),
    }


def _version_columns(seen: ServerObservation) -> Row:
    said = seen.version.value if isinstance(seen.version, Ok) else None
    name = None if said is None else clean_text(said.name, SOFTWARE)
    version = None if said is None else clean_text(said.version, SOFTWARE)
    software, number = normalise(name, version, seen.server_name)
    return {"software_raw": name, "version_raw": version, "software": software, "version": number}


def _key_columns(seen: ServerObservation) -> Row:
    document = seen.keys.value if isinstance(seen.keys, Ok) else None
    return {
        "verify_keys": _verify_keys(seen.keys),
        "keys_valid_until": None if document is None else document.valid_until,
    }


def _verify_keys(attempt: Attempt[KeyDocument]) -> str | None:
    if not isinstance(attempt, Ok):
        return None
    keys = {
        clean_text(key_id, IDENTIFIER): clean_text(key, IDENTIFIER)
        for key_id, key in list(attempt.value.verify_keys.items())[:KEYS]
    }
    return json.dumps(keys)


def _client_columns(seen: ServerObservation) -> Row:
    published = seen.client_well_known.value if isinstance(seen.client_well_known, Ok) else None
    answer = seen.client_versions.value if isinstance(seen.client_versions, Ok) else None
    said: Row = {
        "client_base": None if published is None else clean_text(published.base_url, URL),
        "identity_server": None if published is None else clean_text(published.identity_server, URL),
        "rtc_foci": None
        if published is None
        else json.dumps([clean_text(url, URL) for url in published.rtc_foci[:RTC_FOCI]]),
        "sliding_sync_proxy": None if published is None else clean_text(published.sliding_sync_proxy, URL),
        "oauth_issuer": None if published is None else clean_text(published.oauth_issuer, URL),
        "support_published": seen.support.value is not None if isinstance(seen.support, Ok) else None,
    }
    if answer is None:
        return {**said, "spec_versions": None, "unstable_features": None}
    versions = [clean_text(version, IDENTIFIER) for version in answer.versions[:SPEC_VERSIONS]]
    features = {
        clean_text(name, IDENTIFIER): enabled for name, enabled in list(answer.unstable_features.items())[:FEATURES]
    }
    return {
        **said,
        "spec_versions": json.dumps(versions),
        "unstable_features": json.dumps(features),
    }


def _directory_columns(read: DirectoryResult) -> Row:
    answered = read.state in (DirectoryState.OPEN, DirectoryState.OPEN_EMPTY) or bool(read.rooms)
    return {
        "directory_state": read.state,
        "directory_way": read.way,
        "directory_rooms": len(unique_rooms(read.rooms)) if answered else None,
        "directory_pages": read.pages,
        "directory_stopped": read.stopped,
        "directory_estimate": count_of(read.total_estimate),
        "directory_noindex": read.noindex,
    }


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
            "verify_keys": _verify_keys(look.keys),
        }


def _names(leaf: Certificate) -> str:
    return json.dumps([clean_text(name, IDENTIFIER) for name in leaf.names[:NAMES]])


def _failed_kind(attempt: Attempt[Any]) -> str | None:
    return attempt.failure.kind if isinstance(attempt, Failed) else None


def unique_rooms(read: Iterable[PublicRoom]) -> dict[str, PublicRoom]:
    """The rooms by the ID they are stored under. Two IDs that differ only in what cannot be stored are one; the first
    counts, as it does in the directory."""
    rooms: dict[str, PublicRoom] = {}
    for room in read:
        rooms.setdefault(stored_room_id(room.room_id), room)
    return rooms


def stored_room_id(room_id: str) -> str:
    """A room ID as it is stored: verbatim, but for lone surrogates, which no valid ID holds."""
    return clean_text(room_id, IDENTIFIER) or ""


def listing_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `seen_listing`."""
    for room_id, room in unique_rooms(seen.directory.rooms).items():
        yield {"crawl_id": crawl_id, "server_id": server_id, "room_id": room_id, **_room_columns(room)}


def _room_columns(room: PublicRoom) -> Row:
    return {
        "members": count_of(room.members),
        "name": clean_text(room.name, ROOM_NAME),
        "topic": clean_text(room.topic, TOPIC),
        "canonical_alias": clean_text(room.canonical_alias, IDENTIFIER),
        "join_rule": clean_text(room.join_rule, IDENTIFIER),
        "room_type": clean_text(room.room_type, IDENTIFIER),
        "world_readable": room.world_readable,
        "guest_can_join": room.guest_can_join,
    }


def unlisted_room_rows(crawl_id: int, server_id: int, rooms: Iterable[PublicRoom], found_by: str) -> Iterator[Row]:
    """Rows of `unlisted_room`."""
    for room_id, room in unique_rooms(rooms).items():
        columns = _room_columns(room)
        yield {"crawl_id": crawl_id, "server_id": server_id, "room_id": room_id, "found_by": found_by, **columns}


def space_child_rows(crawl_id: int, named_by: int, told: SpaceAnswer) -> Iterator[Row]:
    """The rows of `space_child` of one space."""
    space_id = stored_room_id(told.space_id)
    for child_id in dict.fromkeys(stored_room_id(child.room_id) for child in told.children):
        yield {"crawl_id": crawl_id, "space_id": space_id, "child_id": child_id, "named_by": named_by}


def space_row(crawl_id: int, named_by: int, told: SpaceAnswer) -> Row:
    """The row of `seen_space`: what of an answer says where to look further."""
    answer = {
        "space": stored_room_id(told.space_id),
        "children": [
            [stored_room_id(child.room_id), [clean_text(via, IDENTIFIER) for via in child.via]]
            for child in told.children
        ],
        "rooms": [[stored_room_id(room.room_id), clean_text(room.room_type, IDENTIFIER)] for room in told.rooms],
        "inaccessible": [stored_room_id(room_id) for room_id in told.inaccessible],
    }
    return {"crawl_id": crawl_id, "named_by": named_by, "answer": json.dumps(answer)}


def space_answer(document: Any) -> SpaceAnswer:
    """What `space_row` kept."""
    return SpaceAnswer(
        space_id=document["space"],
        children=tuple(SpaceChild(room_id, tuple(via)) for room_id, via in document["children"]),
        rooms=tuple(PublicRoom(room_id, None, room_type=kind) for room_id, kind in document["rooms"]),
        inaccessible=tuple(document["inaccessible"]),
    )


def answer_row(crawl_id: int, answer_id: int, named_by: int, room_id: str) -> Row:
    """The row of `seen_answer`."""
    return {"crawl_id": crawl_id, "answer_id": answer_id, "named_by": named_by, "room_id": room_id}


def participation_rows(crawl_id: int, answer_id: int, servers: Iterable[int]) -> Iterator[Row]:
    """The rows of `seen_participation` of one answer, for the servers of these numbers."""
    for server_id in sorted(servers):
        yield {"crawl_id": crawl_id, "answer_id": answer_id, "server_id": server_id}
