"""The one writer: what it is given comes back whole, batches are all or nothing, and a seal is final."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.discovery import Question, Step, WellKnownFacts
from crawler.model.names import parse_server_name
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.store.codec import observation_row
from crawler.store.codec_journal import address_look_rows, attempt_rows, endpoint_rows, step_rows
from crawler.store.codec_rooms import Row, listing_rows
from crawler.store.reader import SnapshotReader
from crawler.store.status import read_status
from crawler.store.writer import CensusWriter
from tests.store.census import begin, crawl, publish
from tests.store.observations import DAY, FEW, closely, dead, observations, online, server_names, some_federation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "census.duckdb"


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def table(path: Path, name: str, order: str = "server_id") -> list[Row]:
    """The rows of a table or view as dicts."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        result = connection.execute(f"SELECT * FROM {name} ORDER BY {order}")
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def test_a_crawl_from_beginning_to_seal(path: Path) -> None:
    room = PublicRoom("!a:x.test", 5)
    federation = [online("one.test", rooms=(room,)), online("two.test", rooms=(room,)), dead("three.test")]
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        writer.record(crawl_id, federation[:1], [Lead("one.test", LeadSource.SEED)])
        writer.record(crawl_id, federation[1:], [Lead("two.test", LeadSource.ROOM_ID, "one.test", 4)])
        sealed = writer.seal(crawl_id, CrawlState.COMPLETED, DAY + timedelta(minutes=5), {"requests": 18})
    assert (sealed.id, sealed.state, sealed.scope, sealed.synthetic) == (1, "completed", "full", True)
    assert (sealed.servers, sealed.online, sealed.rooms) == (3, 2, 1)
    assert (sealed.started_at, sealed.finished_at) == (DAY, DAY + timedelta(minutes=5))
    assert sealed.is_census
    assert rows(path, "SELECT identity, vantage, settings->>'$.limits.concurrency', report FROM crawl") == [
        ("census.test", "here", "200", '{"requests": 18}')
    ]
    assert rows(path, "SELECT server_id, source, named_by, count FROM lead ORDER BY rowid") == [
        (1, "seed", None, 1),
        (2, "room_id", 1, 4),
    ]


def test_the_tables_hold_what_the_codec_says(path: Path) -> None:
    federation = [*some_federation(3, 40), closely("close.test")]
    crawl(path, federation)
    makers = {
        "attempt": (attempt_rows, "rowid"),
        "resolution_step": (step_rows, "rowid"),
        "endpoint": (endpoint_rows, "rowid"),
        "address_look": (address_look_rows, "rowid"),
        "listing": (listing_rows, "server_id, room_id"),
    }
    for name, (maker, order) in makers.items():
        expected = [row for number, seen in enumerate(federation, 1) for row in maker(1, number, seen)]
        if name == "listing":
            expected.sort(key=lambda row: (row["server_id"], row["room_id"]))
        assert table(path, name, order) == expected
    assert table(path, "server_observation", "server_id") == [
        observation_row(1, number, seen) for number, seen in enumerate(federation, 1)
    ]


def test_the_statuses_of_redirects_are_kept(path: Path) -> None:
    seen = online("moved.test")
    facts = WellKnownFacts(40, None, None, None, ("https://www.moved.test/", "https://b.test/"), (301, 307))
    step = Step(Question.WELL_KNOWN, "moved.test", "b.test", "delegated", facts=facts)
    plain = replace(step, facts=replace(facts, redirects=(), redirect_statuses=()))
    steps = (*seen.resolution.steps, step, plain)
    crawl(path, [replace(seen, resolution=replace(seen.resolution, steps=steps))])
    told = rows(path, "SELECT redirect_statuses FROM resolution_step ORDER BY ordinal")
    assert told == [(None,), (None,), (None,), ("[301, 307]",), ("[]",)]


@FEW
@given(batch=st.lists(observations(), max_size=4, unique_by=lambda seen: seen.server_name.key))
def test_whatever_a_visit_saw_can_be_stored_and_comes_back(
    tmp_path_factory: pytest.TempPathFactory, batch: list[ServerObservation]
) -> None:
    path = tmp_path_factory.mktemp("any") / "census.duckdb"
    sealed = crawl(path, batch)
    assert sealed.servers == len(batch)
    numbers = {key: number for number, key in rows(path, "SELECT server_id, server_key FROM server")}
    stored = {row["server_id"]: row for row in table(path, "server_observation")}
    for seen in batch:
        number = numbers[seen.server_name.key]
        assert stored[number] == json_apart(observation_row(1, number, seen), stored[number])


