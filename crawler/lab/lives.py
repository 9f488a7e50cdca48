"""What is drawn once of a server's or a room's life, as rows of days on which something happens.

Apart from `days`, which looks a day up in it: a federation that is looked at day after day draws each life once.
Drawing begins on day 0 and goes on for as long as it must; what is drawn for a later day begins as for an earlier one.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crawler.lab.deaths import DEATHS, Death
from crawler.lab.dice import dice, share
from crawler.lab.plan import ServerPlan
from crawler.model.discovery import Branch

_UP_DAYS = 300.0
"""Mean length of a time of being up."""
_DOWN_DAYS = 9.0
_FINAL_SHARE = 0.4
"""Of the times that a server goes down: it does not come back."""
_RESURRECTED_SHARE = 0.15
"""Of those dead on day 0: they return one day."""
_RESURRECTION_DAYS = 200.0
_NEVER_UPGRADED_SHARE = 0.25
_LAG_MEDIAN_DAYS = 11.0

ROOM_STEP_DAYS = 20
"""A room's members change once in so many days: one room in twenty on any day."""
_ROOM_LIFE_DAYS = 1500.0
"""Mean time until a room is taken out of its directory."""
_RENAMED_AFTER_DAYS = 900.0

_DRAWN_AHEAD_DAYS = 400
"""Lives are drawn so far beyond the day that is asked for."""

_KEEPS_THE_NAME = frozenset(DEATHS) - {
    Death.SPECIAL_ADDRESS,
    Death.PORT_REFUSES,
    Death.PORT_SILENT,
}
"""Deaths that can come to any server: the others are a matter of how it was set up, down to its very name."""


@dataclass(frozen=True, slots=True)
class ServerLife:
    """`ends` are the days until which the states last that stand at the same place of `states`: dead how, or None for
    alive. `lag_days` is how long after a release the server runs it; None: it never does."""

    ends: tuple[float, ...]
    states: tuple[Death | None, ...]
    lag_days: float | None

    def state(self, day: int) -> Death | None:
        return self.states[bisect_right(self.ends, day)]


@dataclass(frozen=True, slots=True)
class RoomLife:
    """`growth` is by which share its members change each time, `phase_days` when in their turn; `left_at` the day after
    which its directory no longer has it; `renamed_at` the days on which it gets another name."""

    growth: float
    phase_days: int
    left_at: float
    renamed_at: tuple[float, ...]


class Lives:
    """The lives of one federation; each is drawn when it is first asked for, and kept.

    Args:
        seed: the federation's.
        weights: of the deaths that servers die.
    """

    def __init__(self, seed: int, weights: Mapping[Death, float]) -> None:
        self._seed = seed
        self._weights = weights
        self._servers: dict[int, ServerLife] = {}
        self._rooms: dict[tuple[int, int], RoomLife] = {}

    def server(self, native: ServerPlan, day: int) -> ServerLife:
        """The life of a server, drawn as far as a day."""
        life = self._servers.get(native.index)
        if life is None or life.ends[-1] <= day:
            ends, states = zip(*self._turns(native, day + _DRAWN_AHEAD_DAYS), strict=True)
            life = self._servers[native.index] = ServerLife(ends, states, self._lag_days(native))
        return life

    def room(self, origin: int, serial: int, day: int) -> RoomLife:
        """The life of a room, drawn as far as a day."""
        life = self._rooms.get((origin, serial))
        if life is None or life.renamed_at[-1] <= day:
            life = self._rooms[origin, serial] = RoomLife(
                growth=max(-0.2, dice(self._seed, "growth", origin, serial).gauss(0.01, 0.03)),
                phase_days=int(share(self._seed, "phase", origin, serial) * ROOM_STEP_DAYS),
                left_at=dice(self._seed, "unpublished", origin, serial).expovariate(1 / _ROOM_LIFE_DAYS),
                renamed_at=tuple(self._renamings(origin, serial, day + _DRAWN_AHEAD_DAYS)),
            )
        return life

    def _turns(self, native: ServerPlan, until: int) -> Iterator[tuple[float, Death | None]]:
        """(day on which it ends, state), one after another; the last ends after `until`."""
        draw = dice(self._seed, "life", native.index)
        at = 0.0
        if native.death is not None:
            if native.death not in _KEEPS_THE_NAME or draw.random() >= _RESURRECTED_SHARE:
                yield math.inf, native.death
                return
            at = draw.expovariate(1 / _RESURRECTION_DAYS)
            yield at, native.death
        while at <= until:
            at += draw.expovariate(1 / _UP_DAYS)
            yield at, None
            death, final = self._draw_death(draw, native.branch), draw.random() < _FINAL_SHARE
            at += draw.expovariate(1 / _DOWN_DAYS)
            if final:
                at = math.inf
            yield at, death

    def _draw_death(self, draw: random.Random, branch: Branch) -> Death:
        fitting = [d for d in self._weights if d in _KEEPS_THE_NAME and branch in DEATHS[d].branches]
        return draw.choices(fitting, [self._weights[d] for d in fitting])[0]

    def _lag_days(self, native: ServerPlan) -> float | None:
        draw = dice(self._seed, "upgrades", native.index)
        if draw.random() < _NEVER_UPGRADED_SHARE:
            return None
        return draw.lognormvariate(0, 1) * _LAG_MEDIAN_DAYS

    def _renamings(self, origin: int, serial: int, until: int) -> Iterator[float]:
        """Days, one after another; the last is after `until`."""
        draw = dice(self._seed, "renamings", origin, serial)
        at = 0.0
        while at <= until:
            at += draw.expovariate(1 / _RENAMED_AFTER_DAYS)
            yield at
