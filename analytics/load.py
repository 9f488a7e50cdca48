"""Serving file -> polars frames. The only module of analytics that knows DuckDB.

Frames are fetched as `pl.DataFrame(con.sql(...))`, which both DuckDB 1.5 and 2.0 offer; frames of Python are never
scanned by name. By default only a census, a crawl that is completed and full, becomes numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import polars as pl

from analytics.cohorts import STEP_COLUMNS
from analytics.estimate import IntervalKind
from analytics.hosting import NO_DATA, CdnRanges, HostingData, Places
from analytics.load_outside import load_outside, outside_said, with_imported_spec
from analytics.reference import load_cdn_ranges, reference
from analytics.schemas import (
    CENSUS_COLUMNS,
    CRAWL_COLUMNS,
    IN_ROOM_COLUMNS,
    LEAD_COLUMNS,
    METRIC_COLUMNS,
    OBSERVATION_COLUMNS,
    PLACE_COLUMNS,
    ROOM_COLUMNS,
    ROOM_HISTORY_COLUMNS,
    STAY_COLUMNS,
    Grade,
    MetricRow,
    checked,
)
from analytics.snapshot import Frames, Lives, Snapshot
from analytics.versions import VERSION_STAY_COLUMNS
from crawler.errors import StoreError

Columns: TypeAlias = Mapping[str, pl.DataType | type[pl.DataType]]

METRIC_TABLE = "metric"
"""The table of a serving file that `steps.store_numbers` writes."""


@contextmanager
def open_serving(serving: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a serving file, closed at the end.

    Raises:
        StoreError: the file cannot be opened.
    """
    try:
        connection = duckdb.connect(str(serving), read_only=True)
    except duckdb.Error as error:
        raise StoreError(f"cannot open the serving file {serving}: {str(error).splitlines()[0]}") from error
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def load_frames(serving: Path, crawl_ids: Sequence[int] | None = None, geo_db: Sequence[Path] = ()) -> Frames:
    """Read the censuses of a serving file, or exactly the crawls asked for (of any state, if they were sealed).

    `geo_db` are files of hosting data, see `analytics.hosting`.

    Raises:
        StoreError: the file cannot be opened.
        UsageError: hosting data cannot be read.
    """
    hosting = HostingData(geo_db)
    with open_serving(serving) as connection:
        return frames_of(connection, crawl_ids, hosting)


def frames_of(
    connection: duckdb.DuckDBPyConnection,
    crawl_ids: Sequence[int] | None = None,
    hosting: HostingData | None = None,
) -> Frames:
    """`load_frames` on a connection that is open already."""
    crawls = _crawls(connection)
    if crawl_ids is None:
        wanted = crawls.filter(IS_CENSUS)
    else:
        wanted = crawls.filter(pl.col("crawl_id").is_in(list(crawl_ids)) & pl.col("finished_at").is_not_null())
    ranges = CdnRanges(load_cdn_ranges())
    data = hosting or HostingData()
    snapshots = tuple(
        _snapshot(connection, crawl, data, ranges) for crawl in wanted.sort("crawl_id").iter_rows(named=True)
    )
    return Frames(snapshots, with_imported_spec(connection, reference()))


def _snapshot(
    connection: duckdb.DuckDBPyConnection, crawl: Mapping[str, Any], hosting: HostingData, ranges: CdnRanges
) -> Snapshot:
    """One crawl; its views are asked for one crawl at a time, for all of them together are years of rows."""
    crawl_id = int(crawl["crawl_id"])

    def of(query: str, columns: Columns, what: str) -> pl.DataFrame:
        return checked(pl.DataFrame(connection.sql(query, params={"crawl": crawl_id})), columns, what)

    seen = of(_OBSERVATIONS, OBSERVATION_COLUMNS, "server_observation")
    return Snapshot(
        crawl_id=crawl_id,
        at=crawl["finished_at"],
        is_census=crawl["state"] == "completed" and crawl["scope"] == "full",
        synthetic=crawl["synthetic"],
        signed=crawl["identity"] is not None,
        crawler_version=crawl["crawler_version"],
        # Once the journal of a census is let go, the dead whom it left in peace are among its observations, too.
        known=max(crawl["known"] or 0, seen.height),
        observations=seen,
        rooms=of(_ROOMS, ROOM_COLUMNS, "room"),
        leads=of(_LEADS, LEAD_COLUMNS, "lead"),
        listings=of(_LISTINGS, IN_ROOM_COLUMNS, "listing"),
        participations=of(_PARTICIPATIONS, IN_ROOM_COLUMNS, "participation"),
        places=hosting.places(seen["address"].drop_nulls(), ranges),
        outside=load_outside(connection, crawl_id, crawl["finished_at"]),
    )