def json_apart(row: Row, stored: Row) -> Row:
    """`row` with its JSON texts as stored, if they mean the same."""
    for column in ("verify_keys", "spec_versions", "unstable_features", "rtc_foci"):
        if row[column] is not None:
            assert json.loads(row[column]) == json.loads(stored[column])
            row[column] = stored[column]
    return row


def test_numbers_and_spellings_last_over_crawls(path: Path) -> None:
    crawl(path, [online("Mixed.Test")], [Lead("heard.test", LeadSource.ALIAS, "mixed.test")])
    crawl(path, [online("mixed.TEST"), online("Heard.test"), online("new.test")])
    assert rows(path, "SELECT * FROM server ORDER BY server_id") == [
        (1, "mixed.test", "Mixed.Test", 1),
        (2, "heard.test", "Heard.test", 1),
        (3, "new.test", "new.test", 2),
    ]
    assert rows(path, "SELECT crawl_id, server_id FROM server_observation ORDER BY ALL") == [
        (1, 1),
        (2, 1),
        (2, 2),
        (2, 3),
    ]


def test_participation_once_for_each_room_server_and_teller(path: Path) -> None:
    one = AliasAnswer("#a:x.test", "!r:x.test", ("A.test", "b.test", "not a name", "b.test"))
    two = AliasAnswer("#b:x.test", "!r:x.test", ("b.test", "c.test"))
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        writer.record(crawl_id, [online("x.test", aliases=(one, one))], [])
        writer.record(crawl_id, [], [], [("x.test", two), ("y.test", two)])
        writer.record(crawl_id, [], [], [("x.test", one), ("x.test", two)])
        writer.seal(crawl_id, CrawlState.COMPLETED, DAY, {})
    assert rows(
        path,
        "SELECT p.room_id, s.server_name, t.server_name FROM participation p JOIN server s USING (server_id)"
        " JOIN server t ON p.named_by = t.server_id ORDER BY ALL",
    ) == [
        ("!r:x.test", "a.test", "x.test"),
        ("!r:x.test", "b.test", "x.test"),
        ("!r:x.test", "b.test", "y.test"),
        ("!r:x.test", "c.test", "x.test"),
        ("!r:x.test", "c.test", "y.test"),
    ]


def test_a_second_visit_in_one_crawl_is_refused_with_its_whole_batch(path: Path) -> None:
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        writer.record(crawl_id, [online("a.test")], [])
        for again in ([online("b.test"), online("A.test")], [online("c.test"), online("C.test")]):
            with pytest.raises(ValueError, match="was visited before"):
                writer.record(crawl_id, again, [Lead("d.test", LeadSource.SEED)])
        writer.record(crawl_id, [online("c.test")], [])
        sealed = writer.seal(crawl_id, CrawlState.COMPLETED, DAY, {})
        assert sealed.servers == 2
        second = begin(writer)
        writer.record(second, [online("a.test")], [])
        writer.seal(second, CrawlState.COMPLETED, DAY, {})
    assert rows(path, "SELECT server_id, server_name FROM server ORDER BY 1") == [(1, "a.test"), (2, "c.test")]


def test_a_seal_is_final(path: Path) -> None:
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer)
        writer.record(crawl_id, [online("a.test")], [])
        first = writer.seal(crawl_id, CrawlState.CANCELLED, DAY, {"a": 1})
        again = writer.seal(crawl_id, CrawlState.COMPLETED, DAY + timedelta(1), {"b": 2})
        assert again == first
        assert first.state is CrawlState.CANCELLED
        with pytest.raises(ValueError, match="not the one that was begun"):
            writer.record(crawl_id, [online("b.test")], [])
    assert rows(path, "SELECT report, servers FROM crawl") == [('{"a": 1}', 1)]


def test_faults_of_ours_are_said(path: Path) -> None:
    with CensusWriter.open(path) as writer:
        with pytest.raises(ValueError, match="no crawl 9"):
            writer.seal(9, CrawlState.COMPLETED, DAY, {})
        crawl_id = begin(writer)
        with pytest.raises(ValueError, match="not sealed"):
            begin(writer)
        with pytest.raises(ValueError, match="how a crawl ended"):
            writer.seal(crawl_id, CrawlState.RUNNING, DAY, {})
        with pytest.raises(ValueError, match="not the one"):
            writer.record(crawl_id + 1, [], [])


