"""A report says what the stored rows say, compares with the census it names, and lets no stranger's text act."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from analytics.cli_report import report as verb
from analytics.estimate import IntervalKind
from analytics.funnel import SERVERS, funnel
from analytics.load_stored import load_metric_rows
from analytics.reference import load_annotations
from analytics.report import Comparison, Period, Report, build_report, first_census, summary
from analytics.report_html import html_report
from analytics.report_markdown import markdown_report
from analytics.schemas import METRIC_COLUMNS, MetricRow
from analytics.software import BY_LINEAGE
from analytics.svg import Event, Line, Point, line_chart
from crawler.errors import StoreError, UsageError
from tests.analytics.frames import SEALED, snapshot
from tests.dashboard.federation import publish, write_census

EVIL = "<script>alert(1)</script> | [x](javascript:1)\x1b[2J\u202e"


def row(value: float | None, lo: float | None = None, hi: float | None = None, **changes: object) -> MetricRow:
    kind = IntervalKind.NONE if lo is None and hi is None else IntervalKind.CONFIDENCE
    made = snapshot().row(
        SERVERS, "online", value, lo=lo, hi=hi, interval_kind=kind, n=10, coverage=1.0, unit="servers",
        denominator="servers visited", method="Counted.",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def frame(rows: list[MetricRow]) -> pl.DataFrame:
    return pl.DataFrame([each.as_tuple() for each in rows], schema=list(METRIC_COLUMNS), orient="row")


def federation_report(then: bool = True) -> Report:
    now = [*funnel(snapshot(crawl_id=2)), row(7, metric=BY_LINEAGE, dimension=EVIL, snapshot=2)]
    month_ago = SEALED - timedelta(days=31)
    before = [replace(each, value=each.value and each.value + 2, lo=None, hi=None, interval_kind=IntervalKind.NONE,
                      snapshot=1, at=month_ago) for each in now]  # fmt: skip
    return build_report(
        frame([*before, *now] if then else now), now, before if then else (), load_annotations(), period=Period.MONTH,
        snapshot_id="census-000002", made_at=datetime(2026, 11, 24, tzinfo=UTC),
        corrections=("2026-11-01, servers: was one too high.",),
    )  # fmt: skip


def test_the_period_begins_with_a_census_old_enough() -> None:
    censuses = [(number, SEALED + timedelta(days=10 * number)) for number in range(1, 6)]
    assert first_census(censuses, Period.MONTH) == 2
    assert first_census(censuses, Period.QUARTER) is None
    assert first_census([], Period.YEAR) is None


@pytest.mark.parametrize(
    ("then", "now", "change", "beyond"),
    [
        (row(10), row(12), 2, None),
        (row(10, 9, 11), row(12, 11.5, 13), 2, True),
        (row(10, 9, 11), row(12, 11, 13), 2, False),
        (row(12, 11.5, 13), row(10, 9, 11), -2, True),
        (row(10, 9, None), row(12, 11.5, 13), 2, None),
        (row(None), row(12), None, None),
        (None, row(12), None, None),
    ],
)
def test_a_change_is_beyond_where_two_closed_intervals_do_not_meet(
    then: MetricRow | None, now: MetricRow, change: float | None, beyond: bool | None
) -> None:
    compared = Comparison(now, then)
    assert compared.change == change
    assert compared.beyond_interval is beyond


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_html_stands_alone_and_holds_no_script() -> None:
    text = html_report(federation_report())
    elements = Elements()
    elements.feed(text)
    names = {tag for tag, _ in elements.tags}
    assert "svg" in names
    assert not names & {"script", "iframe", "link", "img", "object", "base", "form"}
    for _, attributes in elements.tags:
        assert not set(attributes) & {"href", "src", "onload", "onclick", "action"}
    assert "alert(1)" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    for said in ("Synthetic", "How to cite", "census-000002", "was one too high", "44 100 000".replace(" ", "\u202f")):
        assert said in text


def test_the_markdown_says_the_same_and_escapes_markup() -> None:
    report = federation_report()
    text = markdown_report(report)
    assert "Synthetic" in text
    evil = next(line for line in text.splitlines() if "script" in line)
    assert len(re.findall(r"(?<!\\)\|", evil)) == 10  # nine cells
    assert "\\<script\\>" in evil
    assert "](" not in evil
    for _, compared in summary(report):
        assert compared.now.method.split(":", maxsplit=1)[0] in text


def test_without_an_older_census_nothing_is_compared() -> None:
    report = federation_report(then=False)
    assert report.begin is None
    assert all(each.change is None for section in report.sections for part in section.parts for each in part.rows)
    assert "No census is 30 d older" in html_report(report)


def test_a_chart_has_gaps_bands_and_events_where_they_are() -> None:
    at = [SEALED + timedelta(days=day) for day in range(5)]
    line = Line(
        "on & on",
        (Point(at[0], 1, 0.5, 2), Point(at[1], 2, 1, 3), Point(at[2], None, None, None), Point(at[3], 4, 3, 5),
         Point(at[4], 3, None, None)),
        IntervalKind.CONFIDENCE,
    )  # fmt: skip
    drawn = line_chart(
        "A & B", "servers", [line], [Event(at[2].date(), "<b>"), Event(SEALED.date().replace(year=2000), "x")]
    )
    assert drawn is not None
    assert drawn.count("<polyline") == 2
    assert drawn.count("<polygon") == 1
    assert drawn.count('class="event"') == 1
    assert "&lt;b&gt;" in drawn
    assert "on &amp; on" in drawn
    heights = [float(pair.split(",")[1]) for pair in re.findall(r'points="([^"]*)"', drawn)[1].split()]
    assert heights[0] > heights[1]  # 1, then 2: higher up
    assert line_chart("one point", "servers", [Line("x", line.points[:1], IntervalKind.NONE)]) is None


def test_the_verb_writes_both_files_from_a_real_census(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=12)
    serving = publish(census)
    done = CliRunner().invoke(verb, ["--db", str(census), "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    text = Path(told["html"]).read_text("utf-8")
    online = next(each for each in load_metric_rows(serving, 1) or () if each.dimension == "online")
    assert f">{online.value:.0f}</td>" in text
    assert Path(told["markdown"]).read_text("utf-8").startswith("# Matrix Census")
    with pytest.raises(UsageError, match="no numbers of census 9"):
        CliRunner().invoke(verb, ["--db", str(census), "--census", "9"], catch_exceptions=False)
    with pytest.raises(StoreError, match="there is no census file"):
        CliRunner().invoke(verb, ["--db", str(tmp_path / "none.duckdb")], catch_exceptions=False)
