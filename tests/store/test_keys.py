"""Keys over the crawls: which server published which, and which key IDs were given to another key."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from crawler.model.crawl import CrawlState
from crawler.model.observation import KeyDocument, Ok, ServerObservation
from crawler.store.keys import KeyUse, reused_keys
from crawler.store.reader import SnapshotReader
from crawler.store.writer import CensusWriter
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, dead, online

ODD_ID = "ed25519:$.\"x'][0]"
"""Legal, and a JSON path to whoever builds one of it."""


def with_keys(name: str, **keys: str) -> ServerObservation:
    document = KeyDocument({f"ed25519:{k}": key for k, key in keys.items()}, (), DAY + timedelta(days=7))
    return replace(online(name), keys=Ok(document))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "census.duckdb"


def reused(path: Path, crawl_id: int) -> dict[tuple[str, str], list[str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = reused_keys(connection, crawl_id)
    return {(each.server_name, each.key_id): [use.key for use in each.uses] for each in found}


def test_every_key_with_the_crawls_that_saw_it(path: Path) -> None:
    crawl(path, [with_keys("A.test", one="K1", two="K2"), with_keys("b.test", one="K9")])
    crawl(path, [with_keys("a.test", one="K1"), dead("b.test")])
    crawl(path, [with_keys("a.test", one="K3"), with_keys("b.test", one="K9")])
    publish(path)
    with SnapshotReader.open(path) as reader:
        assert reader.key_uses("a.test") == (
            KeyUse("A.test", "ed25519:one", "K1", 1, 2, 2),
            KeyUse("A.test", "ed25519:one", "K3", 3, 3, 1),
            KeyUse("A.test", "ed25519:two", "K2", 1, 1, 1),
        )
        assert reader.past_keys("a.test") == {"ed25519:one": {"K1", "K3"}, "ed25519:two": {"K2"}}
        assert reader.past_keys("b.test") == {"ed25519:one": {"K9"}}
        assert reader.past_keys("nobody.test") == {}
        assert reader.past_keys("\ud800") == {}


def test_a_reuse_is_told_of_by_the_crawl_that_sees_it_and_after(path: Path) -> None:
    crawl(path, [with_keys("a.test", one="K1"), with_keys("b.test", one="K1"), with_keys("c.test", one="K1")])
    crawl(path, [with_keys("a.test", one="K2"), with_keys("b.test", two="K2"), with_keys("c.test", one="K1")])
    crawl(path, [with_keys("a.test", one="K2"), with_keys("c.test", one="K1")])
    crawl(path, [with_keys("a.test", new="K4")])
    of_a = {("a.test", "ed25519:one"): ["K1", "K2"]}
    assert [reused(path, number) for number in (1, 2, 3, 4)] == [{}, of_a, of_a, {}]


def test_practice_and_the_real_federation_have_nothing_to_do_with_each_other(path: Path) -> None:
    crawl(path, [with_keys("a.test", one="K1")], synthetic=True)
    crawl(path, [with_keys("a.test", one="K2")], synthetic=False)
    assert reused(path, 2) == {}


def test_a_key_id_is_never_a_path(path: Path) -> None:
    for key in ("K1", "K2"):
        document = KeyDocument({ODD_ID: key}, (), DAY + timedelta(days=7))
        crawl(path, [replace(online("a.test"), keys=Ok(document))])
    assert reused(path, 2) == {("a.test", ODD_ID): ["K1", "K2"]}


def test_the_writer_tells_before_the_seal(path: Path) -> None:
    crawl(path, [with_keys("a.test", one="K1")])
    with CensusWriter.open(path) as writer:
        number = begin(writer)
        writer.record(number, [with_keys("a.test", one="K2")], [])
        (found,) = writer.reused_keys(number)
        assert (found.server_name, found.key_id) == ("a.test", "ed25519:one")
        writer.seal(number, CrawlState.COMPLETED, DAY, {})
