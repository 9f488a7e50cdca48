"""Resilience against Zachary's karate club, brute-force removal, closed forms and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.resilience import ResilienceCurve, largest_first, remove_at_random, remove_in_order
from analytics.room_graph import RoomGraph, graph_shape, merge_rooms
from tests.analytics.test_room_graph import components, graphs, karate_rooms, neighbours


def by_removing(graph: RoomGraph, group: list[int], gone: set[int]) -> tuple[float, float, float]:
    """Take the servers of these groups away, drop the rooms that nobody is left in, walk through what remains."""
    near = neighbours(graph)
    left = {server for server in range(graph.servers) if group[server] not in gone}
    known = [room for room in range(graph.rooms) if near["room", room]]
    alive = [room for room in known if any(server in left for _, server in near["room", room])]
    there = {("server", server) for server in left} | {("room", room) for room in alive}
    together = components({node: near[node] & there for node in there})
    most_servers = max((sum(kind == "server" for kind, _ in part) for part in together), default=0)
    most_members = max(
        (sum(graph.memberships[i] for kind, i in part if kind == "room") for part in together), default=0
    )
    members = sum(graph.memberships[room] for room in known)
    return (
        1 - len(alive) / len(known) if known else 0.0,
        most_servers / graph.servers,
        most_members / members if members else 0.0,
    )


def at(curve: ResilienceCurve, k: int) -> tuple[float, float, float]:
    return float(curve.rooms_without_server[k]), float(curve.servers_together[k]), float(curve.memberships_together[k])


@given(graphs(), st.data())
def test_every_k_by_brute_force(graph: RoomGraph, data: st.DataObject) -> None:
    groups = data.draw(st.integers(1, graph.servers))
    group = data.draw(st.lists(st.integers(0, groups - 1), min_size=graph.servers, max_size=graph.servers))
    order = data.draw(st.permutations(range(groups)))
    curve = remove_in_order(merge_rooms(graph), group, order)
    for k in range(groups + 1):
        assert at(curve, k) == pytest.approx(by_removing(graph, group, set(order[:k])), abs=1e-12)


def test_karate_club() -> None:
    """The members with the most friends leave: 33, 26, 20, 8, 6 of 34 stay together after 1, 2, 3, 5, 8 of them."""
    sets = merge_rooms(karate_rooms())
    order = largest_first(sets, range(34), "rooms")
    assert order[:3].tolist() == [33, 0, 32]
    together = remove_in_order(sets, range(34), order).servers_together * 34
    assert [round(together[k]) for k in (0, 1, 2, 3, 5, 8)] == [34, 33, 26, 20, 8, 6]


@given(graphs())
def test_the_intact_graph_is_that_of_rustworkx(graph: RoomGraph) -> None:
    curve = remove_in_order(merge_rooms(graph), range(graph.servers), range(graph.servers))
    largest = max(servers for servers, _ in graph_shape(graph).component_sizes)
    assert curve.servers_together[0] == pytest.approx(largest / graph.servers)
    assert curve.rooms_without_server[0] == 0


@given(graphs(), st.integers(0, 2**32 - 1))
def test_more_gone_is_never_better(graph: RoomGraph, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(graph.servers)
    curve = remove_in_order(merge_rooms(graph), range(graph.servers), order)
    assert np.all(np.diff(curve.rooms_without_server) >= 0)
    assert np.all(np.diff(curve.servers_together) <= 0)
    assert np.all(np.diff(curve.memberships_together) <= 0)
    assert (curve.servers_together[-1], curve.memberships_together[-1]) == (0, 0)
    assert curve.rooms_without_server[-1] == (1 if graph.room.size else 0)


def test_a_hub_falls_at_once_and_a_random_choice_does_not() -> None:
    """One server is in all of 200 rooms, each of which has one more of its own."""
    room = np.repeat(np.arange(200), 2)
    server = np.column_stack([np.zeros(200, dtype=int), np.arange(1, 201)]).ravel()
    sets = merge_rooms(RoomGraph.of_edges(room, server, [10] * 200, servers=201))
    attack = remove_in_order(sets, range(201), largest_first(sets, range(201), "rooms"))
    assert at(attack, 1) == (0, pytest.approx(1 / 201), pytest.approx(1 / 200))
    band = remove_at_random(sets, range(201), rng=np.random.default_rng(20260801), draws=25)
    assert band.draws == 25
    assert band.median.servers_together[1] == pytest.approx(200 / 201)
    assert band.median.servers_together[20] > 0.85
    for measure in ("rooms_without_server", "servers_together", "memberships_together"):
        lo, median, hi = (getattr(curve, measure) for curve in (band.lo, band.median, band.hi))
        assert np.all(lo <= median)
        assert np.all(median <= hi)


def test_random_removal_of_rooms_servers_is_hypergeometric() -> None:
    """Rooms with 2 of 40 servers: after k of 40 a room has nobody with chance C(38, k-2)/C(40, k) = k(k-1)/(40*39)."""
    rng = np.random.default_rng(20260802)
    pairs = [(a, b) for a in range(40) for b in range(a)]
    room = np.repeat(np.arange(len(pairs)), 2)
    sets = merge_rooms(RoomGraph.of_edges(room, np.array(pairs).ravel(), [1] * len(pairs), servers=40))
    band = remove_at_random(sets, range(40), rng=rng, draws=20)
    k = np.arange(41)
    np.testing.assert_allclose(band.median.rooms_without_server, k * (k - 1) / (40 * 39), atol=1e-12)


def test_an_operator_counts_a_room_once() -> None:
    """Operator 0 has three servers in one room; operator 1 has one server in two rooms, with fewer members."""
    sets = merge_rooms(RoomGraph.of_edges([0, 0, 0, 1, 2], [0, 1, 2, 3, 3], [100, 5, 5], servers=4))
    assert largest_first(sets, [0, 0, 0, 1], "rooms").tolist() == [1, 0]
    assert largest_first(sets, [0, 0, 0, 1], "memberships").tolist() == [0, 1]
    curve = remove_in_order(sets, [0, 0, 0, 1], [0, 1])
    assert at(curve, 1) == (pytest.approx(1 / 3), pytest.approx(1 / 4), pytest.approx(10 / 110))


@given(graphs(), st.data())
def test_largest_first_by_brute_force(graph: RoomGraph, data: st.DataObject) -> None:
    group = data.draw(st.lists(st.integers(0, 3), min_size=graph.servers, max_size=graph.servers))
    near = neighbours(graph)
    sizes = [
        len({room for server in range(graph.servers) if group[server] == one for room in near["server", server]})
        for one in range(max(group) + 1)
    ]
    expected = sorted(range(len(sizes)), key=lambda one: -sizes[one])
    assert largest_first(merge_rooms(graph), group, "rooms").tolist() == expected


def test_seed_and_progress() -> None:
    sets = merge_rooms(karate_rooms())
    calls: list[tuple[int, int]] = []
    first = remove_at_random(sets, range(34), rng=np.random.default_rng(3), progress=lambda *at: calls.append(at))
    again = remove_at_random(sets, range(34), rng=np.random.default_rng(3))
    assert np.array_equal(first.hi.servers_together, again.hi.servers_together)
    assert calls == [(done, 20) for done in range(1, 21)]


class TestPolicy:
    def test_nothing(self) -> None:
        sets = merge_rooms(RoomGraph.of_edges([], [], [], servers=0))
        assert largest_first(sets, [], "rooms").size == 0
        assert at(remove_in_order(sets, [], []), 0) == (0, 0, 0)
        assert at(remove_at_random(sets, [], rng=np.random.default_rng(1)).median, 0) == (0, 0, 0)

    def test_servers_without_rooms(self) -> None:
        sets = merge_rooms(RoomGraph.of_edges([], [], [], servers=2))
        assert at(remove_in_order(sets, [0, 1], [0, 1]), 0) == (0, 0.5, 0)

    def test_one_server(self) -> None:
        sets = merge_rooms(RoomGraph.of_edges([0, 1], [0, 0], [3, 4], servers=1))
        curve = remove_in_order(sets, [0], [0])
        assert (at(curve, 0), at(curve, 1)) == ((0, 1, 1), (1, 0, 0))

    def test_rooms_without_members(self) -> None:
        sets = merge_rooms(RoomGraph.of_edges([0], [0], [0], servers=1))
        assert at(remove_in_order(sets, [0], [0]), 0) == (0, 1, 0)

    def test_what_cannot_be_is_refused(self) -> None:
        sets = merge_rooms(karate_rooms())
        with pytest.raises(ValueError, match="one group for each"):
            remove_in_order(sets, [0], [0])
        with pytest.raises(ValueError, match="each group once"):
            remove_in_order(sets, range(34), [0] * 34)
        with pytest.raises(ValueError, match="each group once"):
            remove_in_order(sets, range(34), range(33))
        with pytest.raises(ValueError, match="one draw"):
            remove_at_random(sets, range(34), rng=np.random.default_rng(1), draws=0)
