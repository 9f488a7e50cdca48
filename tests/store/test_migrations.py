"""Schemas only go forward: each step whole, newer files refused, foreign ones too."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from crawler.errors import SchemaTooNewError, StoreError
from crawler.store.connection import Connection
from crawler.store.migrations import Migration, latest_version, migrate, migrations, schema_version
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader, crawl_rows
from crawler.store.serving import serving_file
from crawler.store.writer import CensusWriter
from tests.store.census import crawl, publish
from tests.store.observations import DAY, online

ANYWHERE = Path("census.duckdb")


@pytest.fixture
def connection() -> Iterator[Connection]:
    with duckdb.connect(":memory:") as opened:
        opened.execute("SET GLOBAL TimeZone = 'UTC'")
        yield opened


def test_a_new_file_takes_every_step_and_says_so(connection: Connection) -> None:
    assert migrate(connection, ANYWHERE, lambda: DAY) == 0
    recorded = connection.execute("SELECT version, name, applied_at FROM schema_migration ORDER BY version").fetchall()
    assert recorded == [(step.version, step.name, DAY) for step in migrations()]
    assert migrate(connection, ANYWHERE, lambda: DAY) == latest_version()
    assert connection.execute("SELECT count(*) FROM schema_migration").fetchone() == (latest_version(),)


def test_every_table_view_and_column_says_what_it_is(connection: Connection) -> None:
    migrate(connection, ANYWHERE, lambda: DAY)
    silent = connection.execute(
        "SELECT table_name, NULL FROM duckdb_tables() WHERE comment IS NULL AND NOT internal"
        " UNION ALL SELECT view_name, NULL FROM duckdb_views() WHERE comment IS NULL AND NOT internal"
        " UNION ALL SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal"
    ).fetchall()
    assert silent == []


def test_an_older_file_takes_only_what_it_lacks(connection: Connection) -> None:
    migrate(connection, ANYWHERE, lambda: DAY)
    later = Migration(latest_version() + 1, "later", "CREATE TABLE later (n INTEGER)")
    assert migrate(connection, ANYWHERE, lambda: DAY, (*migrations(), later)) == latest_version()
    assert schema_version(connection, ANYWHERE) == later.version
    assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_a_step_that_fails_leaves_nothing_of_itself(connection: Connection) -> None:
    migrate(connection, ANYWHERE, lambda: DAY)
    sql = "CREATE TABLE half (n INTEGER); INSERT INTO nowhere VALUES (1)"
    with pytest.raises(duckdb.CatalogException):
        migrate(connection, ANYWHERE, lambda: DAY, (*migrations(), Migration(latest_version() + 1, "broken", sql)))
    assert schema_version(connection, ANYWHERE) == latest_version()
    assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'").fetchone() == (0,)


@pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_steps_are_numbered_without_gaps(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match="without gaps"):
        migrations(tmp_path)


def test_a_newer_file_is_refused_by_every_door_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test")])
    publish(path)
    for file in (path, serving_file(path)):
        with duckdb.connect(str(file)) as connection:
            connection.execute("INSERT INTO schema_migration VALUES (99, 'from_the_future', now())")
    for door in (CensusWriter.open, stage, crawl_rows, SnapshotReader.open):
        with pytest.raises(SchemaTooNewError, match=r"schema 99, .* upgrade matrix-census") as caught:
            door(path)
        assert caught.value.exit_code == 2
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT state FROM crawl").fetchall() == [("completed",)]


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE payroll (n INTEGER)")
    for door in (CensusWriter.open, stage, crawl_rows):
        with pytest.raises(StoreError, match="but no census"):
            door(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("payroll",)]
