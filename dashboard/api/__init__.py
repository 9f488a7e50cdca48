"""Answers for programs, under /api/v1. Keys are added later, never renamed.

- `check`   one server, looked at now
- `health`  is the dashboard up, and what census does it show
"""
