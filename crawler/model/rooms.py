"""Public rooms and the directories that list them."""

from dataclasses import dataclass
from enum import StrEnum

from crawler.errors import Failure


class DirectoryState(StrEnum):
    """How a server's public room directory answered. Never confused with a count of zero rooms."""

    OPEN = "open"
    OPEN_EMPTY = "open_empty"
    DENIED = "denied"
    AUTH_FAILED = "auth_failed"
    NOT_IMPLEMENTED = "not_implemented"
    RATE_LIMITED = "rate_limited"
    ERROR = "error"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    SKIPPED = "skipped"


class DirectoryWay(StrEnum):
    """Through which door a directory was read."""

    FEDERATION = "federation"
    CLIENT = "client"


class Stopped(StrEnum):
    """Why paging ended. Only COMPLETE means that the whole directory was read."""

    COMPLETE = "complete"
    REPEATED_TOKEN = "repeated_token"  # noqa: S105 - a paging token, no password
    EMPTY_PAGES = "empty_pages"
    PAGE_BUDGET = "page_budget"
    ROOM_BUDGET = "room_budget"
    BYTE_BUDGET = "byte_budget"
    TIME_BUDGET = "time_budget"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PublicRoom:
    """One entry of a directory, as one server listed it. Text is raw remote text, capped; None where absent or of the
    wrong type. `members` is the listing server's count of joined members over all servers."""

    room_id: str
    members: int | None
    name: str | None = None
    topic: str | None = None
    canonical_alias: str | None = None
    join_rule: str | None = None
    room_type: str | None = None
    world_readable: bool | None = None
    guest_can_join: bool | None = None


@dataclass(frozen=True, slots=True)
class DirectoryResult:
    """What reading one directory gave. Rooms are unique by room_id (the first sighting counts) and kept even when
    paging broke off. `network_rooms` are those that stand only in the lists of third-party networks.
    `failure` is the last one that mattered; `asked` the ways that were tried, in order."""

    state: DirectoryState
    rooms: tuple[PublicRoom, ...] = ()
    way: DirectoryWay | None = None
    pages: int = 0
    stopped: Stopped | None = None
    total_estimate: int | None = None
    noindex: int = 0
    failure: Failure | None = None
    skipped_because: str | None = None
    network_rooms: tuple[PublicRoom, ...] = ()


@dataclass(frozen=True, slots=True)
class AliasAnswer:
    """What an alias look-up said: the servers that are in the room, as the answering server believes."""

    alias: str
    room_id: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpaceChild:
    """A room that a space names. `via` are servers said to be in it; `sender` the server of who put it there."""

    room_id: str
    via: tuple[str, ...]
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class SpaceAnswer:
    """What one server says of one room and its children. `rooms` are summaries, that of the room itself first, of those
    that the server is in and may tell of; `inaccessible` are closed to us, whomever we ask; `noindex` counts rooms that
    opted out and are not among `rooms`."""

    space_id: str
    children: tuple[SpaceChild, ...]
    rooms: tuple[PublicRoom, ...]
    inaccessible: tuple[str, ...] = ()
    noindex: int = 0
