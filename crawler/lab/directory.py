"""Public room directories, each in the dialect of its implementation (server-server and client-server API,
"Published room directory").

How they page, what their tokens look like, what they leave out of an entry and how they word a bad request differs
between implementations, and a crawler meets all of it.
"""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from crawler.lab.dice import digest
from crawler.lab.room import Room
from crawler.lab.software import Dialect, Door
from crawler.lab.world import World
from crawler.listen.message import UNRECOGNIZED, Response, matrix_error
from crawler.model.rooms import DirectoryWay

_DIRECTORIES_KEPT = 256
_SYNAPSE_CAP = 100
_DENDRITE_DEFAULT = 50
_CONDUIT_DEFAULT = 10

_BAD_LIMIT = matrix_error(400, "M_INVALID_PARAM", "Query parameter limit must be a non-negative integer")
_BAD_TOKEN = matrix_error(500, "M_UNKNOWN", "Internal server error")
_EMPTY = Response(200, b'{"chunk":[],"total_room_count_estimate":0}')
_WANTS_TOKEN = matrix_error(401, "M_MISSING_TOKEN", "Missing access token")


@dataclass(frozen=True, slots=True)
class Row:
    """One room in one directory. `members` is what this directory reports; `is_filtered` leaves it out after paging."""

    room: Room
    members: int
    is_filtered: bool

    @property
    def key(self) -> tuple[int, str]:
        """Biggest first; equal ones in the order of their IDs."""
        return -self.members, self.room.room_id


RowsKept: TypeAlias = dict[tuple[int, int, int], Row]
"""By directory, and origin and serial of the room."""


class Directories:
    """The directories of all servers; the last few hundred are kept, or all of a day that follows another.

    Args:
        world: the federation on its day.
        before: the rows of an earlier day, kept up to date here: where nothing changed, the row is the same object.
    """

    def __init__(self, world: World, before: RowsKept | None = None) -> None:
        self._world = world
        self._before = before
        self.rows = lru_cache(maxsize=_DIRECTORIES_KEPT if before is None else None)(self._rows)

    def answer(self, index: int, way: DirectoryWay, query: Mapping[str, str], origin: str) -> Response:
        """What a server's directory answers at one of its doors; `origin` is who signed, "" over the client API."""
        plan = self._world.plan(index)
        door = plan.policy.federation if way is DirectoryWay.FEDERATION else plan.policy.client
        dialect = plan.release.dialect
        if door is Door.ABSENT:
            return UNRECOGNIZED
        if door is Door.WANTS_TOKEN:
            return _WANTS_TOKEN
        if door is Door.DENIED:
            synapse = dialect is Dialect.SYNAPSE
            why = f"Federation denied with {origin}." if synapse else "Room directory is not public"
            return matrix_error(403, "M_FORBIDDEN", why)
        if door is Door.EMPTY:
            return _EMPTY
        if plan.is_endless:
            return _endless_page(self._world.names[index], query.get("since"))
        rows = self.rows(index, way, query.get("include_all_networks") == "true")
        if dialect is Dialect.ROCKET_CHAT:
            if not {"limit", "include_all_networks"} <= query.keys():
                return matrix_error(400, "M_UNKNOWN", "limit and include_all_networks are required")
            return _page(rows, dialect, None, None, len(rows))
        try:
            limit = int(query.get("limit", "0"))
            if limit < 0:
                return _BAD_LIMIT
        except ValueError:
            return _BAD_LIMIT if dialect is not Dialect.DENDRITE else _BAD_TOKEN
        if dialect is Dialect.DENDRITE:
            return _dendrite_page(rows, limit, query.get("since"))
        if dialect is Dialect.CONDUIT:
            return _conduit_page(rows, limit, query.get("since"))
        return _synapse_page(rows, dialect, limit, query.get("since"))

    def _rows(self, index: int, way: DirectoryWay, all_networks: bool = False) -> tuple[Row, ...]:
        """What stands in a directory; with `all_networks`, the lists of third-party networks among it, where the
        implementation keeps such lists."""
        rooms = self._world.rooms
        dialect = self._world.plan(index).release.dialect
        federation = way is DirectoryWay.FEDERATION
        found: list[Row] = []
        for origin, serial in rooms.listed(index):
            room = rooms.room(origin, serial)
            if federation and not room.is_federated:
                continue
            found.append(self._row(index, room, federation=federation))
        if all_networks and dialect is Dialect.SYNAPSE:
            found += (Row(room, room.members, False) for _, room in self._world.portals(index))
        if dialect is Dialect.DENDRITE:
            found.sort(key=lambda row: digest(self._world.seed, "unsorted", index, row.room.room_id, size=8))
        else:
            found.sort(key=lambda row: row.key)
        return tuple(found)

    def _row(self, index: int, room: Room, *, federation: bool) -> Row:
        hidden = federation and room.hides_from_federation and index == room.origin
        place = index, room.origin, room.serial
        before = None if self._before is None else self._before.get(place)
        if before is not None and before.room is room and before.is_filtered == hidden:
            return before
        row = Row(room, self._world.rooms.reported_members(index, room), hidden)
        if self._before is not None:
            self._before[place] = row
        return row


