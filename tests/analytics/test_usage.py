"""Sums that servers report, as rows: of whom, how many they are, and what is not known."""

from collections.abc import Mapping

import polars as pl

from analytics.outside import USAGE_REPORTING_COLUMNS, USAGE_SUM_COLUMNS, Outside
from analytics.schemas import Grade, MetricRow
from analytics.usage import REPORTED_BRIDGED, REPORTED_USERS, REPORTING, RETAINED_USERS, usage
from tests.analytics.frames import empty_snapshot, snapshot


def rows(
    sums: Mapping[str, tuple[int, int]], reporting: list[tuple[str, bool, int]]
) -> dict[tuple[str, str], MetricRow]:
    """Of the small federation, in which six servers are online."""
    outside = Outside(
        usage=pl.DataFrame([(f, n, t) for f, (n, t) in sums.items()], schema=dict(USAGE_SUM_COLUMNS), orient="row"),
        reporting=pl.DataFrame(reporting, schema=dict(USAGE_REPORTING_COLUMNS), orient="row"),
    )
    return {(row.metric, row.dimension): row for row in usage(snapshot(outside=outside))}


def test_sums_with_how_much_of_the_federation_reports() -> None:
    found = rows(
        {"total_users": (3, 120), "total_nonbridged_users": (3, 90), "r30v2_users_all": (2, 30),
         "r30v2_users_web": (2, 0), "bridged_users": (2, 25), "daily_user_type_bridged": (3, 4)},
        [("address", True, 2), ("dns", True, 1), ("address", False, 5), ("none", True, 4), ("none", False, 6)],
    )  # fmt: skip
    native = found[REPORTED_USERS, "not bridged"]
    assert (native.value, native.n, native.coverage, native.grade) == (90, 3, 0.5, Grade.REPORTED)
    retained = found[RETAINED_USERS, "R30v2"]
    assert (retained.value, retained.n, retained.coverage, retained.grade) == (30, 2, 2 / 6, Grade.REPORTED)
    assert found[RETAINED_USERS, "R30v2, web"].value == 0
    assert (RETAINED_USERS, "R30v2, ios") not in found
    bridged = found[REPORTED_BRIDGED, "all"]
    assert (bridged.value, bridged.n, bridged.coverage) == (25, 2, 2 / 6)
    assert found[REPORTED_BRIDGED, "new in a day"].value == 4
    of = {dimension: row.value for (metric, dimension), row in found.items() if metric == REPORTING}
    assert of == {
        "summed": 3, "verified by address": 2, "verified by DNS": 1, "verified, not seen online": 5, "not verified": 10,
    }  # fmt: skip
    assert found[REPORTING, "summed"].coverage == 0.5


def test_sums_have_no_difference_however_equal_their_servers_are_in_number() -> None:
    found = rows({"total_users": (3, 120), "total_nonbridged_users": (3, 90)}, [("address", True, 4)])
    assert found[REPORTED_BRIDGED, "all"].value is None
    assert "both" in found[REPORTED_BRIDGED, "all"].method


def test_what_nobody_reports_is_not_known_and_not_zero() -> None:
    found = {(row.metric, row.dimension): row for row in usage(empty_snapshot())}
    for metric, dimension in ((REPORTED_USERS, "not bridged"), (RETAINED_USERS, "R30v2"), (REPORTED_BRIDGED, "all")):
        assert found[metric, dimension].value is None
    assert found[RETAINED_USERS, "R30v2"].grade is Grade.NOT_OBSERVABLE
    assert found[REPORTING, "summed"].value == 0
    assert found[REPORTING, "summed"].coverage is None
