"""Our own identity: made once, found by peers while it is served, and missed when it is not."""

import json
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.census.practice import COMMAND, PACE, Practice, census, environment, practice

NETWORK = ("serve_key", "tls_cert", "tls_key", "seeds")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("identity"), 60) as lab:
        yield lab


def test_a_new_identity_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "identity.json"
    told = census("identity", "new", "census.example.org", "--out", str(file))
    assert told.returncode == 0, told.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = file.read_bytes()
    made = json.loads(kept)
    assert made["server_name"] == "census.example.org"
    assert made["key_id"] in told.stdout
    assert "/_matrix/key/v2/server" in told.stdout
    again = census("identity", "new", "census.example.org", "--out", str(file))
    assert again.returncode == 2
    assert file.read_bytes() == kept
    other = census("identity", "new", "census.example.org", "--out", str(tmp_path / "other.json"))
    assert other.returncode == 0
    assert json.loads((tmp_path / "other.json").read_text())["key_id"] != made["key_id"]


def test_a_peer_finds_our_key_while_it_is_served_and_not_afterwards(lab: Practice, tmp_path: Path) -> None:
    check = ["identity", "check", *lab.options(*NETWORK)]
    absent = census(*check)
    assert absent.returncode == 1
    assert "A peer finds no key" in absent.stdout

    crawl = [*COMMAND, "crawl", "--db", str(tmp_path / "census.duckdb"), *PACE, *lab.options()]
    with subprocess.Popen(crawl, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as crawling:
        try:
            for _ in range(30):
                found = census(*check)
                if found.returncode == 0:
                    break
                assert crawling.poll() is None, found.stdout
                time.sleep(0.2)
            other = tmp_path / "other.json"
            name = json.loads(Path(lab.line["identity"]).read_text())["server_name"]
            census("identity", "new", name, "--out", str(other))
            others = census("identity", "check", "--json", "--identity", str(other), *lab.options(*NETWORK, "identity"))
        finally:
            crawling.kill()
    assert found.returncode == 0, found.stdout
    assert "A peer finds key" in found.stdout
    assert others.returncode == 1
    assert json.loads(others.stdout)["good"] is False


def test_check_says_in_json_what_it_is_promised_to_say(lab: Practice) -> None:
    truth = lab.truth["servers"]
    good = next(n for n, f in truth.items() if f["findable"] and f["branch"] == "3.2" and f["predicates"]["federating"])
    dead = next(n for n, f in truth.items() if f["findable"] and f["failure"] == "dns_nxdomain")
    network = lab.options("identity", *NETWORK)

    told = census("check", good, "--json", *network)
    assert told.returncode == 0, told.stderr
    seen = json.loads(told.stdout)
    assert seen.keys() >= {
        "format", "server_name", "federates", "counted", "resolution", "version", "keys", "addresses", "directory",
        "client", "failures", "conformance",
    }  # fmt: skip
    assert (seen["server_name"], seen["federates"]) == (good, True)
    assert seen["resolution"]["endpoints"][0].keys() == {"address", "port", "host_header", "tls_name", "via"}
    assert seen["resolution"]["endpoints"][0]["via"] == "3.2"
    assert [step["question"] for step in seen["resolution"]["steps"]] == ["name", "well_known", "addresses"]
    assert seen["format"] == "matrix-census/check/1"
    assert seen["version"]["value"].keys() == {"name", "version"}
    assert seen["directory"].keys() >= {"state", "rooms"}

    told = census("check", dead, "--json", *network)
    assert told.returncode == 1
    seen = json.loads(told.stdout)
    assert (seen["federates"], seen["version"]["outcome"], seen["keys"]["outcome"]) == (False, "skipped", "skipped")
    assert {"phase": "dns", "kind": "dns_nxdomain"}.items() <= seen["failures"][0].items()

    shown = census("check", good, *network)
    assert "branch 3.2" in shown.stdout
    assert "federates" in shown.stdout
