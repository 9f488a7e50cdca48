"""What is remembered of one server and one room over several crawls, against what was written."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.model.crawl import CrawlScope
from crawler.store.histories import RoomDetail, ServerHistory
from crawler.store.reader import SnapshotReader
from tests.dashboard.federation import SEALED, publish, write_census

NAME = "matrix.example"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotReader]:
    """Three censuses of growing federations; the server of the smallest number is in all of them."""
    census = tmp_path_factory.mktemp("histories") / "census.duckdb"
    for days, servers in ((120, 20), (2, 24), (0, 28)):
        write_census(census, servers=servers, days_ago=days)
    publish(census)
    with SnapshotReader.open(census) as opened:
        yield opened


def history(reader: SnapshotReader, name: str = NAME, crawl: int = 3) -> ServerHistory:
    return reader.server_history(name, crawl)


def test_the_days_tell_how_often_a_server_was_online(reader: SnapshotReader) -> None:
    days = history(reader).days
    assert [(day.day, day.crawls, day.known, day.online) for day in days] == [
        ((SEALED - timedelta(days=2)).date(), 1, 1, 1),
        (SEALED.date(), 1, 1, 1),
    ]


def test_the_past_of_a_crawl_ends_with_it(reader: SnapshotReader) -> None:
    days = history(reader, crawl=1).days
    assert [day.day for day in days] == [(SEALED - timedelta(days=120)).date()]


def test_what_stands_since_the_first_crawl_is_one_span(reader: SnapshotReader) -> None:
    past = history(reader)
    first = SEALED - timedelta(days=120)
    assert past.first_online == first
    assert [(span.what, span.detail, span.seen_from, span.seen_to) for span in past.versions] == [
        ("synapse", "1.121.1", first, None)
    ]
    assert past.keys
    assert all(span.what and span.what.startswith("ed25519:") for span in past.keys)
    assert past.certificates


def test_a_name_in_any_case_is_the_same_server_and_an_unknown_one_has_no_past(reader: SnapshotReader) -> None:
    assert history(reader, "MATRIX.example") == history(reader)
    nobody = history(reader, "never-heard-of.example")
    assert (nobody.first_online, nobody.versions, nobody.keys) == (None, (), ())
    assert all(day.known == 0 for day in nobody.days)


def test_a_room_is_told_with_its_past_and_who_lists_it(reader: SnapshotReader) -> None:
    found = reader.room("!script:matrix.example", 3)
    assert isinstance(found, RoomDetail)
    assert found.now is not None
    assert found.history[0].seen_from == SEALED - timedelta(days=120)
    assert found.history[-1].seen_to is None
    assert found.history[-1].members == found.now.members
    assert NAME in found.listed_by
    assert found.listed_by_total == found.now.directories


def test_a_room_that_no_crawl_saw_is_none(reader: SnapshotReader) -> None:
    assert reader.room("!nowhere:matrix.example", 3) is None
    assert reader.room("' OR 1=1 --", 3) is None


def test_rooms_with_signs_and_without_make_up_all(reader: SnapshotReader) -> None:
    totals = [reader.rooms_page(3, noise=noise).total for noise in (False, True, None)]
    assert totals[0] + totals[1] == totals[2]
    assert totals[1] > 0


def test_a_file_without_signs_hides_nothing(tmp_path: Path) -> None:
    from crawler.store.publish import stage  # without the steps of analytics

    census = tmp_path / "census.duckdb"
    write_census(census, servers=12, scope=CrawlScope.FULL)
    with stage(census) as draft:
        draft.commit()
    with SnapshotReader.open(census) as plain:
        assert plain.rooms_page(1, noise=False).total == plain.rooms_page(1).total > 0
        assert plain.rooms_page(1, noise=True).total == plain.rooms_page(1).total
