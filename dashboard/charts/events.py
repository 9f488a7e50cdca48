"""What happened to the federation while the censuses of a chart were taken: marks beside its numbers, never in them.

From the table `annotation` of the serving file, which names who says so. Only what happened on the real network and
between the first and the last census on the picture: what moved the practice federation is no news.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time
from string import ascii_uppercase

import polars as pl

from dashboard.charts.chart import AT
from dashboard.data import View
from dashboard.figures.drawing import Event
from dashboard.figures.published import when_known

ANNOTATION = "annotation"
_EVENTS = """
SELECT happened_on, precision, title, source, checked FROM annotation WHERE kind = 'event' ORDER BY happened_on, title
"""


def events_beside(view: View, rows: pl.DataFrame) -> tuple[Event, ...]:
    """The events between the first and the last moment of `rows`, lettered from A; of too many the newest."""
    if AT not in rows.columns or rows.is_empty() or view.crawl.synthetic or not view.has_table(ANNOTATION):
        return ()
    first, last = rows[AT].min(), rows[AT].max()
    known = view.once("events", lambda: _events(view))
    beside = [told for told in known if first <= _moment(told[0]) <= last]  # type: ignore[operator]  # a column of times
    lettered = zip(ascii_uppercase, beside[-len(ascii_uppercase) :], strict=False)
    return tuple(
        Event(_moment(day), letter, title, when_known(day, precision), who_says(source, checked))
        for letter, (day, precision, title, source, checked) in lettered
    )


def _events(view: View) -> Sequence[tuple[date, str, str, str, str]]:
    with closing(view.reader.cursor()) as cursor:
        return cursor.execute(_EVENTS).fetchall()


def who_says(source: str, checked: str) -> str:
    """The source, and whether we have only others' word for it."""
    return source if checked == "read" else f"{source} (not read by us)"


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
