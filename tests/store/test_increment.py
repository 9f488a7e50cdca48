"""A serving file that grew out of the one before it is what one written from the census file alone would be.

The oracle is the full stage of a copy of the same census file, in a folder where nothing was published yet.
"""

import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.names import parse_server_name
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.store import publish
from crawler.store.export import ExportOptions, export
from crawler.store.forget import forget
from crawler.store.importing import import_snapshot
from crawler.store.publish import stage
from crawler.store.rewrite import back_up, compact, restore
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from tests.store import test_history
from tests.store.census import begin, crawl
from tests.store.observations import DAY, online, some_federation
from tests.store.test_history import Day, days


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "census.duckdb"


@pytest.fixture
def written_anew(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Drafts that were written from the census file alone."""
    made: list[Path] = []
    copy = publish._copy

    def noted(path: Path, *rest: object) -> None:
        made.append(path)
        copy(path, *rest)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(publish, "_copy", noted)
    return made


def rows_of(serving: Path) -> dict[str, Counter[str]]:
    """Table -> its rows, in no order; and the names of the views. `published_at` and `applied_at` tell when."""
    with duckdb.connect(str(serving), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        found = {
            name: Counter(
                map(
                    repr,
                    connection.execute(
                        f"SELECT COLUMNS(lambda c: c NOT IN ('published_at', 'applied_at')) FROM {name}"
                    ).fetchall(),
                )
            )
            for (name,) in tables
        }
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        return {**found, "": Counter(name for (name,) in views)}


def fully_staged(census: Path, folder: Path) -> Path:
    folder.mkdir()
    shutil.copyfile(census, folder / census.name)
    return stage(folder / census.name).commit()


def check(census: Path, grown: Path, folder: Path) -> None:
    assert rows_of(grown) == rows_of(fully_staged(census, folder))
    assert verify(census) == []


@given(sequence=st.lists(days(), min_size=2, max_size=4))
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_crawls_were_it_equals_a_full_stage(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[Day]
) -> None:
    census = tmp_path_factory.mktemp("grown") / "census.duckdb"
    crawl(census, some_federation(5, 6), [Lead("heard.test", LeadSource.SEED)])
    grown = stage(census).commit()
    for place, day in enumerate(sequence, 1):
        # Journals of all but the newest days are let go of on the way.
        with CensusWriter.open(census) as writer:
            test_history.crawl(writer, day, place, journal_days=2)
        if place % 2 == len(sequence) % 2:
            grown = stage(census).commit()
    check(census, grown, census.parent / "full")


def test_it_grows_by_what_crawls_did(path: Path, tmp_path: Path, written_anew: list[Path]) -> None:
    federation = some_federation(3, 30)
    crawl(path, federation, [Lead("only-heard-of.test", LeadSource.SEED)])
    with stage(path) as draft:
        draft.write_table("metric", {"n": "INTEGER"}, [(1,)])
        draft.commit()
    assert len(written_anew) == 1
    # A census, a limited crawl, a cancelled one, one that is killed, another series.
    renamed = [online("A.test", rooms=(PublicRoom("!a:a.test", 2, "Other"),))]
    answer = AliasAnswer("#a:a.test", "!a:a.test", ("far.test", "host1.test"))
    crawl(path, [*federation[:20], *renamed], [], [("a.test", answer)])
    crawl(path, federation[20:], scope=CrawlScope.LIMITED)
    crawl(path, federation[:3], state=CrawlState.CANCELLED)
    crawl(path, [online("real.test")], synthetic=False)
    with CensusWriter.open(path) as writer:
        writer.record(begin(writer), [online("killed.test")], [])
    grown = stage(path).commit()
    assert len(written_anew) == 1
    check(path, grown, tmp_path / "full")
    assert len(written_anew) == 2  # the oracle
    # Nothing new: the same again, as it is cited too.
    check(path, stage(path).commit(), tmp_path / "again")
    assert len(written_anew) == 3


def test_a_crawl_that_is_gone_on_with_after_another_was_published_is_brought(
    path: Path, tmp_path: Path, written_anew: list[Path]
) -> None:
    crawl(path, [online("a.test"), online("b.test")], state=CrawlState.CANCELLED)
    crawl(path, [online("real.test")], synthetic=False)
    stage(path).commit()
    with CensusWriter.open(path) as writer:
        writer.resume_crawl(1, "0.1.0")
        writer.record(1, [online("c.test")], [])
        writer.seal(1, CrawlState.COMPLETED, DAY + timedelta(hours=2), {})
    grown = stage(path).commit()
    assert len(written_anew) == 1
    check(path, grown, tmp_path / "full")


def test_after_maintenance_it_is_written_anew(path: Path, tmp_path: Path, written_anew: list[Path]) -> None:
    crawl(path, [online("gone-tomorrow.test"), online("b.test")])
    first = stage(path).commit()
    other = tmp_path / "elsewhere" / "census.duckdb"
    other.parent.mkdir()
    crawl(other, [online("c.test")])
    stage(other).commit()
    export(other, tmp_path / "export", ExportOptions())
    written_anew.clear()

    forget(path, [parse_server_name("gone-tomorrow.test")])
    after = stage(path).commit()
    assert b"gone-tomorrow" in first.read_bytes()
    assert b"gone-tomorrow" not in after.read_bytes()
    stage(path).commit()
    assert len(written_anew) == 1  # once, and then it grows again

    import_snapshot(path, tmp_path / "export", vantage="there")
    check(path, stage(path).commit(), tmp_path / "full")
    compact(path)
    stage(path).commit()
    back_up(path, tmp_path / "backup.duckdb")
    path.unlink()
    restore(tmp_path / "backup.duckdb", path)
    stage(path).commit()
    assert len(written_anew) == 5


def test_maintenance_while_steps_still_compute_counts_for_the_next(path: Path, written_anew: list[Path]) -> None:
    crawl(path, [online("a.test"), online("gone-tomorrow.test")])
    draft = stage(path)
    forget(path, [parse_server_name("gone-tomorrow.test")])
    assert b"gone-tomorrow" in draft.commit().read_bytes()
    assert b"gone-tomorrow" not in stage(path).commit().read_bytes()
    assert len(written_anew) == 2


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM room_text",
        "DELETE FROM server_state WHERE server_id = 1",
        "UPDATE server_state SET valid_to = 1 WHERE server_id = 1",
        "UPDATE crawl SET report = '{}'",
        "INSERT INTO known_room VALUES (0, '!zero:b.test', 1)",
    ],
)
def test_what_is_done_behind_our_back_is_noticed(
    path: Path, tmp_path: Path, written_anew: list[Path], harm: str
) -> None:
    crawl(path, [online("a.test", rooms=(PublicRoom("!a:a.test", 1, "A"),)), online("b.test")])
    stage(path).commit()
    with duckdb.connect(str(path)) as connection:
        connection.execute(harm)
    crawl(path, [online("b.test")])
    grown = stage(path).commit()
    assert len(written_anew) == 2
    assert rows_of(grown) == rows_of(fully_staged(path, tmp_path / "full"))
