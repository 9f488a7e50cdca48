"""What is left of the federation when servers go: the largest first, or at random.

Apart, because it is the one number here that is a thought experiment: nobody left. Reported are, for every number k of
servers (or operators, or networks) gone: the share of rooms left without any known server, and the largest connected
component among what is left, in servers and in memberships. All k at once: instead of removing, everything is gone at
first and comes back in reverse order, so that components only ever merge and a union-find does it (Newman and Ziff
2001). Rooms with equal server sets are merged beforehand. "Largest first" keeps the order of the intact graph (Albert,
Jeong and Barabasi 2000) and does not sort again after each removal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from analytics.amounts import FloatArray, IntArray, checked_counts
from analytics.bootstrap import Progress
from analytics.room_graph import ServerSets

DRAWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class ResilienceCurve:
    """Shares of the intact graph when the first k of an order are gone; index k runs from 0 to all of them.

    `rooms_without_server`: from 0 at k = 0, never falling, to 1. `servers_together` and `memberships_together`: the
    component with the most servers, the one with the most memberships (they may differ); never rising, to 0.
    Denominators are all servers, all rooms and memberships with a known server; where there are none of these, the
    shares are 0.
    """

    rooms_without_server: FloatArray
    servers_together: FloatArray
    memberships_together: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ResilienceBand:
    """The median of random orders at each k, between the least and the largest of them (a scenario, no confidence)."""

    median: ResilienceCurve
    lo: ResilienceCurve
    hi: ResilienceCurve
    draws: int


def largest_first(sets: ServerSets, group: npt.ArrayLike, by: Literal["rooms", "memberships"]) -> IntArray:
    """The groups in the order of how many rooms (or memberships) any server of theirs is in; ties by number.

    `group` holds the group of each server: its own number, its operator, its network. Groups are numbered from 0.

    Raises:
        ValueError: not one group for each server.
    """
    groups = _checked_groups(sets, group)
    weight = sets.rooms if by == "rooms" else sets.memberships
    set_of = _set_of_each(sets)
    count = int(groups.max()) + 1 if groups.size else 0
    # A room in which an operator has three servers counts once for it.
    once = np.unique(set_of * max(count, 1) + groups[sets.server])
    sizes = _sums(once % max(count, 1), weight[once // max(count, 1)], count)
    return np.argsort(-sizes, kind="stable")


def remove_in_order(sets: ServerSets, group: npt.ArrayLike, order: npt.ArrayLike) -> ResilienceCurve:
    """The curve when groups go in this order.

    Raises:
        ValueError: not one group for each server, or an order that does not name each group once.
    """
    groups, removal = _checked_groups(sets, group), checked_counts(order)
    steps = removal.size
    if not np.array_equal(np.sort(removal), np.arange(steps)) or (groups.size and groups.max() >= steps):
        raise ValueError("an order names each group once")
    returns_at = np.empty(steps, dtype=np.int64)
    returns_at[removal] = np.arange(steps - 1, -1, -1)
    back = returns_at[groups]
    # In each set the servers by the time of their return: with the first the rooms live again, the others join it.
    set_of = _set_of_each(sets)
    by_return = np.lexsort((back[sets.server], set_of))
    server = sets.server[by_return]
    first = server[sets.start[:-1]]
    alive = np.cumsum(_sums(back[first], sets.rooms, steps))
    attached = _sums(first, sets.memberships, sets.servers)
    links = np.unique(first[set_of] * max(sets.servers, 1) + server)
    one, other = _tree(links // max(sets.servers, 1), links % max(sets.servers, 1), back)
    together = np.array(list(_largest_components(back, attached, one, other, steps))).reshape(steps, 2)
    all_rooms = float(sets.rooms.sum())
    return ResilienceCurve(
        rooms_without_server=_from_intact(all_rooms - alive, all_rooms, all_rooms),
        servers_together=_from_intact(together[:, 0], 0.0, float(sets.servers)),
        memberships_together=_from_intact(together[:, 1], 0.0, float(sets.memberships.sum())),
    )


def remove_at_random(
    sets: ServerSets,
    group: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    progress: Progress | None = None,
) -> ResilienceBand:
    """The band of `draws` random orders, every group equally likely to go next.

    Raises:
        ValueError: as for `remove_in_order`, or no draws.
    """
    if draws < 1:
        raise ValueError("at least one draw is needed")
    groups = _checked_groups(sets, group)
    count = int(groups.max()) + 1 if groups.size else 0
    curves = []
    for done in range(1, draws + 1):
        curves.append(remove_in_order(sets, groups, rng.permutation(count)))
        if progress is not None:
            progress(done, draws)
    return ResilienceBand(
        median=_at_each_k(curves, 0.5), lo=_at_each_k(curves, 0.0), hi=_at_each_k(curves, 1.0), draws=draws
    )


def _tree(one: IntArray, other: IntArray, back: IntArray) -> tuple[IntArray, IntArray]:
    """The few of the links that connect the same servers at every step: a spanning tree of those that come first.

    Millions of links go in and fewer than there are servers come out, which a loop in Python can afford.
    """
    apart = one != other
    one, other = one[apart], other[apart]
    # Sparse matrices take 0 for no link.
    weights = csr_array((back[other] + 1, (one, other)), shape=(back.size, back.size))
    tree = minimum_spanning_tree(weights).tocoo()
    return tree.row.astype(np.int64), tree.col.astype(np.int64)


def _largest_components(
    back: IntArray, attached: FloatArray, one: IntArray, other: IntArray, steps: int
) -> Iterator[tuple[int, float]]:
    """After each step of return: the most servers and the most memberships in one component.

    A link joins when the later of its two servers is back.
    """
    parent = list(range(back.size))
    servers, memberships = [1] * back.size, attached.tolist()
    most_servers, most_memberships = 0, 0.0

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    returning = _by_step(back, steps)
    linking = _by_step(np.maximum(back[one], back[other]), steps)
    ones, others = one.tolist(), other.tolist()
    for servers_back, links in zip(returning, linking, strict=True):
        for server in servers_back:
            most_servers = max(most_servers, 1)
            most_memberships = max(most_memberships, memberships[server])
        for link in links:
            small, large = root(ones[link]), root(others[link])
            if small == large:
                continue
            if servers[small] > servers[large]:
                small, large = large, small
            parent[small] = large
            servers[large] += servers[small]
            memberships[large] += memberships[small]
            most_servers = max(most_servers, servers[large])
            most_memberships = max(most_memberships, memberships[large])
        yield most_servers, most_memberships


def _by_step(step: IntArray, steps: int) -> Iterator[list[int]]:
    """The positions that belong to each step."""
    ordered = np.argsort(step, kind="stable")
    bounds = np.searchsorted(step[ordered], np.arange(steps + 1)).tolist()
    positions = ordered.tolist()
    return (positions[begin:end] for begin, end in pairwise(bounds))


def _from_intact(by_return: FloatArray, when_all_are_gone: float, whole: float) -> FloatArray:
    """Turned round: from everything there to nothing there, as shares of the whole."""
    curve = np.concatenate((by_return[::-1], [when_all_are_gone]))
    return np.clip(curve / whole, 0.0, 1.0) if whole > 0 else np.zeros_like(curve)


def _at_each_k(curves: Sequence[ResilienceCurve], level: float) -> ResilienceCurve:
    return ResilienceCurve(
        rooms_without_server=np.quantile([curve.rooms_without_server for curve in curves], level, axis=0),
        servers_together=np.quantile([curve.servers_together for curve in curves], level, axis=0),
        memberships_together=np.quantile([curve.memberships_together for curve in curves], level, axis=0),
    )


def _sums(place: IntArray, weight: npt.ArrayLike, places: int) -> FloatArray:
    return np.bincount(place, weights=weight, minlength=places).astype(np.float64)


def _set_of_each(sets: ServerSets) -> IntArray:
    return np.repeat(np.arange(sets.rooms.size), np.diff(sets.start))


def _checked_groups(sets: ServerSets, group: npt.ArrayLike) -> IntArray:
    groups = checked_counts(group)
    if groups.size != sets.servers:
        raise ValueError("one group for each server is needed")
    return groups
