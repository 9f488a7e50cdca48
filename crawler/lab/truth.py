"""What a perfect crawl of the practice federation must find, from the world's own tables.

Written before any crawl and without our resolver, parsers or paging: names that can be found and who names them, how
far along the funnel each one comes and what stops it, where each one is, what it runs, what its directory holds, which
rooms there are. Whatever a crawler may lawfully decide in another way is left out or given for both ways (with an
identity and without).
"""

import statistics
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache

from crawler.lab.deaths import DEATHS, Reached
from crawler.lab.directory import Directories, Row, RowsKept, tells_types
from crawler.lab.hierarchy import SPEAKING
from crawler.lab.network import Target
from crawler.lab.oddities import Quirk
from crawler.lab.plan import ServerPlan
from crawler.lab.robots import Robots
from crawler.lab.room import Room
from crawler.lab.software import Door
from crawler.lab.spaces import SPACE
from crawler.lab.world import World
from crawler.model.crawl import LeadSource
from crawler.model.names import alias_domain, room_id_domain
from crawler.model.rooms import DirectoryState, DirectoryWay

_STATE_OF = {
    Door.OPEN: DirectoryState.OPEN,
    Door.EMPTY: DirectoryState.OPEN_EMPTY,
    Door.DENIED: DirectoryState.DENIED,
    Door.WANTS_TOKEN: DirectoryState.AUTH_FAILED,
    Door.ABSENT: DirectoryState.NOT_IMPLEMENTED,
}

PREDICATES = ("resolves", "reachable", "secure", "online", "federating", "accepting", "listing")
"""Of the funnel, each implying the ones before it, but for the last two."""


@dataclass(slots=True)
class Findings:
    """What can be found in one way of crawling.

    `sources` of each server that something names; `members` of each room as the directories state them;
    `directory_rooms` and `noindex` by server. `named_by_space`: whom spaces name. `space_rooms`: the children of
    spaces, those that stand in directories too; `opened_spaces`: the spaces that somebody told us of. `looked_up`: the
    rooms whose aliases were asked for.
    """

    signed: bool
    sources: dict[int, set[LeadSource]] = field(default_factory=dict)
    members: dict[str, list[int]] = field(default_factory=dict)
    directory_rooms: dict[int, int] = field(default_factory=dict)
    noindex: Counter[int] = field(default_factory=Counter)
    spam: set[str] = field(default_factory=set)
    named_by_space: set[int] = field(default_factory=set)
    space_rooms: dict[str, Room] = field(default_factory=dict)
    opened_spaces: set[str] = field(default_factory=set)
    looked_up: set[str] = field(default_factory=set)


