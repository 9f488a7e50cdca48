"""Publishing: what a serving file holds, that it is swapped whole, and that readers never notice but by new numbers."""

import hashlib
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from crawler.errors import CensusLockedError, StoreError
from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.store.intervals import INTERVALS
from crawler.store.journal import JOURNAL
from crawler.store.migrations import latest_version
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader
from crawler.store.serving import KEPT, pointer, serving_file, serving_folder
from crawler.store.writer import CensusWriter
from tests.endurance import moments
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, online, some_federation
from tests.store.process import line, python


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "census.duckdb"


def counts(serving: Path) -> dict[int, int]:
    with duckdb.connect(str(serving), read_only=True) as connection:
        rows = connection.execute("SELECT crawl_id, count(*) FROM server_observation GROUP BY ALL").fetchall()
    return dict(rows)


def test_a_serving_file_equals_its_source(path: Path) -> None:
    federation = some_federation(11, 60)
    leads = [Lead(seen.server_name.key, LeadSource.SEED) for seen in federation]
    answer = AliasAnswer("#a:x.test", "!a:x.test", ("far.test", "host1.test"))
    crawl(path, federation, leads, [("host3.test", answer)])
    crawl(path, some_federation(12, 50), scope=CrawlScope.LIMITED)
    serving = publish(path)
    with duckdb.connect(str(serving), read_only=True) as copy, duckdb.connect(str(path), read_only=True) as source:
        for table in ("crawl", "server", *JOURNAL, *(interval.table for interval in INTERVALS), "room_text"):
            query = f"SELECT * FROM {table} ORDER BY ALL"
            assert copy.execute(query).fetchall() == source.execute(query).fetchall(), table
        for relation in ("server_observation", "listing", "participation", "census", "room"):
            query = f"SELECT * FROM {relation} ORDER BY ALL"
            assert copy.execute(query).fetchall() == source.execute(query).fetchall(), relation
        comments = (
            "SELECT table_name, column_name, data_type, comment FROM duckdb_columns()"
            " WHERE NOT internal AND table_name <> 'snapshot' AND NOT starts_with(table_name, 'seen_') ORDER BY ALL"
        )
        assert copy.execute(comments).fetchall() == source.execute(comments).fetchall()
        uncommented = "SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        assert copy.execute(uncommented).fetchone() == (0,)
        views = "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY 1"
        assert copy.execute(views).fetchall() == source.execute(views).fetchall()


def test_only_completed_crawls_are_in_it_and_the_others_are_told_of(path: Path) -> None:
    crawl(path, [online("a.test")])
    crawl(path, [online("b.test"), online("c.test")], state=CrawlState.CANCELLED)
    crawl(path, [online("d.test")], scope=CrawlScope.LIMITED, synthetic=False)
    with CensusWriter.open(path) as writer:
        writer.record(begin(writer), [online("e.test")], [Lead("f.test", LeadSource.SEED)])
    serving = publish(path)
    assert counts(serving) == {1: 1, 3: 1}
    with duckdb.connect(str(serving), read_only=True) as connection:
        states = connection.execute("SELECT crawl_id, state, scope FROM crawl ORDER BY 1").fetchall()
        names = connection.execute("SELECT server_name FROM server ORDER BY 1").fetchall()
    assert states == [(1, "completed", "full"), (2, "cancelled", "full"), (3, "completed", "limited")]
    assert names == [("a.test",), ("d.test",)]
    with SnapshotReader.open(path) as reader:
        assert (reader.snapshot.crawls, reader.snapshot.censuses, reader.snapshot.synthetic) == (2, 1, True)
        assert (reader.snapshot.crawl_id, reader.snapshot.schema_version) == (3, latest_version())


def test_the_snapshot_can_be_cited(path: Path) -> None:
    crawl(path, [online("a.test")])
    with stage(path, now=lambda: datetime(2026, 11, 25, tzinfo=UTC)) as draft:
        cited = draft.snapshot_id
        draft.commit()
    assert re.fullmatch(r"census-000001-20261124T0350Z-[0-9a-f]{8}", cited)
    with SnapshotReader.open(path) as reader:
        assert reader.snapshot_id == cited
        assert reader.snapshot.published_at == datetime(2026, 11, 25, tzinfo=UTC)
        assert reader.snapshot.content_sha256.startswith(cited[-8:])
    publish(path)
    with SnapshotReader.open(path) as reader:
        assert reader.snapshot_id == cited


def test_another_content_has_another_id(tmp_path: Path) -> None:
    ids = set()
    for number, members in enumerate((5, 6)):
        path = tmp_path / str(number) / "census.duckdb"
        crawl(path, [online("a.test", rooms=(PublicRoom("!a:a.test", members),))])
        publish(path)
        with SnapshotReader.open(path) as reader:
            ids.add(reader.snapshot_id)
    assert len(ids) == 2


