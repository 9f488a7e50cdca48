"""What is laid down for the newest census is what the views say, which look for it in the intervals each time. (What a
page of rooms holds is held against plain Python in test_reader.)"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.store.answer import fetch
from crawler.store.bench_history import write_history
from crawler.store.changes import ChangeKind, changes
from crawler.store.connection import connect_to_read
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader

DAYS = 60


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotReader]:
    census = tmp_path_factory.mktemp("at-hand") / "census.duckdb"
    write_history(census, servers=60, rooms=400, days=DAYS)
    with stage(census) as draft:
        with closing(connect_to_read(draft.path)) as connection:
            rooms = fetch(connection, "SELECT room_id FROM known_room ORDER BY room_number", {})
        columns = {"crawl_id": "INTEGER NOT NULL", "room_id": "VARCHAR NOT NULL", "score": "INTEGER NOT NULL"}
        draft.write_table("room_feature", columns, ((DAYS, room_id, n % 3) for n, (room_id,) in enumerate(rooms[5:])))
        draft.commit()
    with SnapshotReader.open(census) as opened:
        yield opened


ASKED: list[dict[str, Any]] = [
    {"limit": 1000},
    {"newest_first": True, "limit": 9, "offset": 4},
    {"since": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=DAYS - 3), "limit": 1000},
    {"min_members": 30, "kinds": [ChangeKind.ROOM_LISTED, ChangeKind.SERVER_DEATH]},
    *({"kinds": [kind], "limit": 1000} for kind in ChangeKind),
]


@pytest.mark.parametrize("asked", ASKED)
def test_changes_at_hand_are_those_that_are_looked_for(reader: SnapshotReader, asked: dict[str, Any]) -> None:
    with closing(reader.cursor()) as connection:
        expected = changes(connection, DAYS, **asked)
    assert expected.rows
    assert reader.changes(DAYS, **asked) == expected


def test_a_rename_is_told_as_the_view_of_renames_has_it(reader: SnapshotReader) -> None:
    """Two ways through the intervals: that of `changes`, and the join of the view."""
    with closing(reader.cursor()) as connection:
        rows = fetch(
            connection,
            "SELECT room_id, crawl_id, old_name, name FROM room_rename"
            " WHERE crawl_id > 1 AND old_name IS DISTINCT FROM name",
            {},
        )
    found = reader.changes(DAYS, kinds=[ChangeKind.ROOM_RENAMED], limit=1000)
    assert found.total == len(rows) > 10
    told = {(change.room_id, change.crawl_id, change.before, change.after) for change in found.rows}
    assert told <= set(rows)
    assert len(told) == len(found.rows)


def test_an_earlier_census_is_looked_for(reader: SnapshotReader) -> None:
    earlier = reader.changes(DAYS - 20, limit=1000)
    assert 0 < earlier.total < reader.changes(DAYS).total
    assert max(change.crawl_id for change in earlier.rows) <= DAYS - 20
    assert reader.rooms_page(DAYS - 20).total != reader.rooms_page(DAYS).total


@pytest.mark.parametrize("crawl_id", [DAYS, DAYS - 1])
def test_rooms_with_signs_are_hidden_alone_or_shown(reader: SnapshotReader, crawl_id: int) -> None:
    with closing(reader.cursor()) as connection:
        every = {name for (name,) in fetch(connection, "SELECT room_id FROM room WHERE crawl_id = $c", {"c": crawl_id})}
        signs = {name for (name,) in fetch(connection, "SELECT room_id FROM room_feature WHERE score > 0", {})}
    for noise, expected in ((None, every), (True, every & signs), (False, every - signs)):
        page = reader.rooms_page(crawl_id, noise=noise, limit=1000)
        assert {row.room_id for row in page.rows} == expected
        assert page.total == len(expected)
