"""A census taken along: by any program readable, the same when it is read back, and without what must not be in it."""

import csv
import hashlib
import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from crawler.errors import StoreError, UsageError
from crawler.model.client_side import Support, SupportContact
from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.observation import Ok
from crawler.model.rooms import PublicRoom
from crawler.store.export import FLAT, FORMATS, ExportOptions, export
from crawler.store.forget import forget, subject_of
from crawler.store.importing import Imported, import_snapshot
from crawler.store.intervals import INTERVALS
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from matrix_census import main
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, closely, dead, online, some_federation

ODD = PublicRoom("!odd:big.example", 60, 'a "quoted", name\nof two lines', "", "#odd:big.example", None, "", True, None)
SMALL = PublicRoom("!small:tiny.example", 3, "Hedgehogs", "of this garden", "#hedge:tiny.example")


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "census.duckdb"
    support = Ok(Support((SupportContact("m.role.admin", "@admin:tiny.example", "root@tiny.example"),), None))
    for day in range(3):
        with CensusWriter.open(path) as writer:
            crawl_id = begin(writer)
            seen = [*some_federation(day, 20), online("big.example", rooms=(ODD,)), closely("close.example")]
            seen.append(online("tiny.example", rooms=(SMALL,), support=support))
            leads = [Lead("host1.test", LeadSource.ALIAS, "host2.test"), Lead("host2.test", LeadSource.SEED)]
            writer.record(crawl_id, seen, leads if day != 1 else leads[1:])
            writer.seal(crawl_id, CrawlState.COMPLETED, DAY + timedelta(days=day), {"requests": 7})
    crawl(path, [dead("gone.example")], scope=CrawlScope.LIMITED, state=CrawlState.CANCELLED)
    publish(path)
    return path.parent


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "census.duckdb"


SAME = {
    "server_observation": "ORDER BY crawl_id, server_name",
    "listing": "ORDER BY crawl_id, server_name, room_id",
    "room": "ORDER BY crawl_id, room_id",
}


def leads(path: Path) -> list[tuple[Any, ...]]:
    """Who was named how, with the places of the crawls that saw it first and last among the completed."""
    place = "(SELECT count(*) FROM crawl c WHERE c.state = 'completed' AND c.crawl_id < v.{0}_crawl_id) AS {0}_at"
    places = ", ".join(map(place.format, ("first", "last")))
    return query(
        path,
        f"SELECT server_name, source, {places}, crawls FROM lead_span v JOIN server USING (server_id) ORDER BY ALL",
    )


