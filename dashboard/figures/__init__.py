"""Frames and rows to figures, pure: no query, no request, no clock. One module for each chart.

- `drawing`          what every drawing of a chart offers
- `template`         how every chart looks, light and dark
- `lines`            numbers over time, with bands; `curves` over something else, `count_bars` side by side
- `cohorts`          what is left, month by month
- `published`        figures of others, each by itself
- `flow`, `world_map`  where servers fall out, where they are
- `sparkline`, `uptime`  small pictures without a script
- `funnel`           servers by predicate
- `implementations`  online servers by what they run
"""
