"""How fast servers are visited just now, and how long the rest will take at that. Pure; times are trio's, in seconds.

The rate is that of the last minute, not of the whole crawl: a crawl ends slower than it begins, because the silent are
waited for last. So what is left to do is told as an estimate and as nothing more.
"""

from collections import deque

WINDOW_S = 60.0

LEAST_S = 2.0
"""A rate over less time says nothing."""


class RecentRate:
    """Visits a second over the last minute."""

    def __init__(self, now: float, visited: int = 0) -> None:
        self._points: deque[tuple[float, int]] = deque([(now, visited)])

    def note(self, now: float, visited: int) -> None:
        """So many were visited by now."""
        if now > self._points[-1][0]:
            self._points.append((now, visited))
        while len(self._points) > 2 and self._points[1][0] <= now - WINDOW_S:
            self._points.popleft()

    @property
    def per_s(self) -> float | None:
        """None while nothing can be said yet."""
        (began, first), (ended, last) = self._points[0], self._points[-1]
        return (last - first) / (ended - began) if ended - began >= LEAST_S else None

    def eta_s(self, left: int) -> float | None:
        """How long `left` servers take at this rate; None: nothing can be said."""
        return left / self.per_s if self.per_s else None
