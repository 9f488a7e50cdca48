"""Spaces: which rooms are children of which, and whom a space names as the way into them (client-server API, "Spaces").

Some of what a space holds stands in no directory: rooms that nobody published, and rooms of servers that nothing else
names. Spaces of one server point to each other in a ring, for cycles are legal.
"""

from dataclasses import dataclass
from functools import lru_cache

from crawler.lab.dice import dice, digest
from crawler.lab.room import WIDE_ROOMS, DrawnRooms, Room
from crawler.lab.rooms import Rooms

SPACE = "m.space"
_VIA = 3


@dataclass(frozen=True, slots=True)
class Child:
    """One m.space.child of a space. `via` are indexes of servers; without any it is no child, only looks like one.
    `room` is None for a private room, of which nobody outside learns more than `room_id`."""

    room_id: str
    room: Room | None
    via: tuple[int, ...]
    is_suggested: bool
    at_ms: int


class Spaces:
    """The children of every space on one day, worked out when asked for.

    Args:
        seed: of the federation.
        communities: how many of its first servers are communities.
        rooms: of the day.
        drawn: what is drawn of them once.
    """

    def __init__(self, seed: int, communities: int, rooms: Rooms, drawn: DrawnRooms) -> None:
        self._seed = seed
        self._communities = communities
        self._rooms = rooms
        self.children = lru_cache(maxsize=512)(self._children)
        self._placed = lru_cache(maxsize=None)(self._placed_of)
        self._drawn = drawn

    def _placed_of(self, origin: int) -> dict[int, list[int]]:
        """The spaces of a server, and the rooms of that server in each; by serial."""
        rooms = [self._rooms.room(origin, serial) for serial in range(self._rooms.count(origin))]
        spaces = [room.serial for room in rooms if room.room_type == SPACE]
        placed: dict[int, list[int]] = {serial: [] for serial in spaces}
        for room in rooms:
            if spaces and room.room_type != SPACE:
                place, leans = self._drawn.leaning(origin, room.serial)
                if leans or not room.is_published:
                    placed[spaces[int(place * len(spaces))]].append(room.serial)
        return placed

    def _children(self, origin: int, serial: int) -> tuple[Child, ...]:
        """The children of one space, in the order in which they were added."""
        rooms, draw = self._rooms, dice(self._seed, "children", origin, serial)
        placed = self._placed(origin)
        spaces = list(placed)
        places = [(origin, other) for other in placed[serial]]
        if len(spaces) > 1:
            places.append((origin, spaces[(spaces.index(serial) + 1) % len(spaces)]))
        for _ in range(draw.randrange(4)):
            community = draw.randrange(self._communities)
            places.append((community, draw.randrange(min(WIDE_ROOMS, rooms.count(community)))))
        if serial == 1:
            places += [(behind, 0) for behind in rooms.behind(origin)]
        found = {
            room.room_id: Child(
                room.room_id, room, rooms.participants(room.origin, room.serial)[:_VIA], draw.random() < 0.2, at_ms
            )
            for at_ms, room in enumerate((rooms.room(*place) for place in dict.fromkeys(places)), 1_700_000_000_000)
        }
        for kind, via in (("private", (origin,)), ("no via", ())):
            if draw.random() < 0.3:
                room_id = f"!{digest(self._seed, kind, origin, serial, size=9).hex()}:{self._rooms.name(origin)}"
                found[room_id] = Child(room_id, None, via, False, 1_600_000_000_000)
        return tuple(found.values())
