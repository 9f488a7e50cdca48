"""Every dead name dies in the way that the truth says: seen with strangers' tools, not with the crawler's."""

import ssl

import dns.rcode
import pytest
import signedjson.key
import signedjson.sign
import trio

from crawler.errors import FailureKind
from crawler.lab.deaths import DEATHS, Death, Reached
from crawler.lab.network import Target
from crawler.lab.run import Lab
from crawler.model.discovery import Branch
from tests.lab.conftest import LabMaker
from tests.lab.peer import Page, Stranger

RCODES = {
    Death.NXDOMAIN: dns.rcode.NXDOMAIN,
    Death.NODATA: dns.rcode.NOERROR,
    Death.SERVFAIL: dns.rcode.SERVFAIL,
    Death.DNS_REFUSED: dns.rcode.REFUSED,
}
VERIFY_CODES = {  # X509_V_ERR_*, openssl/x509_vfy.h
    Death.EXPIRED: 10,
    Death.NOT_YET_VALID: 9,
    Death.WRONG_NAME: 62,
    Death.SELF_SIGNED: 18,
    Death.UNTRUSTED: 20,
}
STATUSES = {Death.PARKED: 200, Death.BAD_GATEWAY: 502, Death.NOT_MATRIX: 404, Death.REDIRECTS: 302}


def dead(lab: Lab, death: Death) -> list[int]:
    found = [plan.index for plan in lab.world.plans() if plan.death is death]
    assert found, f"no server of this federation is dead by {death}"
    return found


def federation_host(lab: Lab, index: int) -> str:
    """The host whose addresses the last step of resolving asks for."""
    presence = lab.world.presence(index)
    return (presence.delegated or presence.name).partition(":")[0]


async def version(stranger: Stranger, target: Target) -> Page:
    path = "/_matrix/federation/v1/version"
    return await stranger.get(target.address, target.port, target.host_header, target.tls_name, path)


def test_every_death_stands_in_the_roster_and_has_one_kind_and_place() -> None:
    assert set(DEATHS) == set(Death)
    for facts in DEATHS.values():
        assert isinstance(facts.kind, FailureKind)
        assert facts.branches
        assert facts.weight > 0


@pytest.mark.parametrize("death", sorted(RCODES))
async def test_dead_in_dns(lab: LabMaker, death: Death) -> None:
    async with lab() as stranger:
        for index in dead(stranger.lab, death):
            host = federation_host(stranger.lab, index)
            for kind in ("A", "AAAA", "SRV"):
                answer = await stranger.query(host, kind)
                assert answer.rcode() == RCODES[death]
                assert not answer.answer
            if death is Death.NODATA:
                assert await stranger.records(host, "TXT")


async def test_silent_in_dns(lab: LabMaker) -> None:
    async with lab() as stranger:
        for index in dead(stranger.lab, Death.DNS_SILENT):
            host = federation_host(stranger.lab, index)
            for name in (host, f"_matrix-fed._tcp.{host}"):
                with pytest.raises(trio.TooSlowError):
                    await stranger.query(name, "A")


async def test_srv_to_nowhere(lab: LabMaker) -> None:
    async with lab() as stranger:
        for death in (Death.SRV_TARGET_GONE, Death.SRV_DECLINED):
            for index in dead(stranger.lab, death):
                plan = stranger.lab.world.plan(index)
                old = plan.branch in (Branch.SRV_DEPRECATED, Branch.WELL_KNOWN_SRV_DEPRECATED)
                service = "_matrix._tcp." if old else "_matrix-fed._tcp."
                (record,) = await stranger.records(service + federation_host(stranger.lab, index), "SRV")
                target = record.split()[3]
                if death is Death.SRV_DECLINED:
                    assert target == "."
                else:
                    assert (await stranger.query(target, "A")).rcode() == dns.rcode.NXDOMAIN


async def test_delegate_gone(lab: LabMaker) -> None:
    async with lab() as stranger:
        for index in dead(stranger.lab, Death.DELEGATE_GONE):
            presence = stranger.lab.world.presence(index)
            page = await stranger.get_url(f"https://{presence.name}/.well-known/matrix/server")
            delegated = page.json()["m.server"] if page.status == 200 else presence.delegated
            assert delegated == presence.delegated
            assert delegated is not None
            answer = await stranger.query(delegated.partition(":")[0], "A")
            assert answer.rcode() == dns.rcode.NXDOMAIN


async def test_special_addresses_stand_in_dns_and_nothing_else(lab: LabMaker) -> None:
    async with lab(servers=400) as stranger:
        for index in dead(stranger.lab, Death.SPECIAL_ADDRESS):
            presence = stranger.lab.world.presence(index)
            assert presence.targets == ()
            branch = stranger.lab.world.plan(index).branch
            if branch in (Branch.IP_LITERAL, Branch.WELL_KNOWN_IP):
                found = [federation_host(stranger.lab, index)]
            elif branch is Branch.SRV:
                (record,) = await stranger.records(f"_matrix-fed._tcp.{presence.name}", "SRV")
                found = await stranger.addresses(record.split()[3])
            else:
                found = await stranger.addresses(federation_host(stranger.lab, index))
            assert found
            assert not any(stranger.may_dial(address) for address in found)


