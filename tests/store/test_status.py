"""The status file: news of one census file, and nothing else is believed."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.errors import StoreError
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.store.reader import crawl_rows
from crawler.store.status import CrawlStatus, read_status, status_path, write_status
from crawler.store.writer import CensusWriter
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, dead, online

CRAWL = Crawl(7, CrawlState.RUNNING, CrawlScope.FULL, False, DAY, None, 12, 3, None, "0.1.0", "here")


@pytest.mark.parametrize("state", list(CrawlState))
def test_what_is_written_is_read(tmp_path: Path, state: CrawlState) -> None:
    path = tmp_path / "census.duckdb"
    finished = None if state is CrawlState.RUNNING else DAY + timedelta(hours=1)
    told = CrawlStatus(
        "census.duckdb",
        Crawl(7, state, CrawlScope.LIMITED, True, DAY, finished, 1, None, None, "0.1.0", "h\xf6me"),
        4711,
        DAY + timedelta(hours=1),
    )
    write_status(path, told)
    assert read_status(path) == told


def test_of_another_file_nothing_is_believed(tmp_path: Path) -> None:
    write_status(tmp_path / "census.duckdb", CrawlStatus("census.duckdb", CRAWL, 1, DAY))
    assert read_status(tmp_path / "other.duckdb") is None
    assert read_status(tmp_path / "empty" / "census.duckdb") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"census": "census.duckdb"}', b"\xff", b"[" * 9999])
def test_what_is_no_status_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "census.duckdb"
    status_path(path).write_bytes(content)
    assert read_status(path) is None


def test_counts_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_status(path, CrawlStatus("census.duckdb", CRAWL, 1, DAY))
    document = json.loads(status_path(path).read_bytes())
    for wrong in ("many", [1], {"a": 1}, 1.5, True):
        status_path(path).write_text(json.dumps(document | {"servers": wrong}))
        assert read_status(path) is None


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        write_status(tmp_path / "no" / "census.duckdb", CrawlStatus("census.duckdb", CRAWL, 1, DAY))


def test_crawls_are_told_before_during_and_after(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    assert crawl_rows(path) == []
    with CensusWriter.open(path) as writer:
        assert crawl_rows(path) == []
        first = begin(writer, synthetic=False)
        writer.record(first, [online("a.test"), dead("b.test")], [])
        (running,) = crawl_rows(path)
        assert (running.id, running.state, running.servers, running.online) == (1, "running", 2, 1)
        assert not running.is_census
        sealed = writer.seal(first, CrawlState.COMPLETED, DAY, {})
        assert crawl_rows(path) == [sealed]
    assert crawl_rows(path) == [sealed]
    publish(path)
    with CensusWriter.open(path) as writer:
        # Nothing has begun: the status still tells of the crawl that is published already.
        assert crawl_rows(path) == [sealed]
        begin(writer)
        assert [(found.id, found.state) for found in crawl_rows(path)] == [(2, "running"), (1, "completed")]
    # Killed: the file is free, and says what it is. The next start will call it failed.
    assert [(found.id, found.state) for found in crawl_rows(path)] == [(2, "running"), (1, "completed")]


def test_a_status_older_than_the_file_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test")])
    crawl(path, [online("a.test")])
    publish(path)
    write_status(path, CrawlStatus("census.duckdb", replace(CRAWL, id=1), 1, DAY))
    with CensusWriter.open(path):
        assert [found.id for found in crawl_rows(path)] == [2, 1]
