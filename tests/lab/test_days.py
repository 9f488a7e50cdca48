"""Days: what happens between them, and that nothing else does."""

from functools import cache
from itertools import pairwise

import pytest

from crawler.lab.days import BIRTHS_A_DAY
from crawler.lab.deaths import TARPITS, Death
from crawler.lab.plan import Standing
from crawler.lab.profile import REALISTIC
from crawler.lab.truth import Truth
from crawler.lab.world import World
from crawler.model.discovery import Branch

SIZE = 800


@cache
def on(day: int) -> World:
    return World(5, SIZE, REALISTIC, day)


@pytest.mark.parametrize("day", [1, 30, 365])
def test_a_name_and_what_hangs_on_it_stay_for_ever(day: int) -> None:
    first, later = on(0), on(day)
    assert later.names[:SIZE] == first.names
    assert later.size == SIZE + int(SIZE * BIRTHS_A_DAY * day)
    assert later.seeds()[:-1] == first.seeds()[:-1]
    for index in range(0, SIZE, 7):
        assert later.identity(index) == first.identity(index)
        assert later.plan(index).branch is first.plan(index).branch
        assert later.rooms.room(index, 0).room_id == first.rooms.room(index, 0).room_id
        assert later.rooms.room(index, 0).alias == first.rooms.room(index, 0).alias


def test_the_same_day_is_the_same_whenever_it_is_asked_for() -> None:
    again = World(5, SIZE, REALISTIC, 90)
    assert all(on(90).plan(k) == again.plan(k) for k in range(SIZE))
    assert on(90).names == again.names


def test_servers_die_and_come_back_and_most_do_neither_overnight() -> None:
    states = [[on(day).plan(k).alive for k in range(SIZE)] for day in range(0, 120, 12)]
    changes = sum(a != b for one, other in pairwise(states) for a, b in zip(one, other, strict=True))
    assert 0.001 < changes / SIZE / (12 * (len(states) - 1)) < 0.01
    lives = list(zip(*states, strict=True))
    assert sum(not life[0] and any(life) for life in lives) > 5  # the dead of day 0 who return
    returned = sum("".join("x" if up else "." for up in life).find(".x") > 0 and life[0] for life in lives)
    assert returned > 10
    assert all(on(300).plan(k).alive for k in range(SIZE) if on(0).plan(k).standing is Standing.COMMUNITY)


def test_a_death_that_came_can_be_staged_where_the_server_was_set_up() -> None:
    world = on(300)
    fallen = [p for p in world.plans() if not p.alive and p.index < SIZE and on(0).plan(p.index).alive]
    assert len({p.death for p in fallen}) > 8
    assert not {p.death for p in fallen} & TARPITS
    for plan in fallen:
        if plan.branch in (Branch.IP_LITERAL, Branch.EXPLICIT_PORT):
            assert plan.death not in (Death.PORT_REFUSES, Death.PORT_SILENT, Death.SPECIAL_ADDRESS)


def test_upgrades_come_in_waves_and_never_backwards() -> None:
    def minor(day: int, index: int) -> int | None:
        release = on(day).plan(index).release
        version = release.version if release.software == "synapse" else None
        return int(version.split(".")[1]) if version is not None else None

    days = (0, 15, 40, 120)
    for index in range(0, SIZE, 3):
        seen = [minor(day, index) for day in days]
        known = [number for number in seen if number is not None]
        assert known == sorted(known)
    newest = [sum(minor(day, k) == 163 + day // 14 for k in range(SIZE)) for day in (28, 34, 41)]
    assert newest == sorted(newest)  # a wave gains until the next release
    assert newest[0] < newest[-1]


def test_rooms_grow_shrink_appear_leave_and_are_renamed() -> None:
    first, later = on(0).rooms, on(200).rooms
    places = [(origin, serial) for origin in range(SIZE) for serial in range(first.count(origin))]
    pairs = [(first.room(*place), later.room(*place)) for place in places]
    assert sum(b.members > a.members for a, b in pairs) > len(pairs) / 10
    assert sum(b.members < a.members for a, b in pairs) > len(pairs) / 20
    assert sum(a.is_published and not b.is_published for a, b in pairs) > len(pairs) / 50
    assert not [b for a, b in pairs if b.is_published and not a.is_published]
    assert 0.05 < sum(a.name != b.name for a, b in pairs) / len(pairs) < 0.5
    assert sum(later.count(k) for k in range(SIZE)) > len(places)
    next_day = on(201).rooms
    changed = sum(later.room(*place).members != next_day.room(*place).members for place in places)
    assert 0.01 < changed / len(places) < 0.08


def test_the_truth_of_any_day_adds_up() -> None:
    told = Truth(World(5, 200, REALISTIC, 60)).document()
    assert told["day"] == 60
    servers = told["servers"]
    assert isinstance(servers, dict)
    assert len(servers) == World(5, 200, REALISTIC, 60).size
