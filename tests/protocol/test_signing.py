"""Signatures: the specification's vectors, and the `signedjson` package in both directions."""

import copy
import json
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import signedjson.key
import signedjson.sign
from hypothesis import example, given
from hypothesis import strategies as st
from unpaddedbase64 import decode_base64 as unpadded_decode
from unpaddedbase64 import encode_base64 as unpadded_encode

from crawler.errors import FailureKind, ProtocolError
from crawler.model.names import parse_server_name
from crawler.protocol.signing import (
    Identity,
    SigningKey,
    XMatrix,
    build_key_document,
    decode_base64,
    dump_identity,
    encode_base64,
    load_identity,
    new_signing_key,
    parse_x_matrix,
    sign_json,
    verify_json,
    verify_x_matrix,
    x_matrix_header,
)
from tests.protocol.hostile import outcome
from tests.protocol.test_canonical_json import TEXT, VALUES

SPEC_KEY = SigningKey("ed25519:1", decode_base64("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"))
"""Appendices, "Cryptographic Test Vectors"."""
IDENTITY = Identity(parse_server_name("crawler.example"), SPEC_KEY)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

OBJECTS = st.dictionaries(TEXT.filter(lambda key: key != "signatures"), VALUES, max_size=5)
SEEDS = st.binary(min_size=32, max_size=32)
VERSIONS = st.text("abcXYZ019_", min_size=1, max_size=8)
KEYS = st.builds(SigningKey, VERSIONS.map("ed25519:{}".format), SEEDS)


def theirs(key: SigningKey) -> Any:
    """The same key as `signedjson` holds it."""
    algorithm, _, version = key.key_id.partition(":")
    return signedjson.key.decode_signing_key_base64(algorithm, version, encode_base64(key.seed))


def test_the_public_key_of_the_specification() -> None:
    assert SPEC_KEY.public_key_base64 == "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"


@pytest.mark.parametrize(
    ("value", "signature"),
    [
        ({}, "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"),
        (
            {"one": 1, "two": "Two"},
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
        ),
    ],
)
def test_vectors_of_signed_json(value: dict[str, Any], signature: str) -> None:
    signed = sign_json(value, "domain", SPEC_KEY)
    assert signed == {**value, "signatures": {"domain": {"ed25519:1": signature}}}
    assert verify_json(signed, "domain", "ed25519:1", SPEC_KEY.public_key_base64)


def test_vectors_of_x_matrix() -> None:
    """Made with signedjson 1.1.4 from the specification's key; GET without content, POST with it."""
    uri = "/_matrix/federation/v1/publicRooms"
    assert x_matrix_header(IDENTITY, "target.example", "GET", f"{uri}?limit=3") == (
        'X-Matrix origin="crawler.example",destination="target.example",key="ed25519:1",'
        'sig="xiJW0vud3mYe22GG7u1u2il2GR9s3felP7gF/SJ9a/8Hq6cH6CIVDipZ2gSf9Jupd/bAPyQHca7wudlP2/18Dg"'
    )
    content = {"limit": 10, "filter": {"room_types": ["m.space", None]}}
    assert x_matrix_header(IDENTITY, "target.example", "POST", uri, content) == (
        'X-Matrix origin="crawler.example",destination="target.example",key="ed25519:1",'
        'sig="lbe+EIzq/5SgSwAdIVevGLi0sld/3JNC5mnuapMucYY2p8Th20Y8Ofvlkeowju9qfgyDYtEh4nPlgdyH0OUsCw"'
    )


@given(OBJECTS, KEYS, TEXT)
@example({"unsigned": {"age": 1}, "a": 1}, SPEC_KEY, "domain")
def test_what_signedjson_signs_we_verify(value: dict[str, Any], key: SigningKey, entity: str) -> None:
    signed = signedjson.sign.sign_json(copy.deepcopy(value), entity, theirs(key))
    assert verify_json(signed, entity, key.key_id, key.public_key_base64)


@given(OBJECTS, KEYS, TEXT)
@example({"unsigned": {"age": 1}, "a": 1}, SPEC_KEY, "domain")
def test_what_we_sign_signedjson_verifies(value: dict[str, Any], key: SigningKey, entity: str) -> None:
    signed = sign_json(value, entity, key)
    signedjson.sign.verify_signed_json(signed, entity, signedjson.key.get_verify_key(theirs(key)))
    assert signed == signedjson.sign.sign_json(copy.deepcopy(value), entity, theirs(key))


