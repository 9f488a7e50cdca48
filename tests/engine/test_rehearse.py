"""Rehearsed history: the truth of the practice federation, day for day, through the real writer."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from crawler.config import Settings
from crawler.engine.rehearse import Rehearsal, rehearse
from crawler.errors import UsageError
from crawler.lab.profile import REALISTIC
from crawler.lab.truth import Truth
from crawler.lab.world import World
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from matrix_census import main
from tests.store.census import crawl
from tests.store.observations import online

UNTIL = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLAN = Rehearsal(days=4, servers=60, until=UNTIL, seed=3)


def run(path: Path, plan: Rehearsal) -> list[Any]:
    with CensusWriter.open(path) as writer:
        return list(rehearse(writer, plan, Settings(), "1.2.3"))


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def predicates(server: dict[str, Any]) -> Iterable[bool]:
    return (bool(server["predicates"][name]) for name in ("resolves", "reachable", "secure", "online", "federating"))


def test_every_day_is_the_truth_of_that_day(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    sealed = run(path, PLAN)
    assert verify(path) == []
    assert [crawl.id for crawl in sealed] == [1, 2, 3, 4]
    assert all(crawl.synthetic and crawl.is_census for crawl in sealed)
    assert sealed[-1].finished_at == UNTIL - timedelta(days=1)
    assert [b.finished_at - a.finished_at for a, b in pairwise(sealed)] == [timedelta(days=1)] * 3
    for day, found in enumerate(sealed):
        told: dict[str, Any] = Truth(World(3, 60, REALISTIC, day)).document()
        findable = {name: server for name, server in told["servers"].items() if server["findable"]}
        columns = "server_name, resolves, reachable, secure, online, federating, software, version, failed_kind"
        rows = query(
            path,
            f"SELECT {columns}, directory_state, directory_rooms FROM server_observation JOIN server USING (server_id)"
            f" WHERE crawl_id = {found.id}",
        )
        assert {row[0]: row[1:6] for row in rows} == {name: tuple(predicates(s)) for name, s in findable.items()}
        for name, *_, software, version, failed, state, listed in rows:
            truth = findable[name]
            assert failed == truth["failure"], name
            if truth["software"]:
                assert (software, version) == (truth["software"]["software"], truth["software"]["version"]), name
            if truth["directory"]:
                assert (state, listed) == (truth["directory"]["state"], truth["directory"]["rooms"]), name
        rooms = query(path, f"SELECT room_id, directories, members FROM room WHERE crawl_id = {found.id}")
        assert {room: (directories, members) for room, directories, members in rooms} == {
            room: (facts["signed"]["directories"], facts["signed"]["members_median"])
            for room, facts in told["rooms"].items()
            if facts["signed"]
        }
        told_of = f"SELECT room_id, members, found_by FROM unlisted_room WHERE crawl_id = {found.id} ORDER BY ALL"
        assert told["network_rooms"]
        assert query(path, told_of) == sorted(
            (room, facts["members"], "all_networks") for room, facts in told["network_rooms"].items()
        )


def test_rooms_are_capped(tmp_path: Path) -> None:
    run(tmp_path / "census.duckdb", replace(PLAN, days=1, rooms=60))
    listed = query(tmp_path / "census.duckdb", "SELECT count(*) FROM room_listing WHERE valid_from = 1")[0][0]
    assert 30 <= listed <= 60


def test_never_beside_real_crawls(tmp_path: Path) -> None:
    crawl(tmp_path / "census.duckdb", [online("a.test")], synthetic=False)
    with pytest.raises(UsageError, match="--db"):
        run(tmp_path / "census.duckdb", PLAN)


def test_the_verb(tmp_path: Path) -> None:
    arguments = ["rehearse", "--days", "2", "--servers", "20", "--journal-days", "0", "--json"]
    done = CliRunner().invoke(main, [*arguments, "--db", str(tmp_path / "census.duckdb")])
    assert done.exit_code == 0, done.output
    of_crawls = query(tmp_path / "census.duckdb", "SELECT synthetic, report->>'rehearsed' FROM crawl")
    assert of_crawls == [(True, "true")] * 2
    assert query(tmp_path / "census.duckdb", "SELECT DISTINCT crawl_id FROM visit") == [(2,)]
