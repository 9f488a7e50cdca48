"""Frames and rows to figures, pure: no query, no request, no clock. One module for each chart.

- `template`         how every chart looks, light and dark
- `funnel`           servers by predicate
- `implementations`  online servers by what they run
"""
