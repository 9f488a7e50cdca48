"""One room, and what is drawn of rooms once, for all days.

Apart from `rooms`, where a day has its say: a federation that is looked at day after day draws each room once, and a
room of which nothing changed overnight is the same object as on the day before.
"""

import base64
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from crawler.lab.dice import dice, digest, share
from crawler.lab.names import HOSTILE_NAMES, room_words, spam_words
from crawler.lab.plan import Standing
from crawler.lab.planner import Planner
from crawler.model.crawl import LeadSource

_ROOMS_KEPT = 65_536
_IN_SPACE_SHARE = 0.15
"""Of published rooms."""

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


Place: TypeAlias = tuple[int, int]
"""(origin, serial) of a room: the server that made it, and its number there."""


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


@dataclass(slots=True)
class DrawnRoom:
    """What is drawn of a room once, as `room`, whose members are without those who join; `latest` is the last that a
    day made of it, out of `made_of`."""

    room: Room
    keeps_its_name: bool
    latest: Room = field(init=False)
    made_of: tuple[object, ...] | None = None


class DrawnRooms:
    """What is drawn of rooms, each when it is first asked for. The rooms themselves are kept as far as memory allows.

    Args:
        planner: of any day: only what servers were at first is asked of it.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._seed = planner.seed
        self._big_two = planner.profile.big_two[: planner.seeds]
        self.room = lru_cache(maxsize=_ROOMS_KEPT)(self._room)
        self.at_first = lru_cache(maxsize=None)(self._at_first)
        self.visitors = lru_cache(maxsize=_ROOMS_KEPT)(self._visitors)
        self.leaning = lru_cache(maxsize=_ROOMS_KEPT)(self._leaning)
        self._chosen: dict[int, tuple[tuple[Place, ...], tuple[Place, ...]]] = {}

    def is_wide(self, origin: int, serial: int) -> bool:
        return origin < self._planner.communities and serial < WIDE_ROOMS

    def is_hidden(self, origin: int, serial: int) -> bool:
        """Whether its access list denies us."""
        return origin == 1 and origin < self._planner.communities and serial >= HIDDEN_FROM

    def _at_first(self, index: int) -> int:
        """How many rooms a server had on day 0, or when it was born."""
        plan, profile = self._planner.native(index), self._planner.profile
        if plan.standing is Standing.COMMUNITY:
            ranked = 6 + int(profile.biggest_directory / (index + 1) ** 0.7)
            return max(ranked, profile.big_directory if index == 0 else 0)
        if not plan.alive or plan.farm is not None:
            return 1
        return min(MAX_NARROW, int(dice(self._seed, "rooms of", index).paretovariate(profile.narrow_exponent)))

    def _visitors(self, origin: int, serial: int) -> tuple[int, ...]:
        """Who is in a narrow room, beside its own server and a witness."""
        found = [k for k, part in enumerate(self._big_two) if share(self._seed, "visit", k, origin, serial) < part]
        if share(self._seed, "visited by a seed", origin, serial) < 0.3:
            found.append(int(share(self._seed, "which seed", origin, serial) * self._planner.seeds))
        return tuple(found)

    def _leaning(self, origin: int, serial: int) -> tuple[float, bool]:
        """Where among the spaces of its server a room would stand, and whether it does though it is published."""
        place = share(self._seed, "space of", origin, serial)
        return place, share(self._seed, "in space", origin, serial) < _IN_SPACE_SHARE

    def chosen(self, index: int, joined: tuple[Place, ...]) -> tuple[Place, ...]:
        """Of the rooms elsewhere that a server's people are in, those that it lists."""
        before = self._chosen.get(index)
        if before is not None and before[0] == joined:
            return before[1]
        chosen = tuple(place for place in joined if share(self._seed, "lists", index, *place) < 0.6)
        self._chosen[index] = joined, chosen
        return chosen

    def _room(self, origin: int, serial: int, server: str) -> DrawnRoom:
        """A room of the server of a name."""
        plan = self._planner.native(origin)
        draw = dice(self._seed, "room", origin, serial)
        wide, hidden = self.is_wide(origin, serial), self.is_hidden(origin, serial)
        name, topic, localpart = room_words(self._seed, origin, serial)
        named_by_alias = plan.lead is LeadSource.ALIAS and serial == 0
        named_by_id = plan.lead is LeadSource.ROOM_ID and serial == 0
        unnamed = plan.standing is Standing.BEHIND_SPACE and serial == 0
        hashed_id = named_by_alias or unnamed or (not named_by_id and draw.random() < 0.25)
        has_alias = wide or named_by_alias or (not named_by_id and not unnamed and draw.random() < 0.7)
        # The first room of a server is always listed: an open directory is never empty by chance.
        ordinary = not wide and serial > 0
        members = 0
        if not wide:
            # A server's first room stays among its biggest: whoever looks it up learns of the witness.
            members = 31 if hidden else draw.randrange(20, 30) if serial == 0 else draw.randrange(2, 20)
        noindex = ordinary and not hidden and (draw.random() < 0.01 or (origin == 0 and serial == WIDE_ROOMS + 2))
        hostile = origin == 0 and WIDE_ROOMS + 3 <= serial < WIDE_ROOMS + 3 + len(HOSTILE_NAMES)
        if hostile:
            name = HOSTILE_NAMES[serial - WIDE_ROOMS - 3]
        is_spam = ordinary and not hidden and not noindex and draw.random() < self._planner.profile.spam_share
        if is_spam:
            name, topic = spam_words(self._seed, origin, serial)
        gathers = plan.standing is Standing.COMMUNITY and serial == 1
        rule = draw.choices((None, "public", "knock"), (20, 72, 8))[0]
        room = Room(
            origin=origin,
            serial=serial,
            room_id=self._room_id(origin, serial, server, hashed=hashed_id),
            alias=f"#{localpart}:{server}" if has_alias else None,
            name=name,
            topic=draw.choice(NOINDEX_TOPICS) if noindex else topic,
            members=members,
            room_type="m.space" if draw.random() < 0.04 or gathers else None,
            join_rule=rule,
            world_readable=draw.random() < 0.4,
            guest_can_join=draw.random() < 0.15,
            is_published=not ordinary or draw.random() < 0.9,
            is_federated=not ordinary or hidden or draw.random() < 0.98,
            hides_from_federation=hidden,
            is_noindex=noindex,
            is_spam=is_spam,
        )
        return DrawnRoom(room, keeps_its_name=hostile or is_spam)

    def _room_id(self, origin: int, serial: int, server: str, *, hashed: bool) -> str:
        material = digest(self._seed, "room id", origin, serial)
        if hashed:
            return "!" + base64.urlsafe_b64encode(material).rstrip(b"=").decode()
        letters = "".join(chr(ord("A") + b % 26) if b & 32 else chr(ord("a") + b % 26) for b in material[:18])
        return f"!{letters}:{server}"
