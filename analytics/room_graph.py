"""Which servers are in which rooms, as a graph: degrees, components, cores; and the rooms merged by the set of servers.

Apart from `analytics.resilience`, which takes the graph to pieces. The graph has two kinds of nodes, servers and rooms;
an edge says that a server is known to be in a room. It holds what the census knows (from members, aliases, spaces): a
lower bound of who is there. Rooms and servers are numbers here; names stay with the caller.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt
import rustworkx as rx

from analytics.amounts import FloatArray, IntArray, checked_amounts, checked_counts


@dataclass(frozen=True, slots=True, eq=False)
class RoomGraph:
    """The edges, once each, sorted by room and server; the memberships of each room; how many servers there are.

    Servers in no room and rooms with no known server are nodes without edges.
    """

    room: IntArray
    server: IntArray
    memberships: FloatArray
    servers: int

    @classmethod
    def of_edges(cls, room: npt.ArrayLike, server: npt.ArrayLike, memberships: npt.ArrayLike, servers: int) -> Self:
        """From room and server numbers of each edge; an edge named twice counts once.

        Raises:
            ValueError: columns of unequal length, or a number that is not one of a room or server.
        """
        rooms, ends, weights = checked_counts(room), checked_counts(server), checked_amounts(memberships)
        if rooms.shape != ends.shape:
            raise ValueError("each edge has one room and one server")
        if rooms.size and (rooms.max() >= weights.size or ends.max() >= servers):
            raise ValueError("an edge names a room or a server that does not exist")
        edges = np.unique(rooms * max(servers, 1) + ends)
        return cls(edges // max(servers, 1), edges % max(servers, 1), weights, servers)

    @property
    def rooms(self) -> int:
        """How many rooms there are."""
        return int(self.memberships.size)


@dataclass(frozen=True, slots=True)
class GraphShape:
    """The graph in numbers. Each distribution maps a value to how many nodes have it.

    `rooms_of_server` and `servers_of_room` are the degrees. `component_sizes` maps (servers, rooms) of a connected
    component to how many there are of it. `core_of_server` is the largest k such that the server stays when all nodes
    with fewer than k edges are taken away again and again (Seidman 1983); 0 for a server in no room.
    """

    rooms_of_server: dict[int, int]
    servers_of_room: dict[int, int]
    component_sizes: dict[tuple[int, int], int]
    core_of_server: dict[int, int]


def graph_shape(graph: RoomGraph) -> GraphShape:
    """Degrees, components and cores. All empty for a graph without nodes."""
    # The edges are unique already; letting rustworkx make sure would walk through a hub's edges for each new one.
    whole: rx.PyGraph[None, None] = rx.PyGraph(multigraph=True)
    whole.add_nodes_from([None] * (graph.servers + graph.rooms))
    # Servers come first: node numbers below `servers` are servers.
    whole.add_edges_from_no_data(list(zip(graph.server.tolist(), (graph.room + graph.servers).tolist(), strict=True)))
    sizes = Counter(
        (in_servers := sum(node < graph.servers for node in component), len(component) - in_servers)
        for component in rx.connected_components(whole)
    )
    cores: Mapping[int, int] = rx.core_number(whole)  # type: ignore[assignment] # its stub says int, its text dict
    return GraphShape(
        rooms_of_server=_distribution(np.bincount(graph.server, minlength=graph.servers).tolist()),
        servers_of_room=_distribution(np.bincount(graph.room, minlength=graph.rooms).tolist()),
        component_sizes=dict(sorted(sizes.items(), reverse=True)),
        core_of_server=_distribution([cores[server] for server in range(graph.servers)]),
    )


def _distribution(values: list[int]) -> dict[int, int]:
    return dict(sorted(Counter(values).items()))


@dataclass(frozen=True, slots=True, eq=False)
class ServerSets:
    """The rooms that have a known server, merged where exactly the same servers are in them.

    Set i has the servers `server[start[i]:start[i + 1]]`, stands for `rooms[i]` rooms and `memberships[i]` memberships.
    Such rooms live and die together, and most rooms of the federation share their set with others.
    """

    start: IntArray
    server: IntArray
    rooms: IntArray
    memberships: FloatArray
    servers: int


def merge_rooms(graph: RoomGraph) -> ServerSets:
    """Merge the rooms with equal server sets; rooms without a known server are left out."""
    present, first = np.unique(graph.room, return_index=True)
    bounds = np.append(first, graph.room.size).tolist()
    place: dict[bytes, int] = {}
    set_of_room = np.empty(present.size, dtype=np.int64)
    for i, (begin, end) in enumerate(pairwise(bounds)):
        set_of_room[i] = place.setdefault(graph.server[begin:end].tobytes(), len(place))
    members = [np.frombuffer(key, dtype=np.int64) for key in place]
    return ServerSets(
        start=np.concatenate(([0], np.cumsum([len(some) for some in members], dtype=np.int64))).astype(np.int64),
        server=np.concatenate(members) if members else np.empty(0, dtype=np.int64),
        rooms=np.bincount(set_of_room, minlength=len(place)).astype(np.int64),
        memberships=np.bincount(set_of_room, weights=graph.memberships[present], minlength=len(place)).astype(
            np.float64
        ),
        servers=graph.servers,
    )
