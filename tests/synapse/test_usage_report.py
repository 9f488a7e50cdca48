"""A real homeserver reports its usage: believed by its address, summed at the next publication. A forged one not."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.synapse import command
from tests.synapse.client import Client
from tests.synapse.federation import Network, free_places, make_homeserver, open_network, running
from tests.synapse.homeserver import Options
from tests.synapse.snapshot import QUICK, RUN_S, run

pytestmark = [pytest.mark.synapse, pytest.mark.slow]

NAME = "reporter.test"
HOST, FORGER, CENSUS = 2, 66, 30
USERS = ("ada", "grace", "mary")
PROOF = "Matrix-Census-Proof"


@contextmanager
def served(network: Network, db: Path) -> Iterator[str]:
    """`matrix-census serve` at an address of its own."""
    ((address, port),) = free_places(network.address(CENSUS), 1)
    arguments = [str(command.COMMAND), "serve", "--db", str(db), "--host", address, "--port", str(port)]
    with subprocess.Popen([*arguments, *network.options], env=command.environment(), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"dashboard is at" in process.stdout.readline()
            yield f"http://{address}:{port}"
        finally:
            process.terminate()


def metrics(db: Path) -> dict[tuple[str, str], dict[str, Any]]:
    ran = run([str(command.COMMAND), "metrics", "--db", str(db), "--json"])
    assert ran.returncode == 0, ran.stderr
    return {(row["metric"], row["dimension"]): row for row in json.loads(ran.stdout)}


def total_users_reported(inbox: Path) -> int | None:
    """What the server said last that it has, as it stands in the inbox."""
    file = inbox / "new.jsonl"
    lines = file.read_text().splitlines() if file.is_file() else []
    said = [json.loads(line)["content"] for line in lines]
    ours = [content["total_users"] for content in said if content["proof"] == "address"]
    return ours[-1] if ours else None


def wait_for_report(inbox: Path, users: int, log: str) -> None:
    give_up_at = time.monotonic() + RUN_S
    while total_users_reported(inbox) != users:
        assert time.monotonic() < give_up_at, log
        time.sleep(0.2)


def push(url: str, sender: str, content: dict[str, Any], **headers: str) -> httpx.Response:
    transport = httpx.HTTPTransport(local_address=sender)
    with httpx.Client(transport=transport, trust_env=False, timeout=60.0) as client:
        return client.put(f"{url}/push", json=content, headers=headers)


def test_a_report_of_a_real_synapse_counts_and_a_forged_one_does_not(tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    with open_network(tmp_path) as network:
        server = make_homeserver(network, NAME, HOST, [NAME])
        network.dns.put(f"host.{NAME}", "A", server.tls[0])
        network.dns.put(f"_matrix-fed._tcp.{NAME}", "SRV", f"10 5 {server.tls[1]} host.{NAME}.")
        with served(network, db) as url:
            # Just what the README tells an admin to write.
            settings = {"report_stats": True, "report_stats_endpoint": f"{url}/push"}
            options = Options(usage_report_every_s=2.0, leave_from=network.address(HOST), more=settings)
            with running(network, server, options) as process:
                process.wait_ready()
                for user in USERS:
                    Client.register(server, user).close()
                wait_for_report(tmp_path / "inbox", len(USERS), process.log_tail())
                arguments = [str(command.COMMAND), "crawl", NAME, "--db", str(db), "--contact", command.CONTACT]
                crawled = run([*arguments, *network.options, *QUICK])
                assert crawled.returncode == 0, crawled.stderr
            forged = {"homeserver": NAME, "total_users": 999_999, "total_nonbridged_users": 999_999,
                      "r30v2_users_all": 999_999}  # fmt: skip
            for claimed in ({}, {"X-Forwarded-For": network.address(HOST)}):
                answer = push(url, network.address(FORGER), forged, **claimed)
                assert (answer.status_code, answer.json()) == (200, {})
                assert answer.headers[PROOF].startswith("not verified")
        published = run([str(command.COMMAND), "publish", "--db", str(db)])
        assert published.returncode == 0, published.stderr

    found = metrics(db)
    assert found["servers", "online"]["value"] == 1
    users = found["reported_users", "not bridged"]
    assert (users["value"], users["n"], users["coverage"]) == (len(USERS), 1, 1.0)
    assert (users["grade"], users["unit"]) == ("reported", "users")
    assert found["reported_users", "all"]["value"] == len(USERS)
    # Nobody has been there for more than 30 days: a zero that was reported, and not one that is not known.
    retained = found["retained_users", "R30v2"]
    assert (retained["value"], retained["n"], retained["grade"]) == (0, 1, "reported")
    assert found["reported_bridged_users", "all"]["value"] == 0
    assert found["reporting_servers", "verified by address"]["value"] == 1
    everything = json.dumps(list(found.values()))
    assert "999999" not in everything