class Truth:
    """The truth about one world.

    Args:
        world: the federation on its day.
        before: rows of directories as they were on an earlier day; see `Directories`.
    """

    def __init__(self, world: World, before: RowsKept | None = None) -> None:
        self._world = world
        self._directories = Directories(world, before)

    @cached_property
    def signed(self) -> Findings:
        """What a crawl with an identity finds."""
        return self.findings(signed=True)

    @cached_property
    def unsigned(self) -> Findings:
        """What a crawl without one finds."""
        return self.findings(signed=False)

    def findings(self, *, signed: bool, look_ups: int | None = None, spaces: bool = True) -> Findings:
        """Follow every lead from the seeds.

        Args:
            signed: whether the crawl has an identity.
            look_ups: ask each server for at most so many of the aliases it lists as its own, those of its biggest rooms
                first, and nobody for aliases that others list; None: for all.
            spaces: whether the crawl follows spaces; only one with an identity can.
        """
        found = Findings(signed)
        queue: deque[int] = deque()
        for name in self._world.seeds():
            self._hear(found, queue, self._world.index_of[name], LeadSource.SEED)
        while queue:
            index = queue.popleft()
            rows = self.read(found, index, signed=signed)
            for named, source in self._named_by(found, index, rows, look_ups):
                self._hear(found, queue, named, source)
            other = self._world.answers_for(index)
            if other is not None:
                self._hear(found, queue, other, LeadSource.WELL_KNOWN)
            # That a room is a space must be said by somebody.
            if spaces and signed and tells_types(self._world.plan(index).release.dialect):
                for row in rows:
                    if row.room.room_type == SPACE:
                        self._open_space(found, queue, row.room, (index,))
        return found

    def _open_space(self, found: Findings, queue: deque[int], space: Room, askable: tuple[int, ...]) -> None:
        """Follow a space, and the spaces in it, by asking whoever of `askable` answers."""
        waiting = deque([(space, askable)])
        while waiting:
            space, askable = waiting.popleft()
            if space.room_id in found.opened_spaces or not any(self._tells(space, index) for index in askable):
                continue
            found.opened_spaces.add(space.room_id)
            for child in self._world.spaces.children(space.origin, space.serial):
                for index in child.via:
                    found.named_by_space.add(index)
                    self._hear(found, queue, index, None)
                if child.room is None or not any(self._tells(child.room, index) for index in child.via):
                    continue
                if not child.room.is_noindex:
                    found.space_rooms[child.room.room_id] = child.room
                if child.room.room_type == SPACE:
                    waiting.append((child.room, child.via))

    def _tells(self, room: Room, index: int) -> bool:
        """Whether a server answers a signed question about a room that it is in."""
        plan = self._world.plan(index)
        can = plan.alive and plan.release.dialect in SPEAKING and plan.quirk is not Quirk.SIGNATURE_REFUSED
        return can and room.is_federated and plan.robots is not Robots.DISALLOWS_US

    @staticmethod
    def _hear(found: Findings, queue: deque[int], index: int, source: LeadSource | None) -> None:
        """Somebody named a server; `source` None: a space did."""
        if index not in found.sources:
            found.sources[index] = set()
            queue.append(index)
        if source is not None:
            found.sources[index].add(source)

    def read(self, found: Findings, index: int, *, signed: bool) -> list[Row]:
        """The rows of a server's directory that a crawl may use."""
        plan = self._world.plan(index)
        way = plan.readable_door(signed=signed)
        if way is None or plan.is_endless:
            return []
        rows = self._directories.rows(index, way) if _door(plan, way) is Door.OPEN else ()
        usable = [row for row in rows if not row.is_filtered and not row.room.is_noindex]
        found.noindex[index] += sum(row.room.is_noindex and not row.is_filtered for row in rows)
        found.directory_rooms[index] = len(usable)
        for row in usable:
            found.members.setdefault(row.room.room_id, []).append(row.members)
            if row.room.is_spam:
                found.spam.add(row.room.room_id)
        return usable

    def _named_by(
        self, found: Findings, index: int, rows: list[Row], look_ups: int | None
    ) -> Iterator[tuple[int, LeadSource]]:
        """Whom a directory leads to. That a server names itself is no lead: neither in its own directory, nor where it
        answers, as the owner of an alias, that it is in the room."""
        for row in rows:
            for name, source in _domains(row.room.room_id, row.room.alias or ""):
                named = self._world.index_of.get(name or "")
                if named is not None and named != index:
                    yield named, source
        aliased = [row for row in sorted(rows, key=lambda row: row.key) if row.room.alias is not None]
        if look_ups is not None:
            aliased = [row for row in aliased if row.room.origin == index][:look_ups]
        for row in aliased:
            if row.room.room_id in found.looked_up:
                continue  # the same answer, from the same server
            found.looked_up.add(row.room.room_id)
            owner = self._world.plan(row.room.origin)
            if owner.alive and owner.publishes_client and owner.robots is not Robots.DISALLOWS_US:
                for member in self._world.rooms.participants(row.room.origin, row.room.serial)[1:]:
                    yield member, LeadSource.ALIAS_SERVERS

    def document(self) -> dict[str, object]:
        """The whole truth as one JSON object; `--truth FILE` holds it."""
        servers = {self._world.names[index]: self._server(index) for index in range(self._world.size)}
        spam = self.signed.spam | self.unsigned.spam
        rooms = {
            room_id: {
                "signed": _room(self.signed.members.get(room_id)),
                "unsigned": _room(self.unsigned.members.get(room_id)),
                "spam": room_id in spam,
            }
            for room_id in {**self.signed.members, **self.unsigned.members}
        }
        return {
            "schema": 2,
            "seed": self._world.seed,
            "profile": self._world.profile.name,
            "day": self._world.day,
            "seeds": self._world.seeds(),
            "servers": servers,
            "rooms": rooms,
            "space_rooms": {
                room_id: {"members": room.members, "type": room.room_type, "in_directories": room_id in rooms}
                for room_id, room in self.signed.space_rooms.items()
            },
            "network_rooms": self._network_rooms(),
            "totals": {"signed": self._totals(self.signed), "unsigned": self._totals(self.unsigned)},
        }

    def _network_rooms(self) -> dict[str, object]:
        """The rooms that only who asks for all networks finds, by a crawl with an identity."""
        found: dict[str, object] = {}
        for index in self.signed.sources:
            plan = self._world.plan(index)
            if plan.readable_door(signed=True) is not None:
                for network, room in self._world.portals(index):
                    found[room.room_id] = {"network": network, "members": room.members, "alias": room.alias}
        return found

    def _server(self, index: int) -> dict[str, object]:
        plan, presence = self._world.plan(index), self._world.presence(index)
        release, name = plan.release, presence.name
        predicates = predicates_of(plan, signed=True)
        online = bool(predicates["online"])
        resolved = bool(predicates["resolves"])
        return {
            "findable": index in self.signed.sources,
            "findable_unsigned": index in self.unsigned.sources,
            "sources": sorted(self.signed.sources.get(index, ())),
            "named_by_space": index in self.signed.named_by_space,
            "farm": plan.farm,
            "robots": plan.robots,
            "opted_out": plan.robots.names_us,
            "users": plan.users,
            "alive": plan.alive,
            "death": plan.death,
            "quirk": plan.quirk,
            "front": plan.front,
            "predicates": predicates,
            "failure": None if plan.death is None else DEATHS[plan.death].kind,
            "branch": plan.branch if resolved else None,
            "delegated": presence.delegated,
            "endpoints": [_endpoint(target) for target in presence.targets],
            "client_base": presence.client_base,
            "published": asdict(self._world.published(index)) if online else None,
            "software": {
                "name_raw": release.name_raw.format(server=name) if release.name_raw is not None else None,
                "version_raw": release.version_raw,
                "software": release.software,
                "version": release.version,
            }
            if online
            else None,
            "directory": self._directory(plan) if predicates["federating"] else None,
        }

    def _directory(self, plan: ServerPlan) -> dict[str, object]:
        client = directory_state(plan, signed=False) if plan.publishes_client else None
        return {
            "state": directory_state(plan, signed=True),
            "way": plan.readable_door(signed=True),
            "endless": plan.is_endless,
            "rooms": self._directory_rooms(plan, signed=True),
            "noindex": self._noindex(plan, signed=True),
            "unsigned": {
                "state": client,
                "rooms": self._directory_rooms(plan, signed=False),
                "noindex": self._noindex(plan, signed=False),
            },
        }

    def _directory_rooms(self, plan: ServerPlan, *, signed: bool) -> int | None:
        """How many rooms; None when the directory does not answer. Also for servers that nobody can find,
        but not for those whose directory has no end."""
        if plan.readable_door(signed=signed) is None or plan.is_endless:
            return None
        return len(self.read(Findings(signed), plan.index, signed=signed))

    def _noindex(self, plan: ServerPlan, *, signed: bool) -> int:
        aside = Findings(signed)
        self.read(aside, plan.index, signed=signed)
        return aside.noindex[plan.index]

    def _totals(self, found: Findings) -> dict[str, object]:
        reached: Counter[str] = Counter()
        software: Counter[str] = Counter()
        for index in found.sources:
            plan = self._world.plan(index)
            predicates = predicates_of(plan, signed=found.signed)
            reached.update(predicate for predicate, holds in predicates.items() if holds)
            if predicates["online"]:
                software[plan.release.software or "unknown"] += 1
        medians = [statistics.median(counts) for counts in found.members.values()]
        return {
            "known": len(found.sources),
            **{predicate: reached[predicate] for predicate in PREDICATES},
            "software": dict(sorted(software.items())),
            "rooms": len(found.members),
            "memberships": sum(medians),
            "largest_room": max(medians, default=None),
        }