def test_a_crawl_left_running_is_failed_at_the_next_start_and_others_are_as_they_were(path: Path) -> None:
    crawl(path, [online("a.test")])
    with CensusWriter.open(path) as writer:
        left = begin(writer)
        writer.record(left, [online("b.test")], [])
    assert rows(path, "SELECT state FROM crawl ORDER BY crawl_id") == [("completed",), ("running",)]
    with CensusWriter.open(path) as writer:
        third = begin(writer)
        assert third == 3
        # It stays as it was called: a seal that comes too late changes nothing.
        assert writer.seal(left, CrawlState.COMPLETED, DAY, {}).state is CrawlState.FAILED
    assert rows(path, "SELECT state, finished_at, servers FROM crawl ORDER BY crawl_id") == [
        ("completed", DAY + timedelta(minutes=5), 1),
        ("failed", None, None),
        ("running", None, None),
    ]


def test_known_servers_are_of_the_same_kind(path: Path) -> None:
    answer = AliasAnswer("#a:x.test", "!r:x.test", ("named.lab",))
    crawl(path, [online("Practice.lab")], [Lead("heard.lab", LeadSource.SEED)], [("teller.lab", answer)])
    crawl(path, [online("real.test")], synthetic=False)
    with CensusWriter.open(path) as writer:
        assert writer.known_servers() == ["Practice.lab", "heard.lab", "teller.lab", "named.lab", "real.test"]
        crawl_id = begin(writer, synthetic=False)
        assert writer.known_servers() == ["real.test"]
        writer.seal(crawl_id, CrawlState.CANCELLED, DAY, {})
        begin(writer, synthetic=True)
        assert writer.known_servers() == ["Practice.lab", "heard.lab", "teller.lab", "named.lab"]


def test_odd_text_of_our_own_costs_no_crawl(path: Path) -> None:
    with CensusWriter.open(path) as writer:
        crawl_id = writer.begin_crawl(
            scope=CrawlScope.FULL,
            synthetic=True,
            settings_json=json.dumps({"contact": "\udcff"}),
            vantage="h\udcffme",
            identity=None,
            crawler_version="0.1.0",
            started_at=DAY,
        )
        sealed = writer.seal(crawl_id, CrawlState.COMPLETED, DAY, {"worst": "\ud800\x00\n", "n": [1, None]})
    assert sealed.vantage == "h\ufffdme"
    ((settings, report),) = rows(path, "SELECT settings, report FROM crawl")
    assert json.loads(settings) == {"contact": "\ufffd"}
    assert json.loads(report) == {"worst": "\ufffd\x00\n", "n": [1, None]}


def test_the_status_follows_the_crawl(path: Path) -> None:
    with CensusWriter.open(path, now=lambda: DAY) as writer:
        crawl_id = begin(writer, scope=CrawlScope.LIMITED)
        status = read_status(path)
        assert status is not None
        assert (status.crawl.id, status.crawl.state, status.crawl.servers) == (1, "running", 0)
        writer.record(crawl_id, [online("a.test"), dead("b.test")], [])
        status = read_status(path)
        assert status is not None
        assert (status.crawl.servers, status.crawl.online, status.crawl.rooms) == (2, 1, None)
        sealed = writer.seal(crawl_id, CrawlState.COMPLETED, DAY, {})
        status = read_status(path)
        assert status is not None
        assert status.crawl == sealed


@FEW
@given(
    batches=st.lists(st.lists(st.tuples(server_names(), st.booleans()), max_size=5), max_size=4),
)
def test_names_have_one_number_however_they_are_met(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[str, bool]]]
) -> None:
    """Against a dict: names visited or heard of, in any case, over several batches and crawls."""
    path = tmp_path_factory.mktemp("any") / "census.duckdb"
    met: list[str] = []
    for batch in batches:
        visited: dict[str, ServerObservation] = {}
        leads = []
        for raw, is_visit in batch:
            name = parse_server_name(raw)
            if is_visit and name.key not in visited:
                visited[name.key] = online(raw)
            else:
                leads.append(Lead(name.key, LeadSource.SEED))
        crawl(path, list(visited.values()), leads)
        met += [key for key in [*visited, *(lead.server for lead in leads)] if key not in met]
    if batches:
        assert rows(path, "SELECT server_key FROM server ORDER BY server_id") == [(key,) for key in dict.fromkeys(met)]


def test_a_reader_finds_what_was_written(path: Path) -> None:
    crawl(path, [online("a.test")])
    publish(path)
    with SnapshotReader.open(path) as reader:
        assert reader.funnel(1).online == 1
