"""A crawl that was interrupted: which can be gone on with, and what it has committed.

Apart from the writer, which only ever adds: here the tables of one crawl are read back, before it goes on. A killed
crawl is still `running`; a cancelled one was sealed, and its seal is taken off. A crawl is not gone on with once a
newer one of its kind (real or synthetic, seen from one place) is completed: what it saw is older than what that one
says, and would be taken for newer.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crawler.errors import UsageError
from crawler.model.crawl import Crawl, CrawlState, LeadSource
from crawler.model.past import Interrupted, Past, PastCounts, PastVisit
from crawler.store.codec_rooms import space_answer
from crawler.store.connection import Connection
from crawler.store.crawls import read_crawl

RESUMABLE = (CrawlState.RUNNING, CrawlState.CANCELLED)

OBSERVED = "(SELECT * FROM seen_server JOIN visit USING (crawl_id, server_id))"
LISTED = "seen_listing"
"""Where a crawl that is not sealed yet has put what its visits and its directories said."""


def interrupted(connection: Connection, crawl_id: int | None) -> Interrupted:
    """The crawl to go on with.

    Args:
        crawl_id: Which; None: the newest that was interrupted.

    Raises:
        UsageError: it cannot be resumed, or there is none.
    """
    if crawl_id is None:
        row = connection.execute("SELECT max(crawl_id) FROM crawl WHERE state IN ('running', 'cancelled')").fetchone()
        if row is None or row[0] is None:
            raise UsageError("there is no crawl to resume; start one: leave --resume out")
        crawl_id = int(row[0])
    try:
        crawl = read_crawl(connection, crawl_id)
    except ValueError:
        raise UsageError(f"there is no crawl {crawl_id}; see: matrix-census status") from None
    _refuse_ended(connection, crawl)
    found = connection.execute("SELECT settings, identity FROM crawl WHERE crawl_id = ?", [crawl_id]).fetchone()
    settings, identity = found or ("{}", None)
    return Interrupted(crawl, json.loads(settings), identity)


def _refuse_ended(connection: Connection, crawl: Crawl) -> None:
    if crawl.state not in RESUMABLE:
        raise UsageError(
            f"crawl {crawl.id} is {crawl.state}; only crawls that were killed or cancelled can be resumed. Start a new "
            "one: leave --resume out"
        )
    newer = connection.execute(
        "SELECT max(crawl_id) FROM crawl WHERE crawl_id > ? AND state = 'completed' AND synthetic = ? AND vantage = ?",
        [crawl.id, crawl.synthetic, crawl.vantage],
    ).fetchone()
    if newer is not None and newer[0] is not None:
        raise UsageError(
            f"crawl {crawl.id} is older than crawl {newer[0]}, which is completed, so there is nothing to be had from "
            "going on with it. Start a new one: leave --resume out"
        )
    if not _count(connection, "lead", crawl.id) and not crawl.servers:
        raise UsageError(f"crawl {crawl.id} was ended before it began. Start a new one: leave --resume out")
    if crawl.servers and not _count(connection, "visit", crawl.id):
        raise UsageError(f"crawl {crawl.id} is so old that what it saw was let go. Start a new one: leave --resume out")


def reopen(connection: Connection, crawl_id: int, now: datetime, version: str) -> None:
    """Make it the running crawl again, and note that another sitting begins. In a transaction."""
    sittings = [*_sittings(connection, crawl_id), _sitting(now, version)]
    connection.execute(
        "UPDATE crawl SET state = 'running', finished_at = NULL, servers = NULL, online = NULL, rooms = NULL,"
        " known = NULL, completeness = NULL, report = ? WHERE crawl_id = ?",
        [json.dumps({"sittings": sittings}), crawl_id],
    )


def read_past(connection: Connection, crawl_id: int) -> Past:
    """What it has committed, after `reopen`."""
    values = [crawl_id]
    visits = connection.execute(_VISITS, values).fetchall()
    given = connection.execute(_GIVEN, values).fetchall()
    return Past(
        crawl=read_crawl(connection, crawl_id),
        visits=tuple(PastVisit(*row) for row in visits),
        given=tuple((name, LeadSource(source)) for name, source in given),
        heard=dict(connection.execute(_HEARD, values).fetchall()),
        foreign_aliases=dict(connection.execute(_FOREIGN_ALIASES, values).fetchall()),
        listed=tuple(connection.execute(_LISTED, values).fetchall()),
        spaces=tuple(
            (name, space_answer(json.loads(answer))) for name, answer in connection.execute(_SPACES, values).fetchall()
        ),
        counts=_counts(connection, crawl_id),
        sittings=tuple(_sittings(connection, crawl_id)[:-1]),
    )


def visited_numbers(connection: Connection, crawl_id: int) -> set[int]:
    """Numbers of the servers that it has visited."""
    rows = connection.execute("SELECT server_id FROM visit WHERE crawl_id = ?", [crawl_id]).fetchall()
    return {int(number) for (number,) in rows}


def answer_numbers(connection: Connection, crawl_id: int) -> dict[tuple[int, str], int]:
    """(number of the server that answered, room ID) -> number of the answer, of the look-ups that it has made."""
    rows = connection.execute(
        "SELECT named_by, room_id, answer_id FROM seen_answer WHERE crawl_id = ?", [crawl_id]
    ).fetchall()
    return {(int(named_by), str(room_id)): int(answer) for named_by, room_id, answer in rows}


def _counts(connection: Connection, crawl_id: int) -> PastCounts:
    answer = connection.execute(_SUMS, [crawl_id])
    columns = [column[0] for column in answer.description or []]
    row = answer.fetchone() or ()
    sums = {column: int(value or 0) for column, value in zip(columns, row, strict=True)}
    sums["listings"] = _count(connection, LISTED, crawl_id)
    sums["leads"] = _count(connection, "lead", crawl_id)
    sums["spaces"] = _count(connection, "seen_space", crawl_id)
    sums["aliases_asked"] = _count(connection, "alias_schedule", crawl_id)
    return PastCounts(
        sums=sums,
        failures=_pairs(connection, _FAILURES, crawl_id),
        directories=_pairs(connection, _DIRECTORIES, crawl_id),
        attempts=_pairs(connection, _ATTEMPTS, crawl_id),
        bounds_hit=_pairs(connection, _BOUNDS_HIT, crawl_id),
    )


def _pairs(connection: Connection, query: str, crawl_id: int) -> dict[str, Any]:
    return dict(connection.execute(query, [crawl_id]).fetchall())


def _count(connection: Connection, table: str, crawl_id: int) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table} WHERE crawl_id = ?", [crawl_id]).fetchone()  # noqa: S608 - our own names
    return int(row[0]) if row else 0


def _sittings(connection: Connection, crawl_id: int) -> list[Mapping[str, Any]]:
    row = connection.execute(
        "SELECT report, started_at, crawler_version FROM crawl WHERE crawl_id = ?", [crawl_id]
    ).fetchone()
    if row is None:
        return []
    report, started_at, version = row
    sittings: list[Mapping[str, Any]] = (json.loads(report) if report else {}).get("sittings", [])
    return sittings or [_sitting(started_at, version)]


def _sitting(began_at: datetime, version: str) -> Mapping[str, Any]:
    return {"began_at": began_at.isoformat(), "ended_at": None, "crawler_version": version, "traffic": None}


_VISITS = f"""
SELECT s.server_name, s.first_crawl_id = o.crawl_id, o.online, o.federating, o.client_base, o.address
FROM {OBSERVED} o JOIN server s USING (server_id) WHERE o.crawl_id = ? ORDER BY o.observed_at, o.server_id
"""  # noqa: S608 - our own names

_GIVEN = """
SELECT s.server_name, l.source FROM lead l JOIN server s USING (server_id)
WHERE l.crawl_id = ? AND l.named_by IS NULL ORDER BY l.rowid
"""

_HEARD = """
SELECT s.server_name, count(*) FROM lead l JOIN server s USING (server_id)
WHERE l.crawl_id = ? AND l.named_by IS NOT NULL GROUP BY s.server_name ORDER BY min(l.rowid)
"""

_FOREIGN_ALIASES = f"""
SELECT l.canonical_alias, max(coalesce(l.members, 0))
FROM {LISTED} l JOIN server s USING (server_id)
WHERE l.crawl_id = ? AND l.canonical_alias IS NOT NULL
    AND lower(substr(l.canonical_alias, instr(l.canonical_alias, ':') + 1)) <> s.server_key
