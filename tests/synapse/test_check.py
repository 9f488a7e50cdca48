"""`check` of a real homeserver with one thing broken around it: each breakage gets a kind of failure of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.protocol.signing import build_key_document, load_identity
from tests.synapse import command
from tests.synapse.broken import Breakage, Surroundings, arranged, open_surroundings
from tests.synapse.federation import CrawlerIdentity, Federation, json_reply, new_identity
from tests.synapse.front import Front
from tests.synapse.homeserver import Options
from tests.synapse.probe import KEYS
from tests.synapse.snapshot import run

pytestmark = [pytest.mark.synapse, pytest.mark.slow]

OK, DOES_NOT_FEDERATE = 0, 1


@dataclass(frozen=True, slots=True)
class Checked:
    exit_code: int
    told: dict[str, Any]

    @property
    def kinds(self) -> list[str]:
        return [failure["kind"] for failure in self.told["failures"]]

    @property
    def remedies(self) -> dict[str, str]:
        """Check that fails or warns -> what to do."""
        return {found["id"]: found["remedy"] for found in self.told["conformance"] if found["remedy"]}

    @property
    def failed(self) -> list[str]:
        return [found["id"] for found in self.told["conformance"] if found["outcome"] == "fail"]

    @property
    def steps(self) -> list[tuple[str, str | None]]:
        """(question, kind of failure) of each step of the resolution."""
        return [
            (step["question"], step["failure"] and step["failure"]["kind"]) for step in self.told["resolution"]["steps"]
        ]


def check(around: Surroundings, *more: str) -> Checked:
    ran = run(command.check(around.network, around.server.name, "--json", *more))
    assert ran.returncode in {OK, DOES_NOT_FEDERATE}, f"{ran.stdout}\n{ran.stderr}"
    return Checked(ran.returncode, json.loads(ran.stdout))


def test_sound(surroundings: Surroundings) -> None:
    with arranged(surroundings):
        checked = check(surroundings)
    assert (checked.exit_code, checked.told["federates"]) == (OK, True)
    assert checked.told["resolution"]["endpoints"][0]["via"] == "3.2"
    assert checked.told["directory"]["state"] == "open_empty"
    assert checked.kinds == []
    assert checked.failed == []


@pytest.mark.parametrize(
    ("breakage", "kind", "phase", "failed", "names"),
    [
        (
            Breakage.CERTIFICATE_EXPIRED,
            "tls_expired",
            "tls",
            "tls.expiry",
            "Renew the certificate of matrix.gamma.test",
        ),
        (Breakage.CERTIFICATE_WRONG_NAME, "tls_wrong_name", "tls", "tls.name", "it names elsewhere.test"),
        (
            Breakage.CERTIFICATE_SELF_SIGNED,
            "tls_self_signed",
            "tls",
            "tls.chain",
            "Replace the self-signed certificate of matrix.gamma.test",
        ),
        (Breakage.KEYS_OF_ANOTHER_NAME, "keys_wrong_name", "keys", "keys.name", "set its server_name to gamma.test"),
        (Breakage.KEYS_EXPIRED, "keys_expired", "keys", "keys.in_date", "valid_until_ts is past"),
        (Breakage.KEYS_TAMPERED, "keys_bad_signature", "keys", "keys.signature", "as the homeserver signed it"),
        (
            Breakage.WELL_KNOWN_PRIVATE_NAME,
            "policy_address",
            "policy",
            "dns.public_addresses",
            "Point inside.gamma.test at a public address",
        ),
        (
            Breakage.WELL_KNOWN_PRIVATE_ADDRESS,
            "policy_address",
            "policy",
            "dns.public_addresses",
            "in place of 10.255.255.1, which is private",
        ),
        (Breakage.SRV_NO_ADDRESS, "dns_nxdomain", "dns", "dns.srv_targets_resolve", "records for nowhere.gamma.test"),
        (Breakage.SRV_REFUSED, "tcp_refused", "tcp", "addresses.connect", "the connection is refused"),
        (
            Breakage.SRV_UNAVAILABLE,
            "dns_srv_unavailable",
            "dns",
            "dns.srv_available",
            "Remove the SRV record _matrix-fed._tcp.gamma.test",
        ),
    ],
)
def test_broken(surroundings: Surroundings, breakage: Breakage, kind: str, phase: str, failed: str, names: str) -> None:
    with arranged(surroundings, breakage) as broken:
        checked = check(surroundings)
        assert (checked.exit_code, checked.told["federates"]) == (DOES_NOT_FEDERATE, False)
        (failure,) = checked.told["failures"]
        assert (failure["kind"], failure["phase"]) == (kind, phase)
        assert failed in checked.failed
        assert names in checked.remedies[failed]
        # Only a server whose certificate and name are right is asked anything.
        asked = {seen.target for seen in broken.proxy.seen}
        assert (KEYS in asked) is (phase == "keys")


def test_a_well_known_that_is_a_web_page(surroundings: Surroundings) -> None:
    """It is no failure that ends anything: SRV and port 8448 come next, and here they lead nowhere."""
    with arranged(surroundings, Breakage.WELL_KNOWN_HTML):
        checked = check(surroundings)
    assert checked.exit_code == DOES_NOT_FEDERATE
    assert ("well_known", "well_known_not_json") in checked.steps
    assert "well_known.json" in checked.failed
    assert f"https://{surroundings.server.name}/.well-known/matrix/server" in checked.remedies["well_known.json"]
    assert "port 8448" in checked.remedies["dns.default_port"]
    assert "tcp_refused" in checked.kinds


@pytest.fixture
def known_identity(federation: Federation) -> Iterator[CrawlerIdentity]:
    """An identity whose key document is there for whoever asks, as a web server would publish it."""
    identity = new_identity(federation.network, "checker.test", 70)
    address, _, port = identity.serve_key.rpartition(":")
    document = build_key_document(load_identity(identity.file.read_text()), datetime.now(UTC), 3600.0)
    with Front([(address, int(port))], identity.certificate, routes={KEYS: json_reply(document)}):
        yield identity


def test_a_closed_directory(federation: Federation, known_identity: CrawlerIdentity) -> None:
    """Closed to everybody: it federates all the same, and its directory says no."""
    closed_to_all = Options(open_over_federation=False)
    with open_surroundings(federation.network, "shut.test", host=50, options=closed_to_all) as closed, arranged(closed):
        checked = check(closed, "--identity", str(known_identity.file))
    assert (checked.exit_code, checked.told["federates"]) == (OK, True)
    assert checked.told["directory"] | {"state": "denied", "rooms": None} == checked.told["directory"]
    assert checked.kinds == ["http_forbidden"]
    assert checked.failed == []
    assert "allow_public_rooms_over_federation" in checked.remedies["directory.answers"]


def test_the_file_of_an_identity_is_secret(federation: Federation) -> None:
    assert Path(federation.identity.file).stat().st_mode & 0o077 == 0
