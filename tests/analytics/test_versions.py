"""Adoption and lag of versions, on histories that can be worked out on paper."""

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from analytics.reference import SOFTWARE_RELEASE_COLUMNS, load_software_releases
from analytics.schemas import CENSUS_COLUMNS, ROOM_HISTORY_COLUMNS, STAY_COLUMNS
from analytics.snapshot import Lives
from analytics.versions import BELOW, LAG, VERSION_STAY_COLUMNS, adoption_rows, version_key, versions
from tests.analytics.frames import SEALED, observations, snapshot

AT = {crawl: SEALED - timedelta(days=10 * (6 - crawl)) for crawl in range(1, 7)}


def lives() -> Lives:
    return Lives(
        pl.DataFrame([(crawl, AT[crawl]) for crawl in AT], schema=CENSUS_COLUMNS, orient="row"),
        pl.DataFrame(schema=STAY_COLUMNS),
        pl.DataFrame(schema=ROOM_HISTORY_COLUMNS),
    )


def stays(*rows: tuple[int, str, int, int | None]) -> pl.DataFrame:
    whole = [
        (server, "synapse", version, begin, end, AT[begin], None if end is None else AT[end])
        for server, version, begin, end in rows
    ]
    return pl.DataFrame(whole, schema=VERSION_STAY_COLUMNS, orient="row")


def releases(*rows: tuple[str, date, bool]) -> pl.DataFrame:
    return pl.DataFrame(
        [("synapse", version, day, security, None, "test") for version, day, security in rows],
        schema=SOFTWARE_RELEASE_COLUMNS,
        orient="row",
    )


def test_a_version_is_one_to_three_numbers() -> None:
    assert version_key("1.121.1") == (1, 121, 1)
    assert version_key("v0.5") == (0, 5, 0)
    assert version_key("1.121.0rc1") is None
    assert version_key("") is version_key(None) is None
    assert version_key("1.99999") is None
    assert version_key("١.٢") is None


@given(st.text(max_size=30))
def test_any_text_is_a_version_or_none(text: str) -> None:
    key = version_key(text)
    assert key is None or len(key) == 3


def test_adoption_is_counted_in_every_census() -> None:
    """Twenty servers run 1.0; from the third census ten run 1.1, in the fifth one is away."""
    history = stays(
        *((server, "1.0", 1, None) for server in range(10)),
        *((server, "1.0", 1, 3) for server in range(10, 20)),
        *((server, "1.1", 3, None) for server in range(10, 19)),
        (19, "1.1", 3, 5),
        (19, "1.1", 6, None),
    )
    rows = {(row[0], row[3]): row for row in adoption_rows(lives(), history)}
    assert {key: row[4] for key, row in rows.items()} == {
        (1, "1.0"): 20, (2, "1.0"): 20, (3, "1.0"): 10, (3, "1.1"): 10, (4, "1.0"): 10, (4, "1.1"): 10,
        (5, "1.0"): 10, (5, "1.1"): 9, (6, "1.0"): 10, (6, "1.1"): 10,
    }  # fmt: skip
    assert rows[5, "1.1"][5] == pytest.approx(9 / 19)
    assert rows[5, "1.1"][6:] == pytest.approx(proportion_confint(9, 19, method="wilson"))
    assert list(adoption_rows(lives(), stays((1, "1.0", 1, None)))) == []  # one server is no curve


def test_many_versions_are_one_other() -> None:
    history = stays(*((server, f"1.{server}", 1, None) for server in range(40)))
    rows = list(adoption_rows(lives(), history))
    of_one: dict[Any, Any] = {row[3]: row[4] for row in rows if row[0] == 1}
    assert len(of_one) == 16
    assert of_one["other"] == 25
    assert sum(of_one.values()) == 40