def tells_types(dialect: Dialect) -> bool:
    """Whether a directory says of its rooms what type they are, and how they are joined."""
    return dialect is not Dialect.DENDRITE


def _entry(room: Room, members: int, dialect: Dialect) -> bytes:
    """One element of `chunk`. What a server does not know or say is absent."""
    entry: dict[str, object] = {
        "room_id": room.room_id,
        "num_joined_members": members,
        "world_readable": room.world_readable,
        "guest_can_join": room.guest_can_join,
        "name": room.name,
    }
    if room.topic:
        entry["topic"] = room.topic
    if room.alias is not None:
        entry["canonical_alias"] = room.alias
    if tells_types(dialect):
        if room.join_rule is not None:
            entry["join_rule"] = room.join_rule
        if room.room_type is not None:
            entry["room_type"] = room.room_type
    if dialect is Dialect.ROCKET_CHAT:
        entry["avatar_url"] = ""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()


def _page(
    rows: tuple[Row, ...], dialect: Dialect, next_batch: str | None, prev_batch: str | None, total: int
) -> Response:
    entries = (_entry(row.room, row.members, dialect) for row in rows if not row.is_filtered)
    body = b'{"chunk":[' + b",".join(entries) + b"]"
    if next_batch is not None:
        body += b',"next_batch":' + json.dumps(next_batch).encode()
    if prev_batch is not None:
        body += b',"prev_batch":' + json.dumps(prev_batch).encode()
    return Response(200, body + b',"total_room_count_estimate":%d}' % total)


def _synapse_page(rows: tuple[Row, ...], dialect: Dialect, limit: int, since: str | None) -> Response:
    """Keyset paging on (members, room ID); access lists are applied to a page after it was cut."""
    limit = min(limit or _SYNAPSE_CAP, _SYNAPSE_CAP)
    start = 0
    end = min(limit, len(rows))
    if since is not None:
        try:
            forward, *key = json.loads(base64.b64decode(since + "=" * (-len(since) % 4), validate=True))
            position = (-int(key[0]), str(key[1]))
        except (binascii.Error, ValueError, TypeError, IndexError):
            return _BAD_TOKEN
        if forward:
            start = bisect_right(rows, position, key=lambda row: row.key)
            end = min(start + limit, len(rows))
        else:
            end = bisect_left(rows, position, key=lambda row: row.key)
            start = max(0, end - limit)
    next_batch = _synapse_token(rows[end - 1], forward=True) if start < end < len(rows) else None
    prev_batch = _synapse_token(rows[start], forward=False) if 0 < start < len(rows) else None
    return _page(rows[start:end], dialect, next_batch, prev_batch, len(rows))


def _synapse_token(row: Row, *, forward: bool) -> str:
    text = json.dumps([forward, row.members, row.room.room_id], separators=(",", ":"))
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _dendrite_page(rows: tuple[Row, ...], limit: int, since: str | None) -> Response:
    """Decimal offsets."""
    limit = limit or _DENDRITE_DEFAULT
    try:
        start = int(since) if since else 0
    except ValueError:
        return _BAD_TOKEN
    start = max(0, start)
    next_batch = str(start + limit) if start + limit < len(rows) else None
    prev_batch = str(start - 1) if start else None
    return _page(rows[start : start + limit], Dialect.DENDRITE, next_batch, prev_batch, len(rows))


def _conduit_page(rows: tuple[Row, ...], limit: int, since: str | None) -> Response:
    """Offsets with a letter for the direction. A full page always promises another, be it empty."""
    limit = limit or _CONDUIT_DEFAULT
    start = 0
    if since:
        direction, digits = since[0], since[1:]
        if direction not in "np" or not digits.isascii() or not digits.isdigit() or len(digits) > 9:
            return matrix_error(400, "M_INVALID_PARAM", "Invalid `since` token")
        start = int(digits) if direction == "n" else max(0, int(digits) - limit)
    page = rows[start : start + limit]
    next_batch = f"n{start + limit}" if len(page) == limit else None
    return _page(page, Dialect.CONDUIT, next_batch, f"p{start}" if start else None, len(rows))


_ENDLESS_ROOMS = 20


def _endless_page(name: str, since: str | None) -> Response:
    """A page of rooms that were never seen before, and the promise of another."""
    page = int(since) if since is not None and since.isascii() and since.isdigit() and len(since) < 12 else 0
    chunk = ",".join(
        f'{{"room_id":"!endless-{page}-{k}:{name}","num_joined_members":2,"world_readable":false,"guest_can_join":false}}'
        for k in range(_ENDLESS_ROOMS)
    )
    return Response(200, f'{{"chunk":[{chunk}],"next_batch":"{page + 1}"}}'.encode())
