"""What a perfect crawl would see, without sockets: the same as the truth that crawls are scored by."""

from typing import Any

import pytest

from crawler.lab.glimpse import Glimpse, Watch, glimpses
from crawler.lab.profile import REALISTIC, SHOWCASE, Profile
from crawler.lab.truth import Truth
from crawler.lab.world import World


@pytest.mark.parametrize(("profile", "day"), [(SHOWCASE, 0), (REALISTIC, 0), (REALISTIC, 45)])
def test_glimpses_add_up_to_the_truth(profile: Profile, day: int) -> None:
    world = World(4, 300, profile, day)
    told: dict[str, Any] = Truth(world).document()
    seen = {glimpse.server: glimpse for glimpse in glimpses(world)}
    assert set(seen) == {name for name, server in told["servers"].items() if server["findable"]}
    members: dict[str, list[int]] = {}
    for name, glimpse in seen.items():
        server = told["servers"][name]
        assert glimpse.failure == server["failure"]
        assert glimpse.branch == server["branch"]
        assert glimpse.accepting == server["predicates"]["accepting"]
        assert (glimpse.failure is None) == bool(glimpse.verify_keys) == server["predicates"]["federating"]
        if server["software"] is not None:
            assert (glimpse.name_raw, glimpse.version_raw) == (
                server["software"]["name_raw"],
                server["software"]["version_raw"],
            )
        if server["directory"] is not None:
            assert glimpse.directory == server["directory"]["state"]
            assert len(glimpse.rooms) == (server["directory"]["rooms"] or 0)
            assert glimpse.noindex == server["directory"]["noindex"]
        for room in glimpse.rooms:
            members.setdefault(room.room_id, []).append(room.members or 0)
        assert all(alias.servers[0] == name for alias in glimpse.aliases)
    assert {room: len(found) for room, found in members.items()} == {
        room: facts["signed"]["directories"] for room, facts in told["rooms"].items() if facts["signed"]
    }
    portals = {room.room_id: room for glimpse in seen.values() for room in glimpse.network_rooms}
    assert {room_id: (room.members, room.canonical_alias) for room_id, room in portals.items()} == {
        room_id: (facts["members"], facts["alias"]) for room_id, facts in told["network_rooms"].items()
    }
    assert portals


def test_bounds_are_kept() -> None:
    for glimpse in glimpses(World(4, 120), max_rooms=5, max_aliases=2):
        assert len(glimpse.rooms) <= 5
        assert len(glimpse.network_rooms) <= 5
        assert len(glimpse.aliases) <= 2


def test_a_federation_that_is_watched_is_every_day_what_it_is_when_asked_alone() -> None:
    """So what one day takes over from the one before is right, also where much happened in between."""
    watch = Watch(4, 120, REALISTIC, max_rooms=9, max_aliases=4)
    before: dict[str, Glimpse] = {}
    for day in (0, 1, 2, 60, 61, 430):
        world, seen = watch.on(day)
        alone = World(4, 120, REALISTIC, day)
        assert world.seeds() == alone.seeds()
        assert seen == list(glimpses(alone, max_rooms=9, max_aliases=4))
        if day in (1, 2, 61):
            same = sum(before.get(glimpse.server) is glimpse for glimpse in seen)
            assert len(seen) * 0.5 < same < len(seen)
        before = {glimpse.server: glimpse for glimpse in seen}
    with pytest.raises(ValueError, match="later day"):
        watch.on(429)