def test_three_are_kept_and_the_pointer_names_the_newest(path: Path) -> None:
    published = []
    for number in range(5):
        crawl(path, [online(f"s{number}.test")])
        published.append(publish(path))
        assert serving_file(path) == published[-1]
    published.append(publish(path))
    folder = serving_folder(path)
    kept = sorted(file.name for file in folder.iterdir() if file.suffix == ".duckdb")
    assert kept == [file.name for file in published[-KEPT:]]
    assert kept[-2:] == ["census-000005-1.duckdb", "census-000005-2.duckdb"]
    assert pointer(path).read_text() == "census-000005-2.duckdb\n"
    left = {file.name for file in folder.iterdir()} - set(kept)
    assert left == {"census.current", "census.current.lock"}


def test_a_reader_keeps_its_file_through_publications(path: Path) -> None:
    crawl(path, [online("a.test")])
    publish(path)
    with SnapshotReader.open(path) as old:
        for number in range(5):
            crawl(path, [online(f"s{number}.test")])
            publish(path)
        assert not old.path.exists()
        assert not old.is_newest
        assert old.funnel(1).online == 1
        assert [found.id for found in old.crawls()] == [1]
        with SnapshotReader.open(path) as new:
            assert new.is_newest
            assert [found.id for found in new.crawls()] == [6, 5, 4, 3, 2, 1]


def test_steps_add_their_tables(path: Path) -> None:
    crawl(path, [online("a.test")])
    columns = {"metric": "VARCHAR NOT NULL", "window": "VARCHAR", "value": "DOUBLE", "at": "TIMESTAMPTZ"}
    rows = [("online", "one crawl", 1.0, DAY), ("known", None, None, DAY.isoformat())]
    with stage(path) as draft:
        with duckdb.connect(str(draft.path), read_only=True) as step:
            assert step.execute("SELECT online FROM crawl").fetchall() == [(1,)]
        draft.write_table("metric", columns, rows, {"value": "It's a number; NULL when unknown."}, comment="Figures.")
        draft.write_table("empty", {"n": "INTEGER"}, [])
        draft.commit()
    with duckdb.connect(str(serving_file(path)), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        assert connection.execute("SELECT * FROM metric ORDER BY rowid").fetchall() == [
            ("online", "one crawl", 1.0, DAY),
            ("known", None, None, DAY),
        ]
        assert connection.execute("SELECT * FROM empty").fetchall() == []
        described = connection.execute(
            "SELECT column_name, is_nullable, comment FROM duckdb_columns() WHERE table_name = 'metric'"
            " ORDER BY column_index"
        ).fetchall()
        assert described == [
            ("metric", False, None),
            ("window", True, None),
            ("value", True, "It's a number; NULL when unknown."),
            ("at", True, None),
        ]
        assert connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'metric'").fetchall() == [
            ("Figures.",)
        ]


@pytest.mark.parametrize(
    ("name", "columns", "row"),
    [
        ("crawl", {"n": "INTEGER"}, (1,)),
        ("census", {"n": "INTEGER"}, (1,)),
        ("x; DROP TABLE crawl", {"n": "INTEGER"}, (1,)),
        ("x", {"n) ; --": "INTEGER"}, (1,)),
        ("x", {"n": "INTEGER, m INTEGER"}, (1,)),
        ("x", {"n": "INTEGER"}, (1, 2)),
    ],
)
def test_a_table_that_is_none_is_refused_and_the_draft_goes_on(
    path: Path, name: str, columns: dict[str, str], row: tuple[int, ...]
) -> None:
    crawl(path, [online("a.test")])
    with stage(path) as draft:
        with pytest.raises(ValueError, match=r"there already|no name|no type|zip"):
            draft.write_table(name, columns, [row])
        draft.write_table("x", {"n": "INTEGER"}, [(1,)])
        draft.commit()
    assert counts(serving_file(path) or path) == {1: 1}


def test_a_discarded_draft_was_never_there(path: Path) -> None:
    crawl(path, [online("a.test")])
    first = publish(path)
    with stage(path) as draft:
        pass
    assert serving_file(path) == first
    assert not draft.path.exists()
    for late in (draft.commit, lambda: draft.write_table("x", {"n": "INTEGER"}, [])):
        with pytest.raises(ValueError, match="committed or discarded"):
            late()
    draft.discard()
    assert publish(path) != first


def test_one_publication_at_a_time(path: Path) -> None:
    crawl(path, [online("a.test")])
    with stage(path):
        with pytest.raises(CensusLockedError):
            stage(path)
        # The census file itself is free again: the next crawl may start while steps still compute.
        crawl(path, [online("b.test")])
    publish(path)


