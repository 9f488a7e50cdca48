"""A crawl of 300 practice servers, scored against what the federation knows of itself.

The truth comes from the lab's own tables, not from our resolver or parsers: each server must be found, and called what
it is, by name: which branch led to it, how far it came, what broke it, what software it runs, what its directory holds.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.store.serving import serving_file
from tests.census.practice import PACE, Practice, census, practice, rows

SERVERS = 300
SEED = 20261124
BRIDGED = ("bridged_rooms", "bridged_memberships", "bridged_users")
PREDICATES = ("resolves", "reachable", "secure", "online", "federating", "listing")


class Crawled:
    """One signed and one unsigned crawl of the same federation."""

    def __init__(self, lab: Practice, folder: Path) -> None:
        self.lab = lab
        self.truth = lab.truth
        self.db = folder / "census.duckdb"
        whole = ["--contact", "t@census.example", "--set", "limits.alias_lookups=2000", *PACE]
        self.told = census("crawl", "--db", str(self.db), *whole, *lab.options())
        assert self.told.returncode == 0, self.told.stderr
        self.signed_sightings = lab.sightings()
        serving = serving_file(self.db)
        assert serving is not None
        self.serving = serving
        self.seen = {
            row["server_name"]: row
            for row in rows(serving, "SELECT * FROM server_observation JOIN server USING (server_id)")
        }
        self.unsigned_db = unsigned_db = folder / "unsigned.duckdb"
        without = lab.options("identity", "serve_key", "tls_cert", "tls_key")
        self.unsigned_told = census(
            "crawl", "--db", str(unsigned_db), "--set", "limits.alias_lookups=2000", *PACE, *without
        )
        assert self.unsigned_told.returncode == 0, self.unsigned_told.stderr
        unsigned = serving_file(unsigned_db)
        assert unsigned is not None
        self.unsigned_serving = unsigned

    def findable(self) -> dict[str, dict[str, Any]]:
        return {name: facts for name, facts in self.truth["servers"].items() if facts["findable"]}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("scored")
    with practice(folder / "lab", SERVERS, SEED) as lab:
        yield Crawled(lab, folder)


def listed_signed(crawled: Crawled) -> dict[str, Any]:
    """The rooms that a signed crawl can find in a directory."""
    return {room_id: facts for room_id, facts in crawled.truth["rooms"].items() if facts["signed"]}


def differences(crawled: Crawled, ours: str, theirs: Any) -> dict[str, tuple[Any, Any]]:
    """Name -> (we say, it is), wherever the two differ."""
    return {
        name: (crawled.seen[name][ours], theirs(facts))
        for name, facts in crawled.findable().items()
        if crawled.seen[name][ours] != theirs(facts)
    }


def test_all_that_can_be_found_is_found_and_nothing_else(crawled: Crawled) -> None:
    assert set(crawled.seen) == set(crawled.findable())


@pytest.mark.parametrize("predicate", PREDICATES)
def test_each_server_comes_as_far_as_it_does(crawled: Crawled, predicate: str) -> None:
    assert differences(crawled, predicate, lambda facts: facts["predicates"][predicate]) == {}


def test_accepting_is_said_where_it_can_be_known_and_never_wrongly(crawled: Crawled) -> None:
    for name, facts in crawled.findable().items():
        said = crawled.seen[name]["accepting"]
        if said is not None:
            assert said == facts["predicates"]["accepting"], name
    assert (
        sum(row["accepting"] is True for row in crawled.seen.values()) == crawled.truth["totals"]["signed"]["accepting"]
    )


def test_each_broken_server_is_called_what_it_is(crawled: Crawled) -> None:
    assert differences(crawled, "failed_kind", lambda facts: facts["failure"]) == {}


def test_each_name_resolves_by_its_branch(crawled: Crawled) -> None:
    resolving = {n: f for n, f in crawled.findable().items() if f["predicates"]["resolves"]}
    assert {name: crawled.seen[name]["branch"] for name in resolving} == {n: f["branch"] for n, f in resolving.items()}
    assert {f["branch"] for f in resolving.values()} == {"1", "2", "3.1", "3.2", "3.3", "3.4", "3.5", "4", "5", "6"}


def test_the_endpoint_used_is_one_of_the_servers_own_and_works(crawled: Crawled) -> None:
    for name, facts in crawled.findable().items():
        seen = crawled.seen[name]
        if facts["predicates"]["secure"]:
            working = [e for e in facts["endpoints"] if e["works"]]
            used = {key: seen[key] for key in ("address", "port", "host_header", "tls_name")}
            assert used in [{key: e[key] for key in used} for e in working], name


def test_software_and_version_are_named_rightly(crawled: Crawled) -> None:
    for name, facts in crawled.findable().items():
        if facts["predicates"]["online"]:
            expected = facts["software"]
            seen = crawled.seen[name]
            assert (seen["software"], seen["version"]) == (expected["software"], expected["version"]), name


def test_each_directory_is_in_its_state_and_read_whole(crawled: Crawled) -> None:
    for name, facts in crawled.findable().items():
        seen, directory = crawled.seen[name], facts["directory"]
        if directory is None:  # nothing that federates; whatever its door says, it lists nothing
            assert not seen["listing"], name
            continue
        assert seen["directory_state"] == directory["state"], name
        if directory["state"] in ("open", "open_empty"):
            read = (seen["directory_rooms"], seen["directory_noindex"], seen["directory_stopped"])
            assert read == (directory["rooms"], directory["noindex"], "complete"), name


def test_every_room_has_the_members_that_its_directories_say(crawled: Crawled) -> None:
    sql = "SELECT room_id, directories, members, members_min, members_max FROM room"
    seen = {row["room_id"]: row for row in rows(crawled.serving, sql)}
    expected = {room_id: facts["signed"] for room_id, facts in listed_signed(crawled).items()}
    assert set(seen) == set(expected)
    for room_id, facts in expected.items():
        row = seen[room_id]
        assert row["directories"] == facts["directories"]
        assert (row["members"], row["members_min"], row["members_max"]) == (
            facts["members_median"],
            facts["members_min"],
            facts["members_max"],
        )


def test_the_crawl_is_a_synthetic_census_signed_and_counted(crawled: Crawled) -> None:
    (crawl,) = rows(crawled.serving, "SELECT * FROM census")
    totals = crawled.truth["totals"]["signed"]
    assert (crawl["synthetic"], crawl["identity"] is not None) == (True, True)
    assert (crawl["servers"], crawl["online"], crawl["rooms"]) == (totals["known"], totals["online"], totals["rooms"])
    report = json.loads(crawl["report"])
    assert report["funnel"]["federating"] == totals["federating"]
    assert report["traffic"]["requests"] > totals["online"]


def test_every_server_but_the_seeds_has_a_lead_that_says_who_named_it(crawled: Crawled) -> None:
    leads = rows(
        crawled.serving,
        "SELECT named.server_name AS name, source, teller.server_name AS named_by FROM lead "
        "JOIN server AS named USING (server_id) LEFT JOIN server AS teller ON teller.server_id = lead.named_by",
    )
    told = {(lead["name"], lead["source"]) for lead in leads}
    for name, facts in crawled.findable().items():
        sources = {source for who, source in told if who == name}
        by_space = {source for source in sources if source.startswith("space_")}
        assert sources - by_space == set(facts["sources"]), name
        # Who is in a space of its own names itself there, which is no lead.
        assert facts["named_by_space"] or "space_via" not in by_space, name
        assert facts["sources"] or by_space, name
    assert {source for _, source in told} >= {"seed", "room_id", "alias", "alias_servers", "well_known", "space_via"}
    assert all((lead["named_by"] is None) == (lead["source"] == "seed") for lead in leads)


def test_metrics_say_the_truth(crawled: Crawled) -> None:
    told = census("metrics", "--json", "--db", str(crawled.db))
    assert told.returncode == 0, told.stderr
    metrics = {(row["metric"], row["dimension"]): row for row in json.loads(told.stdout)}
    totals = crawled.truth["totals"]["signed"]
    for predicate in ("known", *PREDICATES):
        assert metrics["servers", predicate]["value"] == totals[predicate]
    spaces = {row["room_id"] for row in rows(crawled.serving, "SELECT room_id FROM room WHERE room_type = 'm.space'")}
    medians = {room_id: facts["signed"]["members_median"] for room_id, facts in listed_signed(crawled).items()}
    assert sum(medians.values()) == totals["memberships"]
    of_rooms = sum(members for room_id, members in medians.items() if room_id not in spaces)
    assert metrics["memberships", "all"]["value"] == of_rooms
    assert metrics["rooms", "space"]["value"] == len(spaces)
    assert metrics["rooms", "room"]["value"] + metrics["rooms", "space"]["value"] == totals["rooms"]
    assert all(row["synthetic"] for row in metrics.values())
    up = [facts for facts in crawled.findable().values() if facts["predicates"]["online"]]
    broken = sum((facts["failure"] or "").startswith(("keys_", "json_")) for facts in up)
    keys, paging = metrics["conformance", "key document"], metrics["conformance", "paging"]
    assert keys["n"] == totals["federating"] + broken > totals["federating"]
    assert keys["value"] == totals["federating"] / keys["n"]
    assert (paging["value"], paging["n"]) == (1, totals["listing"])
    in_spaces = metrics["rooms_in_spaces", "also in a space"]
    named = {row["child_id"] for row in rows(crawled.serving, "SELECT DISTINCT child_id FROM space_child")}
    assert in_spaces["value"] * in_spaces["n"] == pytest.approx(len(named & (medians.keys() - spaces)))
    assert 0 < in_spaces["value"] < 1


def test_rooms_of_third_party_networks_are_counted_by_what_their_alias_tells(crawled: Crawled) -> None:
    portals = crawled.truth["network_rooms"]
    # Of these IRC networks a bridge is known by its alias at matrix.org alone, where no practice server is.
    unknown = ("#_oftc_", "#_snoonet_")
    protocols = Counter(
        "unknown protocol" if facts["alias"].startswith(unknown) else facts["network"] for facts in portals.values()
    )
    assert len(protocols) > 2
    assert protocols["unknown protocol"]
    told = json.loads(census("metrics", "--json", "--db", str(crawled.db)).stdout)
    of = {metric: {r["dimension"]: r["value"] for r in told if r["metric"] == metric} for metric in BRIDGED}
    apart = {
        name.removeprefix("third-party networks: "): rooms
        for name, rooms in of["bridged_rooms"].items()
        if name.startswith("third-party networks: ") and not name.endswith((" confidence", " bridges"))
    }
    assert apart == protocols
    assert of["bridged_rooms"]["third-party networks"] == len(portals)
    assert of["bridged_memberships"]["third-party networks"] == sum(facts["members"] for facts in portals.values())
    assert not portals.keys() & listed_signed(crawled).keys()
    both = of["bridged_memberships"]["third-party networks"] + of["bridged_memberships"]["all"]
    assert of["bridged_users"]["with third-party networks"] == both / 2
    unsigned = json.loads(census("metrics", "--json", "--db", str(crawled.unsigned_db)).stdout)
    (row,) = (row for row in unsigned if row["dimension"] == "third-party networks" and row["metric"] == BRIDGED[0])
    assert row["value"] is None


def test_an_unsigned_crawl_says_so_and_reads_what_is_open_to_it(crawled: Crawled) -> None:
    assert "unsigned" in crawled.unsigned_told.stderr
    totals = crawled.truth["totals"]["unsigned"]
    (crawl,) = rows(crawled.unsigned_serving, "SELECT * FROM census")
    assert crawl["identity"] is None
    assert (crawl["servers"], crawl["online"], crawl["rooms"]) == (totals["known"], totals["online"], totals["rooms"])
    (counted,) = rows(
        crawled.unsigned_serving,
        "SELECT count(*) FILTER (WHERE listing) AS listing, count(*) FILTER (WHERE accepting) AS accepting "
        "FROM server_observation",
    )
    assert counted == {"listing": totals["listing"], "accepting": 0}


def test_the_servers_saw_a_good_neighbour(crawled: Crawled) -> None:
    sightings = [s for s in crawled.signed_sightings if s["server"] is not None]
    agents = {s["user_agent"] for s in sightings}
    assert len(agents) == 1
    assert "matrix-census/" in (agent := agents.pop())
    assert "(+t@census.example)" in agent
    assert max(s["together"] for s in sightings) <= 2  # limits.address_concurrency
    pages = [s for s in sightings if "/publicRooms" in s["target"]]
    asked = [(s["server"], s["target"]) for s in pages if s["status"] != 429]
    assert len(asked) == len(set(asked))  # no page was asked for twice
    for limited in (s for s in pages if s["status"] == 429):  # and who asked for a rest had it
        rest_of_it = [s["at_s"] for s in pages if s["server"] == limited["server"] and s["at_s"] > limited["at_s"]]
        assert all(at_s >= limited["at_s"] + 1 for at_s in rest_of_it)
    refused = {s["server"] for s in sightings if "/publicRooms" in s["target"] and s["status"] == 403}
    assert refused
    for server in refused:  # one who said no is not asked again, through no door
        assert len([1 for who, _ in asked if who == server]) == 1, server


def test_the_demo_federation_is_not_the_real_one(crawled: Crawled) -> None:
    told = census("status", "--json", "--db", str(crawled.db))
    (crawl,) = json.loads(told.stdout)
    assert crawl["synthetic"] is True
    assert (crawl["state"], crawl["scope"]) == ("completed", "full")
