"""How concentrated the federation is, by whom and in what.

Four amounts are spread over eight kinds of holders. Amounts: *servers* (online ones), *participation* (pairs of a room
and a server known to be in it), *rooms* and *memberships* (each room counted once, with its median of members, and
shared equally among the servers known to be in it: nobody outside sees which server a member belongs to, so these two
are a model). Holders are those of `analytics.federation_graph`; a server whose holder is not known is left out and
lowers the coverage.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
import polars as pl

from analytics.amounts import FloatArray
from analytics.concentration import gini, herfindahl, hill_number, lorenz_curve, nakamoto, top_share
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


LORENZ_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "kind": "VARCHAR NOT NULL",
    "amount": "VARCHAR NOT NULL",
    "holders": "INTEGER NOT NULL",
    "holders_share": "DOUBLE NOT NULL",
    "held_share": "DOUBLE NOT NULL",
}

LORENZ_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: the newest.",
    "kind": "Whose share: server, operator, address_block, network, country, cdn, tls_issuer or lineage.",
    "amount": "Of what: servers, rooms, memberships or participation, as in holder.",
    "holders": "Holders that hold any, on which the curve rests.",
    "holders_share": "Share, 0 to 1, of the holders, those that hold least first.",
    "held_share": "Share, 0 to 1, of the amount that they hold together.",
}

LORENZ_POINTS = 200
"""Points of a curve that are stored, evenly along the holders; the Gini coefficient is of all of them."""


def lorenz_rows(snapshot: Snapshot, held: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """Rows of `LORENZ_COLUMNS`: the Lorenz curve of each amount over each kind of holder, zeros out."""
    for (kind,), of_kind in held.group_by("kind", maintain_order=True):
        for amount in AMOUNT_UNITS:
            curve = lorenz_curve(of_kind[amount], zeros="out")
            if curve is None:
                continue
            holders = curve.units.size - 1
            for at in np.unique(np.linspace(0, holders, min(holders, LORENZ_POINTS) + 1).round().astype(int)).tolist():
                yield snapshot.crawl_id, kind, amount, holders, float(curve.units[at]), float(curve.held[at])


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