def outside_changed(before: Path | None, serving: Path, crawl_ids: Sequence[int]) -> list[int]:
    """Of these censuses, those of which something that no crawl sees was said since an earlier serving file."""
    if before is None:
        return []
    with open_serving(before) as connection:
        then = outside_said(connection)
    with open_serving(serving) as connection:
        now = outside_said(connection)
    return [crawl_id for crawl_id in crawl_ids if now.differs(then, crawl_id)]


def load_outside_alone(serving: Path, crawl_id: int) -> Snapshot:
    """A census with nothing in it but what no crawl sees, and how many servers were online: for rows that rest on no
    more, when all else of an old census is gone."""
    with open_serving(serving) as connection:
        (crawl,) = _crawls(connection).filter(pl.col("crawl_id") == crawl_id).iter_rows(named=True)
        values = {"crawl": crawl_id}
        return Snapshot(
            crawl_id=crawl_id,
            at=crawl["finished_at"],
            is_census=True,
            synthetic=crawl["synthetic"],
            signed=crawl["identity"] is not None,
            crawler_version=crawl["crawler_version"],
            known=crawl["known"] or 0,
            observations=pl.DataFrame(connection.sql(_ONLINE, params=values)),
            rooms=pl.DataFrame(schema=dict(ROOM_COLUMNS)),
            leads=pl.DataFrame(schema=dict(LEAD_COLUMNS)),
            listings=pl.DataFrame(schema=dict(IN_ROOM_COLUMNS)),
            participations=pl.DataFrame(schema=dict(IN_ROOM_COLUMNS)),
            places=Places(pl.DataFrame(schema=dict(PLACE_COLUMNS)), NO_DATA),
            outside=load_outside(connection, crawl_id, crawl["finished_at"]),
        )


def newest_census(serving: Path) -> int | None:
    """The number of the newest census in a serving file; None when it holds none."""
    with open_serving(serving) as connection:
        ids = _crawls(connection).filter(IS_CENSUS)["crawl_id"]
    return None if ids.is_empty() else int(ids.to_list()[-1])


@dataclass(frozen=True, slots=True, eq=False)
class RoomScores:
    """Listed rooms of the newest census: `room_id`, `name`, `topic`, `canonical_alias`, and the `score` of signs."""

    crawl_id: int
    synthetic: bool
    rooms: pl.DataFrame


