"""History against a dict for each day: whatever the days were, read back as of any of them it is what the dict says.

The oracle knows no intervals: each day it takes what it had the day before, replaces what the crawl looked at, and is
kept whole.
"""

import shutil
import statistics
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.model.crawl import CrawlScope, CrawlState
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.store.verify import faults
from crawler.store.writer import CensusWriter
from tests.store.observations import DAY, dead, online

SERVERS = [f"s{number}.test" for number in range(4)]
ROOMS = [f"!r{number}:s0.test" for number in range(4)]
STATES = [CrawlState.COMPLETED] * 4 + [CrawlState.CANCELLED, CrawlState.FAILED]


@dataclass(frozen=True)
class Day:
    """One crawl: server -> what it runs, None when it is dead; its directory; what it answered about rooms."""

    scope: CrawlScope
    state: CrawlState
    vantage: str
    software: dict[str, str | None]
    listed: dict[str, dict[str, tuple[int | None, str | None]]]
    answers: dict[tuple[str, str], frozenset[str]]


@dataclass
class Known:
    """What is known of the federation from one vantage."""

    software: dict[str, str | None] = field(default_factory=dict)
    listing: set[tuple[str, str]] = field(default_factory=set)
    rooms: dict[str, tuple[int, float | None, str | None]] = field(default_factory=dict)
    participation: set[tuple[str, str, str]] = field(default_factory=set)


def account(day: Day, room: str) -> tuple[int, float | None, str | None] | None:
    """Directories, members, name of a room as the directories of one day tell it."""
    told = [(*rooms[room], -SERVERS.index(server)) for server, rooms in day.listed.items() if room in rooms]
    if not told:
        return None
    members = [count for count, _, _ in told if count is not None]
    best = max(told, key=lambda one: (-1 if one[0] is None else one[0], one[2]))
    return len(told), statistics.median(members) if members else None, best[1]


def after(known: Known, day: Day) -> Known:
    if day.state is not CrawlState.COMPLETED:
        return known
    known = deepcopy(known)
    seen = {(server, room) for server, rooms in day.listed.items() for room in rooms}
    accounts = {room: told for room in ROOMS if (told := account(day, room)) is not None}
    answered = {(room, server, teller) for (teller, room), servers in day.answers.items() for server in servers}
    standing = {row for row in known.participation if (row[2], row[0]) not in day.answers}
    if day.scope is CrawlScope.FULL:
        # Who was dead and had no turn in this census is dead until the next look.
        resting: dict[str, str | None] = {server: None for server, runs in known.software.items() if runs is None}
        known.software, known.listing, known.rooms = resting | day.software, seen, accounts
        # A census that did not ask again leaves standing what it could have asked for.
        standing = {row for row in standing if day.software.get(row[2]) is not None and row[0] in accounts}
    else:
        known.software.update(day.software)
        known.listing = {row for row in known.listing if row[0] not in day.software} | seen
        rooms = known.rooms | accounts
        known.rooms = {room: told for room, told in rooms.items() if any(room == row[1] for row in known.listing)}
    known.participation = standing | answered
    return known


@st.composite
def days(draw: st.DrawFn) -> Day:
    parts = _parts()
    software = draw(parts["software"])
    up = [server for server, runs in software.items() if runs is not None]
    return Day(
        draw(parts["scope"]),
        draw(parts["state"]),
        draw(parts["vantage"]),
        software,
        {server: draw(parts["directory"]) for server in up},
        draw(parts["answers"]),
    )


@cache
def _parts() -> dict[str, st.SearchStrategy[Any]]:
    servers, rooms = st.sampled_from(SERVERS), st.sampled_from(ROOMS)
    told = st.tuples(st.sampled_from([None, 0, 1, 7]), st.sampled_from([None, "Lobby", "Hall"]))
    return {
        "scope": st.sampled_from([CrawlScope.FULL, CrawlScope.FULL, CrawlScope.LIMITED]),
        "state": st.sampled_from(STATES),
        "vantage": st.sampled_from(["here", "here", "here", "there"]),
        "software": st.dictionaries(servers, st.sampled_from([None, "Synapse", "Dendrite"])),
        "directory": st.dictionaries(rooms, told),
        "answers": st.dictionaries(st.tuples(servers, rooms), st.frozensets(servers), max_size=3),
    }


def visit(server: str, day: Day) -> ServerObservation:
    runs = day.software[server]
    if runs is None:
        return dead(server)
    rooms = (PublicRoom(room, members, name) for room, (members, name) in sorted(day.listed[server].items()))
    return online(server, software=runs, rooms=tuple(rooms))


