"""Figures draw the numbers that they are given, and nothing else."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from analytics.funnel import Predicate, funnel
from analytics.language import UNDETERMINED
from analytics.reference import load_languages, load_software
from analytics.schemas import MetricRow
from analytics.software import BY_SOFTWARE, software
from analytics.wording import THIN_SPACE
from dashboard.charts.discovery import language
from dashboard.choices import Chosen
from dashboard.figures.cohorts import Cohorts
from dashboard.figures.count_bars import CountBars
from dashboard.figures.curves import Curves
from dashboard.figures.drawing import Look
from dashboard.figures.funnel import funnel_figure, funnel_text
from dashboard.figures.implementations import Named, implementations_figure, implementations_text
from dashboard.figures.lines import Line, Lines, fixed
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


def curve_rows(line: str, *points: tuple[float, float, float | None, float | None]) -> pl.DataFrame:
    records = [(line, *point) for point in points]
    return pl.DataFrame(records, schema=["line", "x", "value", "lo", "hi"], orient="row")


def test_a_curve_of_steps_holds_its_value_and_says_nothing_beyond_its_end() -> None:
    """By hand: everybody alive until day 10, 80 % from then on, watched until day 40."""
    rows = curve_rows("all", (0.0, 1.0, None, None), (10.0, 0.8, 0.4, 0.9), (40.0, 0.8, 0.4, 0.9))
    curves = Curves(fixed(all=Line("all")), "days", (5, 30, 90), steps=True, point_words="after {} days")
    look = Look(Scheme.LIGHT)
    assert [(row[1], row[2]) for row in curves.digest(rows, look).rows] == [
        ("5", f"100.0{THIN_SPACE}%"), ("30", f"80.0{THIN_SPACE}%"), ("40", f"80.0{THIN_SPACE}%"),
    ]  # fmt: skip
    assert curves.sentence(rows, look).startswith("All, after 5 days: 100.0")
    band = next(trace for trace in curves.figure(rows, look).data if trace.fill == "toself")
    assert list(band.x) == [10, 40, 40, 40, 40, 10]
    assert list(band.y) == [0.9, 0.9, 0.9, 0.4, 0.4, 0.4]


def test_a_curve_of_shares_is_straight_between_its_points() -> None:
    """Of three holders of 1, 1 and 2 the lower half holds 3/8."""
    rows = curve_rows("s", *((k / 3, held, None, None) for k, held in enumerate((0, 0.25, 0.5, 1.0))))
    curves = Curves(fixed(s=Line("servers")), "holders", (0.5, 0.9), diagonal=True)
    assert curves.digest(rows, Look(Scheme.LIGHT)).rows[0][1:3] == (f"50.0{THIN_SPACE}%", f"37.5{THIN_SPACE}%")


def test_bands_that_would_hide_each_other_are_told_and_not_drawn() -> None:
    """Nor do they make the axis longer."""
    at = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2)]
    rows = pl.DataFrame(
        {"at": at, "census": [1, 2], "line": "a", "value": 0.1, "lo": 0.05, "hi": 0.2, "interval": "confidence",
         "n": 10, "coverage": 1.0}
    )  # fmt: skip
    drawn, told = (Lines(fixed(a=Line("a", 0)), share=True, bands=bands) for bands in (True, False))
    look = Look(Scheme.LIGHT)
    assert len(drawn.figure(rows, look).data) == 2
    figure = told.figure(rows, look)
    assert len(figure.data) == 1
    assert figure.layout.yaxis.range[1] < 0.12
    assert told.digest(rows, look).rows == drawn.digest(rows, look).rows


def test_an_interval_of_one_census_alone_is_seen() -> None:
    rows = pl.DataFrame(
        {"at": [datetime(2026, 11, 1, tzinfo=UTC)], "census": [1], "line": "a", "value": 0.1, "lo": 0.05, "hi": 0.25,
         "interval": "confidence", "n": 10, "coverage": 1.0}
    )  # fmt: skip
    reach = Lines(fixed(a=Line("a", 0))).figure(rows, Look(Scheme.LIGHT)).data[0].error_y
    assert (reach.array[0], reach.arrayminus[0]) == pytest.approx((0.15, 0.05))


@pytest.mark.parametrize(("step", "tickformat"), [(0.5, ".0%"), (0.03, ".1%"), (0.003, ".2%"), (0.0002, ".3%")])
def test_the_ticks_of_a_share_have_the_digits_that_tell_them_apart(step: float, tickformat: str) -> None:
    at = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2)]
    rows = pl.DataFrame(
        {"at": at, "census": [1, 2], "line": "a", "value": [1 - step, 1.0], "lo": None, "hi": None, "interval": "none",
         "n": 10, "coverage": 1.0}
    )  # fmt: skip
    figure = Lines(fixed(a=Line("a", 0)), share=True).figure(rows, Look(Scheme.LIGHT))
    assert figure.layout.yaxis.tickformat == tickformat


def test_cohorts_of_unknown_age_are_kept_apart_and_months_to_come_are_empty() -> None:
    month = [date(2026, 9, 1), date(2026, 10, 1)]
    records = [
        (month[0], True, 80, 0, 80, 1.0, 0.95, 1.0),
        (month[0], True, 80, 1, 60, 0.75, 0.65, 0.83),
        (month[1], False, 4, 0, 3, 0.75, 0.3, 0.95),
    ]
    names = ["cohort", "from_first_census", "size", "age_months", "present", "value", "lo", "hi"]
    rows = pl.DataFrame(records, schema=names, orient="row")
    cells = Cohorts().figure(rows, Look(Scheme.DARK)).data[0]
    assert [list(line) for line in cells.z] == [[1.0, 0.75], [0.75, None]]
    assert Cohorts().sentence(rows, Look(Scheme.DARK)) == (
        f"Sep 2026, older, after 1 month: 75.0{THIN_SPACE}% (60 of 80); "
        f"Oct 2026, in that month: 75.0{THIN_SPACE}% (3 of 4)."
    )


def test_a_logarithmic_axis_says_that_it_has_no_zero() -> None:
    at = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2)]
    rows = pl.DataFrame(
        {"at": at, "census": [1, 2], "line": "a", "value": [0.0, 20.0], "lo": None, "hi": None, "interval": "none",
         "n": 10, "coverage": 1.0}
    )  # fmt: skip
    counted = Lines(fixed(a=Line("a", 0)))
    logarithmic = counted.figure(rows, Look(Scheme.LIGHT, Chosen(values={"scale": "log"}))).layout
    assert "no zero" in logarithmic.meta["note"]
    assert logarithmic.yaxis.type == "log"
    assert counted.figure(rows, Look(Scheme.LIGHT)).layout.meta["note"] == ""


def test_where_there_is_little_room_bars_say_less_and_whole_names_stay_known() -> None:
    rows = pl.DataFrame(
        {"line": ["a name that is long & <odd>", "b"], "value": [0.5, 0.25], "lo": [0.4, 0.2], "hi": [0.6, 0.3],
         "interval": "confidence", "n": 10, "coverage": 1.0}
    )  # fmt: skip
    figure = CountBars("name", share=True).figure(rows, Look(Scheme.LIGHT))
    meta = figure.layout.meta
    assert figure.layout.yaxis.ticktext[0] == "a name that is long &amp; &lt;odd&gt;  "
    assert meta["narrow"]["yaxis.ticktext"] == ["a name that is  <br>long &amp; &lt;odd&gt;  ", "b  "]
    assert figure.data[0].text[0] == f"50.0{THIN_SPACE}% (40.0{THIN_SPACE}% to 60.0{THIN_SPACE}%)"
    assert meta["narrow_text"] == [f"50.0{THIN_SPACE}%", f"25.0{THIN_SPACE}%"]
    assert meta["narrow"]["margin.r"] < figure.layout.margin.r


def test_every_language_that_can_be_told_has_a_name() -> None:
    known = {str(code) for code in LanguageIdentifier.from_model_file(MODEL_FILE).nb_classes} | {UNDETERMINED}
    assert set(load_languages()["language"]) == known
    assert [language(code) for code in ("de", "yue", "und", "q<>")] == ["German", "Cantonese", "not determined", "q<>"]
