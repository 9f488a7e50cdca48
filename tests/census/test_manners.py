"""What the practice servers saw of a crawl by two processes: rate, concurrency, who asked, and that a no is a no."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from crawler.store.serving import serving_file
from tests.census.practice import Practice, census, practice, rows

SERVERS = 150
TOGETHER, RATE_PER_S = 2, 20.0
AGENT = "(+neighbour@census.example)"

DIRECTORY = "/publicRooms"

QUICK = [
    part
    for name, value in {
        "address_concurrency": TOGETHER,
        "address_rate_per_s": RATE_PER_S,
        "alias_lookups": 2000,
        "dns_timeout_s": 4,
        "connect_timeout_s": 4,
        "first_dns_timeout_s": 2,
        "first_connect_timeout_s": 2,
    }.items()
    for part in ("--set", f"limits.{name}={value}")
]


@dataclass(frozen=True)
class Crawled:
    """What the servers saw, in the order of its coming, and what they are."""

    sightings: list[dict[str, Any]]
    servers: dict[str, dict[str, Any]]
    opted_out: str
    report: dict[str, Any]

    def of(self, server: str) -> list[dict[str, Any]]:
        return [seen for seen in self.sightings if seen["server"] == server]

    def who(self, fact: str, *values: object) -> list[str]:
        """Servers that were asked for something and are so."""
        asked = {seen["server"] for seen in self.sightings}
        return [name for name, facts in self.servers.items() if facts[fact] in values and name in asked]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("manners")
    db = folder / "census.duckdb"
    with practice(folder / "lab", SERVERS, 5) as lab:
        servers, opted_out = lab.truth["servers"], left_alone(lab)
        (folder / "opt-out.txt").write_text(f"{opted_out}\n")
        options = ["--workers", "2", "--contact", "neighbour@census.example", *QUICK, *lab.options()]
        told = census("crawl", "--db", str(db), *options)
        assert told.returncode == 0, told.stderr
        sightings = sorted(lab.sightings(), key=lambda seen: seen["at_s"])
    serving = serving_file(db)
    assert serving is not None
    (crawl,) = rows(serving, "SELECT report::VARCHAR AS report FROM census")
    return Crawled([seen for seen in sightings if seen["server"]], servers, opted_out, json.loads(crawl["report"]))


def left_alone(lab: Practice) -> str:
    """Somebody who is there, lists rooms, and would be found."""
    truth = lab.truth
    would = (
        name
        for name, facts in truth["servers"].items()
        if facts["findable"] and (facts["directory"] or {}).get("state") == "open" and name not in truth["seeds"]
    )
    return str(next(would))


def test_each_address_is_asked_at_its_pace(crawled: Crawled) -> None:
    assert max(seen["together"] for seen in crawled.sightings) <= TOGETHER
    times: defaultdict[str, list[float]] = defaultdict(list)
    for seen in crawled.sightings:
        times[seen["address"]].append(seen["at_s"])
    busy = [at for at in times.values() if len(at) > RATE_PER_S]
    assert busy
    for at in busy:
        # Requests leave at the pace and may reach a busy server in heaps: over the crawl they cannot be quicker.
        assert len(at) <= RATE_PER_S * (at[-1] - at[0]) + TOGETHER


def test_everybody_hears_who_asks(crawled: Crawled) -> None:
    (agent,) = {seen["user_agent"] for seen in crawled.sightings}
    assert agent.startswith("matrix-census/")
    assert agent.endswith(AGENT)


def test_who_opted_out_hears_nothing(crawled: Crawled) -> None:
    assert crawled.of(crawled.opted_out) == []
    assert crawled.report["left_out"]["opted_out"] == 1


def test_who_wants_to_be_left_alone_is_asked_for_nothing_after_saying_so(crawled: Crawled) -> None:
    told = crawled.who("robots", "disallows_us")
    assert told
    for server in told:
        targets = [seen["target"] for seen in crawled.of(server)]
        assert not any(DIRECTORY in target for target in targets), server
        if "/robots.txt" in targets:
            assert targets[targets.index("/robots.txt") + 1 :] == [], server
    assert any("/robots.txt" in {seen["target"] for seen in crawled.of(server)} for server in told)


def test_who_closes_the_directory_by_robots_is_not_asked_for_it(crawled: Crawled) -> None:
    for server in crawled.who("robots", "disallows_us", "disallows_us_the_directory"):
        assert not any(DIRECTORY in seen["target"] for seen in crawled.of(server)), server


def test_a_closed_door_is_tried_once_and_no_other_door_after_it(crawled: Crawled) -> None:
    refused = {seen["server"] for seen in crawled.sightings if DIRECTORY in seen["target"] and seen["status"] == 403}
    assert refused
    for server in refused:
        assert len([seen for seen in crawled.of(server) if DIRECTORY in seen["target"]]) == 1, server


def test_who_asks_for_a_rest_has_it(crawled: Crawled) -> None:
    limited = [seen for seen in crawled.sightings if seen["status"] == 429]
    assert limited
    assert crawled.report["traffic"]["rate_limited"] == len(limited)
    for tired in limited:
        answered_at_s = tired["at_s"] + tired["took_s"]
        # By whomever of us, whatever for; what came before the answer left us could not know of it.
        early = [seen for seen in crawled.of(tired["server"]) if answered_at_s < seen["at_s"] < answered_at_s + 0.8]
        assert early == []


def test_nothing_is_asked_for_twice(crawled: Crawled) -> None:
    pages = [(s["server"], s["target"]) for s in crawled.sightings if DIRECTORY in s["target"] and s["status"] != 429]
    assert len(pages) == len(set(pages))


def test_the_report_counts_what_the_servers_saw(crawled: Crawled) -> None:
    assert crawled.report["traffic"]["requests"] >= len(crawled.sightings)
    robots: defaultdict[str, int] = defaultdict(int)
    for name, facts in crawled.servers.items():
        if any(seen["target"] == "/robots.txt" and seen["status"] for seen in crawled.of(name)):
            robots[facts["robots"]] += 1
    told = crawled.report["robots"]
    assert told["disallows_us_entirely"] == robots["disallows_us"] > 0
    assert told.get("disallows_us", 0) == robots["disallows_us_the_directory"]
