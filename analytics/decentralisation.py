"""How concentrated the federation is, by whom and in what.

Four amounts are spread over eight kinds of holders. Amounts: *servers* (online ones), *participation* (pairs of a room
and a server known to be in it), *rooms* and *memberships* (each room counted once, with its median of members, and
shared equally among the servers known to be in it: nobody outside sees which server a member belongs to, so these two
are a model). Holders: the server itself, its operator, the block of its address, its hosting network, country, content
delivery network, TLS issuer, lineage of software. A server whose holder is not known is left out and lowers the
coverage; behind a content delivery network neither network nor country is known. A server behind none holds itself.
"""

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction

import polars as pl

from analytics.concentration import gini, herfindahl, hill_number, nakamoto, top_share
from analytics.estimate import Estimate
from analytics.operators import address_block, operator_of_each
from analytics.rooms import is_space
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share
from analytics.software import described


class Holder(StrEnum):
    """Whose share is taken."""

    SERVER = "server"
    OPERATOR = "operator"
    BLOCK = "address_block"
    NETWORK = "network"
    COUNTRY = "country"
    CDN = "cdn"
    ISSUER = "tls_issuer"
    LINEAGE = "lineage"


HOLDER_WORDS: dict[Holder, str] = {
    Holder.SERVER: "server",
    Holder.OPERATOR: "operator (same registrable domain or signing key)",
    Holder.BLOCK: "address block (/24 of IPv4, /48 of IPv6)",
    Holder.NETWORK: "hosting network (autonomous system)",
    Holder.COUNTRY: "country of the address",
    Holder.CDN: "content delivery network (or the server itself where there is none)",
    Holder.ISSUER: "issuer of the TLS certificate",
    Holder.LINEAGE: "lineage of software",
}

AMOUNT_UNITS: dict[str, str] = {
    "servers": "online servers",
    "rooms": "listed rooms, shared equally among their known servers",
    "memberships": "memberships of listed rooms, shared equally among their known servers",
    "participation": "pairs of a listed room and a server known to be in it",
}

CONCENTRATION = {holder: f"concentration_by_{holder}" for holder in Holder}
"""The metric of each kind of holder; the dimension says the amount and the statistic: `servers: HHI`."""

_FROM_HOSTING_DATA = (Holder.NETWORK, Holder.COUNTRY)


def holders(snapshot: Snapshot, software: pl.DataFrame) -> pl.DataFrame:
    """Online servers (`server_id`, `server_name`) with one column for each kind of holder, null where not known."""
    online = described(snapshot.observations.filter(pl.col("online")), software)
    placed = online.join(snapshot.places.frame, on="address", how="left", maintain_order="left")
    blocks = pl.Series(Holder.BLOCK, [address_block(address) for address in online["address"]], dtype=pl.String)
    return placed.select(
        "server_id",
        "server_name",
        pl.col("server_name").alias(Holder.SERVER),
        operator_of_each(online).alias(Holder.OPERATOR),
        blocks,
        pl.col("network").alias(Holder.NETWORK),
        pl.col("country").alias(Holder.COUNTRY),
        # A server behind none holds itself, under a name that no network has.
        pl.coalesce("cdn", pl.concat_str(pl.lit("none: "), "server_name")).alias(Holder.CDN),
        pl.col("tls_issuer").alias(Holder.ISSUER),
        pl.when(pl.col("software").is_not_null()).then("lineage").alias(Holder.LINEAGE),
    )


def amounts(snapshot: Snapshot) -> pl.DataFrame:
    """What each online server holds: `server_id` and one column for each of `AMOUNT_UNITS`."""
    online = snapshot.observations.filter(pl.col("online")).select("server_id")
    plain = snapshot.rooms.filter(~is_space()).select("room_id", "members")
    edges = known_edges(snapshot).join(plain, on="room_id").join(online, on="server_id")
    shared = edges.with_columns(
        (1 / pl.len().over("room_id")).alias("part"),
    )
    held = shared.group_by("server_id").agg(
        pl.col("part").sum().alias("rooms"),
        (pl.col("part") * pl.col("members").fill_null(0)).sum().alias("memberships"),
        pl.len().cast(pl.Float64).alias("participation"),
    )
    return (
        online.join(held, on="server_id", how="left", maintain_order="left")
        .with_columns(pl.lit(1.0).alias("servers"))
        .select("server_id", *(pl.col(amount).fill_null(0.0) for amount in AMOUNT_UNITS))
    )


def known_edges(snapshot: Snapshot) -> pl.DataFrame:
    """(room_id, server_id), once each: servers named in a room, and servers whose directory lists it."""
    edges = pl.concat([snapshot.participations, snapshot.listings]).select("room_id", "server_id")
    return edges.unique(maintain_order=True).sort("room_id", "server_id")


def held_by(snapshot: Snapshot, software: pl.DataFrame) -> pl.DataFrame:
    """What each holder holds: `kind`, `holder`, `servers`, `rooms`, `memberships`, `participation`."""
    whole = holders(snapshot, software).join(amounts(snapshot), on="server_id")
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
