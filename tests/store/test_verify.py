"""`verify` finds nothing in what the writer wrote, and each thing that is done to it."""

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from crawler.errors import StoreError
from crawler.model.crawl import Lead, LeadSource
from crawler.model.rooms import AliasAnswer
from crawler.store.serving import serving_file
from crawler.store.verify import verify
from matrix_census import main
from tests.store.census import crawl, publish
from tests.store.observations import some_federation


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "census.duckdb"
    for seed in (1, 2):
        answers = [("host3.test", AliasAnswer("#a:x.test", "!0:host0.test", ("far.test", f"host{seed}.test")))]
        leads = [Lead("host1.test", LeadSource.ALIAS, "host3.test"), Lead("host3.test", LeadSource.SEED)]
        crawl(path, some_federation(seed, 30), leads, answers)
    publish(path)
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "census.duckdb"
    copy.write_bytes(sound.read_bytes())
    serving = serving_file(sound)
    assert serving is not None
    (tmp_path / "serving").mkdir()
    for file in (serving, serving.parent / "census.current"):
        (tmp_path / "serving" / file.name).write_bytes(file.read_bytes())
    return copy


def broken(path: Path) -> list[tuple[str, str]]:
    return [(fault.table, fault.rule) for fault in verify(path)]


def test_what_the_writer_wrote_is_sound_also_after_more_crawls(path: Path) -> None:
    assert broken(path) == []
    crawl(path, some_federation(3, 30))
    assert broken(path) == []
    publish(path)
    assert broken(path) == []


@pytest.mark.parametrize(
    ("harm", "table", "rule"),
    [
        (
            "UPDATE server_state SET valid_to = 2 WHERE valid_from = 2",
            "server_state",
            "ends before",
        ),
        (
            "INSERT INTO room_listing SELECT * FROM room_listing WHERE valid_to IS NULL LIMIT 1",
            "room_listing",
            "overlap",
        ),
        ("UPDATE room_state SET valid_from = 7 WHERE valid_from = 2", "room_state", "no completed crawl"),
        ("DELETE FROM known_room WHERE room_number = 1", "room_state", "room_number is not in known_room"),
        ("DELETE FROM room_text", "room_state", "text_id is not in room_text"),
        ("DELETE FROM server_state WHERE valid_to IS NULL AND online", "crawl", "online is not the number"),
        ("UPDATE crawl SET rooms = rooms + 1 WHERE crawl_id = 2", "crawl", "rooms is not the number"),
        (
            "DELETE FROM server WHERE server_id = 1",
            "server_state",
            "server_id is not in server",
        ),
        ("UPDATE visit SET crawl_id = 99 WHERE crawl_id = 1", "visit", "not there"),
        ("INSERT INTO lead_span SELECT * FROM lead_span LIMIT 1", "lead_span", "twice"),
        ("UPDATE lead_span SET first_crawl_id = 9", "lead_span", "cannot be"),
        ("UPDATE lead_span SET crawls = 1", "lead_span", "cannot be"),
        ("UPDATE lead_span SET named_by = 999", "lead_span", "not in server"),
        ("DELETE FROM lead_span", "lead", "not in lead_span"),
        ("INSERT INTO seen_answer VALUES (2, 1, 1, '!left:x.test')", "seen_answer", "left behind"),
        ("INSERT INTO room_text SELECT 999, * EXCLUDE (text_id) FROM room_text LIMIT 1", "room_text", "twice"),
        ("UPDATE room_state SET members = 12345 WHERE valid_to IS NULL", "room_state", "serving file is not"),
        (
            "UPDATE room_participation SET valid_to = 2",
            "room_participation",
            "serving file is not",
        ),
    ],
)
def test_what_is_done_to_it_is_found(path: Path, harm: str, table: str, rule: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(harm)
    assert any(where == table and rule in what for where, what in broken(path)), broken(path)


def test_the_verb(path: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    sound = runner.invoke(main, ["verify", "--db", str(path)])
    assert (sound.exit_code, "nothing is wrong" in sound.output) == (0, True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM room_listing")
    told = runner.invoke(main, ["verify", "--db", str(path)])
    assert told.exit_code == 1
    assert "room_state" in told.output
    assert "please report it" in told.output
    found = json.loads(runner.invoke(main, ["verify", "--json", "--db", str(path)]).output)
    assert {"table", "rows", "rule"} == set(found[0])
    assert runner.invoke(main, ["verify", "--db", str(tmp_path / "none.duckdb")]).exit_code == 2
    with pytest.raises(StoreError, match="no census file"):
        verify(tmp_path / "none.duckdb")
