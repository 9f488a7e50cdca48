"""Each breakage is what it says, seen through the standard library, the reference signing library and a real peer."""

import socket
import ssl
import time
from typing import Any

import dns.rcode
import dns.resolver
import httpx
import pytest
import signedjson.key
import signedjson.sign
from unpaddedbase64 import decode_base64

from tests.synapse.broken import PRIVATE_ADDRESS, Arrangement, Breakage, Surroundings, arranged, open_surroundings
from tests.synapse.client import Client
from tests.synapse.federation import Federation
from tests.synapse.homeserver import Options
from tests.synapse.probe import KEYS, open_probe

pytestmark = [pytest.mark.synapse, pytest.mark.slow]

WELL_KNOWN = "/.well-known/matrix/server"


def ask(arrangement: Arrangement, path: str, *, web: bool = False) -> httpx.Response:
    """Ask the proxy, or the web server, as somebody who resolved its name."""
    address, port = (arrangement.web if web else arrangement.proxy).places[0]
    host = arrangement.server_name if web else arrangement.delegate
    trusted = ssl.create_default_context(cafile=str(arrangement.network.authority.file))
    with httpx.Client(verify=trusted, trust_env=False, timeout=30.0) as client:
        return client.get(f"https://{address}:{port}{path}", headers={"Host": host}, extensions={"sni_hostname": host})


def handshake_error(arrangement: Arrangement) -> int:
    """OpenSSL's verify code for the proxy's certificate."""
    trusted = ssl.create_default_context(cafile=str(arrangement.network.authority.file))
    with (
        socket.create_connection(arrangement.proxy.places[0]) as plain,
        pytest.raises(ssl.SSLCertVerificationError) as caught,
    ):
        trusted.wrap_socket(plain, server_hostname=arrangement.delegate)
    return caught.value.verify_code


def look_up(arrangement: Arrangement, name: str, kind: str) -> list[str]:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [arrangement.network.dns.address[0]], arrangement.network.dns.address[1]
    return [record.to_text() for record in resolver.resolve(name, kind)]


def verifies(document: dict[str, Any], name: str) -> bool:
    ((key_id, key),) = document["verify_keys"].items()
    verify_key = signedjson.key.decode_verify_key_bytes(key_id, decode_base64(key["key"]))
    try:
        signedjson.sign.verify_signed_json(document, name, verify_key)
    except signedjson.sign.SignatureVerifyException:
        return False
    return True


def test_sound(surroundings: Surroundings) -> None:
    with arranged(surroundings) as sound:
        delegate = ask(sound, WELL_KNOWN, web=True).json()["m.server"]
        assert delegate == f"{sound.delegate}:{sound.proxy.places[0][1]}"
        with Client(surroundings.server) as nobody:
            for path in ("/_matrix/federation/v1/version", KEYS, "/_matrix/client/versions"):
                assert ask(sound, path).json() == nobody.get(path)
        document = ask(sound, KEYS).json()
        assert document["server_name"] == "gamma.test"
        assert document["valid_until_ts"] > time.time() * 1000
        assert verifies(document, "gamma.test")
        # What the proxy passes on is the homeserver's own refusal, not one of the proxy's.
        refused = ask(sound, "/_matrix/federation/v1/publicRooms")
        assert (refused.status_code, refused.json()["errcode"]) == (401, "M_UNAUTHORIZED")


@pytest.mark.parametrize(
    ("breakage", "verify_code"),
    [
        (Breakage.CERTIFICATE_EXPIRED, 10),  # X509_V_ERR_CERT_HAS_EXPIRED
        (Breakage.CERTIFICATE_SELF_SIGNED, 18),  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
        (Breakage.CERTIFICATE_WRONG_NAME, 62),  # X509_V_ERR_HOSTNAME_MISMATCH
    ],
)
def test_certificates(surroundings: Surroundings, breakage: Breakage, verify_code: int) -> None:
    with arranged(surroundings, breakage) as broken:
        assert handshake_error(broken) == verify_code


@pytest.mark.parametrize(
    ("breakage", "name", "in_date", "verified"),
    [
        (Breakage.KEYS_OF_ANOTHER_NAME, "elsewhere.test", True, True),
        (Breakage.KEYS_EXPIRED, "gamma.test", False, True),
        (Breakage.KEYS_TAMPERED, "gamma.test", True, False),
    ],
)
def test_keys(surroundings: Surroundings, breakage: Breakage, name: str, in_date: bool, verified: bool) -> None:
    with arranged(surroundings, breakage) as broken:
        document = ask(broken, KEYS).json()
        assert document["server_name"] == name
        assert (document["valid_until_ts"] > time.time() * 1000) is in_date
        assert verifies(document, name) is verified
        assert ask(broken, "/_matrix/federation/v1/version").json()["server"]["name"] == "Synapse"


