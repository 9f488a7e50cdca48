"""A report as Markdown, for repositories, forums and whoever reads text. Charts are in the HTML file alone.

Apart from `analytics.report`, which says what is in it. Text that Markdown would take for markup is escaped: a
dimension may be text of a stranger.
"""

import re
from collections.abc import Iterable, Iterator

from analytics import wording
from analytics.report import Comparison, Report, Section, summary
from analytics.report_words import (
    CHANGES,
    NO_CORRECTION,
    OTHERS,
    SYNTHETIC,
    change_in_words,
    compared_with,
    figures_told,
    interval_in_words,
)
from crawler.errors import printable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@:])")


def markdown_report(report: Report) -> str:
    """The document."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# Matrix Census: the {report.period.value} to {wording.day(report.end.at)}"
    yield ""
    if report.synthetic:
        yield f"**Synthetic.** {SYNTHETIC}"
        yield ""
    yield _text(compared_with(report))
    yield ""
    yield "## In short"
    yield from _table([(f"{definition.title}: {_dimension(row)}", row) for definition, row in summary(report)])
    for section in report.sections:
        yield from _section(section)
    yield "## Changes"
    yield ""
    yield _text(CHANGES)
    yield ""
    yield "## What happened in the period"
    yield from _list(
        [f"{one.on}: {one.title} ({one.source}; {one.checked})" for one in report.events], "Nothing known."
    )
    yield "## What others published"
    yield ""
    yield OTHERS
    yield from _list(figures_told(report), "Nothing known.")
    yield "## Corrections"
    yield from _list(report.corrections, NO_CORRECTION)
    yield "## How to cite"
    yield ""
    yield _text(report.cite)


def _section(section: Section) -> Iterator[str]:
    yield f"## {_text(section.title)}"
    yield ""
    if section.mission is not None:
        yield _text(section.mission.definition)
        yield ""
    for part in section.parts:
        yield f"### {_text(part.definition.title)}"
        yield ""
        yield _text(part.definition.meaning)
        yield from _table([(_dimension(row), row) for row in part.rows])
        if part.more:
            yield f"and {wording.plural(part.more, 'more row')}: `matrix-census metrics --csv`"
            yield ""
        yield from (f"- {_text(method)}" for method in dict.fromkeys(row.now.method for row in part.rows))
        yield ""
    if section.mission is not None:
        yield f"Estimator: {_text(section.mission.estimator)}"
        yield from _list(section.mission.pitfalls, "")


def _table(rows: Iterable[tuple[str, Comparison]]) -> Iterator[str]:
    yield ""
    yield "| of what | now | unit | interval | then | change | grade | n | coverage |"
    yield "|---|---:|---|---|---:|---:|---|---:|---:|"
    for name, row in rows:
        cells = (
            name, wording.amount(row.now), row.now.unit, interval_in_words(row),
            "" if row.then is None else wording.amount(row.then), change_in_words(row), row.now.grade,
            wording.number(row.now.n), "" if row.now.coverage is None else wording.percent(row.now.coverage),
        )  # fmt: skip
        yield f"| {' | '.join(_text(cell) for cell in cells)} |"
    yield ""


def _list(lines: Iterable[str], none: str) -> Iterator[str]:
    yield ""
    items = [f"- {_text(line)}" for line in lines]
    yield from items or ([none] if none else [])
    yield ""


def _dimension(row: Comparison) -> str:
    return "in all" if row.now.dimension == "all" else printable(row.now.dimension)


def _text(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
