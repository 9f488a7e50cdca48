"""The pictures of a report, as a browser draws them in either scheme: lines are lines, and each has its own colour."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from analytics.estimate import IntervalKind
from analytics.svg import LINES_MAX, STYLE, Line, Point, line_chart

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)

DRAWN = """() => [...document.querySelectorAll('svg.chart polyline')].map(line => {
    const style = getComputedStyle(line)
    return [style.fill, style.stroke]
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_line_is_filled_and_each_has_its_own_colour(browser: Browser, tmp_path: Path, scheme: str) -> None:
    lines = [
        Line(f"line {number}", tuple(Point(BEGIN + timedelta(days=day), day * number, None, None) for day in range(4)),
             IntervalKind.NONE)
        for number in range(LINES_MAX)
    ]  # fmt: skip
    page_file = tmp_path / "report.html"
    page_file.write_text(f"<!doctype html><style>{STYLE}</style>{line_chart('lines', 'servers', lines)}", "utf-8")
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    try:
        page.goto(page_file.as_uri())
        drawn = page.evaluate(DRAWN)
    finally:
        page.close()
    assert len(drawn) == LINES_MAX
    assert {fill for fill, _ in drawn} == {"none"}
    assert len({stroke for _, stroke in drawn} - {"none"}) == LINES_MAX
