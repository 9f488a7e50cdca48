"""The machine of a practice federation stops for a while, as one does that has too much to do: its system goes on
taking connections, and nobody behind them answers. The event loops of the crawl's workers keep up all the while. No
server may be called offline for it.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from crawler.lab.profile import CALM
from crawler.store.serving import serving_file
from tests.census.practice import LONGEST_S, Practice, census, practice, rows

SERVERS = 60
BUSY_AFTER = 60
"""Requests that the federation has seen by then: some servers are done, others under way, others to come."""

STALLS_S = 10.0
"""Longer than a first and a second try together (3 s and 4 s): without doubts, who is met in it is called offline."""

IMPATIENTLY = [
    part
    for setting in (
        "limits.dns_timeout_s=4.0",
        "limits.connect_timeout_s=4.0",
        "limits.request_timeout_s=4.0",
        "limits.tries=20",
        "liveness.knock_after_s=0.5",
        "liveness.silence_s=2.0",
    )
    for part in ("--set", setting)
]


@contextmanager
def stalling(lab: Practice) -> Iterator[None]:
    """In the middle of what the block does, the lab stops for a while."""

    def stall() -> None:
        until = time.monotonic() + LONGEST_S
        while len(lab.sightings()) < BUSY_AFTER and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(lab.pid, signal.SIGSTOP)
        time.sleep(STALLS_S)
        os.kill(lab.pid, signal.SIGCONT)

    thread = Thread(target=stall)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_nobody_is_called_offline_while_all_are_stuck(tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    with practice(tmp_path / "lab", SERVERS, 1, "--profile", CALM.name) as lab, stalling(lab):
        slowly = ("--set", "limits.address_rate_per_s=20", "--workers", "2")
        told = census("crawl", "--db", str(db), "--contact", "t@census.example", *IMPATIENTLY, *slowly, *lab.options())
    assert told.returncode == 0, told.stderr
    serving = serving_file(db)
    assert serving is not None
    seen = rows(serving, "SELECT server_name, online FROM server_observation JOIN server USING (server_id)")
    said = {row["server_name"]: row["online"] for row in seen}
    facts = {name: each for name, each in lab.truth["servers"].items() if each["findable"]}
    assert said == {name: each["predicates"]["online"] for name, each in facts.items()}
    (crawl,) = rows(serving, "SELECT report FROM crawl")
    tries = json.loads(crawl["report"])["tries"]
    # It did stall somebody: who was tried meanwhile was doubted, or came back in a second try.
    assert tries["doubted"] or tries["came_back"]
    assert tries["unjudged"]["servers"] == 0