def crawl(writer: CensusWriter, day: Day, place: int, *, journal_days: int = 30) -> None:
    at = DAY + timedelta(days=place)
    crawl_id = writer.begin_crawl(
        scope=day.scope,
        synthetic=True,
        settings_json="{}",
        vantage=day.vantage,
        identity=None,
        crawler_version="0",
        started_at=at,
    )
    # In the order of SERVERS, so that their numbers are in it too.
    writer.record(crawl_id, [visit(server, day) for server in SERVERS if server in day.software], [])
    answers = [(teller, AliasAnswer("#a:x.test", room, tuple(who))) for (teller, room), who in day.answers.items()]
    writer.record(crawl_id, [], [], answers)
    writer.seal(crawl_id, day.state, at + timedelta(hours=1), {}, journal_days=journal_days)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A census file that knows the servers, in their order, from nowhere that is asked about."""
    path = tmp_path_factory.mktemp("empty") / "census.duckdb"
    with CensusWriter.open(path) as writer:
        crawl(writer, Day(CrawlScope.FULL, CrawlState.CANCELLED, "nowhere", dict.fromkeys(SERVERS), {}, {}), 0)
    return path


@given(sequence=st.lists(days(), min_size=1, max_size=6))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_read_back_as_of_any_day_it_is_what_the_dict_of_that_day_says(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, sequence: list[Day]
) -> None:
    path = tmp_path_factory.mktemp("days") / "census.duckdb"
    shutil.copyfile(empty, path)
    known: dict[str, list[Known]] = {"here": [Known()], "there": [Known()]}
    with CensusWriter.open(path) as writer:
        for place, day in enumerate(sequence, 1):
            crawl(writer, day, place)
            for vantage, history in known.items():
                history.append(after(history[-1], day) if vantage == day.vantage else history[-1])
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        assert faults(connection) == []
        for vantage, history in known.items():
            for place, expected in enumerate(history[1:], 1):
                assert as_of(connection, vantage, place + 1) == expected, (vantage, place)
                on_day = (DAY + timedelta(days=place)).date()
                rows = connection.execute(
                    "SELECT server_name, software FROM federation_on($day) JOIN series USING (series_id)"
                    " WHERE vantage = $vantage",
                    {"day": on_day, "vantage": vantage},
                ).fetchall()
                assert dict(rows) == {name: runs and runs.lower() for name, runs in expected.software.items()}
        for place, day in enumerate(sequence, 1):
            check_views(connection, place + 1, day)


def as_of(connection: duckdb.DuckDBPyConnection, vantage: str, crawl_id: int) -> Known:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        stands = "i.valid_from <= $crawl AND (i.valid_to IS NULL OR i.valid_to > $crawl)"
        series = "i.series_id IN (SELECT series_id FROM series WHERE vantage = $vantage)"
        return connection.execute(
            f"{sql} WHERE {stands} AND {series}", {"crawl": crawl_id, "vantage": vantage}
        ).fetchall()

    servers = ask("SELECT server_name, software, online FROM server_state i JOIN server USING (server_id)")
    assert all((runs is not None) == is_online for _, runs, is_online in servers)
    listing = ask(
        "SELECT server_name, room_id FROM room_listing i JOIN server USING (server_id)"
        " JOIN known_room USING (room_number)"
    )
    rooms = ask(
        "SELECT room_id, directories, members, name FROM room_state i JOIN known_room USING (room_number)"
        " JOIN room_text USING (text_id)"
    )
    participation = ask(
        "SELECT room_id, s.server_name, t.server_name FROM room_participation i JOIN known_room USING (room_number)"
        " JOIN server s ON s.server_id = i.server_id JOIN server t ON t.server_id = i.named_by"
    )
    # At most one row of each stands at a time.
    assert len(servers) == len({row[0] for row in servers})
    assert len(rooms) == len({row[0] for row in rooms})
    assert len(listing) == len(set(listing))
    assert len(participation) == len(set(participation))
    spelled = {"synapse": "Synapse", "dendrite": "Dendrite", None: None}
    return Known(
        {name: spelled[runs] for name, runs, _ in servers},
        set(listing),
        {room: tuple(told) for room, *told in rooms},
        set(participation),
    )


def check_views(connection: duckdb.DuckDBPyConnection, crawl_id: int, day: Day) -> None:
    """What a crawl saw, and nothing else, also when it was limited."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return sorted(connection.execute(f"{sql} WHERE crawl_id = ?", [crawl_id]).fetchall(), key=repr)

    done = day.state is CrawlState.COMPLETED
    seen = [(server, runs is not None) for server, runs in day.software.items()] if done else []
    assert ask("SELECT server_name, online FROM server_observation JOIN server USING (server_id)") == sorted(seen)
    listed = [(s, room, *told) for s, rooms in day.listed.items() for room, told in rooms.items()] if done else []
    assert ask("SELECT server_name, room_id, members, name FROM listing JOIN server USING (server_id)") == sorted(
        listed, key=repr
    )
    accounts = [(room, *told) for room in ROOMS if (told := account(day, room)) is not None] if done else []
    assert ask("SELECT room_id, directories, members, name FROM room") == sorted(accounts, key=repr)


def test_sealing_again_changes_nothing(tmp_path: Path, empty: Path) -> None:
    path = tmp_path / "census.duckdb"
    shutil.copyfile(empty, path)
    day = Day(
        CrawlScope.FULL, CrawlState.COMPLETED, "here", {"s1.test": "Synapse"}, {"s1.test": {ROOMS[0]: (1, "a")}}, {}
    )
    with CensusWriter.open(path) as writer:
        crawl(writer, day, 1)
        once = writer.seal(2, CrawlState.COMPLETED, DAY, {})
        assert writer.seal(2, CrawlState.CANCELLED, DAY + timedelta(days=9), {"again": 1}) == once
    with duckdb.connect(str(path), read_only=True) as connection:
        for table in ("server_state", "room_state", "room_listing"):
            assert connection.execute(f"SELECT valid_from, valid_to FROM {table}").fetchall() == [(2, None)]
        assert connection.execute("SELECT report FROM crawl WHERE crawl_id = 2").fetchone() == ("{}",)
