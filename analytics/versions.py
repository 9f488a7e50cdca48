"""How fast new versions spread: adoption of each version over time, days from a release to its adoption, and the share
of servers below the last release that mended a vulnerability.

Versions are what servers say, parsed as numbers; what is no such number is left out and lowers the coverage. Release
dates come from a reference table (`data/reference/releases.csv`, a source in each row): software that is not in it has
adoption curves and no lag. A server adopts a release in the first census that finds it at that version or a later one;
who was there before the release and is not there yet is censored, so that slow servers count.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
import polars as pl

from analytics.proportions import wilson
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Lives, Snapshot, share
from analytics.survival import kaplan_meier

LAG = "version_lag"
BELOW = "servers_below_security_release"

DAY_S = 86_400
RELEASES_D = 365
"""Releases of so many days before the census are looked at."""

ADOPTED_D = (7, 30, 90)
OTHER = "other"
SHOWN = 15
"""Versions of one implementation with a curve of their own; the others together are one."""

SERVERS_MIN = 20
"""Servers that ever ran an implementation, below which a curve would be of single servers."""

VERSION_STAY_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "server_id": pl.Int32,
    "software": pl.String,
    "version": pl.String,
    "valid_from": pl.Int32,
    "valid_to": pl.Int32,
    "seen_from": pl.Datetime("us", "UTC"),
    "seen_to": pl.Datetime("us", "UTC"),
}
"""A stretch in which a server was online and said it runs a version: crawls and their seals; null: it still does."""

ADOPTION_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "at": "TIMESTAMPTZ NOT NULL",
    "software": "VARCHAR NOT NULL",
    "version": "VARCHAR NOT NULL",
    "servers": "INTEGER NOT NULL",
    "share": "DOUBLE NOT NULL",
    "lo": "DOUBLE NOT NULL",
    "hi": "DOUBLE NOT NULL",
}

ADOPTION_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: every one of the newest's series.",
    "at": "Its seal, UTC.",
    "software": f"Implementation, of those that {SERVERS_MIN} or more servers ever ran.",
    "version": f"Version said; the {SHOWN} that most servers ever ran at once, and other for the rest.",
    "servers": "Online servers that say it.",
    "share": "Their share of the implementation's online servers that say a version, 0 to 1.",
    "lo": "Lower end of Wilson's 95 % interval.",
    "hi": "Upper end.",
}

_NUMBER = re.compile(r"\Av?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?\Z", re.ASCII)


def version_key(version: str | None) -> tuple[int, int, int] | None:
    """A version as numbers that compare; None where it is no version of one to three numbers."""
    found = _NUMBER.match(version or "")
    return None if found is None else (int(found[1]), int(found[2] or 0), int(found[3] or 0))


def _ordinal(version: str | None) -> int | None:
    key = version_key(version)
    return None if key is None else (key[0] * 10_000 + key[1]) * 10_000 + key[2]


def adoption_rows(lives: Lives, stays: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """Rows of `ADOPTION_COLUMNS`, of every census; a version that nobody runs in a census has no row there."""
    said = stays.filter(pl.col("software").is_not_null() & pl.col("version").is_not_null())
    many = said.group_by("software").agg(pl.col("server_id").n_unique()).filter(pl.col("server_id") >= SERVERS_MIN)
    counted = _counts(lives, said.join(many.select("software"), on="software"))
    peaks = counted.group_by("software", "version").agg(pl.col("servers").max().alias("peak"))
    shown = (
        peaks.sort(["software", "peak", "version"], descending=[False, True, False])
        .group_by("software", maintain_order=True)
        .head(SHOWN)
        .select("software", "version", pl.lit(value=True).alias("shown"))
    )
    rows = (
        counted.join(shown, on=["software", "version"], how="left")
        .with_columns(pl.when("shown").then("version").otherwise(pl.lit(OTHER)).alias("version"))
        .group_by("crawl_id", "software", "version")
        .agg(pl.col("servers").sum())
        .filter(pl.col("servers") > 0)
        .with_columns(pl.col("servers").sum().over("crawl_id", "software").alias("whole"))
        .join(lives.censuses, on="crawl_id")
        .sort("software", "crawl_id", "version")
    )
    for crawl_id, at, software, version, servers, whole in rows.select(
        "crawl_id", "at", "software", "version", "servers", "whole"
    ).iter_rows():
        part = wilson(servers, whole)
        yield crawl_id, at, software, version, servers, part.value, part.lo, part.hi


def _counts(lives: Lives, said: pl.DataFrame) -> pl.DataFrame:
    """`software`, `version`, `crawl_id`, `servers` for each census: sums of what begins and ends."""
    begins = said.select("software", "version", pl.col("valid_from").alias("crawl_id"), pl.lit(1).alias("change"))
    ends = said.filter(pl.col("valid_to").is_not_null()).select(
        "software", "version", pl.col("valid_to").alias("crawl_id"), pl.lit(-1).alias("change")
    )
    looked = said.select("software", "version").unique().join(lives.censuses.select("crawl_id"), how="cross")
    steps = pl.concat([begins, ends, looked.with_columns(pl.lit(0).alias("change"))], how="diagonal")
    return (
        steps.group_by("software", "version", "crawl_id")
        .agg(pl.col("change").sum())
        .sort("software", "version", "crawl_id")
        .with_columns(pl.col("change").cum_sum().over("software", "version").alias("servers"))
        .join(lives.censuses.select("crawl_id"), on="crawl_id")
        .select("software", "version", "crawl_id", "servers")
    )


def versions(snapshot: Snapshot, lives: Lives, stays: pl.DataFrame, releases: pl.DataFrame) -> Iterator[MetricRow]:
    """Days from a release to its adoption (median, and shares after 7, 30 and 90 days), and servers below the last
    security release, for each implementation in the table of releases that any server runs."""
    for (software,), of_it in releases.sort("released_on").group_by("software", maintain_order=True):
        mine = stays.filter(pl.col("software") == software)
        if mine.is_empty():
            continue
        yield from _lag(snapshot, lives, mine, of_it, str(software))
        yield from _below(snapshot, of_it, str(software))


def _lag(
    snapshot: Snapshot, lives: Lives, stays: pl.DataFrame, releases: pl.DataFrame, software: str
) -> Iterator[MetricRow]:
    numbered = stays.with_columns(pl.col("version").map_elements(_ordinal, return_dtype=pl.Int64).alias("number"))
    coverage = share(int(numbered["number"].is_not_null().sum()), numbered.height)
    ages, adopted = _waits(snapshot, lives, numbered.filter(pl.col("number").is_not_null()), releases)
    denominator = "pairs of a server and a release that was newer than what it ran"
    method = (
        "Kaplan-Meier over pairs of a server, online at the census before the release with an older version, and a "
        f"release of the {RELEASES_D} d before this census that the series saw come out; adopted in the first census "
        "that finds that version or a later one; censored when the server goes, or waits still. Release days: "
        "data/reference/releases.csv."
    )
    if not ages:
        for dimension in ("median", *(f"adopted after {days} d" for days in ADOPTED_D)):
            yield snapshot.not_known(
                LAG, f"{software}, {dimension}", unit="days" if dimension == "median" else "share of pairs",
                denominator=denominator, window=f"{RELEASES_D} d", grade=Grade.ESTIMATED,
                why="no release in the table came out while the series looked on, or nobody was behind.",
            )  # fmt: skip
        return
    curve = kaplan_meier(np.array(ages), np.array(adopted))
    yield snapshot.estimated(
        LAG, f"{software}, median", curve.median(), coverage=coverage, unit="days", denominator=denominator,
        window=f"{RELEASES_D} d", method=method,
    )  # fmt: skip
    for days in ADOPTED_D:
        waiting = curve.at(days)
        yield snapshot.estimated(
            LAG, f"{software}, adopted after {days} d", waiting.complement(), coverage=coverage, unit="share of pairs",
            denominator=denominator, window=f"{RELEASES_D} d", method=method,
        )  # fmt: skip


def _waits(
    snapshot: Snapshot, lives: Lives, stays: pl.DataFrame, releases: pl.DataFrame
) -> tuple[list[float], list[bool]]:
    """Days from each release until each server that was behind adopted it, or until it was last seen without it."""
    ages: list[float] = []
    adopted: list[bool] = []
    began = lives.censuses["at"].min()
    for released_on, version in releases.select("released_on", "version").iter_rows():
        number = _ordinal(version)
        day = pl.Series([released_on]).cast(pl.Datetime("us", "UTC")).item()
        if number is None or began is None or not max(began, snapshot.at - timedelta(days=RELEASES_D)) <= day:
            continue
        if day > snapshot.at:
            continue
        behind = stays.filter(
            (pl.col("seen_from") <= day)
            & (pl.col("seen_to").is_null() | (pl.col("seen_to") > day))
            & (pl.col("number") < number)
        ).select("server_id")
        since = stays.join(behind.unique(), on="server_id").filter(
            pl.col("seen_to").is_null() | (pl.col("seen_to") > day)
        )
        waits = since.group_by("server_id").agg(
            pl.col("seen_from").filter(pl.col("number") >= number).min().alias("adopted_at"),
            pl.col("seen_to").fill_null(snapshot.at).max().alias("last_seen"),
        )
        for adopted_at, last_seen in waits.select("adopted_at", "last_seen").iter_rows():
            until = adopted_at if adopted_at is not None else last_seen
            ages.append((until - day).total_seconds() / DAY_S)
            adopted.append(adopted_at is not None)
    return ages, adopted


def _below(snapshot: Snapshot, releases: pl.DataFrame, software: str) -> Iterator[MetricRow]:
    past = releases.filter(pl.col("security") & (pl.col("released_on") <= snapshot.at.date()))
    if past.is_empty():
        yield snapshot.not_known(
            BELOW, f"{software}, below its last security release", unit="share of servers",
            denominator=f"online servers that say a version of {software}", grade=Grade.MEASURED,
            why="the table of releases (data/reference/releases.csv) does not say which release of it mended a "
            "vulnerability.",
        )  # fmt: skip
        return
    last = max(past["released_on"].to_list())
    mended = [
        key
        for version in past.filter(pl.col("released_on") == last)["version"]
        if (key := version_key(version)) is not None
    ]
    running = snapshot.observations.filter(pl.col("online") & (pl.col("software") == software))
    keys = [key for version in running["version"] if (key := version_key(version)) is not None]
    below = sum(not _mends(key, mended) for key in keys)
    named = ", ".join(".".join(map(str, key)) for key in sorted(mended))
    yield snapshot.estimated(
        BELOW, f"{software}, below {named} of {last:%Y-%m-%d}", wilson(below, len(keys)),
        coverage=share(len(keys), running.height), unit="share of servers",
        denominator=f"online servers that say a version of {software}", grade=Grade.MEASURED,
        method="Online servers that say a version older than the last release known here to mend a vulnerability "
        "(data/reference/releases.csv); a later patch of a branch that was mended counts as mended. Distributions "
        "backport fixes without a new number, which makes this too high; newer advisories than the table make it too "
        "low.",
    )  # fmt: skip


def _mends(key: tuple[int, int, int], mended: list[tuple[int, int, int]]) -> bool:
    return key >= max(mended) or any(key[:2] == each[:2] and key >= each for each in mended)
