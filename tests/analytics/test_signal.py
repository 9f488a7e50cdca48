"""Signs counted over rooms, memberships and the tops of directories; features kept while the text stays."""

from typing import Any

import polars as pl
import pytest

from analytics.discovery import IN_SPACES, LISTED_IN, ROOMS_ESTIMATED, ROOMS_ON_THE_WAY, SERVERS_ON_THE_WAY, discovery
from analytics.schemas import IN_ROOM_COLUMNS, ROOM_COLUMNS, SPACE_CHILD_COLUMNS, MetricRow
from analytics.signal import FEATURE_COLUMNS, LANGUAGES, NOISE, SIGNAL, in_burst, room_features, signal
from analytics.snapshot import Snapshot
from tests.analytics.frames import empty_snapshot, snapshot

SPAM = "Cheap things of every kind at https://shop{}.example for you and all your friends"


def room(number: int, name: str, members: int, **more: object) -> dict[str, object]:
    counts = {"directories": 1, "members": float(members), "members_min": members, "members_max": members}
    return (
        dict.fromkeys(ROOM_COLUMNS)
        | {"room_number": number, "room_id": f"!{number}:a.example", "name": name}
        | counts
        | more
    )


def rooms() -> pl.DataFrame:
    made = [room(n, SPAM.format(n), 10) for n in range(6)]
    made += [
        room(6, "A quiet place to talk about gardens and birds", 100, join_rule="knock"),
        room(7, "Empty", 1, canonical_alias="#empty:a.example"),
        room(8, "Lobby", 29, directories=2, canonical_alias="#lobby:a.example", join_rule="public"),
        room(9, "A space", 500, room_type="m.space"),
    ]
    return pl.DataFrame(made, schema=ROOM_COLUMNS)


def federation() -> Snapshot:
    edges = [(n, 1) for n in range(9)] + [(8, 8)]
    return snapshot(
        rooms=rooms(),
        listings=pl.DataFrame(edges, schema=IN_ROOM_COLUMNS, orient="row"),
        participations=pl.DataFrame([(8, 3)], schema=IN_ROOM_COLUMNS, orient="row"),
    )


def test_the_share_below_each_threshold() -> None:
    snap = federation()
    features = room_features(snap)
    assert features.height == 9
    found = {(row.metric, row.dimension): row for row in signal(snap, features)}
    # Six rooms show links and near duplicates, one is empty, two show nothing.
    assert found[SIGNAL, "rooms: under 1"].value == pytest.approx(2 / 9)
    assert found[SIGNAL, "rooms: under 2"].value == pytest.approx(3 / 9)
    assert found[SIGNAL, "rooms: under 3"].value == 1
    assert found[SIGNAL, "memberships: under 1"].value == pytest.approx(129 / 190)
    # The directory of 1 lists all nine, that of 8 the lobby alone.
    assert found[SIGNAL, "tops of directories: under 1"].value == pytest.approx(3 / 10)
    assert found[NOISE, "near_duplicates"].value == pytest.approx(6 / 9)
    assert found[NOISE, "empty"].value == pytest.approx(1 / 9)
    assert found[LANGUAGES, "en"].value == 7
    assert found[LANGUAGES, "und"].value == 2


def test_features_of_a_text_that_stayed_are_taken_over() -> None:
    snap = federation()
    features = room_features(snap)
    # A mark that only taking over can leave: what an earlier version said of a text.
    marked = features.with_columns(language=pl.lit("xx"), links=pl.lit(value=False))
    again = room_features(snap, marked)
    assert set(again["language"]) == {"xx"}
    assert again["near_duplicates"].sum() == 6  # of all rooms together, so computed each time
    # Without the sketches that were kept nothing is alike: none is made anew of a text that stayed.
    bare = features.with_columns(sketch=pl.lit(None, FEATURE_COLUMNS["sketch"]))
    assert room_features(snap, bare)["near_duplicates"].sum() == 0
    other = snap.rooms.with_columns(topic=pl.lit("A topic that was not there before"))
    assert "xx" not in set(room_features(snapshot(rooms=other), marked)["language"])


