"""Rooms: what they are, who is in them, and which directories list them.

Two kinds. *Wide* rooms are the biggest of a community; servers from everywhere join them, and the answer to an alias
look-up names them all. *Narrow* rooms reach nobody but their own server, a seed, or the one witness that lists them.
So whatever can be found at all can be found through listings, and through the aliases of the biggest 50 rooms that any
server lists: a crawl that bounds its alias look-ups at 50 a server, biggest first, finds the same as one that does not.
"""

import base64
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from crawler.lab.dice import dice, digest, share
from crawler.lab.names import HOSTILE_NAMES, room_words, spam_words
from crawler.lab.plan import ServerPlan, Standing
from crawler.lab.planner import Planner
from crawler.model.crawl import LeadSource

WIDE_ROOMS = 25
"""A community's rooms below this serial are wide."""

MAX_NARROW = 25
"""Rooms of a server that is no community."""

WIDE_MEMBERS = 40
"""A wide room has at least so many members, a narrow one at most 31, and directories disagree by 2 at most."""

HIDDEN_FROM = 60
"""In the second community, rooms from this serial up have an access list that denies everybody else's server: a
directory asked over federation leaves them out after paging, so that pages come short, and one of them empty."""

NOINDEX_TOPICS = (
    "Ask before you quote us. [.](MRS-noindex:true-MRS)",
    "(MRS-language:EN|noindex:yes-MRS) A quiet place.",
    "For members. matrixrooms.info: noindex",
    "Please matrix-census:noindex",
)
"""Both forms of the tag, as rooms carry it."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room as its own server knows it. `is_published`: in that server's directory. `is_federated`: m.federate is not
    false. `hides_from_federation`: its server ACL denies us. `is_noindex`: its topic asks not to be indexed. `is_spam`:
    made to be found, not to be talked in."""

    origin: int
    serial: int
    room_id: str
    alias: str | None
    name: str
    topic: str
    members: int
    room_type: str | None
    join_rule: str | None
    world_readable: bool
    guest_can_join: bool
    is_published: bool
    is_federated: bool
    hides_from_federation: bool
    is_noindex: bool
    is_spam: bool = False


