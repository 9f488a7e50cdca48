"""Serving file -> polars frames. The only module of analytics that knows DuckDB.

Frames are fetched as `pl.DataFrame(con.sql(...))`, which both DuckDB 1.5 and 2.0 offer; frames of Python are never
scanned by name. By default only a census, a crawl that is completed and full, becomes numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from analytics.estimate import IntervalKind
from analytics.schemas import (
    CRAWL_COLUMNS,
    KNOWN_COLUMNS,
    METRIC_COLUMNS,
    OBSERVATION_COLUMNS,
    ROOM_COLUMNS,
    SOFTWARE_COLUMNS,
    Grade,
    MetricRow,
    checked,
)
from analytics.snapshot import Frames, Snapshot
from crawler.errors import StoreError
from crawler.resources import shipped

METRIC_TABLE = "metric"
"""The table of a serving file that `steps.store_metric_rows` writes."""


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


def load_frames(serving: Path, crawl_ids: Sequence[int] | None = None) -> Frames:
    """Read the censuses of a serving file, or exactly the crawls asked for (of any state, if they were sealed).

    Raises:
        StoreError: the file cannot be opened.
    """
    with open_serving(serving) as connection:
        return frames_of(connection, crawl_ids)


def frames_of(connection: duckdb.DuckDBPyConnection, crawl_ids: Sequence[int] | None = None) -> Frames:
    """`load_frames` on a connection that is open already."""
    crawls = _crawls(connection)
    if crawl_ids is None:
        wanted = crawls.filter(IS_CENSUS)
    else:
        wanted = crawls.filter(pl.col("crawl_id").is_in(list(crawl_ids)) & pl.col("finished_at").is_not_null())
    ids = wanted["crawl_id"].to_list()
    known = dict(_select(connection, _KNOWN, ids, KNOWN_COLUMNS, "known").iter_rows())
    observations = _by_crawl(_select(connection, _OBSERVATIONS, ids, OBSERVATION_COLUMNS, "server_observation"))
    rooms = _by_crawl(_select(connection, _ROOMS, ids, ROOM_COLUMNS, "room"))
    snapshots = tuple(
        Snapshot(
            crawl_id=crawl["crawl_id"],
            at=crawl["finished_at"],
            is_census=crawl["state"] == "completed" and crawl["scope"] == "full",
            synthetic=crawl["synthetic"],
            signed=crawl["identity"] is not None,
            crawler_version=crawl["crawler_version"],
            known=known.get(crawl["crawl_id"], 0),
            observations=observations.get(crawl["crawl_id"], pl.DataFrame(schema=OBSERVATION_COLUMNS)),
            rooms=rooms.get(crawl["crawl_id"], pl.DataFrame(schema=ROOM_COLUMNS)),
        )
        for crawl in wanted.sort("crawl_id").iter_rows(named=True)
    )
    return Frames(snapshots, load_software())


def newest_census(serving: Path) -> int | None:
    """The number of the newest census in a serving file; None when it holds none."""
    with open_serving(serving) as connection:
        ids = _crawls(connection).filter(IS_CENSUS)["crawl_id"]
    return None if ids.is_empty() else int(ids.to_list()[-1])


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
    return tuple(
        MetricRow(**row | {"interval_kind": IntervalKind(row["interval_kind"]), "grade": Grade(row["grade"])})
        for row in frame.select(list(METRIC_COLUMNS)).iter_rows(named=True)
    )


def load_software() -> pl.DataFrame:
    """The reference table of implementations that ships with the program."""
    frame = pl.read_csv(shipped("reference", "software.csv"), schema_overrides=dict(SOFTWARE_COLUMNS))
    return checked(frame, SOFTWARE_COLUMNS, "software.csv")


IS_CENSUS = (pl.col("state") == "completed") & (pl.col("scope") == "full")

_KNOWN = (
    "SELECT crawl_id, known::BIGINT AS known FROM crawl WHERE list_contains($crawls, crawl_id) AND known IS NOT NULL"
)

_OBSERVATIONS = f"""
SELECT {", ".join(OBSERVATION_COLUMNS)}
FROM server_observation JOIN server USING (server_id)
WHERE list_contains($crawls, crawl_id)
"""  # noqa: S608 - our own names

_ROOMS = "SELECT * FROM room WHERE list_contains($crawls, crawl_id)"


def _crawls(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    frame = pl.DataFrame(connection.sql("SELECT * FROM crawl ORDER BY crawl_id"))
    return checked(frame, CRAWL_COLUMNS, "crawl")


def _select(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    crawl_ids: list[int],
    columns: Mapping[str, pl.DataType | type[pl.DataType]],
    what: str,
) -> pl.DataFrame:
    return checked(pl.DataFrame(connection.sql(query, params={"crawls": crawl_ids})), columns, what)


def _by_crawl(frame: pl.DataFrame) -> dict[int, pl.DataFrame]:
    return {int(key[0]): part for key, part in frame.partition_by("crawl_id", as_dict=True).items()}
