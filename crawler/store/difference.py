"""What is different between two crawls of one series: read from the intervals, whatever lies between the two.

Apart from the reader, which answers for one crawl.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.errors import UsageError
from crawler.store.reader import SnapshotReader

SHOWN = 1000
"""Most lines of one kind; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different. `was` and `now` are None where it was not there, or did not say."""

    kind: str
    what: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that is different between crawl `a` and crawl `b`.

    Attributes:
        counts: How many changes of each kind, in the order in which they are told.
        members: Members of rooms listed, summed, in `a` and in `b`.
        changes: The changes, at most `SHOWN` of each kind.
    """

    a: int
    b: int
    counts: dict[str, int]
    members: tuple[float, float]
    changes: tuple[Change, ...]


def difference(census: Path, a: int, b: int) -> Difference:
    """Compare two crawls of what is published.

    Args:
        census: The census file.
        a: Number of the crawl to compare from.
        b: Number of the crawl to compare to.

    Raises:
        UsageError: one of them is no completed crawl of the file, or they are of different series.
        StoreError: nothing is published, or it cannot be read.
    """
    with SnapshotReader.open(census) as reader, closing(reader.cursor()) as cursor:
        rows = cursor.execute(_SERIES, {"a": a, "b": b}).fetchall()
        series = dict(rows)
        for crawl_id in (a, b):
            if crawl_id not in series:
                raise UsageError(f"there is no completed crawl {crawl_id}; list them: matrix-census status")
        if series[a] != series[b]:
            raise UsageError(f"crawls {a} and {b} are of different vantages, or one is synthetic: they do not compare")
        values: dict[str, Any] = {"a": a, "b": b, "series": series[a]}
        counts: dict[str, int] = {}
        changes: list[Change] = []
        for kind, query in _KINDS.items():
            found = cursor.execute(query, {k: v for k, v in values.items() if f"${k}" in query}).fetchall()
            counts[kind] = len(found)
            changes += [Change(kind, *row) for row in found[:SHOWN]]
        (was, now) = cursor.execute(_MEMBERS, values).fetchall()[0]
        return Difference(a, b, counts, (float(was), float(now)), tuple(changes))


_SERIES = """
SELECT crawl_id, series_id FROM crawl WHERE crawl_id IN ($a, $b) AND state = 'completed'
"""


def _as_of(table: str, crawl: str) -> str:
    return (
        f"(SELECT * FROM {table} WHERE series_id = $series AND valid_from <= ${crawl}"  # noqa: S608 - our own names
        f" AND (valid_to IS NULL OR valid_to > ${crawl}))"
    )


_SERVERS = f"""
FROM {_as_of("server_state", "a")} a FULL JOIN {_as_of("server_state", "b")} b USING (server_id)
JOIN server USING (server_id)
"""
_ROOMS = f"""
FROM {_as_of("room_state", "a")} a FULL JOIN {_as_of("room_state", "b")} b USING (room_number)
JOIN known_room USING (room_number)
LEFT JOIN room_text was ON was.text_id = a.text_id LEFT JOIN room_text now ON now.text_id = b.text_id
"""
_SAYS = "trim(concat_ws(' ', {0}.software, {0}.version))"
_WAS, _NOW = _SAYS.format("a"), _SAYS.format("b")

_KINDS = {
    "server up": f"SELECT server_name, a.failed_kind, {_NOW} {_SERVERS}"
    " WHERE b.online AND NOT coalesce(a.online, false) ORDER BY server_name",
    "server down": f"SELECT server_name, {_WAS}, b.failed_kind {_SERVERS}"
    " WHERE a.online AND NOT coalesce(b.online, false) ORDER BY server_name",
    "software": f"SELECT server_name, {_WAS}, {_NOW} {_SERVERS}"
    f" WHERE a.online AND b.online AND {_WAS} <> {_NOW} ORDER BY server_name",
    "room listed": f"SELECT room_id, NULL, now.name {_ROOMS} WHERE a.valid_from IS NULL ORDER BY room_id",
    "room gone": f"SELECT room_id, was.name, NULL {_ROOMS} WHERE b.valid_from IS NULL ORDER BY room_id",
    "room renamed": f"SELECT room_id, was.name, now.name {_ROOMS}"  # noqa: S608 - our own names
    " WHERE a.text_id <> b.text_id AND was.name IS DISTINCT FROM now.name ORDER BY room_id",
}

_MEMBERS = f"""
SELECT
    (SELECT coalesce(sum(members), 0) FROM {_as_of("room_state", "a")}),
    (SELECT coalesce(sum(members), 0) FROM {_as_of("room_state", "b")})
"""  # noqa: S608 - our own names
