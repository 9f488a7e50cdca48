"""The sentences of a report, the same in HTML and in Markdown. Plain text: whoever writes it down escapes it."""

from analytics import wording
from analytics.report import Comparison, Report

OTHERS = "For comparison only: they count other things in other ways, and are joined to no number above."
NO_CORRECTION = "Of numbers published earlier none is known to be wrong."
SYNTHETIC = "Counted in the practice federation; it says nothing about the real one."

CHANGES = (
    "Changes are differences of two censuses and not scaled to another length. A star: the intervals of both do not "
    "meet. Without a star a change may be chance, and where an interval is open or missing nothing can be said of it."
)


def compared_with(report: Report) -> str:
    """Which censuses a report is of, in a sentence or two."""
    end = f"Census {report.end.snapshot}, sealed {wording.moment(report.end.at)}"
    if report.begin is None:
        return (
            f"{end}. No census is {report.period.days} d older, so that there is nothing to compare with; "
            f"{wording.plural(report.censuses, 'census', 'censuses')} in the period."
        )
    return (
        f"{end}, compared with census {report.begin.snapshot}, sealed {wording.moment(report.begin.at)}: the last that "
        f"is at least {report.period.days} d older. "
        f"{wording.plural(report.censuses, 'census', 'censuses')} in the period, both included."
    )


def interval_in_words(row: Comparison) -> str:
    """The interval with its kind; `none` where there is none."""
    said = wording.interval(row.now)
    return f"{said}, {row.now.interval_kind}" if said and "scenario" not in said else said or "none"


def change_in_words(row: Comparison) -> str:
    """`+12`, `-0.04`; with a star where it is beyond both intervals."""
    if row.change is None:
        return ""
    sign = "+" if row.change > 0 else "\N{MINUS SIGN}" if row.change < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{wording.fine(abs(row.change))}{' *' if row.beyond_interval else ''}"


def events_told(report: Report) -> list[str]:
    """What happened in the period, a line each."""
    return [f"{one.on}: {one.title} ({one.source}; {one.checked})" for one in report.events]


def figures_told(report: Report) -> list[str]:
    """What others published, a line each."""
    return [
        f"{one.on}: {one.title}: {wording.number(one.value)} {one.unit or ''} ({one.source}; {one.checked})"
        for one in report.figures
    ]
