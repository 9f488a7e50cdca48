"""Bodies that mean harm, for every parser: bytes, JSON of every shape, and valid documents bent out of shape."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from crawler.errors import FailureKind, ProtocolError

# Lone surrogates are let in: JSON can spell them, and a store cannot hold them.
ANY_TEXT = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["", "\x00", "\ud800", "a\udfffb", "\u202e", "x" * 5000, "https://x", "!a:b", "#a:b", "example.org", "ed25519:a"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31 - 1, 2**31, 2**53, 2**63, -1, 10**400])
    | st.floats()
    | ANY_TEXT
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4), max_leaves=12
)

NO_JSON = [
    b"",
    b" ",
    b"\x00",
    b"null",
    b"[]",
    b"0",
    b'"text"',
    b"{",
    b"{}{}",
    b"<!doctype html><title>Welcome to nginx</title>",
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 10_000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"a": "\xff"}',
    b'{"a": "\\ud800"}',
    b"{'a': 1}",
    b'{"a": 1,}',
]


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def bodies(*valid: Any) -> st.SearchStrategy[bytes]:
    """Arbitrary bodies, and each of the `valid` documents with a member replaced, removed or a byte changed."""
    whole = st.binary(max_size=60) | st.sampled_from(NO_JSON) | JSON.map(dump)
    bent = st.sampled_from(valid).flatmap(lambda document: st.builds(_bend, st.just(document), st.data()))
    return whole | bent | st.sampled_from(valid).map(dump)


def _bend(document: Any, data: st.DataObject) -> bytes:
    copy = json.loads(json.dumps(document))
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(_places(copy))
        if not places:
            break
        container, key = data.draw(st.sampled_from(places))
        if data.draw(st.booleans()):
            container[key] = data.draw(JSON)
        else:
            del container[key]
    body = dump(copy)
    if data.draw(st.booleans()) and body:
        at = data.draw(st.integers(0, len(body) - 1))
        body = body[:at] + data.draw(st.binary(min_size=1, max_size=2)) + body[at + 1 :]
    return body


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        found.append((value, key))
        found += _places(inner)
    return found


def outcome(parse: Callable[..., object], *arguments: Any) -> FailureKind | None:
    """How `parse` fails, None when it does not. Any error that is no ProtocolError fails the test that calls this."""
    try:
        parse(*arguments)
    except ProtocolError as error:
        return error.failure.kind
    return None


def is_clean(value: Any) -> bool:
    """Whether no text in `value` holds what a store cannot."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return all(is_clean(key) and is_clean(inner) for key, inner in value.items())
    if isinstance(value, list | tuple | set):
        return all(is_clean(inner) for inner in value)
    return True
