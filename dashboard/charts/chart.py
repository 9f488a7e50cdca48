"""A chart as one object: what it is called, the question it asks of a serving file, the columns of the answer, and how
they are drawn.

Everything that shows the chart is made from this object and the same rows: the figure, the sentence for those who do
not see it, the table beside it, the addresses `/data/NAME.csv` and `.json`, the embedded view. So none can say another
number than the picture. The question is one SQL text without parameters: what is printed under the chart is what ran,
and `matrix-census sql` gives anybody the same answer. Columns are only ever added, and keep their names.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from string import Template

import polars as pl

from dashboard.choices import Choice, Chosen
from dashboard.data import View
from dashboard.figures.drawing import Drawing

AT = "at"
"""The column of charts over time: the seal of the crawl."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer: its name, and what it means, with its unit and when it is empty."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    `name` is its address for ever. `unit`, `window` and `denominator` make the line under the title. `sql` may hold
    `$KEY` for each of `choices`, which becomes the value that was chosen, and what `as_of` puts in; `looks` are choices
    that change the picture and not the rows. `metrics` are those that it shows, for the page of methods; none where no
    number is ours. `absent` says why there may be nothing to draw, and what would fill it. `table` is what it asks
    above all: a file that was published before there was such a table has no rows of it. `newest_only`: that table is
    kept for the newest census alone, so there is nothing to draw of an earlier one.
    """

    name: str
    title: str
    unit: str
    window: str
    denominator: str
    sql: str
    columns: tuple[Column, ...]
    drawing: Drawing
    metrics: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    looks: tuple[Choice, ...] = ()
    absent: str = "No census has these numbers yet."
    table: str = "metric"
    newest_only: bool = False

    @property
    def method(self) -> str:
        """Where the page of methods tells of it: at its first metric, or under its own name."""
        return self.metrics[0] if self.metrics else self.name

    @property
    def over_time(self) -> bool:
        """Whether its rows are of moments, so that a range of days can be asked for."""
        return any(column.name == AT for column in self.columns)

    @property
    def controls(self) -> tuple[Choice, ...]:
        """All that can be chosen, but the days."""
        return self.choices + self.looks

    def query(self, chosen: Chosen, census: int | None = None) -> str:
        """The question as it runs, with what was chosen in it; `census` is the number of an earlier one."""
        values = {choice.key: _literal(chosen.of(choice), choice) for choice in self.choices}
        return as_of(self.sql, census, **values).strip()

    def rows(self, view: View, chosen: Chosen) -> pl.DataFrame:
        """The answer, of the days that were asked for. Blocking; asked once for each snapshot and choice."""
        sql = self.query(chosen, view.past)
        return within(view.once(("chart", sql), lambda: self._answer(view, sql)), chosen)

    def _answer(self, view: View, sql: str) -> pl.DataFrame:
        if not view.has_table(self.table):
            return pl.DataFrame(schema=dict.fromkeys((column.name for column in self.columns), pl.Null))
        with closing(view.reader.cursor()) as cursor:
            answer = pl.DataFrame(cursor.sql(sql))
        expected = [column.name for column in self.columns]
        if answer.columns != expected:
            raise ValueError(f"{self.name}: the answer has {answer.columns}, not {expected}")
        return answer


def as_of(sql: str, census: int | None, **values: str) -> str:
    """A question as it runs: `$census` is the one looked at, and `$until` ends a series there.

    Args:
        sql: The question.
        census: The number of an earlier census; None: the newest.
        values: What else stands in it after a `$`, spelt as SQL.
    """
    if census is None:
        return Template(sql).substitute(values, census="(SELECT max(crawl_id) FROM census)", until="")
    return Template(sql).substitute(values, census=str(census), until=f" AND c.crawl_id <= {census}")


def within(rows: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """The rows of the days asked for; of a chart that is not over time, all."""
    if AT not in rows.columns:
        return rows
    if chosen.since is not None:
        rows = rows.filter(pl.col(AT) >= datetime.combine(chosen.since, time(), UTC))
    if chosen.until is not None:
        rows = rows.filter(pl.col(AT) < datetime.combine(chosen.until, time(), UTC) + timedelta(days=1))
    return rows


def _literal(value: str, choice: Choice) -> str:
    """A value as SQL spells it. It is one of the choice's own, never a reader's text."""
    if not choice.holds(value):
        raise ValueError(f"{choice.key} cannot be {value!r}")
    return "'" + value.replace("'", "''") + "'"
