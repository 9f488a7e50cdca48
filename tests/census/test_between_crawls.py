"""What a census remembers from one crawl to the next, seen from the practice servers' side: the dead are left in peace,
who closed a directory is not asked for it again, who opted out hears nothing at all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawler.store.serving import serving_file
from tests.census.practice import PACE, Practice, census, practice, rows

QUICK = [
    part
    for name, value in {
        "dns_timeout_s": 4,
        "connect_timeout_s": 4,
        "first_dns_timeout_s": 2,
        "first_connect_timeout_s": 2,
    }.items()
    for part in ("--set", f"limits.{name}={value}")
]
"""Nobody here is slow; the silent are only to be waited for twice."""


@dataclass(frozen=True)
class Twice:
    """The same federation crawled twice into one file, the second time with an opt-out list."""

    truth: dict[str, Any]
    first: list[dict[str, Any]]
    second: list[dict[str, Any]]
    opted_out: str
    db: Path
    serving: Path
    told: str

    def seen(self, crawl: int) -> dict[str, dict[str, Any]]:
        sql = f"SELECT * FROM server_observation JOIN server USING (server_id) WHERE crawl_id = {crawl}"
        return {row["server_name"]: row for row in rows(self.serving, sql)}

    def report(self, crawl: int) -> dict[str, Any]:
        (row,) = rows(self.serving, f"SELECT report FROM crawl WHERE crawl_id = {crawl}")
        report: dict[str, Any] = json.loads(row["report"])
        return report


def crawl(lab: Practice, db: Path, *more: str) -> str:
    told = census("crawl", "--db", str(db), *PACE, *QUICK, *lab.options(), *more)
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    folder = tmp_path_factory.mktemp("twice")
    db = folder / "census.duckdb"
    with practice(folder / "lab", 120, 3) as lab:
        crawl(lab, db)
        first = lab.sightings()
        closed = {
            name for name, facts in lab.truth["servers"].items() if (facts["directory"] or {}).get("state") == "open"
        }
        opted_out = min(closed - set(lab.truth["seeds"]))
        (folder / "opt-out.txt").write_text(f"# asked us by mail\n{opted_out}\n")  # the census's own list
        told = crawl(lab, db)
        serving = serving_file(db)
        assert serving is not None
        yield Twice(lab.truth, first, lab.sightings()[len(first) :], opted_out, db, serving, told)


def test_the_dead_are_left_in_peace_and_stay_known(twice: Twice) -> None:
    before, after = twice.seen(1), twice.seen(2)
    dead = {name for name, row in before.items() if not row["online"]}
    assert dead
    given_by_hand = set(twice.truth["seeds"])
    assert dead & set(after) <= given_by_hand
    assert set(before) - set(after) == (dead - given_by_hand) | {twice.opted_out}
    assert twice.report(2)["left_out"]["not_due"] == len(dead - given_by_hand)
    assert twice.report(2)["funnel"]["known"] == twice.report(1)["funnel"]["known"]
    assert "not due" in twice.told


def test_nobody_alive_is_called_offline(twice: Twice) -> None:
    for number in (1, 2):
        for name, row in twice.seen(number).items():
            assert row["online"] == twice.truth["servers"][name]["predicates"]["online"], (number, name)


def test_who_closed_the_directory_is_not_asked_for_it_again(twice: Twice) -> None:
    denied = {s["server"] for s in twice.first if "/publicRooms" in s["target"] and s["status"] == 403}
    assert denied
    again = {s["server"] for s in twice.second if "/publicRooms" in s["target"]}
    assert not denied & again
    skipped = [row for name, row in twice.seen(2).items() if name in denied]
    assert all(row["directory_state"] == "skipped" and row["online"] for row in skipped)


def test_who_opted_out_hears_nothing_of_us(twice: Twice) -> None:
    assert twice.opted_out in {s["server"] for s in twice.first}
    assert twice.opted_out not in {s["server"] for s in twice.second}
    assert twice.report(2)["left_out"]["opted_out"] == 1


def test_robots_are_asked_before_rooms(twice: Twice) -> None:
    first_robots: dict[str, float] = {}
    for sighting in twice.first:
        if sighting["target"] == "/robots.txt":
            first_robots.setdefault(sighting["server"], sighting["at_s"])
        elif "/publicRooms" in sighting["target"]:
            assert first_robots[sighting["server"]] <= sighting["at_s"]


def test_every_lead_has_the_crawls_that_saw_it_first_and_last(twice: Twice) -> None:
    spans = rows(twice.db, "SELECT * FROM lead_span")  # the journal of older crawls is not published
    assert {(span["first_crawl_id"], span["last_crawl_id"]) for span in spans} >= {(1, 2)}
    assert all(1 <= span["first_crawl_id"] <= span["last_crawl_id"] <= 2 for span in spans)
