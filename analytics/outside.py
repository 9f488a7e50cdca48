"""What a snapshot knows that no crawl saw: usage reports, developers, and where each is from.

Apart from `snapshot`, since all of it may be absent: then every frame is empty, and rows say that it is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

Columns = Mapping[str, pl.DataType | type[pl.DataType]]

USAGE_SUM_COLUMNS: Columns = {"field": pl.String, "servers": pl.Int32, "total": pl.Int64}
USAGE_REPORTING_COLUMNS: Columns = {"proof": pl.String, "online": pl.Boolean, "servers": pl.Int32}
SOURCE_COLUMNS: Columns = {
    "source_id": pl.Int32,
    "kind": pl.String,
    "name": pl.String,
    "version": pl.String,
    "as_of": pl.Date,
    "listed": pl.Int32,
    "taken": pl.Int32,
}
DEVELOPER_COUNT_COLUMNS: Columns = {
    "source_id": pl.Int32,
    "window_d": pl.Int32,
    "authors": pl.Int32,
    "fewest": pl.Int32,
    "most": pl.Int32,
    "new_authors": pl.Int32,
}
DEVELOPER_MONTH_COLUMNS: Columns = {
    "source_id": pl.Int32,
    "month": pl.Date,
    "authors": pl.Int32,
    "new_authors": pl.Int32,
    "commits": pl.Int32,
}
REPOSITORY_COLUMNS: Columns = {"source_id": pl.Int32, "repository": pl.String, "is_active": pl.Boolean}
DEVELOPER_OVERLAP_COLUMNS: Columns = {"source_id": pl.Int32, "other_id": pl.Int32, "authors": pl.Int32}


def _empty(columns: Columns) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(columns))


@dataclass(frozen=True, slots=True)
class Source:
    """One import, as `outside_source` has it."""

    source_id: int
    kind: str
    name: str
    version: str
    as_of: date
    listed: int
    taken: int

    def __str__(self) -> str:
        """How it is cited in a row's method."""
        return f"{self.name} {self.version[:12]}, as of {self.as_of:%d %b %Y}"


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """`usage` are the sums of verified reports near the census (`usage_sum`), `reporting` how many servers reported, by
    proof and by whether they were online. `developers` has for each import and window the counts as of the census,
    `months` those of every month, `overlaps` how many authors two imports share over 365 days, `repositories` which
    public ones were read and whether they were active on the day of the census, or on the last that the import knows
    of. `sources` are the imports that count."""

    usage: pl.DataFrame = field(default_factory=lambda: _empty(USAGE_SUM_COLUMNS))
    reporting: pl.DataFrame = field(default_factory=lambda: _empty(USAGE_REPORTING_COLUMNS))
    developers: pl.DataFrame = field(default_factory=lambda: _empty(DEVELOPER_COUNT_COLUMNS))
    months: pl.DataFrame = field(default_factory=lambda: _empty(DEVELOPER_MONTH_COLUMNS))
    overlaps: pl.DataFrame = field(default_factory=lambda: _empty(DEVELOPER_OVERLAP_COLUMNS))
    repositories: pl.DataFrame = field(default_factory=lambda: _empty(REPOSITORY_COLUMNS))
    sources: tuple[Source, ...] = ()

    def of_kind(self, kind: str) -> tuple[Source, ...]:
        """The imports of a kind, oldest first."""
        return tuple(source for source in self.sources if source.kind == kind)
