"""`watch` on the practice federation: on schedule, through a killed crawl, through a restart, and asked how it is."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crawler.cli.watch import checked
from crawler.store.serving import serving_file
from tests.census.practice import COMMAND, PACE, Practice, census, environment, practice, rows

QUICK = [*PACE, "--set", "limits.dns_timeout_s=8", "--set", "limits.connect_timeout_s=8"]
"""So long do silent servers hold a crawl that there is a line of its progress, and time to end it, each time."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("watch"), 40) as lab:
        yield lab


class Watching:
    """A watch, and its log as it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []

    def until(self, event: str, **said: object) -> dict[str, Any]:
        """The next line of the log that tells of it; lines before it are passed over."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            told: dict[str, Any] = json.loads(line)
            assert told["at"]
            assert told["level"]
            self.log.append(told)
            if told["event"] == event and said.items() <= told.items():
                return told
        raise AssertionError(self.log)

    def end(self) -> int:
        self.process.terminate()
        self.until("ended")
        return self.process.wait(60)


@contextmanager
def watching(lab: Practice, db: Path, *options: str) -> Iterator[Watching]:
    command = [*COMMAND, "watch", "--db", str(db), "--jitter", "0s", "--health", "127.0.0.1:0", *options]
    with subprocess.Popen(
        [*command, *QUICK, *lab.options()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            yield Watching(process)
        finally:
            process.kill()


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def metrics(port: int) -> dict[str, float]:
    """Name with labels -> value; every line that is no comment must be one."""
    status, text = get(port, "/metrics")
    assert status == 200
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_watch_goes_on_through_a_killed_crawl_and_a_restart(lab: Practice, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    with watching(lab, db, "--every", "10h") as watch:
        port = watch.until("health_served")["port"]
        watch.until("crawl_starts", scope="full", resumes=None)
        watch.until("progress")
        assert json.loads(get(port, "/healthz")[1])["crawling"] == "full"
        told = metrics(port)
        assert told['matrix_census_crawl_running{scope="full"}'] == 1
        assert told['matrix_census_crawl_servers{stage="known"}'] > 0
        running = json.loads((tmp_path / "crawl-status.json").read_text())["process"]
        assert running != watch.process.pid
        os.kill(running, signal.SIGKILL)
        assert "signal 9" in watch.until("crawl_failed")["because"]
        watch.until("crawl_starts", resumes=1)  # it has gone on with it
        watch.until("crawl_says", text="Going on with crawl 1.")
        watch.until("progress")
        assert watch.end() == 0
    assert {"crawl_cancelled", "stopping"} <= {line["event"] for line in watch.log}
    (crawl,) = json.loads(census("status", "--json", "--db", str(db)).stdout)
    assert crawl["state"] == "cancelled"

    with watching(lab, db, "--every", "10h", "--limited-every", "1s", "--limited-servers", "3") as watch:
        port = watch.until("health_served")["port"]
        watch.until("crawl_starts", scope="full", resumes=1)
        watch.until("crawl_completed", crawl=1, scope="full")
        watch.until("crawl_completed", scope="limited", servers=3)
        told = metrics(port)
        assert told['matrix_census_watch_crawls_total{scope="limited",outcome="completed"}'] >= 1
        assert told['matrix_census_watch_crawls_total{scope="full",outcome="failed"}'] == 0
        health = json.loads(get(port, "/healthz")[1])
        assert (health["status"], health["last_failure"]) == ("ok", None)
        assert get(port, "/")[0] == 404
        assert watch.end() == 0
    serving = serving_file(db)
    assert serving is not None
    published = {(row["state"], row["scope"]) for row in rows(serving, "SELECT state, scope FROM crawl")}
    assert {("completed", "full"), ("completed", "limited")} <= published


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--every", "often"], "24h"),
        (["--every", "0s"], "longer than nothing"),
        (["--health", "everywhere"], "--health"),
        (["--contact", "x", "--max-servers", "3"], "--max-servers is set by the watch itself"),
        (["--contact", "x", "--no-such-option"], "--no-such-option"),
    ],
)
def test_what_it_cannot_do_is_said_at_the_start(options: list[str], says: str, tmp_path: Path) -> None:
    told = census("watch", *options, cwd=tmp_path)
    assert told.returncode == 2, told.stderr
    assert says in told.stderr
    assert "Traceback" not in told.stderr


def test_a_resumed_crawl_is_given_what_it_does_not_know_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.mmdb"
    file.touch()
    options = ["x.test", "--contact", "me@example.org", "--set", "limits.concurrency=3", "--workers", "2"]
    given = ["--identity", "i.json", "--serve-key", "127.0.0.1:1", "--opt-out", str(file), "--geo-db", str(file)]
    again = checked([*options, *given])
    assert sorted(again) == sorted([*given, "--workers", "2"])
