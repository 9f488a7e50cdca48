"""A federation of which a tenth tries to hold us up, and one server has more rooms than all others: everybody is judged
as they are, each who held us up is bounded and named, and the big directory is read whole within its budgets.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from crawler.lab.directory import Directories
from crawler.lab.profile import CALM
from crawler.lab.world import World
from crawler.model.rooms import DirectoryWay
from crawler.store.serving import serving_file
from tests.census.practice import PACE, Practice, census, practice, rows

SERVERS = 60
SEED = 1
TARPITS = 0.1
ROOMS = 2000
ALIASES = 50
"""Look-ups asked of one server in one crawl, unless set otherwise."""

QUICKLY = [
    part
    for limit in ("dns_timeout_s=3.0", "connect_timeout_s=3.0", "request_timeout_s=3.0", "tries=30")
    for part in ("--set", f"limits.{limit}")
]
"""Who is silent need not be waited for as long as on the live network; and on a machine with other work to do, at such
deadlines, more tries than two may be unfair."""


@dataclass(frozen=True, slots=True)
class Crawled:
    truth: dict[str, Any]
    seen: dict[str, dict[str, Any]]
    report: dict[str, Any]
    alias_questions: dict[str, int]
    requests: dict[str, int]
    """Of each server, in the try that settled what it is."""

    def further(self) -> dict[str, dict[str, Any]]:
        """The names beyond those that were asked for: those that hold us up."""
        return dict(list(self.truth.items())[SERVERS:])


def crawl(lab: Practice, folder: Path) -> Crawled:
    db = folder / "census.duckdb"
    told = census("crawl", "--db", str(db), "--contact", "t@census.example", *PACE, *QUICKLY, *lab.options())
    assert told.returncode == 0, told.stderr
    serving = serving_file(db)
    assert serving is not None
    questions: dict[str, int] = {}
    for sighting in lab.sightings():
        if "/directory/room/" in sighting["target"]:
            questions[sighting["server"]] = questions.get(sighting["server"], 0) + 1
    (crawled,) = rows(serving, "SELECT report FROM crawl")
    seen = rows(serving, "SELECT * FROM server_observation JOIN server USING (server_id)")
    by_name = {row["server_name"]: row for row in seen}
    visits = rows(serving, "SELECT server_name, requests FROM visit JOIN server USING (server_id)")
    requests = {row["server_name"]: row["requests"] for row in visits}
    return Crawled(lab.truth["servers"], by_name, json.loads(crawled["report"]), questions, requests)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("held_up")
    kind = ("--profile", CALM.name, "--tarpits", str(TARPITS), "--big-directory", str(ROOMS))
    with practice(folder / "lab", SERVERS, SEED, *kind) as lab:
        yield crawl(lab, folder)


def test_all_are_found_and_no_live_server_is_called_offline(crawled: Crawled) -> None:
    assert set(crawled.seen) == {name for name, facts in crawled.truth.items() if facts["findable"]}
    assert len(crawled.further()) == SERVERS * TARPITS
    for name, facts in crawled.truth.items():
        assert crawled.seen[name]["online"] is facts["predicates"]["online"], name


def test_who_held_us_up_is_named_with_the_bound_that_ended_it(crawled: Crawled) -> None:
    bound_of = {"stalls": "tls_timeout", "never_answers": "http_timeout", "drips": "http_timeout", None: "page_budget"}
    expected = {name: bound_of[facts["death"]] for name, facts in crawled.further().items()}
    assert set(expected.values()) == set(bound_of.values())
    assert crawled.report["bounds_hit"] == {"servers": len(expected), "named": expected}


def test_who_does_not_end_an_answer_is_not_asked_the_next(crawled: Crawled) -> None:
    """Each question that is not put saves the whole of its deadline. What their well-known host has, it may tell."""
    held = [name for name, facts in crawled.further().items() if facts["death"] in ("never_answers", "drips")]
    assert held
    assert all(crawled.requests[name] <= 3 for name in held), [crawled.requests[name] for name in held]


def test_pages_without_end_cost_a_few_pages(crawled: Crawled) -> None:
    (endless,) = (name for name, facts in crawled.further().items() if facts["death"] is None)
    assert crawled.seen[endless]["directory_stopped"] == "page_budget"
    assert crawled.seen[endless]["directory_pages"] <= 20


def test_a_directory_of_thousands_is_read_whole_within_the_budget_of_its_aliases(crawled: Crawled) -> None:
    name, facts = next(iter(crawled.truth.items()))
    seen = crawled.seen[name]
    assert facts["directory"]["rooms"] > ROOMS * 0.8  # the others are not published, or ask to be left out
    assert (seen["directory_state"], seen["directory_stopped"]) == ("open", "complete")
    assert seen["directory_rooms"] == facts["directory"]["rooms"]
    world = World(SEED, SERVERS, replace(CALM, tarpits=TARPITS, big_directory=ROOMS))
    listed = [row.room for row in Directories(world).rows(0, DirectoryWay.FEDERATION) if not row.is_filtered]
    own = sum(room.alias is not None and room.origin == 0 and not room.is_noindex for room in listed)
    assert crawled.alias_questions[name] == ALIASES
    assert seen["aliases_outstanding"] == own - ALIASES
    assert crawled.report["aliases_outstanding"] >= own - ALIASES
