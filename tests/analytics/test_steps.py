"""What runs after a seal: the published file holds the rows, and they are those that would be computed from it."""

from pathlib import Path

import duckdb

from analytics.load import load_frames, load_metric_rows
from analytics.mission import DEFINITIONS, mission_rows
from analytics.schemas import METRIC_COLUMNS
from crawler.model.crawl import CrawlScope
from tests.dashboard.federation import publish, write_census


def test_the_rows_of_every_census_are_stored_with_it(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=20, seed=1)
    write_census(census, servers=10, seed=2, scope=CrawlScope.LIMITED)
    write_census(census, servers=25, seed=3)
    serving = publish(census)
    for crawl_id in (1, 3):
        assert load_metric_rows(serving, crawl_id) == tuple(mission_rows(load_frames(serving, [crawl_id])))
    assert load_metric_rows(serving, 2) == ()


def test_every_row_has_its_definition_and_every_column_its_meaning(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=40)
    serving = publish(census)
    assert {row.metric for row in load_metric_rows(serving, 1) or ()} == set(DEFINITIONS)
    with duckdb.connect(str(serving), read_only=True) as connection:
        columns = connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'metric' ORDER BY column_index"
        ).fetchall()
    assert [name for name, _ in columns] == list(METRIC_COLUMNS)
    assert all(comment for _, comment in columns)
