"""`diff` against two federations written down by hand."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.errors import UsageError
from crawler.model.crawl import CrawlScope, CrawlState
from crawler.model.rooms import PublicRoom
from crawler.store.difference import Change, difference
from matrix_census import main
from tests.store.census import crawl, publish
from tests.store.observations import dead, online


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "census.duckdb"
    crawl(
        path,
        [
            online("a.test", rooms=(PublicRoom("!1:a.test", 5, "One"), PublicRoom("!2:a.test", 7, "Two"))),
            online("b.test", software="Dendrite", version="0.15.0"),
            dead("c.test"),
        ],
    )
    crawl(path, [online("z.test")], state=CrawlState.CANCELLED)
    crawl(
        path,
        [
            online("a.test", rooms=(PublicRoom("!1:a.test", 6, "O\tne\x1b[31m"), PublicRoom("!3:a.test", 1, "Three"))),
            online("b.test", software="Dendrite", version="0.15.1"),
            online("c.test"),
        ],
    )
    crawl(path, [dead("b.test")], scope=CrawlScope.LIMITED)
    crawl(path, [online("real.test")], synthetic=False)
    publish(path)
    return path


def test_what_changed_is_told_and_nothing_else(path: Path) -> None:
    found = difference(path, 1, 3)
    assert found.changes == (
        Change("server up", "c.test", "dns_nxdomain", "synapse 1.163.2"),
        Change("software", "b.test", "dendrite 0.15.0", "dendrite 0.15.1"),
        Change("room listed", "!3:a.test", None, "Three"),
        Change("room gone", "!2:a.test", "Two", None),
        Change("room renamed", "!1:a.test", "One", "O\tne\x1b[31m"),
    )
    assert found.members == (12, 7)
    assert found.counts["server down"] == 0
    assert difference(path, 3, 3).changes == ()


def test_after_a_limited_crawl_only_what_it_looked_at_is_different(path: Path) -> None:
    assert difference(path, 3, 4).changes == (Change("server down", "b.test", "dendrite 0.15.1", "dns_nxdomain"),)


def test_backwards_it_is_the_other_way_round(path: Path) -> None:
    forth, back = difference(path, 1, 3), difference(path, 3, 1)
    assert forth.counts["room listed"] == back.counts["room gone"] == 1
    assert forth.members == back.members[::-1]


def test_what_does_not_compare_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="no completed crawl 2"):
        difference(path, 1, 2)
    with pytest.raises(UsageError, match="different vantages"):
        difference(path, 1, 5)


def test_the_verb(path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(main, ["diff", "1", "3", "--db", str(path)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "server up\tc.test\tdns_nxdomain\tsynapse 1.163.2"
    assert all(len(line.split("\t")) == 4 for line in lines)
    assert "\x1b" not in done.stdout
    assert "12 -> 7" in done.stderr
    assert (
        json.loads(runner.invoke(main, ["diff", "1", "3", "--json", "--db", str(path)]).stdout)["counts"]["software"]
        == 1
    )
    assert runner.invoke(main, ["diff", "1", "9", "--db", str(path)]).exit_code == 2