@pytest.mark.parametrize(
    ("death", "error"),
    [
        (Death.HOST_REFUSES, ConnectionRefusedError),
        (Death.PORT_REFUSES, ConnectionRefusedError),
        (Death.HOST_SILENT, trio.TooSlowError),
        (Death.PORT_SILENT, trio.TooSlowError),
    ],
)
async def test_dead_in_tcp(lab: LabMaker, death: Death, error: type[Exception]) -> None:
    async with lab() as stranger:
        for index in dead(stranger.lab, death):
            targets = stranger.lab.world.presence(index).targets
            assert targets
            for target in targets:
                assert not target.works
                with pytest.raises(error):
                    await stranger.dial(target.address, target.port)
                if death in (Death.HOST_REFUSES, Death.HOST_SILENT):
                    with pytest.raises(error):
                        await stranger.dial(target.address, 443)


@pytest.mark.parametrize("death", sorted(VERIFY_CODES))
async def test_bad_certificates(lab: LabMaker, death: Death) -> None:
    async with lab() as stranger:
        for index in dead(stranger.lab, death):
            for target in stranger.lab.world.presence(index).targets:
                with pytest.raises(ssl.SSLCertVerificationError) as caught:
                    await stranger.secure(target.address, target.port, target.tls_name)
                assert caught.value.verify_code == VERIFY_CODES[death]


async def test_no_handshake(lab: LabMaker) -> None:
    async with lab() as stranger:
        for index in dead(stranger.lab, Death.NO_HANDSHAKE):
            for target in stranger.lab.world.presence(index).targets:
                with pytest.raises(ssl.SSLError) as caught:
                    await stranger.secure(target.address, target.port, target.tls_name)
                assert not isinstance(caught.value, ssl.SSLCertVerificationError)


async def test_dead_above_tls(lab: LabMaker) -> None:
    async with lab() as stranger:
        for death, status in (
            (Death.PARKED, 200),
            (Death.BAD_GATEWAY, 502),
            (Death.NOT_MATRIX, 404),
            (Death.REDIRECTS, 302),
        ):
            for index in dead(stranger.lab, death):
                for target in stranger.lab.world.presence(index).targets:
                    page = await version(stranger, target)
                    assert page.status == status
                    assert not page.body.startswith(b"{")
                    assert page.headers.get("location", "https://").startswith("https://")
        for index in dead(stranger.lab, Death.HANGS_UP):
            for target in stranger.lab.world.presence(index).targets:
                with pytest.raises(EOFError):
                    await version(stranger, target)


def _holds(document: dict[str, object], name: str) -> bool:
    """Whether one of a document's own keys signed it, as signedjson sees it."""
    keys = document["verify_keys"]
    assert isinstance(keys, dict)
    for key_id, entry in keys.items():
        key = signedjson.key.decode_verify_key_base64("ed25519", key_id.partition(":")[2], entry["key"])
        try:
            signedjson.sign.verify_signed_json(document, name, key)
        except signedjson.sign.SignatureVerifyException:
            continue
        return True
    return False


async def test_dead_keys(lab: LabMaker) -> None:
    async with lab() as stranger:
        world = stranger.lab.world
        for plan in world.plans():
            if plan.death is None or DEATHS[plan.death].reached is not Reached.ONLINE:
                continue
            name = world.names[plan.index]
            target = next(target for target in world.presence(plan.index).targets if target.works)
            assert "server" in (await version(stranger, target)).json()
            page = await stranger.federation(plan.index, "/_matrix/key/v2/server")
            if plan.death is Death.KEYS_NOT_JSON:
                assert (page.status, page.body[:1]) == (200, b"<")
                continue
            if plan.death is Death.KEYS_NOT_FOUND:
                assert page.status == 404
                continue
            document = page.json()
            stated = document["server_name"]
            expired = document["valid_until_ts"] < 1000 * _now()
            assert (stated != name) == (plan.death is Death.KEYS_WRONG_NAME)
            assert expired == (plan.death is Death.KEYS_EXPIRED)
            assert (document["verify_keys"] == {}) == (plan.death is Death.KEYS_NO_KEY)
            assert (document["signatures"] == {}) == (plan.death is Death.KEYS_NO_SIGNATURE)
            broken = (Death.KEYS_NO_KEY, Death.KEYS_NO_SIGNATURE, Death.KEYS_BAD_SIGNATURE)
            assert _holds(document, stated) == (plan.death not in broken)


async def test_the_living_have_keys_that_hold(lab: LabMaker) -> None:
    async with lab(servers=60) as stranger:
        world = stranger.lab.world
        for plan in world.plans():
            if plan.alive:
                document = (await stranger.federation(plan.index, "/_matrix/key/v2/server")).json()
                assert document["server_name"] == world.names[plan.index]
                assert document["valid_until_ts"] > 1000 * (_now() + 3600)
                assert _holds(document, world.names[plan.index])


def _now() -> float:
    import time

    return time.time()
