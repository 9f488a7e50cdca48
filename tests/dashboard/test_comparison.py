"""Two days of a chart beside each other: values, difference, and what the intervals allow, worked out by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import plotly.graph_objects as go
import polars as pl
import pytest

from analytics import wording
from dashboard.charts.series import COLUMNS
from dashboard.choices import SCALE, Chosen, parse, search
from dashboard.data import CensusSource
from dashboard.figures.comparison import comparison
from dashboard.figures.drawing import Look
from dashboard.figures.lines import Line, Lines, fixed
from dashboard.palette import Scheme
from dashboard.routing import render
from tests.dashboard.markup import find, text

LOOK = Look(Scheme.LIGHT)


def rows(*told: tuple[int, str, float | None, float | None, float | None]) -> pl.DataFrame:
    """Rows of (day of November, line, value, lo, hi)."""
    records = [
        (datetime(2026, 11, day, 3, 10, tzinfo=UTC), day, line, value, lo, hi, "confidence", 10, 1.0)
        for day, line, value, lo, hi in told
    ]
    frame = pl.DataFrame(records, schema=[column.name for column in COLUMNS], orient="row", infer_schema_length=None)
    return frame.with_columns(pl.col("value", "lo", "hi").cast(pl.Float64))


COUNTED = Lines(fixed(a=Line("a", 0), b=Line("b", 1)))


def test_each_day_is_its_last_census_or_the_one_before_it() -> None:
    frame = rows((1, "a", 10, None, None), (5, "a", 14, None, None), (9, "a", 7, None, None))
    told = comparison(COUNTED, frame, LOOK, date(2026, 11, 4), date(2026, 11, 9))
    assert told.headings[1:3] == ("4 Nov 2026", "9 Nov 2026")
    assert told.rows == (("a", "10", "7", "down 3 (−30.0 %)".replace(" %", "\u202f%"), ""),)


def test_the_difference_reaches_as_far_as_both_intervals_allow() -> None:
    frame = rows((1, "a", 100, 90, 110), (9, "a", 150, 140, 165), (1, "b", 100, 90, 110), (9, "b", 105, 95, 115))
    told = {row[0]: row for row in comparison(COUNTED, frame, LOOK, date(2026, 11, 1), date(2026, 11, 9)).rows}
    assert told["a"][1:3] == ("100 (90 to 110)", "150 (140 to 165)")
    assert told["a"][4] == "+30 to +75: a change"
    assert told["b"][4] == "−15 to +25: may be none"


def test_what_was_not_known_is_not_zero() -> None:
    frame = rows((1, "a", None, None, None), (9, "a", 5, None, None), (9, "b", 6, None, None))
    told = comparison(COUNTED, frame, LOOK, date(2026, 11, 1), date(2026, 11, 9))
    assert told.rows == (("a", "not known", "5", "not known", ""), ("b", "not known", "6", "not known", ""))


def test_shares_differ_by_points() -> None:
    frame = rows((1, "a", 0.5, 0.4, 0.6), (9, "a", 0.75, 0.7, 0.8))
    told = comparison(Lines(COUNTED.line_of, share=True), frame, LOOK, date(2026, 11, 1), date(2026, 11, 9)).rows[0]
    assert told[3:] == ("up 25.0 points", "+10.0 points to +40.0 points: a change")


def test_the_days_are_in_the_address() -> None:
    chosen = Chosen(compare=date(2026, 10, 3), compare_with=date(2026, 11, 3))
    assert search(chosen, (SCALE,)) == "?compare=2026-10-03&with=2026-11-03"
    assert parse({"compare": "2026-10-03", "with": "2026-11-03"}, (SCALE,)) == chosen
    assert parse({"with": "2026-11-03"}, ()) == Chosen(), "one day alone has nothing to be compared with"


@pytest.fixture(scope="module")
def source(history: Path) -> Iterator[CensusSource]:
    opened = CensusSource(history)
    yield opened
    opened.close()


def test_the_page_of_a_chart_compares(source: CensusSource) -> None:
    with source.view() as view:
        assert view is not None
        online = {crawl.id: crawl.online for crawl in view.reader.crawls()}
    page = render(source, "/charts/servers-online", "?compare=2026-11-15&from=2026-11-20", Scheme.LIGHT).content
    said = text(page)
    assert "Two days compared" in said
    assert f"online at least {online[2]} at least {online[4]} up {(online[4] or 0) - (online[2] or 0)}" in said
    assert find(page, "chart-servers-online-board-compare").value == "2026-11-15"
    assert "Two days compared" not in text(render(source, "/charts/servers-online", "", Scheme.LIGHT).content)


def test_what_differs_little_has_its_sign_and_size() -> None:
    shares = Lines(COUNTED.line_of, share=True)
    frame = rows((1, "a", 0.5, 0.4997, 0.5), (9, "a", 0.5003, 0.5001, 0.5004), (1, "b", 0.1, 0.1, 0.2))
    frame = pl.concat([frame, rows((9, "b", 0.1 + 1e-15, 0.1, 0.2))])
    told = comparison(shares, frame, LOOK, date(2026, 11, 1), date(2026, 11, 9)).rows
    assert told[0][3:] == ("up 0.03 points", "+0.01 points to +0.07 points: a change")
    assert told[1][3:] == ("unchanged", "−10.0 points to +10.0 points: may be none")


def test_the_picture_marks_the_censuses_that_are_compared(history: Path) -> None:
    source = CensusSource(history)
    with source.view() as view:
        assert view is not None
        sealed = [crawl.finished_at for crawl in view.censuses if crawl.finished_at]
    first, last = sealed[0].date(), sealed[-1].date()
    page = render(source, "/charts/servers-online", f"?compare={last}&with={first}", Scheme.DARK)
    picture = go.Figure(find(page.content, "servers-online").figure).layout
    assert [shape.x0 for shape in picture.shapes] == [f"{at:%Y-%m-%d %H:%M}" for at in (sealed[0], sealed[-1])]
    days = [wording.day(at) for at in (sealed[0], sealed[-1])]
    assert [note.text for note in picture.annotations if note.text in days] == days
    assert [note["text"] for note in picture.meta["narrow"]["annotations"]] == days
    before = render(source, "/charts/servers-online", "?compare=2020-01-01&with=2020-01-02", Scheme.DARK)
    assert find(before.content, "servers-online").figure["layout"]["shapes"] == []
    source.close()
