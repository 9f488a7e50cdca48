"""A snapshot as a graph: online servers with whoever holds them, listed rooms, and who is known to be in what.

Apart, because concentration, resilience and the shape of the graph all rest on it, and strings are turned into numbers
once. Holders are eight kinds: the server itself, its operator, the block of its address, its hosting network, country,
content delivery network, TLS issuer, lineage of software. What is not known is null; behind a content delivery network
neither network nor country is known. A server behind none holds itself.
"""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from analytics.operators import address_block, operator_of_each
from analytics.room_graph import RoomGraph
from analytics.rooms import is_space
from analytics.snapshot import Snapshot
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


@dataclass(frozen=True, slots=True, eq=False)
class FederationGraph:
    """The graph of a snapshot. `holders` has a row for each of its servers, in the order of their numbers."""

    graph: RoomGraph
    holders: pl.DataFrame


def federation_graph(snapshot: Snapshot, software: pl.DataFrame) -> FederationGraph:
    """Online servers, listed rooms that are no spaces, and who is known to be in what: servers named in a room, and
    servers whose directory lists it."""
    servers = holders(snapshot, software).sort("server_id")
    rooms = snapshot.rooms.filter(~is_space()).select("room_number", "members").sort("room_number")
    numbered = servers.select("server_id").with_row_index("server")
    rooms_numbered = rooms.select("room_number").with_row_index("room")
    edges = pl.concat(
        [
            named.join(numbered, on="server_id").join(rooms_numbered, on="room_number").select("room", "server")
            for named in (snapshot.participations, snapshot.listings)
        ]
    )
    members = rooms["members"].fill_null(0.0)
    return FederationGraph(RoomGraph.of_edges(edges["room"], edges["server"], members, servers.height), servers)
