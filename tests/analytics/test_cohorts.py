"""Cohorts and curves over the history of `tests.analytics.test_growth`, six censuses ten days apart.

They are sealed on 4, 14 and 24 October and on 3, 13 and 23 November: the third is the last of October, the sixth that
of November. Of the first census are servers 1, 2 and 3, and both rooms; 5 comes in October, server 4 in November.
"""

from datetime import timedelta

import polars as pl
import pytest
from lifelines import KaplanMeierFitter

from analytics.cohorts import STEP_COLUMNS, cohort_rows, server_steps, survival_rows
from analytics.growth import born
from analytics.reference import load_software
from analytics.snapshot import Lives
from tests.analytics.frames import SEALED, snapshot
from tests.analytics.test_growth import lives


def table(what: str, steps: pl.DataFrame) -> dict[tuple[object, ...], tuple[object, ...]]:
    rows = cohort_rows(snapshot(crawl_id=6), lives(), what, steps)
    # (cohort, of the first census, month) -> (size, observed in, age, present, share)
    return {(row[2], row[3], row[5]): (row[4], row[6], row[7], row[8], row[9]) for row in rows}


def test_cohorts_of_servers_by_month() -> None:
    found = table("servers", server_steps(lives()))
    assert found == {
        # 3 is out at the end of October and back in November, 2 dies in November.
        ("2026-10-01", True, "2026-10-01"): (3, 3, 0, 2, pytest.approx(2 / 3)),
        ("2026-10-01", True, "2026-11-01"): (3, 6, 1, 2, pytest.approx(2 / 3)),
        ("2026-10-01", False, "2026-10-01"): (1, 3, 0, 0, 0),
        ("2026-10-01", False, "2026-11-01"): (1, 6, 1, 0, 0),
        ("2026-11-01", False, "2026-11-01"): (1, 6, 0, 1, 1),
    }


def test_cohorts_of_rooms() -> None:
    steps = pl.DataFrame([(1, 1, 2), (1, 4, -1)], schema=STEP_COLUMNS, orient="row")
    found = table("rooms", steps)
    assert found["2026-10-01", True, "2026-10-01"] == (2, 3, 0, 2, 1)
    assert found["2026-10-01", True, "2026-11-01"] == (2, 6, 1, 1, 0.5)
    assert table("rooms", steps.clear()) == {}


def test_the_curve_is_that_of_lifelines() -> None:
    """Forty servers that come at one of the censuses after the first, and a fifth of which die."""
    stays = []
    for server in range(40):
        begin = 2 + server % 4
        end = 6 if server % 5 == 0 else None
        at = {crawl: SEALED - timedelta(days=10 * (6 - crawl)) for crawl in range(1, 7)}
        stays.append((server, begin, end, at[begin], None if end is None else at[end], "synapse"))
    whole = lives()
    history = Lives(whole.censuses, pl.DataFrame(stays, schema=whole.servers.schema, orient="row"), whole.rooms)
    rows = list(survival_rows(snapshot(crawl_id=6), history, load_software()))
    assert {row[1] for row in rows} == {"all", "synapse"}
    ((_, part), _) = born(snapshot(crawl_id=6), history, load_software())
    oracle = KaplanMeierFitter().fit(part["age_d"], part["died"])
    for row in rows:
        if row[1] == "all":
            assert row[4] == pytest.approx(float(oracle.predict(row[3])))
            assert row[2] == 40
