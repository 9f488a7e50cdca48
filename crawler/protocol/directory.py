"""One page of a room directory, parsed (`GET .../publicRooms`, over federation or by the client API).

Liberal, because directories are filled by every implementation there is: an entry is kept when its `room_id` is one,
and whatever else is missing, mistyped, out of range or too long is None. Rooms that opted out are told apart here,
where their whole topic is still at hand. Apart from `federation`, since rooms are where most of a stranger's bytes come
in.
"""

from dataclasses import dataclass
from typing import Any

from crawler.errors import FailureKind, ProtocolError
from crawler.model.names import alias_domain, is_room_id
from crawler.model.rooms import PublicRoom
from crawler.protocol.json_body import clean_text, count_of, is_unicode, parse_object
from crawler.protocol.optout import room_says_no

MAX_ROOM_NAME = 255
"""Characters; the specification once bounded room names by as many bytes."""
MAX_TOPIC = 4096
MAX_IDENTIFIER = 255
MAX_TOKEN = 4096
"""Characters of a paging token; with more of them the request line would exceed what servers read."""


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """`opted_out` are the IDs of rooms that do not want to be indexed, which are not among `rooms`; `dropped` counts
    entries without a room ID. `token_flaw` says why a `next_batch` that was given cannot be used; it is then None."""

    rooms: tuple[PublicRoom, ...]
    opted_out: tuple[str, ...]
    dropped: int
    next_batch: str | None
    token_flaw: str | None
    total_estimate: int | None


def parse_directory_page(body: bytes) -> DirectoryPage:
    """Parse one page.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when there is no list `chunk`.
    """
    document = parse_object(body)
    chunk = document.get("chunk")
    if not isinstance(chunk, list):
        raise ProtocolError(FailureKind.JSON_SHAPE, "chunk is no list")
    rooms: list[PublicRoom] = []
    opted_out: list[str] = []
    for entry in chunk:
        room = parse_room(entry)
        if room is None:
            continue
        if says_no(entry):
            opted_out.append(room.room_id)
        else:
            rooms.append(room)
    next_batch, flaw = _parse_token(document.get("next_batch"))
    return DirectoryPage(
        rooms=tuple(rooms),
        opted_out=tuple(opted_out),
        dropped=len(chunk) - len(rooms) - len(opted_out),
        next_batch=next_batch,
        token_flaw=flaw,
        total_estimate=count_of(document.get("total_room_count_estimate")),
    )


def parse_room(entry: Any) -> PublicRoom | None:
    """One entry of a directory, or a summary in a hierarchy; None when it has no room ID."""
    if not isinstance(entry, dict):
        return None
    room_id = entry.get("room_id")
    if not isinstance(room_id, str) or not is_room_id(room_id):
        return None
    alias = entry.get("canonical_alias")
    return PublicRoom(
        room_id=room_id,
        members=count_of(entry.get("num_joined_members")),
        name=clean_text(entry.get("name"), MAX_ROOM_NAME),
        topic=clean_text(entry.get("topic"), MAX_TOPIC),
        canonical_alias=alias if isinstance(alias, str) and alias_domain(alias) is not None else None,
        join_rule=_identifier(entry.get("join_rule")),
        room_type=_identifier(entry.get("room_type")),
        world_readable=_flag(entry.get("world_readable")),
        guest_can_join=_flag(entry.get("guest_can_join")),
    )


def says_no(entry: dict[str, Any]) -> bool:
    """Whether the room of an entry has opted out of being indexed."""
    topic = entry.get("topic")
    return isinstance(topic, str) and room_says_no(topic)


def _identifier(value: Any) -> str | None:
    whole = isinstance(value, str) and 0 < len(value) <= MAX_IDENTIFIER
    return clean_text(value, MAX_IDENTIFIER) if whole else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _parse_token(value: Any) -> tuple[str | None, str | None]:
    """(token, None), or (None, why it cannot be used); both None when there is none, and an empty one is none."""
    if value is None or value == "":
        return None, None
    if not isinstance(value, str):
        return None, "next_batch is no string"
    if len(value) > MAX_TOKEN:
        return None, f"next_batch is {len(value)} characters long, more than {MAX_TOKEN}"
    if not is_unicode(value):
        return None, "next_batch is no Unicode"
    return value, None
