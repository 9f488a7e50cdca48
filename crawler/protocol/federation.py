"""The federation API, and the client API's look-ups of rooms, as the crawl uses them: what to ask (URIs) and what the
answers say (parsers).

Liberal where servers are known to differ (a missing or mistyped optional member is None), strict where identity hangs
on it (key documents). Every parser takes the bytes of a body and raises nothing but ProtocolError. Text is cut to the
lengths named here; identifiers are never cut, for a cut identifier is another one. Pages of a directory are parsed in
`directory`, what servers publish for clients in `client_side`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from crawler.errors import FailureKind, ProtocolError
from crawler.model.names import ServerName, is_room_id, try_server_name
from crawler.model.observation import KeyDocument, OldKey, VersionInfo
from crawler.model.rooms import AliasAnswer
from crawler.protocol.json_body import clean_text, count_of, parse_object
from crawler.protocol.signing import KEY_BYTES, decode_base64, encode_base64, signed_bytes, verify_bytes

VERSION_URI = "/_matrix/federation/v1/version"
KEYS_URI = "/_matrix/key/v2/server"
PUBLIC_ROOMS_PATH = "/_matrix/federation/v1/publicRooms"
CLIENT_PUBLIC_ROOMS_PATH = "/_matrix/client/v3/publicRooms"

MAX_SOFTWARE_TEXT = 256
MAX_KEYS = 100
MAX_ALGORITHMS = 20

_LATEST_TIME = datetime(9999, 1, 1, tzinfo=UTC)
"""Validity beyond it is cut to it: servers that mean "for ever" send times that no calendar has."""

_KEY_ID = re.compile(r"\Aed25519:[!-~]{1,100}\Z")
_ANY_KEY_ID = re.compile(r"\A([!-9;-~]{1,64}):[!-~]{1,100}\Z")
_ERRCODE = re.compile(r"\A[A-Za-z0-9_.]{1,100}\Z")


def public_rooms_uri(limit: int, since: str | None = None, include_all_networks: bool = False) -> str:
    """One page of a directory over federation. `limit` and `include_all_networks` are always sent: Rocket.Chat wants
    both."""
    query = {"limit": str(limit), "include_all_networks": "true" if include_all_networks else "false"}
    return _with_query(PUBLIC_ROOMS_PATH, query, since)


def client_public_rooms_uri(limit: int, since: str | None = None) -> str:
    """One page of a server's own directory over the client API, without a token."""
    return _with_query(CLIENT_PUBLIC_ROOMS_PATH, {"limit": str(limit)}, since)


def _with_query(path: str, query: dict[str, str], since: str | None) -> str:
    full = query if since is None else {**query, "since": since}
    return f"{path}?{urlencode(full, quote_via=quote, safe='')}"


def alias_uri(alias: str) -> str:
    """Look up `alias` by the client API, which wants no account for it."""
    return f"/_matrix/client/v3/directory/room/{quote(alias, safe='')}"


def parse_version(body: bytes) -> VersionInfo:
    """`GET /_matrix/federation/v1/version`; both members of `server` are optional, and so is `server`.

    Raises:
        ProtocolError: JSON_INVALID, JSON_SHAPE.
    """
    server = parse_object(body).get("server")
    if not isinstance(server, dict):
        return VersionInfo(None, None)
    return VersionInfo(
        clean_text(server.get("name"), MAX_SOFTWARE_TEXT), clean_text(server.get("version"), MAX_SOFTWARE_TEXT)
    )


def parse_key_document(body: bytes, server_name: ServerName, now: datetime) -> KeyDocument:
    """`GET /_matrix/key/v2/server`, verified as a federating server does, in this order.

    The name is compared in ASCII lower case, which is the identity of a server here: else one stranger who spells a
    name in capitals would make its server look broken. The signature is looked for under the document's own spelling.
    Of several signatures by keys of the document one must hold. Keys of other algorithms than ed25519 are skipped, but
    for the name of their algorithm.

    Raises:
        ProtocolError: JSON_INVALID, JSON_SHAPE (a member missing or mistyped, no canonical spelling), KEYS_WRONG_NAME,
            KEYS_NO_KEY (no ed25519 key, or one that is no key), KEYS_NO_SIGNATURE (none by a key of the document),
            KEYS_BAD_SIGNATURE, KEYS_EXPIRED.
    """
    document = parse_object(body)
    own_name = document.get("server_name")
    if not isinstance(own_name, str):
        raise _shape("server_name is no string")
    if not own_name.isascii() or own_name.lower() != server_name.key:
        raise ProtocolError(FailureKind.KEYS_WRONG_NAME, f"the key document is of {own_name[:255]!r}")
    verify_keys = _verify_keys(document)
    signed_by, broken = _check_self_signature(document, own_name, verify_keys)
    valid_until_ms = document.get("valid_until_ts")
    if not isinstance(valid_until_ms, int) or isinstance(valid_until_ms, bool):
        raise _shape("valid_until_ts is no integer")
    if valid_until_ms <= now.timestamp() * 1000:
        raise ProtocolError(FailureKind.KEYS_EXPIRED, f"the key document expired at {valid_until_ms} ms")
    return KeyDocument(
        verify_keys,
        tuple(_old_keys(document)),
        _time(valid_until_ms),
        own_name,
        _algorithms(document),
        tuple(signed_by),
        tuple(broken),
    )


