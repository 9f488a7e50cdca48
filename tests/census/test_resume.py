"""kill -9 at random moments, then --resume: the same snapshot as that of a crawl that nothing interrupted.

The crawls that are killed are those of the verb without what computes numbers after a seal: that has nothing to do with
going on, and would take most of the time.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crawler.store.serving import serving_file
from tests.census.practice import COMMAND, LONGEST_S, PACE, Practice, census, environment, practice, rows
from tests.census.snapshot import Comparable, comparable, differences
from tests.endurance import rounds

SERVERS = 60
SEED = 20261124

BARE = [sys.executable, "-c", "from crawler.cli.crawl import crawl; crawl(obj={'on_sealed': ()})"]

QUICK = [
    *PACE,
    *("--set", "limits.first_dns_timeout_s=2", "--set", "limits.first_connect_timeout_s=2"),
    *("--set", "limits.dns_timeout_s=4", "--set", "limits.connect_timeout_s=4"),
    # A busy machine is not fit to judge in so short a time, and then tries again.
    *("--set", "limits.tries=30", "--set", "liveness.lag_share=0.5"),
]
"""The silent are not waited for long; yet on a busy machine the lab is slow, too, and nobody may be missed for it."""

WHOLE = [*QUICK, "--set", "limits.alias_lookups=2000"]
"""Which aliases a budget leaves out depends on when they are heard of; without one, crawls can be compared."""

AGAIN = ("identity", "serve_key", "tls_cert", "tls_key")
"""What a resumed crawl is to be given again."""

VISIT = ("/_matrix/federation/v1/version", "/_matrix/key/v2/server", "/publicRooms")


@dataclass(frozen=True, slots=True)
class Uninterrupted:
    """`took_s`: from the beginning of the crawl to the end of its process."""

    lab: Practice
    snapshot: Comparable
    took_s: float

    def anew(self) -> list[str]:
        return [*WHOLE, *self.lab.options()]

    def again(self) -> list[str]:
        return self.lab.options(*(key for key in self.lab.line if key not in AGAIN))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uninterrupted]:
    folder = tmp_path_factory.mktemp("resume")
    with practice(folder / "lab", SERVERS, SEED) as lab:
        db = folder / "census.duckdb"
        process = begun(db, [*WHOLE, *lab.options()], BARE)
        began = time.monotonic()
        ended(process)
        yield Uninterrupted(lab, comparable(published(db)), time.monotonic() - began)


def published(db: Path) -> Path:
    serving = serving_file(db)
    assert serving is not None
    return serving


def begun(db: Path, options: list[str], verb: list[str]) -> subprocess.Popen[str]:
    """A crawl whose process has begun it, or gone on with it."""
    status = db.parent / "crawl-status.json"
    status.unlink(missing_ok=True)
    process = subprocess.Popen(
        [*verb, "--db", str(db), "--progress", "none", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    for _ in range(2400):
        if status.exists() or process.poll() is not None:
            return process
        time.sleep(0.05)
    raise AssertionError("no crawl began in two minutes")


def ended(process: subprocess.Popen[str]) -> None:
    """Wait for a crawl that comes to its end."""
    _out, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, err


def killed(db: Path, process: subprocess.Popen[str]) -> bool:
    """Kill a crawl, which takes its workers with it; False: it had done all that it had to."""
    workers = workers_of(process)
    process.kill()
    _out, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode in (0, -signal.SIGKILL), err
    for _ in range(600):
        if not any(map(is_running, workers)):
            return process.returncode != 0 and is_left(db)
        time.sleep(0.05)
    raise AssertionError("a worker outlives its crawl")


def is_left(db: Path) -> bool:
    """Whether a killed crawl has something to go on with: it was not sealed, or not published."""
    with duckdb.connect(str(db), read_only=True) as connection:
        (state,) = connection.execute("SELECT state FROM crawl").fetchall()
    return state != ("completed",) or serving_file(db) is None


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Its worker processes that are up now."""
    if process.poll() is not None:
        return []
    threads = Path(f"/proc/{process.pid}/task").glob("*/children")  # any of its threads may have begun them
    return [int(pid) for thread in threads for pid in thread.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"  # nobody may ask how an orphan ended


def committed(db: Path) -> dict[str, Any]:
    """Server -> when it was seen, of the visits that a killed crawl has committed."""
    with duckdb.connect(str(db), read_only=True) as connection:
        found = connection.execute(
            "SELECT server_name, observed_at FROM server_observation JOIN server USING (server_id)"
        )
        return dict(found.fetchall())


def begun_and_killed(uninterrupted: Uninterrupted, db: Path, dice: random.Random, workers: int) -> None:
    """A crawl that is killed while it runs, whenever that is."""
    longest_s = uninterrupted.took_s
    while True:
        process = begun(db, [*uninterrupted.anew(), "--workers", str(workers)], BARE)
        time.sleep(dice.uniform(0, longest_s))
        if killed(db, process):
            return
        longest_s /= 2  # it was quicker than the one before
        for file in db.parent.glob(f"{db.name}*"):
            file.unlink()


@pytest.mark.endurance
@pytest.mark.parametrize("seed", rounds(5, 50))
def test_killed_at_random_moments_and_resumed_it_is_the_same_snapshot(
    uninterrupted: Uninterrupted, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    lab, db = uninterrupted.lab, tmp_path / "census.duckdb"
    workers = 1 + seed % 2
    begun_and_killed(uninterrupted, db, dice, workers)
    seen, before = committed(db), len(lab.sightings())
    for kill in (*dice.choice(((), (), (True,))), False):
        workers = 3 - workers  # how many go on with it is not part of what a crawl is
        anew = [*uninterrupted.anew(), "--workers", str(workers)]
        again = ["--resume", *uninterrupted.again(), "--workers", str(workers)]
        process = begun(db, again if has_begun(db) else anew, BARE)
        if kill:
            time.sleep(dice.uniform(0, uninterrupted.took_s))
            if not killed(db, process):
                break
            now = committed(db)
            assert seen.items() <= now.items()
            seen, before = now, len(lab.sightings())
        else:
            ended(process)
    assert differences(uninterrupted.snapshot, comparable(published(db))) == {}

    final = rows(published(db), "SELECT server_name, observed_at FROM server_observation JOIN server USING (server_id)")
    assert seen.items() <= {row["server_name"]: row["observed_at"] for row in final}.items()
    asked_again = {
        sighting["server"]
        for sighting in lab.sightings()[before:]
        if sighting["server"] in seen and sighting["target"].startswith(VISIT)
    }
    assert asked_again == set()


@pytest.mark.endurance
@pytest.mark.parametrize("seed", rounds(1, 10))
def test_a_worker_that_is_killed_is_replaced_and_no_server_is_lost(
    uninterrupted: Uninterrupted, tmp_path: Path, seed: int
) -> None:
    dice, db = random.Random(seed), tmp_path / "census.duckdb"
    process = begun(db, [*uninterrupted.anew(), "--workers", "2"], BARE)
    time.sleep(dice.uniform(0, uninterrupted.took_s / 2))
    workers: list[int] = []
    for _ in range(600):
        workers = workers_of(process)
        if len(workers) == 2:
            break
        time.sleep(0.05)
    os.kill(dice.choice(workers), signal.SIGKILL)
    ended(process)
    assert differences(uninterrupted.snapshot, comparable(published(db))) == {}


def has_begun(db: Path) -> bool:
    """Whether the seeds are committed; a crawl killed before that has nothing to go on with."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return bool(connection.execute("SELECT count(*) FROM lead").fetchall()[0][0])


@pytest.fixture(scope="module")
def cancelled(uninterrupted: Uninterrupted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A census file with a crawl that was stopped by hand."""
    db = tmp_path_factory.mktemp("cancelled") / "census.duckdb"
    process = begun(db, uninterrupted.anew(), [*COMMAND, "crawl"])
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 130
    return db


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--resume", "7"], "no crawl 7"),
        (["--resume", "example.org"], "takes no seeds"),
        (["example.org", "--resume"], "takes no seeds"),
        (["--resume", "--max-servers", "3"], "began without --max-servers"),
        (["--resume", "--set", "limits.concurrency=7"], "another value of limits.concurrency"),
        (["--resume", "--contact", "else@example.org"], "another value of politeness.contact"),
        (["--resume"], "give its --identity"),
    ],
)
def test_what_would_make_it_another_crawl_is_refused(cancelled: Path, options: list[str], says: str) -> None:
    told = census("crawl", "--db", str(cancelled), *options)
    assert told.returncode == 2, told.stderr
    assert says in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    (crawl,) = json.loads(census("status", "--json", "--db", str(cancelled)).stdout)
    assert crawl["state"] == "cancelled"


