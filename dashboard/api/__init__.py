"""Answers for programs, under /api/v1, and the numbers of charts under /data. Keys are added later, never renamed.

- `data`    the numbers of each chart, as CSV and JSON
- `check`   one server, looked at now
- `health`  is the dashboard up, and what census does it show
"""