def test_signatures_are_added_to_those_there_and_the_value_is_left_alone() -> None:
    first = sign_json({"a": 1}, "one.example", SPEC_KEY)
    untouched = copy.deepcopy(first)
    other = SigningKey("ed25519:2", bytes(32))
    both = sign_json(sign_json(first, "two.example", SPEC_KEY), "one.example", other)
    assert first == untouched
    assert set(both["signatures"]["one.example"]) == {"ed25519:1", "ed25519:2"}
    assert verify_json(both, "one.example", "ed25519:1", SPEC_KEY.public_key_base64)
    assert verify_json(both, "one.example", "ed25519:2", other.public_key_base64)
    assert verify_json(both, "two.example", "ed25519:1", SPEC_KEY.public_key_base64)


@given(OBJECTS, TEXT, VALUES)
def test_a_changed_value_does_not_verify(value: dict[str, Any], key: str, other: Any) -> None:
    signed = sign_json(value, "domain", SPEC_KEY)
    if key not in ("signatures", "unsigned") and (key not in value or value[key] != other):
        assert not verify_json({**signed, key: other}, "domain", "ed25519:1", SPEC_KEY.public_key_base64)


@pytest.mark.parametrize(
    "signatures",
    [None, [], "x", {}, {"domain": None}, {"domain": []}, {"domain": {}}, {"domain": {"ed25519:1": 5}}]
    + [{"domain": {"ed25519:1": text}} for text in ("", "!", "AAAA", "é", "A" * 86, "A" * 10_000)],
)
def test_a_malformed_signature_does_not_verify(signatures: object) -> None:
    assert not verify_json({"signatures": signatures}, "domain", "ed25519:1", SPEC_KEY.public_key_base64)


@pytest.mark.parametrize("key", ["", "A", "AAAA", "é", "A" * 42, "A" * 100])
def test_a_malformed_key_verifies_nothing(key: str) -> None:
    assert not verify_json(sign_json({}, "domain", SPEC_KEY), "domain", "ed25519:1", key)


def test_what_has_no_canonical_spelling_neither_signs_nor_verifies() -> None:
    assert outcome(sign_json, {"a": 1.5}, "domain", SPEC_KEY) is FailureKind.JSON_SHAPE
    signed = {**sign_json({}, "domain", SPEC_KEY), "a": 1.5}
    assert not verify_json(signed, "domain", "ed25519:1", SPEC_KEY.public_key_base64)


# Base64


@given(st.binary(max_size=100))
def test_base64_is_that_of_the_package(data: bytes) -> None:
    text = encode_base64(data)
    assert text == unpadded_encode(data)
    padded = text + "=" * (-len(text) % 4)
    url_safe = text.replace("+", "-").replace("/", "_")
    assert decode_base64(text) == decode_base64(padded) == decode_base64(url_safe) == unpadded_decode(text) == data


@pytest.mark.parametrize("text", ["A", "AAAAA", "A A=", "AA\n", "a*b", "é", "A=A", "=A", "\ud800"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    assert outcome(decode_base64, text) is FailureKind.JSON_SHAPE


@given(st.text(st.characters(), max_size=20))
def test_any_text_decodes_or_is_refused(text: str) -> None:
    assert outcome(decode_base64, text) in (None, FailureKind.JSON_SHAPE)


# Keys and identities


def test_a_new_key_has_its_own_id() -> None:
    rng = random.Random(1)
    key, other = (new_signing_key(lambda n: rng.randbytes(n).hex()) for _ in range(2))
    assert re.fullmatch(r"ed25519:a_[0-9a-f]{8}", key.key_id)
    assert len(key.seed) == 32
    assert key.key_id != other.key_id
    assert key.seed != other.seed


def test_the_seed_is_not_shown() -> None:
    assert "seed" not in repr(IDENTITY)
    assert repr(SPEC_KEY.seed) not in repr(IDENTITY)


@pytest.mark.parametrize("key_id", ["", "1", "ed25519", "ed25519:", "ed25519:a b", "ed25519:a\n", "rsa:1", "ed25519:ä"])
def test_a_key_id_has_the_grammar_of_the_specification(key_id: str) -> None:
    assert outcome(SigningKey, key_id, bytes(32)) is FailureKind.KEYS_NO_KEY


@given(KEYS)
def test_an_identity_survives_its_file(key: SigningKey) -> None:
    identity = Identity(parse_server_name("Example.org:8448"), key)
    assert load_identity(dump_identity(identity)) == identity


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", FailureKind.JSON_INVALID),
        ("ed25519 a_abcd AAAA", FailureKind.JSON_INVALID),
        ("[" * 100_000, FailureKind.JSON_INVALID),
        ("[]", FailureKind.JSON_SHAPE),
        ("{}", FailureKind.JSON_SHAPE),
        ('{"server_name": "a", "key_id": "ed25519:1", "seed": 5}', FailureKind.JSON_SHAPE),
        ('{"server_name": "a b", "key_id": "ed25519:1", "seed": "AAAA"}', FailureKind.NAME_INVALID),
        ('{"server_name": "a", "key_id": "ed25519:1", "seed": "!"}', FailureKind.JSON_SHAPE),
        ('{"server_name": "a", "key_id": "ed25519:1", "seed": "AAAA"}', FailureKind.KEYS_NO_KEY),
        ('{"server_name": "a", "key_id": "1", "seed": "AAAA"}', FailureKind.KEYS_NO_KEY),
    ],
)
def test_a_broken_identity_file_is_refused(text: str, kind: FailureKind) -> None:
    assert outcome(load_identity, text) is kind


