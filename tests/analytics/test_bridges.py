"""Portals by their aliases and by the lists of third-party networks: the patterns of the bridges' own documents, what
must not be taken for one, and what is counted apart."""

import dataclasses
from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.bridges import (
    BRIDGED_MEMBERSHIPS,
    BRIDGED_ROOMS,
    BRIDGED_USERS,
    LIVING,
    NETWORKS,
    WITH_NETWORKS,
    bridges,
)
from analytics.fingerprints import Fingerprints
from analytics.reference import load_bridges
from analytics.schemas import NETWORK_ROOM_COLUMNS, MetricRow
from analytics.snapshot import Snapshot
from tests.analytics.frames import empty_snapshot, listed_rooms, observations, snapshot

FINGERPRINTS = Fingerprints(load_bridges())


@pytest.mark.parametrize(
    ("alias", "protocol", "network"),
    [
        ("#_oftc_#debian:matrix.org", "irc", "OFTC"),
        ("#freenode_#x:matrix.org", "irc", "freenode"),
        ("##chan:libera.chat", "irc", "Libera.Chat"),
        ("#chan:hackint.org", "irc", "hackint"),
        ("#irc_example_#chan:a.example", "irc", None),
        ("#_discord_112233_445566:t2bot.io", "discord", None),
        ("#_bifrost_xmpp_muc.example.org_room:a.example", "xmpp", None),
        ("#telegram_group:a.example", "telegram", None),
        ("#github_matrix-org_synapse_1234:a.example", "github", None),
        ("#org_repo:gitter.im", "gitter", None),
    ],
)
def test_portals_are_told_by_their_alias(alias: str, protocol: str, network: str | None) -> None:
    portal = FINGERPRINTS.portal(alias)
    assert portal is not None
    assert (portal.protocol, portal.network) == (protocol, network)


@pytest.mark.parametrize(
    "alias",
    [
        None,
        "",
        "#",
        "#no-domain",
        "#_oftc_#debian:other.example",  # a name that anybody may take elsewhere
        "#discord:a.example",
        "#irc-help:a.example",
        "#signal_fans:a.example",
        "#chan:libera.chat.example",
        "#" + "a" * 300 + ":a.example",
        "@_oftc_#debian:matrix.org",
    ],
)
def test_ordinary_aliases_are_no_portals(alias: str | None) -> None:
    assert FINGERPRINTS.portal(alias) is None


def test_every_fingerprint_has_a_source_and_a_known_confidence() -> None:
    table = load_bridges()
    assert table["source"].null_count() == 0
    assert set(table["confidence"]) == {"high", "medium", "low"}


ROOMS = (
    ("!1:a.example", 1, 10.0, 10, 10, None, "name", None, "#_oftc_#x:matrix.org"),
    ("!2:a.example", 1, 100.0, 100, 100, None, "name", None, "##x:libera.chat"),
    ("!3:a.example", 1, None, None, None, None, "name", None, "#telegram_x:a.example"),
    ("!4:a.example", 1, 7.0, 7, 7, None, "name", None, "#people:a.example"),
    ("!5:a.example", 1, 9.0, 9, 9, "m.space", "name", None, "#_oftc_#y:matrix.org"),
)


def rooms_told() -> pl.DataFrame:
    columns = ("room_id", "directories", "members", "members_min", "members_max", "room_type", "name", "topic",
               "canonical_alias")  # fmt: skip
    like = listed_rooms(())
    told = [dict.fromkeys(like.columns) | dict(zip(columns, row, strict=True)) for row in ROOMS]
    return pl.DataFrame(told, schema=like.schema)


def rows_of(seen: Snapshot) -> dict[tuple[str, str], MetricRow]:
    rows = list(bridges(seen, load_bridges()))
    found = {(row.metric, row.dimension): row for row in rows}
    assert len(found) == len(rows)
    return found


def values(at: datetime) -> dict[tuple[str, str], float | None]:
    return {key: row.value for key, row in rows_of(snapshot(rooms=rooms_told(), at=at)).items()}


def test_dead_bridges_are_counted_apart_from_the_day_of_their_end() -> None:
    after = values(datetime(2026, 1, 1, tzinfo=UTC))
    assert after[BRIDGED_ROOMS, "all"] == 2
    assert after[BRIDGED_ROOMS, "dead bridges"] == 1
    assert after[BRIDGED_MEMBERSHIPS, "all"] == 10
    assert after[BRIDGED_MEMBERSHIPS, "telegram"] is None
    before = values(datetime(2023, 11, 27, tzinfo=UTC))
    assert before[BRIDGED_ROOMS, "all"] == 3
    assert before[BRIDGED_ROOMS, "irc"] == 2
    assert before[BRIDGED_ROOMS, "dead bridges"] == 0