GROUP BY l.canonical_alias ORDER BY min(l.rowid)
"""  # noqa: S608 - our own names

_LISTED = f"""
SELECT s.server_name, l.room_id, l.room_type FROM {LISTED} l JOIN server s USING (server_id) WHERE l.crawl_id = ?
ORDER BY l.rowid
"""  # noqa: S608 - our own names

_SPACES = """
SELECT s.server_name, t.answer FROM seen_space t JOIN server s ON s.server_id = t.named_by WHERE t.crawl_id = ?
ORDER BY t.rowid
"""

_SUMS = f"""
SELECT
    count(*) AS visited,
    count(*) FILTER (WHERE resolves) AS resolves,
    count(*) FILTER (WHERE reachable) AS reachable,
    count(*) FILTER (WHERE secure) AS secure,
    count(*) FILTER (WHERE online) AS online,
    count(*) FILTER (WHERE federating) AS federating,
    count(*) FILTER (WHERE listing) AS listing,
    sum(directory_pages) AS pages,
    sum(directory_noindex) AS noindex,
    sum(requests) AS requests,
    sum(bytes_read) AS bytes_read,
    sum(aliases_outstanding) AS aliases_outstanding
FROM {OBSERVED} WHERE crawl_id = ?
"""  # noqa: S608 - our own names

_FAILURES = f"""
SELECT failed_kind, count(*) FROM {OBSERVED} WHERE crawl_id = ? AND failed_kind IS NOT NULL GROUP BY ALL
"""  # noqa: S608 - our own names

_DIRECTORIES = f"SELECT directory_state, count(*) FROM {OBSERVED} WHERE crawl_id = ? GROUP BY ALL"  # noqa: S608 - likewise

_ATTEMPTS = """
SELECT what || ' ' || outcome, count(*) FROM attempt
WHERE crawl_id = ? AND what NOT IN ('resolution', 'directory') GROUP BY ALL
"""

_BOUNDS_HIT = f"""
SELECT server_name, bound FROM (
    SELECT s.server_name, o.observed_at, coalesce(
        CASE WHEN o.directory_stopped LIKE '%\\_budget' ESCAPE '\\' THEN o.directory_stopped END,
        (
            SELECT arg_min(a.failed_kind, a.ordinal) FROM attempt a
            WHERE a.crawl_id = o.crawl_id AND a.server_id = o.server_id
                AND a.failed_kind IN ('policy_budget', 'http_too_large', 'http_timeout', 'tls_timeout')
        )
    ) AS bound
    FROM {OBSERVED} o JOIN server s USING (server_id) WHERE o.crawl_id = ?
) WHERE bound IS NOT NULL ORDER BY observed_at
"""  # noqa: S608 - our own names