def test_a_refused_identity_file_does_not_show_the_seed() -> None:
    with pytest.raises(ProtocolError) as error:
        load_identity('{"server_name": "a", "key_id": "bad", "seed": "c2VjcmV0c2VjcmV0"}')
    assert "c2VjcmV0" not in str(error.value)
    assert "secret" not in str(error.value)


# The key document


def test_our_key_document_is_signed_by_itself() -> None:
    document = build_key_document(IDENTITY, NOW, 86_400)
    assert document["server_name"] == "crawler.example"
    assert document["valid_until_ts"] == int((NOW + timedelta(days=1)).timestamp()) * 1000
    assert document["verify_keys"] == {"ed25519:1": {"key": SPEC_KEY.public_key_base64}}
    assert document["old_verify_keys"] == {}
    signedjson.sign.verify_signed_json(document, "crawler.example", signedjson.key.get_verify_key(theirs(SPEC_KEY)))


def test_its_validity_is_cut_at_seven_days() -> None:
    document = build_key_document(IDENTITY, NOW, 365 * 86_400)
    assert document["valid_until_ts"] == int((NOW + timedelta(days=7)).timestamp()) * 1000


# X-Matrix

URI = "/_matrix/federation/v1/publicRooms?limit=3"


@pytest.mark.parametrize("destination", ["", "a b", 'a"b', "a\r\nX: y", "https://a", "ä.example"])
def test_a_destination_that_is_no_server_name_signs_nothing(destination: str) -> None:
    assert outcome(x_matrix_header, IDENTITY, destination, "GET", URI) is FailureKind.NAME_INVALID


@pytest.mark.parametrize(
    ("method", "uri"), [("get", URI), ("GET ", URI), ("", URI), ("GET", "publicRooms"), ("GET", "/a b"), ("GET", "/ä")]
)
def test_what_cannot_stand_in_a_request_line_is_a_bug(method: str, uri: str) -> None:
    with pytest.raises(ValueError, match="request line"):
        x_matrix_header(IDENTITY, "target.example", method, uri)


PARSED = XMatrix("o.example", "d.example:443", "ed25519:a_1", "c2ln+/")


@pytest.mark.parametrize(
    "header",
    [
        'X-Matrix origin="o.example",destination="d.example:443",key="ed25519:a_1",sig="c2ln+/"',
        'X-Matrix origin=o.example,destination="d.example:443",key="ed25519:a_1",sig="c2ln+/"',
        "X-Matrix origin=o.example,destination=d.example:443,key=ed25519:a_1,sig=c2ln+/",
        'x-matrix SIG="c2ln+/",Key="ed25519:a_1",Destination="d.example:443",ORIGIN="o.example"',
        'X-Matrix   origin = "o.example" , destination="d.example:443"\t,\tkey="ed25519:a_1" ,sig="c2ln+/"  ',
        'X-Matrix origin="o.example",,destination="d.example:443", ,key="ed25519:a_1",sig="c2ln+/",',
        'X-Matrix origin="o.example",destination="d.example:443",key="ed25519:a_1",sig="c2ln+/",new="a,b=\\"c\\""',
        'X-Matrix origin="o\\.example",destination="d.example:443",key="ed25519:a_1",sig="c2ln+\\/"',
        'X-Matrix origin="o.example",destination="d.example:443",key="ed25519:a_1",signature="c2ln+/"',
    ],
)
def test_headers_are_read_as_liberally_as_servers_must(header: str) -> None:
    assert parse_x_matrix(header) == PARSED