def test_nothing_listed_is_not_all_clean() -> None:
    empty = empty_snapshot()
    assert all(row.value is None for row in signal(empty, room_features(empty)))


def test_the_way_to_a_room() -> None:
    found = {(row.metric, row.dimension): row.value for row in discovery(federation())}
    assert found[SERVERS_ON_THE_WAY, "online"] == 6
    assert found[SERVERS_ON_THE_WAY, "directory answers"] == 3
    assert found[SERVERS_ON_THE_WAY, "directory has rooms"] == 2
    assert found[ROOMS_ON_THE_WAY, "listed"] == 9
    assert found[ROOMS_ON_THE_WAY, "with an alias"] == 2
    assert found[ROOMS_ON_THE_WAY, "alias resolves"] == 1
    assert found[ROOMS_ON_THE_WAY, "open to join"] == 8
    assert found[ROOMS_ON_THE_WAY, "to knock at"] == 1
    assert found[LISTED_IN, "1 directory"] == 8
    assert found[LISTED_IN, "2 directories"] == 1
    # Chao2 over two directories with Q1 8 and Q2 1.
    assert found[ROOMS_ESTIMATED, "Chao2 over directories"] == pytest.approx(9 + 0.5 * 64 / 2)
    unknown = {row.dimension: row.value for row in discovery(empty_snapshot()) if row.metric == ROOMS_ON_THE_WAY}
    assert set(unknown.values()) == {None}


def in_spaces(*pairs: tuple[str, str], **changes: Any) -> MetricRow:
    children = pl.DataFrame(list(pairs), schema=SPACE_CHILD_COLUMNS, orient="row")
    listings = pl.DataFrame([(1, server) for server in (1, 2, 8)], schema=IN_ROOM_COLUMNS, orient="row")
    snap = snapshot(**{"space_children": children, "listings": listings} | changes)
    (row,) = (row for row in discovery(snap) if row.metric == IN_SPACES)
    return row


def test_listed_rooms_that_a_space_names() -> None:
    listed, elsewhere = ("!space:a.example", "!big:a.example"), ("!other:b.example", "!pair:h.example")
    row = in_spaces(listed, elsewhere, ("!space:a.example", "!unlisted:a.example"), ("!other:b.example", listed[1]))
    assert (row.value, row.lo, row.hi, row.n) == (2 / 4, 2 / 4, None, 4)
    assert row.coverage == 1.0
    assert in_spaces(elsewhere).coverage == 0.0
    assert in_spaces(listed, ("!space:a.example", "!space:a.example")).value == 1 / 4  # a space is no room
    for unknown in (in_spaces(), in_spaces(listed, signed=False), in_spaces(space_children=None)):
        assert unknown.value is None


def test_a_burst_is_many_rooms_of_one_server_at_once_and_not_its_discovery() -> None:
    made: list[tuple[str, str | None, int]] = [(f"!old{n}:known.example", None, 1) for n in range(3)]
    made += [(f"!in{n}:elsewhere.example", f"#in{n}:Known.example", 5) for n in range(20)]  # by the alias
    made += [(f"!few{n}:known.example", None, 6) for n in range(19)]
    made += [(f"!new{n}:new.example", None, 5) for n in range(30)]  # found in 5, rooms and all
    made += [(f"!{n}", None, 5) for n in range(30)]  # room version 12
    frame = pl.DataFrame(
        [dict.fromkeys(ROOM_COLUMNS) | {"room_id": i, "canonical_alias": a, "first_crawl_id": c} for i, a, c in made],
        schema=ROOM_COLUMNS,
    )
    burst = {room_id for room_id, is_in in zip(frame["room_id"], in_burst(frame), strict=True) if is_in}
    assert burst == {f"!in{n}:elsewhere.example" for n in range(20)}
    assert not in_burst(frame.with_columns(pl.lit(None, pl.Int32).alias("first_crawl_id"))).any()
