"""Places of rooms in a search: held against looking through all rooms one by one, and against the room list itself."""

from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import binom

from analytics import known_item as searching
from analytics.estimate import IntervalKind
from analytics.known_item import BY_NAME, BY_WORD, KNOWN_ITEM, SAMPLE, Query, known_item, median_place, places_of
from analytics.load_frames import load_frames
from analytics.schemas import ROOM_COLUMNS, MetricRow
from analytics.snapshot import Snapshot
from crawler.store.reader import SnapshotReader
from tests.analytics.frames import empty_snapshot, snapshot
from tests.dashboard.federation import publish, write_census

# name, topic, alias, members, type; the ID ends in the place in this table
ROOMS = (
    ("Garden", None, None, 50, None),
    ("garden of MATRIX", None, None, 70, None),
    ("Chess", "not a GARDEN, no garden", "#chess:a.example", 60, None),
    ("Chess club", None, None, None, None),
    ("  ab ", None, None, 3, None),
    ("日本", None, None, 2, None),
    (None, None, "#garden:a.example", 40, None),
    ("Garden space", None, None, 999, "m.space"),
    ("aaa", "a" * 600 + "xyz", None, 1, None),
    ("xyz", None, None, 0, None),
)


def federation() -> Snapshot:
    columns = ("name", "topic", "canonical_alias", "members", "room_type")
    rows = [
        dict.fromkeys(ROOM_COLUMNS) | {"room_id": f"!{number}:b.example"} | dict(zip(columns, room, strict=True))
        for number, room in enumerate(ROOMS)
    ]
    return snapshot(rooms=pl.DataFrame(rows, schema=ROOM_COLUMNS))


def rows(of: Snapshot) -> dict[str, MetricRow]:
    return {row.dimension: row for row in known_item(of) if row.metric == KNOWN_ITEM}


def test_the_places_counted_on_paper() -> None:
    found = rows(federation())
    # By the name: garden 4th (space, matrix, a topic); garden of matrix, chess, chess club, xyz first (the end of
    # the long topic is not looked through). "aaa" is a piece repeated, "ab" and two characters are too
    # short to ask for.
    assert found[f"{BY_NAME}: first"].value == pytest.approx(4 / 5)
    assert found[f"{BY_NAME}: among the first 10"].value == 1
    assert found[f"{BY_NAME}: median place"].value == 1
    assert found[f"{BY_NAME}: first"].coverage == pytest.approx(6 / 9)
    assert found[f"{BY_NAME}: first"].interval_kind is IntervalKind.CONFIDENCE
    assert found[f"{BY_WORD}: first"].n == 5
    ordered = federation().rooms.sort(["members", "room_id"], descending=[True, False], nulls_last=True)
    # A room that holds the text twice is one answer, and one of the same members comes by its ID.
    assert places_of(ordered, [Query("garden", 3), Query("Garden", 0)]) == [4, 1]


@pytest.mark.parametrize(
    ("text", "repeats"),
    [("aaa", True), ("Aaa", True), ("abab", True), ("ababa", True), ("haha hah", False), ("lala", True),
     ("abcab", False), ("aab", False), ("abca", False), ("chess", False)],
)  # fmt: skip
def test_a_name_that_repeats_itself_is_known(text: str, repeats: bool) -> None:
    assert searching.repeats_itself(text) is repeats
    pieces = {text.lower()[:size] for size in range(1, len(text) // 2 + 1)}
    assert repeats is any((piece * len(text)).startswith(text.lower()) for piece in pieces)


def test_nothing_drawn_is_nothing_known() -> None:
    assert {row.value for row in known_item(empty_snapshot())} == {None}


def test_queries_are_the_same_every_time_and_a_word_stands_in_the_name() -> None:
    assert rows(federation()) == rows(federation())
    for name in ("garden of matrix", "日本 abc", "one2three"):
        word = searching._one_word(name, 2**31 + len(name))
        assert word is not None
        assert word in name
        assert word.isalpha()
    assert searching._one_word("ab 12 !", 5) is None


def test_places_are_those_of_the_room_list(tmp_path: Path) -> None:
    """The same queries, asked of the list that the dashboard and the API show."""
    census = tmp_path / "census.duckdb"
    write_census(census, servers=60)
    serving = publish(census)
    (snap,) = load_frames(serving).snapshots
    ordered = snap.rooms.sort(["members", "room_id"], descending=[True, False], nulls_last=True)
    ids = ordered["room_id"].to_list()
    names = dict(ordered.select("room_id", "name").iter_rows())
    queries = [Query(name, ids.index(room)) for room, name in names.items() if name and len(name) >= 3][:60]
    places = places_of(ordered, queries)
    with closing(SnapshotReader.open(census)) as reader:
        for query, place in zip(queries, places, strict=True):
            page = reader.rooms_page(snap.crawl_id, text=query.text, limit=1000)
            assert [row.room_id for row in page.rows].index(ids[query.place]) + 1 == place
    assert max(places) > 1


@pytest.mark.parametrize("n", [1, 2, 5, 20, 101, SAMPLE])
def test_the_median_has_the_interval_of_its_order_statistics(n: int) -> None:
    """At least 95 times in a hundred the true median lies between two order statistics (Binomial, exact)."""
    found = median_place(list(range(n, 0, -1)))
    assert found.value == (n + 1) // 2
    assert found.lo is not None
    assert found.hi is not None
    lo, hi = round(found.lo), round(found.hi)
    holds = binom.cdf(hi - 1, n, 0.5) - binom.cdf(lo - 1, n, 0.5)
    assert holds >= 0.945 or (lo, hi) == (1, n)
    assert holds <= 0.99 or n <= 20
    assert median_place([]).value is None
