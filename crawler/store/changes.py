"""What changed in the federation from one completed crawl to the next: servers that came and went, versions, rooms.

Of the first crawl of a series nothing is told: what it found need not have begun then. A server that another vantage
sees otherwise has not changed; each series is told of by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crawler.store.answer import page_of, page_of_table
from crawler.store.connection import Connection
from crawler.store.question import Question, search_text
from crawler.store.rows import Page


class ChangeKind(StrEnum):
    """SERVER_BIRTH: first seen online. SERVER_OUTAGE: no longer, and back later. SERVER_DEATH: no longer, and not back
    since. SERVER_RETURN: back online. SERVER_VERSION: other software or another version, and online all the while.
    ROOM_LISTED: in a directory for the first time. ROOM_UNLISTED: in none any more, and not back since.
    ROOM_RENAMED: another name."""

    SERVER_BIRTH = "server_birth"
    SERVER_OUTAGE = "server_outage"
    SERVER_DEATH = "server_death"
    SERVER_RETURN = "server_return"
    SERVER_VERSION = "server_version"
    ROOM_LISTED = "room_listed"
    ROOM_UNLISTED = "room_unlisted"
    ROOM_RENAMED = "room_renamed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        seen_at: seal of `crawl_id`, the first crawl to see it; it came at any time since the crawl before.
        server_name: of which server; None for a room.
        room_id: of which room; None for a server.
        room_name: after the change, or the last of a room that is gone; `members` likewise.
        before: version or name; None where there was none; `after` likewise.
    """

    seen_at: datetime
    crawl_id: int
    kind: str
    server_name: str | None
    room_id: str | None
    room_name: str | None
    members: float | None
    before: str | None
    after: str | None


def changes(
    connection: Connection,
    crawl_id: int,
    *,
    since: datetime | None = None,
    kinds: Sequence[ChangeKind] = (),
    server_name: str | None = None,
    room_id: str | None = None,
    min_members: float | None = None,
    newest_first: bool = False,
    limit: int = 50,
    offset: int = 0,
    table: str | None = None,
) -> Page[Change]:
    """Changes in the series of a crawl up to it, one page of them.

    Args:
        connection: A serving file.
        crawl_id: The crawl.
        since: Only those seen after this moment; None: all.
        kinds: Only these; none: all.
        server_name: Only of this server, in any case.
        room_id: Only of this room.
        min_members: Of rooms only those with at least so many members.
        newest_first: Else the oldest come first.
        limit: Rows, at most 1000.
        offset: Rows before the first.
        table: Where the rows of `CHANGES` are laid down for this crawl (`at_hand`); None: they are looked for.
    """
    wanted = {kind.value for kind in kinds or ChangeKind}
    question = Question(values={} if table else {"crawl": crawl_id})
    if kinds:
        # Words of ours, and few: a list is not bound.
        question.where(f"kind IN ({', '.join(repr(kind) for kind in sorted(wanted))})")
    if since is not None:
        question.where("seen_at > $since", since=since)
    if server_name is not None:
        question.where("server_key = lower($name)", name=search_text(server_name))
    if room_id is not None:
        question.where("room_id = $room", room=search_text(room_id))
    if min_members is not None:
        question.where("(room_id IS NULL OR members >= $min_members)", min_members=min_members)
    direction = "DESC" if newest_first else "ASC"
    order = f"ORDER BY crawl_id {direction}, kind, members DESC NULLS LAST, server_name NULLS LAST, room_id NULLS LAST"
    if table is not None:
        return page_of_table(connection, Change, table, question, order, limit, offset)
    parts = [part for part, kinds_of_it in _PARTS.items() if wanted & kinds_of_it]
    return page_of(connection, Change, f"({_all(parts).format(crawl='$crawl')})", question, order, limit, offset)


def _all(parts: Iterable[str]) -> str:
    return f"{_OF_THE_SERIES} {' UNION ALL '.join((_COLUMNS, *parts))}"


_OF_THE_SERIES = """
WITH this AS (
    SELECT c.series_id, c.crawl_id, (
        SELECT min(f.crawl_id) FROM crawl f WHERE f.series_id = c.series_id AND f.state = 'completed'
    ) AS first_crawl_id
    FROM crawl c WHERE c.crawl_id = {crawl}
)
"""

