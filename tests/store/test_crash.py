"""kill -9 at random moments: what was committed is there, batch by batch, and earlier crawls are as they were."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from crawler.engine.progress import Progress
from crawler.errors import Failure, FailureKind
from crawler.model.crawl import CrawlState
from crawler.model.observation import Failed
from crawler.model.rooms import Stopped
from crawler.model.schedule import Life, ServerSchedule
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader, crawl_rows
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from tests.endurance import moments
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, dead, online, some_federation
from tests.store.process import line, python

BATCH = 5

RECORD = f"""
import dataclasses, sys
from pathlib import Path
from crawler.model.crawl import Lead, LeadSource
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.store.writer import CensusWriter
from tests.store.census import begin
from tests.store.observations import online

with CensusWriter.open(Path(sys.argv[1])) as writer:
    crawl_id = begin(writer)
    for turn in range(100_000):
        names = [f"new{{turn}}-{{n}}.test" for n in range({BATCH})]
        rooms = tuple(PublicRoom(f"!{{turn}}-{{n}}:x.test", n, "Lobby") for n in range(20))
        answer = AliasAnswer("#a:x.test", f"!{{turn}}:x.test", tuple(f"p{{turn}}-{{n}}.test" for n in range(3)))
        writer.record(
            crawl_id,
            [online(name, rooms=rooms) for name in names],
            [Lead(name, LeadSource.SEED) for name in names],
            [(names[0], answer)],
        )
        print(turn, flush=True)
"""

CONTENT = """
SELECT
    (SELECT count(*) FROM seen_server WHERE crawl_id = $crawl),
    (SELECT count(*) FROM attempt WHERE crawl_id = $crawl),
    (SELECT count(*) FROM seen_listing WHERE crawl_id = $crawl),
    (SELECT count(*) FROM lead WHERE crawl_id = $crawl),
    (SELECT count(*) FROM seen_participation WHERE crawl_id = $crawl),
    (SELECT count(*) FROM server WHERE first_crawl_id = $crawl),
    (SELECT count(DISTINCT server_id) FROM server WHERE first_crawl_id = $crawl)
"""


def everything(path: Path, crawl_id: int) -> list[list[tuple[object, ...]]]:
    tables = ("server_observation", "attempt", "resolution_step", "endpoint", "listing", "lead", "participation")
    with duckdb.connect(str(path), read_only=True) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} WHERE crawl_id = ? ORDER BY ALL", [crawl_id]).fetchall()
            for table in ("crawl", *tables)
        ]


@pytest.mark.parametrize("seed", range(5))
def test_kill_at_a_random_moment(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "census.duckdb"
    before = some_federation(seed, 30)
    crawl(path, before)
    sealed = everything(path, 1)
    with python(RECORD, path) as process:
        assert line(process) == "0"
        time.sleep(random.Random(seed).uniform(0, 0.4))
        process.kill()
        process.wait()
        assert process.stdout is not None
        told = [int(turn) for turn in process.stdout.read().split()]
    acknowledged = len(told) + 1

    shown = crawl_rows(path)
    assert [(found.id, found.state) for found in shown] == [(2, CrawlState.RUNNING), (1, CrawlState.COMPLETED)]
    with stage(path) as draft:
        draft.commit()
    with SnapshotReader.open(path) as reader:
        assert [found.id for found in reader.crawls()] == [1]
        assert reader.funnel(1).observed == 30
        assert reader.funnel(2).observed == 0
        assert reader.server("new0-0.test", 2) is None

    with CensusWriter.open(path) as writer:
        assert writer.killed() == 2
        begin(writer)  # which calls it failed
    assert everything(path, 1) == sealed
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT state, finished_at, servers FROM crawl WHERE crawl_id = 2").fetchall() == [
            ("failed", None, None)
        ]
        counts = connection.execute(CONTENT, {"crawl": 2}).fetchone()
    assert counts is not None
    batches = counts[0] // BATCH
    # The batch in hand at the kill may have been committed and not yet told of.
    assert acknowledged <= batches <= acknowledged + 1
    assert counts == (
        BATCH * batches,
        9 * BATCH * batches,
        20 * BATCH * batches,
        BATCH * batches,
        3 * batches,
        (BATCH + 3) * batches,
        (BATCH + 3) * batches,
    )


def test_a_crawl_goes_on_in_a_file_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with python(RECORD, path) as process:
        line(process)
        process.kill()
        process.wait()
    sealed = crawl(path, some_federation(1, 10))
    assert (sealed.id, sealed.servers, sealed.is_census) == (2, 10, True)


SEAL = """
import sys
from pathlib import Path
from crawler.model.crawl import CrawlScope, CrawlState
from crawler.store.writer import CensusWriter
from tests.store.census import begin
from tests.store.observations import DAY, some_federation

