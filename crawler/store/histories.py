"""What a serving file remembers of one server, or of one room, over all crawls of a series.

Apart from `server_detail`, which is of one crawl. A crawl is told by its seal; of a stretch that still stands, and of
one that was seen in one crawl alone, see each dataclass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crawler.store.answer import all_of, fetch
from crawler.store.connection import Connection
from crawler.store.question import search_text
from crawler.store.rows import RoomRow

DAYS = 90
_SPANS = 40
"""Stretches of each kind that are told, the newest first."""
_NAMES = 100


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC): how many crawls were sealed in it, in how many the server's state was known, in how many of these
    it was online. What is not looked at again stands as it was seen last."""

    day: date
    crawls: int
    known: int
    online: int


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was so from one crawl's seal to another's; `seen_to` is the first crawl that saw otherwise, None
    while it stands. `what` and `detail`: software and version, key ID and key, issuer and fingerprint."""

    what: str | None
    detail: str | None
    seen_from: datetime
    seen_to: datetime | None


@dataclass(frozen=True, slots=True)
class ServerHistory:
    """`days` are the last 90 before the crawl, oldest first; the spans newest first."""

    days: tuple[Day, ...]
    first_online: datetime | None
    versions: tuple[Span, ...]
    keys: tuple[Span, ...]
    certificates: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class RoomPoint:
    """A room as it was listed from one crawl on; `seen_to` as in `Span`."""

    seen_from: datetime
    seen_to: datetime | None
    members: float | None
    directories: int


@dataclass(frozen=True, slots=True)
class RoomText:
    """A text of a room that was replaced: when, and what was there before."""

    at: datetime
    old_name: str | None
    old_canonical_alias: str | None
    topic_changed: bool


@dataclass(frozen=True, slots=True)
class RoomDetail:
    """All about one room. `now` is None when the crawl did not see it listed; `listed_by` and `servers` are names, at
    most 100 of each, beside how many there are."""

    room_id: str
    now: RoomRow | None
    history: tuple[RoomPoint, ...]
    texts: tuple[RoomText, ...]
    listed_by: tuple[str, ...]
    listed_by_total: int
    servers: tuple[str, ...]
    servers_total: int


def server_history(connection: Connection, server_name: str, crawl_id: int) -> ServerHistory:
    """Of a server that nothing ever saw: days without knowledge, and no spans.

    Args:
        connection: To a serving file.
        server_name: Its name, in any case.
        crawl_id: Up to this crawl, in its series.
    """
    rows = fetch(
        connection, "SELECT server_id FROM server WHERE server_key = lower($name)", {"name": search_text(server_name)}
    )
    place = {"server": rows[0][0] if rows else -1, "crawl": crawl_id}
    first = fetch(connection, _FIRST_ONLINE, place)
    return ServerHistory(
        days=tuple(Day(*row) for row in fetch(connection, _DAYS, place | {"days": DAYS})),
        first_online=first[0][0] if first else None,
        versions=_spans(connection, _VERSIONS, place),
        keys=_spans(connection, _KEYS, place),
        certificates=_spans(connection, _CERTIFICATES, place),
    )


def room_detail(connection: Connection, room_id: str, crawl_id: int) -> RoomDetail | None:
    """None when no crawl of the series ever saw it listed.

    Args:
        connection: To a serving file.
        room_id: Its ID, exactly.
        crawl_id: As of this crawl, in its series.
    """
    place: dict[str, object] = {"room": search_text(room_id), "crawl": crawl_id}
    history = tuple(RoomPoint(*row) for row in fetch(connection, _ROOM_HISTORY, place))
    if not history:
        return None
    now = all_of(connection, RoomRow, "FROM room WHERE crawl_id = $crawl AND room_id = $room", place)
    texts = tuple(RoomText(*row) for row in fetch(connection, _ROOM_TEXTS, place | {"most": _SPANS}))
    listed = _names(connection, _LISTED_BY, place)
    servers = _names(connection, _IN_ROOM, place)
    return RoomDetail(
        room_id=room_id,
        now=now[0] if now else None,
        history=history,
        texts=texts,
        listed_by=tuple(listed[:_NAMES]),
        listed_by_total=len(listed),
        servers=tuple(servers[:_NAMES]),
        servers_total=len(servers),
    )


def _spans(connection: Connection, sql: str, place: dict[str, int]) -> tuple[Span, ...]:
    return tuple(Span(*row) for row in fetch(connection, sql, place | {"most": _SPANS}))


def _names(connection: Connection, sql: str, place: Mapping[str, object]) -> Sequence[str]:
    return [str(name) for (name,) in fetch(connection, sql, place)]


_SERIES = "(SELECT series_id FROM crawl WHERE crawl_id = $crawl)"

_DAYS = f"""
SELECT CAST(c.finished_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*), count(s.online), count(*) FILTER (s.online)
FROM crawl c
LEFT JOIN server_state s ON s.server_id = $server AND s.series_id = c.series_id AND s.valid_from <= c.crawl_id
    AND (s.valid_to IS NULL OR s.valid_to > c.crawl_id)
WHERE c.state = 'completed' AND c.series_id = {_SERIES} AND c.crawl_id <= $crawl
    AND c.finished_at > (SELECT finished_at FROM crawl WHERE crawl_id = $crawl) - to_days($days::INTEGER)
GROUP BY day ORDER BY day
"""  # noqa: S608 - text of ours

_FIRST_ONLINE = f"""
SELECT min(c.finished_at) FROM server_state s JOIN crawl c ON c.crawl_id = s.valid_from
WHERE s.server_id = $server AND s.online AND s.series_id = {_SERIES}
"""  # noqa: S608 - likewise


def _span_sql(table: str, what: str, detail: str) -> str:
    return f"""
SELECT {what}, {detail}, b.finished_at, e.finished_at
FROM {table} t
JOIN crawl b ON b.crawl_id = t.valid_from
LEFT JOIN crawl e ON e.crawl_id = t.valid_to
WHERE t.server_id = $server AND t.series_id = {_SERIES} AND t.valid_from <= $crawl
ORDER BY t.valid_from DESC, 1, 2 LIMIT $most
"""  # noqa: S608 - names of ours


_VERSIONS = _span_sql("server_version", "t.software", "t.version")
_KEYS = _span_sql("server_key", "t.key_id", "t.verify_key")
_CERTIFICATES = _span_sql("server_certificate", "t.tls_issuer", "t.tls_fingerprint")

_ROOM_HISTORY = f"""
SELECT b.finished_at, e.finished_at, r.members, r.directories
FROM room_state r
JOIN known_room k ON k.room_number = r.room_number AND k.room_id = $room
JOIN crawl b ON b.crawl_id = r.valid_from
LEFT JOIN crawl e ON e.crawl_id = r.valid_to
WHERE r.series_id = {_SERIES} AND r.valid_from <= $crawl
ORDER BY r.valid_from
"""  # noqa: S608 - text of ours

_ROOM_TEXTS = f"""
SELECT n."at", n.old_name, n.old_canonical_alias, n.topic_changed FROM room_rename n
WHERE n.room_id = $room AND n.series_id = {_SERIES} AND n.crawl_id <= $crawl
ORDER BY n.crawl_id DESC LIMIT $most
"""  # noqa: S608 - likewise

_LISTED_BY = """
SELECT server_name FROM listing JOIN server USING (server_id)
WHERE crawl_id = $crawl AND room_id = $room ORDER BY server_name
"""

_IN_ROOM = """
SELECT DISTINCT server_name FROM participation JOIN server USING (server_id)
WHERE crawl_id = $crawl AND room_id = $room ORDER BY server_name
"""
