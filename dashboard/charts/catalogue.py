"""Every chart by its name, which is its address: `/charts/NAME`, `/data/NAME.csv`, `/embed/NAME`."""

from dashboard.charts import growth, now
from dashboard.charts.chart import Chart

CHARTS: dict[str, Chart] = {chart.name: chart for chart in (*now.CHARTS, *growth.CHARTS)}
