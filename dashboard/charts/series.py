"""Questions about metric rows over time: the table `metric` of a serving file, of the newest census's series.

Their answers have the same columns, so that one drawing and one description serve them all.
"""

from collections.abc import Sequence

from dashboard.charts.chart import AT, Column

COLUMNS = (
    Column(AT, "seal of the census, UTC"),
    Column("census", "number of the census"),
    Column("line", "what the number is of; one line of the picture for each"),
    Column("value", "the number; empty when it is not known, which is not zero"),
    Column("lo", "lower end of its interval; empty when it is open or there is none"),
    Column("hi", "upper end, likewise"),
    Column("interval", "what the interval is: confidence, bounds, scenario or none"),
    Column("n", "how many units the number rests on"),
    Column("coverage", "share, 0 to 1, of the units to be looked at that were; empty when there were none"),
)

NOW_COLUMNS = tuple(column for column in COLUMNS if column.name not in (AT, "census"))

SHARE = Column("share", "value divided by n")

SAME_SERIES = "c.series_id = (SELECT series_id FROM census ORDER BY crawl_id DESC LIMIT 1)$until"
"""Censuses of other vantages are not joined by a line; `$until` as in `chart.as_of`."""

NEWEST = "m.snapshot = $census"


def reworded(columns: Sequence[Column], **meanings: str) -> tuple[Column, ...]:
    """The same columns, of which some mean something more exact: `reworded(COLUMNS, n="rooms that ...")`."""
    return tuple(Column(column.name, meanings.get(column.name, column.meaning)) for column in columns)


def over_time(condition: str, *, line: str = "m.dimension", lo: str = "m.lo", more: str = "") -> str:
    """Metric rows of all censuses of the series.

    Args:
        condition: Which rows, in SQL on `m`.
        line: What names the line, likewise.
        lo: The lower end of the interval, likewise.
        more: A further column, likewise, after a comma.
    """
    return f"""
SELECT m.at, m.snapshot AS census, {line} AS line, m.value, {lo} AS lo, m.hi, m.interval_kind AS "interval", m.n,
    m.coverage{more}
FROM metric m JOIN crawl c ON c.crawl_id = m.snapshot
WHERE {condition} AND {SAME_SERIES}
ORDER BY m.snapshot, line
"""  # noqa: S608 - texts of ours


def series(
    metric: str,
    dimensions: Sequence[str] | None = None,
    *,
    where: str = "",
    line: str = "m.dimension",
    share: bool = False,
    more: str = "",
) -> str:
    """The rows of one metric in all censuses of the series.

    Args:
        metric: The metric.
        dimensions: These alone; None: all.
        where: A further condition on `m`, in SQL.
        line: What names the line, in SQL on `m`.
        share: Whether to tell, as a column more, the value divided by n.
        more: A further column, in SQL on `m`, after a comma.
    """
    conditions = [f"m.metric = {literal(metric)}"]
    if dimensions is not None:
        conditions.append(f"m.dimension IN ({', '.join(map(literal, dimensions))})")
    if where:
        conditions.append(where)
    return over_time(" AND ".join(conditions), line=line, more=f"{_SHARE if share else ''}{more}")


def newest(metric: str, *, where: str = "") -> str:
    """The rows of a metric in the newest census, in their own order."""
    return f"""
SELECT m.dimension AS line, m.value, m.lo, m.hi, m.interval_kind AS "interval", m.n, m.coverage
FROM metric m
WHERE m.metric = {literal(metric)} AND {NEWEST}{f" AND {where}" if where else ""}
ORDER BY m.rowid
"""  # noqa: S608 - texts of ours


_SHARE = ", m.value / nullif(m.n, 0) AS share"


def literal(text: str) -> str:
    """A text as SQL spells it."""
    return "'" + text.replace("'", "''") + "'"