class Rooms:
    """All rooms of a federation. Who is in what is worked out once; the rooms themselves are made when asked for."""

    def __init__(self, planner: Planner, names: list[str]) -> None:
        self._planner = planner
        self._seed = planner.seed
        self._names = names
        self._joined: dict[tuple[int, int], array[int]] = {}
        self._joins: dict[int, tuple[tuple[int, int], ...]] = {}
        self._witness: dict[int, int] = {}
        self._witnessed: dict[int, array[int]] = {}
        self._behind: dict[int, list[int]] = {}
        for index in range(planner.total):
            self._settle(planner.native(index))
        self._big_two = planner.profile.big_two[: planner.seeds]
        self.room = lru_cache(maxsize=65536)(self._room)

    def count(self, index: int) -> int:
        """How many rooms were made on a server."""
        return self._planner.calendar.rooms_made(self._at_first(index))

    def _at_first(self, index: int) -> int:
        plan, profile = self._planner.native(index), self._planner.profile
        if plan.standing is Standing.COMMUNITY:
            ranked = 6 + int(profile.biggest_directory / (index + 1) ** 0.7)
            return max(ranked, profile.big_directory if index == 0 else 0)
        if not plan.alive or plan.farm is not None:
            return 1
        return min(MAX_NARROW, int(dice(self._seed, "rooms of", index).paretovariate(profile.narrow_exponent)))

    def name(self, index: int) -> str:
        return self._names[index]

    def behind(self, community: int) -> list[int]:
        """The servers that nothing but this community's space names."""
        return self._behind.get(community, [])

    def inside(self, index: int) -> Iterator[tuple[int, int]]:
        """(origin, serial) of every room that a server is in and knows of, but for narrow ones made elsewhere."""
        for serial in range(self.count(index)):
            yield index, serial
        yield from self._joins.get(index, ())
        for origin in self._witnessed.get(index, ()):
            yield origin, 0

    def participants(self, origin: int, serial: int) -> tuple[int, ...]:
        """The servers in a room, its own first."""
        found = [origin]
        if serial == 0 and origin in self._witness:
            found.append(self._witness[origin])
        if self._is_wide(origin, serial):
            found += self._joined.get((origin, serial), ())
        elif serial > 0:
            found += (k for k, part in enumerate(self._big_two) if share(self._seed, "visit", k, origin, serial) < part)
            if share(self._seed, "visited by a seed", origin, serial) < 0.3:
                found.append(int(share(self._seed, "which seed", origin, serial) * self._planner.seeds))
        return tuple(dict.fromkeys(found))

    def listed(self, index: int) -> Iterable[tuple[int, int]]:
        """(origin, serial) of every room in a server's directory: its own published ones, others that its people are
        in, and those it is the witness of."""
        for serial in range(self.count(index)):
            if self.room(index, serial).is_published:
                yield index, serial
        joined = {
            place: None for place in self._joins.get(index, ()) if share(self._seed, "lists", index, *place) < 0.6
        }
        yield from joined
        for origin in self._witnessed.get(index, ()):
            if (origin, 0) not in joined:
                yield origin, 0

    def reported_members(self, index: int, room: Room) -> int:
        """The joined members that a directory states: exact at the room's own server, a little off elsewhere."""
        if index == room.origin:
            return room.members
        return max(1, room.members + digest(self._seed, "off", index, room.origin, room.serial)[0] % 5 - 2)

    def _is_wide(self, origin: int, serial: int) -> bool:
        return origin < self._planner.communities and serial < WIDE_ROOMS

    def _settle(self, plan: ServerPlan) -> None:
        """Decide what a server joins, and who is its witness."""
        communities, profile = self._planner.communities, self._planner.profile
        if plan.standing is Standing.BEHIND_SPACE:
            community = int(share(self._seed, "behind", plan.index) * communities)
            self._behind.setdefault(community, []).append(plan.index)
        if plan.standing in (Standing.ISLAND, Standing.BEHIND_SPACE):
            return
        draw = dice(self._seed, "joins", plan.index)
        if plan.lead in (LeadSource.ROOM_ID, LeadSource.ALIAS):
            witness = self._draw_witness(plan)
            self._witness[plan.index] = witness
            self._witnessed.setdefault(witness, array("I")).append(plan.index)
        most, exponent = profile.max_wide_joined, profile.wide_joins_exponent
        wanted = min(most, int(draw.paretovariate(exponent))) if plan.alive or draw.random() < 0.5 else 0
        if plan.farm is not None:
            wanted = 0
        if plan.lead is LeadSource.ALIAS_SERVERS:
            wanted = max(1, wanted)
        elif plan.lead is not None and draw.random() < 0.5:
            wanted = 0  # known through its witness alone
        # A community that is not a seed must be named by one before it, or nobody leads to either.
        among = min(communities, plan.index) if plan.lead is LeadSource.ALIAS_SERVERS else communities
        joined: dict[tuple[int, int], None] = {}
        for _ in range(wanted):
            community = min(among - 1, int(among * draw.random() ** 2))
            serial = int(min(WIDE_ROOMS, self.count(community)) * draw.random() ** profile.room_skew)
            if community != plan.index:
                joined[community, serial] = None
        self._joins[plan.index] = tuple(joined)
        for place in joined:
            self._joined.setdefault(place, array("I")).append(plan.index)

    def _draw_witness(self, plan: ServerPlan) -> int:
        """An open server before this one: a community, or one found by trying a few."""
        draw = dice(self._seed, "witness", plan.index)
        if draw.random() < 0.5:
            for _ in range(8):
                other = self._planner.native(draw.randrange(plan.index))
                if other.is_open and other.lead is not None:
                    return other.index
        return draw.randrange(min(self._planner.communities, plan.index))

    def _room(self, origin: int, serial: int) -> Room:
        plan, calendar = self._planner.native(origin), self._planner.calendar
        draw = dice(self._seed, "room", origin, serial)
        wide = self._is_wide(origin, serial)
        name, topic, localpart = room_words(self._seed, origin, serial, calendar.renamed(origin, serial))
        participants = self.participants(origin, serial)
        named_by_alias = plan.lead is LeadSource.ALIAS and serial == 0
        named_by_id = plan.lead is LeadSource.ROOM_ID and serial == 0
        unnamed = plan.standing is Standing.BEHIND_SPACE and serial == 0
        hashed_id = named_by_alias or unnamed or (not named_by_id and draw.random() < 0.25)
        has_alias = wide or named_by_alias or (not named_by_id and not unnamed and draw.random() < 0.7)
        hidden = origin == 1 and origin < self._planner.communities and serial >= HIDDEN_FROM
        # The first room of a server is always listed: an open directory is never empty by chance.
        ordinary = not wide and serial > 0
        if wide:
            weight = 60_000 / (origin + 1) ** 1.1
            least = WIDE_MEMBERS + len(participants) * 2
            members = calendar.members(origin, serial, least + int(weight / (serial + 1) ** 0.9), least, None)
        else:
            # A server's first room stays among its biggest: whoever looks it up learns of the witness.
            members = 31 if hidden else draw.randrange(20, 30) if serial == 0 else draw.randrange(2, 20)
            least, most = (20, 29) if serial == 0 else (max(2, len(participants)), 19)
            members = members if hidden else calendar.members(origin, serial, max(members, least), least, most)
        noindex = ordinary and not hidden and (draw.random() < 0.01 or (origin == 0 and serial == WIDE_ROOMS + 2))
        if origin == 0 and WIDE_ROOMS + 3 <= serial < WIDE_ROOMS + 3 + len(HOSTILE_NAMES):
            name = HOSTILE_NAMES[serial - WIDE_ROOMS - 3]
        is_spam = ordinary and not hidden and not noindex and draw.random() < self._planner.profile.spam_share
        if is_spam:
            name, topic = spam_words(self._seed, origin, serial)
        gathers = plan.standing is Standing.COMMUNITY and serial == 1
        rule = draw.choices((None, "public", "knock"), (20, 72, 8))[0]
        return Room(
            origin=origin,
            serial=serial,
            room_id=self._room_id(origin, serial, hashed=hashed_id),
            alias=f"#{localpart}:{self._names[origin]}" if has_alias else None,
            name=name,
            topic=draw.choice(NOINDEX_TOPICS) if noindex else topic,
            members=members,
            room_type="m.space" if draw.random() < 0.04 or gathers else None,
            join_rule=rule,
            world_readable=draw.random() < 0.4,
            guest_can_join=draw.random() < 0.15,
            is_published=not ordinary or (draw.random() < 0.9 and not calendar.has_left_its_directory(origin, serial)),
            is_federated=not ordinary or hidden or draw.random() < 0.98,
            hides_from_federation=hidden,
            is_noindex=noindex,
            is_spam=is_spam,
        )

    def _room_id(self, origin: int, serial: int, *, hashed: bool) -> str:
        material = digest(self._seed, "room id", origin, serial)
        if hashed:
            return "!" + base64.urlsafe_b64encode(material).rstrip(b"=").decode()
        letters = "".join(chr(ord("A") + b % 26) if b & 32 else chr(ord("a") + b % 26) for b in material[:18])
        return f"!{letters}:{self._names[origin]}"
