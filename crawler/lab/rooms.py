"""Rooms on a day: who is in them, how they have grown, and which directories list them.

Two kinds. *Wide* rooms are the biggest of a community; servers from everywhere join them, and the answer to an alias
look-up names them all. *Narrow* rooms reach nobody but their own server, a seed, or the one witness that lists them.
So whatever can be found at all can be found through listings, and through the aliases of the biggest 50 rooms that any
server lists: a crawl that bounds its alias look-ups at 50 a server, biggest first, finds the same as one that does not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from crawler.lab.dice import digest
from crawler.lab.joins import Joins
from crawler.lab.names import room_words
from crawler.lab.planner import Planner
from crawler.lab.room import WIDE_MEMBERS, WIDE_ROOMS, DrawnRooms, Place, Room

_ROOMS_KEPT = 65_536


class Rooms:
    """All rooms of a federation on one day, made when asked for.

    Args:
        planner: of the day.
        names: of its servers.
        drawn: what is drawn of its rooms once.
        joins: who wishes to be in which.
    """

    def __init__(self, planner: Planner, names: list[str], drawn: DrawnRooms, joins: Joins) -> None:
        self._planner = planner
        self._seed = planner.seed
        self._names = names
        self._drawn = drawn
        self._joins = joins
        self.room = lru_cache(maxsize=_ROOMS_KEPT)(self._room)
        self.participants = lru_cache(maxsize=_ROOMS_KEPT)(self._participants)
        self._joined = lru_cache(maxsize=None)(self._joined_of)

    def count(self, index: int) -> int:
        """How many rooms were made on a server."""
        return self._planner.calendar.rooms_made(self._drawn.at_first(index))

    def name(self, index: int) -> str:
        return self._names[index]

    def behind(self, community: int) -> list[int]:
        """The servers that nothing but this community's space names."""
        return self._joins.behind.get(community, [])

    def inside(self, index: int) -> Iterator[Place]:
        """(origin, serial) of every room that a server is in and knows of, but for narrow ones made elsewhere."""
        for serial in range(self.count(index)):
            yield index, serial
        yield from self._joined_by(index)
        for origin in self._joins.witnessed.get(index, ()):
            yield origin, 0

    def _participants(self, origin: int, serial: int) -> tuple[int, ...]:
        """The servers in a room, its own first."""
        found = [origin]
        if serial == 0 and origin in self._joins.witness:
            found.append(self._joins.witness[origin])
        if self._drawn.is_wide(origin, serial):
            found += self._joined(origin).get(serial, ())
        elif serial > 0:
            found += self._drawn.visitors(origin, serial)
        return tuple(dict.fromkeys(found))

    def listed(self, index: int) -> Iterable[Place]:
        """(origin, serial) of every room in a server's directory: its own published ones, others that its people are
        in, and those it is the witness of."""
        for serial in range(self.count(index)):
            if self.room(index, serial).is_published:
                yield index, serial
        chosen = self._drawn.chosen(index, self._joined_by(index))
        yield from chosen
        have = set(chosen)
        yield from ((origin, 0) for origin in self._joins.witnessed.get(index, ()) if (origin, 0) not in have)

    def reported_members(self, index: int, room: Room) -> int:
        """The joined members that a directory states: exact at the room's own server, a little off elsewhere."""
        if index == room.origin:
            return room.members
        return max(1, room.members + digest(self._seed, "off", index, room.origin, room.serial)[0] % 5 - 2)

    def _joined_by(self, index: int) -> tuple[Place, ...]:
        """The wide rooms that a server joined."""
        wishes = self._joins.wishes[index]
        return tuple(dict.fromkeys((community, self._serial(community, place)) for community, place in wishes))

    def _joined_of(self, community: int) -> dict[int, dict[int, None]]:
        """By serial, the servers that joined the wide rooms of a community."""
        found: dict[int, dict[int, None]] = {}
        for index, place in self._joins.wishers.get(community, ()):
            found.setdefault(self._serial(community, place), {})[index] = None
        return found

    def _serial(self, community: int, place: float) -> int:
        """The wide room at a place in the list of a community's, which grows until it has them all."""
        return int(min(WIDE_ROOMS, self.count(community)) * place)

    def _room(self, origin: int, serial: int) -> Room:
        drawn, calendar = self._drawn.room(origin, serial, self._names[origin]), self._planner.calendar
        room = drawn.room
        participants = len(self.participants(origin, serial))
        most: int | None
        if self._drawn.is_wide(origin, serial):
            weight = 60_000 / (origin + 1) ** 1.1
            least, most = WIDE_MEMBERS + participants * 2, None
            members = calendar.members(origin, serial, least + int(weight / (serial + 1) ** 0.9), least, most)
        elif room.hides_from_federation:
            members = room.members
        else:
            least, most = (20, 29) if serial == 0 else (max(2, participants), 19)
            members = calendar.members(origin, serial, max(room.members, least), least, most)
        renamed = 0 if drawn.keeps_its_name else calendar.renamed(origin, serial)
        stays = self._drawn.is_wide(origin, serial) or serial == 0
        is_published = room.is_published and (stays or not calendar.has_left_its_directory(origin, serial))
        made_of = (members, renamed, is_published)
        if drawn.made_of != made_of:
            name = room_words(self._seed, origin, serial, renamed)[0] if renamed else room.name
            drawn.latest = replace(room, name=name, members=members, is_published=is_published)
            drawn.made_of = made_of
        return drawn.latest
