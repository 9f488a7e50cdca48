"""Old journals are summarised and let go; what was found stays, and so does the journal of the newest census."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.store.journal import JOURNAL, JOURNAL_DAYS
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from tests.store.census import begin
from tests.store.observations import DAY, dead, online


def sealed(
    writer: CensusWriter, days: int, *, scope: CrawlScope = CrawlScope.FULL, journal_days: int = JOURNAL_DAYS
) -> None:
    crawl_id = begin(writer, scope=scope)
    leads = [Lead("a.test", LeadSource.SEED), Lead("b.test", LeadSource.ROOM_ID, "a.test", 5)]
    leads += [Lead("b.test", LeadSource.ROOM_ID, "c.test", 1)]
    writer.record(crawl_id, [online("a.test"), dead("b.test")], leads)
    writer.seal(crawl_id, CrawlState.COMPLETED, DAY + timedelta(days=days), {}, journal_days=journal_days)


def test_what_is_old_is_summarised_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with CensusWriter.open(path) as writer:
        for days in (0, 1, 31):
            sealed(writer, days)
    with duckdb.connect(str(path), read_only=True) as connection:
        for table in JOURNAL:
            kept = {row[0] for row in connection.execute(f"SELECT DISTINCT crawl_id FROM {table}").fetchall()}
            assert kept <= {2, 3}, table
        assert connection.execute("SELECT DISTINCT crawl_id FROM visit ORDER BY 1").fetchall() == [(2,), (3,)]
        # The crawl of day 0: a.test had nine attempts that were ok, b.test failed to resolve and was asked no more.
        summed = connection.execute(
            "SELECT crawl_id, outcome, sum(attempts)::INTEGER FROM attempt_summary GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        whole = connection.execute(
            "SELECT 1, outcome, count(*) FROM attempt WHERE crawl_id = 2 GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        assert summed == whole
        assert connection.execute("SELECT * FROM lead_summary ORDER BY ALL").fetchall() == [
            (1, "room_id", 2, 1),
            (1, "seed", 0, 1),
        ]
        seen = "SELECT crawl_id, count(*), count(observed_at) FROM server_observation GROUP BY ALL ORDER BY ALL"
        assert connection.execute(seen).fetchall() == [(1, 2, 0), (2, 2, 2), (3, 2, 2)]
    assert verify(path) == []


@pytest.mark.parametrize(("journal_days", "kept"), [(0, {3}), (29, {3}), (30, {2, 3}), (31, {1, 2, 3})])
def test_for_how_long_can_be_set(tmp_path: Path, journal_days: int, kept: set[int]) -> None:
    path = tmp_path / "census.duckdb"
    with CensusWriter.open(path) as writer:
        for days in (0, 1, 31):
            sealed(writer, days, journal_days=journal_days)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert {row[0] for row in connection.execute("SELECT DISTINCT crawl_id FROM attempt").fetchall()} == kept
        summarised = {row[0] for row in connection.execute("SELECT DISTINCT crawl_id FROM attempt_summary").fetchall()}
        assert summarised == {1, 2, 3} - kept


def test_the_newest_census_keeps_its_journal_however_old_it_is(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with CensusWriter.open(path) as writer:
        sealed(writer, 0)
        sealed(writer, 400, scope=CrawlScope.LIMITED)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT crawl_id FROM visit ORDER BY 1").fetchall() == [(1,), (2,)]
