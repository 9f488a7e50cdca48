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

SPANS = """
SELECT named.server_key, source, teller.server_key, s.first_crawl_id, s.last_crawl_id, s.crawls
FROM lead_span s JOIN server named USING (server_id) LEFT JOIN server teller ON teller.server_id = s.named_by
ORDER BY ALL
"""


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
        # That of day 1 is summarised as well, since a newer census stands.
        summed = connection.execute(
            "SELECT crawl_id, outcome, sum(attempts)::INTEGER FROM attempt_summary GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        whole = connection.execute(
            "SELECT outcome, count(*) FROM attempt WHERE crawl_id = 2 GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        assert summed == [(crawl_id, *row) for crawl_id in (1, 2) for row in whole]
        assert connection.execute("SELECT * FROM lead_summary ORDER BY ALL").fetchall() == [
            (1, "room_id", 2, 1),
            (1, "seed", 0, 1),
        ]
        # Who named whom is known for good.
        assert connection.execute(SPANS).fetchall() == [
            ("a.test", "seed", None, 1, 3, 3),
            ("b.test", "room_id", "a.test", 1, 3, 3),
            ("b.test", "room_id", "c.test", 1, 3, 3),
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
        assert summarised == {1, 2}


def test_the_newest_census_keeps_its_journal_however_old_it_is(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with CensusWriter.open(path) as writer:
        sealed(writer, 0)
        sealed(writer, 400, scope=CrawlScope.LIMITED)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT crawl_id FROM visit ORDER BY 1").fetchall() == [(1,), (2,)]
        assert connection.execute("SELECT DISTINCT crawl_id FROM attempt_summary").fetchall() == []


def test_a_lead_has_the_completed_crawls_that_saw_it_first_and_last(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    told = {
        "always": Lead("a.test", LeadSource.ALIAS_SERVERS, "t.test", 2),
        "otherwise": Lead("a.test", LeadSource.ALIAS, "t.test"),
        "at times": Lead("b.test", LeadSource.ROOM_ID, "t.test"),
        "too late": Lead("c.test", LeadSource.SEED),
    }
    heard = [
        (CrawlState.COMPLETED, ["always", "at times"]),
        (CrawlState.COMPLETED, ["always"]),
        (CrawlState.COMPLETED, ["always", "otherwise", "at times"]),
        (CrawlState.CANCELLED, ["always", "too late"]),
    ]
    with CensusWriter.open(path) as writer:
        for days, (state, whats) in enumerate(heard):
            crawl_id = begin(writer)
            writer.record(crawl_id, [online("t.test")], [told[what] for what in whats])
            writer.record(crawl_id, [], [told[whats[0]]])  # once more, in another batch
            writer.seal(crawl_id, state, DAY + timedelta(days=days), {}, journal_days=0)
        other = writer.begin_crawl(
            scope=CrawlScope.FULL,
            synthetic=True,
            settings_json="{}",
            vantage="elsewhere",
            identity=None,
            crawler_version="0.1.0",
            started_at=DAY,
        )
        writer.record(other, [], [told["always"]])
        writer.seal(other, CrawlState.COMPLETED, DAY + timedelta(days=9), {}, journal_days=0)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT crawl_id FROM lead ORDER BY 1").fetchall() == [(3,), (5,)]
        assert connection.execute(SPANS).fetchall() == [
            ("a.test", "alias", "t.test", 3, 3, 1),
            ("a.test", "alias_servers", "t.test", 1, 3, 3),
            ("a.test", "alias_servers", "t.test", 5, 5, 1),
            ("b.test", "room_id", "t.test", 1, 3, 2),
        ]
    assert verify(path) == []
