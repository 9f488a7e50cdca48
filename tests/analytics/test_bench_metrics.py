"""The bench of the metrics measures the real thing: its history is one that `verify` finds sound, its step adds to the
rows of earlier days those of the newest."""

import json
from pathlib import Path

from click.testing import CliRunner

from crawler.store.bench_history import write_history
from crawler.store.verify import verify
from matrix_census import main


def test_the_made_up_history_is_sound(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_history(census, servers=60, rooms=300, days=12)
    assert verify(census) == []


def test_it_prints_what_it_measured(tmp_path: Path) -> None:
    size = ["--servers", "20", "--rooms", "60", "--days", "3"]
    write_history(tmp_path / "history-20-60-3.duckdb", servers=20, rooms=60, days=3)
    done = CliRunner().invoke(main, ["bench", "metrics", *size, "--folder", str(tmp_path)])
    assert "writing" not in done.stderr  # the history that was kept is used again
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["days"] == 3
    assert found["wall_s"] > 0
    assert found["peak_rss_mb"] > 0
    assert abs(sum(found["share"].values()) - 1) < 0.02
    for number in "123456789":
        assert any(f" {number}" in name for name in found["share"] if "metric" in name), number
    assert {"features_s", "features_again_s", "resilience_s", "stage_s"} <= set(found)
    # Two earlier days are taken over, the third is computed: without the rows of resilience, which stand apart.
    assert found["rows"] > 2 * 400
