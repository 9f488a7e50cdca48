"""What servers report of their own users (mission metrics 1, 2 and 6): sums, and how much of the federation they are.

Only a server can count its users, and only some tell. A sum over those that do is no estimate of the whole: servers
that report are not like servers that do not, so nothing is scaled up; the share of online servers that report stands
beside every sum. Reports whose sender was not verified are counted as servers and never summed.
"""

from collections.abc import Iterator

import polars as pl

from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

REPORTED_USERS = "reported_users"
REPORTING = "reporting_servers"
RETAINED_USERS = "retained_users"
REPORTED_BRIDGED = "reported_bridged_users"

BRIDGED = "bridged_users"
"""The sum of what is subtracted server by server, when reports are summed up (`usage_sum`): sums over different servers
have no difference. Censuses that were settled before there was such a sum have none."""

WINDOW = "last report of each server within 7 days of the census"
DENOMINATOR = "online servers that report their usage"

_USERS = (
    ("total_nonbridged_users", "not bridged"),
    ("total_users", "all"),
    ("monthly_active_users", "active in 30 days"),
    ("daily_active_users", "active in a day"),
)
_RETAINED = (
    ("r30v2_users_all", "R30v2"),
    ("r30v2_users_android", "R30v2, android"),
    ("r30v2_users_ios", "R30v2, ios"),
    ("r30v2_users_electron", "R30v2, electron"),
    ("r30v2_users_web", "R30v2, web"),
)
_PROOFS = {
    "address": "verified by address",
    "well_known": "verified by .well-known",
    "dns": "verified by DNS",
    "file": "imported, vouched for",
}
_UNVERIFIED = "none"


def usage(snapshot: Snapshot) -> Iterator[MetricRow]:
    """The rows; values are null where nobody said."""
    sums = {field: (int(total), int(servers)) for field, servers, total in snapshot.outside.usage.iter_rows()}
    yield from _sums(snapshot, sums, REPORTED_USERS, _USERS, "users")
    yield from _reporting(snapshot)
    if _RETAINED[0][0] in sums:
        yield from _sums(snapshot, sums, RETAINED_USERS, _RETAINED, "users")
    else:
        yield snapshot.not_known(
            RETAINED_USERS, "R30v2", unit="users", denominator=DENOMINATOR, window=WINDOW,
            why="only servers can count it, and none that this census saw online reported it.",
            grade=Grade.NOT_OBSERVABLE,
        )  # fmt: skip
    yield from _bridged(snapshot, sums)


def _sums(
    snapshot: Snapshot,
    sums: dict[str, tuple[int, int]],
    metric: str,
    fields: tuple[tuple[str, str], ...],
    unit: str,
) -> Iterator[MetricRow]:
    for field, dimension in fields:
        if field in sums:
            yield _sum(snapshot, metric, dimension, *sums[field], unit, f"Sum of {field}")
        elif field == fields[0][0]:
            yield _none(snapshot, metric, dimension, unit)


def _sum(
    snapshot: Snapshot,
    metric: str,
    dimension: str,
    total: int,
    servers: int,
    unit: str,
    what: str,
    who: str = "servers whose verified report says it",
) -> MetricRow:
    return snapshot.row(
        metric, dimension, total, n=servers, coverage=_coverage(snapshot, servers), unit=unit, denominator=DENOMINATOR,
        window=WINDOW, grade=Grade.REPORTED,
        method=f"{what} over {who}; each server's own count, not scaled up to those "
        "that do not report. Accounts, not people.",
    )  # fmt: skip


def _none(snapshot: Snapshot, metric: str, dimension: str, unit: str) -> MetricRow:
    return snapshot.not_known(
        metric, dimension, unit=unit, denominator=DENOMINATOR, window=WINDOW, grade=Grade.REPORTED,
        why="no server that this census saw online sent a usage report that could be verified.",
    )  # fmt: skip


def _coverage(snapshot: Snapshot, servers: int) -> float | None:
    return share(servers, int(snapshot.observations["online"].sum()))


def _reporting(snapshot: Snapshot) -> Iterator[MetricRow]:
    reporting = snapshot.outside.reporting

    def count(*conditions: pl.Expr) -> int:
        return int(reporting.filter(*conditions)["servers"].sum())

    def row(dimension: str, servers: int, method: str) -> MetricRow:
        return snapshot.row(
            REPORTING, dimension, servers, n=servers, coverage=None, unit="servers", window=WINDOW,
            denominator="servers that sent a usage report", grade=Grade.REPORTED, method=method,
        )  # fmt: skip

    verified, online = pl.col("proof") != _UNVERIFIED, pl.col("online")
    summed = count(verified, online)
    yield snapshot.row(
        REPORTING, "summed", summed, n=summed, coverage=_coverage(snapshot, summed), unit="servers", window=WINDOW,
        denominator="online servers", grade=Grade.REPORTED,
        method="Servers that this census saw online and whose last report was verified; the sums are over them.",
    )  # fmt: skip
    for proof, dimension in _PROOFS.items():
        found = count(pl.col("proof") == proof, online)
        if found:
            yield row(dimension, found, "Of those summed, by how it was verified that the report is the server's own.")
    yield row(
        "verified, not seen online", count(verified, ~online),
        "Their reports are verified, but this census did not see them online; not summed.",
    )  # fmt: skip
    yield row(
        "not verified", count(pl.col("proof") == _UNVERIFIED),
        "Anybody may have sent these reports in the servers' names; not summed.",
    )  # fmt: skip


def _bridged(snapshot: Snapshot, sums: dict[str, tuple[int, int]]) -> Iterator[MetricRow]:
    if BRIDGED in sums:
        yield _sum(
            snapshot, REPORTED_BRIDGED, "all", *sums[BRIDGED], "users",
            "Sum of total_users less total_nonbridged_users, taken server by server,",
            who="servers whose verified report says both",
        )  # fmt: skip
    else:
        yield snapshot.not_known(
            REPORTED_BRIDGED, "all", unit="users", denominator=DENOMINATOR, window=WINDOW, grade=Grade.REPORTED,
            why="no server that this census saw online sent a verified usage report with both total_users and "
            "total_nonbridged_users.",
        )  # fmt: skip
    if "daily_user_type_bridged" in sums:
        yield _sum(
            snapshot, REPORTED_BRIDGED, "new in a day", *sums["daily_user_type_bridged"], "users",
            "Sum of daily_user_type_bridged, accounts that bridges made in the last day,",
        )  # fmt: skip
