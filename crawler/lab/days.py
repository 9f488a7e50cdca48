"""What changes from day to day: births, deaths, returns, upgrades, rooms that grow and shrink and are renamed.

Every life is drawn once, by (seed, index), as a row of days on which something happens; a day is looked up in it. So
any day can be asked for alone, and two days of the same federation agree about all that did not happen between them.
"""

import random
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

from crawler.lab.deaths import DEATHS, Death
from crawler.lab.dice import dice, share
from crawler.lab.plan import ServerPlan, Standing
from crawler.lab.software import CLOSED, Release
from crawler.model.discovery import Branch

BIRTHS_A_DAY = 0.001
"""New names a day, as a share of the names of day 0."""

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

_ROOM_STEP_DAYS = 20
"""A room's members change once in so many days: one room in twenty on any day."""
_ROOM_LIFE_DAYS = 1500.0
"""Mean time until a room is taken out of its directory."""
_RENAMED_AFTER_DAYS = 900.0
ROOMS_A_DAY = 0.001
"""New rooms of a server a day, as a share of what it had on day 0."""

_CADENCE_DAYS: Mapping[str, int] = {"synapse": 14, "tuwunel": 30, "continuwuity": 30, "dendrite": 90}
"""How often an implementation releases."""

_CURRENT = {"synapse": (1, 163), "tuwunel": (1, 9), "continuwuity": (26, 7), "dendrite": (0, 15)}
"""The newest release of each on day 0, as (major, minor)."""

_NAMED_BY_ITS_PORT = (Branch.IP_LITERAL, Branch.EXPLICIT_PORT)
_KEEPS_THE_NAME = frozenset(DEATHS) - {
    Death.SPECIAL_ADDRESS,
    Death.PORT_REFUSES,
    Death.PORT_SILENT,
}
"""Deaths that can come to any server: the others are a matter of how it was set up, down to its very name."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A federation of `size` servers on its `day`-th day."""

    seed: int
    size: int
    day: int

    def born(self) -> int:
        """How many servers there are that were not there on day 0."""
        return int(self.size * BIRTHS_A_DAY * self.day)

    def today(self, native: ServerPlan, weights: Mapping[Death, float]) -> ServerPlan:
        """A server on this day, from what it was at first. Communities live for ever: they hold the rest together."""
        plan = self._upgraded(native)
        if plan.standing is Standing.COMMUNITY:
            return plan
        death = self._death(native, weights)
        if death is native.death:
            return plan
        if death is None:
            return replace(plan, death=None)
        return replace(plan, death=death, policy=CLOSED, publishes_client=False)

    def _death(self, native: ServerPlan, weights: Mapping[Death, float]) -> Death | None:
        draw = dice(self.seed, "life", native.index)
        if native.death is not None:
            if native.death not in _KEEPS_THE_NAME or draw.random() >= _RESURRECTED_SHARE:
                return native.death
            at = draw.expovariate(1 / _RESURRECTION_DAYS)
            if self.day < at:
                return native.death
        else:
            at = 0.0
        while True:
            at += draw.expovariate(1 / _UP_DAYS)
            if self.day < at:
                return None
            death, final = self._draw_death(draw, native.branch, weights), draw.random() < _FINAL_SHARE
            at += draw.expovariate(1 / _DOWN_DAYS)
            if final or self.day < at:
                return death

    @staticmethod
    def _draw_death(draw: random.Random, branch: Branch, weights: Mapping[Death, float]) -> Death:
        fitting = [d for d in weights if d in _KEEPS_THE_NAME and branch in DEATHS[d].branches]
        return draw.choices(fitting, [weights[d] for d in fitting])[0]

    def _upgraded(self, plan: ServerPlan) -> ServerPlan:
        software = plan.release.software
        if software is None or software not in _CADENCE_DAYS or plan.release.version_raw is None:
            return plan
        draw = dice(self.seed, "upgrades", plan.index)
        if draw.random() < _NEVER_UPGRADED_SHARE:
            return plan
        # Each wave reaches a server when its own lag is over.
        lag_days = draw.lognormvariate(0, 1) * _LAG_MEDIAN_DAYS
        releases = int((self.day - lag_days) // _CADENCE_DAYS[software])
        if releases < 1:
            return plan
        return replace(plan, release=later_release(plan.release, releases))

    def rooms_made(self, at_first: int) -> int:
        """How many rooms a server made by this day that had so many on day 0."""
        return at_first + int(at_first * ROOMS_A_DAY * self.day)

    def members(self, origin: int, serial: int, at_first: int, least: int, most: int | None) -> int:
        """The joined members of a room, which keep between `least` and `most`."""
        if self.day == 0:
            return at_first
        rate = dice(self.seed, "growth", origin, serial).gauss(0.01, 0.03)
        phase = int(share(self.seed, "phase", origin, serial) * _ROOM_STEP_DAYS)
        steps = (self.day + phase) // _ROOM_STEP_DAYS
        grown = at_first * (1 + max(-0.2, rate)) ** steps
        # Small rooms change by people, not by percent.
        if steps:
            grown += share(self.seed, "sway", origin, serial, steps) * 3 - 1.5
        return max(least, min(most if most is not None else 10**7, round(grown)))

    def has_left_its_directory(self, origin: int, serial: int) -> bool:
        return self.day > dice(self.seed, "unpublished", origin, serial).expovariate(1 / _ROOM_LIFE_DAYS)

    def renamed(self, origin: int, serial: int) -> int:
        """How often a room was renamed."""
        if self.day == 0:
            return 0
        draw = dice(self.seed, "renamings", origin, serial)
        days: list[float] = [draw.expovariate(1 / _RENAMED_AFTER_DAYS)]
        while days[-1] <= self.day:
            days.append(days[-1] + draw.expovariate(1 / _RENAMED_AFTER_DAYS))
        return bisect_right(days, self.day)


def later_release(release: Release, releases: int) -> Release:
    """The newest release of an implementation after so many that came since day 0."""
    major, minor = _CURRENT[release.software or ""]
    version = f"{major}.{minor + releases}.0"
    return replace(release, version_raw=version, version=version)
