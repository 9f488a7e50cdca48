"""The specification (mission metric 9): how often it is released, how long accepted proposals wait, who speaks it.

Cadence and lags come from checkouts of the specification and its proposals (`import spec`), else from the tables that
ship (`data/reference/spec_releases.csv`, `accepted_mscs.csv`), as of the day of the census; adoption from what online
servers advertise at `/_matrix/client/versions`. A proposal's text is merged when it is accepted, so the lag runs from
acceptance to release; how long it was in the making is not in these tables. Neither cadence nor merge rate is quality.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.proportions import wilson
from analytics.reference import Reference
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share
from analytics.survival import kaplan_meier

RELEASES = "spec_releases"
LAG = "spec_lag"
ACCEPTED = "spec_accepted"
VERSIONS = "servers_by_spec_version"
FEATURES = "servers_by_unstable_feature"

YEAR_D = 365
QUARTERS = 8
WITH_WAITING = "median, those that wait included"
"""The dimension of the lag that leaves nobody out."""

FEATURES_SHOWN = 40
"""A server may advertise anything; what most advertise is shown."""


def spec(snapshot: Snapshot, reference: Reference) -> Iterator[MetricRow]:
    """Releases in the last year, quartiles of the lag, proposals accepted by quarter, and what servers advertise."""
    day = snapshot.at.date()
    yield from _releases(snapshot, reference.releases, day, reference.spec_source)
    yield from _lag(snapshot, reference.mscs, day, reference.spec_source)
    yield from _waits(snapshot, reference.releases, reference.mscs, day, reference.spec_source)
    yield from _accepted(snapshot, reference.mscs, day, reference.spec_source)
    yield from _advertised(snapshot)


def _releases(snapshot: Snapshot, releases: pl.DataFrame, day: date, source: str) -> Iterator[MetricRow]:
    past = releases.filter(pl.col("release_date") <= day)
    recent = past.filter(pl.col("release_date") > day - timedelta(days=YEAR_D))
    yield snapshot.row(
        RELEASES, f"in {YEAR_D} d", recent.height, n=past.height, coverage=None, unit="releases",
        denominator="releases so far", method=f"Releases of the specification dated in the {YEAR_D} d before the "
        f"census; from {source}.",
    )  # fmt: skip
    gaps = past["release_date"].diff().dt.total_days().drop_nulls()
    if gaps.len():
        yield snapshot.row(
            RELEASES, "median days between", float(np.median(gaps.to_numpy())), n=gaps.len(), coverage=None,
            unit="days", denominator="pairs of releases in a row",
            method=f"Median of the days from one release to the next, over all releases so far; from {source}.",
        )  # fmt: skip


def _lag(snapshot: Snapshot, mscs: pl.DataFrame, day: date, source: str) -> Iterator[MetricRow]:
    dated = mscs.filter(pl.col("merged_date").is_not_null() & pl.col("first_spec_release_date").is_not_null())
    days = dated.filter(pl.col("first_spec_release_date") <= day).select(
        (pl.col("first_spec_release_date") - pl.col("merged_date")).dt.total_days().alias("lag")
    )["lag"]
    days = days.filter(days >= 0)
    if days.is_empty():
        yield snapshot.not_known(
            LAG, "median", unit="days", denominator="proposals released", why="no dates.", grade=Grade.MEASURED
        )
        return
    for dimension, level in (("first quartile", 0.25), ("median", 0.5), ("third quartile", 0.75)):
        yield snapshot.row(
            LAG, dimension, float(np.quantile(days.to_numpy(), level, method="weibull")), n=days.len(),
            coverage=share(days.len(), mscs.filter(pl.col("merged_date") <= day).height), unit="days",
            denominator="accepted proposals that stand in a release",
            method="Days from the merge of a proposal's text (its acceptance) to the first release that it stands in; "
            "accepted ones that wait are left out, which makes this too short. Quartiles as Weibull's, (n+1)p. From "
            f"{source}.",
        )  # fmt: skip


def _waits(
    snapshot: Snapshot, releases: pl.DataFrame, mscs: pl.DataFrame, day: date, source: str
) -> Iterator[MetricRow]:
    """The median wait with those that wait still. Of what was accepted before the first release in the table some went
    into documents that it does not have, and would seem to wait for ever."""
    dimension, denominator = WITH_WAITING, "proposals accepted since the first release"
    first = releases["release_date"].min()
    accepted = mscs.filter((pl.col("merged_date") >= pl.lit(first)) & (pl.col("merged_date") <= day))
    released = pl.col("first_spec_release_date") <= day
    waits = accepted.select(
        released.fill_null(value=False).alias("over"),
        (pl.when(released).then("first_spec_release_date").otherwise(pl.lit(day)) - pl.col("merged_date"))
        .dt.total_days()
        .alias("days"),
    ).filter(pl.col("days") >= 0)
    if waits.is_empty():
        yield snapshot.not_known(
            LAG, dimension, unit="days", denominator=denominator, why="no dates.", grade=Grade.ESTIMATED
        )
        return
    yield snapshot.estimated(
        LAG, dimension, kaplan_meier(waits["days"].cast(pl.Float64), waits["over"]).median(),
        coverage=share(waits.height, accepted.height), unit="days", denominator=denominator,
        method="Days from the merge of a proposal's text to its first release; those that no release has yet are "
        f"censored at the census, also those that none will ever have. From {source}.",
    )  # fmt: skip


def _accepted(snapshot: Snapshot, mscs: pl.DataFrame, day: date, source: str) -> Iterator[MetricRow]:
    merged = mscs.filter(pl.col("merged_date") <= day)
    quarters = Counter(at.year * 4 + (at.month - 1) // 3 for at in merged["merged_date"].to_list())
    for back in range(QUARTERS, 0, -1):
        number = day.year * 4 + (day.month - 1) // 3 - back
        yield snapshot.row(
            ACCEPTED, f"{number // 4}-Q{number % 4 + 1}", quarters[number], n=merged.height, coverage=None,
            unit="proposals", denominator="proposals accepted so far",
            method=f"Proposals whose text was merged in that whole quarter; from {source}.",
        )  # fmt: skip


def _advertised(snapshot: Snapshot) -> Iterator[MetricRow]:
    online = snapshot.observations.filter(pl.col("online"))
    said = online["spec_versions"].drop_nulls()
    versions = Counter(version for text in said for version in {str(each) for each in json.loads(text)})
    released = [version for version in _in_order(versions) if version.startswith("v")]
    yield from _shares(snapshot, VERSIONS, [(v, versions[v]) for v in released], said.len(), online.height)
    told = online["unstable_features"].drop_nulls()
    features = Counter(name for text in told for name, on in json.loads(text).items() if on is True)
    shown = sorted(features.items(), key=lambda pair: (-pair[1], pair[0]))[:FEATURES_SHOWN]
    yield from _shares(snapshot, FEATURES, shown, told.len(), online.height)


def _shares(
    snapshot: Snapshot, metric: str, counts: list[tuple[str, int]], said: int, online: int
) -> Iterator[MetricRow]:
    for dimension, count in counts:
        yield snapshot.estimated(
            metric, dimension[:100], wilson(count, said), coverage=share(said, online), unit="share of servers",
            denominator="online servers that answer /_matrix/client/versions",
            method="Share of the servers asked that advertise it, with a Wilson interval over those that answer.",
            grade=Grade.MEASURED,
        )  # fmt: skip


def _in_order(versions: Counter[str]) -> list[str]:
    """v1.10 after v1.9; what is no such version is left out."""

    def key(version: str) -> tuple[int, ...] | None:
        parts = version.removeprefix("v").split(".")
        return tuple(map(int, parts)) if all(part.isdecimal() and len(part) < 5 for part in parts) else None

    numbered = [(found, version) for version in versions if (found := key(version)) is not None]
    return [version for _, version in sorted(numbered)]
