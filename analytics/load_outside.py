"""Serving file -> what no crawl saw (`outside`), on a connection that `load` has opened.

Serving files of an older schema have none of these tables: then nothing is known of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from analytics.load import Connection, ask, has_table
from analytics.outside import (
    DEVELOPER_COUNT_COLUMNS,
    DEVELOPER_MONTH_COLUMNS,
    DEVELOPER_OVERLAP_COLUMNS,
    REPOSITORY_COLUMNS,
    SOURCE_COLUMNS,
    USAGE_REPORTING_COLUMNS,
    USAGE_SUM_COLUMNS,
    Columns,
    Outside,
    Source,
)
from analytics.reference import Reference
from analytics.schemas import checked


@dataclass(frozen=True, slots=True)
class OutsideSaid:
    """The usage rows of each census, and the lists of developers that count."""

    of_census: Mapping[int, tuple[tuple[object, ...], ...]]
    lists: tuple[tuple[object, ...], ...]

    def differs(self, other: "OutsideSaid", crawl_id: int) -> bool:
        """Whether the other would make other rows of a census."""
        return self.lists != other.lists or self.of_census.get(crawl_id) != other.of_census.get(crawl_id)


def load_outside(connection: Connection, crawl_id: int, at: datetime) -> Outside:
    """What is known as of a census that was sealed at a time."""
    if not has_table(connection, _TABLE):
        return Outside()

    def of(query: str, columns: Columns, what: str, **values: int | str) -> pl.DataFrame:
        return checked(ask(connection, query, **values), columns, what)

    day = at.date().isoformat()
    sources = of(_SOURCES, SOURCE_COLUMNS, "outside_source")
    return Outside(
        usage=of(_USAGE_SUM, USAGE_SUM_COLUMNS, "usage_sum", crawl=crawl_id),
        reporting=of(_USAGE_REPORTING, USAGE_REPORTING_COLUMNS, "usage_reporting", crawl=crawl_id),
        developers=of(_DEVELOPERS, DEVELOPER_COUNT_COLUMNS, "developer_count", day=day),
        months=of(_MONTHS, DEVELOPER_MONTH_COLUMNS, "developer_month"),
        overlaps=of(_OVERLAPS, DEVELOPER_OVERLAP_COLUMNS, "developer_overlap", day=day),
        repositories=_repositories(connection, day),
        sources=tuple(Source(**row) for row in sources.iter_rows(named=True)),
    )


def _repositories(connection: Connection, day: str) -> pl.DataFrame:
    """Files of an older program have no such table."""
    if not has_table(connection, "repository_activity"):
        return Outside().repositories
    return checked(ask(connection, _REPOSITORIES, day=day), REPOSITORY_COLUMNS, "repository_activity")


def with_imported_spec(connection: Connection, shipped: Reference) -> Reference:
    """The reference tables, those of the specification as they were imported last, if they were."""
    if not has_table(connection, _TABLE):
        return shipped
    sources = ask(connection, f"{_SOURCES} DESC").filter(pl.col("kind") == "spec")
    if sources.is_empty():
        return shipped
    source = Source(**sources.select(list(SOURCE_COLUMNS)).row(0, named=True))
    return shipped.with_spec(
        releases=ask(connection, _RELEASES, source=source.source_id),
        mscs=ask(connection, _PROPOSALS, source=source.source_id),
        source=str(source),
    )


def outside_said(connection: Connection) -> OutsideSaid:
    """What tells whether the rows of a census that rest on this would be others now."""
    if not has_table(connection, _TABLE):
        return OutsideSaid({}, ())
    of_census: dict[int, list[tuple[object, ...]]] = {}
    for table in ("usage_sum", "usage_reporting"):
        for crawl_id, *said in connection.execute(f"FROM {table} ORDER BY ALL").fetchall():
            of_census.setdefault(crawl_id, []).append((table, *said))
    lists = connection.execute(_LISTS).fetchall()
    return OutsideSaid({crawl_id: tuple(said) for crawl_id, said in of_census.items()}, tuple(lists))


_TABLE = "outside_source"


_SOURCES = """
SELECT source_id, kind, name, version, as_of, listed, taken FROM outside_source
WHERE replaced_at IS NULL ORDER BY source_id
"""

_LISTS = """
SELECT name, version, as_of, imported_at FROM outside_source
WHERE kind = 'developers' AND replaced_at IS NULL ORDER BY ALL
"""

_USAGE_SUM = "SELECT field, servers, total FROM usage_sum WHERE crawl_id = $crawl ORDER BY field"

_USAGE_REPORTING = "SELECT proof, online, servers FROM usage_reporting WHERE crawl_id = $crawl ORDER BY ALL"

_DEVELOPERS = """
SELECT DISTINCT ON (source_id, window_d) source_id, window_d, authors, fewest, most, new_authors
FROM developer_count WHERE day <= $day::DATE ORDER BY source_id, window_d, day DESC
"""

_MONTHS = "SELECT source_id, month, authors, new_authors, commits FROM developer_month ORDER BY source_id, month"

_OVERLAPS = """
SELECT DISTINCT ON (source_id, other_id) source_id, other_id, authors
FROM developer_overlap WHERE day <= $day::DATE ORDER BY source_id, other_id, day DESC
"""

_REPOSITORIES = """
SELECT source_id, repository, coalesce(bool_or(
    active_from <= least($day::DATE, as_of) AND active_until > least($day::DATE, as_of)
), false) AS is_active
FROM repository_activity JOIN outside_source USING (source_id)
WHERE replaced_at IS NULL GROUP BY source_id, repository ORDER BY source_id, repository
"""

_RELEASES = """
SELECT version, released_on AS release_date FROM spec_release WHERE source_id = $source ORDER BY released_on, version
"""

_PROPOSALS = """
SELECT msc::BIGINT AS msc, slug, accepted_on AS merged_date, first_release AS first_spec_release,
    first_released_on AS first_spec_release_date
FROM spec_proposal WHERE source_id = $source ORDER BY msc
"""