def test_bridged_users_are_bounds() -> None:
    row = rows_of(snapshot())[BRIDGED_USERS, LIVING]
    assert (row.lo, row.value, row.hi) == (0, 0, 0)


def test_portals_that_do_not_say_their_members_are_not_none_bridged() -> None:
    silent = rooms_told().filter(pl.col("room_id") == "!3:a.example")
    row = rows_of(snapshot(rooms=silent))[BRIDGED_USERS, LIVING]
    assert (row.value, row.lo, row.hi) == (None, None, None)
    assert "says its members" in row.method


# room, server, members, type, alias: what only the lists of third-party networks hold.
NETWORK_ROOMS = (
    ("!n1:a.example", 1, 20, None, "#_discord_1_2:a.example"),
    ("!n2:a.example", 1, 5, None, None),
    ("!n2:a.example", 8, 8, None, "#irc_net_#chan:h.example"),  # one of the two tells more
    ("!n3:h.example", 8, 3, None, "#_snoonet_#chess:h.example"),  # a pattern only at matrix.org
    ("!n4:h.example", 8, None, None, None),
    ("!n5:h.example", 8, 50, None, "##old:libera.chat"),
    ("!n6:h.example", 8, 60, "m.space", "#_discord_3_4:h.example"),
    ("!1:a.example", 8, 99, None, None),  # listed elsewhere with its alias: of 10 members, to OFTC
    ("!4:a.example", 8, None, None, None),  # listed elsewhere, its alias says nothing: of 7 members
)


def with_networks(read: tuple[int, ...] = (1, 8)) -> Snapshot:
    """The census where these servers' directories were read whole over federation."""
    was_read = pl.col("server_id").is_in(list(read))
    seen = observations().with_columns(
        directory_way=pl.when(was_read).then(pl.lit("federation")).otherwise(pl.lit("client")),
        directory_stopped=pl.lit("complete"),
    )
    told = pl.DataFrame(NETWORK_ROOMS, schema=dict(NETWORK_ROOM_COLUMNS), orient="row")
    return snapshot(observations=seen, rooms=rooms_told(), network_rooms=told)


def test_rooms_of_third_party_networks_are_counted_apart() -> None:
    found = rows_of(with_networks())
    apart = {
        row.dimension.removeprefix(NETWORKS).removeprefix(": "): (
            row.value,
            found[BRIDGED_MEMBERSHIPS, dimension].value,
        )
        for (metric, dimension), row in found.items()
        if metric == BRIDGED_ROOMS and dimension.startswith(NETWORKS)
    }
    assert apart == {
        "": (6, 20 + 6.5 + 3 + 10 + 7),
        "dead bridges": (1, 50),
        "discord": (1, 20),
        "irc": (2, 6.5 + 10),
        "unknown protocol": (3, 3 + 7),
        "high confidence": (2, 20 + 10),
        "medium confidence": (1, 6.5),
        "low confidence": (0, 0),
        "directory confidence": (3, 3 + 7),
    }
    of_all = found[BRIDGED_ROOMS, NETWORKS]
    assert (of_all.n, of_all.coverage) == (7, 2 / 3)  # b answered, too, and was not asked for all networks
    assert found[BRIDGED_MEMBERSHIPS, NETWORKS].n == 5  # !n4 does not say its members


def test_listed_rooms_mean_what_they_meant() -> None:
    found = rows_of(with_networks())
    before = rows_of(snapshot(rooms=rooms_told()))
    listed = {key: row for key, row in before.items() if "third-party" not in key[1]}
    assert len(listed) > 10
    assert listed == {key: found[key] for key in listed}


def test_each_room_counts_once_among_the_bridged_with_networks() -> None:
    found = rows_of(with_networks())
    row = found[BRIDGED_USERS, WITH_NETWORKS]
    assert (row.lo, row.hi) == (0, 10 + 20 + 6.5 + 3 + 7)  # of !1 and !3, listed; then of the others
    assert row.n == 2 + 5
    assert found[BRIDGED_USERS, LIVING].hi == 10


def test_networks_that_nobody_was_asked_for_are_not_none() -> None:
    for seen, why in (
        (with_networks(read=()), "read whole over federation"),
        (dataclasses.replace(with_networks(), network_rooms=None), "no longer kept"),
        (empty_snapshot(), "no directory answered"),
    ):
        found = rows_of(seen)
        for key in ((BRIDGED_ROOMS, NETWORKS), (BRIDGED_MEMBERSHIPS, NETWORKS), (BRIDGED_USERS, WITH_NETWORKS)):
            assert found[key].value is None
            assert why in found[key].method
    none = dataclasses.replace(with_networks(), network_rooms=pl.DataFrame(schema=dict(NETWORK_ROOM_COLUMNS)))
    assert rows_of(none)[BRIDGED_ROOMS, NETWORKS].value == 0
