"""Spaces over federation (server-server API, "Spaces": `GET /_matrix/federation/v1/hierarchy/{roomId}`).

One room and its direct children at a time. Liberal like the parser of directories: what is none of a child is left out.
A child without a usable `via` is none (client-server API, "Managing rooms/spaces included in a space").
"""

from typing import Any
from urllib.parse import quote

from crawler.errors import FailureKind, ProtocolError
from crawler.model.names import is_room_id, try_server_name
from crawler.model.rooms import PublicRoom, SpaceAnswer, SpaceChild
from crawler.protocol.directory import parse_room, says_no
from crawler.protocol.json_body import parse_object

MAX_CHILDREN = 2000
"""Children read of one space."""
MAX_VIA = 20


def hierarchy_uri(room_id: str) -> str:
    """Ask for one room and its children."""
    return f"/_matrix/federation/v1/hierarchy/{quote(room_id, safe='')}?suggested_only=false"


def parse_hierarchy(body: bytes, room_id: str) -> SpaceAnswer:
    """What a server says of `room_id`.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when there is no summary of the room that was asked about.
    """
    document = parse_object(body)
    entry = document.get("room")
    if not isinstance(entry, dict) or entry.get("room_id") != room_id:
        raise ProtocolError(FailureKind.JSON_SHAPE, "room is no summary of the room that was asked about")
    summaries = [entry, *_list(document.get("children"))[:MAX_CHILDREN]]
    rooms: dict[str, PublicRoom] = {}
    noindex = 0
    for summary in summaries:
        room = parse_room(summary)
        if room is None:
            continue
        if says_no(summary):
            noindex += 1
        else:
            rooms.setdefault(room.room_id, room)
    children: dict[str, SpaceChild] = {}
    for event in _list(entry.get("children_state"))[:MAX_CHILDREN]:
        child = _parse_child(event)
        if child is not None and child.room_id != room_id:
            children.setdefault(child.room_id, child)
    closed = (text for text in _list(document.get("inaccessible_children"))[:MAX_CHILDREN] if isinstance(text, str))
    return SpaceAnswer(
        room_id,
        tuple(children.values()),
        tuple(rooms.values()),
        tuple(text for text in closed if is_room_id(text)),
        noindex,
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _parse_child(event: Any) -> SpaceChild | None:
    if not isinstance(event, dict) or event.get("type") != "m.space.child":
        return None
    room_id, content, sender = event.get("state_key"), event.get("content"), event.get("sender")
    if not isinstance(room_id, str) or not is_room_id(room_id) or not isinstance(content, dict):
        return None
    named = (try_server_name(text) for text in _list(content.get("via"))[:MAX_VIA] if isinstance(text, str))
    via = {name.key: name.raw for name in named if name is not None}
    if not via:
        return None
    domain = try_server_name(sender.partition(":")[2]) if isinstance(sender, str) else None
    return SpaceChild(room_id, tuple(via.values()), domain.raw if domain else None)
