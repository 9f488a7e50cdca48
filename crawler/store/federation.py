"""The federation as known after a crawl: every server with its state, and who named whom.

Apart from the reader's questions about what one crawl visited: a census leaves the dead in peace for weeks, and what
was last seen of them stands. So more servers are known here than one crawl has looked at; `visited` tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crawler.store.answer import all_of, fetch, page_of
from crawler.store.connection import Connection
from crawler.store.filters import narrow_servers
from crawler.store.question import PREDICATES, Question, order_by, search_text
from crawler.store.rows import Page, RoomRow

KNOWN_SORTS = {
    "server_name": "server_key",
    "since": "since",
    "observed_at": "observed_at",
    "software": "software",
    "version": "version",
    "failed_kind": "failed_kind",
    "directory_state": "directory_state",
    "directory_rooms": "directory_rooms",
    **PREDICATES,
}
"""What known servers can be sorted by."""

LEAD_SORTS = {"server_name": "server_name", "named_by": "named_by", "source": "source", "count": "count"}


@dataclass(frozen=True, slots=True)
class KnownServer:
    """One server. `visited`: whether the crawl looked at it, None where the visits of that crawl are not kept;
    `observed_at` when, None if it did not; `since`: seal of the first crawl that saw it as it is. The rest are the
    columns of `server_state` and `directory_state`."""

    server_name: str
    visited: bool | None
    observed_at: datetime | None
    since: datetime
    resolves: bool
    reachable: bool
    secure: bool
    online: bool
    federating: bool
    accepting: bool | None
    listing: bool
    failed_phase: str | None
    failed_kind: str | None
    software: str | None
    version: str | None
    client_base: str | None
    directory_state: str
    directory_rooms: int | None


@dataclass(frozen=True, slots=True)
class ServerState:
    """A state of a server, from one crawl to another: the columns of `server_state`, with the seals of both crawls.
    `valid_to` is None while it stands."""

    vantage: str
    valid_from: int
    valid_to: int | None
    seen_from: datetime
    seen_to: datetime | None
    resolves: bool
    reachable: bool
    secure: bool
    online: bool
    federating: bool
    accepting: bool | None
    listing: bool
    failed_phase: str | None
    failed_kind: str | None
    software: str | None
    version: str | None
    tls_protocol: str | None
    delegated: str | None
    client_base: str | None


@dataclass(frozen=True, slots=True)
class RoomAccount:
    """What directories said of a room, from one crawl to another: the columns of `room_state` and `room_text`."""

    vantage: str
    valid_from: int
    valid_to: int | None
    seen_from: datetime
    seen_to: datetime | None
    directories: int
    members: float | None
    members_min: int | None
    members_max: int | None
    name: str | None
    topic: str | None
    canonical_alias: str | None
    join_rule: str | None
    room_type: str | None


@dataclass(frozen=True, slots=True)
class NamedServer:
    """Who named a server in one crawl, and how; `count` sums over the answers of the one who did."""

    server_name: str
    source: str
    named_by: str | None
    count: int


def known_servers(
    connection: Connection,
    crawl_id: int,
    *,
    text: str = "",
    predicates: Mapping[str, bool] | None = None,
    visited: bool | None = None,
    software: str | None = None,
    version: str | None = None,
    failed_kind: str | None = None,
    directory_state: str | None = None,
    sort: str = "server_name",
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> Page[KnownServer]:
    """Servers as known after a crawl, filtered, sorted, one page of them; the words are those of
    `SnapshotReader.servers_page`.

    Raises:
        UsageError: a predicate or a sort is not known.
    """
    question = Question(values={"crawl": crawl_id})
    if visited is not None:
        question.where("visited = $visited", visited=visited)
    exactly = {
        "software": software,
        "version": version,
        "failed_kind": failed_kind,
        "directory_state": directory_state,
    }
    narrow_servers(question, text=text, predicates=predicates, exactly=exactly)
    order = order_by(KNOWN_SORTS, sort, descending=descending, then="server_key")
    return page_of(connection, KnownServer, f"({_KNOWN})", question, order, limit, offset)


def known_server(connection: Connection, crawl_id: int, server_name: str) -> KnownServer | None:
    """One of them; None when no crawl of the series looked at it. The name in any case."""
    values = {"crawl": crawl_id, "name": search_text(server_name)}
    rows = all_of(connection, KnownServer, f"FROM ({_KNOWN}) WHERE server_key = lower($name)", values)
    return rows[0] if rows else None


def server_states(
    connection: Connection, crawl_id: int, server_name: str, *, limit: int = 50, offset: int = 0
) -> Page[ServerState]:
    """The states of a server in the series of a crawl up to it, the newest first."""
    question = Question(values={"crawl": crawl_id})
    question.where("server_key = lower($name)", name=search_text(server_name))
    return page_of(connection, ServerState, f"({_STATES})", question, "ORDER BY valid_from DESC", limit, offset)


def room_accounts(
    connection: Connection, crawl_id: int, room_id: str, *, limit: int = 50, offset: int = 0
) -> Page[RoomAccount]:
    """The accounts of a room in the series of a crawl up to it, the newest first."""
    question = Question(values={"crawl": crawl_id})
    question.where("room_id = $room", room=search_text(room_id))
    return page_of(connection, RoomAccount, f"({_ACCOUNTS})", question, "ORDER BY valid_from DESC", limit, offset)


def listed_room(connection: Connection, crawl_id: int, room_id: str) -> RoomRow | None:
    """A room that a crawl found listed; None when it did not."""
    values = {"crawl": crawl_id, "room": search_text(room_id)}
    rows = all_of(connection, RoomRow, "FROM room WHERE crawl_id = $crawl AND room_id = $room", values)
    return rows[0] if rows else None


def listed_by(connection: Connection, crawl_id: int, room_id: str) -> list[str]:
    """The servers whose directory lists a room in a crawl, by name."""
    values = {"crawl": crawl_id, "room": search_text(room_id)}
    return [str(name) for (name,) in fetch(connection, _LISTED_BY, values)]


def named_servers(
    connection: Connection,
    crawl_id: int,
    *,
    server_name: str | None = None,
    named_by: str | None = None,
    source: str | None = None,
    sort: str = "server_name",
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> Page[NamedServer]:
    """The leads of a crawl, filtered, sorted, one page of them.

    Raises:
        UsageError: a sort is not known.
    """
    question = Question(values={"crawl": crawl_id})
    if server_name is not None:
        question.where("server_key = lower($name)", name=search_text(server_name))
    if named_by is not None:
        question.where("teller_key = lower($teller)", teller=search_text(named_by))
    if source is not None:
        question.where("source = $source", source=search_text(source))
    then = "server_name, source, coalesce(named_by, '')"
    order = order_by(LEAD_SORTS, sort, descending=descending, then=then)
    return page_of(connection, NamedServer, f"({_NAMED})", question, order, limit, offset)


_LISTED_BY = """
SELECT server_name FROM listing JOIN server USING (server_id)
WHERE crawl_id = $crawl AND room_id = $room ORDER BY server_key
"""

_KNOWN = """
SELECT
    n.server_name, n.server_key, CASE WHEN EXISTS (FROM visit WHERE crawl_id = $crawl)
        THEN v.server_id IS NOT NULL END AS visited, v.observed_at, b.finished_at AS since,
    s.resolves, s.reachable, s.secure, s.online, s.federating, s.accepting, s.listing, s.failed_phase, s.failed_kind,
    s.software, s.version, s.client_base, d.directory_state, d.directory_rooms
