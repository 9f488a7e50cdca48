"""Answers kept in the census file: for the next crawl that looks in the same way, until they expire."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from crawler.model.discovery import Question, SrvRecord
from crawler.protocol.memory import RememberedAnswer
from crawler.protocol.questions import Answer, SrvAnswer, WellKnownAnswer
from crawler.store.publish import stage
from crawler.store.writer import CensusWriter
from tests.store.census import begin, crawl
from tests.store.observations import DAY, online

SETTINGS = '{"limits": {"concurrency": 200}}'
"""Those that `begin` gives its crawls."""
WELL_KNOWN = WellKnownAnswer(200, b'\xff\x00{"m.server"', "text/plain\x00", redirects=("https://a.test/\x7f",))


def heard(subject: str, answer: Answer, *, at: datetime = DAY, for_s: float = 3600) -> RememberedAnswer:
    question = Question.WELL_KNOWN if isinstance(answer, WellKnownAnswer) else Question.SRV
    return RememberedAnswer(question, subject, answer, at, at + timedelta(seconds=for_s))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "census.duckdb"


def remembered(path: Path, now: datetime, settings: str = SETTINGS) -> list[RememberedAnswer]:
    with CensusWriter.open(path) as writer:
        return writer.remembered_answers(settings, now)


def test_they_come_back_as_they_were_heard(path: Path) -> None:
    kept = [
        heard("a.test", WELL_KNOWN),
        heard("_matrix-fed._tcp.a.test", SrvAnswer((SrvRecord(1, 2, 3, "t\\032x.test"),), 300), at=DAY, for_s=300),
    ]
    with CensusWriter.open(path) as writer:
        begin(writer)
        writer.remember(kept)
    again = remembered(path, DAY)
    assert sorted(again, key=lambda r: r.question) == sorted(kept, key=lambda r: r.question)
    assert remembered(path, DAY + timedelta(seconds=300)) == [kept[0]]
    assert remembered(path, DAY + timedelta(seconds=3600)) == []
    assert remembered(path, DAY) == []  # what has expired is removed, not only passed over


def test_the_newer_answer_takes_the_place_of_the_older(path: Path) -> None:
    later = DAY + timedelta(hours=2)
    with CensusWriter.open(path) as writer:
        begin(writer)
        writer.remember([heard("a.test", WELL_KNOWN), heard("b.test", WELL_KNOWN)])
        writer.remember([heard("a.test", WellKnownAnswer(404), at=later)])
        assert writer.remembered_answers(SETTINGS, later) == [heard("a.test", WellKnownAnswer(404), at=later)]


@pytest.mark.parametrize(
    "settings", [{"network": {"dns": "192.0.2.1:53"}}, {"vantage": "elsewhere"}], ids=["other network", "other vantage"]
)
def test_who_looks_in_another_way_is_told_nothing(path: Path, settings: dict[str, object]) -> None:
    with CensusWriter.open(path) as writer:
        begin(writer)
        writer.remember([heard("a.test", WELL_KNOWN)])
    assert len(remembered(path, DAY, json.dumps({"limits": {"concurrency": 1}}))) == 1
    assert remembered(path, DAY, json.dumps(settings)) == []
    assert remembered(path, DAY) == []


def test_what_cannot_be_read_is_asked_for_again(path: Path) -> None:
    with CensusWriter.open(path) as writer:
        begin(writer)
        writer.remember([heard("a.test", WELL_KNOWN), heard("b.test", WELL_KNOWN)])
    with duckdb.connect(str(path)) as connection:
        connection.execute("""UPDATE cached_answer SET answer = '{"status": "?"}' WHERE subject = 'a.test'""")
    assert [answer.subject for answer in remembered(path, DAY)] == ["b.test"]


def test_there_are_never_too_many(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.store.answers.MAX_ANSWERS", 2)
    with CensusWriter.open(path) as writer:
        begin(writer)
        writer.remember(
            [heard(f"{n}.test", WELL_KNOWN, at=DAY + timedelta(seconds=n), for_s=9000) for n in (3, 1, 4, 2)]
        )
    assert [answer.subject for answer in remembered(path, DAY)] == ["3.test", "4.test"]


def test_they_are_not_published(path: Path) -> None:
    with CensusWriter.open(path) as writer:
        writer.remember([heard("a.test", WELL_KNOWN)])
    crawl(path, [online("a.test")])
    serving = stage(path).commit()
    with duckdb.connect(str(serving), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM cached_answer").fetchone() == (0,)
