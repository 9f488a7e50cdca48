"""A report as one HTML file that stands alone: no script, nothing loaded from anywhere, readable on paper.

Apart from `analytics.report`, which says what is in it. A dimension may be text of a stranger, so every text is
escaped, and the document forbids scripts and loading by its own policy.
"""

from collections.abc import Iterable, Iterator
from html import escape

from analytics import wording
from analytics.report import Comparison, Part, Report, Section, summary
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
from analytics.svg import STYLE
from crawler.errors import printable

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h3 { margin-bottom: 0; } .quiet { opacity: .72; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: 14px; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #8a939c55; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.warn { border: 2px solid #9a6700; padding: .5rem 1rem; } .beyond { font-weight: 600; }
@media print { body { max-width: none; } section { break-inside: avoid-page; } }
"""  # fmt: skip


def html_report(report: Report) -> str:
    """The document."""
    title = f"Matrix Census: the {report.period.value} to {wording.day(report.end.at)}"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title><style>{_STYLE}{STYLE}</style></head><body>",
            f"<h1>{_text(title)}</h1>",
            *_head(report),
            *(line for section in report.sections for line in _section(section)),
            *_tail(report),
            "</body></html>",
            "",
        )
    )


def _head(report: Report) -> Iterator[str]:
    if report.synthetic:
        yield f'<p class="warn"><strong>Synthetic.</strong> {SYNTHETIC}</p>'
    yield f"<p>{_text(compared_with(report))}</p>"
    yield "<h2>In short</h2>"
    rows = [(f"{definition.title}: {_dimension(row)}", row) for definition, row in summary(report)]
    yield from _table(rows)


def _section(section: Section) -> Iterator[str]:
    yield f"<section><h2>{_text(section.title)}</h2>"
    if section.mission is not None:
        yield f"<p>{_text(section.mission.definition)}</p>"
    if section.chart is not None:
        yield f"<h3>{_text(section.chart_title)}</h3>{section.chart}"
    for part in section.parts:
        yield from _part(part)
    if section.mission is not None:
        yield "<details><summary>Method</summary><ul>"
        yield f"<li>Estimator: {_text(section.mission.estimator)}</li>"
        yield f"<li>Denominator: {_text(section.mission.denominator)}; window: {_text(section.mission.window)}</li>"
        yield from (f"<li>Where it misleads: {_text(pitfall)}</li>" for pitfall in section.mission.pitfalls)
        yield from (f"<li>Reference: {_text(reference)}</li>" for reference in section.mission.references)
        yield "</ul></details>"
    yield "</section>"


def _part(part: Part) -> Iterator[str]:
    yield f"<h3>{_text(part.definition.title)}</h3>"
    yield f'<p class="quiet">{_text(part.definition.meaning)}</p>'
    yield from _table([(_dimension(row), row) for row in part.rows])
    if part.more:
        yield f'<p class="quiet">and {wording.plural(part.more, "more row")}: matrix-census metrics --csv</p>'
    methods = dict.fromkeys(row.now.method for row in part.rows)
    yield "<details><summary>How these numbers come about</summary><ul>"
    yield from (f"<li>{_text(method)}</li>" for method in methods)
    yield "</ul></details>"


def _table(rows: Iterable[tuple[str, Comparison]]) -> Iterator[str]:
    yield (
        '<table><thead><tr><th>Of what</th><th class="n">Now</th><th>Unit</th><th>Interval</th><th class="n">Then</th>'
        '<th class="n">Change</th><th>Grade</th><th class="n">n</th><th class="n">Coverage</th></tr></thead><tbody>'
    )
    for name, row in rows:
        then = "" if row.then is None else wording.amount(row.then)
        cells = (
            f"<td>{_text(name)}</td>",
            f'<td class="n">{_text(wording.amount(row.now))}</td>',
            f"<td>{_text(row.now.unit)}</td>",
            f"<td>{_text(interval_in_words(row))}</td>",
            f'<td class="n">{_text(then)}</td>',
            f'<td class="n{" beyond" if row.beyond_interval else ""}">{_text(change_in_words(row))}</td>',
            f"<td>{_text(row.now.grade)}</td>",
            f'<td class="n">{_text(wording.number(row.now.n))}</td>',
            f'<td class="n">{_text("" if row.now.coverage is None else wording.percent(row.now.coverage))}</td>',
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _dimension(row: Comparison) -> str:
    return "in all" if row.now.dimension == "all" else printable(row.now.dimension)


def _tail(report: Report) -> Iterator[str]:
    yield f"<h2>Changes</h2><p>{_text(CHANGES)}</p>"
    yield "<h2>What happened in the period</h2>"
    yield from _list(
        [f"{one.on}: {one.title} ({one.source}; {one.checked})" for one in report.events], "Nothing known."
    )
    yield "<h2>What others published</h2>"
    yield f"<p>{OTHERS}</p>"
    yield from _list(figures_told(report), "Nothing known.")
    yield "<h2>Corrections</h2>"
    yield from _list(report.corrections, NO_CORRECTION)
    yield f"<h2>How to cite</h2><p>{_text(report.cite)}</p>"
    written = f"Written {wording.moment(report.made_at)} from snapshot {report.snapshot_id}."
    yield f'<p class="quiet">{_text(written)}</p>'


def _list(lines: Iterable[str], none: str) -> Iterator[str]:
    items = [f"<li>{_text(line)}</li>" for line in lines]
    yield f"<ul>{''.join(items)}</ul>" if items else f"<p>{_text(none)}</p>"


def _text(text: str) -> str:
    return escape(text)
