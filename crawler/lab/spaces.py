"""Spaces: which rooms are children of which, and whom a space names as the way into them (client-server API, "Spaces").

Some of what a space holds stands in no directory: rooms that nobody published, and rooms of servers that nothing else
names. Spaces of one server point to each other in a ring, for cycles are legal.
"""

from dataclasses import dataclass
from functools import lru_cache

from crawler.lab.dice import dice, digest, share
from crawler.lab.rooms import WIDE_ROOMS, Room, Rooms

SPACE = "m.space"
_OWN_SHARE = 0.15
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
    """The children of every space, worked out when asked for."""

    def __init__(self, seed: int, communities: int, rooms: Rooms) -> None:
        self._seed = seed
        self._communities = communities
        self._rooms = rooms
        self.children = lru_cache(maxsize=512)(self._children)

    def _spaces_of(self, origin: int) -> list[int]:
        rooms = self._rooms
        return [serial for serial in range(rooms.count(origin)) if rooms.room(origin, serial).room_type == SPACE]

    def _children(self, origin: int, serial: int) -> tuple[Child, ...]:
        """The children of one space, in the order in which they were added."""
        rooms, draw = self._rooms, dice(self._seed, "children", origin, serial)
        spaces = self._spaces_of(origin)
        places: list[tuple[int, int]] = []
        for other in range(rooms.count(origin)):
            room = rooms.room(origin, other)
            if room.room_type == SPACE:
                continue
            home = spaces[int(share(self._seed, "space of", origin, other) * len(spaces))]
            if home == serial and (not room.is_published or share(self._seed, "in space", origin, other) < _OWN_SHARE):
                places.append((origin, other))
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