FROM crawl c
JOIN server_state s ON s.series_id = c.series_id AND s.valid_from <= c.crawl_id AND (
    s.valid_to IS NULL OR s.valid_to > c.crawl_id
)
JOIN directory_state d ON d.series_id = c.series_id AND d.server_id = s.server_id AND d.valid_from <= c.crawl_id AND (
    d.valid_to IS NULL OR d.valid_to > c.crawl_id
)
JOIN server n ON n.server_id = s.server_id
JOIN crawl b ON b.crawl_id = s.valid_from
LEFT JOIN (SELECT server_id, observed_at FROM visit WHERE crawl_id = $crawl) v ON v.server_id = s.server_id
WHERE c.crawl_id = $crawl
"""

_STATES = """
SELECT
    n.server_key, c.vantage, s.valid_from, e.crawl_id AS valid_to, b.finished_at AS seen_from, e.finished_at AS seen_to,
    s.resolves, s.reachable, s.secure, s.online, s.federating, s.accepting, s.listing, s.failed_phase, s.failed_kind,
    s.software, s.version, s.tls_protocol, s.delegated, s.client_base
FROM crawl c
JOIN server_state s ON s.series_id = c.series_id AND s.valid_from <= c.crawl_id
JOIN server n USING (server_id)
JOIN crawl b ON b.crawl_id = s.valid_from
LEFT JOIN crawl e ON e.crawl_id = s.valid_to AND e.crawl_id <= c.crawl_id
WHERE c.crawl_id = $crawl
"""

_ACCOUNTS = """
SELECT
    k.room_id, c.vantage, r.valid_from, e.crawl_id AS valid_to, b.finished_at AS seen_from, e.finished_at AS seen_to,
    r.directories, r.members, r.members_min, r.members_max, t.name, t.topic, t.canonical_alias, t.join_rule, t.room_type
FROM crawl c
JOIN room_state r ON r.series_id = c.series_id AND r.valid_from <= c.crawl_id
JOIN known_room k USING (room_number)
JOIN room_text t USING (text_id)
JOIN crawl b ON b.crawl_id = r.valid_from
LEFT JOIN crawl e ON e.crawl_id = r.valid_to AND e.crawl_id <= c.crawl_id
WHERE c.crawl_id = $crawl
"""

_NAMED = """
SELECT
    n.server_name, n.server_key, l.source, t.server_name AS named_by, t.server_key AS teller_key,
    sum(l.count)::BIGINT AS count
FROM lead l
JOIN server n USING (server_id)
LEFT JOIN server t ON t.server_id = l.named_by
WHERE l.crawl_id = $crawl
GROUP BY ALL
"""
