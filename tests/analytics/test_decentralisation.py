"""Who holds what, on a federation small enough for paper, and its graph."""

from typing import Any

import polars as pl
import pytest

from analytics.decentralisation import CONCENTRATION, amounts, decentralisation, held_by
from analytics.federation_graph import Holder, federation_graph
from analytics.graph_tables import (
    DISTRIBUTION_COLUMNS,
    RESILIENCE_COLUMNS,
    distribution_rows,
    removals,
    resilience,
    resilience_rows,
)
from analytics.hosting import Places
from analytics.reference import load_software
from analytics.room_graph import graph_shape
from analytics.schemas import IN_ROOM_COLUMNS, PLACE_COLUMNS
from analytics.snapshot import Snapshot
from tests.analytics.frames import ROOMS, snapshot

SOFTWARE = load_software()


NUMBERS = {room[0]: number for number, room in enumerate(ROOMS, 1)}


def in_room(*edges: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame([(NUMBERS[room], server) for room, server in edges], schema=IN_ROOM_COLUMNS, orient="row")


def federation() -> Snapshot:
    """!big (100 members) is known at 1, 2, 3 and 8, !one (7) at 1, !pair (11.5) at 1 and 8; 6 is not online."""
    places = pl.DataFrame(
        [
            ("192.0.2.1", 64496, "One", "DE", None),
            ("192.0.2.2", 64496, "One", "DE", None),
            ("192.0.2.3", 64497, "Two", "FR", None),
            ("192.0.2.4", None, None, None, "Front"),
        ],
        schema=PLACE_COLUMNS,
        orient="row",
    )
    return snapshot(
        listings=in_room(("!big:a.example", 1), ("!big:a.example", 8), ("!one:a.example", 1), ("!pair:h.example", 1),
                         ("!pair:h.example", 8), ("!space:a.example", 1)),
        participations=in_room(("!big:a.example", 1), ("!big:a.example", 2), ("!big:a.example", 3),
                               ("!pair:h.example", 6)),
        places=Places(places, "Test of 2026-11-01"),
    )  # fmt: skip


def test_rooms_and_memberships_are_shared_among_known_servers() -> None:
    held = {row["server_id"]: row for row in amounts(federation_graph(federation(), SOFTWARE)).iter_rows(named=True)}
    assert held[1]["rooms"] == pytest.approx(1 / 4 + 1 + 1 / 2)
    assert held[1]["memberships"] == pytest.approx(25 + 7 + 5.75)
    assert held[1]["participation"] == 3
    assert held[2]["participation"] == 1
    assert held[4] == {"server_id": 4, "servers": 1, "rooms": 0, "memberships": 0, "participation": 0}
    assert sum(row["rooms"] for row in held.values()) == pytest.approx(3)
    assert sum(row["memberships"] for row in held.values()) == pytest.approx(118.5)
    assert 6 not in held


def test_holders_not_known_are_left_out_and_lower_the_coverage() -> None:
    snap = federation()
    rows = {(r.metric, r.dimension): r for r in decentralisation(snap, held_by(federation_graph(snap, SOFTWARE)))}
    largest = rows[CONCENTRATION[Holder.NETWORK], "servers: share of the largest"]
    assert largest.value == pytest.approx(2 / 3)
    assert largest.coverage == pytest.approx(3 / 6)
    assert "Test of 2026-11-01" in largest.method
    assert rows[CONCENTRATION[Holder.ISSUER], "servers: HHI"].value is None
    # Five servers behind nothing hold themselves, one is behind the front.
    assert rows[CONCENTRATION[Holder.CDN], "servers: effective number, order 0"].value == 6
    assert rows[CONCENTRATION[Holder.SERVER], "servers: HHI"].value == pytest.approx(1 / 6)
    # continuwuity and conduit are one lineage; e says nothing: synapse 2, conduit 2, the crawler 1.
    lineages = rows[CONCENTRATION[Holder.LINEAGE], "servers: HHI"]
    assert lineages.value == pytest.approx((4 + 4 + 1) / 25)
    assert lineages.coverage == pytest.approx(5 / 6)
    assert rows[CONCENTRATION[Holder.SERVER], "participation: Nakamoto, more than half"].value == 2
    # Servers 4 and 5 are in no room, and among no holders: of 1, 1, 2 and 3 it is 42/28 - 5/4.
    assert rows[CONCENTRATION[Holder.SERVER], "participation: Gini"].value == pytest.approx(0.25)


def test_the_graph_loses_rooms_as_its_largest_servers_go() -> None:
    snap = federation()
    found = federation_graph(snap, SOFTWARE)
    answers = removals(found, draws=20)
    assert [answer.kind for answer in answers] == [Holder.SERVER, Holder.OPERATOR, Holder.NETWORK]
    rows: list[dict[str, Any]] = [
        dict(zip(RESILIENCE_COLUMNS, row, strict=True)) for row in resilience_rows(snap, answers)
    ]
    curve = {r["k"]: r for r in rows if r["removed"] == "server" and r["removal_order"] == "largest"}
    # Server 1 is in three rooms, 8 in two: !one goes with 1, !pair with 8 after it, !big with the last of 2 and 3.
    assert [round(curve[k]["rooms_without_server"] * 3) for k in range(5)] == [0, 1, 2, 2, 3]
    assert curve[0]["servers_together"] == pytest.approx(4 / 6)
    assert curve[0]["memberships_together"] == 1.0
    assert curve[6]["rooms_without_server"] == 1.0
    random = [r for r in rows if r["removal_order"] == "random"]
    assert all(
        r["rooms_without_server_lo"] <= r["rooms_without_server"] <= r["rooms_without_server_hi"] for r in random
    )
    assert {r["draws"] for r in random} == {20}
    metric = {row.dimension: row for row in resilience(snap, found, graph_shape(found.graph), answers)}
    assert metric["rooms lost with the 1 largest by server"].value == pytest.approx(1 / 3)
    assert metric["servers in no known room"].value == 2
    assert metric["connected components with a room"].value == 1


def test_distributions_count_every_server_and_room() -> None:
    snap = federation()
    rows = [
        dict(zip(DISTRIBUTION_COLUMNS, r, strict=True))
        for r in distribution_rows(snap, graph_shape(federation_graph(snap, SOFTWARE).graph))
    ]
    degrees = {r["value"]: r["count"] for r in rows if r["what"] == "rooms_of_server"}
    assert degrees == {0: 2, 1: 2, 2: 1, 3: 1}
    # !unsaid is listed by nobody in the frame of listings: a room without a known server.
    assert {r["value"]: r["count"] for r in rows if r["what"] == "servers_of_room"} == {0: 1, 1: 1, 2: 1, 4: 1}


def test_networks_are_not_taken_away_where_none_is_known() -> None:
    assert [a.kind for a in removals(federation_graph(snapshot(), SOFTWARE), draws=2)] == [
        Holder.SERVER,
        Holder.OPERATOR,
    ]
