"""`serve` answers a check as the command does, guarded and rationed."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.api.check import CHECKS_A_MINUTE, MINUTE_S, Ration
from tests.census.practice import COMMAND, Practice, census, environment, practice


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("check-api"), 60) as lab:
        yield lab


@pytest.fixture(scope="module")
def site(lab: Practice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    options = lab.options("seeds", "identity", "serve_key", "tls_cert", "tls_key")
    db = tmp_path_factory.mktemp("site") / "census.duckdb"
    command = [*COMMAND, "serve", "--port", "0", "--db", str(db), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as serving:
        try:
            assert serving.stdout is not None
            yield serving.stdout.readline().split()[4]
        finally:
            serving.terminate()
            serving.wait(30)


def ask(site: str, server_name: str) -> tuple[int, dict[str, Any]]:
    url = f"{site}/api/v1/check?server_name={urllib.parse.quote(server_name, safe='')}"
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310 - our own server, http
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_says_what_the_command_says(lab: Practice, site: str) -> None:
    truth = lab.truth["servers"]
    good = next(n for n, f in truth.items() if f["findable"] and f["predicates"]["federating"])
    bad = next(n for n, f in truth.items() if f["findable"] and f["failure"] == "tls_expired")
    options = lab.options("seeds", "identity", "serve_key", "tls_cert", "tls_key")
    for name, federates in ((good, True), (bad, False)):
        status, seen = ask(site, name)
        told = json.loads(census("check", name, "--json", *options).stdout)
        assert (status, seen["federates"]) == (200, federates)
        for key in ("schema", "server_name", "version", "keys", "endpoint"):
            assert seen[key] == told[key], key
        assert [failure["kind"] for failure in seen["failures"]] == [failure["kind"] for failure in told["failures"]]


@pytest.mark.parametrize("name", ["bad..name", "https://matrix.org", "\u202e"])
def test_nonsense_is_a_problem_with_a_reason(site: str, name: str) -> None:
    status, told = ask(site, name)
    assert (status, told["status"]) == (400, 400)
    assert "no server name" in told["title"]


@pytest.mark.parametrize("name", ["127.0.0.1:22", "10.0.0.1", "169.254.169.254:80", "[::ffff:127.0.0.1]:80"])
def test_it_is_no_way_into_our_own_network(site: str, name: str) -> None:
    # 127.0.0.0/8 is not allowed here as a whole: only the practice federation's own addresses are.
    status, seen = ask(site, name)
    assert status == 200
    assert seen["resolution"]["endpoints"] == []
    assert seen["failures"][0]["kind"] == "policy_address"


def test_a_visitor_has_a_ration_and_is_told_when_there_is_more() -> None:
    ration = Ration()
    assert [ration.wait_s("a", float(i)) for i in range(CHECKS_A_MINUTE)] == [0.0] * CHECKS_A_MINUTE
    assert ration.wait_s("a", 10.0) == MINUTE_S - 10.0
    assert ration.wait_s("b", 10.0) == 0.0
    assert ration.wait_s("a", MINUTE_S + 0.5) == 0.0
    assert ration.wait_s("a", MINUTE_S + 0.6) == pytest.approx(0.4)
