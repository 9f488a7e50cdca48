"""Implementations, lineages and versions, against counts made by hand from `tests.analytics.frames`."""

from analytics.reference import load_software
from analytics.schemas import MetricRow
from analytics.software import software
from tests.analytics.frames import empty_snapshot, observations, snapshot


def rows_of(metric: str, rows: list[MetricRow]) -> list[tuple[str, float | None]]:
    return [(row.dimension, row.value) for row in rows if row.metric == metric]


def test_counts_online_servers_by_implementation() -> None:
    rows = list(software(snapshot(), load_software()))
    assert rows_of("servers_by_software", rows) == [
        ("synapse", 2),
        ("conduit", 1),
        ("continuwuity", 1),
        ("matrix rooms search", 1),
        ("not said", 1),
    ]


def test_forks_of_one_origin_are_one_lineage() -> None:
    rows = list(software(snapshot(), load_software()))
    assert rows_of("servers_by_lineage", rows) == [
        ("conduit", 2),
        ("synapse", 2),
        ("matrix rooms search", 1),
        ("not said", 1),
    ]


def test_versions_keep_what_is_not_said_apart() -> None:
    rows = list(software(snapshot(), load_software()))
    assert rows_of("servers_by_version", rows) == [
        ("conduit (not said)", 1),
        ("continuwuity 0.5.0", 1),
        ("matrix rooms search 0.3.1", 1),
        ("not said", 1),
        ("synapse 1.120.0", 1),
        ("synapse 1.121.1", 1),
    ]


def test_different_implementations_leave_out_crawlers_and_the_silent() -> None:
    rows = list(software(snapshot(), load_software()))
    assert rows_of("implementations", rows) == [("all", 3)]  # synapse, conduit, continuwuity
    assert rows_of("lineages", rows) == [("all", 2)]  # synapse, conduit


def test_rows_of_one_metric_sum_to_the_online_servers_and_say_the_share_that_speaks() -> None:
    rows = list(software(snapshot(), load_software()))
    for metric, spoken in (("servers_by_software", 5), ("servers_by_lineage", 5), ("servers_by_version", 4)):
        of_metric = [row for row in rows if row.metric == metric]
        assert sum(row.value or 0 for row in of_metric) == 6
        assert {row.n for row in of_metric} == {6}
        assert {row.coverage for row in of_metric} == {spoken / 6}


def test_a_name_the_table_does_not_have_is_its_own_lineage_and_counts() -> None:
    servers = (("x.example", "online", False, False, "homegrown", "2", "denied"),)
    rows = list(software(snapshot(observations=observations(servers)), load_software()))
    assert rows_of("servers_by_lineage", rows) == [("homegrown", 1)]
    assert rows_of("implementations", rows) == [("all", 1)]


def test_servers_that_are_not_online_do_not_count() -> None:
    servers = (("x.example", "secure", False, False, "synapse", "1.0.0", "skipped"),)
    rows = list(software(snapshot(observations=observations(servers)), load_software()))
    assert rows_of("servers_by_software", rows) == []
    assert rows_of("implementations", rows) == [("all", 0)]


def test_an_empty_crawl_gives_no_rows_but_the_counts_and_a_diversity_that_is_not_known() -> None:
    rows = list(software(empty_snapshot(), load_software()))
    assert [(row.metric, row.value, row.coverage) for row in rows] == [
        ("implementations", 0, None),
        ("lineages", 0, None),
        *[("lineage_diversity", None, None)] * 3,
    ]
