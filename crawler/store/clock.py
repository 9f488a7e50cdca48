"""The time of day, as everything that writes it down is given it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Now: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)
