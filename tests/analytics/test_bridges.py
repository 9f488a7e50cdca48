"""Portals by their aliases: the patterns of the bridges' own documents, and what must not be taken for one."""

from datetime import UTC, datetime

import pytest

from analytics.bridges import BRIDGED_MEMBERSHIPS, BRIDGED_ROOMS, BRIDGED_USERS, Fingerprints, bridges
from analytics.reference import load_bridges
from tests.analytics.frames import listed_rooms, snapshot

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


def values(at: datetime) -> dict[tuple[str, str], float | None]:
    columns = ("room_id", "directories", "members", "members_min", "members_max", "room_type", "name", "topic",
               "canonical_alias")  # fmt: skip
    rooms = listed_rooms(()).clear()
    rooms = rooms.vstack(
        type(rooms)(
            [dict.fromkeys(rooms.columns) | {"crawl_id": 1} | dict(zip(columns, row, strict=True)) for row in ROOMS],
            schema=rooms.schema,
        )
    )
    return {(r.metric, r.dimension): r.value for r in bridges(snapshot(rooms=rooms, at=at), load_bridges())}


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
    (row,) = (row for row in bridges(snapshot(), load_bridges()) if row.metric == BRIDGED_USERS)
    assert (row.lo, row.value, row.hi) == (0, 0, 0)