def said(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the views say, by names and by the place of a crawl among the completed."""
    answers = {}
    for view, order in SAME.items():
        server = "JOIN server USING (server_id)" if view != "room" else ""
        of = "* EXCLUDE (crawl_id, server_id, first_crawl_id)" if server else "* EXCLUDE (crawl_id)"
        crawl_id = "(SELECT count(*) FROM crawl c WHERE c.state = 'completed' AND c.crawl_id < v.crawl_id) AS crawl_id"
        answers[view] = query(path, f"SELECT {crawl_id}, {of} FROM {view} v {server} {order}")
    answers["lead_span"] = leads(path)
    return answers


@pytest.mark.parametrize("shape", FORMATS)
def test_read_back_it_says_the_same(path: Path, tmp_path: Path, shape: str) -> None:
    done = export(path, tmp_path / "out", ExportOptions(shape))
    other = tmp_path / "other" / "census.duckdb"
    imported = import_snapshot(other, tmp_path / "out", now=lambda: DAY)
    assert imported == Imported(done.snapshot_id, ("here",), 3, 23, 0)
    assert verify(other) == []
    publish(other)
    serving = publish(path)
    ours = said(serving)
    assert said(other) == ours
    assert len(ours["room"]) > 15
    assert query(other, "SELECT crawl_id, synthetic FROM census ORDER BY 1") == [(-3, True), (-2, True), (-1, True)]
    for table in ("attempt", "resolution_step", "endpoint", "address_look", "lead"):
        count = f"SELECT count(*) FROM {table}"
        assert query(other, count) == query(serving, count), table
    # Again, it replaces itself; a crawl of our own goes on from 1.
    import_snapshot(other, tmp_path / "out")
    assert verify(other) == []
    assert crawl(other, some_federation(7, 5), synthetic=False).id == 1
    assert verify(other) == []


def test_any_program_reads_it(path: Path, tmp_path: Path) -> None:
    for shape in FORMATS:
        export(path, tmp_path / shape, ExportOptions(shape))
    now = "FROM server JOIN server_state USING (server_id) WHERE valid_to IS NULL"
    names = [name for (name,) in query(path, f"SELECT server_name {now} ORDER BY 1")]
    frame = pl.read_parquet(tmp_path / "parquet/newest_server/**/*.parquet", hive_partitioning=False)
    assert sorted(frame["server_name"]) == names
    assert dict(zip(frame["server_name"], frame["online"], strict=True))["big.example"] is True
    rows = []
    for file in (tmp_path / "csv/newest_server").rglob("*.csv"):
        with file.open(newline="") as text:
            rows += list(csv.DictReader(text))
    assert sorted(row["server_name"] for row in rows) == names
    with next((tmp_path / "csv/room_text").rglob("*.csv")).open(newline="") as text:
        (odd,) = [row for row in csv.DictReader(text) if row["canonical_alias"] == "#odd:big.example"]
    assert odd["name"] == ODD.name


def test_it_is_whole_and_says_what_it_is(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = export(path, out, ExportOptions())
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=out, check=False, capture_output=True
    )
    assert checked.returncode == 0, checked.stdout
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["snapshot_id"] == done.snapshot_id
    assert manifest["tables"]["server"]["rows"] == 23
    assert set(FLAT) < set(manifest["tables"])
    assert {interval.table for interval in INTERVALS} < set(manifest["tables"])
    dictionary = (out / "DICTIONARY.md").read_text()
    for name in set(manifest["tables"]) - set(FLAT):
        assert f"### `{name}`" in dictionary
    assert "CC0-1.0" in (out / "LICENSE.txt").read_text()
    assert "practice federation" in (out / "LICENSE.txt").read_text()
    parts = {folder.name for folder in (out / "server_state").iterdir()}
    assert parts == {"series_id=1"}
    with pytest.raises(UsageError, match="already"):
        export(path, out, ExportOptions())
    content = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    assert b"root@tiny.example" not in content


def test_since_a_day(path: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other.duckdb"
    export(path, out, ExportOptions("csv", since=date(2026, 11, 26)))
    assert import_snapshot(other, out).crawls == 1
    assert verify(other) == []
    ours = {
        view: [row[1:] for row in rows if row[0] == 2] for view, rows in said(publish(path)).items() if view in SAME
    }
    assert {view: [row[1:] for row in rows] for view, rows in said(other).items() if view in SAME} == ours
    # Nothing is said of crawls that are not here but how many there were.
    assert leads(other) == [("host1.test", "alias", 0, 0, 2), ("host2.test", "seed", 0, 0, 3)]
    with pytest.raises(StoreError, match="2027"):
        export(path, tmp_path / "none", ExportOptions(since=date(2027, 1, 1)))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("shape", FORMATS)
def test_anonymous_it_points_to_nobody_small(path: Path, tmp_path: Path, shape: str) -> None:
    out = tmp_path / "out"
    export(path, out, ExportOptions(shape, anonymous=True, k=50))
    pattern = out / "server" / f"*.{shape}"
    names = [name for (name,) in duckdb.sql(f"SELECT server_name FROM '{pattern}'").fetchall()]
    # Only directories that ever listed a room of 50 members keep their name: by our own observations, not by its SQL.
    big = {"big.example"} | {
        seen.server_name.key
        for day in range(3)
        for seen in some_federation(day, 20)
        if any((room.members or 0) >= 70 for room in seen.directory.rooms)
    }
    said_names = {name for name in names if not name.endswith(".invalid")}
    assert "big.example" in said_names
    assert said_names <= big
    assert len(names) == 23
    content = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file() and file.suffix == f".{shape}")
    if shape == "csv":
        for word in (
            b"tiny.example",
            b"close.example",
            b"Hedgehog",
            b"garden",
            b"quoted",
            b"!odd",
            b"192.0.2",
            b"b" * 43,
        ):
            assert word not in content, word
    assert {folder.name for folder in out.iterdir() if folder.is_dir()}.isdisjoint(
        {
            "visit",
            "attempt",
            "endpoint",
            "resolution_step",
            "address_look",
            "server_address",
            "server_certificate",
            *FLAT,
        }
    )
    online_now = f"SELECT count(*) FROM '{out}/server_state/**/*.{shape}' WHERE online AND valid_to IS NULL"
    assert duckdb.sql(online_now).fetchall() == query(
        path, "SELECT count(*) FROM server_state WHERE online AND valid_to IS NULL"
    )
    with pytest.raises(UsageError, match="anonymous"):
        import_snapshot(tmp_path / "other.duckdb", out)


def test_what_was_forgotten_does_not_come_in(path: Path, tmp_path: Path) -> None:
    export(path, tmp_path / "out", ExportOptions())
    other = tmp_path / "other" / "census.duckdb"
    crawl(other, some_federation(1, 3), synthetic=False)
    forget(other, [subject_of("tiny.example"), subject_of("#odd:big.example")])
    assert import_snapshot(other, tmp_path / "out").forgotten >= 2
    assert verify(other) == []
    content = other.read_bytes()
    for word in (b"tiny.example", b"Hedgehogs", b"quoted"):
        assert word not in content


def _break_sum(out: Path) -> None:
    with next((out / "server").glob("*.parquet")).open("ab") as file:
        file.write(b"x")


def _add_file(out: Path) -> None:
    (out / "server" / "extra.parquet").write_bytes(b"x")


def _newer(out: Path) -> None:
    _say(out, lambda manifest: manifest.update(schema_version=9999))


def _no_type(out: Path) -> None:
    _say(
        out,
        lambda manifest: manifest["tables"]["server"]["columns"].update(server_key="VARCHAR); DROP TABLE crawl; --"),
    )


def _say(out: Path, change: Any) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    change(manifest)
    (out / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(_break_sum, "not whole"), (_add_file, "extra.parquet"), (_newer, "upgrade"), (_no_type, "no export")],
)
def test_what_is_not_whole_is_not_taken(path: Path, tmp_path: Path, spoil: Any, says: str) -> None:
    out = tmp_path / "out"
    export(path, out, ExportOptions())
    spoil(out)
    told = CliRunner().invoke(main, ["import-snapshot", str(out), "--db", str(tmp_path / "other.duckdb")])
    assert (told.exit_code, says in told.output) == (2, True), told.output


def test_what_breaks_the_rules_is_not_taken(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(path, out, ExportOptions("csv"))
    file = next((out / "server_state").rglob("*.csv"))
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[1]]))
    sums = (out / "SHA256SUMS").read_text().splitlines()
    name = str(file.relative_to(out))
    new = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}" if line.endswith(name) else line for line in sums]
    (out / "SHA256SUMS").write_text("\n".join(new) + "\n")
    other = tmp_path / "other.duckdb"
    with pytest.raises(StoreError, match="server_state"):
        import_snapshot(other, out)
    assert query(other, "SELECT count(*) FROM crawl") == [(0,)]


def test_its_own_vantage_needs_another_name(path: Path, tmp_path: Path) -> None:
    export(path, tmp_path / "out", ExportOptions())
    with pytest.raises(UsageError, match="--vantage"):
        import_snapshot(path, tmp_path / "out")
    import_snapshot(path, tmp_path / "out", vantage="there")
    publish(path)
    assert verify(path) == []
    assert query(path, "SELECT DISTINCT vantages, online_from IN (0, 2), disagree FROM merged_server") == [
        (2, True, False)
    ]


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """A process in the background of a shell ignores it, and so would this one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_a_question_that_would_take_for_ever(path: Path) -> None:
    CliRunner().invoke(main, ["sql", "SELECT 1", "--db", str(path)])  # all that it imports is there then
    Timer(1, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)).start()
    told = CliRunner().invoke(main, ["sql", "SELECT count(*) FROM range(100_000_000_000)", "--db", str(path)])
    assert (told.exit_code, told.stderr) == (130, "matrix-census: stopped\n")


