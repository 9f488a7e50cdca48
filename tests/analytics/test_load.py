"""A real DuckDB file made from the real schema becomes frames, and stored rows come back as they were written."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from analytics.load import newest_census
from analytics.load_frames import load_frames
from analytics.load_stored import load_metric_rows
from analytics.mission import computed_rows, metric_rows
from analytics.reference import load_software
from analytics.schemas import METRIC_COLUMNS, MetricRow
from crawler.errors import StoreError
from crawler.resources import shipped
from crawler.store.fold import fold, unfolded
from crawler.store.journal import JOURNAL
from tests.analytics.frames import ROOMS, SERVERS, snapshot

STARTED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(tmp_path / "serving.duckdb")) as opened:
        for migration in sorted(shipped("schema").glob("*.sql")):
            opened.execute(migration.read_text("utf-8"))
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: object) -> None:
    """A row with the columns named; what must not be NULL and is not named is false, zero or empty."""
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    for name, kind, nullable, *_ in described:
        if nullable == "NO" and name not in values:
            values[name] = {"BOOLEAN": False, "VARCHAR": ""}.get(kind, 0) if kind != "JSON" else "{}"
    marks = ", ".join("?" for _ in values)
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))


def fold_all(connection: duckdb.DuckDBPyConnection) -> None:
    """What was inserted as seen becomes intervals, as it does at a seal."""
    for crawl_id in unfolded(connection):
        fold(connection, crawl_id)


def insert_crawl(connection: duckdb.DuckDBPyConnection, crawl_id: int, state: str, scope: str = "full") -> None:
    sealed = None if state == "running" else STARTED + timedelta(minutes=10)
    insert(
        connection,
        "crawl",
        crawl_id=crawl_id,
        state=state,
        scope=scope,
        synthetic=True,
        vantage="test",
        crawler_version="0.1.0",
        identity="census.example",
        started_at=STARTED,
        finished_at=sealed,
        series_id=1,
        folded=False,
        known=10,
    )


def insert_federation(connection: duckdb.DuckDBPyConnection, crawl_id: int) -> None:
    """The federation of `tests.analytics.frames`, room by room as the directories listed it."""
    from tests.analytics.frames import observations

    names = [server[0] for server in SERVERS] + ["i.example", "j.example"]
    for number, name in enumerate(names, 1):
        insert(connection, "server", server_id=number, server_key=name, server_name=name, first_crawl_id=crawl_id)
        insert(connection, "lead", crawl_id=crawl_id, server_id=number, source="room_id", named_by=1, count=2)
        insert(connection, "lead", crawl_id=crawl_id, server_id=number, source="seed", count=1)
    for row in observations(crawl_id=crawl_id).drop("server_name").iter_rows(named=True):
        del row["has_client_base"]
        where = {"address": row.pop("address"), "port": row.pop("port")}
        insert(connection, "seen_server", **row)
        insert(connection, "visit", crawl_id=crawl_id, server_id=row["server_id"], observed_at=STARTED, **where)
    a, b, h = 1, 2, 8
    for server_id, room_id, members, room_type in (
        (a, "!big:a.example", 100, None),
        (h, "!big:a.example", 120, None),
        (b, "!big:a.example", 90, None),
        (a, "!one:a.example", 7, None),
        (a, "!unsaid:a.example", None, None),
        (a, "!pair:h.example", 10, None),
        (h, "!pair:h.example", 13, None),
        (a, "!space:a.example", 40, "m.space"),
    ):
        insert(
            connection,
            "seen_listing",
            crawl_id=crawl_id,
            server_id=server_id,
            room_id=room_id,
            members=members,
            room_type=room_type,
        )
    fold_all(connection)


def path_of(connection: duckdb.DuckDBPyConnection) -> Path:
    """Closes the file, so that it can be opened read-only."""
    path = connection.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchone()
    assert path is not None
    connection.close()
    return Path(path[0])


def test_frames_are_those_of_the_federation(connection: duckdb.DuckDBPyConnection) -> None:
    insert_crawl(connection, 1, "completed")
    insert_federation(connection, 1)
    frames = load_frames(path_of(connection))
    (loaded,) = frames.snapshots
    expected = snapshot()
    assert (loaded.crawl_id, loaded.known, loaded.synthetic, loaded.signed) == (1, 10, True, True)
    assert loaded.at == STARTED + timedelta(minutes=10)
    assert loaded.observations.sort("server_id").equals(expected.observations)
    assert loaded.rooms.drop("room_number").sort("room_id").equals(expected.rooms.drop("room_number").sort("room_id"))
    assert loaded.rooms.height == len(ROOMS)
    assert loaded.leads.height == 20
    assert loaded.listings.height == 8


@pytest.mark.parametrize("scope", ["full", "limited"])
def test_frames_hold_what_the_views_of_the_schema_say(connection: duckdb.DuckDBPyConnection, scope: str) -> None:
    insert_crawl(connection, 1, "completed")
    insert_federation(connection, 1)
    insert_crawl(connection, 2, "completed", scope)
    # Two of the servers only: a limited crawl has the rooms that these list, and who they say is in them.
    for server_id, room_id, members in ((1, "!big:a.example", 101), (8, "!new:h.example", 3)):
        for row in connection.execute("FROM visit WHERE server_id = ?", [server_id]).fetchall():
            connection.execute(f"INSERT INTO visit VALUES (2, {', '.join('?' * (len(row) - 1))})", row[1:])
        insert(connection, "seen_listing", crawl_id=2, server_id=server_id, room_id=room_id, members=members)
        answer_id = 10 + server_id
        insert(connection, "seen_answer", crawl_id=2, answer_id=answer_id, room_id=room_id, named_by=server_id)
        insert(connection, "seen_participation", crawl_id=2, answer_id=answer_id, server_id=2)
    fold_all(connection)
    views = {
        "rooms": "SELECT room_id, directories, members, members_min, members_max FROM room WHERE crawl_id = 2",
        "listings": "SELECT room_id, server_id FROM listing WHERE crawl_id = 2",
        "participations": "SELECT DISTINCT room_id, server_id FROM participation WHERE crawl_id = 2",
    }
    expected = {name: sorted(connection.execute(view).fetchall()) for name, view in views.items()}
    (loaded,) = load_frames(path_of(connection), [2]).snapshots
    named = loaded.rooms.select("room_number", "room_id")
    columns = ("room_id", "directories", "members", "members_min", "members_max")
    assert sorted(loaded.rooms.select(columns).rows()) == expected["rooms"]
    for name, frame in (("listings", loaded.listings), ("participations", loaded.participations)):
        found = frame.join(named, on="room_number").select("room_id", "server_id").rows()
        assert sorted(found) == expected[name], name
        assert len(found) == frame.height > 0


def test_what_only_the_journal_tells_is_there_while_it_is(connection: duckdb.DuckDBPyConnection) -> None:
    insert_crawl(connection, 1, "completed")
    insert_federation(connection, 1)
    for found_by, room_id in (("all_networks", "!irc:a.example"), ("space", "!child:a.example")):
        insert(connection, "unlisted_room", crawl_id=1, server_id=1, room_id=room_id, found_by=found_by, members=4,
               canonical_alias="#irc_#x:a.example")  # fmt: skip
    for named_by in (1, 8):
        insert(connection, "space_child", crawl_id=1, space_id="!space:a.example", child_id="!c:x", named_by=named_by)
    f, a = 6, 1  # f is not online: what it answered is of no server of the federation
    for server_id, what, outcome, status, errcode in (
        (a, "keys", "ok", None, None), (a, "directory", "failed", 403, "M_FORBIDDEN"), (a, "tls", "ok", None, None),
        (a, "support", "skipped", None, None), (f, "keys", "failed", 404, None),
    ):  # fmt: skip
        insert(connection, "attempt", crawl_id=1, server_id=server_id, what=what, outcome=outcome, http_status=status,
               errcode=errcode)  # fmt: skip
    for server_id, kind in ((a, "well_known_not_json"), (f, None)):
        for question in ("well_known", "srv"):
            insert(connection, "resolution_step", crawl_id=1, server_id=server_id, question=question, failed_kind=kind)
    path = path_of(connection)
    (loaded,) = load_frames(path).snapshots
    assert loaded.network_rooms is not None
    assert loaded.network_rooms.rows() == [("!irc:a.example", 1, 4, None, "#irc_#x:a.example")]
    assert loaded.space_children is not None
    assert loaded.space_children.rows() == [("!space:a.example", "!c:x")]
    assert loaded.answers is not None
    assert sorted(loaded.answers.rows()) == [
        (1, "directory", "failed", None, 403, True),
        (1, "keys", "ok", None, None, False),
        (1, "well_known", "failed", "well_known_not_json", None, False),
    ]
    with duckdb.connect(str(path)) as opened:
        for table in JOURNAL:
            opened.execute(f"DELETE FROM {table}")
        opened.execute("UPDATE crawl SET servers = 8")
    (old,) = load_frames(path).snapshots
    assert old.observations.height == loaded.observations.height
    assert (old.network_rooms, old.space_children, old.answers) == (None, None, None)


def test_only_a_census_becomes_numbers_unless_asked(connection: duckdb.DuckDBPyConnection) -> None:
    insert_crawl(connection, 1, "completed")
    insert_crawl(connection, 2, "cancelled")
    insert_crawl(connection, 3, "completed", "limited")
    insert_crawl(connection, 4, "failed")
    insert_crawl(connection, 5, "running")
    path = path_of(connection)
    assert [s.crawl_id for s in load_frames(path).snapshots] == [1]
    assert newest_census(path) == 1
    asked = load_frames(path, [2, 3, 5]).snapshots
    assert [(s.crawl_id, s.is_census) for s in asked] == [(2, False), (3, False)]


def test_a_file_without_a_census_has_none(connection: duckdb.DuckDBPyConnection) -> None:
    insert_crawl(connection, 1, "running")
    path = path_of(connection)
    assert load_frames(path).snapshots == ()
    assert newest_census(path) is None
    assert metric_rows(path, 1) == ()


def test_stored_rows_come_back_as_they_were(connection: duckdb.DuckDBPyConnection) -> None:
    insert_crawl(connection, 1, "completed")
    insert_federation(connection, 1)
    path = path_of(connection)
    computed = computed_rows(path, 1)
    assert load_metric_rows(path, 1) is None
    assert metric_rows(path, 1) == computed
    store(path, computed)
    assert load_metric_rows(path, 1) == computed
    assert load_metric_rows(path, 2) == ()


def store(path: Path, rows: tuple[MetricRow, ...]) -> None:
    with duckdb.connect(str(path)) as writing:
        columns = ", ".join(f'"{name}" {sql_type}' for name, sql_type in METRIC_COLUMNS.items())
        writing.execute(f"CREATE TABLE metric ({columns})")
        marks = ", ".join("?" for _ in METRIC_COLUMNS)
        writing.executemany(f"INSERT INTO metric VALUES ({marks})", [list(row.as_json().values()) for row in rows])


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot open the serving file"):
        load_frames(broken)


def test_the_reference_table_names_each_software_once() -> None:
    software = load_software()
    assert software["software"].is_unique().all()
    conduits = software.filter(pl.col("lineage") == "conduit")["software"].to_list()
    assert {"conduit", "conduwuit", "continuwuity", "tuwunel", "grapevine"} == set(conduits)
