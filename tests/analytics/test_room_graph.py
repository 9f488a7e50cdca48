"""The graph of rooms and servers against brute force on small graphs and Zachary's karate club."""

from collections import Counter

import numpy as np
import pytest
import rustworkx as rx
from hypothesis import given
from hypothesis import strategies as st

from analytics.concentration import gini
from analytics.room_graph import RoomGraph, graph_shape, merge_rooms


@st.composite
def graphs(draw: st.DrawFn) -> RoomGraph:
    servers, rooms = draw(st.integers(1, 8)), draw(st.integers(1, 12))
    edge = st.tuples(st.integers(0, rooms - 1), st.integers(0, servers - 1))
    edges = draw(st.lists(edge, max_size=40))
    memberships = draw(st.lists(st.integers(0, 1000), min_size=rooms, max_size=rooms))
    return RoomGraph.of_edges([room for room, _ in edges], [server for _, server in edges], memberships, servers)


def karate_rooms() -> RoomGraph:
    """Every friendship of the club is a room with two servers in it."""
    edges = rx.generators.karate_club_graph().edge_list()
    room = [i for i, _ in enumerate(edges) for _ in range(2)]
    return RoomGraph.of_edges(room, [node for edge in edges for node in edge], [2] * len(edges), servers=34)


def neighbours(graph: RoomGraph) -> dict[tuple[str, int], set[tuple[str, int]]]:
    near: dict[tuple[str, int], set[tuple[str, int]]] = {("server", i): set() for i in range(graph.servers)}
    near |= {("room", i): set() for i in range(graph.rooms)}
    for room, server in zip(graph.room.tolist(), graph.server.tolist(), strict=True):
        near["room", room].add(("server", server))
        near["server", server].add(("room", room))
    return near


def components(near: dict[tuple[str, int], set[tuple[str, int]]]) -> list[set[tuple[str, int]]]:
    found, left = [], set(near)
    while left:
        together, border = set(), [left.pop()]
        while border:
            node = border.pop()
            together.add(node)
            border += near[node] - together
        left -= together
        found.append(together)
    return found


def cores(near: dict[tuple[str, int], set[tuple[str, int]]]) -> dict[tuple[str, int], int]:
    """The definition: take nodes with fewer than k edges away until none is left to take."""
    core = dict.fromkeys(near, 0)
    for k in range(1, len(near)):
        left = set(near)
        while weak := {node for node in left if len(near[node] & left) < k}:
            left -= weak
        for node in left:
            core[node] = k
    return core


@given(graphs())
def test_shape_by_brute_force(graph: RoomGraph) -> None:
    near, shape = neighbours(graph), graph_shape(graph)
    degrees = {node: len(others) for node, others in near.items()}
    assert shape.rooms_of_server == Counter(d for (kind, _), d in degrees.items() if kind == "server")
    assert shape.servers_of_room == Counter(d for (kind, _), d in degrees.items() if kind == "room")
    sizes: Counter[tuple[int, int]] = Counter()
    for together in components(near):
        in_servers = sum(kind == "server" for kind, _ in together)
        sizes[in_servers, len(together) - in_servers] += 1
    assert shape.component_sizes == sizes
    assert shape.core_of_server == Counter(k for (kind, _), k in cores(near).items() if kind == "server")


@given(graphs())
def test_merging_keeps_every_room_with_its_servers(graph: RoomGraph) -> None:
    near, sets = neighbours(graph), merge_rooms(graph)
    rooms: Counter[frozenset[int]] = Counter()
    memberships: Counter[frozenset[int]] = Counter()
    for room in range(graph.rooms):
        there = frozenset(server for _, server in near["room", room])
        if there:
            rooms[there] += 1
            memberships[there] += int(graph.memberships[room])
    merged = [frozenset(sets.server[a:b].tolist()) for a, b in zip(sets.start, sets.start[1:], strict=False)]
    assert len(set(merged)) == len(merged)
    assert dict(zip(merged, sets.rooms.tolist(), strict=True)) == rooms
    assert dict(zip(merged, sets.memberships.tolist(), strict=True)) == dict.fromkeys(rooms, 0) | memberships


def test_karate_club() -> None:
    shape = graph_shape(karate_rooms())
    degrees = [degree for degree, times in shape.rooms_of_server.items() for _ in range(times)]
    assert gini(degrees, zeros="in").value == pytest.approx(0.385370, abs=5e-7)
    assert (max(degrees), sum(degrees)) == (17, 2 * 78)
    assert shape.component_sizes == {(34, 78): 1}
    assert shape.servers_of_room == {2: 78}


def test_an_edge_named_twice_counts_once() -> None:
    graph = RoomGraph.of_edges([0, 0, 1], [1, 1, 0], [5, 7], servers=2)
    assert (graph.room.tolist(), graph.server.tolist()) == ([0, 1], [1, 0])


class TestPolicy:
    def test_nothing(self) -> None:
        shape = graph_shape(RoomGraph.of_edges([], [], [], servers=0))
        assert shape.rooms_of_server == shape.servers_of_room == shape.core_of_server == {}
        assert shape.component_sizes == {}
        sets = merge_rooms(RoomGraph.of_edges([], [], [], servers=0))
        assert (sets.start.tolist(), sets.server.size, sets.rooms.size) == ([0], 0, 0)

    def test_servers_in_no_room_and_rooms_without_server(self) -> None:
        graph = RoomGraph.of_edges([0], [0], [5, 9], servers=3)
        shape = graph_shape(graph)
        assert shape.rooms_of_server == {0: 2, 1: 1}
        assert shape.servers_of_room == {0: 1, 1: 1}
        assert shape.component_sizes == {(1, 1): 1, (1, 0): 2, (0, 1): 1}
        assert shape.core_of_server == {0: 2, 1: 1}
        assert merge_rooms(graph).memberships.tolist() == [5]

    def test_what_is_no_graph_is_refused(self) -> None:
        for room, server, complaint in (([0], [], "one room and one server"), ([1], [0], "exist"), ([0], [2], "exist")):
            with pytest.raises(ValueError, match=complaint):
                RoomGraph.of_edges(room, server, [1], servers=2)
        with pytest.raises(ValueError, match="negative"):
            RoomGraph.of_edges([0], [-1], np.array([1]), servers=2)
