"""A dashboard is looked at while a crawl runs beside it on the same machine: no page fails or waits for the end of the
crawl, which calls no live server offline for it, and what it found is shown without a restart."""

import threading
from contextlib import closing
from pathlib import Path

from crawler.lab.profile import CALM
from crawler.store.serving import serving_file
from dashboard.bench_visitor import Visitor
from tests.census.practice import PACE, census, practice, rows
from tests.e2e.conftest import serving

SERVERS = 60
VISITORS = 4
PATHS = ("/", "/servers", "/rooms", "/growth", "/crawls", "/servers?stage=online&sort=-rooms", "/rooms?noise=shown")


class Looking:
    """Visitors who walk through the pages until they are stopped."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._walk, args=(first,)) for first in range(VISITORS)]
        self.wrong: list[Exception] = []
        self.pages = 0

    def _walk(self, first: int) -> None:
        try:
            with closing(Visitor(self._site, {})) as visitor:
                while not self._stop.wait(0.05):
                    visitor.open(PATHS[(self.pages + first) % len(PATHS)])
                    self.pages += 1
        except Exception as error:  # whatever it is, it is what this test looks for
            self.wrong.append(error)

    def __enter__(self) -> "Looking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_visitors_and_a_crawl_do_not_disturb_each_other(tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    options = ["--db", str(db), "--contact", "t@census.example", *PACE]
    with practice(tmp_path / "lab", SERVERS, 1, "--profile", CALM.name) as lab:
        first = census("crawl", *options, *lab.options())
        assert first.returncode == 0, first.stderr
        with serving(db) as site, Looking(site) as looking:
            before = looking.pages
            second = census("crawl", *options, *lab.options())
            meanwhile = looking.pages - before
            with closing(Visitor(site, {})) as visitor:
                overview = str(visitor.read("/"))
    assert second.returncode == 0, second.stderr
    assert looking.wrong == []
    assert meanwhile > 2 * len(PATHS)
    assert "census-000002" in overview
    newest = serving_file(db)
    assert newest is not None
    seen = rows(
        newest,
        "SELECT crawl_id, server_name, online FROM server_observation JOIN server USING (server_id)"
        " WHERE crawl_id = (SELECT max(crawl_id) FROM census)",
    )
    facts = {name: each for name, each in lab.truth["servers"].items() if each["findable"]}
    assert {row["server_name"]: row["online"] for row in seen} == {
        name: each["predicates"]["online"] for name, each in facts.items()
    }
    assert {row["crawl_id"] for row in seen} == {2}
