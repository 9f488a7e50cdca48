"""Every chart by its name, which is its address: `/charts/NAME`, `/data/NAME.csv`, `/embed/NAME`."""

from dashboard.charts import (
    bridges,
    decentralisation,
    developers,
    discovery,
    finding,
    growth,
    health,
    lasting,
    now,
    published,
    signal,
    software,
    spec,
)
from dashboard.charts.chart import Chart

_MODULES = (
    now,
    growth,
    lasting,
    software,
    decentralisation,
    bridges,
    signal,
    discovery,
    finding,
    spec,
    developers,
    health,
    published,
)

CHARTS: dict[str, Chart] = {chart.name: chart for module in _MODULES for chart in module.CHARTS}
