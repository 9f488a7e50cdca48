"""Rooms as servers told of them: their directories, spaces, and who takes part. As rows; pure, as `codec` is."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from crawler.model.observation import ServerObservation
from crawler.model.rooms import PublicRoom, SpaceAnswer, SpaceChild
from crawler.protocol.json_body import clean_text, count_of
from crawler.store.caps import IDENTIFIER, ROOM_NAME, TOPIC

Row: TypeAlias = dict[str, Any]


def unique_rooms(read: Iterable[PublicRoom]) -> dict[str, PublicRoom]:
    """The rooms by the ID they are stored under. Two IDs that differ only in what cannot be stored are one; the first
    counts, as it does in the directory."""
    rooms: dict[str, PublicRoom] = {}
    for room in read:
        rooms.setdefault(stored_room_id(room.room_id), room)
    return rooms


def stored_room_id(room_id: str) -> str:
    """A room ID as it is stored: verbatim, but for lone surrogates, which no valid ID holds."""
    return clean_text(room_id, IDENTIFIER) or ""


def listing_rows(crawl_id: int, server_id: int, seen: ServerObservation) -> Iterator[Row]:
    """The rows of `seen_listing`."""
    for room_id, room in unique_rooms(seen.directory.rooms).items():
        yield {"crawl_id": crawl_id, "server_id": server_id, "room_id": room_id, **_room_columns(room)}


def _room_columns(room: PublicRoom) -> Row:
    return {
        "members": count_of(room.members),
        "name": clean_text(room.name, ROOM_NAME),
        "topic": clean_text(room.topic, TOPIC),
        "canonical_alias": clean_text(room.canonical_alias, IDENTIFIER),
        "join_rule": clean_text(room.join_rule, IDENTIFIER),
        "room_type": clean_text(room.room_type, IDENTIFIER),
        "world_readable": room.world_readable,
        "guest_can_join": room.guest_can_join,
    }


def unlisted_room_rows(crawl_id: int, server_id: int, rooms: Iterable[PublicRoom], found_by: str) -> Iterator[Row]:
    """Rows of `unlisted_room`."""
    for room_id, room in unique_rooms(rooms).items():
        columns = _room_columns(room)
        yield {"crawl_id": crawl_id, "server_id": server_id, "room_id": room_id, "found_by": found_by, **columns}


def space_child_rows(crawl_id: int, named_by: int, told: SpaceAnswer) -> Iterator[Row]:
    """The rows of `space_child` of one space."""
    space_id = stored_room_id(told.space_id)
    for child_id in dict.fromkeys(stored_room_id(child.room_id) for child in told.children):
        yield {"crawl_id": crawl_id, "space_id": space_id, "child_id": child_id, "named_by": named_by}


def space_row(crawl_id: int, named_by: int, told: SpaceAnswer) -> Row:
    """The row of `seen_space`: what of an answer says where to look further."""
    answer = {
        "space": stored_room_id(told.space_id),
        "children": [
            [stored_room_id(child.room_id), [clean_text(via, IDENTIFIER) for via in child.via]]
            for child in told.children
        ],
        "rooms": [[stored_room_id(room.room_id), clean_text(room.room_type, IDENTIFIER)] for room in told.rooms],
        "inaccessible": [stored_room_id(room_id) for room_id in told.inaccessible],
    }
    return {"crawl_id": crawl_id, "named_by": named_by, "answer": json.dumps(answer)}


def space_answer(document: Any) -> SpaceAnswer:
    """What `space_row` kept."""
    return SpaceAnswer(
        space_id=document["space"],
        children=tuple(SpaceChild(room_id, tuple(via)) for room_id, via in document["children"]),
        rooms=tuple(PublicRoom(room_id, None, room_type=kind) for room_id, kind in document["rooms"]),
        inaccessible=tuple(document["inaccessible"]),
    )


def answer_row(crawl_id: int, answer_id: int, named_by: int, room_id: str) -> Row:
    """The row of `seen_answer`."""
    return {"crawl_id": crawl_id, "answer_id": answer_id, "named_by": named_by, "room_id": room_id}


def participation_rows(crawl_id: int, answer_id: int, servers: Iterable[int]) -> Iterator[Row]:
    """The rows of `seen_participation` of one answer, for the servers of these numbers."""
    for server_id in sorted(servers):
        yield {"crawl_id": crawl_id, "answer_id": answer_id, "server_id": server_id}