def test_old_senders_name_no_destination() -> None:
    parsed = parse_x_matrix('X-Matrix origin=o.example,key="ed25519:a_1",sig="c2ln+/"')
    assert parsed == XMatrix("o.example", None, "ed25519:a_1", "c2ln+/")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "X-Matrix",
        "X-Matrix ",
        "Bearer abc",
        'X-Matrixorigin="o",key="k",sig="s"',
        'X-Matrix origin="o.example",key="ed25519:a_1"',
        'X-Matrix origin="",key="k",sig="s"',
        'X-Matrix origin="o",key="k",sig="s',
        'X-Matrix origin="o",origin="p",key="k",sig="s"',
        'X-Matrix origin="o",key="k",sig="s",signature="s"',
        'X-Matrix origin="o" key="k" sig="s"',
        'X-Matrix origin,key="k",sig="s"',
        'X-Matrix ="o",key="k",sig="s"',
        "X-Matrix " + ",".join(f'a{n}="{n}"' for n in range(1000)),
    ],
)
def test_malformed_headers_are_refused(header: str) -> None:
    assert outcome(parse_x_matrix, header) is FailureKind.HTTP_PROTOCOL


@given(
    st.text(st.characters(), max_size=60)
    | st.text('X-Matrix origin=,"\\kesg \t', max_size=200).map("X-Matrix ".__add__)
)
def test_any_header_is_read_or_refused(header: str) -> None:
    assert outcome(parse_x_matrix, header) in (None, FailureKind.HTTP_PROTOCOL)


CONTENTS = st.none() | OBJECTS
PATHS = st.text("abc/%21?&=.~_-", max_size=30).map("/".__add__)
METHODS = st.sampled_from(["GET", "POST", "PUT"])


@given(KEYS, METHODS, PATHS, CONTENTS)
def test_our_header_verifies_at_its_destination(
    key: SigningKey, method: str, uri: str, content: dict[str, Any] | None
) -> None:
    identity = Identity(parse_server_name("o.example:8448"), key)
    header = parse_x_matrix(x_matrix_header(identity, "[2606:4700::1]:8448", method, uri, content))
    assert (header.origin, header.destination, header.key_id) == ("o.example:8448", "[2606:4700::1]:8448", key.key_id)
    request: dict[str, Any] = {"method": method, "uri": uri, "content": content}
    request["public_key_base64"] = key.public_key_base64
    verify_x_matrix(header, destination="[2606:4700::1]:8448", **request)
    assert not_verified(header, destination="d.example", **request) is FailureKind.KEYS_WRONG_NAME


@given(OBJECTS)
def test_the_header_is_what_signedjson_would_sign(content: dict[str, Any]) -> None:
    request = {
        "method": "PUT",
        "uri": URI,
        "origin": "crawler.example",
        "destination": "target.example",
        "content": content,
    }
    signed = signedjson.sign.sign_json(request, "crawler.example", theirs(SPEC_KEY))
    header = parse_x_matrix(x_matrix_header(IDENTITY, "target.example", "PUT", URI, content))
    assert header.signature == signed["signatures"]["crawler.example"]["ed25519:1"]


def not_verified(header: XMatrix, **request: Any) -> FailureKind | None:
    return outcome(lambda: verify_x_matrix(header, **request))


def test_each_part_of_the_request_is_covered() -> None:
    header = parse_x_matrix(x_matrix_header(IDENTITY, "target.example", "GET", URI))
    request: dict[str, Any] = {
        "destination": "target.example",
        "method": "GET",
        "uri": URI,
        "public_key_base64": SPEC_KEY.public_key_base64,
    }
    assert not_verified(header, **request) is None
    changes: tuple[dict[str, Any], ...] = (
        {"method": "POST"},
        {"uri": URI + "0"},
        {"content": {}},
        {"public_key_base64": SigningKey("ed25519:1", bytes(32)).public_key_base64},
        {"public_key_base64": "nonsense"},
        {"content": {"a": 1.5}},
    )
    for change in changes:
        assert not_verified(header, **{**request, **change}) is FailureKind.KEYS_BAD_SIGNATURE
    stolen = XMatrix("evil.example", header.destination, header.key_id, header.signature)
    assert not_verified(stolen, **request) is FailureKind.KEYS_BAD_SIGNATURE


def test_without_a_destination_the_signature_must_still_name_us() -> None:
    header = parse_x_matrix(x_matrix_header(IDENTITY, "target.example", "GET", URI))
    silent = XMatrix(header.origin, None, header.key_id, header.signature)
    request = {"method": "GET", "uri": URI, "public_key_base64": SPEC_KEY.public_key_base64}
    assert not_verified(silent, destination="target.example", **request) is None
    assert not_verified(silent, destination="other.example", **request) is FailureKind.KEYS_BAD_SIGNATURE


def test_the_identity_file_is_plain_json() -> None:
    assert json.loads(dump_identity(IDENTITY)) == {
        "server_name": "crawler.example",
        "key_id": "ed25519:1",
        "seed": encode_base64(SPEC_KEY.seed),
    }
