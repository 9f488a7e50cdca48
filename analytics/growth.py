"""Growth and churn: what came, went and came back since 7, 30 and 90 days before a census, and how long servers last.

Everything comes from intervals: a stretch in which a server was online, a room listed. A change is read against the
last census at least so many days old; without one it is not known, and nothing is scaled to another length. A server
has *died* when a census no longer finds it online and none since has; when it comes back it has *returned*. Retained
servers and rooms are proxies for the mission's retained users, and no R30.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from analytics.proportions import wilson
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Lives, Snapshot
from analytics.survival import kaplan_meier

CHANGE = "change"
CHURN = "server_churn"
RETAINED = "retained"
SURVIVAL = "server_survival"

WINDOWS_D = (7, 30, 90)
RETAINED_D = 30
AGES_D = (30, 90, 365)
DAY_S = 86_400
LINEAGE_MIN = 20
"""Servers of a lineage below which its curve would be of single servers."""


def growth(snapshot: Snapshot, lives: Lives) -> Iterator[MetricRow]:
    """Differences, churn and retention. Differences are signed; a share of retained ones lies between 0 and 1."""
    for days in WINDOWS_D:
        before = census_before(lives, snapshot.at, days)
        yield from _change(snapshot, lives, before, days)
        yield from _churn(snapshot, lives, before, days)
    yield from _retained(snapshot, lives)


def census_before(lives: Lives, at: datetime, days: int) -> int | None:
    """The last census that was sealed at least so many days before a moment; None when there is none."""
    old = lives.censuses.filter(pl.col("at") <= at - timedelta(days=days))["crawl_id"]
    return None if old.is_empty() else int(old.to_list()[-1])


def _change(snapshot: Snapshot, lives: Lives, before: int | None, days: int) -> Iterator[MetricRow]:
    window = f"{days} d"
    units = {"online servers": "servers", "listed rooms": "rooms", "memberships": "memberships"}
    if before is None:
        for what, unit in units.items():
            yield snapshot.not_known(
                CHANGE, f"{what} in {days} d", unit=unit, denominator="censuses of the series", window=window,
                why=f"no census is {days} d older.", grade=Grade.MEASURED,
            )  # fmt: skip
        return
    now, then = lives.rooms_in(snapshot.crawl_id), lives.rooms_in(before)
    online, were = lives.online_in(snapshot.crawl_id).height, lives.online_in(before).height
    listed = _answered(snapshot) and then.rooms > 0
    for what, value, n, denominator in (
        ("online servers", online - were, were, "online servers then"),
        ("listed rooms", now.rooms - then.rooms, then.rooms, "listed rooms then"),
        ("memberships", now.memberships - then.memberships, then.rooms, "listed rooms then"),
    ):
        if what != "online servers" and not listed:
            yield snapshot.not_known(
                CHANGE, f"{what} in {days} d", unit=units[what], denominator=denominator, window=window,
                why=f"no directory answered in this census, or none in census {before}.", grade=Grade.MEASURED,
            )  # fmt: skip
            continue
        yield snapshot.row(
            CHANGE, f"{what} in {days} d", float(value), n=n, coverage=None, unit=units[what], window=window,
            denominator=denominator,
            method=f"This census minus census {before}, the last that is at least {days} d older.",
        )  # fmt: skip


def _answered(snapshot: Snapshot) -> bool:
    """Whether any directory was read: where none was, rooms are not gone."""
    return bool(snapshot.observations["listing"].any())


def _churn(snapshot: Snapshot, lives: Lives, before: int | None, days: int) -> Iterator[MetricRow]:
    window = f"{days} d"
    names = ("births", "returns", "deaths", "net")
    if before is None:
        for name in names:
            yield snapshot.not_known(
                CHURN, f"{name} in {days} d", unit="servers", denominator="servers ever online", window=window,
                why=f"no census is {days} d older.", grade=Grade.MEASURED,
            )  # fmt: skip
        return
    then = set(lives.online_in(before)["server_id"])
    now = set(lives.online_in(snapshot.crawl_id)["server_id"])
    earlier = set(lives.servers.filter(pl.col("valid_from") <= before)["server_id"])
    births, returns, deaths = now - earlier, (now & earlier) - then, then - now
    meanings = {
        "births": (len(births), "online now, and in no census until then"),
        "returns": (len(returns), "online now, not then, and online in a census before that"),
        "deaths": (len(deaths), "online then and not now"),
        "net": (len(births) + len(returns) - len(deaths), "births and returns minus deaths"),
    }
    for name in names:
        value, meaning = meanings[name]
        yield snapshot.row(
            CHURN, f"{name} in {days} d", value, n=len(earlier | now), coverage=None, unit="servers", window=window,
            denominator="servers ever online", method=f"Servers {meaning}; then is census {before}.",
        )  # fmt: skip


def _retained(snapshot: Snapshot, lives: Lives) -> Iterator[MetricRow]:
    before = census_before(lives, snapshot.at, RETAINED_D)
    window = f"{RETAINED_D} d"
    if before is None:
        for what in ("servers", "rooms"):
            yield snapshot.not_known(
                RETAINED, f"{what}, {RETAINED_D} d", unit=f"share of {what}", denominator=f"{what} then", window=window,
                why=f"no census is {RETAINED_D} d older.", grade=Grade.MEASURED,
            )  # fmt: skip
        return
    now, then = (set(lives.online_in(crawl_id)["server_id"]) for crawl_id in (snapshot.crawl_id, before))
    rooms = lives.rooms_in(before)
    for what, kept, whole in (("servers", len(now & then), len(then)), ("rooms", rooms.still_listed, rooms.rooms)):
        if what == "rooms" and not _answered(snapshot):
            yield snapshot.not_known(
                RETAINED, f"rooms, {RETAINED_D} d", unit="share of rooms", denominator="rooms then", window=window,
                why="no directory answered.", grade=Grade.MEASURED,
            )  # fmt: skip
            continue
        yield snapshot.estimated(
            RETAINED, f"{what}, {RETAINED_D} d", wilson(kept, whole), coverage=None, unit=f"share of {what}",
            denominator=f"{what} then", window=window, grade=Grade.MEASURED,
            method=f"The {what} of census {before} that are there in this one. A proxy: it says nothing of users.",
        )  # fmt: skip


def survival(snapshot: Snapshot, lives: Lives, software: pl.DataFrame) -> Iterator[MetricRow]:
    """The share of servers still online 30, 90 and 365 days after they were first seen, in all and by lineage.

    Only servers whose birth was seen: those of the first census are older by an unknown time. Death is dated by the
    first census that did not find the server online for good, which is late by up to the time between two censuses.
    """
    parts = born(snapshot, lives, software)
    for name, part in parts:
        if part.is_empty():
            yield snapshot.not_known(
                SURVIVAL, f"{name}, median", unit="days", denominator="servers seen to come", window="since first seen",
                why="no server was seen to come.", grade=Grade.ESTIMATED,
            )  # fmt: skip
            continue
        ages = part["age_d"].to_numpy().astype(np.float64)
        curve = kaplan_meier(ages, part["died"].to_numpy())
        method = "Servers whose first census was not the series' first; those still online are censored."
        yield snapshot.estimated(
            SURVIVAL, f"{name}, median", curve.median(), coverage=None, unit="days",
            denominator="servers seen to come", window="since first seen", method=method,
        )  # fmt: skip
        for age in AGES_D:
            yield snapshot.estimated(
                SURVIVAL, f"{name}, alive after {age} d", curve.at(age), coverage=None, unit="share of servers",
                denominator="servers seen to come", window="since first seen", method=method,
            )  # fmt: skip


def born(snapshot: Snapshot, lives: Lives, software: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Servers seen to come (`server_id`, `age_d`, `died`): all, then those of each lineage that has enough of them."""
    described = (
        _born(snapshot, lives)
        .join(software.select("software", "lineage"), on="software", how="left", maintain_order="left")
        .with_columns(pl.coalesce("lineage", "software").alias("lineage"))
    )
    of_lineage = described.filter(pl.col("lineage").is_not_null()).group_by("lineage", maintain_order=True)
    large = [(str(lineage), part) for (lineage,), part in of_lineage if part.height >= LINEAGE_MIN]
    return [("all", described), *sorted(large, key=lambda pair: pair[0])]


def _born(snapshot: Snapshot, lives: Lives) -> pl.DataFrame:
    """One row for each server seen to come: its age at death or now, in days, and whether it died."""
    first = lives.censuses["crawl_id"].min()
    whole = lives.servers.group_by("server_id", maintain_order=True).agg(
        pl.col("seen_from").min(),
        pl.col("valid_from").min(),
        pl.col("seen_to").last(),
        pl.col("software").last(),
    )
    seen = whole.filter(pl.col("valid_from") > (0 if first is None else first))
    end = pl.col("seen_to").fill_null(pl.lit(snapshot.at, dtype=pl.Datetime("us", "UTC")))
    return seen.with_columns(
        ((end - pl.col("seen_from")).dt.total_seconds() / DAY_S).alias("age_d"),
        pl.col("seen_to").is_not_null().alias("died"),
    )
