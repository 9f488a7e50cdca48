"""What a visit found a server to be, as a row. Pure: no DuckDB, no numbers given out.

Apart from the writer, so that what lands in which column can be read, and tested, without a file. A row is a dict from
column to value, in any order; times are aware datetimes, JSON columns hold JSON text. What the visit attempted is in
`codec_journal`, the rooms that it met in `codec_rooms`.
"""

import json

from crawler.model.observation import Attempt, KeyDocument, Ok, ServerObservation
from crawler.model.rooms import DirectoryResult, DirectoryState
from crawler.protocol.json_body import clean_text, count_of
from crawler.protocol.software import normalise
from crawler.store.caps import FEATURES, IDENTIFIER, KEYS, RTC_FOCI, SOFTWARE, SPEC_VERSIONS, URL
from crawler.store.codec_rooms import Row, unique_rooms


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
        "verify_keys": key_map(seen.keys),
        "keys_valid_until": None if document is None else document.valid_until,
    }


def key_map(attempt: Attempt[KeyDocument]) -> str | None:
    """Key ID -> key, as JSON text; None where no key document was had."""
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
