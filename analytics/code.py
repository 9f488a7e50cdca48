"""Implementations as code (mission metric 5): lineages with a public repository that people work on.

Apart from `analytics.software`, which counts what servers run: a lineage can be developed and hardly used, or widely
used and left. Which repository is whose says the reference table (`data/reference/software.csv`); whether a person
committed to it within 90 days is known of the repositories that were read with a list of developers
(`import developers`), and of no others. So without an import the number is not known, and never zero.
"""

from collections.abc import Iterator

import polars as pl

from analytics.estimate import IntervalKind
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

WITH_CODE = "lineages_with_code"

ACTIVE = "active in 90 d"
"""The dimension of its only row."""

_WINDOW, _UNIT, _DENOMINATOR = "90 d", "lineages", "lineages of which a repository was read"


def code(snapshot: Snapshot, software_table: pl.DataFrame) -> Iterator[MetricRow]:
    """How many lineages of the reference table have a public repository that is active.

    Range 0 to the lineages of which any repository was read, `n`; `coverage` is their share of all lineages with a
    known repository. No repository of any lineage was read: no value.
    """
    known = software_table.filter(pl.col("repository").is_not_null()).select(
        "lineage",
        pl.col("repository").str.to_lowercase().str.strip_suffix("/").str.strip_suffix(".git"),
    )
    read = known.join(snapshot.outside.repositories, on="repository").group_by("lineage").agg(pl.col("is_active").any())
    if read.is_empty():
        yield snapshot.not_known(
            WITH_CODE, ACTIVE, unit=_UNIT, denominator=_DENOMINATOR, window=_WINDOW, grade=Grade.NOT_OBSERVABLE,
            why="no repository of an implementation was read, and no crawl sees code; see matrix-census import "
            "developers --help.",
        )  # fmt: skip
        return
    words = {
        is_active: ", ".join(sorted(read.filter(pl.col("is_active") == is_active)["lineage"])) or "none"
        for is_active in (True, False)
    }
    active = int(read["is_active"].sum())
    yield snapshot.row(
        WITH_CODE, ACTIVE, active, lo=active, n=read.height, coverage=share(read.height, known["lineage"].n_unique()),
        unit=_UNIT, window=_WINDOW, denominator=_DENOMINATOR, interval_kind=IntervalKind.BOUNDS,
        method="Families of forks with a public repository to which a person, no program, committed within the 90 days "
        "before the census, or before the last commit that was read if that is earlier; what the origin of a fork has "
        f"is not the fork's. A lower bound: only repositories of the reference table that were read count. Active: "
        f"{words[True]}. Not active: {words[False]}.",
    )  # fmt: skip