@lru_cache(maxsize=65_536)
def _domains(room_id: str, alias: str) -> tuple[tuple[str | None, LeadSource], ...]:
    """Whom a listing names; the same rooms are listed in many directories, and on many days."""
    return (room_id_domain(room_id), LeadSource.ROOM_ID), (alias_domain(alias), LeadSource.ALIAS)


def directory_state(plan: ServerPlan, *, signed: bool) -> DirectoryState:
    """How the directory of a server that federates answers; skipped where robots.txt asks us by name to stay away."""
    if plan.robots.names_us:
        return DirectoryState.SKIPPED
    way = plan.readable_door(signed=signed)
    if way is not None:
        return _STATE_OF[_door(plan, way)]
    if not signed:
        return _STATE_OF[plan.policy.client]
    if plan.quirk is Quirk.SIGNATURE_REFUSED:
        return DirectoryState.AUTH_FAILED
    return _STATE_OF[plan.policy.federation]


def predicates_of(plan: ServerPlan, *, signed: bool) -> dict[str, bool | None]:
    """The predicates of the funnel. `accepting` is None where no answer tells: without an identity, and after a 403,
    which may come before the signature is looked at."""
    reached = Reached.FEDERATING if plan.death is None else DEATHS[plan.death].reached
    federating = reached >= Reached.FEDERATING
    accepting: bool | None = False
    if federating and not signed:
        accepting = None
    elif federating and plan.quirk is not Quirk.SIGNATURE_REFUSED:
        is_asked = plan.policy.federation in (Door.OPEN, Door.EMPTY) and not plan.robots.names_us
        accepting = True if is_asked else None
    return {
        "resolves": reached >= Reached.RESOLVES,
        "reachable": reached >= Reached.REACHABLE,
        "secure": reached >= Reached.SECURE,
        "online": reached >= Reached.ONLINE,
        "federating": federating,
        "accepting": accepting,
        "listing": plan.readable_door(signed=signed) is not None,
    }


def _door(plan: ServerPlan, way: DirectoryWay) -> Door:
    return plan.policy.federation if way is DirectoryWay.FEDERATION else plan.policy.client


def _room(members: list[int] | None) -> dict[str, object] | None:
    """Directories that list a room, and what they say of its members together."""
    if members is None:
        return None
    return {
        "directories": len(members),
        "members_median": statistics.median(members),
        "members_min": min(members),
        "members_max": max(members),
    }


def _endpoint(target: Target) -> dict[str, object]:
    return {
        "address": target.address,
        "port": target.port,
        "host_header": target.host_header,
        "tls_name": target.tls_name,
        "priority": target.priority,
        "works": target.works,
    }
