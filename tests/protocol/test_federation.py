"""Answers of the federation and client APIs: what they mean, and that no body does harm."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import signedjson.key
import signedjson.sign
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind, ProtocolError
from crawler.model.names import ServerName, parse_server_name, try_server_name
from crawler.model.observation import OldKey, VersionInfo
from crawler.model.rooms import AliasAnswer
from crawler.protocol import federation
from crawler.protocol.signing import Identity, SigningKey, build_key_document, sign_json
from tests.protocol.hostile import bodies, dump, is_clean, outcome

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
NAME = parse_server_name("example.org:8448")
KEY = SigningKey("ed25519:a_1", bytes(range(32)))
OTHER_KEY = SigningKey("ed25519:b_2", bytes(32))
JSON_KINDS = {None, FailureKind.JSON_INVALID, FailureKind.JSON_SHAPE}

# URIs


def test_directory_uris_always_say_limit_and_networks() -> None:
    assert federation.public_rooms_uri(100) == (
        "/_matrix/federation/v1/publicRooms?limit=100&include_all_networks=false"
    )
    assert federation.public_rooms_uri(50, "n50", include_all_networks=True) == (
        "/_matrix/federation/v1/publicRooms?limit=50&include_all_networks=true&since=n50"
    )
    assert federation.client_public_rooms_uri(100, "p") == "/_matrix/client/v3/publicRooms?limit=100&since=p"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_token_comes_back_from_the_uri(token: str) -> None:
    uri = federation.public_rooms_uri(1, token)
    assert uri.isascii()
    assert uri.isprintable()
    assert " " not in uri
    assert parse_qs(urlsplit(uri).query, keep_blank_values=True)["since"] == [token]


def test_an_alias_is_one_path_segment() -> None:
    assert federation.alias_uri("#cats/dogs?:example.org") == (
        "/_matrix/client/v3/directory/room/%23cats%2Fdogs%3F%3Aexample.org"
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_alias_comes_back_from_the_uri(alias: str) -> None:
    uri = federation.alias_uri(alias)
    assert uri.isascii()
    assert unquote(uri.removeprefix("/_matrix/client/v3/directory/room/")) == alias
    assert "/" not in uri.removeprefix("/_matrix/client/v3/directory/room/")


# Version


@pytest.mark.parametrize(
    ("answer", "info"),
    [
        ({"server": {"name": "Synapse", "version": "1.163.2"}}, VersionInfo("Synapse", "1.163.2")),
        ({"server": {"name": "Tuwunel", "version": "1.9.0", "compiler": "rustc"}}, VersionInfo("Tuwunel", "1.9.0")),
        ({"server": {"name": "x"}}, VersionInfo("x", None)),
        ({"server": {}}, VersionInfo(None, None)),
        ({"server": "Synapse"}, VersionInfo(None, None)),
        ({}, VersionInfo(None, None)),
        ({"server": {"name": 5, "version": ["1"]}}, VersionInfo(None, None)),
        ({"server": {"name": "x" * 1000, "version": "\ud8001"}}, VersionInfo("x" * 256, "\N{REPLACEMENT CHARACTER}1")),
    ],
)
def test_version(answer: Any, info: VersionInfo) -> None:
    assert federation.parse_version(dump(answer)) == info


@given(bodies({"server": {"name": "Synapse", "version": "1"}}))
def test_any_version_body(body: bytes) -> None:
    assert outcome(federation.parse_version, body) in JSON_KINDS
    if outcome(federation.parse_version, body) is None:
        info = federation.parse_version(body)
        assert is_clean([info.name, info.version])


# Key document


def signed(document: dict[str, Any], *keys: SigningKey, entity: str = NAME.raw) -> bytes:
    for key in keys or (KEY,):
        document = sign_json(document, entity, key)
    return dump(document)


def unsigned(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "server_name": NAME.raw,
        "valid_until_ts": NOW_MS + 3_600_000,
        "verify_keys": {KEY.key_id: {"key": KEY.public_key_base64}},
        "old_verify_keys": {"ed25519:old": {"key": OTHER_KEY.public_key_base64, "expired_ts": 1}},
    }
    return {key: value for key, value in {**document, **changes}.items() if value != "absent"}


def keys_kind(body: bytes, name: ServerName = NAME) -> FailureKind | None:
    return outcome(federation.parse_key_document, body, name, NOW)


def test_a_key_document() -> None:
    document = federation.parse_key_document(signed(unsigned()), NAME, NOW)
    assert document.verify_keys == {KEY.key_id: KEY.public_key_base64}
    assert document.old_verify_keys == (
        OldKey("ed25519:old", OTHER_KEY.public_key_base64, datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)),
    )
    assert document.valid_until == NOW + timedelta(hours=1)
    assert document.server_name == NAME.raw
    assert document.algorithms == ("ed25519",)
    assert (document.signed_by, document.broken_signatures) == ((KEY.key_id,), ())


@pytest.mark.parametrize(
    ("entry", "key", "expired_at"),
    [
        ({"key": OTHER_KEY.public_key_base64 + "="}, OTHER_KEY.public_key_base64, None),
        ({"key": "AAAA", "expired_ts": 0}, None, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"key": 5, "expired_ts": "0"}, None, None),
        ({"expired_ts": -1}, None, None),
        ({"expired_ts": True}, None, None),
        ({"expired_ts": 2**53 - 1}, None, datetime(9999, 1, 1, tzinfo=UTC)),
        (["no object"], None, None),
    ],
)
def test_an_old_key_is_told_of_whatever_is_wrong_with_it(
    entry: object, key: str | None, expired_at: datetime | None
) -> None:
    body = signed(unsigned(old_verify_keys={"ed25519:old": entry}))
    (old,) = federation.parse_key_document(body, NAME, NOW).old_verify_keys
    assert old == OldKey("ed25519:old", key, expired_at)


def test_algorithms_are_named_also_those_we_do_not_know() -> None:
    keys = {KEY.key_id: {"key": KEY.public_key_base64}, "ml-dsa65:1": {"key": "AAAA"}, "no key id": {}, "x\x00:1": {}}
    document = federation.parse_key_document(
        signed(unsigned(verify_keys=keys, old_verify_keys={"curve25519:a": {}})), NAME, NOW
    )
    assert document.algorithms == ("curve25519", "ed25519", "ml-dsa65")
    assert list(document.verify_keys) == [KEY.key_id]


def test_which_signatures_hold_is_told() -> None:
    both = {key.key_id: {"key": key.public_key_base64} for key in (KEY, OTHER_KEY)}
    good = json.loads(signed(unsigned(verify_keys=both), KEY, OTHER_KEY))
    document = federation.parse_key_document(dump(good), NAME, NOW)
    assert set(document.signed_by) == {KEY.key_id, OTHER_KEY.key_id}
    own = good["signatures"][NAME.raw]
    own[OTHER_KEY.key_id] = own[KEY.key_id]
    document = federation.parse_key_document(dump(good), NAME, NOW)
    assert (document.signed_by, document.broken_signatures) == ((KEY.key_id,), (OTHER_KEY.key_id,))


@pytest.mark.parametrize(
    ("valid_for", "trusted_for"),
    [
        (timedelta(hours=1), timedelta(hours=1)),
        (timedelta(days=7), timedelta(days=7)),
        (timedelta(days=30), timedelta(days=7)),
    ],
)
def test_keys_are_trusted_for_seven_days_at_most(valid_for: timedelta, trusted_for: timedelta) -> None:
    until_ms = NOW_MS + int(valid_for.total_seconds() * 1000)
    document = federation.parse_key_document(signed(unsigned(valid_until_ts=until_ms)), NAME, NOW)
    assert document.trusted_until(NOW) == NOW + trusted_for


def test_our_own_key_document_passes() -> None:
    body = dump(build_key_document(Identity(NAME, KEY), NOW, 3600))
    assert federation.parse_key_document(body, NAME, NOW).verify_keys == {KEY.key_id: KEY.public_key_base64}


def test_a_key_document_made_by_signedjson_passes() -> None:
    """As Synapse makes it: padded nothing, unknown members, extra notary signatures."""
    theirs = signedjson.key.generate_signing_key("a_xyz")
    public = signedjson.key.encode_verify_key_base64(signedjson.key.get_verify_key(theirs))
    document = unsigned(verify_keys={"ed25519:a_xyz": {"key": public}}, tls_fingerprints=[], old_verify_keys={})
    document = signedjson.sign.sign_json(document, NAME.raw, theirs)
    document = signedjson.sign.sign_json(document, "notary.example", signedjson.key.generate_signing_key("n"))
    assert federation.parse_key_document(dump(document), NAME, NOW).verify_keys == {"ed25519:a_xyz": public}


def test_padded_and_url_safe_keys_are_read_and_kept_unpadded() -> None:
    padded = KEY.public_key_base64.replace("+", "-").replace("/", "_") + "="
    body = signed(unsigned(verify_keys={KEY.key_id: {"key": padded}}))
    assert federation.parse_key_document(body, NAME, NOW).verify_keys == {KEY.key_id: KEY.public_key_base64}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"server_name": "absent"}, FailureKind.JSON_SHAPE),
        ({"server_name": 5}, FailureKind.JSON_SHAPE),
        ({"server_name": "other.example"}, FailureKind.KEYS_WRONG_NAME),
        ({"server_name": "example.org"}, FailureKind.KEYS_WRONG_NAME),
        ({"verify_keys": "absent"}, FailureKind.JSON_SHAPE),
        ({"verify_keys": []}, FailureKind.JSON_SHAPE),
        ({"verify_keys": {}}, FailureKind.KEYS_NO_KEY),
        ({"verify_keys": {"rsa:1": {"key": "AAAA"}}}, FailureKind.KEYS_NO_KEY),
        ({"verify_keys": {"ed25519:a_1": {"key": "AAAA"}}}, FailureKind.KEYS_NO_KEY),
        ({"verify_keys": {"ed25519:a_1": {"key": "!"}}}, FailureKind.KEYS_NO_KEY),
        ({"verify_keys": {"ed25519:a_1": {}}}, FailureKind.KEYS_NO_KEY),
        ({"verify_keys": {"ed25519:a_1": KEY.public_key_base64}}, FailureKind.KEYS_NO_KEY),
        ({"verify_keys": {"ed25519:c": {"key": KEY.public_key_base64}}}, FailureKind.KEYS_NO_SIGNATURE),
        ({"verify_keys": {"ed25519:a_1": {"key": OTHER_KEY.public_key_base64}}}, FailureKind.KEYS_BAD_SIGNATURE),
        (
            {"verify_keys": {f"ed25519:{n}": {"key": KEY.public_key_base64} for n in range(101)}},
            FailureKind.JSON_SHAPE,
        ),
        ({"valid_until_ts": "absent"}, FailureKind.JSON_SHAPE),
        ({"valid_until_ts": str(NOW_MS + 1)}, FailureKind.JSON_SHAPE),
        ({"valid_until_ts": True}, FailureKind.JSON_SHAPE),
        ({"valid_until_ts": NOW_MS}, FailureKind.KEYS_EXPIRED),
        ({"valid_until_ts": NOW_MS - 1}, FailureKind.KEYS_EXPIRED),
        ({"valid_until_ts": 0}, FailureKind.KEYS_EXPIRED),
        ({"valid_until_ts": -(2**53) + 1}, FailureKind.KEYS_EXPIRED),
        ({"valid_until_ts": NOW_MS + 1}, None),
    ],
)
def test_each_flaw_of_a_key_document_has_its_kind(changes: dict[str, Any], kind: FailureKind | None) -> None:
    document = unsigned(**changes)
    assert keys_kind(signed(document, entity=str(document.get("server_name", NAME.raw)))) is kind


@pytest.mark.parametrize(
    ("signatures", "kind"),
    [
        ("absent", FailureKind.KEYS_NO_SIGNATURE),
        ([], FailureKind.KEYS_NO_SIGNATURE),
        ({}, FailureKind.KEYS_NO_SIGNATURE),
        ({"other.example": {KEY.key_id: "AAAA"}}, FailureKind.KEYS_NO_SIGNATURE),
        ({NAME.raw: []}, FailureKind.KEYS_NO_SIGNATURE),
        ({NAME.raw: {}}, FailureKind.KEYS_NO_SIGNATURE),
        ({NAME.raw: {KEY.key_id: None}}, FailureKind.KEYS_NO_SIGNATURE),
        ({NAME.raw: {"ed25519:old": "AAAA"}}, FailureKind.KEYS_NO_SIGNATURE),
        ({NAME.raw: {KEY.key_id: "AAAA"}}, FailureKind.KEYS_BAD_SIGNATURE),
        ({NAME.raw: {KEY.key_id: "!"}}, FailureKind.KEYS_BAD_SIGNATURE),
        ({NAME.raw: {KEY.key_id: OTHER_KEY.sign(b"x")}}, FailureKind.KEYS_BAD_SIGNATURE),
    ],
)
def test_each_flaw_of_its_signature_has_its_kind(signatures: object, kind: FailureKind) -> None:
    assert keys_kind(dump(unsigned(signatures=signatures))) is kind


def test_the_order_of_the_checks_is_that_of_a_federating_server() -> None:
    """A document with every flaw is called by the first, and by the next when that one is mended."""
    flaws = {"server_name": "other.example", "verify_keys": {}, "valid_until_ts": 0}
    assert keys_kind(dump(unsigned(**flaws))) is FailureKind.KEYS_WRONG_NAME
    del flaws["server_name"]
    assert keys_kind(dump(unsigned(**flaws))) is FailureKind.KEYS_NO_KEY
    del flaws["verify_keys"]
    assert keys_kind(dump(unsigned(**flaws))) is FailureKind.KEYS_NO_SIGNATURE
    assert keys_kind(signed(unsigned(**flaws))) is FailureKind.KEYS_EXPIRED


def test_a_signature_of_old_times_does_not_cover_a_new_date() -> None:
    document = json.loads(signed(unsigned()))
    document["valid_until_ts"] += 1
    assert keys_kind(dump(document)) is FailureKind.KEYS_BAD_SIGNATURE


def test_a_hundred_keys_are_not_too_many() -> None:
    many = {f"ed25519:{n}": {"key": OTHER_KEY.public_key_base64} for n in range(99)}
    body = signed(unsigned(verify_keys={**many, KEY.key_id: {"key": KEY.public_key_base64}}))
    assert len(federation.parse_key_document(body, NAME, NOW).verify_keys) == 100


def test_of_several_signatures_one_must_hold() -> None:
    keys = {key.key_id: {"key": key.public_key_base64} for key in (KEY, OTHER_KEY)}
    document = json.loads(signed(unsigned(verify_keys=keys), OTHER_KEY))
    assert keys_kind(dump(document)) is None
    document["signatures"][NAME.raw][KEY.key_id] = "AAAA"
    assert keys_kind(dump(document)) is None
    document["signatures"][NAME.raw][OTHER_KEY.key_id] = "AAAA"
    assert keys_kind(dump(document)) is FailureKind.KEYS_BAD_SIGNATURE


def test_the_name_is_compared_in_ascii_lower_case() -> None:
    """Else one stranger who spells a name in capitals would make its server look broken."""
    shouted = parse_server_name("EXAMPLE.org:8448")
    assert federation.parse_key_document(signed(unsigned()), shouted, NOW).server_name == "example.org:8448"
    kelvin = parse_server_name("k.example")
    body = signed(unsigned(server_name="\N{KELVIN SIGN}.example"), entity="\N{KELVIN SIGN}.example")
    assert keys_kind(body, kelvin) is FailureKind.KEYS_WRONG_NAME


def test_what_cannot_be_spelled_canonically_could_not_be_signed() -> None:
    for extra in (1.5, "\ud800", 2**53):
        document = {**json.loads(signed(unsigned())), "x": extra}
        assert keys_kind(dump(document)) is FailureKind.JSON_SHAPE


@pytest.mark.parametrize("valid_until_ms", [2**53 - 1, 253_402_300_800_000, 253_370_764_800_001])
def test_validity_for_ever_is_a_date_that_calendars_have(valid_until_ms: int) -> None:
    document = federation.parse_key_document(signed(unsigned(valid_until_ts=valid_until_ms)), NAME, NOW)
    assert document.valid_until == datetime(9999, 1, 1, tzinfo=UTC)


def test_keys_that_no_store_should_hold_are_skipped() -> None:
    odd = {"ed25519:\x00": {"key": "AAAA"}, "ed25519:é": {"key": "AAAA"}, "ed25519:" + "x" * 200: {"key": "AAAA"}}
    body = signed(unsigned(verify_keys={**odd, KEY.key_id: {"key": KEY.public_key_base64}}, old_verify_keys=odd))
    document = federation.parse_key_document(body, NAME, NOW)
    assert document.verify_keys == {KEY.key_id: KEY.public_key_base64}
    assert document.old_verify_keys == ()


@given(bodies(json.loads(signed(unsigned()))))
def test_any_key_document(body: bytes) -> None:
    allowed = {kind for kind in FailureKind if kind.value.startswith("keys_")} | JSON_KINDS
    assert keys_kind(body) in allowed


# Aliases and errors

ALIAS = "#cats:example.org"


def test_alias_answer() -> None:
    body = dump(
        {
            "room_id": "!abc:example.org",
            "servers": ["example.org", "b.example:8448", "B.example:8448", "", "a b", 5, None, "https://x", "[::1]"],
        }
    )
    assert federation.parse_alias_answer(body, ALIAS, 100) == AliasAnswer(
        ALIAS, "!abc:example.org", ("example.org", "b.example:8448", "[::1]")
    )
    assert federation.parse_alias_answer(body, ALIAS, 2).servers == ("example.org", "b.example:8448")


@pytest.mark.parametrize("servers", [None, {}, "example.org", 5])
def test_an_alias_answer_without_a_list_names_no_server(servers: object) -> None:
    body = dump({"room_id": "!abc:example.org", "servers": servers})
    assert federation.parse_alias_answer(body, ALIAS, 100).servers == ()


@pytest.mark.parametrize(
    "room_id", [None, 5, "", "abc", "#abc:example.org", "!abc", "!:example.org", "!a\ud800:b", "!a\x00:b"]
)
def test_an_alias_answer_wants_a_room_id(room_id: object) -> None:
    body = dump({"room_id": room_id, "servers": ["example.org"]})
    assert outcome(federation.parse_alias_answer, body, ALIAS, 100) is FailureKind.JSON_SHAPE


@given(bodies({"room_id": "!abc:example.org", "servers": ["example.org", "b.example"]}), st.integers(1, 3))
def test_any_alias_answer(body: bytes, max_servers: int) -> None:
    try:
        answer = federation.parse_alias_answer(body, ALIAS, max_servers)
    except ProtocolError as error:
        assert error.failure.kind in JSON_KINDS  # noqa: PT017 - both ways out are right, and each is looked at
    else:
        assert len(answer.servers) <= max_servers
        assert all(try_server_name(name) for name in answer.servers)
        assert is_clean(answer.room_id)


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (b'{"errcode": "M_FORBIDDEN", "error": "no"}', "M_FORBIDDEN"),
        (b'{"errcode": "CC.ETKE.MSC1929_ERROR"}', "CC.ETKE.MSC1929_ERROR"),
        (b'{"errcode": "\\u202eM"}', None),
        (b'{"errcode": ""}', None),
        (b'{"errcode": "M FORBIDDEN"}', None),
        (b'{"errcode": "M_FORBIDDEN\\n"}', None),
        (b'{"errcode": 403}', None),
        (b"{}", None),
        (b"[]", None),
        (b"<html>403 Forbidden</html>", None),
        (b"", None),
    ],
)
def test_errcode(body: bytes, errcode: str | None) -> None:
    assert federation.parse_errcode(body) == errcode


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}', 1.5),
        (b'{"retry_after_ms": 0}', 0),
        (b'{"retry_after_ms": -1}', None),
        (b'{"retry_after_ms": 1e999}', None),
        (b'{"retry_after_ms": "1500"}', None),
        (b"slow down", None),
    ],
)
def test_retry_after(body: bytes, seconds: float | None) -> None:
    assert federation.parse_retry_after_s(body) == seconds


@given(bodies({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}))
def test_any_error_body(body: bytes) -> None:
    errcode = federation.parse_errcode(body)
    assert errcode is None or (errcode.isascii() and errcode.isprintable())
    seconds = federation.parse_retry_after_s(body)
    assert seconds is None or seconds >= 0
