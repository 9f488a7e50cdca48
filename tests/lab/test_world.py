"""The world: deterministic, whole, and consistent with itself, whatever its seed and size."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.lab.deaths import DEATHS, TARPITS, Death
from crawler.lab.dice import dice, digest, share
from crawler.lab.hosting import ALLOWED, LISTENING_PORTS, REFUSING_PORT, SILENT_PORT, SPECIAL
from crawler.lab.names import operator_domain, provider_domain
from crawler.lab.network import RecordType, Role
from crawler.lab.oddities import Front, Quirk
from crawler.lab.plan import Standing
from crawler.lab.profile import PROFILES
from crawler.lab.room import WIDE_MEMBERS
from crawler.lab.software import RELEASES, Policy
from crawler.lab.world import World
from crawler.model.discovery import Branch
from crawler.model.names import alias_domain, is_room_id, parse_server_name, room_id_domain
from crawler.protocol.addresses import AddressPolicy

worlds = st.builds(
    World,
    seed=st.integers(0, 10**6),
    servers=st.integers(1, 200),
    profile=st.sampled_from(list(PROFILES.values())),
    day=st.sampled_from((0, 0, 1, 90, 1000)),
)
some = settings(max_examples=12, deadline=None)


def test_dice_depend_on_their_path_alone() -> None:
    assert dice(1, "a", 2).random() == dice(1, "a", 2).random()
    assert len({dice(1, "a", 2).random(), dice(2, "a", 2).random(), dice(1, "a", 3).random()}) == 3
    assert digest(1, "a", 12) != digest(1, "a1", 2)
    assert all(0 <= share(1, "x", n) < 1 for n in range(100))


def test_dice_are_the_same_on_every_machine() -> None:
    assert digest(1, "server", 17, size=4).hex() == "d7ce1ea3"
    assert dice(1, "server", 17).randrange(10**6) == 79004


@pytest.mark.parametrize("seed", [1, 99])
def test_operators_never_share_a_domain(seed: int) -> None:
    count = 40_000
    domains = {operator_domain(seed, k) for k in range(count)} | {provider_domain(seed, k) for k in range(50)}
    assert len(domains) == count + 50
    assert {domain.count(".") for domain in domains} == {1}


def test_special_addresses_are_refused_and_own_ones_are_not() -> None:
    policy = AddressPolicy(ALLOWED)
    assert not any(policy.may_dial(address) for address in SPECIAL)
    world = World(1, 300)
    for index in range(300):
        assert all(policy.may_dial(target.address) for target in world.presence(index).targets)


@given(st.integers(0, 10**6), st.integers(1, 200))
@some
def test_the_same_seed_makes_the_same_world(seed: int, size: int) -> None:
    one, other = World(seed, size), World(seed, size)
    assert one.names == other.names
    assert one.network.zone == other.network.zone
    assert one.network.routes == other.network.routes
    assert [one.plan(k) for k in range(size)] == [other.plan(k) for k in range(size)]
    assert one.identity(0) == other.identity(0)


def test_another_seed_makes_another_world() -> None:
    assert not set(World(1, 100).names) & set(World(2, 100).names)


@given(worlds)
@some
def test_names_are_server_names_and_no_two_are_the_same(world: World) -> None:
    assert len({parse_server_name(name).key for name in world.names}) == world.size
    assert all(name == name.lower() for name in world.names)


@given(worlds)
@some
def test_every_working_endpoint_is_served_and_every_dead_one_is_not(world: World) -> None:
    for index in range(world.size):
        presence = world.presence(index)
        for target in presence.targets:
            route = world.network.routes.get((target.port, target.host_header.lower()))
            assert (route is not None and route.index == index) == target.works or not target.works
            assert target.works == (target.port in LISTENING_PORTS) or not world.plan(index).alive
        if world.plan(index).alive:
            assert any(target.works for target in presence.targets)


@given(worlds)
@some
def test_every_host_that_is_served_has_an_address(world: World) -> None:
    for (_, host), route in world.network.routes.items():
        bare = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            bare = world.network.zone.closest(bare)
            places = [(bare, kind) for kind in (RecordType.A, RecordType.AAAA, RecordType.CNAME)]
            if route.role is Role.FEDERATION:
                places += [(f"{service}._tcp.{bare}", RecordType.SRV) for service in ("_matrix-fed", "_matrix")]
            assert any(place in world.network.zone.records for place in places), (host, route)


@given(worlds)
@some
def test_a_certificate_covers_one_label(world: World) -> None:
    """A wildcard stands for one label (RFC 6125, 6.4.3): no TLS name has two below its registrable domain."""
    for index in range(world.size):
        for target in world.presence(index).targets:
            host = target.tls_name
            if not host.replace(".", "").isdigit() and ":" not in host:
                assert host.count(".") in (1, 2)


@given(worlds)
@some
def test_rooms_are_well_formed_and_unique(world: World) -> None:
    seen: set[str] = set()
    aliases: set[str] = set()
    for index in range(world.size):
        for serial in range(world.rooms.count(index)):
            room = world.rooms.room(index, serial)
            assert is_room_id(room.room_id)
            assert room_id_domain(room.room_id) in (None, world.names[index])
            assert room.room_id not in seen
            seen.add(room.room_id)
            if room.alias is not None:
                assert alias_domain(room.alias) == world.names[index]
                assert room.alias not in aliases
                aliases.add(room.alias)
            participants = world.rooms.participants(index, serial)
            assert participants[0] == index
            assert len(set(participants)) == len(participants)
            assert room.members >= len(participants)
            if len(set(participants) - {0, 1}) > 3:  # the biggest two are in narrow rooms too
                assert room.members >= WIDE_MEMBERS


def test_a_federation_of_150_has_everything_once() -> None:
    world = World(1, 150)
    plans = list(world.plans())
    assert {p.death for p in plans} == {None, *Death} - TARPITS
    assert {p.branch for p in plans if p.alive} == set(Branch)
    assert {p.quirk for p in plans if p.alive} == {None, *Quirk} - {Quirk.ENDLESS_DIRECTORY}
    assert {p.front for p in plans if p.alive} == set(Front)
    assert {p.release for p in plans if p.alive} == set(RELEASES)
    assert len({p.policy for p in plans if p.alive}) > 5
    assert all(isinstance(p.policy, Policy) for p in plans)


def test_shares_are_those_of_the_profile() -> None:
    world = World(5, 4000)
    plans = [p for p in world.plans() if p.standing is not Standing.COMMUNITY]
    dead = [p for p in plans if not p.alive]
    assert 0.29 < len(dead) / len(plans) < 0.37
    nxdomain = sum(p.death is Death.NXDOMAIN for p in dead) / len(dead)
    weights = sum(facts.weight for facts in DEATHS.values())
    assert abs(nxdomain - DEATHS[Death.NXDOMAIN].weight / weights) < 0.05
    islands = sum(p.standing is Standing.ISLAND for p in plans) / len(plans)
    assert 0.02 < islands < 0.04
    hosted = [p for p in plans if p.provider is not None]
    assert 0.08 < len(hosted) / len(plans) < 0.2
    behind: dict[str, int] = {}
    for plan in hosted:
        address = world.presence(plan.index).targets[0].address
        behind[address] = behind.get(address, 0) + 1
    assert max(behind.values()) <= 20


def test_rules_lead_every_address_somewhere_and_the_first_counts() -> None:
    world = World(1, 200)
    rules = world.connect_rules(
        {443: 1001, 8448: 1002, 9443: 1003}, refusing=1004, silent=1005, stalling=1007, serve_key=1006
    )
    assert rules[0] == "127.127.255.254:*=127.0.0.1:1006"
    assert rules[-1] == "*:*=127.0.0.1:1004"
    assert rules.index("*:443=127.0.0.1:1001") > rules.index("127.120.0.0:*=127.0.0.1:1004")
    assert f"*:{REFUSING_PORT}=127.0.0.1:1004" in rules
    assert f"*:{SILENT_PORT}=127.0.0.1:1005" in rules
