"""The census of this moment: none, one, a newer one; a view stays whole as long as it is used."""

import threading
from pathlib import Path

import pytest

from crawler.errors import StoreError
from crawler.model.crawl import CrawlScope, CrawlState
from crawler.store.serving import serving_file
from dashboard.data import CensusSource
from tests.dashboard.federation import publish, write_census


def test_nothing_published_is_no_census(tmp_path: Path) -> None:
    with CensusSource(tmp_path / "census.duckdb").view() as view:
        assert view is None


def test_a_limited_crawl_is_published_and_is_no_census(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=5, scope=CrawlScope.LIMITED)
    publish(path)
    with CensusSource(path).view() as view:
        assert view is None


def test_a_view_knows_its_numbers(census: Path) -> None:
    source = CensusSource(census)
    with source.view() as view:
        assert view is not None
        assert (view.crawl.id, view.crawl.synthetic, view.crawl.servers) == (1, True, 260)
        assert view.known == 263
        assert "synapse" in view.spoken
        assert view.software["continuwuity"].lineage == "conduit"
    source.close()


def test_what_is_the_same_for_all_is_read_once(census: Path) -> None:
    source = CensusSource(census)
    with source.view() as one, source.view() as other:
        assert one is other
    source.close()


def test_a_new_publication_is_shown_and_the_old_view_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=12, seed=1)
    publish(path)
    source = CensusSource(path)
    with source.view() as old:
        assert old is not None
        write_census(path, servers=20, seed=2)
        publish(path)
        with source.view() as new:
            assert new is not None
            assert (old.crawl.id, new.crawl.id) == (1, 2)
            assert (old.crawl.servers, new.crawl.servers) == (12, 20)
            assert old.reader.servers_page(1).total == 12
            assert new.reader.servers_page(2).total == 20
        assert old.reader.servers_page(1).total == 12
    with pytest.raises(Exception, match=r"(?i)closed"):
        old.reader.servers_page(1)
    source.close()


def test_a_cancelled_crawl_does_not_replace_the_census(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=12)
    write_census(path, servers=4, state=CrawlState.CANCELLED)
    publish(path)
    source = CensusSource(path)
    with source.view() as view:
        assert view is not None
        assert view.crawl.id == 1
    source.close()


def test_what_cannot_be_read_is_said_and_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=5)
    good = publish(path).read_bytes()
    published = serving_file(path)
    assert published is not None
    published.write_bytes(b"x" * 4096)
    source = CensusSource(path)
    with pytest.raises(StoreError), source.view():
        pass
    published.write_bytes(good)
    with source.view() as view:
        assert view is not None
    source.close()


def test_many_threads_ask_while_a_census_is_published(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=12, seed=1)
    publish(path)
    source = CensusSource(path)
    wrong: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                with source.view() as view:
                    assert view is not None
                    total = view.reader.servers_page(view.crawl.id).total
                    if total != view.crawl.servers:
                        wrong.append((view.crawl.id, total))
            except Exception as error:  # whatever it is, it is what this test looks for
                wrong.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for servers in (15, 18):
        write_census(path, servers=servers, seed=servers)
        publish(path)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    source.close()
