"""The bench of the crawl measures what it says: six requests over two connections, and nothing published on the way."""

import json
from pathlib import Path

from crawler.store.serving import serving_file
from tests.census.practice import census


def test_a_calm_visit_is_six_requests_over_two_connections() -> None:
    done = census("bench", "crawl", "--servers", "20")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["servers"], told["cpus"], told["recall"], told["precision"]) == (20, 1, 1.0, 1.0)
    # Some names share a host with their federation endpoint, a few are dead; a slow machine asks some a second time.
    assert 5 < told["requests_per_server"] < 7
    assert 1 < told["connections_per_server"] < 3
    assert 0 < told["floor_ms_per_server"] < told["cpu_ms_per_server"]
    assert told["publish_cpu_s"] > 0


def test_a_census_may_be_published_later(tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    private = ["--allow-address", "127.0.0.0/8", "--dns", "127.0.0.1:9"]
    told = census("crawl", "127.0.0.9:9", "--no-publish", "--db", str(db), "--json", *private)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["published"] is None
    assert serving_file(db) is None
    published = census("publish", "--db", str(db))
    assert published.returncode == 0, published.stderr
    assert serving_file(db) is not None