path, turn = Path(sys.argv[1]), int(sys.argv[2])
days = [some_federation(seed, 25) for seed in range(4)]
with CensusWriter.open(path) as writer:
    print("open", flush=True)
    for place in range(turn, 100_000):
        scope = CrawlScope.LIMITED if place % 3 == 0 else CrawlScope.FULL
        crawl_id = begin(writer, scope=scope)
        seen = days[place % 4]
        writer.record(crawl_id, seen[:15], [])
        writer.record(crawl_id, seen[15:], [])
        writer.seal(crawl_id, CrawlState.COMPLETED, DAY, {})
        print(crawl_id, flush=True)
"""
"""Crawls one after the other; what is printed was sealed."""


@pytest.mark.endurance
def test_history_is_sound_however_often_its_writer_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    path = tmp_path / "census.duckdb"
    rng = random.Random(7)
    sealed: list[int] = []
    for turn in moments(record_property, 10, 100):
        with python(SEAL, path, turn) as process:
            assert line(process) == "open"
            # In the first crawl of the process, or in a later one, somewhere.
            sealed += [int(line(process)) for _ in range(rng.choice([0, 1, 2]))]
            time.sleep(rng.uniform(0, 0.4))
            process.kill()
            process.wait()
            assert process.stdout is not None
            sealed += [int(crawl_id) for crawl_id in process.stdout.read().split()]
        assert verify(path) == []
        completed = {found.id for found in crawl_rows(path) if found.state is CrawlState.COMPLETED}
        assert completed.issuperset(sealed)
        # The one in hand at each kill may have been sealed and not yet told of.
        assert len(completed) <= len(sealed) + turn + 1
    assert sealed
    publish(path)
    assert verify(path) == []


def test_what_a_crawl_that_is_not_completed_has_learnt_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        schedule = ServerSchedule("a.test", Life.ALIVE, 0, DAY, DAY, DAY)
        writer.record(crawl_id, [online("a.test")], [], (), [schedule], [("a.test", "#x:a.test")])
    with CensusWriter.open(path) as writer:
        writer.resume_crawl(crawl_id, "0.1.0")
        remembered = writer.remembered()
    assert remembered.servers == {"a.test": schedule}
    assert remembered.aliases == {"a.test": {"#x:a.test": crawl_id}}


def test_who_ran_into_a_bound_is_known_to_whoever_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    endless, slow = online("a.test"), online("b.test")
    endless = replace(endless, directory=replace(endless.directory, stopped=Stopped.PAGE_BUDGET))
    slow = replace(slow, keys=Failed(Failure(FailureKind.HTTP_TIMEOUT)))
    seen = [endless, slow, online("c.test"), dead("d.test", FailureKind.TCP_TIMEOUT)]
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        writer.record(crawl_id, seen, [])
    with CensusWriter.open(path) as writer:
        past = writer.resume_crawl(crawl_id, "0.1.0")
    progress = Progress()
    for each in seen:
        progress.count(each)
    assert past.counts.bounds_hit == progress.bounds_hit == {"a.test": "page_budget", "b.test": "http_timeout"}
