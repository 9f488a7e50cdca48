"""Places that were silent a moment ago: many names lead to one dead machine, and one of them has to find out.

Kept for half a minute only. Whoever would have waited longer than the one who found out waits for themselves.
"""

import trio

from crawler.errors import Failure

KEPT_S = 30.0
MOST = 4096
"""Places kept; the oldest are forgotten first."""


class Silences:
    """(address, port) -> who waited for how long, until when, in vain."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[float, float, Failure]] = {}

    def known(self, place: tuple[str, int], patience_s: float) -> Failure | None:
        """The failure of who waited there lately, for as long as `patience_s` or longer."""
        at, waited_s, failure = self._kept.get(place, (float("-inf"), 0.0, None))
        return failure if waited_s >= patience_s and trio.current_time() - at < KEPT_S else None

    def keep(self, place: tuple[str, int], waited_s: float, failure: Failure) -> None:
        """Nobody answered there for `waited_s`."""
        self._kept.pop(place, None)
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[place] = trio.current_time(), waited_s, failure

    def forget(self) -> None:
        """It may have been us who heard nothing."""
        self._kept.clear()
