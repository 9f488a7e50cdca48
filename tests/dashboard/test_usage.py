"""`/push` over ASGI: what it answers, what it leaves in the inbox, whom it believes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from crawler.errors import UsageError
from crawler.settings import load_settings
from crawler.store import inbox
from dashboard.api.usage import PROOF_HEADER, REPORTS_A_MINUTE
from dashboard.app import create_app
from dashboard.forwarded import parse_proxies, visitor_behind
from matrix_census import main

REPORT = {"homeserver": "127.0.0.7:8448", "total_users": 5, "timestamp": 1_795_000_000}
PROXY = "127.0.0.90"

Client = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def client(tmp_path: Path) -> Client:
    """Clients of one application, by the address they come from."""
    settings = load_settings(allow_address=("127.0.0.0/8",), dns="127.0.0.1:9")
    app = create_app(tmp_path / "census.duckdb", settings, trusted_proxies=[PROXY])
    return lambda sender: httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(sender, 4711)), base_url="http://census"
    )


async def test_what_nobody_vouches_for_cannot_fill_the_inbox(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.engine.usage.ROOM_UNVERIFIED_BYTES", 500)
    forger, server = client("127.0.0.8"), client("127.0.0.7")
    answers = [(await forger.put("/push", json=REPORT)).status_code for _ in range(5)]
    assert answers[0] == 200
    assert answers[-1] == 503
    assert (await server.put("/push", json=REPORT)).status_code == 200
    assert left(tmp_path)[-1]["proof"] == "address"


def left(tmp_path: Path) -> list[dict[str, Any]]:
    with inbox.drained(tmp_path / "census.duckdb") as entries:
        return [dict(entry.content) for entry in entries]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_report_is_answered_as_panopticon_does_and_is_on_the_disk(
    tmp_path: Path, client: Client, method: str
) -> None:
    agent = {"User-Agent": "Synapse/1.163.2"}
    answer = await client("127.0.0.7").request(method, "/push", json=REPORT | {"memory_rss": 7}, headers=agent)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers[PROOF_HEADER].startswith("verified")
    assert left(tmp_path) == [REPORT | {"proof": "address", "software": "Synapse/1.163.2"}]


async def test_a_forged_one_is_kept_apart(tmp_path: Path, client: Client) -> None:
    for headers in ({}, {"X-Forwarded-For": "127.0.0.7"}, {"Forwarded": "for=127.0.0.7"}, {"X-Real-IP": "127.0.0.7"}):
        answer = await client("127.0.0.8").put("/push", json=REPORT, headers=headers)
        assert answer.headers[PROOF_HEADER].startswith("not verified")
    assert {content["proof"] for content in left(tmp_path)} == {"none"}


async def test_a_trusted_proxy_is_believed(client: Client) -> None:
    behind = {"X-Forwarded-For": "10.9.9.9, 127.0.0.7"}
    answer = await client(PROXY).put("/push", json=REPORT, headers=behind)
    assert answer.headers[PROOF_HEADER].startswith("verified")
    pretended = {"X-Forwarded-For": "127.0.0.7, 127.0.0.8"}
    answer = await client(PROXY).put("/push", json=REPORT, headers=pretended)
    assert answer.headers[PROOF_HEADER].startswith("not verified")


@pytest.mark.parametrize(
    ("peer", "forwarded", "visitor"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["192.0.2.66, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["192.0.2.66", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [", ".join(["10.0.0.2"] * 1000)], "10.0.0.2"),
        ("testclient", ["198.51.100.7"], "testclient"),
    ],
)
def test_who_is_behind_a_proxy(peer: str, forwarded: list[str], visitor: str) -> None:
    assert visitor_behind(peer, forwarded, parse_proxies(["10.0.0.0/8"])) == visitor


def test_a_proxy_that_is_no_address_is_refused_at_the_keyboard(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--trusted-proxy"):
        parse_proxies(["proxy.example"])
    arguments = ["serve", "--db", str(tmp_path / "c.duckdb"), "--port", "0", "--trusted-proxy", "proxy.example"]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, "CIDR" in done.output) == (2, True)


async def test_what_is_refused_leaves_nothing(tmp_path: Path, client: Client) -> None:
    (tmp_path / "opt-out.txt").write_text("127.0.0.6\n")
    sender = client("127.0.0.7")
    assert (await sender.put("/push", content=b"{")).status_code == 400
    assert "total_users" in (await sender.put("/push", json=REPORT | {"total_users": -1})).text
    assert (await sender.put("/push", content=b" " * 20_000 + json.dumps(REPORT).encode())).status_code == 413
    assert (await sender.put("/push", json=REPORT | {"homeserver": "127.0.0.6"})).status_code == 403
    assert (await sender.delete("/push")).status_code == 405
    assert left(tmp_path) == []


async def test_a_full_inbox_and_a_used_up_ration_say_when_to_come_again(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "INBOX_BYTES", 100)
    sender = client("127.0.0.7")
    full = await sender.put("/push", json=REPORT)
    assert (full.status_code, int(full.headers["Retry-After"]) > 0) == (503, True)
    for _ in range(REPORTS_A_MINUTE - 1):
        await sender.put("/push", content=b"{")
    over = await sender.put("/push", content=b"{")
    assert (over.status_code, int(over.headers["Retry-After"]) > 0) == (429, True)
    assert (await client("127.0.0.8").put("/push", content=b"{")).status_code == 400
    for host in range(REPORTS_A_MINUTE):
        await client(f"2001:db8::{host:x}").put("/push", content=b"{")
    assert (await client("2001:db8::ffff").put("/push", content=b"{")).status_code == 429
    assert (await client("2001:db8:0:1::1").put("/push", content=b"{")).status_code == 400
