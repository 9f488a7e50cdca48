"""Our network goes away in mid-crawl: the crawl pauses and says so, goes on by itself, and calls nobody offline."""

import io
import json
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from rich.console import Console

from crawler.cli.panel import progress_line, progress_panel
from crawler.engine.progress import Progress
from crawler.engine.rate import RecentRate
from crawler.store.serving import serving_file
from tests.census.link import link_to
from tests.census.practice import COMMAND, LONGEST_S, environment, practice, rows

SERVERS = 40

SHORT = [
    part
    for name, value in {
        "limits.alias_lookups": 2000,  # else not all are found
        "limits.concurrency": 6,
        "limits.address_rate_per_s": 10,  # so that the crawl has a middle
        "limits.first_dns_timeout_s": 1.5,
        "limits.first_connect_timeout_s": 1.5,
        "limits.first_request_timeout_s": 3,
        "limits.dns_timeout_s": 3,
        "limits.connect_timeout_s": 3,
        "limits.request_timeout_s": 5,
        "limits.tries": 10,
        "liveness.knock_after_s": 0.5,
        "liveness.silence_s": 1.5,
    }.items()
    for part in ("--set", f"{name}={value}")
]

IN_THE_MIDDLE = 10
"""Servers that are committed when the network goes."""


class Log:
    """The lines of a watch, as they are told."""

    def __init__(self, process: trio.Process) -> None:
        assert process.stderr is not None
        self._pieces = process.stderr
        self._rest = b""

    async def until(self, event: str, **said: bool) -> dict[str, Any]:
        """The next line that tells of the event; of each of `said`, whether it tells of that."""
        while True:
            while b"\n" not in self._rest:
                piece = await self._pieces.receive_some()
                assert piece, "the watch has ended"
                self._rest += bytes(piece)
            line, _, self._rest = self._rest.partition(b"\n")
            told: dict[str, Any] = json.loads(line)
            assert told["event"] != "crawl_failed", told
            if told["event"] == event and all(bool(told.get(name)) is there for name, there in said.items()):
                return told


@asynccontextmanager
async def watching(db: Path, options: list[str]) -> AsyncIterator[Log]:
    process = await trio.lowlevel.open_process(
        [*COMMAND, "watch", "--db", str(db), "--every", "10h", "--jitter", "0s", "--health", "127.0.0.1:0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        yield Log(process)
        process.terminate()
        await process.wait()
        assert process.returncode == 0
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()


def health(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def committed(db: Path) -> int:
    status = db.parent / "crawl-status.json"
    return (json.loads(status.read_text())["servers"] or 0) if status.is_file() else 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_outage_is_waited_for_and_blamed_on_nobody(tmp_path: Path, workers: str) -> None:
    db = tmp_path / "census.duckdb"
    with practice(tmp_path / "lab", SERVERS, 2, "--profile", "calm") as lab, trio.fail_after(LONGEST_S):
        async with link_to(lab) as link:
            options = link.options(lab, "identity", "serve_key", "tls_cert", "tls_key")
            async with watching(db, ["--workers", workers, *SHORT, *options]) as log:
                port = (await log.until("health_served"))["port"]
                await log.until("crawl_starts")
                while committed(db) < IN_THE_MIDDLE:  # noqa: ASYNC110 - another process has no event for us
                    await trio.sleep(0.05)
                await link.go_down()
                told = await log.until("progress", paused=True)
                assert "is our network down?" in told["paused"]
                assert (await trio.to_thread.run_sync(health, port))["paused"]
                before = len(lab.sightings())
                last = await log.until("progress", paused=True)
                # It takes nothing on: whoever was being looked at has been given up by now, or is waited for.
                assert last["visited"] < last["known"]
                assert len(lab.sightings()) == before
                link.come_back()
                await log.until("progress", paused=False)
                assert (await trio.to_thread.run_sync(health, port))["paused"] is None
                await log.until("crawl_completed")
        truth = lab.truth["servers"]
    serving = serving_file(db)
    assert serving is not None
    found = rows(serving, "SELECT server_name, online FROM server_observation JOIN server USING (server_id)")
    online = {row["server_name"]: row["online"] for row in found}
    findable = {name: facts for name, facts in truth.items() if facts["findable_unsigned"]}
    assert online == {name: findable[name]["predicates"]["online"] for name in online}
    # Aliases that were asked for in vain are left to the next crawl, and so is who is named by their answers alone.
    assert all(findable[name]["sources"] == ["alias_servers"] for name in findable.keys() - online.keys())
    assert sum(online.values()) > IN_THE_MIDDLE
    (crawl,) = rows(serving, "SELECT report FROM crawl")
    tries = json.loads(crawl["report"])["tries"]
    assert tries["again"] > 0
    assert tries["unjudged"]["servers"] == 0


def test_who_looks_at_the_terminal_is_told() -> None:
    progress = Progress(visited=3, known=9, paused="nothing has come in for 12 s: is our network down?")
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(progress_panel(progress, RecentRate(0.0, 0), 60.0))
    assert "PAUSED: nothing has come in for 12 s" in console.export_text()
    assert "PAUSED: nothing has come in for 12 s" in progress_line(progress, 60.0)
    progress.paused = ""
    assert "PAUSED" not in progress_line(progress, 60.0)
