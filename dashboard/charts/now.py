"""The newest census in two charts: how far servers come, and what they run."""

from analytics.funnel import SERVERS
from analytics.software import BY_SOFTWARE
from dashboard.charts.chart import Chart
from dashboard.charts.series import NOW_COLUMNS, newest
from dashboard.data import software_reference
from dashboard.figures.funnel import FunnelDrawing
from dashboard.figures.implementations import ImplementationsDrawing

FUNNEL = Chart(
    name="funnel",
    title="From known to listing",
    unit="servers",
    window="newest census",
    denominator="all that anything named",
    sql=newest(SERVERS),
    columns=NOW_COLUMNS,
    drawing=FunnelDrawing(),
    metrics=(SERVERS,),
)

IMPLEMENTATIONS = Chart(
    name="implementations",
    title="What online servers run",
    unit="servers",
    window="newest census",
    denominator="online servers; one colour for each family of forks",
    sql=newest(BY_SOFTWARE),
    columns=NOW_COLUMNS,
    drawing=ImplementationsDrawing(software_reference),
    metrics=(BY_SOFTWARE,),
    absent="No server was online.",
)

CHARTS = (FUNNEL, IMPLEMENTATIONS)
