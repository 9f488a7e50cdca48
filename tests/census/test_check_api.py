"""`serve` answers a check as the command does, guarded and rationed."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import Any

import jsonschema
import pytest

from crawler.engine.check import json_schema
from crawler.resources import shipped
from tests.census.practice import COMMAND, Practice, census, environment, practice

SCHEMA = json_schema()


def options(lab: Practice) -> list[str]:
    return lab.options("seeds", "identity", "serve_key", "tls_cert", "tls_key")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("check-api"), 60) as lab:
        yield lab


@pytest.fixture(scope="module")
def site(lab: Practice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    db = tmp_path_factory.mktemp("site") / "census.duckdb"
    command = [*COMMAND, "serve", "--port", "0", "--db", str(db), *options(lab)]
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
    for name, federates in ((good, True), (bad, False)):
        status, seen = ask(site, name)
        told = json.loads(census("check", name, "--json", *options(lab)).stdout)
        assert (status, seen["federates"]) == (200, federates)
        jsonschema.Draft202012Validator(SCHEMA).validate(seen)
        jsonschema.Draft202012Validator(SCHEMA).validate(told)
        assert [seen["format"], told["format"]] == ["matrix-census/check/1"] * 2
        for key in ("server_name", "endpoint", "families"):
            assert seen[key] == told[key], key
        for key in ("version", "keys"):
            assert seen[key]["value"] == told[key]["value"], key
        assert judged(seen) == judged(told)
        assert any(outcome == "fail" for outcome, _ in judged(seen).values()) is not federates
        assert [failure["kind"] for failure in seen["failures"]] == [failure["kind"] for failure in told["failures"]]


def judged(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {found["id"]: (found["outcome"], found["remedy"]) for found in document["conformance"]}


def fetch(site: str, path: str, method: str = "GET") -> tuple[int, str, Message]:
    request = urllib.request.Request(f"{site}{path}", method=method)  # noqa: S310 - our own server, http
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - our own server, http
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def test_it_answers_those_who_speak_to_matrix_federation_tester(lab: Practice, site: str) -> None:
    truth = lab.truth["servers"]
    good = next(
        n for n, f in truth.items() if f["findable"] and f["branch"] in ("3.3", "4") and f["predicates"]["federating"]
    )
    bad = next(n for n, f in truth.items() if f["findable"] and f["failure"] == "tls_expired")
    status, text, headers = fetch(site, f"/api/report?server_name={good}")
    report = json.loads(text)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert report.keys() == {
        "WellKnownResult", "DNSResult", "ConnectionReports", "ConnectionErrors", "Version", "FederationOK",
    }  # fmt: skip
    assert report["FederationOK"] is True
    assert report["DNSResult"].keys() == {"SRVSkipped", "SRVCName", "SRVRecords", "SRVError", "Hosts", "Addrs"}
    assert report["DNSResult"]["SRVSkipped"] is False
    assert report["DNSResult"]["SRVRecords"][0].keys() == {"Target", "Port", "Priority", "Weight"}
    assert report["DNSResult"]["SRVRecords"][0]["Target"].endswith(".")
    assert {*report["ConnectionReports"], *report["ConnectionErrors"]} <= {*report["DNSResult"]["Addrs"]}
    connection = next(iter(report["ConnectionReports"].values()))
    assert connection["Checks"]["AllChecksOK"] is True
    assert connection["Keys"]["server_name"] == good
    assert connection["Certificates"][0]["DNSNames"]
    assert fetch(site, f"/api/federation-ok?server_name={good}")[:2] == (200, "GOOD")

    report = json.loads(census("check", bad, "--format", "mft", *options(lab)).stdout)
    connection = next(iter(report["ConnectionReports"].values()))
    assert (report["FederationOK"], connection["Checks"]["ValidCertificates"]) == (False, False)
    assert connection["Errors"][0]["Message"].startswith("tls_expired")
    assert connection["Certificates"]
    assert fetch(site, "/api/federation-ok?server_name=bad..name")[:2] == (200, "BAD")
    assert json.loads(fetch(site, "/api/report?server_name=bad..name")[1])["Error"] == "Invalid server name 'bad..name'"
    assert fetch(site, "/api/report")[:2] == (400, "Missing server_name parameter")
    assert fetch(site, f"/api/report?server_name={good}", "POST")[0] == 405


def test_several_names_come_in_order_and_one_that_does_not_federate_is_told_by_the_exit_code(lab: Practice) -> None:
    truth = lab.truth["servers"]
    good = [n for n, f in truth.items() if f["findable"] and f["predicates"]["federating"]][:3]
    dead = next(n for n, f in truth.items() if f["findable"] and f["failure"] == "dns_nxdomain")
    told = census("check", *good, "--json", *options(lab))
    assert told.returncode == 0, told.stderr
    assert [json.loads(line)["server_name"] for line in told.stdout.splitlines()] == good
    told = census("check", good[0], dead, *options(lab))
    assert told.returncode == 1
    assert f"Publish A or AAAA records for {dead.partition(chr(58))[0]}," in told.stdout
    assert "name.lower_case" not in told.stdout
    assert census("check", good[0], "bad..name", *options(lab)).returncode == 2


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


def test_the_shipped_schema_is_the_one_that_is_printed() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(shipped("schema", "check.schema.json").read_text("utf-8")) == SCHEMA
    assert json.loads(census("check", "--json-schema").stdout) == SCHEMA
