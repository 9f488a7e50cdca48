"""The kinds of federation: calibrated as they say, and what each holds besides."""

import statistics
from collections import Counter
from dataclasses import replace

import pytest

from crawler.lab.deaths import TARPITS
from crawler.lab.profile import CALM, HOSTILE, REALISTIC, SHOWCASE, Profile
from crawler.lab.robots import Robots
from crawler.lab.room import NOINDEX_TOPICS
from crawler.lab.truth import Truth
from crawler.lab.world import World
from crawler.protocol.optout import room_says_no


def test_realistic_is_calibrated() -> None:
    world = World(2, 4000, REALISTIC)
    plans = list(world.plans())
    living = [plan for plan in plans if plan.alive]
    assert 0.27 < 1 - len(living) / len(plans) < 0.37
    users = sorted((plan.users for plan in plans), reverse=True)
    assert sum(users[:2]) > sum(users) / 2
    assert sum(plan.is_open for plan in living) < len(living) * 0.45
    assert 0.04 < statistics.median(plan.latency_s for plan in living) < 0.08
    behind = Counter(world.presence(p.index).targets[0].address for p in living if p.provider is not None)
    assert sum(behind.values()) > len(living) * 0.2
    assert 8 < max(behind.values()) < 60  # at five requests a second, still a matter of minutes
    places = [(origin, serial) for origin in range(world.size) for serial in range(world.rooms.count(origin))]
    small = sum(len(world.rooms.participants(*place)) < 10 for place in places) / len(places)
    assert 0.79 < small < 0.87
    spam = sum(world.rooms.room(*place).is_spam for place in places) / len(places)
    assert 0.005 < spam < 0.04


def test_calm_is_calm() -> None:
    world = World(2, 1000, CALM)
    plans = list(world.plans())
    assert sum(plan.alive for plan in plans) > 970
    assert {plan.latency_s for plan in plans} == {0.0}
    assert max(Truth(world).signed.directory_rooms.values()) < 150


def test_tarpits_and_farms_come_on_top_and_change_nobody() -> None:
    plain = World(3, 400, replace(HOSTILE, tarpits=0.0, farmed=0.0))
    beset = World(3, 400, replace(HOSTILE, tarpits=0.1, farmed=0.05))
    assert beset.names[:400] == plain.names
    assert [beset.plan(k) for k in range(400)] == [plain.plan(k) for k in range(400)]
    further = [beset.plan(k) for k in range(400, beset.size)]
    assert len(further) == 60
    assert {plan.death for plan in further if plan.death is not None} == TARPITS
    assert sum(plan.is_endless for plan in further) == 10
    farmed = [plan for plan in further if plan.farm is not None]
    assert len(farmed) == 20
    assert len({beset.names[plan.index].partition(".")[2] for plan in farmed}) == 1
    assert len({beset.identity(plan.index).key.key_id for plan in farmed}) == 1
    assert {plan.index for plan in further} <= set(Truth(beset).signed.sources)


def test_a_big_directory_is_the_first_servers_alone() -> None:
    small, big = World(3, 100), World(3, 100, replace(SHOWCASE, big_directory=5000))
    assert big.rooms.count(0) == 5000
    assert [big.rooms.count(k) for k in range(1, 100)] == [small.rooms.count(k) for k in range(1, 100)]


@pytest.mark.parametrize("profile", [SHOWCASE, REALISTIC])
def test_what_only_spaces_lead_to(profile: Profile) -> None:
    world = World(7, 1000, profile)
    truth = Truth(world)
    followed, without = truth.findings(signed=True), truth.findings(signed=True, spaces=False)
    assert without.members.keys() <= followed.members.keys()
    assert followed.space_rooms.keys() - followed.members.keys()  # rooms that no directory lists
    behind = followed.sources.keys() - without.sources.keys()
    assert bool(behind) == (profile is REALISTIC)
    assert not any(room_says_no(room.topic) for room in followed.space_rooms.values())


def test_all_forms_of_the_room_tag_are_used_and_mean_no() -> None:
    assert all(room_says_no(topic) for topic in NOINDEX_TOPICS)
    world = World(1, 1500, REALISTIC)
    places = [(origin, serial) for origin in range(world.size) for serial in range(world.rooms.count(origin))]
    assert {world.rooms.room(*place).topic for place in places if world.rooms.room(*place).is_noindex} == set(
        NOINDEX_TOPICS
    )


def test_who_asks_us_to_stay_away_is_not_read() -> None:
    world = World(1, 3000, REALISTIC)
    truth = Truth(world)
    refusing = [plan for plan in world.plans() if plan.robots.names_us]
    assert {plan.robots for plan in world.plans()} == set(Robots)
    assert len(refusing) > 10
    assert not [plan.index for plan in refusing if plan.index in truth.signed.directory_rooms]