def load_room_scores(serving: Path) -> RoomScores | None:
    """What an audit draws from; None when the file has no features of rooms."""
    with open_serving(serving) as connection:
        tables = {str(name) for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if "room_feature" not in tables:
            return None
        found = connection.execute(
            "SELECT crawl_id, synthetic FROM crawl WHERE crawl_id = (SELECT max(crawl_id) FROM room_feature)"
        ).fetchone()
        if found is None:
            return None
        rooms = pl.DataFrame(connection.sql(_ROOM_SCORES, params={"crawl": found[0]}))
    return RoomScores(int(found[0]), bool(found[1]), rooms)


def newest_snapshot(serving: Path) -> str:
    """The name of a serving file for whoever cites it."""
    with open_serving(serving) as connection:
        row = connection.execute("SELECT snapshot_id FROM snapshot").fetchone()
    return str(row[0]) if row else ""


def census_ids(serving: Path) -> list[int]:
    """The numbers of the censuses of a serving file, oldest first."""
    with open_serving(serving) as connection:
        return [int(number) for number in _crawls(connection).filter(IS_CENSUS)["crawl_id"]]


def load_lives(serving: Path, crawl_id: int) -> Lives:
    """The history of the series of a crawl, as it was known at its seal."""
    with open_serving(serving) as connection:
        values = {"crawl": crawl_id}

        def of(query: str, columns: Columns, what: str) -> pl.DataFrame:
            return checked(pl.DataFrame(connection.sql(query, params=values)), columns, what)

        return Lives(
            censuses=of(_CENSUSES, CENSUS_COLUMNS, "census"),
            servers=of(_SERVER_STAYS, STAY_COLUMNS, "server_session"),
            rooms=of(_ROOM_HISTORY, ROOM_HISTORY_COLUMNS, "room_state"),
        )


def load_version_stays(serving: Path, crawl_id: int) -> pl.DataFrame:
    """Which server ran what when, in the series of a crawl, as it was known at its seal (`VERSION_STAY_COLUMNS`)."""
    with open_serving(serving) as connection:
        frame = pl.DataFrame(connection.sql(_VERSION_STAYS, params={"crawl": crawl_id}))
    return checked(frame, VERSION_STAY_COLUMNS, "server_version")


def load_room_steps(serving: Path, crawl_id: int) -> pl.DataFrame:
    """How many of the rooms first listed in one census are listed in another (`cohorts.STEP_COLUMNS`)."""
    with open_serving(serving) as connection:
        frame = pl.DataFrame(connection.sql(_ROOM_STEPS, params={"crawl": crawl_id}))
    return checked(frame, STEP_COLUMNS, "room_state")


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
        tables = {str(name) for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if not tables >= {METRIC_TABLE, "metric_version"}:
            return nothing
        found = connection.execute("SELECT rows_version, features_version FROM metric_version").fetchone()
        stored = connection.execute("SELECT DISTINCT snapshot FROM metric").fetchall()
        features = pl.DataFrame(connection.sql("FROM room_feature")) if "room_feature" in tables else None
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
        tables = {str(name) for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if METRIC_TABLE not in tables:
            return pl.DataFrame(schema=list(METRIC_COLUMNS))
        return pl.DataFrame(connection.sql(_NEWEST_ROWS, params={"newest": newest}))


def load_series_page(
    connection: duckdb.DuckDBPyConnection,
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
    has_table = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [METRIC_TABLE]).fetchall()
    if not has_table:
        return (), 0
    values: dict[str, object]
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
    return _as_rows(pl.DataFrame(connection.sql(rows, params=values))), total[0] if total else 0


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
        has_table = connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [METRIC_TABLE]
        ).fetchone()
        if has_table == (0,):
            return None
        frame = pl.DataFrame(
            connection.sql("SELECT * FROM metric WHERE snapshot = $crawl ORDER BY rowid", params={"crawl": crawl_id})
        )
    return _as_rows(frame)


_NEWEST_ROWS = """
FROM metric WHERE snapshot IN (SELECT DISTINCT snapshot FROM metric ORDER BY snapshot DESC LIMIT $newest)
ORDER BY snapshot, rowid
"""

IS_CENSUS = (pl.col("state") == "completed") & (pl.col("scope") == "full")

_CENSUSES = """
SELECT c.crawl_id, c.finished_at AS at
FROM census c JOIN crawl this ON this.crawl_id = $crawl AND c.series_id = this.series_id
WHERE c.crawl_id <= $crawl ORDER BY c.crawl_id
"""

_SERVER_STAYS = """
WITH said AS (
    SELECT series_id, server_id, arg_max(software, valid_from) AS software
    FROM server_state WHERE online AND valid_from <= $crawl GROUP BY series_id, server_id
)
SELECT
    s.server_id, s.valid_from, e.crawl_id AS valid_to,
    b.finished_at AS seen_from, e.finished_at AS seen_to, said.software
FROM server_session s
JOIN crawl this ON this.crawl_id = $crawl AND s.series_id = this.series_id
JOIN crawl b ON b.crawl_id = s.valid_from
LEFT JOIN crawl e ON e.crawl_id = s.valid_to AND e.crawl_id <= $crawl
JOIN said ON said.series_id = s.series_id AND said.server_id = s.server_id
WHERE s.online AND s.valid_from <= $crawl
ORDER BY s.server_id, s.valid_from
"""

_ROOM_HISTORY = """
WITH this AS (
    SELECT series_id FROM crawl WHERE crawl_id = $crawl
), stay AS (
    SELECT
        r.valid_from,
        CASE WHEN r.valid_to <= $crawl THEN r.valid_to END AS valid_to,
        r.members,
        r.room_number IN (
            SELECT room_number FROM room_state
            WHERE series_id = (FROM this) AND valid_from <= $crawl AND coalesce(valid_to, 2147483647) > $crawl
        ) AS still
    FROM room_state r JOIN room_text t USING (text_id)
    WHERE r.series_id = (FROM this) AND r.valid_from <= $crawl AND coalesce(t.room_type, '') <> 'm.space'
), step AS (
    SELECT valid_from AS crawl_id, count(*) AS rooms, sum(members) AS memberships, count(*) FILTER (still) AS still
    FROM stay GROUP BY ALL
    UNION ALL
    SELECT valid_to, -count(*), -sum(members), -count(*) FILTER (still)
    FROM stay WHERE valid_to IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT crawl_id, 0, 0, 0 FROM census WHERE series_id = (FROM this) AND crawl_id <= $crawl
), summed AS (
    SELECT DISTINCT
        crawl_id,
        sum(rooms) OVER so_far::BIGINT AS rooms,
        coalesce(sum(memberships) OVER so_far, 0)::DOUBLE AS memberships,
        sum(still) OVER so_far::BIGINT AS still_listed
    FROM step
    WINDOW so_far AS (ORDER BY crawl_id RANGE UNBOUNDED PRECEDING)
)
SELECT s.* FROM summed s JOIN census c USING (crawl_id) ORDER BY crawl_id
"""
"""Sums of what begins and ends, not a look at every census: years of rooms are millions of stays."""

_VERSION_STAYS = """
SELECT
    v.server_id, v.software, v.version, v.valid_from, e.crawl_id AS valid_to,
    b.finished_at AS seen_from, e.finished_at AS seen_to
FROM server_version v
JOIN crawl this ON this.crawl_id = $crawl AND v.series_id = this.series_id
JOIN crawl b ON b.crawl_id = v.valid_from
LEFT JOIN crawl e ON e.crawl_id = v.valid_to AND e.crawl_id <= $crawl
WHERE v.valid_from <= $crawl
ORDER BY v.server_id, v.valid_from
"""

_ROOM_STEPS = """
WITH stay AS (
    SELECT r.room_number, r.valid_from, CASE WHEN r.valid_to <= $crawl THEN r.valid_to END AS valid_to,
        min(r.valid_from) OVER (PARTITION BY r.room_number) AS first_crawl
    FROM room_state r JOIN crawl this ON this.crawl_id = $crawl AND r.series_id = this.series_id
    JOIN room_text t USING (text_id)
    WHERE r.valid_from <= $crawl AND coalesce(t.room_type, '') <> 'm.space'
)
SELECT first_crawl, crawl_id, sum(change)::BIGINT AS change FROM (
    SELECT first_crawl, valid_from AS crawl_id, 1 AS change FROM stay
    UNION ALL SELECT first_crawl, valid_to, -1 FROM stay WHERE valid_to IS NOT NULL
)
GROUP BY ALL HAVING sum(change) <> 0 ORDER BY ALL
"""

_ROOM_SCORES = """
SELECT f.room_id, r.name, r.topic, r.canonical_alias, f.score
FROM room_feature f JOIN (SELECT * FROM room WHERE crawl_id = $crawl) r USING (room_id)
WHERE f.crawl_id = $crawl ORDER BY f.room_id
"""

_TEXT = ("verify_keys", "spec_versions", "unstable_features")
"""JSON columns, which become frames as text."""

_HOLDS = "{0}.series_id = c.series_id AND {0}.valid_from <= $crawl AND coalesce({0}.valid_to, 2147483647) > $crawl"

_OF = {"crawl_id": "c", "server_name": "n", "address": "v", "port": "v", "tls_issuer": "k"} | {
    name: "a" if name in ("spec_versions", "unstable_features") else "d"
    for name in OBSERVATION_COLUMNS
    if name.startswith(("directory", "spec", "unstable"))
}
"""In which of the tables below a column is, if not in server_state."""

_OBSERVATIONS = f"""
SELECT {
    ", ".join(
        f"{_OF.get(name, 's')}.{name}{'::VARCHAR' if name in _TEXT else ''} AS {name}" for name in OBSERVATION_COLUMNS
    )
}
FROM (SELECT * FROM crawl WHERE crawl_id = $crawl AND state = 'completed') c
JOIN server_state s ON {_HOLDS.format("s")}
JOIN directory_state d ON d.server_id = s.server_id AND {_HOLDS.format("d")}
JOIN client_api a ON a.client_api_id = s.client_api_id
JOIN server n ON n.server_id = s.server_id
LEFT JOIN (
    SELECT server_id, tls_issuer FROM server_certificate k JOIN crawl c ON c.crawl_id = $crawl AND {_HOLDS.format("k")}
) k ON k.server_id = s.server_id
LEFT JOIN (SELECT server_id, crawl_id AS visited, address, port FROM visit WHERE crawl_id = $crawl) v
    ON v.server_id = s.server_id
WHERE v.visited IS NOT NULL
    OR (c.scope = 'full' AND c.servers > 0 AND NOT EXISTS (FROM visit WHERE crawl_id = $crawl))
"""  # noqa: S608 - our own names
"""The view server_observation for one crawl. Asked for one, the view joins every certificate with every server."""

_ROOMS = "SELECT r.*, k.first_crawl_id FROM room r JOIN known_room k USING (room_id) WHERE r.crawl_id = $crawl"

_ONLINE = "SELECT online FROM server_observation WHERE crawl_id = $crawl"

_LEADS = "SELECT DISTINCT crawl_id, server_id, source, named_by FROM lead WHERE crawl_id = $crawl"

_LISTINGS = "SELECT crawl_id, room_id, server_id FROM listing WHERE crawl_id = $crawl"

_PARTICIPATIONS = "SELECT DISTINCT crawl_id, room_id, server_id FROM participation WHERE crawl_id = $crawl"


def _crawls(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    frame = pl.DataFrame(connection.sql("SELECT * FROM crawl ORDER BY crawl_id"))
    return checked(frame, CRAWL_COLUMNS, "crawl")