_COLUMNS = """
SELECT NULL::TIMESTAMPTZ AS seen_at, NULL::INTEGER AS crawl_id, NULL::VARCHAR AS kind, NULL::VARCHAR AS server_name,
    NULL::VARCHAR AS server_key, NULL::VARCHAR AS room_id, NULL::VARCHAR AS room_name, NULL::DOUBLE AS members,
    NULL::VARCHAR AS before, NULL::VARCHAR AS after
WHERE false
"""

_SERVER_EVENTS = """
SELECT e.at, e.crawl_id, 'server_' || e.event, e.server_name, lower(e.server_name), NULL, NULL, NULL, NULL, NULL
FROM server_event e JOIN this USING (series_id)
WHERE e.crawl_id > this.first_crawl_id AND e.crawl_id <= this.crawl_id
"""

_VERSIONS = """
SELECT c.finished_at, now.valid_from, 'server_version', n.server_name, n.server_key, NULL, NULL, NULL,
    nullif(concat_ws(' ', was.software, was.version), ''), nullif(concat_ws(' ', now.software, now.version), '')
FROM server_version now
JOIN this USING (series_id)
JOIN server_version was
    ON was.series_id = now.series_id AND was.server_id = now.server_id AND was.valid_to = now.valid_from
JOIN server n ON n.server_id = now.server_id
JOIN crawl c ON c.crawl_id = now.valid_from
WHERE now.valid_from > this.first_crawl_id AND now.valid_from <= this.crawl_id
"""

_ROOMS = """
SELECT c.finished_at, r.listed_at, r.kind, NULL, NULL, k.room_id, t.name, r.members, NULL, NULL
FROM (
    SELECT series_id, room_number, min(valid_from) AS listed_at, 'room_listed' AS kind,
        arg_min(text_id, valid_from) AS text_id, arg_min(members, valid_from) AS members
    FROM room_state GROUP BY series_id, room_number
    UNION ALL
    SELECT series_id, room_number, max(valid_to), 'room_unlisted', arg_max(text_id, valid_from),
        arg_max(members, valid_from)
    FROM room_state GROUP BY series_id, room_number HAVING bool_and(valid_to IS NOT NULL)
) r
JOIN this USING (series_id)
JOIN known_room k USING (room_number)
JOIN room_text t USING (text_id)
JOIN crawl c ON c.crawl_id = r.listed_at
WHERE r.listed_at > this.first_crawl_id AND r.listed_at <= this.crawl_id
"""

# Only rooms with two texts, and joined before names are compared: else the planner holds each text against each other.
_RENAMES = """
SELECT * FROM (
    WITH moved AS (
        SELECT series_id, room_number FROM room_state GROUP BY ALL HAVING min(text_id) <> max(text_id)
    ), told AS (
        SELECT s.series_id, s.room_number, s.valid_from, s.members, s.text_id,
            lag(s.text_id) OVER before AS old_text_id, lag(s.valid_to) OVER before AS old_until
        FROM room_state s SEMI JOIN moved USING (series_id, room_number)
        WINDOW before AS (PARTITION BY s.series_id, s.room_number ORDER BY s.valid_from)
    ), renamed AS MATERIALIZED (
        SELECT r.*, t.name, o.name AS old_name
        FROM told r JOIN room_text t ON t.text_id = r.text_id JOIN room_text o ON o.text_id = r.old_text_id
        WHERE r.old_until = r.valid_from AND r.old_text_id <> r.text_id
    )
    SELECT c.finished_at, r.valid_from, 'room_renamed', NULL, NULL, k.room_id, r.name, r.members, r.old_name, r.name
    FROM renamed r
    JOIN this USING (series_id)
    JOIN known_room k USING (room_number)
    JOIN crawl c ON c.crawl_id = r.valid_from
    WHERE r.valid_from > this.first_crawl_id AND r.valid_from <= this.crawl_id
        AND r.old_name IS DISTINCT FROM r.name
)
"""

_PARTS = {
    _SERVER_EVENTS: {"server_birth", "server_outage", "server_death", "server_return"},
    _VERSIONS: {"server_version"},
    _ROOMS: {"room_listed", "room_unlisted"},
    _RENAMES: {"room_renamed"},
}

CHANGES = _all(_PARTS)
"""All of them, SQL in which `{crawl}` stands for the crawl."""
