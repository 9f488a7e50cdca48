"""JSON from strangers: whatever comes, a value, a protocol error, and text that can be kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind
from crawler.protocol.json_body import clean_text, count_of, is_unicode, parse_json, parse_object
from tests.protocol.hostile import JSON, NO_JSON, bodies, is_clean, outcome


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b"[1,]",
        b"NaN",
        b'{"a": Infinity}',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        json.dumps({"a": "b"}).encode("utf-16"),
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert outcome(parse_json, body) is FailureKind.JSON_INVALID


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"a"', b"true"])
def test_another_value_is_no_object(body: bytes) -> None:
    assert outcome(parse_object, body) is FailureKind.JSON_SHAPE
    assert outcome(parse_json, body) is None


def test_the_last_of_a_doubled_key_counts() -> None:
    assert parse_object(b'{"a": 1, "a": 2}') == {"a": 2}


@given(bodies({"a": [1, {"b": "c"}]}))
def test_any_body_is_a_value_or_refused(body: bytes) -> None:
    assert outcome(parse_json, body) in (None, FailureKind.JSON_INVALID)
    assert outcome(parse_object, body) in (None, FailureKind.JSON_INVALID, FailureKind.JSON_SHAPE)


def test_the_hostile_bodies_are_hostile() -> None:
    kinds = [outcome(parse_object, body) for body in NO_JSON]
    assert kinds.count(FailureKind.JSON_INVALID) > 10
    assert FailureKind.JSON_SHAPE in kinds


@given(JSON, st.integers(0, 50))
def test_text_is_kept_within_its_length_and_without_what_no_store_holds(value: object, limit: int) -> None:
    text = clean_text(value, limit)
    if not isinstance(value, str):
        assert text is None
    else:
        assert text is not None
        assert len(text) == min(len(value), limit)
        assert is_clean(text)
        assert is_unicode(text)


def test_clean_text_is_left_alone() -> None:
    assert clean_text("Zażółć 🎉\nline two", 100) == "Zażółć 🎉\nline two"
    assert clean_text("a\ud800b\x00c", 100) == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"


@pytest.mark.parametrize(
    ("value", "count"),
    [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, None), (-1, None), (True, None), (1.0, None), ("1", None), (None, None)],
)
def test_counts_are_whole_and_bounded(value: object, count: int | None) -> None:
    assert count_of(value) == count
