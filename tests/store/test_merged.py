"""Several vantages in one file: what they say together of servers and rooms, today and on any day, against dicts."""

import shutil
import statistics
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crawler.model.crawl import CrawlScope, CrawlState
from crawler.store.writer import CensusWriter
from tests.store.observations import DAY
from tests.store.test_history import Day, Known, after, crawl, days, empty

__all__ = ["empty"]

VANTAGES = ["here", "there"]


def census(vantage: str, listed: dict[str, tuple[int | None, str | None]] | None) -> Day:
    """A census that finds one server, with these rooms; None: finds it dead."""
    software = {"s0.test": None if listed is None else "Synapse"}
    return Day(
        CrawlScope.FULL, CrawlState.COMPLETED, vantage, software, {} if listed is None else {"s0.test": listed}, {}
    )


BOTH_TRUTHS = [
    census("here", {"!r0:s0.test": (7, "Lobby"), "!r1:s0.test": (1, None)}),
    census("there", {"!r0:s0.test": (1, "Hall"), "!r2:s0.test": (None, "Hall")}),
    census("there", None),
    census("here", {"!r0:s0.test": (7, "Lobby")}),
]


@given(sequence=st.lists(days(), min_size=2, max_size=5))
@example(sequence=BOTH_TRUTHS[:2])
@example(sequence=BOTH_TRUTHS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_vantages_say_together(
    tmp_path_factory: pytest.TempPathFactory,
    empty: Path,
    sequence: list[Day],
) -> None:
    path = tmp_path_factory.mktemp("merged") / "census.duckdb"
    shutil.copyfile(empty, path)
    known: dict[str, list[Known]] = {vantage: [Known()] for vantage in VANTAGES}
    with CensusWriter.open(path) as writer:
        for place, day in enumerate(sequence, 1):
            crawl(writer, day, place)
            for vantage, history in known.items():
                history.append(after(history[-1], day) if vantage == day.vantage else history[-1])
    order = list(dict.fromkeys(day.vantage for day in sequence))
    completed = [
        (place, day.vantage, day.scope) for place, day in enumerate(sequence, 1) if day.state is CrawlState.COMPLETED
    ]
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for place in range(1, len(sequence) + 1):
            told = {v: known[v][place] for p, v, _ in completed if p <= place}
            on_day = {"day": (DAY + timedelta(days=place)).date()}
            assert rooms(connection, "merged_rooms_on($day)", on_day) == merged_rooms(told, order)
            assert servers(connection, "merged_servers_on($day)", on_day) == merged_servers(told)
        newest = {v: known[v][place] for place, v, scope in completed if scope is CrawlScope.FULL}
        assert rooms(connection, "merged_room", {}) == merged_rooms(newest, order)
        assert servers(connection, "merged_server", {}) == merged_servers(newest)
        sides = connection.execute("SELECT vantage, room_id, members FROM room_by_vantage ORDER BY ALL").fetchall()
        expected = [(v, room, members) for v, seen in newest.items() for room, (_, members, _) in seen.rooms.items()]
        assert sorted(sides, key=repr) == sorted(expected, key=repr)


def rooms(connection: duckdb.DuckDBPyConnection, source: str, values: dict[str, Any]) -> dict[str, Any]:
    query = f"SELECT room_id, vantages, listed_from, disagree, listed_for, unlisted_for, members, name FROM {source}"
    rows = connection.execute(query, values).fetchall()
    assert len(rows) == len({row[0] for row in rows})
    return {room: tuple(rest) for room, *rest in rows}


def merged_rooms(told: dict[str, Known], order: list[str]) -> dict[str, Any]:
    merged = {}
    for room in {room for seen in told.values() for room in seen.rooms}:
        accounts = {vantage: seen.rooms[room] for vantage, seen in told.items() if room in seen.rooms}
        members = [count for _, count, _ in accounts.values() if count is not None]
        most = max(
            accounts,
            key=lambda v: (-1 if accounts[v][1] is None else accounts[v][1], -order.index(v)),
        )
        unlisted = sorted(set(told) - set(accounts)) or None
        differ = len({(count, name) for _, count, name in accounts.values()}) > 1
        merged[room] = (
            len(told), len(accounts), unlisted is not None or differ, sorted(accounts), unlisted,
            statistics.median(members) if members else None, accounts[most][2],
        )  # fmt: skip
    return merged


def servers(connection: duckdb.DuckDBPyConnection, source: str, values: dict[str, Any]) -> dict[str, Any]:
    query = f"SELECT server_name, vantages, online, disagree, online_for, offline_for FROM {source}"
    return {name: tuple(rest) for name, *rest in connection.execute(query, values).fetchall()}


def merged_servers(told: dict[str, Known]) -> dict[str, Any]:
    merged = {}
    for name in {name for seen in told.values() for name in seen.software}:
        up = sorted(v for v, seen in told.items() if seen.software.get(name) is not None)
        down = sorted(v for v, seen in told.items() if name in seen.software and seen.software[name] is None)
        merged[name] = (len(up) + len(down), bool(up), bool(up and down), up or None, down or None)
    return merged
