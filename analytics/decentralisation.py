"""How concentrated the federation is, by whom and in what.

Four amounts are spread over eight kinds of holders. Amounts: *servers* (online ones), *participation* (pairs of a room
and a server known to be in it), *rooms* and *memberships* (each room counted once, with its median of members, and
shared equally among the servers known to be in it: nobody outside sees which server a member belongs to, so these two
are a model). Holders are those of `analytics.federation_graph`; a server whose holder is not known is left out and
lowers the coverage.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import polars as pl

from analytics.amounts import FloatArray
from analytics.concentration import gini, herfindahl, hill_number, nakamoto, top_share
from analytics.estimate import Estimate
from analytics.federation_graph import HOLDER_WORDS, FederationGraph, Holder
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

AMOUNT_UNITS: dict[str, str] = {
    "servers": "online servers",
    "rooms": "listed rooms, shared equally among their known servers",
    "memberships": "memberships of listed rooms, shared equally among their known servers",
    "participation": "pairs of a listed room and a server known to be in it",
}

CONCENTRATION = {holder: f"concentration_by_{holder}" for holder in Holder}
"""The metric of each kind of holder; the dimension says the amount and the statistic: `servers: HHI`."""

_FROM_HOSTING_DATA = (Holder.NETWORK, Holder.COUNTRY)


def amounts(found: FederationGraph) -> pl.DataFrame:
    """What each online server holds: `server_id` and one column for each of `AMOUNT_UNITS`."""
    graph = found.graph
    # Each room has at least one known server where it has an edge; others divide by nothing.
    part = 1 / np.maximum(np.bincount(graph.room, minlength=graph.rooms), 1)[graph.room]

    def held(weights: FloatArray | None) -> FloatArray:
        return np.bincount(graph.server, weights=weights, minlength=graph.servers).astype(np.float64)

    return found.holders.select("server_id").with_columns(
        servers=pl.lit(1.0),
        rooms=held(part),
        memberships=held(part * graph.memberships[graph.room]),
        participation=held(None),
    )


def held_by(found: FederationGraph) -> pl.DataFrame:
    """What each holder holds: `kind`, `holder`, `servers`, `rooms`, `memberships`, `participation`."""
    whole = found.holders.join(amounts(found), on="server_id")
    parts = [
        whole.filter(pl.col(kind).is_not_null())
        .group_by(pl.col(kind).alias("holder"))
        .agg(pl.col(amount).sum() for amount in AMOUNT_UNITS)
        .select(pl.lit(kind.value).alias("kind"), "holder", *AMOUNT_UNITS)
        .sort(["servers", "holder"], descending=[True, False])
        for kind in Holder
    ]
    return pl.concat(parts)


def decentralisation(snapshot: Snapshot, held: pl.DataFrame) -> Iterator[MetricRow]:
    """Concentration of each amount over each kind of holder; `held` is what `held_by` says.

    Each statistic's range is in `analytics.concentration`. Gini counts the holders that hold anything. Nobody holds
    anything, or nobody's holder is known: no value.
    """
    online = int(snapshot.observations["online"].sum())
    for kind in Holder:
        of_kind = held.filter(pl.col("kind") == kind.value)
        known = share(round(of_kind["servers"].sum()), online)
        vintage = f" Hosting data: {snapshot.places.vintage}." if kind in _FROM_HOSTING_DATA else ""
        for amount, words in AMOUNT_UNITS.items():
            for statistic, unit, estimate in _statistics(of_kind[amount]):
                yield snapshot.estimated(
                    CONCENTRATION[kind],
                    f"{amount}: {statistic}",
                    estimate,
                    coverage=known,
                    unit=unit,
                    denominator=f"{HOLDER_WORDS[kind]} holding any",
                    method=f"Of {words}; by {HOLDER_WORDS[kind]}.{vintage}",
                    grade=Grade.ESTIMATED if amount in ("rooms", "memberships") else Grade.MEASURED,
                )


def _statistics(held: pl.Series) -> Iterator[tuple[str, str, Estimate]]:
    yield "share of the largest", "share", top_share(held, 1)
    yield "share of the 3 largest", "share", top_share(held, 3)
    yield "share of the 10 largest", "share", top_share(held, 10)
    yield "HHI", "index, 0 to 1", herfindahl(held)
    for order in (0, 1, 2):
        yield f"effective number, order {order}", "equal holders", hill_number(held, order)
    yield "Gini", "index, 0 to 1", gini(held, zeros="out")
    yield "Nakamoto, more than half", "holders", nakamoto(held, 0.5)
    yield "Nakamoto, more than a third", "holders", nakamoto(held, Fraction(1, 3))