def test_a_misspelt_name_is_answered_with_what_there_is(path: Path) -> None:
    told = CliRunner().invoke(main, ["sql", "FROM serverr", "--db", str(path)])
    assert told.exit_code == 2
    assert 'Did you mean "server' in told.stderr
    assert "SHOW TABLES" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_the_sql_verb_reads_and_only_reads(path: Path, tmp_path: Path) -> None:
    runner = CliRunner()

    def sql(*arguments: str, stdin: str | None = None) -> tuple[int, str]:
        told = runner.invoke(main, ["sql", *arguments, "--db", str(path)], input=stdin)
        return told.exit_code, told.output

    ask = "SELECT canonical_alias, name, members FROM room WHERE crawl_id = 3 AND members = 60"
    named = ODD.name.replace('"', '""') if ODD.name else ""
    assert sql(ask, "--format", "csv") == (0, f'canonical_alias,name,members\n#odd:big.example,"{named}",60.0\n')
    code, line = sql("-", "--format", "json", stdin=ask)
    assert (code, json.loads(line)) == (0, {"canonical_alias": "#odd:big.example", "name": ODD.name, "members": 60.0})
    code, table = sql(ask)
    assert code == 0
    assert "#odd:big.example" in table
    code, table = sql("SELECT range AS n FROM range(100)")
    assert "60 rows more" in table
    content = (tmp_path / "serving").iterdir()
    before = {file: file.read_bytes() for file in content}
    outside = tmp_path / "outside.csv"
    for write in (
        "DELETE FROM crawl",
        "CREATE TABLE x AS SELECT 1",
        f"COPY (SELECT 1) TO '{outside}'",
        f"ATTACH '{tmp_path / 'census.duckdb'}' AS c",
        "SELECT * FROM read_text('/etc/hostname')",
        "SET enable_external_access = true",
        "FROM nonsense",
        "",
    ):
        code, said = sql(write)
        assert code == 2, (write, said)
        assert "Traceback" not in said
    assert not outside.exists()
    assert {file: file.read_bytes() for file in before} == before
