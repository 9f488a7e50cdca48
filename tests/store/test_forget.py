"""The right to vanish: what was forgotten is in no table and no byte, and does not come back."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from crawler.cli.publication import compact_in_turn
from crawler.errors import UsageError
from crawler.model.client_side import Support, SupportContact
from crawler.model.crawl import CrawlState, Lead, LeadSource
from crawler.model.discovery import Question, Step
from crawler.model.names import ServerName, parse_server_name
from crawler.model.observation import Ok, ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.model.schedule import Life, ServerSchedule
from crawler.model.suppression import Suppressed, SuppressedKind, digest_of
from crawler.protocol.memory import RememberedAnswer
from crawler.protocol.questions import WellKnownAnswer
from crawler.store import inbox
from crawler.store.drain import FORGET, Drained, drain
from crawler.store.forget import forget, subject_of, unforget
from crawler.store.intervals import INTERVALS
from crawler.store.rewrite import back_up, compact, restore
from crawler.store.serving import serving_file, serving_folder
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from matrix_census import main
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, dead, online, some_federation

GONE = "vanish-please.example"
ITS_ROOM = PublicRoom(f"!itsroom:{GONE}", 12, "Zebra Crossing Society", "a topic of zebras only", f"#zebra:{GONE}")
ITS_GUEST = PublicRoom("!guestroom:stays.example", 7, "Walrus Parlour", "walruses alone", None)
SHARED = PublicRoom("!shared:stays.example", 90, "Shared Hall", "for everybody", "#hall:stays.example")
MENTIONING = PublicRoom("!other:stays.example", 5, "Other", f"see {GONE} {GONE}, or #zebra:{GONE}.", None)


def observations() -> list[ServerObservation]:
    gone = online(
        GONE,
        rooms=(ITS_ROOM, ITS_GUEST, SHARED),
        aliases=(AliasAnswer(f"#zebra:{GONE}", ITS_ROOM.room_id, (GONE, "stays.example")),),
        support=Ok(Support((SupportContact("m.role.admin", f"@admin:{GONE}", f"root@{GONE}"),), None)),
    )
    stays = online(
        "stays.example",
        rooms=(SHARED, ITS_ROOM, MENTIONING),
        aliases=(AliasAnswer("#hall:stays.example", SHARED.room_id, ("stays.example", GONE)),),
    )
    led_there = online("delegates.example")
    target = parse_server_name(GONE)
    steps = (Step(Question.SRV, f"_matrix-fed._tcp.{GONE}", f"0 0 443 {GONE}.", f"found {GONE}", None, 0.5, 300.0),)
    resolution = replace(led_there.resolution, delegated=target, steps=steps)
    return [gone, stays, replace(led_there, resolution=resolution), dead("far.example")]


LEADS = [
    Lead("far.example", LeadSource.ROOM_ID, GONE),
    Lead(GONE, LeadSource.ALIAS, "stays.example"),
    Lead("stays.example", LeadSource.SEED),
]


def make(path: Path, crawls: int = 3) -> None:
    for _ in range(crawls):
        with CensusWriter.open(path) as writer:
            crawl_id = begin(writer)
            schedule = ServerSchedule(GONE, Life.ALIVE, 0, DAY, DAY, DAY)
            asked = [(GONE, f"#zebra:{GONE}"), ("stays.example", f"#zebra:{GONE}")]
            writer.record(crawl_id, observations(), LEADS, (), [schedule], asked)
            body = json.dumps({"m.server": GONE}).encode()
            answer = WellKnownAnswer(200, body, "application/json")
            writer.remember([RememberedAnswer(Question.WELL_KNOWN, "w.example", answer, DAY, DAY + timedelta(days=1))])
            writer.seal(crawl_id, state=CrawlState.COMPLETED, finished_at=DAY, report={"keys_reused": {GONE: ["a"]}})


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()).lower()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "census.duckdb"
    make(path)
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path))


def test_a_server_is_in_no_byte_of_any_file(path: Path, tmp_path: Path) -> None:
    publish(path)
    publish(path)
    words = [GONE.encode(), b"zebra crossing", b"zebras only", b"walrus"]
    assert all(word in bytes_of(tmp_path) for word in words)
    done = CliRunner().invoke(main, ["forget", GONE, "--db", str(path), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["servers"], said["rooms"], said["serving_files_removed"]) == (1, 2, 2)
    assert [word for word in words if word in bytes_of(tmp_path)] == []
    assert verify(path) == []
    published = serving_file(path)
    assert published is not None
    assert str(published) == said["published"]
    assert list(serving_folder(path).glob("*.duckdb")) == [published]
    # What others are and say is still there, without the name.
    assert query(path, "SELECT server_name FROM server ORDER BY 1") == [
        ("delegates.example",), ("far.example",), ("stays.example",)
    ]  # fmt: skip
    assert query(path, "SELECT crawl_id, room_id, directories FROM room WHERE crawl_id = 3 ORDER BY 2") == [
        (3, MENTIONING.room_id, 1), (3, SHARED.room_id, 1)
    ]  # fmt: skip
    topic = "see forgotten.invalid forgotten.invalid, or #zebra:forgotten.invalid."
    assert query(path, "SELECT topic FROM room_text WHERE name = 'Other'") == [(topic,)]


def test_counts_of_past_crawls_go_down_by_what_was_removed(path: Path) -> None:
    counts = "SELECT servers, online, rooms, known FROM crawl ORDER BY crawl_id"
    assert query(path, counts) == [(4, 3, 4, 4)] * 3
    forget(path, [subject_of(GONE)])
    assert query(path, counts) == [(3, 2, 2, 3)] * 3


def test_what_directories_said_together_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    room = PublicRoom("!r:far.example", 0, "Hall")
    told = {"a.example": 50, GONE: 10, "b.example": 90}

    def seen(*names: str) -> list[ServerObservation]:
        return [online(name, rooms=(replace(room, members=told[name]),)) for name in names]

    for _ in range(2):
        crawl(path, seen("a.example", GONE, "b.example"))
    forget(path, [subject_of(GONE)])
    rooms = "SELECT crawl_id, directories, members, members_min, members_max FROM room ORDER BY crawl_id"
    assert query(path, rooms) == [(1, 2, 50, 10, 90), (2, 2, 50, 10, 90)]
    # The others still say what they said, also who said just the median, which is not kept apart from it.
    listing = "SELECT server_name, members FROM listing JOIN server USING (server_id) WHERE crawl_id = 2 ORDER BY 1"
    assert query(path, listing) == [("a.example", 50), ("b.example", 90)]
    assert verify(path) == []
    # The next census has only what is said then.
    crawl(path, seen("a.example", "b.example"))
    assert query(path, rooms)[-1] == (3, 2, 70, 50, 90)
    assert verify(path) == []


def test_it_does_not_come_back(path: Path) -> None:
    forget(path, [subject_of(GONE)])
    make(path, 2)
    assert query(path, f"SELECT count(*) FROM server WHERE server_key LIKE '%{GONE}%'") == [(0,)]
    assert query(path, "SELECT room_id FROM known_room ORDER BY 1") == [(MENTIONING.room_id,), (SHARED.room_id,)]
    assert query(path, "SELECT count(*) FROM lead WHERE named_by IS NOT NULL") == [(0,)]
    assert verify(path) == []
    with CensusWriter.open(path) as writer:
        assert writer.suppressed.has_server(parse_server_name(GONE.upper()))
        assert writer.suppressed.has_server(parse_server_name(f"{GONE}:8448"))
        assert not writer.suppressed.has_server(parse_server_name(f"sub.{GONE}"))
        assert writer.suppressed.has_room("!new:" + GONE)
        assert writer.suppressed.has_room("!elsewhere:b.example", f"#alias:{GONE}")


def test_unforget_lets_it_come_back_and_brings_nothing_back(path: Path) -> None:
    forget(path, [subject_of(GONE)])
    assert unforget(path, subject_of(GONE))
    assert not unforget(path, subject_of(GONE))
    assert query(path, "SELECT count(*) FROM suppression") == [(0,)]
    make(path, 1)
    assert query(path, f"SELECT valid_from FROM server_life WHERE server_name = '{GONE}'") == [(4,)]
    told = CliRunner().invoke(main, ["unforget", GONE, "--db", str(path)])
    assert (told.exit_code, "not forgotten" in told.output) == (2, True)


@pytest.mark.parametrize("named", [ITS_GUEST.room_id, SHARED.canonical_alias, "!unheard:of.example"])
def test_a_room_by_its_id_or_its_alias(path: Path, tmp_path: Path, named: str) -> None:
    room = SHARED if named == SHARED.canonical_alias else ITS_GUEST
    before = query(path, "SELECT count(*) FROM known_room")
    forget(path, [subject_of(named)])
    assert verify(path) == []
    if named.startswith("!unheard"):
        assert query(path, "SELECT count(*) FROM known_room") == before
    else:
        content = bytes_of(tmp_path)
        for text in (room.room_id, room.canonical_alias, room.name, room.topic):
            assert text is None or text.lower().encode() not in content, text
    make(path, 1)
    kept = query(path, "SELECT room_id FROM listing WHERE crawl_id = 4")
    assert ((room.room_id,) in kept) == named.startswith("!unheard")
    assert query(path, "SELECT count(*) FROM server") == [(4,)]


def test_who_is_not_in_it_is_kept_out_and_the_slip_can_be_mended(path: Path) -> None:
    told = CliRunner().invoke(main, ["forget", "vanish-pleas.example", "--db", str(path)])
    assert told.exit_code == 0
    assert "held nothing of vanish-pleas.example" in told.stdout
    assert f"matrix-census unforget NAME --db {path}" in told.stdout
    assert CliRunner().invoke(main, ["unforget", "vanish-pleas.example", "--db", str(path)]).exit_code == 0


def test_lookalikes_stay(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    names = ["me.example", "me.example:8448", "not-me.example", "sub.me.example", "me.example.org", "me-example.org"]
    crawl(path, [online(name) for name in names])
    forget(path, [subject_of("me.example")])
    assert query(path, "SELECT server_name FROM server ORDER BY server_id") == [(name,) for name in names[2:]]
    assert query(path, "SELECT client_base FROM server_state ORDER BY server_id") == [
        (f"https://{name}",) for name in names[2:]
    ]
    forget(path, [subject_of("sub.me.example:443")])
    assert query(path, "SELECT count(*) FROM server") == [(4,)]
    assert verify(path) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_any_half_of_a_federation_leaves_a_file_that_adds_up(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "census.duckdb"
    for day in range(4):
        crawl(path, some_federation(seed * 10 + day, 24, 12))
    subjects: Sequence[ServerName | str] = [subject_of(f"host{n}.test") for n in range(0, 24, 2)]
    forget(path, subjects)
    assert verify(path) == []
    left = query(path, "SELECT DISTINCT crawl_id, count(*) FROM server_observation GROUP BY 1 ORDER BY 1")
    assert left == [(1, 12), (2, 12), (3, 12), (4, 12)]
    crawl(path, some_federation(seed, 24, 12))
    assert verify(path) == []


def test_what_is_kept_is_a_salted_hash(path: Path) -> None:
    forget(path, [subject_of(GONE)])
    forget(path, [subject_of("!r:far.example")])
    rows = query(path, "SELECT kind, salt, digest FROM suppression ORDER BY kind")
    assert [kind for kind, _, _ in rows] == ["room", "server"]
    salt = str(rows[0][1])
    assert len(bytes.fromhex(salt)) == 32
    assert {row[1] for row in rows} == {salt}
    assert rows[1][2] == digest_of(SuppressedKind.SERVER, salt, GONE)
    assert not Suppressed(salt, frozenset({digest_of(SuppressedKind.ROOM, salt, GONE)})).has_key(GONE)


def test_what_can_be_forgotten() -> None:
    assert subject_of("Example.ORG:8448") == parse_server_name("Example.ORG:8448")
    assert subject_of("#a:b.example") == "#a:b.example"
    with pytest.raises(UsageError, match="no server name"):
        subject_of("a b")


def test_a_wish_in_the_inbox_is_granted_and_the_rest_waits(path: Path) -> None:
    inbox.append(path, FORGET, {"subject": GONE}, now=lambda: DAY)
    inbox.append(path, FORGET, {"subject": "a b"}, now=lambda: DAY)
    inbox.append(path, "usage_report", {"users": 3}, now=lambda: DAY)
    assert drain(path) == Drained(1, 1, 1)
    assert drain(path) == Drained(0, 0, 0)
    inbox.append(path, "usage_report", {"users": 3}, now=lambda: DAY)
    assert drain(path) == Drained(0, 0, 1)
    waiting = "SELECT kind, left_at = TIMESTAMPTZ '2026-11-24 03:45:00Z', content->>'users' FROM inbox_entry"
    assert query(path, waiting) == [("usage_report", True, "3")]
    assert query(path, f"SELECT count(*) FROM server WHERE server_key = '{GONE}'") == [(0,)]


def test_a_wish_in_the_inbox_takes_effect_in_what_is_published(path: Path, tmp_path: Path) -> None:
    publish(path)
    inbox.append(path, FORGET, {"subject": GONE}, now=lambda: DAY)
    done = CliRunner().invoke(main, ["publish", "--db", str(path)])
    assert done.exit_code == 0, done.output
    assert GONE.encode() not in bytes_of(tmp_path)


def test_compacting_changes_nothing_but_the_size(path: Path) -> None:
    crawl(path, observations()[1:])
    said = {table: query(path, f"SELECT * FROM {table} ORDER BY ALL") for (table,) in query(path, "SHOW TABLES")}
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT md5(range::VARCHAR) AS m FROM range(100000)")
        connection.execute("DROP TABLE ballast")
    done = compact(path)
    assert done.after_bytes < done.before_bytes
    assert done.after_bytes == path.stat().st_size
    assert {table: query(path, f"SELECT * FROM {table} ORDER BY ALL") for table in said} == said
    assert [file.name for file in path.parent.iterdir() if "fresh" in file.name] == []
    # What a crawl is laid beside stands together, behind what has ended.
    stands = [[bool(s) for (s,) in query(path, f"SELECT valid_to IS NULL FROM {kind.table}")] for kind in INTERVALS]
    assert all(each == sorted(each) for each in stands)
    assert any(len(set(each)) > 1 for each in stands)


def test_every_thirtieth_completed_crawl_compacts(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crawl(path, [online("z.example")], state=CrawlState.CANCELLED)

    def make_completed(number: int) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                """INSERT INTO crawl SELECT c.* REPLACE (n AS crawl_id) FROM crawl c, range(5, 2 + $number) r(n)
                WHERE c.crawl_id = 3 AND n NOT IN (SELECT crawl_id FROM crawl)""",
                {"number": number},
            )

    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT md5(range::VARCHAR) AS m FROM range(100000)")
        connection.execute("DROP TABLE ballast")
    before = path.stat().st_size
    make_completed(29)
    compact_in_turn(path)
    assert path.stat().st_size == before
    make_completed(30)
    compact_in_turn(path)
    assert path.stat().st_size < before
    assert capsys.readouterr().err == ""
    make_completed(60)
    with CensusWriter.open(path):
        compact_in_turn(path)
    assert "The census file was not compacted" in capsys.readouterr().err


def test_a_backup_comes_back(path: Path, tmp_path: Path) -> None:
    copy, again = tmp_path / "kept" / "copy.duckdb", tmp_path / "new" / "census.duckdb"
    runner = CliRunner()
    for arguments in (["backup", str(copy), "--db", str(path)], ["restore", str(copy), "--db", str(again)]):
        done = runner.invoke(main, arguments)
        assert done.exit_code == 0, done.output
    assert verify(again) == []
    for (table,) in query(path, "SHOW TABLES"):
        assert query(path, f"SELECT * FROM {table} ORDER BY ALL") == query(again, f"SELECT * FROM {table} ORDER BY ALL")
    assert crawl(again, some_federation(1, 5)).id == 4
    for taken in (["backup", str(copy), "--db", str(path)], ["restore", str(copy), "--db", str(path)]):
        told = runner.invoke(main, taken)
        assert (told.exit_code, "there already" in told.output) == (2, True)


def test_a_backup_of_an_older_schema_comes_back(tmp_path: Path) -> None:
    import gzip

    old = tmp_path / "old.duckdb"
    old.write_bytes(gzip.decompress((Path(__file__).parent / "files" / "schema-2.duckdb.gz").read_bytes()))
    path = tmp_path / "census.duckdb"
    restore(old, path)
    assert verify(path) == []
    with CensusWriter.open(path), pytest.raises(Exception, match="being written"):
        back_up(path, tmp_path / "copy.duckdb")
