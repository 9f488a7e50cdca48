"""Serving file -> what was computed before and stored in it: metric rows of every census, features of rooms.

Apart from the frames of a census, which numbers are computed from: readers show what is here without computing.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from analytics.estimate import IntervalKind
from analytics.load import Connection, ask, has_table, open_serving
from analytics.schemas import METRIC_COLUMNS, Grade, MetricRow

METRIC_TABLE = "metric"
"""The table of a serving file that `steps.store_numbers` writes."""

FEATURE_TABLE = "room_feature"
"""The table with what the text of each listed room shows."""


@dataclass(frozen=True, slots=True, eq=False)
class CarriedOver:
    """What an earlier serving file computed by the rules of today: the censuses whose metric rows it holds, and
    features of rooms (None: none)."""

    censuses: frozenset[int]
    features: pl.DataFrame | None


def carried_over(serving: Path | None, rows_version: int, features_version: int) -> CarriedOver:
    """What may be taken over from an earlier serving file; nothing of what was computed by other rules."""
    nothing = CarriedOver(frozenset(), None)
    if serving is None:
        return nothing
    with open_serving(serving) as connection:
        if not (has_table(connection, METRIC_TABLE) and has_table(connection, "metric_version")):
            return nothing
        found = connection.execute("SELECT rows_version, features_version FROM metric_version").fetchone()
        stored = connection.execute("SELECT DISTINCT snapshot FROM metric").fetchall()
        features = ask(connection, "FROM room_feature") if has_table(connection, FEATURE_TABLE) else None
    of_rows, of_features = found or (None, None)
    return CarriedOver(
        frozenset(int(number) for (number,) in stored) if of_rows == rows_version else frozenset(),
        features if of_features == features_version else None,
    )


def load_series(serving: Path, newest: int | None = None) -> tuple[MetricRow, ...]:
    """`load_series_frame` as rows."""
    return _as_rows(load_series_frame(serving, newest))


def load_series_frame(serving: Path, newest: int | None = None) -> pl.DataFrame:
    """The stored rows of every census, or of the `newest` so many, oldest first; empty when the file has none."""
    with open_serving(serving) as connection:
        if not has_table(connection, METRIC_TABLE):
            return pl.DataFrame(schema=list(METRIC_COLUMNS))
        return ask(connection, _NEWEST_ROWS, newest=newest)


def load_series_page(
    connection: Connection,
    crawl_id: int,
    metric: str,
    *,
    dimension: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[tuple[MetricRow, ...], int]:
    """Some of the stored rows of one metric over the censuses of the series of a census up to it, the oldest first.

    Args:
        connection: A serving file.
        crawl_id: The census.
        metric: Which.
        dimension: Only this; None: all.
        since: Of censuses sealed then or later; None: all.
        until: Of censuses sealed before then; None: all.
        limit: Rows.
        offset: Rows before the first.

    Returns:
        The rows, and how many there are altogether; none when the file has no such table.
    """
    if not has_table(connection, METRIC_TABLE):
        return (), 0
    values: dict[str, int | str | datetime]
    conditions, values = [_SERIES], {"crawl": crawl_id, "metric": metric}
    for condition, value in (
        ("dimension = $dimension", dimension), ('"at" >= $since', since), ('"at" < $until', until)
    ):  # fmt: skip
        if value is not None:
            conditions.append(condition)
            values[condition.rpartition("$")[2]] = value
    body = f"FROM metric WHERE {' AND '.join(conditions)}"
    total = connection.execute(f"SELECT count(*) {body}", values).fetchone()
    values |= {"limit": limit, "offset": offset}
    rows = f"{body} ORDER BY snapshot, rowid LIMIT $limit OFFSET $offset"
    return _as_rows(ask(connection, rows, **values)), total[0] if total else 0


_SERIES = """metric = $metric AND snapshot <= $crawl AND snapshot IN (
    SELECT crawl_id FROM crawl WHERE series_id = (SELECT series_id FROM crawl WHERE crawl_id = $crawl)
)"""


def _as_rows(frame: pl.DataFrame) -> tuple[MetricRow, ...]:
    return tuple(
        MetricRow(**row | {"interval_kind": IntervalKind(row["interval_kind"]), "grade": Grade(row["grade"])})
        for row in frame.select(list(METRIC_COLUMNS)).iter_rows(named=True)
    )


def load_metric_rows(serving: Path, crawl_id: int) -> tuple[MetricRow, ...] | None:
    """The rows that were stored with a snapshot, in their stored order; None when the file has no such table."""
    with open_serving(serving) as connection:
        if not has_table(connection, METRIC_TABLE):
            return None
        return _as_rows(ask(connection, "FROM metric WHERE snapshot = $crawl ORDER BY rowid", crawl=crawl_id))


_NEWEST_ROWS = """
FROM metric WHERE snapshot IN (SELECT DISTINCT snapshot FROM metric ORDER BY snapshot DESC LIMIT $newest)
ORDER BY snapshot, rowid
"""


@dataclass(frozen=True, slots=True, eq=False)
class RoomScores:
    """Listed rooms of the newest census: `room_id`, `name`, `topic`, `canonical_alias`, and the `score` of signs."""

    crawl_id: int
    synthetic: bool
    rooms: pl.DataFrame


def load_room_scores(serving: Path) -> RoomScores | None:
    """What an audit draws from; None when the file has no features of rooms."""
    with open_serving(serving) as connection:
        if not has_table(connection, FEATURE_TABLE):
            return None
        found = connection.execute(
            "SELECT crawl_id, synthetic FROM crawl WHERE crawl_id = (SELECT max(crawl_id) FROM room_feature)"
        ).fetchone()
        if found is None:
            return None
        rooms = ask(connection, _ROOM_SCORES, crawl=int(found[0]))
    return RoomScores(int(found[0]), bool(found[1]), rooms)


_ROOM_SCORES = """
SELECT f.room_id, r.name, r.topic, r.canonical_alias, f.score
FROM room_feature f JOIN (SELECT * FROM room WHERE crawl_id = $crawl) r USING (room_id)
WHERE f.crawl_id = $crawl ORDER BY f.room_id
"""
