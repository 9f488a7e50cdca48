"""Durations as a person types them: `24h`, `30m`, `90s`, `7d`, or several parts (`1h30m`)."""

import re
from datetime import timedelta
from typing import Any

import click

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_WHOLE = re.compile(r"(?:\d{1,6}(?:\.\d{1,6})?[dhms])+", re.ASCII)
_PART = re.compile(r"([\d.]+)([dhms])", re.ASCII)


class Duration(click.ParamType[timedelta]):
    """A `timedelta`; more than nothing, unless `zero` is allowed."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        self._zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse."""
        if isinstance(value, timedelta):
            return value
        text = str(value)
        if not _WHOLE.fullmatch(text):
            self.fail(f"{text!r} is no duration; write for example 24h, 30m, 90s, 7d or 1h30m", param, ctx)
        parts = _PART.findall(text)
        duration = sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
        if not duration and not self._zero:
            self.fail("it must be longer than nothing", param, ctx)
        return duration