def test_a_cancelled_crawl_is_gone_on_with_and_its_report_tells_of_both_sittings(
    uninterrupted: Uninterrupted, cancelled: Path
) -> None:
    told = census("crawl", "--resume", "--json", "--db", str(cancelled), *uninterrupted.again())
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["state"] == "completed"
    assert differences(uninterrupted.snapshot, comparable(published(cancelled))) == {}
    (crawl,) = rows(published(cancelled), "SELECT report FROM crawl")
    report = json.loads(crawl["report"])
    first, second = report["sittings"]
    assert first["ended_at"] <= second["began_at"]
    assert report["sittings_untold"] == 0
    for what in ("requests", "connections", "dns_queries", "bytes_read"):
        assert report["traffic"][what] == first["traffic"][what] + second["traffic"][what]
    assert report["phase_times_s"]["tls"]["p50_s"] <= report["phase_times_s"]["tls"]["max_s"]
    assert report["funnel"]["visited"] == crawl_servers(cancelled)
    nothing_left = census("crawl", "--resume", "--db", str(cancelled), *uninterrupted.again())
    assert nothing_left.returncode == 2
    assert "no crawl to resume" in nothing_left.stderr


def crawl_servers(db: Path) -> int:
    (crawl,) = rows(published(db), "SELECT servers FROM crawl")
    return int(crawl["servers"])
