"""Languages and words at an equal number of rooms: against all lots drawn one by one, and what must not raise them."""

from itertools import combinations
from statistics import mean

import polars as pl
import pytest

from analytics import diversity as counted
from analytics.diversity import LANGUAGES_AMONG, WORDS_AMONG, diversity, words_of_names
from analytics.schemas import ROOM_COLUMNS
from analytics.signal import FEATURE_COLUMNS
from analytics.snapshot import Snapshot
from tests.analytics.frames import empty_snapshot, snapshot

ROOMS = (
    ("Garden club garden", "de"), ("The garden", "en"), ("Chess club", "en"), ("ab", "und"), (None, "fr"),
    ("ΣΟΦΙΑ the", "en"),
)  # fmt: skip


def federation() -> tuple[Snapshot, pl.DataFrame]:
    rooms = [dict.fromkeys(ROOM_COLUMNS) | {"room_id": f"!{n}", "name": name} for n, (name, _) in enumerate(ROOMS)]
    rooms.append(dict.fromkeys(ROOM_COLUMNS) | {"room_id": "!s", "name": "space words", "room_type": "m.space"})
    features = [
        dict.fromkeys(FEATURE_COLUMNS) | {"room_id": f"!{n}", "language": language}
        for n, (_, language) in enumerate(ROOMS)
    ]
    return snapshot(rooms=pl.DataFrame(rooms, schema=ROOM_COLUMNS)), pl.DataFrame(features, schema=FEATURE_COLUMNS)


def test_a_word_counts_once_in_a_room_and_only_in_rooms() -> None:
    seen_in, rooms = words_of_names(federation()[0].rooms.filter(pl.col("room_type").is_null()))
    assert rooms == 4
    assert sorted(seen_in) == [1, 1, 2, 2, 2]  # chess, sophia; garden, club, the


def test_a_lot_of_rooms_shows_what_all_lots_show_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "ROOMS_DRAWN", (2, 4, 100))
    found = {(row.metric, row.dimension): row for row in diversity(*federation())}
    words = [{"garden", "club"}, {"the", "garden"}, {"chess", "club"}, {"sophia", "the"}]
    lots = [len(set().union(*lot)) for lot in combinations(words, 2)]
    assert found[WORDS_AMONG, "in 2 rooms"].value == pytest.approx(mean(lots))
    assert found[WORDS_AMONG, "in 4 rooms"].value == pytest.approx(5)
    assert found[WORDS_AMONG, "in 2 rooms"].coverage == pytest.approx(4 / 6)
    known = ["de", "en", "en", "fr", "en"]
    assert found[LANGUAGES_AMONG, "in 2 rooms"].value == pytest.approx(
        mean(len(set(two)) for two in combinations(known, 2))
    )
    assert found[LANGUAGES_AMONG, "in 2 rooms"].coverage == pytest.approx(5 / 6)
    for metric in (WORDS_AMONG, LANGUAGES_AMONG):
        assert found[metric, "in 100 rooms"].value is None
        assert "only" in found[metric, "in 100 rooms"].method


def test_without_rooms_nothing_is_known() -> None:
    assert {row.value for row in diversity(empty_snapshot(), pl.DataFrame(schema=FEATURE_COLUMNS))} == {None}
