"""Files of every schema so far, made by the programs of their time, become files of this one and say what they said."""

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from crawler.errors import StoreError
from crawler.store.intervals import INTERVALS
from crawler.store.migrations import latest_version, schema_version
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader
from crawler.store.upgrade import Upgrade, upgrade
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from matrix_census import main
from tests.store.census import crawl, publish
from tests.store.observations import some_federation

FILES = Path(__file__).parent / "files"
"""`schema-N.duckdb.gz`: six crawls each (full, full, limited, cancelled, full, and one of the real federation)."""

WAS = {
    "server_observation": "server_id",
    "listing": "server_id, room_id",
    "participation": "room_id, server_id, named_by",
    "room": "room_id",
}
"""Relation -> its order; of all of them the columns of old are asked for again."""


@pytest.fixture(params=range(1, latest_version()))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "census.duckdb"
    path.write_bytes(gzip.decompress((FILES / f"schema-{request.param}.duckdb.gz").read_bytes()))
    return path


FOLDED = 5
"""Completed crawls in each file: what becomes intervals in one from before step 4 ("history")."""


def to_fold(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        return FOLDED if schema_version(connection, path) < 4 else 0


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def said(path: Path, columns: dict[str, str], crawls: str) -> dict[str, list[tuple[Any, ...]]]:
    where = f"WHERE crawl_id IN (SELECT crawl_id FROM crawl WHERE state = 'completed' AND {crawls})"
    return {
        name: read(path, f"SELECT {columns[name]} FROM {name} {where} ORDER BY crawl_id, {order}")
        for name, order in WAS.items()
    }


def columns_of(path: Path) -> dict[str, str]:
    return {name: ", ".join(str(row[0]) for row in read(path, f"DESCRIBE {name}")) for name in WAS}


def test_an_old_file_says_after_what_it_said_before(old: Path) -> None:
    columns = columns_of(old)
    full = said(old, columns, "scope = 'full'")
    limited = said(old, columns, "scope = 'limited'")
    crawls = read(old, "SELECT crawl_id, state, scope, servers, online, rooms, report FROM crawl ORDER BY 1")
    leads = read(old, "SELECT * FROM lead ORDER BY ALL")
    with duckdb.connect(str(old), read_only=True) as connection:
        before = schema_version(connection, old)
    folded = to_fold(old)
    assert upgrade(old) == Upgrade(before, latest_version(), folded)
    assert upgrade(old) == Upgrade(latest_version(), latest_version(), 0)
    assert len(full["room"]) > 50
    assert said(old, columns, "scope = 'full'") == full
    after = said(old, columns, "scope = 'limited'")
    for name in ("server_observation", "listing", "room"):
        assert after[name] == limited[name], name
    assert read(old, "SELECT crawl_id, state, scope, servers, online, rooms, report FROM crawl ORDER BY 1") == crawls
    assert read(old, "SELECT * FROM lead ORDER BY ALL") == leads
    # What the cancelled crawl saw is where a crawl's sight is until its seal.
    assert read(old, "SELECT crawl_id, count(*) FROM seen_server GROUP BY ALL") == [(4, 20)]


def test_every_lead_of_old_has_the_crawls_that_saw_it_first_and_last(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    path.write_bytes(gzip.decompress((FILES / "schema-6.duckdb.gz").read_bytes()))
    seen: dict[tuple[Any, ...], list[int]] = {}
    for crawl_id, *lead in read(
        path,
        "SELECT DISTINCT l.crawl_id, c.series_id, l.server_id, l.source, l.named_by FROM lead l JOIN crawl c"
        " USING (crawl_id) WHERE c.state = 'completed'",
    ):
        seen.setdefault(tuple(lead), []).append(crawl_id)
    assert max(map(len, seen.values())) == 4
    upgrade(path)
    spans = {row[:4]: row[4:] for row in read(path, "SELECT * FROM lead_span")}
    assert spans == {lead: (min(crawls), max(crawls), len(crawls)) for lead, crawls in seen.items()}
    assert verify(path) == []


def test_crawls_of_the_real_federation_and_of_the_practice_one_have_intervals_of_their_own(old: Path) -> None:
    upgrade(old)
    with duckdb.connect(str(old), read_only=True) as connection:
        for interval in INTERVALS:
            overlapping = connection.execute(
                f"SELECT count(*) FROM {interval.table} WHERE valid_to <= valid_from"
            ).fetchone()
            assert overlapping == (0,), interval.table
        assert connection.execute("SELECT vantage, synthetic FROM series ORDER BY series_id").fetchall() == [
            ("here", True),
            ("here", False),
        ]
        assert connection.execute(
            "SELECT count(*) FROM server_state WHERE series_id = 1 AND valid_to IS NULL"
        ).fetchone() == (44,)
        assert connection.execute("SELECT count(*) FROM server_state WHERE series_id = 2").fetchone() == (10,)


def test_a_crawl_goes_on_in_an_old_file(old: Path) -> None:
    with pytest.raises(StoreError, match="matrix-census migrate"):
        stage(old)
    with CensusWriter.open(old):
        pass
    sealed = crawl(old, some_federation(9, 30))
    assert sealed.id == 7
    publish(old)
    with SnapshotReader.open(old) as reader:
        assert [reader.funnel(crawl_id).observed for crawl_id in (1, 2, 3, 4, 5, 6, 7)] == [40, 40, 0, 0, 44, 10, 30]


def test_the_verb(old: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    folded = to_fold(old)
    done = runner.invoke(main, ["migrate", "--db", str(old)])
    assert done.exit_code == 0, done.output
    assert f"to schema {latest_version()}" in done.output
    assert f"{folded} crawls" in done.output
    again = runner.invoke(main, ["migrate", "--db", str(old)])
    assert (again.exit_code, "already" in again.output) == (0, True)
    missing = runner.invoke(main, ["migrate", "--db", str(tmp_path / "none.duckdb")])
    assert missing.exit_code == 2
    assert "no census file" in missing.output
