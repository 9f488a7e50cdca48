"""The bench of the store measures the real thing: its made-up days are crawls that `verify` finds sound."""

import json
from pathlib import Path

import duckdb
from click.testing import CliRunner

from crawler.store.bench import bench_store
from crawler.store.verify import verify
from matrix_census import main


def test_its_days_are_crawls_and_both_files_hold_the_same(tmp_path: Path) -> None:
    days: list[int] = []
    found = bench_store(tmp_path, servers=60, rooms=400, days=4, told=days.append)
    assert days == [1, 2, 3, 4]
    assert verify(tmp_path / "census.duckdb") == []
    with duckdb.connect(str(tmp_path / "census.duckdb"), read_only=True) as history:
        online = history.execute(
            "SELECT crawl_id, sum(servers) FROM online_by_software GROUP BY 1 ORDER BY 1"
        ).fetchall()
        members = history.execute("SELECT crawl_id, rooms, members FROM members_by_crawl ORDER BY 1").fetchall()
        edges = history.execute("SELECT crawl_id, count(*) FROM participation GROUP BY 1 ORDER BY 1").fetchall()
    with duckdb.connect(str(tmp_path / "full.duckdb"), read_only=True) as full:
        assert (
            full.execute("SELECT day, count(*) FROM server_day WHERE online GROUP BY 1 ORDER BY 1").fetchall() == online
        )
        assert (
            full.execute("SELECT day, count(*), sum(members) FROM room_day GROUP BY 1 ORDER BY 1").fetchall() == members
        )
        assert full.execute("SELECT day, count(*) FROM participation_day GROUP BY 1 ORDER BY 1").fetchall() == edges
    wanted = ["file_mb", "append_first_s", "append_last_s", "publish_s", "online_series_ms", "growth_ms", "life_ms"]
    copies = found["full_copies"]
    assert isinstance(copies, dict)
    for name in wanted:
        assert isinstance(found[name], float), name
        assert isinstance(copies[name], float), name


def test_the_verb_prints_one_object() -> None:
    done = CliRunner().invoke(main, ["bench", "store", "--servers", "20", "--rooms", "40", "--days", "2"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["days"] == 2