def parse_key_owner(body: bytes) -> str:
    """The server that a key document says it is of; nothing else of it is looked at.

    Raises:
        ProtocolError: JSON_INVALID, JSON_SHAPE.
    """
    own_name = parse_object(body).get("server_name")
    if not isinstance(own_name, str):
        raise _shape("server_name is no string")
    return own_name


def _verify_keys(document: Mapping[str, Any]) -> dict[str, str]:
    declared = document.get("verify_keys")
    if not isinstance(declared, dict):
        raise _shape("verify_keys is no object")
    keys: dict[str, str] = {}
    for key_id, entry in declared.items():
        if not _KEY_ID.match(key_id):
            continue
        key = _key(entry)
        if key is None:
            raise ProtocolError(FailureKind.KEYS_NO_KEY, f"{key_id} is no key of {KEY_BYTES} bytes in base64")
        keys[key_id] = key
    if not keys:
        raise ProtocolError(FailureKind.KEYS_NO_KEY, "verify_keys holds no ed25519 key")
    if len(keys) > MAX_KEYS:
        raise _shape(f"verify_keys holds {len(keys)} keys, more than {MAX_KEYS}")
    return keys


def _key(entry: Any) -> str | None:
    """The key in a member of `verify_keys` or `old_verify_keys`, as we spell it; None when it holds none."""
    text = entry.get("key") if isinstance(entry, dict) else None
    try:
        key = decode_base64(text) if isinstance(text, str) else b""
    except ProtocolError:
        return None
    return encode_base64(key) if len(key) == KEY_BYTES else None


def _check_self_signature(
    document: Mapping[str, Any], own_name: str, verify_keys: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """The keys whose signature holds, at least one, and those whose does not."""
    signatures = document.get("signatures")
    own = signatures.get(own_name) if isinstance(signatures, dict) else None
    signing_keys = [key_id for key_id in verify_keys if isinstance(own, dict) and isinstance(own.get(key_id), str)]
    if not isinstance(own, dict) or not signing_keys:
        raise ProtocolError(FailureKind.KEYS_NO_SIGNATURE, "no signature by a key of the document itself")
    message = signed_bytes(document)
    good = [key_id for key_id in signing_keys if verify_bytes(message, own[key_id], verify_keys[key_id])]
    if not good:
        raise ProtocolError(FailureKind.KEYS_BAD_SIGNATURE, f"the signature by {signing_keys[0]} does not hold")
    return good, [key_id for key_id in signing_keys if key_id not in good]


def _old_keys(document: Mapping[str, Any]) -> Iterator[OldKey]:
    old = document.get("old_verify_keys")
    entries = old if isinstance(old, dict) else {}
    for key_id in [key_id for key_id in entries if _KEY_ID.match(key_id)][:MAX_KEYS]:
        entry = entries[key_id]
        expired_ms = count_of(entry.get("expired_ts"), 2**63) if isinstance(entry, dict) else None
        yield OldKey(key_id, _key(entry), None if expired_ms is None else _time(expired_ms))


def _algorithms(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Of current and old keys; what is no key ID has none."""
    sections = (document.get("verify_keys"), document.get("old_verify_keys"))
    key_ids = (key_id for section in sections if isinstance(section, dict) for key_id in section)
    found = {match[1] for key_id in key_ids if (match := _ANY_KEY_ID.match(key_id))}
    return tuple(sorted(found)[:MAX_ALGORITHMS])


def _time(milliseconds: int) -> datetime:
    try:
        return min(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds), _LATEST_TIME)
    except OverflowError:
        return _LATEST_TIME


def parse_alias_answer(body: bytes, alias: str, max_servers: int) -> AliasAnswer:
    """What the look-up of `alias` says. Of `servers`, what is no server name is left out, each server is kept once in
    its first spelling, and no more than `max_servers` are.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when `room_id` is no room ID.
    """
    document = parse_object(body)
    room_id = document.get("room_id")
    if not isinstance(room_id, str) or not is_room_id(room_id):
        raise _shape("room_id is no room ID")
    named = document.get("servers")
    servers: dict[str, str] = {}
    for text in named if isinstance(named, list) else ():
        if len(servers) >= max_servers:
            break
        name = try_server_name(text) if isinstance(text, str) else None
        if name is not None:
            servers.setdefault(name.key, name.raw)
    return AliasAnswer(alias, room_id, tuple(servers.values()))


def parse_errcode(body: bytes) -> str | None:
    """The `errcode` of a Matrix error body; None when it is none, whatever else it is."""
    try:
        errcode = parse_object(body).get("errcode")
    except ProtocolError:
        return None
    return errcode if isinstance(errcode, str) and _ERRCODE.match(errcode) else None


def parse_retry_after_s(body: bytes) -> float | None:
    """`retry_after_ms` of an M_LIMIT_EXCEEDED body, in seconds; None when it does not say."""
    try:
        milliseconds = count_of(parse_object(body).get("retry_after_ms"))
    except ProtocolError:
        return None
    return None if milliseconds is None else milliseconds / 1000


def _shape(what: str) -> ProtocolError:
    return ProtocolError(FailureKind.JSON_SHAPE, what)
