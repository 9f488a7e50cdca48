"""Figures draw the numbers that they are given, and nothing else."""

from typing import Any

import pytest

from analytics.funnel import Predicate, funnel
from analytics.reference import load_software
from analytics.schemas import MetricRow
from analytics.software import BY_SOFTWARE, software
from dashboard.figures.funnel import funnel_figure, funnel_text
from dashboard.figures.implementations import Named, implementations_figure, implementations_text
from dashboard.palette import PALETTES, Scheme
from tests.analytics.frames import empty_snapshot, observations, snapshot

REFERENCE = {
    row["software"]: Named(row["display_name"], row["lineage"]) for row in load_software().iter_rows(named=True)
}


def by_software(*servers: tuple[str | None, int]) -> list[MetricRow]:
    """Rows for so many online servers of each name."""
    visited = tuple(
        (f"s{i}.{name}.example", "federating", True, False, name, "1", "denied")
        for name, count in servers
        for i in range(count)
    )
    rows = software(snapshot(observations=observations(visited)), load_software())
    return [row for row in rows if row.metric == BY_SOFTWARE]


def drawn(figure: Any) -> dict[str, float]:
    """Label of a bar -> its length."""
    labels = [label.strip() for label in figure.layout.yaxis.ticktext]
    return dict(zip(labels, figure.data[0].x, strict=True))


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_funnel_draws_each_predicate(scheme: Scheme) -> None:
    rows = list(funnel(snapshot()))
    figure = funnel_figure(rows, scheme)
    assert drawn(figure) == {row.dimension: row.value for row in rows}
    assert list(drawn(figure)) == list(Predicate)
    assert set(figure.data[0].marker.color) == {PALETTES[scheme].accent}


def test_bars_start_at_zero() -> None:
    assert funnel_figure(list(funnel(snapshot())), Scheme.LIGHT).layout.xaxis.range[0] == 0


def test_what_is_not_known_has_no_bar_and_says_so() -> None:
    figure = funnel_figure(list(funnel(snapshot(signed=False))), Scheme.LIGHT)
    place = list(drawn(figure)).index("accepting")
    assert (figure.data[0].x[place], figure.data[0].text[place]) == (0, "not known")


def test_acceptance_says_of_how_many_it_is_known() -> None:
    figure = funnel_figure(list(funnel(snapshot())), Scheme.LIGHT)
    assert figure.data[0].text[list(drawn(figure)).index("accepting")] == "3 · of 4 that told"


def test_an_empty_funnel_is_drawn() -> None:
    rows = list(funnel(empty_snapshot()))
    assert set(drawn(funnel_figure(rows, Scheme.DARK)).values()) == {0}
    assert funnel_text(rows) == "No server was known."


def test_the_funnel_in_a_sentence() -> None:
    assert funnel_text(list(funnel(snapshot()))) == (
        "Of 10 servers that were named, 6 are online and 5 of these federate."
    )


def test_a_lineage_has_its_colour_whatever_its_rank() -> None:
    palette = PALETTES[Scheme.LIGHT]
    for rows in (by_software(("synapse", 3), ("tuwunel", 1)), by_software(("tuwunel", 3), ("synapse", 1))):
        figure = implementations_figure(rows, REFERENCE, Scheme.LIGHT)
        colours = dict(zip(drawn(figure), figure.data[0].marker.color, strict=True))
        assert colours == {"Synapse": palette.lineage("synapse"), "Tuwunel": palette.lineage("conduit")}


def test_rare_names_become_other_and_none_is_dropped() -> None:
    rows = by_software(*((f"own{i}", 20 - i) for i in range(12)), (None, 1))
    bars = drawn(implementations_figure(rows, REFERENCE, Scheme.LIGHT))
    assert len(bars) == 8
    assert "not said" in bars
    assert bars["other (6)"] == sum(20 - i for i in range(6, 12))
    assert sum(bars.values()) == rows[0].n


def test_few_names_leave_no_other() -> None:
    bars = drawn(implementations_figure(by_software(("synapse", 2), ("dendrite", 1)), REFERENCE, Scheme.LIGHT))
    assert bars == {"Synapse": 2, "Dendrite": 1}


def test_remote_names_are_escaped_for_plotly_and_kept_short() -> None:
    rows = by_software(("<a href='javascript:alert(1)'>x</a>&" * 3, 1), ("\u202eevil", 1))
    labels = list(drawn(implementations_figure(rows, REFERENCE, Scheme.LIGHT)))
    assert not any("<" in label or "\u202e" in label for label in labels)
    assert any(label.startswith("&lt;a href=") for label in labels)


def test_no_online_server_is_drawn_and_said() -> None:
    assert drawn(implementations_figure([], REFERENCE, Scheme.LIGHT)) == {}
    assert implementations_text([], REFERENCE) == "No online server says what it runs."


def test_implementations_in_a_sentence() -> None:
    rows = by_software(("synapse", 3), ("dendrite", 1))
    assert implementations_text(rows, REFERENCE).startswith("Synapse runs on 3 of 4 online servers (75.0")


@pytest.mark.parametrize("scheme", list(Scheme))
def test_figures_name_no_other_host(scheme: Scheme) -> None:
    rows = by_software(("synapse", 3))
    for figure in (implementations_figure(rows, REFERENCE, scheme), funnel_figure(list(funnel(snapshot())), scheme)):
        assert "http" not in figure.to_json()
