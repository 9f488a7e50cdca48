"""What the servers run: implementations, their lineages, their versions (mission metric 5).

Names are what `/_matrix/federation/v1/version` says, normalised; nothing verifies them, and a server may say anything.
A lineage is a family of forks with one origin (`data/reference/software.csv`); a name that the table does not have is
its own lineage. Nothing is dropped: what is not said is a row of its own, and rare names are kept.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from analytics.bootstrap import Statistic, bootstrap_counts
from analytics.concentration import hill_number
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

NOT_SAID = "not said"
"""The dimension of servers that give no name or no version."""

BY_SOFTWARE = "servers_by_software"
BY_LINEAGE = "servers_by_lineage"
BY_VERSION = "servers_by_version"
IMPLEMENTATIONS = "implementations"
LINEAGES = "lineages"
DIVERSITY = "lineage_diversity"

BOOTSTRAP_SEED = 20141201
"""The same census, the same interval."""

_SAYS = "as /_matrix/federation/v1/version of each says, normalised and not verified"


def software(snapshot: Snapshot, reference: pl.DataFrame) -> Iterator[MetricRow]:
    """Online servers by implementation, lineage and version, how many different ones there are, and how evenly used.

    Range 0 to the number of online servers; the rows of one metric sum to it. Rows are in descending order of servers,
    then by name. No online server: no rows but the two counts, which are zero.
    """
    online = described(snapshot.observations.filter(pl.col("online")), reference)
    says_name = share(int(online["software"].is_not_null().sum()), online.height)
    says_version = share(int(online["version"].is_not_null().sum()), online.height)
    yield from _counts(
        snapshot, online, BY_SOFTWARE, "software", says_name, f"Online servers by implementation, {_SAYS}."
    )
    yield from _counts(
        snapshot,
        online,
        BY_LINEAGE,
        "lineage",
        says_name,
        f"Online servers by family of forks, {_SAYS}; families by the reference table of implementations.",
    )
    yield from _counts(
        snapshot, online, BY_VERSION, "release", says_version, f"Online servers by implementation and version, {_SAYS}."
    )
    named = online.filter(pl.col("software").is_not_null() & (pl.col("kind") != "crawler"))
    for metric, column, what in (
        (IMPLEMENTATIONS, "software", "implementation names"),
        (LINEAGES, "lineage", "families of forks"),
    ):
        yield snapshot.row(
            metric,
            "all",
            named[column].n_unique(),
            n=online.height,
            coverage=says_name,
            unit=what,
            denominator="online servers",
            method=f"Count of different {what} among online servers, {_SAYS}; crawlers left out.",
        )
    used = named.group_by("lineage").len().sort("lineage")["len"]
    for order in (0, 1, 2):
        yield snapshot.estimated(
            DIVERSITY,
            f"effective number, order {order}",
            bootstrap_counts(used, _hill_of(order), rng=np.random.default_rng(BOOTSTRAP_SEED)),
            coverage=says_name,
            unit="equal lineages",
            denominator="online servers that name their software",
            method=f"Hill number of order {order} over lineages, {_SAYS}; the interval draws servers again "
            "and cannot see lineages that no server seen runs.",
            grade=Grade.MEASURED,
        )


def _hill_of(order: int) -> Statistic:
    return lambda counts: hill_number(counts, order).value


def described(observations: pl.DataFrame, reference: pl.DataFrame) -> pl.DataFrame:
    """`observations` with what the reference table knows of each software: `display_name`, `lineage`, `kind`, and
    `release`, the software with its version in one text."""
    version = pl.col("version").fill_null(f"({NOT_SAID})")
    return observations.join(reference, on="software", how="left", maintain_order="left").with_columns(
        display_name=pl.coalesce("display_name", "software"),
        lineage=pl.coalesce("lineage", "software"),
        kind=pl.col("kind").fill_null("unlisted"),
        release=pl.when(pl.col("software").is_not_null()).then(pl.concat_str("software", version, separator=" ")),
    )


def _counts(
    snapshot: Snapshot, online: pl.DataFrame, metric: str, column: str, coverage: float | None, method: str
) -> Iterator[MetricRow]:
    counted = (
        online.group_by(pl.col(column).fill_null(NOT_SAID).alias("dimension"))
        .len("servers")
        .sort(["servers", "dimension"], descending=[True, False])
    )
    for dimension, servers in counted.iter_rows():
        yield snapshot.row(
            metric,
            dimension,
            servers,
            n=online.height,
            coverage=coverage,
            unit="servers",
            denominator="online servers",
            method=method,
        )
