"""The truth: consistent with itself for every seed and size, and independent of how hard one looks."""

import json
import statistics
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.lab.directory import Directories
from crawler.lab.plan import Standing
from crawler.lab.truth import PREDICATES, Truth
from crawler.lab.world import World
from crawler.model.crawl import LeadSource

worlds = st.builds(World, seed=st.integers(0, 10**6), servers=st.integers(1, 400))
some = settings(max_examples=12, deadline=None)


def document(world: World) -> dict[str, Any]:
    return json.loads(json.dumps(Truth(world).document()))  # type: ignore[no-any-return]


def test_the_same_seed_tells_the_same_truth_and_another_seed_another() -> None:
    one = document(World(7, 120))
    assert document(World(7, 120)) == one
    other = document(World(8, 120))
    assert other["servers"] != one["servers"]
    assert not set(other["rooms"]) & set(one["rooms"])


@given(worlds)
@some
def test_whatever_is_no_island_can_be_found_with_an_identity(world: World) -> None:
    truth = Truth(world)
    islands = {plan.index for plan in world.plans() if plan.standing is Standing.ISLAND}
    assert set(truth.signed.sources) == set(range(world.size)) - islands
    assert set(truth.unsigned.sources) <= set(truth.signed.sources)
    for name in world.seeds():
        assert LeadSource.SEED in truth.signed.sources[world.index_of[name]]


@given(worlds, st.booleans())
@some
def test_a_crawl_that_bounds_its_look_ups_finds_the_same(world: World, signed: bool) -> None:
    truth = Truth(world)
    bounded, all_of_them = truth.findings(signed=signed, look_ups=50), truth.findings(signed=signed)
    assert set(bounded.sources) == set(all_of_them.sources)
    assert {k: sorted(v) for k, v in bounded.members.items()} == {k: sorted(v) for k, v in all_of_them.members.items()}


def test_every_kind_of_lead_is_the_only_one_for_somebody() -> None:
    sources = Truth(World(1, 300)).signed.sources
    alone = {frozenset(found) for found in sources.values() if len(found) == 1}
    assert {frozenset({s}) for s in (LeadSource.ROOM_ID, LeadSource.ALIAS, LeadSource.ALIAS_SERVERS)} <= alone


def test_an_identity_reads_more_directories() -> None:
    totals = document(World(1, 300))["totals"]
    assert totals["signed"]["listing"] > 1.3 * totals["unsigned"]["listing"]
    assert totals["signed"]["known"] > totals["unsigned"]["known"]


def _check_server(server: Mapping[str, Any]) -> None:
    funnel = [server["predicates"][word] for word in PREDICATES[:5]]
    assert funnel == sorted(funnel, reverse=True)
    federating, accepting = server["predicates"]["federating"], server["predicates"]["accepting"]
    assert accepting is False if not federating else accepting in (True, False, None)
    assert (server["failure"] is None) == federating == server["alive"]
    assert bool(server["endpoints"]) == server["predicates"]["resolves"]
    if server["predicates"]["reachable"]:
        assert any(endpoint["works"] for endpoint in server["endpoints"])
    assert (server["software"] is not None) == server["predicates"]["online"]
    assert (server["directory"] is not None) == federating
    if federating:
        directory = server["directory"]
        assert server["predicates"]["listing"] == (directory["state"] in ("open", "open_empty"))
        assert (directory["rooms"] is not None) == server["predicates"]["listing"]
        assert (directory["rooms"] == 0) == (directory["state"] == "open_empty")
    assert server["findable"] == bool(server["sources"])


@given(worlds)
@some
def test_it_adds_up(world: World) -> None:
    told = document(world)
    assert list(told["servers"]) == world.names
    for server in told["servers"].values():
        _check_server(server)
    found = [server for server in told["servers"].values() if server["findable"]]
    totals = told["totals"]["signed"]
    assert totals["known"] == len(found)
    for word in PREDICATES:
        assert totals[word] == sum(bool(server["predicates"][word]) for server in found)
    assert sum(totals["software"].values()) == totals["online"]
    listed = [room["signed"] for room in told["rooms"].values() if room["signed"] is not None]
    assert totals["rooms"] == len(listed)
    assert totals["memberships"] == sum(room["members_median"] for room in listed)
    assert totals["largest_room"] == max(room["members_median"] for room in listed)
    assert sum(room["directories"] for room in listed) == sum(
        server["directory"]["rooms"] or 0 for server in found if server["directory"] is not None
    )


def test_medians_are_those_of_the_directories() -> None:
    world = World(3, 300)
    told = document(world)
    counts: dict[str, list[int]] = {}
    directories = Directories(world)
    for plan in world.plans():
        way = plan.readable_door(signed=True)
        server = told["servers"][world.names[plan.index]]
        if way is None or not server["findable"] or server["directory"]["state"] != "open":
            continue
        for row in directories.rows(plan.index, way):
            if not row.is_filtered and "noindex" not in row.room.topic:
                counts.setdefault(row.room.room_id, []).append(row.members)
    assert {room: statistics.median(found) for room, found in counts.items()} == {
        room: said["signed"]["members_median"] for room, said in told["rooms"].items() if said["signed"]
    }
    assert max(len(found) for found in counts.values()) > 3


def test_rooms_that_ask_not_to_be_indexed_are_counted_and_not_listed() -> None:
    told = document(World(1, 300))
    assert sum(s["directory"]["noindex"] for s in told["servers"].values() if s["directory"]) > 0
    world = World(1, 300)
    marked = {
        world.rooms.room(index, serial).room_id
        for index in range(300)
        for serial in range(world.rooms.count(index))
        if world.rooms.room(index, serial).is_noindex
    }
    assert marked
    assert not marked & set(told["rooms"])
