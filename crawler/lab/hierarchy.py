"""Spaces over federation: what one server answers of a room and its children (server-server API, "Spaces").

One room and its direct children at a time, no pages. Of a child that the answering server is not in it says nothing but
that the space names it; of one that is closed to us, that there is no use in asking anybody.
"""

from collections.abc import Mapping
from functools import lru_cache

from crawler.lab.room import Room
from crawler.lab.software import Dialect
from crawler.lab.spaces import SPACE, Child
from crawler.lab.world import World
from crawler.listen.message import UNRECOGNIZED, Response, json_response, matrix_error

PATH = "/_matrix/federation/v1/hierarchy/"
SPEAKING = frozenset({Dialect.SYNAPSE, Dialect.DENDRITE, Dialect.CONDUIT})
"""Dialects that know this request."""

_SYNAPSE_CHILDREN = 50
_SERVERS_KEPT = 256
# As Synapse words it, with its errcode, where the specification has M_NOT_FOUND.
_NO_ROOM = matrix_error(404, "M_UNKNOWN", "Unable to find room")


class Hierarchies:
    """The hierarchy answers of all servers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known = lru_cache(maxsize=_SERVERS_KEPT)(self._rooms_of)

    def answer(self, index: int, room_id: str, query: Mapping[str, str]) -> Response:
        """What a server answers whom it has let in."""
        dialect = self._world.plan(index).release.dialect
        if dialect not in SPEAKING:
            return UNRECOGNIZED
        room = self._known(index).get(room_id)
        if room is None or not room.is_federated:
            return _NO_ROOM
        children = self._world.spaces.children(room.origin, room.serial) if room.room_type == SPACE else ()
        if query.get("suggested_only") == "true":
            children = tuple(child for child in children if child.is_suggested)
        shown: list[dict[str, object]] = []
        closed: list[str] = []
        for child in children:
            if child.room is None:
                if child.via:
                    closed.append(child.room_id)
            elif index in self._world.rooms.participants(child.room.origin, child.room.serial):
                if child.room.is_federated:
                    shown.append(self._summary(index, child.room))
                else:
                    closed.append(child.room_id)
        if dialect is Dialect.SYNAPSE:
            del shown[_SYNAPSE_CHILDREN:]
        state = [self._state(room, child) for child in children]
        body = {
            "room": {**self._summary(index, room), "children_state": state},
            "children": shown,
            "inaccessible_children": closed,
        }
        return json_response(200, body)

    def _rooms_of(self, index: int) -> dict[str, Room]:
        rooms = self._world.rooms
        return {room.room_id: room for room in (rooms.room(*place) for place in rooms.inside(index))}

    def _summary(self, index: int, room: Room) -> dict[str, object]:
        summary: dict[str, object] = {
            "room_id": room.room_id,
            "num_joined_members": self._world.rooms.reported_members(index, room),
            "world_readable": room.world_readable,
            "guest_can_join": room.guest_can_join,
            "join_rule": room.join_rule or "public",
            "name": room.name,
        }
        if room.topic:
            summary["topic"] = room.topic
        if room.alias is not None:
            summary["canonical_alias"] = room.alias
        if room.room_type is not None:
            summary["room_type"] = room.room_type
        if self._world.plan(index).release.spec >= 15:
            summary["room_version"] = "12" if ":" not in room.room_id else "10"
        return summary

    def _state(self, space: Room, child: Child) -> dict[str, object]:
        names = self._world.names
        content: dict[str, object] = {"via": [names[via] for via in child.via]} if child.via else {}
        if child.is_suggested:
            content["suggested"] = True
        return {
            "type": "m.space.child",
            "state_key": child.room_id,
            "sender": f"@admin:{names[space.origin]}",
            "origin_server_ts": child.at_ms,
            "content": content,
        }
