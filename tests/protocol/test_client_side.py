"""What servers publish for clients and people: what the answers mean, and that no body does harm."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support, SupportContact
from crawler.model.names import try_server_name
from crawler.model.observation import ClientVersions
from crawler.protocol import client_side
from tests.protocol.hostile import JSON, bodies, dump, is_clean, outcome

JSON_KINDS = {None, FailureKind.JSON_INVALID, FailureKind.JSON_SHAPE}
KEY = "A" * 43


@pytest.mark.parametrize(
    ("document", "base"),
    [
        ({"m.homeserver": {"base_url": "https://matrix.example.org"}}, "https://matrix.example.org"),
        ({"m.homeserver": {"base_url": "https://matrix.example.org/"}}, "https://matrix.example.org"),
        ({"m.homeserver": {"base_url": "https://example.org:8443/matrix//"}}, "https://example.org:8443/matrix"),
        ({"m.homeserver": {"base_url": "HTTPS://Example.org"}}, "https://Example.org"),
        ({"m.homeserver": {"base_url": "https://[2606:4700::1]:8448"}}, "https://[2606:4700::1]:8448"),
        ({"m.identity_server": {"base_url": "https://vector.im"}}, None),
        ({}, None),
    ],
)
def test_client_well_known(document: Any, base: str | None) -> None:
    assert client_side.parse_client_well_known(dump(document)).base_url == base


@pytest.mark.parametrize(
    "homeserver",
    [
        None,
        [],
        "https://example.org",
        {},
        {"base_url": None},
        {"base_url": 5},
        *(
            {"base_url": url}
            for url in (
                "",
                "example.org",
                "//example.org",
                "http://example.org",
                "ftp://example.org",
                "https://",
                "https:///x",
                "https:example.org",
                "https://user:password@example.org",
                "https://@example.org",
                "https://example.org?x=1",
                "https://example.org/#x",
                "https://example.org:0",
                "https://example.org:port",
                "https://[::1",
                "https://example.org/a b",
                "https://example.org/\n",
                " https://example.org",
                "https://bücher.example",
                "https://example.org\\@evil.example",
                "https://example.org/" + "x" * 2000,
            )
        ),
    ],
)
def test_a_base_url_is_https_with_a_plain_host(homeserver: object) -> None:
    body = dump({"m.homeserver": homeserver})
    assert outcome(client_side.parse_client_well_known, body) is FailureKind.JSON_SHAPE


@given(
    bodies({"m.homeserver": {"base_url": "https://example.org/"}})
    | st.text("htps:/@[].?#\\ab019", max_size=40).map(lambda url: dump({"m.homeserver": {"base_url": url}}))
)
def test_any_client_well_known(body: bytes) -> None:
    assert outcome(client_side.parse_client_well_known, body) in JSON_KINDS
    if outcome(client_side.parse_client_well_known, body) is None:
        base = client_side.parse_client_well_known(body).base_url
        assert base is None or (base.startswith("https://") and not base.endswith("/"))
        assert base is None or try_server_name(base.removeprefix("https://").split("/")[0])


def test_client_versions() -> None:
    body = dump(
        {
            "versions": ["r0.6.1", "v1.1", "v1.1", 5, None, "", "x" * 100],
            "unstable_features": {
                "org.matrix.a": True,
                "b": False,
                "c": "yes",
                "d": None,
                "x" * 300: True,
                "\ud800": True,
            },
        }
    )
    assert client_side.parse_client_versions(body) == ClientVersions(
        ("r0.6.1", "v1.1", "x" * 64), {"org.matrix.a": True, "b": False, "\N{REPLACEMENT CHARACTER}": True}
    )
    assert client_side.parse_client_versions(dump({"versions": []})) == ClientVersions((), {})
    assert client_side.parse_client_versions(dump({"versions": [], "unstable_features": []})) == ClientVersions((), {})


@pytest.mark.parametrize("document", [{}, {"versions": "v1.1"}, {"versions": {"v1.1": True}}])
def test_client_versions_want_a_list(document: Any) -> None:
    assert outcome(client_side.parse_client_versions, dump(document)) is FailureKind.JSON_SHAPE


def test_client_versions_are_bounded() -> None:
    body = dump(
        {"versions": [f"v1.{n}" for n in range(9000)], "unstable_features": {str(n): True for n in range(9000)}}
    )
    answer = client_side.parse_client_versions(body)
    assert len(answer.versions) == 200
    assert len(answer.unstable_features) == 1000


@given(bodies({"versions": ["v1.1"], "unstable_features": {"a": True}}))
def test_any_client_versions(body: bytes) -> None:
    assert outcome(client_side.parse_client_versions, body) in JSON_KINDS
    if outcome(client_side.parse_client_versions, body) is None:
        answer = client_side.parse_client_versions(body)
        assert is_clean([*answer.versions, answer.unstable_features])


# Client well-known: what else it says

FULL = {
    "m.homeserver": {"base_url": "https://example.org/"},
    "m.identity_server": {"base_url": "https://id.example/"},
    "org.matrix.msc4143.rtc_foci": [
        {"type": "livekit", "livekit_service_url": "https://rtc.example/livekit/jwt"},
        {"type": "livekit", "livekit_service_url": "https://rtc.example/livekit/jwt"},
        {"type": "livekit", "livekit_service_url": "http://rtc.example"},
        {"type": "other"},
        "https://rtc.example",
    ],
    "org.matrix.msc3575.proxy": {"url": "https://sync.example"},
    "org.matrix.msc2965.authentication": {"issuer": "https://account.example/", "account": "https://account.example/a"},
}


def test_client_well_known_in_full() -> None:
    assert client_side.parse_client_well_known(dump(FULL)) == ClientWellKnown(
        "https://example.org",
        "https://id.example",
        ("https://rtc.example/livekit/jwt",),
        "https://sync.example",
        "https://account.example/",
    )


def test_the_stable_name_of_the_foci_comes_first() -> None:
    stable = {**FULL, "m.rtc_foci": [{"type": "livekit", "livekit_service_url": "https://stable.example"}]}
    assert client_side.parse_client_well_known(dump(stable)).rtc_foci == ("https://stable.example",)


@pytest.mark.parametrize("bad", [None, 5, "x", [], {}, {"base_url": "javascript:alert(1)"}, {"url": "https://a@b"}])
@pytest.mark.parametrize("member", [name for name in FULL if name != "m.homeserver"])
def test_an_ill_formed_extra_costs_only_itself(member: str, bad: object) -> None:
    whole = client_side.parse_client_well_known(dump(FULL))
    bent = client_side.parse_client_well_known(dump({**FULL, member: bad}))
    differ = [field for field in ClientWellKnown.__slots__ if getattr(whole, field) != getattr(bent, field)]
    assert (bent.base_url, len(differ)) == ("https://example.org", 1)


def test_foci_are_bounded() -> None:
    foci = [{"livekit_service_url": f"https://rtc{n}.example"} for n in range(500)]
    assert len(client_side.parse_client_well_known(dump({"m.rtc_foci": foci})).rtc_foci) == 20


@given(bodies(FULL))
def test_any_client_well_known_in_full(body: bytes) -> None:
    if outcome(client_side.parse_client_well_known, body) is None:
        said = client_side.parse_client_well_known(body)
        urls = [said.identity_server, *said.rtc_foci, said.sliding_sync_proxy, said.oauth_issuer]
        assert all(url is None or (url.startswith(("https://", "HTTPS://")) and len(url) <= 1024) for url in urls)


# Support

# The example of the specification ("/.well-known/matrix/support").
SUPPORT = {
    "contacts": [
        {"email_address": "admin@example.org", "matrix_id": "@admin:example.org", "role": "m.role.admin"},
        {"email_address": "security@example.org", "role": "m.role.security"},
    ],
    "support_page": "https://example.org/support.html",
}


def test_support() -> None:
    assert client_side.parse_support(dump(SUPPORT)) == Support(
        (
            SupportContact("m.role.admin", "@admin:example.org", "admin@example.org"),
            SupportContact("m.role.security", None, "security@example.org"),
        ),
        "https://example.org/support.html",
    )


def test_contacts_under_their_first_name() -> None:
    admins = [{"matrix_id": "@a:example.org", "role": "admin"}]
    assert client_side.parse_support(dump({"admins": admins})).contacts == (SupportContact("admin", "@a:example.org"),)


def test_a_page_alone_and_a_contact_without_role() -> None:
    page = {"support_page": "http://example.org/?a#b", "contacts": []}
    assert client_side.parse_support(dump(page)) == Support((), "http://example.org/?a#b")
    contact = {"contacts": [{"email_address": "a@b.example"}], "support_page": "javascript:alert(1)"}
    assert client_side.parse_support(dump(contact)) == Support((SupportContact("", None, "a@b.example"),))


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "@a:example.org",
        {},
        {"role": "m.role.admin"},
        {"matrix_id": "a:example.org"},
        {"matrix_id": "@a"},
        {"matrix_id": "@a:"},
        {"matrix_id": "@a b:example.org"},
        {"matrix_id": "@" + "a" * 300 + ":example.org"},
        {"matrix_id": "@\ud800:example.org"},
        {"email_address": "nobody"},
        {"email_address": "a@b@c"},
        {"email_address": "a b@example.org"},
        {"email_address": "x" * 65 + "@example.org"},
        {"email_address": ["a@example.org"]},
    ],
)
def test_a_contact_without_a_sound_address_is_none(entry: object) -> None:
    assert outcome(client_side.parse_support, dump({"contacts": [entry]})) is FailureKind.JSON_SHAPE


def test_contacts_are_bounded() -> None:
    entries = [{"email_address": f"a{n}@example.org", "role": "r" * 999} for n in range(500)]
    contacts = client_side.parse_support(dump({"contacts": entries})).contacts
    assert (len(contacts), len(contacts[0].role)) == (20, 255)


@given(bodies(SUPPORT, {"admins": SUPPORT["contacts"]}))
def test_any_support(body: bytes) -> None:
    assert outcome(client_side.parse_support, body) in JSON_KINDS
    if outcome(client_side.parse_support, body) is None:
        said = client_side.parse_support(body)
        assert said.contacts or said.support_page
        assert is_clean([said.support_page, *((c.role, c.matrix_id, c.email_address) for c in said.contacts)])


# Login, OAuth, policy server


def test_login_flows() -> None:
    flows = [{"type": "m.login.sso", "identity_providers": []}, {"type": "m.login.token"}, {"type": "m.login.sso"}]
    assert client_side.parse_login_flows(dump({"flows": [*flows, {}, 5, {"type": ""}, {"type": "x" * 300}]})) == (
        "m.login.sso",
        "m.login.token",
    )
    assert client_side.parse_login_flows(dump({"flows": []})) == ()
    assert len(client_side.parse_login_flows(dump({"flows": [{"type": str(n)} for n in range(900)]}))) == 50
    assert outcome(client_side.parse_login_flows, dump({"flows": {}})) is FailureKind.JSON_SHAPE


@given(bodies({"flows": [{"type": "m.login.password"}]}))
def test_any_login_flows(body: bytes) -> None:
    assert outcome(client_side.parse_login_flows, body) in JSON_KINDS
    if outcome(client_side.parse_login_flows, body) is None:
        assert is_clean([*client_side.parse_login_flows(body)])


OAUTH = {
    "issuer": "https://account.example.org/",
    "account_management_uri": "https://account.example.org/manage",
    "prompt_values_supported": ["none", "create"],
}


def test_oauth_metadata() -> None:
    assert client_side.parse_oauth_metadata(dump(OAUTH)) == OAuthMetadata(
        "https://account.example.org/", True, "https://account.example.org/manage"
    )
    closed = {**OAUTH, "prompt_values_supported": ["none"], "account_management_uri": "http://x"}
    assert client_side.parse_oauth_metadata(dump(closed)) == OAuthMetadata("https://account.example.org/", False)


@pytest.mark.parametrize("issuer", [None, 5, "", "http://a.example", "https://a.example?x", "https://a.example#x"])
def test_an_issuer_is_an_https_url(issuer: object) -> None:
    """RFC 8414, 2."""
    assert outcome(client_side.parse_oauth_metadata, dump({"issuer": issuer})) is FailureKind.JSON_SHAPE


@given(bodies(OAUTH))
def test_any_oauth_metadata(body: bytes) -> None:
    assert outcome(client_side.parse_oauth_metadata, body) in JSON_KINDS


def test_policy_server() -> None:
    keys = {"ed25519": KEY, "x25519": "AAAA", "bad": "!!", "worse": 5, "": "AAAA"}
    assert client_side.parse_policy_server(dump({"public_keys": keys})) == {"ed25519": KEY, "x25519": "AAAA"}


@pytest.mark.parametrize("keys", [None, [], {}, {"ed25519": "AAAA"}, {"ed25519": 5}, {"x25519": KEY}])
def test_a_policy_server_has_an_ed25519_key(keys: object) -> None:
    assert outcome(client_side.parse_policy_server, dump({"public_keys": keys})) is FailureKind.JSON_SHAPE


@given(bodies({"public_keys": {"ed25519": KEY}}))
def test_any_policy_server(body: bytes) -> None:
    assert outcome(client_side.parse_policy_server, body) in JSON_KINDS
    if outcome(client_side.parse_policy_server, body) is None:
        assert is_clean(client_side.parse_policy_server(body))


# Registration


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (200, {"available": True}, Registration.OPEN),
        (200, {"available": False}, Registration.OPEN),
        (400, {"errcode": "M_USER_IN_USE"}, Registration.OPEN),
        (400, {"errcode": "M_INVALID_USERNAME"}, Registration.OPEN),
        (400, {"errcode": "M_EXCLUSIVE"}, Registration.OPEN),
        (400, {"errcode": "M_MISSING_PARAM"}, None),
        (403, {"errcode": "M_FORBIDDEN"}, Registration.CLOSED),
        (403, {}, None),
        (404, {"errcode": "M_UNRECOGNIZED"}, None),
        (429, {"errcode": "M_LIMIT_EXCEEDED"}, None),
        (500, {"errcode": "M_FORBIDDEN"}, None),
    ],
)
def test_registration(status: int, document: object, said: Registration | None) -> None:
    assert client_side.parse_registration(status, dump(document)) is said


def test_a_success_says_whether() -> None:
    assert outcome(client_side.parse_registration, 200, b"{}") is FailureKind.JSON_SHAPE


@given(st.integers(100, 599), bodies({"available": True, "errcode": "M_FORBIDDEN"}))
def test_any_registration(status: int, body: bytes) -> None:
    assert outcome(client_side.parse_registration, status, body) in JSON_KINDS


def test_a_username_is_one_value_of_the_query() -> None:
    uri = client_side.register_available_uri("a&b=c/é")
    assert parse_qs(urlsplit(uri).query) == {"username": ["a&b=c/é"]}


@given(JSON)
def test_any_member_of_a_support_document(value: object) -> None:
    assert outcome(client_side.parse_support, dump({"contacts": value, "support_page": value})) in JSON_KINDS
