"""What stands beside the censuses: figures that others published, and dated events, each with who says so."""

from dashboard.charts.chart import Chart, Column
from dashboard.charts.events import ANNOTATION
from dashboard.figures.published import Published

ELSEWHERE = Chart(
    name="published-elsewhere",
    title="What others published, and what happened",
    unit="users, servers or rooms, as each says",
    window="the day or month that each is of",
    denominator="",
    sql="""
SELECT happened_on, precision, kind, title, value, unit, source, checked FROM annotation ORDER BY happened_on, title
""",
    columns=(
        Column("happened_on", "day; the first of the month where only that is known"),
        Column("precision", "day or month"),
        Column("kind", "event or figure"),
        Column("title", "what happened, or what was counted"),
        Column("value", "the figure that was published; empty for an event"),
        Column("unit", "its unit; empty likewise"),
        Column("source", "who said so, and where"),
        Column("checked", "read: the source itself was read for this table; quoted: as others quote it"),
    ),
    drawing=Published(),
    metrics=(),
    absent="The published file has none; the next census brings them.",
    table=ANNOTATION,
)

CHARTS = (ELSEWHERE,)
