"""Censuses are published while many ask: nobody is refused, and neither an answer nor a page mixes two snapshots."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from analytics import wording
from dashboard.bench_visitor import Visitor
from tests.dashboard.federation import SEALED, publish, write_census

SIZES = {1: 12, 2: 17, 3: 23}
"""Crawl -> the servers that it visits."""

LATER_D = {1: 0, 2: 2, 3: 3}
"""Crawl -> how many days after the first one."""


PAUSE_S = 0.02
"""Between two questions of a visitor, so that what publishes has a share of the machine."""


class Asking:
    """Visitors who ask until they are stopped. `wrong` is what must not be."""

    def __init__(self, site: str) -> None:
        self._site = site
        self.stop = threading.Event()
        self.wrong: list[object] = []
        self.answers = 0
        self.snapshots: set[str] = set()
        self.read_of: set[int] = set()

    def start(self, ask: Callable[[httpx.Client], None]) -> threading.Thread:
        def questions() -> Iterator[Callable[[], None]]:
            with httpx.Client(base_url=self._site, timeout=60) as client:
                while True:
                    yield lambda: ask(client)

        return self._run(questions())

    def start_reading(self) -> threading.Thread:
        def questions() -> Iterator[Callable[[], None]]:
            with closing(Visitor(self._site, {})) as visitor:
                while True:
                    yield lambda: self.page_of_one_snapshot(visitor)

        return self._run(questions())

    def _run(self, questions: Iterator[Callable[[], None]]) -> threading.Thread:
        def run() -> None:
            try:
                while not self.stop.is_set():
                    next(questions)()
                    self.answers += 1
                    self.stop.wait(PAUSE_S)
            except Exception as error:  # whatever it is, it is what this test looks for
                self.wrong.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def page_of_one_snapshot(self, visitor: Visitor) -> None:
        """The line above a page, and the page, are of one census; so are the two ends of the overview."""
        for address, said in (
            ("/servers", "1 to {servers} of {servers} servers"),
            ("/", "It visited {servers} of "),
            ("/", '". It is census ", {{"props":{{"children":"{crawl}"}}'),
        ):
            filled = visitor.read(address)
            line, content = (json.dumps(filled[part], ensure_ascii=False) for part in ("census-line", "page"))
            dated = [crawl for crawl in SIZES if wording.moment(SEALED + timedelta(days=LATER_D[crawl])) in line]
            if len(dated) != 1:
                self.wrong.append((address, line))
                continue
            self.read_of.add(dated[0])
            words = said.format(servers=SIZES[dated[0]], crawl=dated[0]).replace('": ', '":')
            if words not in content.replace('": ', '":'):
                self.wrong.append((address, words, content))

    def one_snapshot(self, client: httpx.Client) -> None:
        """The head of an answer and its rows are of one census."""
        page = client.get("/api/v1/servers", params={"visited": "true", "limit": 1000}).raise_for_status().json()
        crawl_id = page["snapshot"]["census"]["crawl_id"]
        self.snapshots.add(page["snapshot"]["id"])
        if not page["total"] == len(page["data"]) == SIZES[crawl_id]:
            self.wrong.append((crawl_id, page["total"]))
        rows = client.get("/api/v1/metrics").raise_for_status().json()
        if {row["snapshot"] for row in rows["data"]} != {rows["snapshot"]["census"]["crawl_id"]}:
            self.wrong.append(rows["snapshot"])
        client.get("/metrics").raise_for_status()
        client.get("/badge/servers.svg").raise_for_status()

    def pages_of_one_snapshot(self, client: httpx.Client) -> None:
        """Pages that follow each other are of one census, or it is said that there is another."""
        page = client.get("/api/v1/servers", params={"limit": 3}).raise_for_status().json()
        first, seen = page["snapshot"]["id"], len(page["data"])
        while page["next"]:
            answer = client.get(page["next"])
            if answer.status_code == 410:
                said = answer.json()
                if said["was"] != first or said["now"] == first:
                    self.wrong.append(said)
                return
            page = answer.raise_for_status().json()
            seen += len(page["data"])
            if page["snapshot"]["id"] != first:
                self.wrong.append(page["snapshot"])
        if seen != page["total"]:
            self.wrong.append((seen, page["total"]))

    def again(self, client: httpx.Client) -> None:
        """Who has an answer is told whether it still holds."""
        first = client.get("/api/v1/crawls").raise_for_status()
        later = client.get("/api/v1/crawls", headers={"if-none-match": first.headers["etag"]})
        if later.status_code == 200:
            later_id, first_id = later.json()["snapshot"]["id"], first.json()["snapshot"]["id"]
            if later_id == first_id:
                self.wrong.append(first_id)
        elif later.status_code != 304:
            self.wrong.append(later.status_code)


@pytest.mark.slow
def test_a_publication_under_load(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=SIZES[1], seed=1)
    publish(census)
    command = [sys.executable, "-m", "matrix_census", "serve", "--db", str(census), "--port", "0"]
    command += ["--requests-a-minute", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found
            asking = Asking(found[0])
            visitors = (asking.one_snapshot, asking.one_snapshot, asking.pages_of_one_snapshot, asking.again)
            threads = [*(asking.start(visitor) for visitor in visitors), *(asking.start_reading() for _ in range(2))]
            try:
                for crawl in (2, 3):
                    write_census(census, servers=SIZES[crawl], seed=crawl, days_ago=-LATER_D[crawl])
                    publish(census)
                newest = httpx.get(f"{found[0]}/api/v1/crawls", timeout=60).json()["snapshot"]["census"]["crawl_id"]
            finally:
                asking.stop.set()
                for thread in threads:
                    thread.join()
        finally:
            process.terminate()
            process.wait(30)
    assert asking.wrong == []
    assert newest == 3
    assert len(asking.snapshots) > 1
    assert len(asking.read_of) > 1
    assert asking.answers > len(threads)
