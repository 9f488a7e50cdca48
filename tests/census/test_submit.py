"""A server that nothing names is submitted through the API, and the next crawl finds it: real processes throughout."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.store.serving import serving_file
from tests.census.practice import COMMAND, PACE, Practice, census, environment, practice, rows

QUICK = [
    part
    for name, value in {
        "dns_timeout_s": 4,
        "connect_timeout_s": 4,
        "first_dns_timeout_s": 2,
        "first_connect_timeout_s": 2,
    }.items()
    for part in ("--set", f"limits.{name}={value}")
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("submit"), 40, 3) as lab:
        yield lab


def post(site: str, body: object) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{site}/api/v1/submit", json.dumps(body).encode(), headers)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own server, http
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_submitted_server_is_in_the_next_census(lab: Practice, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    federating = [n for n, facts in lab.truth["servers"].items() if facts["predicates"]["federating"]]
    seed, wanted = federating[0], federating[-1]
    (tmp_path / "opt-out.txt").write_text("opted-out.example\n")
    command = [
        *COMMAND,
        "serve",
        "--port",
        "0",
        "--db",
        str(db),
        *lab.options("seeds", "identity", "serve_key", "tls_cert", "tls_key"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as serving:
        try:
            assert serving.stdout is not None
            site = serving.stdout.readline().split()[4]
            assert post(site, {"server_name": wanted.upper()}) == (
                202,
                {"server_name": wanted.upper(), "status": "waiting"},
            )
            assert post(site, {"server_name": "bad..name"})[0] == 400
            assert post(site, {"server_name": "opted-out.example"})[0] == 403
            assert post(site, {"name": wanted})[0] == 422
            # A limited crawl of one seed alone would never hear of the other.
            told = census("crawl", "--db", str(db), *PACE, *QUICK, *lab.options("seeds"), "--max-servers", "2", seed)
            assert told.returncode == 0, told.stderr
            serving_path = serving_file(db)
            assert serving_path is not None
            lead = rows(
                serving_path, "SELECT server_name FROM lead JOIN server USING (server_id) WHERE source = 'submitted'"
            )
            assert [row["server_name"].lower() for row in lead] == [wanted.lower()]
            seen = rows(
                serving_path, "SELECT server_name, federating FROM server_observation JOIN server USING (server_id)"
            )
            assert {row["server_name"].lower() for row in seen} == {seed.lower(), wanted.lower()}
            assert all(row["federating"] for row in seen)
            assert rows(db, "SELECT * FROM inbox_entry") == []
            # A limited crawl is no census; what is shown is none yet, so the name could be left again.
            assert post(site, {"server_name": wanted})[1]["status"] == "waiting"
        finally:
            serving.terminate()
            serving.wait(30)
