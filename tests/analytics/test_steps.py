"""What runs after a seal: the published file holds the rows, and they are those that would be computed from it."""

from pathlib import Path

import duckdb

from analytics.definitions import DEFINITIONS
from analytics.load_stored import load_metric_rows
from analytics.mission import computed_rows
from analytics.schemas import METRIC_COLUMNS
from analytics.steps import store_numbers
from crawler.model.crawl import CrawlScope
from crawler.store.publish import stage
from crawler.store.writer import CensusWriter
from tests.dashboard.federation import publish, write_census


def test_the_rows_of_every_census_are_stored_with_it(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=20, seed=1)
    write_census(census, servers=10, seed=2, scope=CrawlScope.LIMITED)
    write_census(census, servers=25, seed=3)
    serving = publish(census)
    # Of the first the serving file has no journal, but the census file has: who named whom, addresses, answers.
    for crawl_id, file in ((1, census), (3, serving)):
        assert load_metric_rows(serving, crawl_id) == computed_rows(file, crawl_id)
    assert load_metric_rows(serving, 2) == ()
    of_first = {row.metric: row.value for row in load_metric_rows(serving, 1) or ()}
    assert of_first["conformance"] is not None
    assert "servers_estimated" in of_first
    assert load_metric_rows(serving, 1) != computed_rows(serving, 1)


def test_while_somebody_writes_an_earlier_census_is_read_from_what_is_published(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=12, seed=1)
    write_census(census, servers=12, seed=2)
    with stage(census) as draft:
        with draft.census() as whole:
            assert whole == census
        with CensusWriter.open(census), draft.census() as whole:
            assert whole is None
        with CensusWriter.open(census):
            store_numbers(draft)
        assert load_metric_rows(draft.path, 1) == computed_rows(draft.path, 1)


def test_every_row_has_its_definition_and_every_column_its_meaning(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=90)
    serving = publish(census)
    assert {row.metric for row in load_metric_rows(serving, 1) or ()} == set(DEFINITIONS)
    tables = (
        "metric", "metric_version", "holder", "lorenz_curve", "resilience", "graph_distribution", "room_feature",
        "cohort_retention", "survival_curve", "version_adoption", "annotation",
    )  # fmt: skip
    with duckdb.connect(str(serving), read_only=True) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE list_contains(?, table_name)"
            " ORDER BY column_index",
            [list(tables)],
        ).fetchall()
        filled = [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables]
    assert [name for table, name, _ in columns if table == "metric"] == list(METRIC_COLUMNS)
    assert {table for table, _, _ in columns} == set(tables)
    assert all(comment for _, _, comment in columns)
    assert all(count and count[0] > 0 for count in filled)


def test_rows_of_earlier_censuses_are_taken_over_and_the_newest_is_computed(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=12, seed=1)
    first = publish(census)
    with duckdb.connect(str(first)) as connection:
        connection.execute("UPDATE metric SET method = 'marked'")
    write_census(census, servers=14, seed=2)
    second = publish(census)
    assert {row.method for row in load_metric_rows(second, 1) or ()} == {"marked"}
    assert "marked" not in {row.method for row in load_metric_rows(second, 2) or ()}
    with duckdb.connect(str(second)) as connection:
        connection.execute("UPDATE metric_version SET rows_version = rows_version - 1")
    third = publish(census)
    assert "marked" not in {row.method for row in load_metric_rows(third, 1) or ()}
