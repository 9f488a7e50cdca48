"""What is opened and what is refused, with which words; and what a transaction leaves when it fails."""

import resource
import tempfile
from pathlib import Path

import duckdb
import pytest

from crawler.errors import CensusLockedError, StoreError
from crawler.model.crawl import CrawlState
from crawler.store.connection import connect_to_read, connect_to_write, transaction
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader, crawl_rows
from crawler.store.serving import serving_file, serving_folder
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from tests.store.census import crawl
from tests.store.observations import DAY, online
from tests.store.process import line, python

FOREIGN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("content", [b"hello, I am no database\n" * 999, b"x", b"SQLite format 3\x00" + bytes(4096)])
def test_what_is_no_database_is_refused_by_every_door(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "census.duckdb"
    path.write_bytes(content)
    for door in (CensusWriter.open, stage, crawl_rows):
        with pytest.raises(StoreError, match="is no DuckDB file"):
            door(path)
    assert path.read_bytes() == content


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test")])
    content = bytearray(path.read_bytes())
    content[12:3000] = bytes(2988)
    path.write_bytes(content)
    for door in (CensusWriter.open, stage, crawl_rows):
        with pytest.raises(StoreError, match="cannot open"):
            door(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no file"):
        CensusWriter.open(tmp_path)
    with pytest.raises(StoreError):
        crawl_rows(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make the folder"):
        CensusWriter.open(tmp_path / "file" / "census.duckdb")


WITHOUT_RIGHTS = """
import os, sys
import zoneinfo  # by DuckDB 2 only with the first time that it gives out; by then it may be in a home of somebody else
from pathlib import Path
from crawler.errors import StoreError
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader, crawl_rows
from crawler.store.serving import serving_file, serving_folder
from crawler.store.writer import CensusWriter
if os.geteuid() == 0:
    os.setuid(65534)  # root may do everything
for door in (CensusWriter.open, stage, crawl_rows):
    try:
        print(door(Path(sys.argv[1])))
    except StoreError as error:
        print(error)
"""


def test_a_file_of_somebody_else_can_be_read_and_not_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "census.duckdb"
        crawl(path, [online("a.test")])
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        with python(WITHOUT_RIGHTS, path) as process:
            write, publish, read = (line(process) for _ in range(3))
        folder.chmod(0o755)
    assert "Permission denied" in write
    assert "Permission denied" in publish
    assert read.startswith("[Crawl(id=1,")


def test_an_empty_file_is_a_new_census(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "census.duckdb"
    path.parent.mkdir(parents=True)
    path.touch()
    assert crawl(path, [online("a.test")]).id == 1


def test_a_foreign_program_that_has_it_open_is_named(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test")])
    with python(FOREIGN, path, "write") as foreign:
        assert line(foreign) == "held"
        for door in (CensusWriter.open, stage):
            with pytest.raises(CensusLockedError, match=f"process {foreign.pid};"):
                door(path)
    with python(FOREIGN, path, "read") as foreign:
        assert line(foreign) == "held"
        with pytest.raises(CensusLockedError, match=f"process {foreign.pid};"):
            CensusWriter.open(path)
        assert [found.id for found in crawl_rows(path)] == [1]
    CensusWriter.open(path).close()


def test_a_refused_writer_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    path.write_bytes(b"no database")
    with pytest.raises(StoreError):
        CensusWriter.open(path)
    path.unlink()
    CensusWriter.open(path).close()


def test_every_cursor_speaks_utc(tmp_path: Path) -> None:
    connection = connect_to_write(tmp_path / "x.duckdb")
    assert connection.cursor().execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
    connection.close()
    connection = connect_to_read(tmp_path / "x.duckdb")
    assert connection.cursor().execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
    connection.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test")])
    connection = connect_to_read(path)
    with pytest.raises(duckdb.InvalidInputException):
        connection.execute("DELETE FROM crawl")
    connection.close()


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    connection = connect_to_write(path)
    connection.execute("CREATE TABLE t (n INTEGER NOT NULL)")
    with transaction(connection, path):
        connection.execute("INSERT INTO t VALUES (1)")

    def stopped() -> None:
        with transaction(connection, path):
            connection.execute("INSERT INTO t VALUES (2)")
            raise KeyboardInterrupt

    def refused() -> None:
        with transaction(connection, path):
            connection.execute("INSERT INTO t VALUES (3)")
            connection.execute("INSERT INTO t VALUES (NULL)")

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with pytest.raises(duckdb.ConstraintException):
        refused()
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    connection.close()


FILL = """
import resource, sys
from pathlib import Path
from crawler.errors import CensusError
from crawler.model.crawl import CrawlState
from crawler.store.writer import CensusWriter
from tests.store.census import begin
from tests.store.observations import DAY, online
from crawler.model.rooms import PublicRoom
import random

rng = random.Random(1)
writer = CensusWriter.open(Path(sys.argv[1]))
crawl_id = begin(writer)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    for turn in range(10_000):
        rooms = tuple(PublicRoom(f"!{turn}-{n}:x.test", n, topic=rng.randbytes(400).hex()) for n in range(100))
        writer.record(crawl_id, [online(f"host{turn}.test", rooms=rooms)], [])
        print(turn, flush=True)
except CensusError as error:
    print(type(error).__name__, error, flush=True)
"""


def test_a_full_disk_ends_the_crawl_with_a_clear_word_and_spoils_nothing(tmp_path: Path) -> None:
    """A limit on the size of a file stands for the full disk: to the writer, both are a failed write."""
    path = tmp_path / "census.duckdb"
    crawl(path, [online("before.test")])
    served = stage(path).commit()
    content = served.read_bytes()
    most = path.stat().st_size + 2_000_000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] in (resource.RLIM_INFINITY, *range(most, most + 1))
    with python(FILL, path, most) as process:
        assert process.stdout is not None
        printed = process.stdout.read().splitlines()
    assert printed[-1].startswith(f"StoreError cannot write to {path}: ")
    assert "Is there room on the disk?" in printed[-1]
    committed = int(printed[-2]) + 1
    assert committed > 1
    assert verify(path) == []
    assert serving_file(path) == served
    assert served.read_bytes() == content
    with duckdb.connect(str(path), read_only=True) as connection:
        states = connection.execute("SELECT state FROM crawl ORDER BY crawl_id").fetchall()
        # As after a kill: it may be resumed, and is called failed when another begins.
        assert states == [("completed",), ("running",)]
        found = connection.execute(
            "SELECT count(*), (SELECT count(*) FROM seen_listing WHERE crawl_id = 2) FROM seen_server"
            " WHERE crawl_id = 2"
        ).fetchone()
        assert found == (committed, 100 * committed)
    assert crawl(path, [online("after.test")]).id == 3
    with duckdb.connect(str(path), read_only=True) as connection:
        states = connection.execute("SELECT state FROM crawl ORDER BY crawl_id").fetchall()
    assert states == [("completed",), ("failed",), ("completed",)]


STATEMENT = """
import resource, sys
from pathlib import Path
from crawler.errors import CensusError
from crawler.store.connection import connect_to_write, transaction

path = Path(sys.argv[1])
connection = connect_to_write(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with transaction(connection, path):
        connection.execute("CREATE TABLE t AS SELECT hash(range) AS h FROM range(2_000_000)")
        print("written", flush=True)
except CensusError as error:
    print(type(error).__name__, error, flush=True)
"""


def test_a_disk_that_is_full_in_the_middle_of_a_transaction_is_said_too(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with python(STATEMENT, path) as process:
        # Large tables are written before the commit.
        assert line(process).startswith(f"StoreError cannot write to {path}: ")
    connection = connect_to_read(path)
    assert connection.execute("SHOW TABLES").fetchall() == []
    connection.close()


SPILL = """
import sys
from pathlib import Path
from crawler.store import connection as door

door.WORKING_BYTES = 20_000_000
path = Path(sys.argv[1])
connection = door.connect_to_write(path)
connection.execute("SET GLOBAL threads = 1")
asked = "SELECT current_setting('memory_limit')"
before = connection.execute(asked).fetchone()
with door.within_memory(connection, path):
    connection.execute("CREATE TEMP TABLE t AS SELECT hash(range)::VARCHAR AS h FROM range(1_500_000)")
    print(*connection.execute("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()").fetchone(), flush=True)
    sys.stdin.readline()
print(connection.execute(asked).fetchone() == before, flush=True)
sys.stdin.readline()
"""


def test_what_does_not_fit_into_memory_is_put_aside_and_a_killed_process_leaves_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    with python(SPILL, path) as process:
        assert 0 < int(line(process)) < 21_000_000
        aside = path.with_name("census.duckdb.tmp")
        assert sum(file.stat().st_size for file in aside.iterdir()) > 10_000_000
        assert process.stdin is not None
        print(file=process.stdin, flush=True)
        assert line(process) == "True"
    assert list(aside.iterdir())
    (aside / "mine.txt").touch()
    connect_to_write(path).close()
    assert [file.name for file in aside.iterdir()] == ["mine.txt"]
    (aside / "mine.txt").unlink()
    connect_to_write(path).close()
    assert not aside.exists()


SEAL = """
import resource, sys
from pathlib import Path
from crawler.errors import CensusError
from crawler.model.crawl import CrawlState
from crawler.model.rooms import PublicRoom
from crawler.store.publish import stage
from crawler.store.writer import CensusWriter
from tests.store.census import begin
from tests.store.observations import DAY, online

path, what, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rooms = tuple(PublicRoom(f"!{n}:x.test", n, topic=f"{n} times {n * n}" * 40) for n in range(20_000))
try:
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        writer.record(crawl_id, [online("large.test", rooms=rooms)], [])
        if what == "seal":
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        writer.seal(crawl_id, CrawlState.COMPLETED, DAY, {})
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    stage(path).commit()
    print("published")
except CensusError as error:
    print(type(error).__name__, error, flush=True)
"""


@pytest.mark.parametrize("what", ["seal", "publish"])
def test_a_disk_that_is_full_at_the_end_of_a_crawl_leaves_what_was(tmp_path: Path, what: str) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("before.test")])
    served = stage(path).commit()
    content = served.read_bytes()
    with python(SEAL, path, what, 300_000) as process:
        said = line(process)
    assert said.startswith("StoreError cannot write"), said
    assert verify(path) == []
    assert serving_file(path) == served
    assert served.read_bytes() == content
    assert [file.name for file in serving_folder(path).glob("*.draft*")] == []
    states = {found.id: found.state for found in crawl_rows(path)}
    assert states == {1: CrawlState.COMPLETED, 2: CrawlState.RUNNING if what == "seal" else CrawlState.COMPLETED}
    with SnapshotReader.open(path) as reader:
        assert [found.id for found in reader.crawls()] == [1]
    # With room again, it goes on from there.
    with CensusWriter.open(path) as writer:
        if what == "seal":
            writer.resume_crawl(2, "0.1.0")
            writer.seal(2, CrawlState.COMPLETED, DAY, {})
    stage(path).commit()
    with SnapshotReader.open(path) as reader:
        assert [found.id for found in reader.crawls()] == [2, 1]
        assert reader.rooms_page(2).total == 20_000
    assert verify(path) == []
