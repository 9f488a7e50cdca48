"""Federations whose true size is known, and crawls of them at several efforts, to try the population estimates on.

Apart from the practice federation, which is for crawling and answers over sockets: this one is arrays, so that
hundreds can be crawled in a minute. It is made to be as unkind as the real one: popularity has a heavy tail, servers
that are in the same large rooms are found together, a part of the servers is in no public room at all and can be found
by nobody. A crawl reads the directories of the open servers that it finds, as far as its effort goes, and looks aliases
up. Its leads are those of a real crawl, and go through the same functions to the same rows.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from analytics.amounts import BoolArray, IntArray
from analytics.hosting import NO_DATA, Places
from analytics.schemas import IN_ROOM_COLUMNS, LEAD_COLUMNS, OBSERVATION_COLUMNS, PLACE_COLUMNS, ROOM_COLUMNS
from analytics.snapshot import Snapshot

ISLANDS = 0.05
"""Share of servers in no public room."""

ROOMS_EACH = 3.0
ALIASED = 0.7
SEEDS = 5
AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedFederation:
    """`members[r]` are the servers in room r, its origin first; `is_open[s]` whether the directory of s can be read.

    `reachable_size` counts the servers that are in any room with another server: what any crawl could find at best.
    """

    size: int
    members: tuple[IntArray, ...]
    is_aliased: BoolArray
    is_open: BoolArray

    @property
    def reachable_size(self) -> int:
        """How many servers share a room with another."""
        shared = [servers for servers in self.members if servers.size > 1]
        return len(np.unique(np.concatenate(shared))) if shared else 0


def simulate(size: int, open_share: float, rng: np.random.Generator) -> SimulatedFederation:
    """A federation of `size` online servers, the popular ones in most rooms."""
    in_public = rng.random(size) >= ISLANDS
    popularity = rng.pareto(1.2, size) * in_public + 1e-12
    rooms = int(size * ROOMS_EACH)
    origins = rng.choice(size, rooms, p=popularity / popularity.sum())
    sizes = np.minimum(1 + np.floor(rng.pareto(1.1, rooms)).astype(np.int64), max(2, size // 4))
    activity = rng.lognormal(0, 1.5, size) * in_public + 1e-12
    chance = activity / activity.sum()
    members = []
    for origin, wanted in zip(origins.tolist(), sizes.tolist(), strict=True):
        others = rng.choice(size, wanted - 1, p=chance) if wanted > 1 else np.empty(0, dtype=np.int64)
        others = others[in_public[others]]
        members.append(np.concatenate(([origin], np.setdiff1d(others, [origin]))).astype(np.int64))
    return SimulatedFederation(size, tuple(members), rng.random(rooms) < ALIASED, rng.random(size) < open_share)


def crawl_simulated(federation: SimulatedFederation, effort: float, rng: np.random.Generator) -> Snapshot:
    """What a crawl sees that reads each open directory, and looks each listed alias up, with the chance `effort`."""
    listed: list[list[int]] = [[] for _ in range(federation.size)]
    for room, servers in enumerate(federation.members):
        for server in servers.tolist():
            listed[server].append(room)
    reads = federation.is_open & (rng.random(federation.size) < effort)
    looks_up = federation.is_aliased & (rng.random(len(federation.members)) < effort)
    seeds = rng.permutation(np.flatnonzero(reads))[:SEEDS].tolist()
    leads: set[tuple[int, str, int | None]] = {(seed, "seed", None) for seed in seeds}
    known, waiting = set(seeds), deque(seeds)
    while waiting:
        server = waiting.popleft()
        if not reads[server]:
            continue
        for room in listed[server]:
            servers = federation.members[room].tolist()
            origin = servers[0]
            found = [(origin, "alias" if federation.is_aliased[room] else "room_id", server)]
            if looks_up[room]:
                found += [(other, "alias_servers", origin) for other in servers]
            leads.update(found)
            for other, _, _ in found:
                if other not in known:
                    known.add(other)
                    waiting.append(other)
    return _snapshot(sorted(known), sorted(leads, key=str))


def _snapshot(known: Sequence[int], leads: Sequence[tuple[int, str, int | None]]) -> Snapshot:
    seen = [
        dict.fromkeys(OBSERVATION_COLUMNS)
        | dict.fromkeys(("resolves", "reachable", "secure", "online", "federating"), True)
        | {"crawl_id": 1, "server_id": number, "server_name": f"s{number}.test", "listing": False}
        for number in known
    ]
    return Snapshot(
        crawl_id=1,
        at=AT,
        is_census=True,
        synthetic=True,
        signed=False,
        crawler_version="simulated",
        known=len(known),
        observations=pl.DataFrame(seen, schema=OBSERVATION_COLUMNS),
        rooms=pl.DataFrame(schema=ROOM_COLUMNS),
        leads=pl.DataFrame(leads, schema=LEAD_COLUMNS, orient="row"),
        listings=pl.DataFrame(schema=IN_ROOM_COLUMNS),
        participations=pl.DataFrame(schema=IN_ROOM_COLUMNS),
        places=Places(pl.DataFrame(schema=PLACE_COLUMNS), NO_DATA),
    )
