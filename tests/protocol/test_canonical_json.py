"""Canonical JSON: the specification's examples, and the `canonicaljson` package as oracle."""

import canonicaljson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind, ProtocolError
from crawler.protocol.canonical_json import MAX_INTEGER, encode
from tests.protocol.hostile import outcome

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "spelled"),
    [  # Appendices, "Canonical JSON", examples
        ({}, "{}"),
        ({"one": 1, "two": "Two"}, '{"one":1,"two":"Two"}'),
        ({"b": "2", "a": "1"}, '{"a":"1","b":"2"}'),
        (
            {
                "auth": {
                    "success": True,
                    "mxid": "@john.doe:example.com",
                    "profile": {
                        "display_name": "John Doe",
                        "three_pids": [
                            {"medium": "email", "address": "john.doe@example.org"},
                            {"medium": "msisdn", "address": "123456789"},
                        ],
                    },
                }
            },
            (
                '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":'
                '"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}'
            ),
        ),
        ({"a": "日本語"}, '{"a":"日本語"}'),
        ({"本": 2, "日": 1}, '{"日":1,"本":2}'),
        ({"a": "\u65e5"}, '{"a":"日"}'),
        ({"a": None}, '{"a":null}'),
        ({"a": -0, "b": 10000000000}, '{"a":0,"b":10000000000}'),
        ({"\U0001f600": 1, "\uffff": 2}, '{"\uffff":2,"\U0001f600":1}'),  # by code point, not by UTF-16 unit
        ('\x00\x08\t\n\x0c\r\x1f"\\/\x7f\u2028', '"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\x7f\u2028"'),
    ],
)
def test_vectors(value: object, spelled: str) -> None:
    assert encode(value) == spelled.encode()


@given(VALUES)
def test_the_package_spells_it_the_same(value: object) -> None:
    assert encode(value) == canonicaljson.encode_canonical_json(value)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        [1.5],
        {"a": {"b": float("nan")}},
        float("inf"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        {"a": 10**5000},
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        {"a": b"bytes"},
        {"a": {1, 2}},
    ],
)
def test_what_has_no_canonical_spelling_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError) as error:
        encode(value)
    assert error.value.failure.kind is FailureKind.JSON_SHAPE


@pytest.mark.parametrize("edge", [9_007_199_254_740_991, -9_007_199_254_740_991])
def test_the_largest_integers_have_one(edge: int) -> None:
    assert encode(edge) == str(edge).encode()
    assert outcome(encode, edge + (1 if edge > 0 else -1)) is FailureKind.JSON_SHAPE


@pytest.mark.parametrize(
    ("value", "why"), [(1.5, "a number that is not whole"), ({1: 2}, "a key that is no string"), (b"", "of type bytes")]
)
def test_why_there_is_no_canonical_spelling_is_said(value: object, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        encode(value)


def test_nesting_and_circles_are_refused() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    circle: dict[str, object] = {}
    circle["self"] = circle
    for value in (deep, circle):
        with pytest.raises(ProtocolError, match="nesting"):
            encode(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5) | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=10,
    )
)
def test_only_protocol_errors_come_out(value: object) -> None:
    assert outcome(encode, value) in (None, FailureKind.JSON_SHAPE)