def test_well_known_html(surroundings: Surroundings) -> None:
    with arranged(surroundings, Breakage.WELL_KNOWN_HTML) as broken:
        answer = ask(broken, WELL_KNOWN, web=True)
        assert answer.status_code == httpx.codes.OK
        assert answer.text.startswith("<!DOCTYPE html>")
        with pytest.raises((dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)):
            look_up(broken, "_matrix-fed._tcp.gamma.test", "SRV")
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect((look_up(broken, "gamma.test", "A")[0], 8448))


def test_well_known_private(surroundings: Surroundings) -> None:
    with arranged(surroundings, Breakage.WELL_KNOWN_PRIVATE_NAME) as broken:
        assert ask(broken, WELL_KNOWN, web=True).json() == {"m.server": "inside.gamma.test:8448"}
        assert look_up(broken, "inside.gamma.test", "A") == [PRIVATE_ADDRESS]
    with arranged(surroundings, Breakage.WELL_KNOWN_PRIVATE_ADDRESS) as broken:
        assert ask(broken, WELL_KNOWN, web=True).json() == {"m.server": f"{PRIVATE_ADDRESS}:8448"}


def test_srv_to_nowhere(surroundings: Surroundings) -> None:
    owner = "_matrix-fed._tcp.gamma.test"
    with arranged(surroundings, Breakage.SRV_NO_ADDRESS) as broken:
        assert ask(broken, WELL_KNOWN, web=True).status_code == httpx.codes.NOT_FOUND
        assert look_up(broken, owner, "SRV") == ["10 5 8448 nowhere.gamma.test."]
        with pytest.raises(dns.resolver.NXDOMAIN):
            look_up(broken, "nowhere.gamma.test", "A")
    with arranged(surroundings, Breakage.SRV_REFUSED) as broken:
        (record,) = look_up(broken, owner, "SRV")
        _, _, port, target = record.split()
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect((look_up(broken, target, "A")[0], int(port)))
    with arranged(surroundings, Breakage.SRV_UNAVAILABLE) as broken:
        assert look_up(broken, owner, "SRV") == ["0 0 0 ."]
    with arranged(surroundings) as sound, pytest.raises((dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)):
        look_up(sound, owner, "SRV")


def test_a_real_peer_agrees(federation: Federation, surroundings: Surroundings) -> None:
    """alpha, a Synapse too, takes no key from what is broken, and takes it at once when all is well again."""
    with Client(surroundings.server) as nobody:
        (key_id,) = nobody.get(KEYS)["verify_keys"]

    def keys_that_alpha_has() -> list[dict[str, Any]]:
        wanted = {"gamma.test": {key_id: {"minimum_valid_until_ts": int(time.time() * 1000)}}}
        answered = federation.people.alpha.post("/_matrix/key/v2/query", {"server_keys": wanted})
        documents: list[dict[str, Any]] = answered["server_keys"]
        return documents

    for breakage in (
        Breakage.CERTIFICATE_EXPIRED,
        Breakage.CERTIFICATE_WRONG_NAME,
        Breakage.CERTIFICATE_SELF_SIGNED,
        Breakage.KEYS_OF_ANOTHER_NAME,
        Breakage.KEYS_TAMPERED,
    ):
        with arranged(surroundings, breakage) as broken:
            assert keys_that_alpha_has() == [], breakage
            got_as_far_as = {seen.target for seen in broken.proxy.seen}
            assert got_as_far_as == ({KEYS} if breakage.name.startswith("KEYS") else set()), breakage
    with arranged(surroundings):
        (document,) = keys_that_alpha_has()
        assert document["server_name"] == "gamma.test"
        assert key_id in document["verify_keys"]


def test_a_closed_directory(federation: Federation) -> None:
    """Only a homeserver's own configuration closes its directory to other servers: one that is set up so."""
    network, uri = federation.network, "/_matrix/federation/v1/publicRooms?limit=100&include_all_networks=false"
    closed_options = Options(open_over_federation=False)
    with (
        open_surroundings(network, "closed.test", host=50, options=closed_options) as closed,
        arranged(closed) as sound,
        open_probe(network, "asker.test", 60) as probe,
    ):
        answer = probe.get(sound.proxy.places[0], sound.delegate, "closed.test", uri)
        assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN")
        # It did look at who asks: the refusal is of the request, not of the signature.
        assert [seen.target for seen in probe.front.seen] == [KEYS]
