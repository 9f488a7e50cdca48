"""What becomes of those that came together: cohorts of servers and rooms by month, and curves of survival by lineage.

Apart from `analytics.growth`, whose rows are of two censuses: these are tables over the whole history of a series. A
cohort is what was seen for the first time in one month; it is looked at again at the last census of every month since.
Present means online, or listed: who is away and returns is absent in between and present again. The cohort of the first
census is of unknown age: they were there before anybody looked. It is kept apart, and is in no survival curve.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from analytics.growth import LINEAGE_MIN, born
from analytics.proportions import wilson
from analytics.snapshot import Lives, Snapshot
from analytics.survival import kaplan_meier

COHORT_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "what": "VARCHAR NOT NULL",
    "cohort": "DATE NOT NULL",
    "from_first_census": "BOOLEAN NOT NULL",
    "size": "INTEGER NOT NULL",
    "month": "DATE NOT NULL",
    "observed_in": "INTEGER NOT NULL",
    "age_months": "INTEGER NOT NULL",
    "present": "INTEGER NOT NULL",
    "share": "DOUBLE NOT NULL",
    "lo": "DOUBLE NOT NULL",
    "hi": "DOUBLE NOT NULL",
}

COHORT_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census up to which history was looked at: the newest.",
    "what": "servers (online ones) or rooms (listed ones, spaces left out).",
    "cohort": "Month, by its first day, in which they were seen for the first time.",
    "from_first_census": "True for those of the series' first census, which are older by an unknown time.",
    "size": "How many there are in the cohort.",
    "month": "Month, by its first day, at whose last census they were looked at again.",
    "observed_in": "Number of that census.",
    "age_months": "Months from cohort to month.",
    "present": "How many of the cohort were online, or listed, then.",
    "share": "present / size, 0 to 1.",
    "lo": "Lower end of Wilson's 95 % interval.",
    "hi": "Upper end.",
}

SURVIVAL_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "lineage": "VARCHAR NOT NULL",
    "servers": "INTEGER NOT NULL",
    "age_d": "DOUBLE NOT NULL",
    "alive": "DOUBLE NOT NULL",
    "lo": "DOUBLE",
    "hi": "DOUBLE",
    "at_risk": "INTEGER NOT NULL",
    "died": "INTEGER NOT NULL",
}

SURVIVAL_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census up to which history was looked at: the newest.",
    "lineage": f"Lineage of software last said, if {LINEAGE_MIN} or more servers of it were seen to come; all for all.",
    "servers": "Servers seen to come, on which the curve rests.",
    "age_d": "Age in days since first seen, from which on `alive` holds; the curve begins with 1 at 0.",
    "alive": "Share still alive from that age on, Kaplan-Meier.",
    "lo": "Lower end of the 95 % log-log interval; NULL while nobody has died and when nobody is left.",
    "hi": "Upper end, likewise.",
    "at_risk": "Servers observed just before that age.",
    "died": "Servers that died at it.",
}

STEP_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "first_crawl": pl.Int32,
    "crawl_id": pl.Int32,
    "change": pl.Int64,
}
"""Of what first came in `first_crawl`, how many more (or fewer) are there from `crawl_id` on."""


def server_steps(lives: Lives) -> pl.DataFrame:
    """The steps (`STEP_COLUMNS`) of servers, from their stays online."""
    stays = lives.servers.with_columns(pl.col("valid_from").min().over("server_id").alias("first_crawl"))
    begins = stays.select("first_crawl", pl.col("valid_from").alias("crawl_id"), pl.lit(1, pl.Int64).alias("change"))
    ends = stays.filter(pl.col("valid_to").is_not_null()).select(
        "first_crawl", pl.col("valid_to").alias("crawl_id"), pl.lit(-1, pl.Int64).alias("change")
    )
    return pl.concat([begins, ends]).group_by("first_crawl", "crawl_id").agg(pl.col("change").sum())


def cohort_rows(snapshot: Snapshot, lives: Lives, what: str, steps: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """Rows of `COHORT_COLUMNS`, for each cohort from its own month on."""
    if steps.is_empty():
        return
    censuses = lives.censuses.with_columns(pl.col("at").dt.date().dt.truncate("1mo").alias("month"))
    looks = censuses.group_by("month").agg(pl.col("crawl_id").max().alias("observed_in")).sort("month")
    first = int(censuses["crawl_id"].to_list()[0])
    cohorts = (
        steps.join(censuses.select(pl.col("crawl_id").alias("first_crawl"), pl.col("month").alias("cohort")),
                   on="first_crawl")
        .with_columns((pl.col("first_crawl") == first).alias("old"))
    )  # fmt: skip
    # Everybody begins with a step of one, in their own first crawl: what a cohort gained there is its size.
    sizes = (
        cohorts.filter(pl.col("crawl_id") == pl.col("first_crawl"))
        .group_by("cohort", "old").agg(pl.col("change").sum().alias("size"))
    )  # fmt: skip
    present = (
        cohorts.join(looks, how="cross")
        .filter((pl.col("month") >= pl.col("cohort")) & (pl.col("crawl_id") <= pl.col("observed_in")))
        .group_by("cohort", "old", "month", "observed_in")
        .agg(pl.col("change").sum().alias("present"))
        .join(sizes, on=["cohort", "old"])
        .sort(["cohort", "old", "month"], descending=[False, True, False])
    )
    for row in present.iter_rows(named=True):
        share = wilson(row["present"], row["size"])
        cohort, month = row["cohort"], row["month"]
        age = (month.year - cohort.year) * 12 + month.month - cohort.month
        yield (
            snapshot.crawl_id, what, cohort.isoformat(), row["old"], row["size"], month.isoformat(),
            row["observed_in"], age, row["present"], share.value, share.lo, share.hi,
        )  # fmt: skip


def survival_rows(snapshot: Snapshot, lives: Lives, software: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """Rows of `SURVIVAL_COLUMNS`: every step of the curve of all servers seen to come, and of each larger lineage."""
    for lineage, part in born(snapshot, lives, software):
        curve = kaplan_meier(part["age_d"].to_numpy().astype(np.float64), part["died"].to_numpy())
        yield snapshot.crawl_id, lineage, curve.n, 0.0, 1.0, None, None, curve.n, 0
        for point in curve.points:
            if point.died or point is curve.points[-1]:
                yield (
                    snapshot.crawl_id, lineage, curve.n, point.age, point.survival, point.lo, point.hi,
                    point.at_risk, point.died,
                )  # fmt: skip