def test_lag_is_of_servers_that_were_behind() -> None:
    """1.1 comes out five days after the first census. Servers 1 and 2 adopt it at the second and third census, 5 and 15
    days later; 3 never does and is censored after 45; 4 had 1.2 before; 5 came later."""
    day = (AT[1] + timedelta(days=5)).date()
    released = releases(("1.1", day, False))
    history = stays(
        (1, "1.0", 1, 2), (1, "1.1", 2, None), (2, "1.0", 1, 3), (2, "1.2", 3, None), (3, "1.0", 1, None),
        (4, "1.2", 1, None), (5, "1.0", 4, None),
    )  # fmt: skip
    hours = (AT[1] - datetime.combine(AT[1].date(), datetime.min.time(), AT[1].tzinfo)).total_seconds() / 86_400
    rows = {row.dimension: row for row in versions(snapshot(crawl_id=6), lives(), history, released)}
    median = rows["synapse, median"]
    assert (median.metric, median.n) == (LAG, 3)
    assert median.value == pytest.approx(15 + hours)
    assert rows["synapse, adopted after 7 d"].value == pytest.approx(1 / 3)
    assert rows["synapse, adopted after 30 d"].value == pytest.approx(2 / 3)
    assert rows["synapse, adopted after 90 d"].value is None
    before_the_series = releases(("1.1", (AT[1] - timedelta(days=5)).date(), False))
    unknown = {row.dimension: row for row in versions(snapshot(crawl_id=6), lives(), history, before_the_series)}
    assert unknown["synapse, median"].value is None


def test_below_the_last_security_release() -> None:
    servers = tuple(
        (f"{version}.example", "online", None, False, "synapse", version, "open")
        for version in ("1.0.0", "1.1.1", "1.1.2", "1.2.0", "1.2.1", "1.3.0", "nightly")
    )
    day = SEALED.date() - timedelta(days=1)
    released = releases(("1.1.2", day, True), ("1.2.1", day, True), ("1.0.0", day - timedelta(days=9), True),
                        ("9.9", SEALED.date() + timedelta(days=1), True))  # fmt: skip
    snap = snapshot(observations=observations(servers))
    (row,) = [r for r in versions(snap, lives(), stays((1, "1.0.0", 1, None)), released) if r.metric == BELOW]
    assert row.dimension == f"synapse, below 1.1.2, 1.2.1 of {day}"
    assert row.value == pytest.approx(3 / 6)  # 1.0.0, 1.1.1 and 1.2.0; 1.1.2 was mended on its branch
    assert row.coverage == pytest.approx(6 / 7)


def test_other_software_than_synapse_has_its_own_row_and_unknown_stays_unknown() -> None:
    servers = tuple(
        (f"{number}.example", "federating", True, True, software, version, "open")
        for number, (software, version) in enumerate(
            [("dendrite", "0.14.0"), ("dendrite", "0.15.0"), ("continuwuity", "0.5.3"), ("tuwunel", "1.9.0"),
             ("grapevine", "0.1.0")]
        )
    )  # fmt: skip
    ran = pl.DataFrame(
        [
            (number, software, version, 1, None, AT[1], None)
            for number, (*_, software, version, _) in enumerate(servers)
        ],
        schema=VERSION_STAY_COLUMNS,
        orient="row",
    )
    snap = snapshot(observations=observations(servers))
    rows = [row for row in versions(snap, lives(), ran, load_software_releases()) if row.metric == BELOW]
    found = {row.dimension.partition(",")[0]: (row.value, row.dimension) for row in rows}
    assert found["dendrite"] == (0.5, "dendrite, below 0.15.0 of 2025-08-12")
    assert found["continuwuity"] == (1.0, "continuwuity, below 0.5.4 of 2026-02-08")
    # Of some the table has releases and does not know which mended anything, of others it has none.
    assert found["tuwunel"][0] is None
    assert "grapevine" not in found


def test_the_shipped_table_is_sound() -> None:
    table = load_software_releases()
    assert table.select("software", "version").is_duplicated().sum() == 0
    assert all(version_key(version) for version in table["version"])
    unnamed = table.filter(pl.col("security") & pl.col("advisories").is_null())
    assert unnamed["source"].str.contains("names no advisory").all()
    assert table["source"].is_not_null().all()
