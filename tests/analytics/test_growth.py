"""Growth and churn over a history of six censuses, ten days apart, written out.

server  1st 2nd 3rd 4th 5th 6th     what happens
1        x   x   x   x   x   x      always there
2        x   x   x   .   .   .      dies
3        x   x   .   .   x   x      is out, and returns
4        .   .   .   .   x   x      is born
5        .   x   .   .   .   .      is born and dies
room 1   x   x   x   x   x   x      10 members, from the 5th on 25
room 2   x   x   x   .   .   .      7 members
"""

from datetime import timedelta

import polars as pl
import pytest

from analytics.growth import CHANGE, CHURN, RETAINED, census_before, growth, survival
from analytics.reference import load_software
from analytics.schemas import CENSUS_COLUMNS, ROOM_HISTORY_COLUMNS, STAY_COLUMNS, MetricRow
from analytics.snapshot import Lives
from tests.analytics.frames import SEALED, snapshot

AT = {crawl: SEALED - timedelta(days=10 * (6 - crawl)) for crawl in range(1, 7)}
STAYS = ((1, 1, None), (2, 1, 4), (3, 1, 3), (3, 5, None), (4, 5, None), (5, 2, 3))


def lives(censuses: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> Lives:
    servers = [
        (server, begin, end, AT[begin], None if end is None else AT[end], "synapse") for server, begin, end in STAYS
    ]
    rooms = [(crawl, 2, 17.0, 1) for crawl in (1, 2, 3)] + [(4, 1, 10.0, 1), (5, 1, 25.0, 1), (6, 1, 25.0, 1)]
    return Lives(
        pl.DataFrame([(crawl, AT[crawl]) for crawl in censuses], schema=CENSUS_COLUMNS, orient="row"),
        pl.DataFrame(servers, schema=STAY_COLUMNS, orient="row"),
        pl.DataFrame(rooms, schema=ROOM_HISTORY_COLUMNS, orient="row"),
    )


def rows() -> dict[tuple[str, str], MetricRow]:
    return {(row.metric, row.dimension): row for row in growth(snapshot(crawl_id=6), lives())}


def test_the_census_before_is_the_last_that_is_old_enough() -> None:
    assert census_before(lives(), SEALED, 7) == 5
    assert census_before(lives(), SEALED, 10) == 5
    assert census_before(lives(), SEALED, 30) == 3
    assert census_before(lives(), SEALED, 51) is None


def test_changes_are_signed_and_need_a_census_old_enough() -> None:
    found = rows()
    assert found[CHANGE, "online servers in 7 d"].value == 0
    assert found[CHANGE, "online servers in 30 d"].value == 3 - 2
    assert found[CHANGE, "memberships in 30 d"].value == 25 - 17
    assert found[CHANGE, "listed rooms in 30 d"].value == -1
    missing = found[CHANGE, "online servers in 90 d"]
    assert missing.value is None
    assert "no census is 90 d older" in missing.method
    assert missing.window == "90 d"


def test_rooms_that_no_directory_told_of_are_not_gone() -> None:
    silent = snapshot(crawl_id=6).observations.with_columns(listing=pl.lit(value=False))
    none_now = lives()
    none_now = Lives(
        none_now.censuses, none_now.servers, none_now.rooms.filter(pl.col("crawl_id") < 6).vstack(
            pl.DataFrame([(6, 0, 0.0, 0)], schema=ROOM_HISTORY_COLUMNS, orient="row")
        ),
    )  # fmt: skip
    found = {(row.metric, row.dimension): row for row in growth(snapshot(crawl_id=6, observations=silent), none_now)}
    for key in ((CHANGE, "listed rooms in 7 d"), (CHANGE, "memberships in 30 d"), (RETAINED, "rooms, 30 d")):
        assert found[key].value is None
        assert "no directory answered" in found[key].method
    assert found[CHANGE, "online servers in 30 d"].value == 1
    assert found[RETAINED, "servers, 30 d"].value == 0.5


def test_births_returns_and_deaths_add_up_to_the_change() -> None:
    found = rows()
    values = {name: found[CHURN, f"{name} in 30 d"].value for name in ("births", "returns", "deaths", "net")}
    assert values == {"births": 1, "returns": 1, "deaths": 1, "net": 1}
    assert values["net"] == found[CHANGE, "online servers in 30 d"].value


def test_retained_servers_and_rooms() -> None:
    found = rows()
    # Of servers 1 and 2 in the third census 1 is left, of both rooms one.
    assert found[RETAINED, "servers, 30 d"].value == 0.5
    assert found[RETAINED, "servers, 30 d"].n == 2
    assert found[RETAINED, "rooms, 30 d"].value == 0.5


def test_survival_is_of_servers_whose_birth_was_seen() -> None:
    found = {row.dimension: row for row in survival(snapshot(crawl_id=6), lives(), load_software())}
    # Born: 4 (10 days old, alive) and 5 (dead after 10 days): the curve falls to a half at 10 days.
    assert found["all, median"].value == pytest.approx(10)
    assert found["all, median"].n == 2
    assert found["all, alive after 30 d"].value is None
    first_only = {row.dimension: row for row in survival(snapshot(), lives_of_first(), load_software())}
    assert first_only["all, median"].value is None


def lives_of_first() -> Lives:
    whole = lives((1,))
    return Lives(whole.censuses, whole.servers.filter(pl.col("valid_from") == 1), whole.rooms)
