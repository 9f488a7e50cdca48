"""Each check fails for what it is named after, says what to do about it by name, and passes for a sound server."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crawler.engine.conformance import CHECKS, judge
from crawler.engine.conformance.remedies import Place, remedy
from crawler.errors import Failure, FailureKind
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support, SupportContact
from crawler.model.close_look import AddressLook, Certificate, ClientSide, Families, Inspection, PresentedTls
from crawler.model.discovery import (
    AddressFacts,
    Branch,
    Endpoint,
    Question,
    Resolution,
    SrvFacts,
    SrvRecord,
    Step,
    WellKnownFacts,
)
from crawler.model.names import parse_server_name
from crawler.model.observation import (
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    OldKey,
    ServerObservation,
    Skipped,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import DirectoryResult, DirectoryState
from crawler.model.verdict import Finding, Outcome
from tests.engine.made import WHEN, online

NAME = "shop.example"
DELEGATE = "matrix.shop.example"
OWNER = f"_matrix-fed._tcp.{DELEGATE}"
TARGETS = ("a.hosting.example", "b.hosting.example")
V4 = Endpoint("192.0.2.1", 8450, DELEGATE, DELEGATE, Branch.WELL_KNOWN_SRV)
V6 = Endpoint("2001:db8::1", 8450, DELEGATE, DELEGATE, Branch.WELL_KNOWN_SRV)
TLS = TlsFacts("TLSv1.3", "TLS_AES_128_GCM_SHA256", "An Authority", WHEN + timedelta(days=60), "ab" * 32)
LEAF = Certificate("CN=old.example", "CN=An Authority", ("old.example",), WHEN, WHEN + timedelta(days=60), "ab" * 32)
PRESENTED = PresentedTls("TLSv1.3", "TLS_AES_128_GCM_SHA256", (LEAF,))
KEYS = KeyDocument({"ed25519:a_1": "key"}, (OldKey("ed25519:old", "k", WHEN),), WHEN + timedelta(days=1), NAME)
NOT_ASKED = Skipped(SkipReason.NOT_NEEDED)
NOT_REACHED = Skipped(SkipReason.NOT_REACHED)


def look(endpoint: Endpoint, **changes: Any) -> AddressLook:
    sound = AddressLook(
        endpoint, Ok(endpoint.address), Ok(TLS), Ok(PRESENTED), Ok(VersionInfo("Synapse", "1.150.0")), Ok(KEYS)
    )
    return replace(sound, **changes)


def resolution(**changes: Any) -> Resolution:
    """Delegated by .well-known to a name with SRV records, of two targets."""
    well_known = WellKnownFacts(36, "application/json", "max-age=3600", None, ())
    records = tuple(SrvRecord(10, 5, 8450, target) for target in TARGETS)
    steps = (
        Step(Question.WELL_KNOWN, NAME, f"m.server is {DELEGATE}", "SRV", None, 0.1, 3600.0, facts=well_known),
        Step(Question.SRV, OWNER, "records", "3.3", None, 0.1, 300.0, facts=SrvFacts(records, (), None)),
        Step(
            Question.ADDRESSES, TARGETS[0], V4.address, "", None, 0.1, 60.0,
            facts=AddressFacts(8450, True, (V4.address,), (), None, None),
        ),
        Step(
            Question.ADDRESSES, TARGETS[1], V6.address, "", None, 0.1, 60.0,
            facts=AddressFacts(8450, True, (V6.address,), (), None, None),
        ),
    )  # fmt: skip
    whole = Resolution(parse_server_name(NAME), steps, (V4, V6), Branch.WELL_KNOWN_SRV, parse_server_name(DELEGATE))
    return replace(whole, **changes)


def sound(**changes: Any) -> Inspection:
    """A server without a flaw. `changes` are of whichever part of the inspection has such a member."""
    observation = replace(
        online(NAME),
        resolution=resolution(),
        endpoint=V4,
        tls=Ok(TLS),
        keys=Ok(KEYS),
        client_well_known=Ok(ClientWellKnown("https://chat.shop.example", allow_origin="*")),
        client_versions=Ok(ClientVersions(("r0.6.1", "v1.11"), {"org.matrix.simplified_msc3575": True})),
        support=Ok(Support((SupportContact("m.role.admin", email_address="a@shop.example"),))),
        addresses=(look(V4), look(V6)),
        families=Families.BOTH,
    )
    client = ClientSide(
        login_flows=Ok(("m.login.password",)),
        oauth=Ok(OAuthMetadata("https://auth.shop.example", offers_sign_up=False)),
        policy_server=Ok({"ed25519": "key"}),
        robots=Ok("User-agent: *\nDisallow: /private\n"),
        client_robots=Ok(None),
        registration=Ok(Registration.CLOSED),
    )
    inspection = Inspection(observation, client, requests=9, duration_s=1.5, past_keys={"ed25519:a_1": {"key"}})
    for key, value in changes.items():
        change = {key: value}
        if key in ClientSide.__slots__:
            client = replace(client, **change)
        elif key in ServerObservation.__slots__:
            observation = replace(observation, **change)
        else:
            inspection = replace(inspection, **change)
    return replace(inspection, observation=observation, client=client)


def steps(at: int, **changes: Any) -> Resolution:
    """The resolution with one step changed."""
    whole = resolution()
    changed = [replace(step, **changes) if i == at else step for i, step in enumerate(whole.steps)]
    return replace(whole, steps=tuple(changed))


def facts(at: int, **changes: Any) -> Resolution:
    """The resolution with the facts of one step changed."""
    return steps(at, facts=replace(resolution().steps[at].facts, **changes))  # type: ignore[type-var]  # each has facts


def nowhere(kind: FailureKind, subject: str = NAME) -> dict[str, Any]:
    """A name that leads nowhere."""
    failure = Failure(kind)
    gone = Resolution(
        parse_server_name(NAME),
        (
            Step(
                Question.ADDRESSES,
                subject,
                "",
                "",
                failure,
                facts=AddressFacts(8448, False, (), ("10.0.0.1",), None, None),
            ),
        ),
        (),
        failure=failure,
    )
    return {
        "resolution": gone, "endpoint": None, "tcp": NOT_REACHED, "tls": NOT_REACHED, "version": NOT_REACHED,
        "keys": NOT_REACHED, "addresses": (), "families": Families.NEITHER,
    }  # fmt: skip


def unverified(kind: FailureKind) -> dict[str, Any]:
    failed = Failed(Failure(kind))
    cut = {"tls": failed, "version": NOT_REACHED, "keys": NOT_REACHED}
    return {**cut, "addresses": (look(V4, **cut), look(V6, **cut))}


def keys(kind: FailureKind) -> dict[str, Any]:
    failed = Failed(Failure(kind))
    return {"keys": failed, "addresses": (look(V4, keys=failed), look(V6, keys=failed))}


def failed(kind: FailureKind, status: int | None = None) -> Failed:
    return Failed(Failure(kind, http_status=status))


WARN, FAIL = Outcome.WARN, Outcome.FAIL
AGED = replace(TLS, not_after=WHEN + timedelta(days=5, hours=1))
FLAWS: list[tuple[str, Outcome, str, Callable[[], Inspection]]] = [
    ("name.host_name", WARN, "shop-.example", lambda: sound(server_name=parse_server_name("shop-.example"))),
    ("name.host_name", WARN, "matrix.1", lambda: sound(resolution=resolution(delegated=parse_server_name("matrix.1:8448")))),  # noqa: E501 - a table
    ("name.lower_case", WARN, "shop.example", lambda: sound(server_name=parse_server_name("Shop.example"))),
    ("well_known.reachable", WARN, NAME, lambda: sound(resolution=steps(0, facts=None, failure=Failure(FailureKind.TLS_EXPIRED)))),  # noqa: E501 - a table
    ("well_known.json", WARN, f"https://{NAME}/", lambda: sound(resolution=steps(0, facts=None, failure=Failure(FailureKind.WELL_KNOWN_NOT_JSON)))),  # noqa: E501 - a table
    ("well_known.delegate", WARN, "HOST:PORT", lambda: sound(resolution=steps(0, facts=None, failure=Failure(FailureKind.WELL_KNOWN_BAD_SERVER)))),  # noqa: E501 - a table
    ("well_known.content_type", WARN, "text/html", lambda: sound(resolution=facts(0, content_type="text/html; charset=utf-8"))),  # noqa: E501 - a table
    ("well_known.size", WARN, NAME, lambda: sound(resolution=steps(0, facts=None, failure=Failure(FailureKind.HTTP_TOO_LARGE)))),  # noqa: E501 - a table
    ("well_known.redirects", WARN, "4 redirects", lambda: sound(resolution=facts(0, redirects=("https://x.example/",) * 4))),  # noqa: E501 - a table
    ("well_known.cache", WARN, "no-store", lambda: sound(resolution=steps(0, cache_s=0.0, facts=WellKnownFacts(9, "application/json", "no-store", None, ())))),  # noqa: E501 - a table
    ("delegation.no_loop", WARN, f"{NAME}:443", lambda: sound(resolution=resolution(delegated=parse_server_name(NAME)))),  # noqa: E501 - a table
    ("dns.resolves", FAIL, NAME, lambda: sound(**nowhere(FailureKind.DNS_NXDOMAIN))),
    ("dns.srv_available", FAIL, OWNER, lambda: sound(resolution=steps(1, failure=Failure(FailureKind.DNS_SRV_UNAVAILABLE)))),  # noqa: E501 - a table
    ("dns.srv_available", WARN, "0 0 0 .", lambda: sound(resolution=facts(1, unusable=(SrvRecord(0, 0, 0, ""),)))),
    ("dns.srv_name", WARN, OWNER, lambda: sound(resolution=steps(1, subject=f"_matrix._tcp.{DELEGATE}"))),
    ("dns.srv_targets_resolve", WARN, TARGETS[1], lambda: sound(resolution=steps(3, failure=Failure(FailureKind.DNS_NXDOMAIN)))),  # noqa: E501 - a table
    ("dns.srv_targets_alive", WARN, f"{TARGETS[1]} port 8450", lambda: sound(addresses=(look(V4), look(V6, version=NOT_REACHED, tcp=failed(FailureKind.TCP_REFUSED))))),  # noqa: E501 - a table
    ("dns.srv_targets_no_alias", WARN, "real.example", lambda: sound(resolution=facts(2, cname="real.example"))),
    ("dns.srv_targets_no_alias", WARN, "192.0.2.1", lambda: sound(resolution=steps(2, subject="192.0.2.1"))),
    ("dns.public_addresses", FAIL, NAME, lambda: sound(**nowhere(FailureKind.POLICY_ADDRESS))),
    ("dns.public_addresses", FAIL, "in place of 10.0.0.1", lambda: sound(**nowhere(FailureKind.POLICY_ADDRESS, "10.0.0.1"))),  # noqa: E501 - a table
    ("dns.public_addresses", WARN, "10.0.0.1", lambda: sound(resolution=facts(2, refused=("10.0.0.1",)))),
    ("dns.both_families", WARN, "dns_servfail", lambda: sound(resolution=facts(2, other_failure=Failure(FailureKind.DNS_SERVFAIL)))),  # noqa: E501 - a table
    ("dns.default_port", FAIL, "8448", lambda: sound(resolution=resolution(branch=Branch.DEFAULT, delegated=None), tcp=failed(FailureKind.TCP_REFUSED))),  # noqa: E501 - a table
    ("addresses.connect", WARN, "2001:db8::1 port 8450", lambda: sound(addresses=(look(V4), look(V6, tcp=failed(FailureKind.TCP_TIMEOUT))))),  # noqa: E501 - a table
    ("addresses.connect", FAIL, "192.0.2.1 port 8450", lambda: sound(addresses=(look(V4, tcp=failed(FailureKind.TCP_REFUSED)),))),  # noqa: E501 - a table
    ("addresses.secure", WARN, DELEGATE, lambda: sound(addresses=(look(V4), look(V6, tls=failed(FailureKind.TLS_EXPIRED))))),  # noqa: E501 - a table
    ("addresses.version", WARN, "2001:db8::1", lambda: sound(addresses=(look(V4), look(V6, version=failed(FailureKind.HTTP_SERVER_ERROR, 502))))),  # noqa: E501 - a table
    ("addresses.keys", WARN, NAME, lambda: sound(addresses=(look(V4), look(V6, keys=failed(FailureKind.KEYS_WRONG_NAME))))),  # noqa: E501 - a table
    ("addresses.same_keys", FAIL, "2001:db8::1", lambda: sound(addresses=(look(V4), look(V6, keys=Ok(replace(KEYS, verify_keys={"ed25519:z": "other"})))))),  # noqa: E501 - a table
    ("addresses.same_version", WARN, "2001:db8::1", lambda: sound(addresses=(look(V4), look(V6, version=Ok(VersionInfo("Synapse", "1.0")))))),  # noqa: E501 - a table
    ("addresses.ipv6", WARN, "AAAA", lambda: sound(families=Families.IPV6_BROKEN)),
    ("addresses.ipv6", WARN, "A record", lambda: sound(families=Families.IPV6_ONLY)),
    ("addresses.ipv6", WARN, "192.0.2.1", lambda: sound(families=Families.IPV4_BROKEN)),
    ("tls.handshake", FAIL, "TLS 1.2", lambda: sound(**unverified(FailureKind.TLS_HANDSHAKE))),
    ("tls.name", FAIL, "old.example", lambda: sound(**unverified(FailureKind.TLS_WRONG_NAME))),
    ("tls.chain", FAIL, "self-signed", lambda: sound(**unverified(FailureKind.TLS_SELF_SIGNED))),
    ("tls.chain", FAIL, "1 certificate is sent", lambda: sound(**unverified(FailureKind.TLS_UNTRUSTED))),
    ("tls.expiry", FAIL, "24 Nov 2026 to 23 Jan 2027", lambda: sound(**unverified(FailureKind.TLS_EXPIRED))),
    ("tls.expiry", WARN, "in 5 days, on 29 Nov 2026", lambda: sound(addresses=(look(V4, tls=Ok(AGED)),))),
    ("keys.published", FAIL, "404", lambda: sound(**keys(FailureKind.HTTP_NOT_FOUND))),
    ("keys.name", FAIL, NAME, lambda: sound(**keys(FailureKind.KEYS_WRONG_NAME))),
    ("keys.ed25519", FAIL, NAME, lambda: sound(**keys(FailureKind.KEYS_NO_KEY))),
    ("keys.signature", FAIL, NAME, lambda: sound(**keys(FailureKind.KEYS_BAD_SIGNATURE))),
    ("keys.signature", FAIL, NAME, lambda: sound(**keys(FailureKind.KEYS_NO_SIGNATURE))),
    ("keys.signature", WARN, "ed25519:b", lambda: sound(keys=Ok(replace(KEYS, broken_signatures=("ed25519:b",))))),
    ("keys.in_date", FAIL, "valid_until_ts", lambda: sound(**keys(FailureKind.KEYS_EXPIRED))),
    ("keys.validity", WARN, "24 Nov 2027", lambda: sound(keys=Ok(replace(KEYS, valid_until=WHEN + timedelta(days=365))))),  # noqa: E501 - a table
    ("keys.validity", WARN, "00:10", lambda: sound(keys=Ok(replace(KEYS, valid_until=WHEN + timedelta(minutes=10))))),
    ("keys.retired", WARN, "ed25519:old", lambda: sound(keys=Ok(replace(KEYS, old_verify_keys=(OldKey("ed25519:old", "k", None),))))),  # noqa: E501 - a table
    ("keys.no_reuse", FAIL, "ed25519:a_1", lambda: sound(past_keys={"ed25519:a_1": {"key", "another"}})),
    ("federation.version", FAIL, "192.0.2.1", lambda: sound(version=failed(FailureKind.JSON_INVALID))),
    ("federation.version_says", WARN, "server.version", lambda: sound(version=Ok(VersionInfo("Synapse", None)))),
    ("federation.signed", WARN, "clock", lambda: sound(signed_accepted=False)),
    ("directory.answers", WARN, "allow_public_rooms_over_federation", lambda: sound(directory=DirectoryResult(DirectoryState.DENIED))),  # noqa: E501 - a table
    ("directory.answers", WARN, DELEGATE, lambda: sound(directory=DirectoryResult(DirectoryState.AUTH_FAILED))),
    ("directory.answers", WARN, DELEGATE, lambda: sound(directory=DirectoryResult(DirectoryState.NOT_IMPLEMENTED))),
    ("directory.answers", WARN, DELEGATE, lambda: sound(directory=DirectoryResult(DirectoryState.ERROR, failure=Failure(FailureKind.HTTP_SERVER_ERROR)))),  # noqa: E501 - a table
    ("manners.rate_limit", WARN, "429", lambda: sound(client_versions=failed(FailureKind.HTTP_RATE_LIMITED, 429))),
    ("manners.robots", WARN, "matrix-census", lambda: sound(robots=Ok("User-agent: matrix-census\nDisallow: /\n"))),
    ("manners.robots", WARN, "matrix-census", lambda: sound(robots=Ok(None), client_robots=Ok("User-agent: matrix-census\nDisallow: /\n"))),  # noqa: E501 - a table
    ("manners.robots", WARN, "matrix-census", lambda: sound(robots=Ok(None), directory=DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.ROBOTS))),  # noqa: E501 - a table
    ("client.well_known", WARN, f"https://{NAME}/.well-known/matrix/client", lambda: sound(client_well_known=Ok(None))),
    ("client.well_known", WARN, NAME, lambda: sound(client_well_known=failed(FailureKind.JSON_INVALID))),
    ("client.cors", WARN, "Access-Control-Allow-Origin: *", lambda: sound(client_well_known=Ok(ClientWellKnown("https://c.example")))),
    ("client.versions", WARN, "https://chat.shop.example/_matrix", lambda: sound(client_versions=failed(FailureKind.HTTP_NOT_FOUND, 404))),  # noqa: E501 - a table
    ("client.spec_versions", WARN, "Update", lambda: sound(client_versions=Ok(ClientVersions(("r0.6.1",), {})))),
    ("client.login", FAIL, "log in", lambda: sound(oauth=Ok(None), login_flows=Ok(()))),
    ("client.oauth", WARN, "auth_metadata", lambda: sound(oauth=failed(FailureKind.JSON_SHAPE))),
    ("client.sliding_sync", WARN, "https://proxy.example", lambda: sound(client_well_known=Ok(ClientWellKnown("https://c.example", sliding_sync_proxy="https://proxy.example")))),  # noqa: E501 - a table
    ("client.sliding_sync", WARN, "MSC4186", lambda: sound(client_versions=Ok(ClientVersions(("v1.1",), {})))),
    ("client.support", WARN, f"https://{NAME}/.well-known/matrix/support", lambda: sound(support=Ok(None))),
    ("client.policy_server", WARN, "policy_server", lambda: sound(policy_server=failed(FailureKind.JSON_SHAPE))),
    ("client.registration", WARN, "captcha", lambda: sound(registration=Ok(Registration.OPEN))),
]  # fmt: skip


def finding(inspection: Inspection, check_id: str) -> Finding:
    return next(found for found in judge(inspection) if found.id == check_id)


def test_a_sound_server_passes_every_check() -> None:
    assert {found.id: found.outcome for found in judge(sound())} == dict.fromkeys(
        (check.id for check in CHECKS), Outcome.PASS
    )


@pytest.mark.parametrize(
    ("check_id", "outcome", "names", "flawed"), FLAWS, ids=[f"{f[0]}-{f[1]}-{f[2]}" for f in FLAWS]
)
def test_a_flaw(check_id: str, outcome: Outcome, names: str, flawed: Callable[[], Inspection]) -> None:
    found = finding(flawed(), check_id)
    assert found.outcome is outcome
    assert names in found.remedy
    assert found.remedy.endswith(".")


def test_every_check_can_fail() -> None:
    assert {check_id for check_id, *_ in FLAWS} == {check.id for check in CHECKS}


def test_a_remedy_is_given_exactly_where_something_is_wrong() -> None:
    for *_, flawed in FLAWS:
        for found in judge(flawed()):
            assert bool(found.remedy) is (found.outcome in (WARN, FAIL)), found


def test_every_flaw_that_keeps_from_federating_fails_a_check() -> None:
    for *_, flawed in FLAWS:
        inspection = flawed()
        if not inspection.observation.federating:
            assert any(found.outcome is FAIL for found in judge(inspection))


def test_what_was_not_published_or_not_asked_is_not_judged() -> None:
    without = steps(0, facts=None, failure=Failure(FailureKind.HTTP_NOT_FOUND, http_status=404))
    bare = sound(resolution=without, registration=NOT_ASKED, policy_server=Ok(None), robots=Ok(None), past_keys={})
    for check_id in (
        "well_known.reachable",
        "well_known.cache",
        "client.registration",
        "client.policy_server",
        "manners.robots",
        "keys.no_reuse",
    ):
        assert finding(bare, check_id).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_has_a_remedy_of_its_own(kind: FailureKind) -> None:
    place = Place(parse_server_name(NAME), "asked.example", "tls.example", "192.0.2.1 port 8448")
    told = remedy(Failure(kind, "a detail"), place)
    assert told.endswith(".")
    assert "\n" not in told
    assert any(part in told for part in (NAME, "asked.example", "tls.example", "192.0.2.1"))
    assert [k for k in FailureKind if remedy(Failure(k, "a detail"), place) == told] == [kind]