def test_what_a_killed_publication_left_is_cleared(path: Path) -> None:
    crawl(path, [online("a.test")])
    code = """
import sys
from pathlib import Path
from crawler.store.publish import stage
draft = stage(Path(sys.argv[1]))
print(draft.path, flush=True)
sys.stdin.readline()
"""
    with python(code, path) as process:
        left = Path(line(process))
        assert left.exists()
        with pytest.raises(CensusLockedError, match=f"process {process.pid}"):
            stage(path)
        process.kill()
        process.wait()
    assert serving_file(path) is None
    publish(path)
    assert not left.exists()


def test_nothing_to_publish_is_said(path: Path) -> None:
    with pytest.raises(StoreError, match="no census file"):
        stage(path)
    with pytest.raises(StoreError, match="run a crawl first"):
        SnapshotReader.open(path)
    crawl(path, [online("a.test")], state=CrawlState.CANCELLED)
    with pytest.raises(StoreError, match="no completed crawl"):
        stage(path)
    assert serving_file(path) is None
    with CensusWriter.open(path), pytest.raises(CensusLockedError, match="this very process"):
        stage(path)


def test_a_pointer_names_nothing_but_its_own(path: Path, tmp_path: Path) -> None:
    crawl(path, [online("a.test")])
    serving = publish(path)
    shutil.copy(serving, tmp_path / "elsewhere.duckdb")
    shutil.copy(serving, serving.parent / "other-000001-1.duckdb")
    for hostile in (
        "../elsewhere.duckdb",
        "/etc/passwd",
        "other-000001-1.duckdb",
        "",
        "\xff",
        "census-000009-1.duckdb",
    ):
        pointer(path).write_text(hostile)
        assert serving_file(path) is None
    pointer(path).write_text(serving.name)
    assert serving_file(path) == serving


def test_two_censuses_in_one_folder_do_not_touch_each_other(tmp_path: Path) -> None:
    one, two = tmp_path / "census.duckdb", tmp_path / "census-000001.duckdb"
    for path in (one, two):
        crawl(path, [online(f"{path.stem}.test")])
    published = [publish(path) for path in (one, two)]
    for _ in range(KEPT + 1):
        publish(one)
    assert published[1].exists()
    assert not published[0].exists()
    assert serving_file(two) == published[1]


def test_deleted_bytes_are_not_published(path: Path) -> None:
    secret = "a name that was to be forgotten"
    crawl(path, [online("a.test", rooms=(PublicRoom("!a:a.test", 1, secret),))])
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM room_text")
    assert secret.encode() not in publish(path).read_bytes()


READ = """
import sys, time
from pathlib import Path
from crawler.store.reader import SnapshotReader

path, last = Path(sys.argv[1]), int(sys.argv[2])
seen, rounds = [], 0
while not seen or seen[-1] < last:
    with SnapshotReader.open(path) as reader:
        newest = reader.latest_census().id
        ids = [crawl.id for crawl in reader.crawls()]
        # Crawl n has n servers, each with one room of n members; what differs is half of something.
        for crawl_id in ids:
            funnel = reader.funnel(crawl_id)
            rooms = reader.rooms_page(crawl_id)
            assert funnel.online == funnel.observed == crawl_id, (crawl_id, funnel)
            (room,) = rooms.rows
            assert rooms.total == 1 and room.members == room.directories == crawl_id, (crawl_id, rooms)
        assert ids == list(range(newest, 0, -1)), ids
        assert reader.snapshot.crawl_id == newest and reader.snapshot_id
        assert not seen or newest >= seen[-1], (newest, seen)
        if not seen or newest != seen[-1]:
            seen.append(newest)
            print(newest, flush=True)
        rounds += 1
    time.sleep(0.01)
print("done", rounds, flush=True)
"""


@pytest.mark.endurance
def test_a_reader_in_a_loop_never_errs_and_never_sees_half(
    path: Path, record_property: Callable[[str, object], None]
) -> None:
    last = len(moments(record_property, 20, 200)) + 1
    for number in range(1, 3):
        crawl(path, _crawl_of(number))
    publish(path)
    with python(READ, path, last) as reader:
        assert line(reader) == "2"
        for number in range(3, last + 1):
            crawl(path, _crawl_of(number))
            publish(path)
            # It sees each one, before the next is published.
            assert line(reader) == str(number)
        assert line(reader).startswith("done")
        assert reader.wait(60) == 0


def _crawl_of(number: int) -> list[ServerObservation]:
    room = PublicRoom("!r:x.test", number)
    return [online(f"host{n}.test", rooms=(room,), observed_at=DAY + timedelta(number)) for n in range(number)]


def test_a_served_file_never_changes(path: Path) -> None:
    crawl(path, [online("a.test")])
    serving = publish(path)
    before = hashlib.sha256(serving.read_bytes()).hexdigest()
    with SnapshotReader.open(path) as reader:
        reader.funnel(1)
        crawl(path, [online("b.test")])
        publish(path)
    assert hashlib.sha256(serving.read_bytes()).hexdigest() == before
    assert not list(serving.parent.glob("*.wal"))
