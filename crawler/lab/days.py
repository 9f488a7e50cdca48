"""What changes from day to day: births, deaths, returns, upgrades, rooms that grow and shrink and are renamed.

Every life is drawn once (`lives`), by (seed, index), as a row of days on which something happens; a day is looked up in
it. So any day can be asked for alone, and two days of the same federation agree about all that did not happen between
them.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

from crawler.lab.dice import share
from crawler.lab.lives import ROOM_STEP_DAYS, Lives
from crawler.lab.plan import ServerPlan, Standing
from crawler.lab.software import CLOSED, Release

BIRTHS_A_DAY = 0.001
"""New names a day, as a share of the names of day 0."""

ROOMS_A_DAY = 0.001
"""New rooms of a server a day, as a share of what it had on day 0."""

_CADENCE_DAYS: Mapping[str, int] = {"synapse": 14, "tuwunel": 30, "continuwuity": 30, "dendrite": 90}
"""How often an implementation releases."""

_CURRENT = {"synapse": (1, 163), "tuwunel": (1, 9), "continuwuity": (26, 7), "dendrite": (0, 15)}
"""The newest release of each on day 0, as (major, minor)."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A federation of `size` servers on its `day`-th day."""

    seed: int
    size: int
    day: int
    lives: Lives

    def born(self) -> int:
        """How many servers there are that were not there on day 0."""
        return int(self.size * BIRTHS_A_DAY * self.day)

    def today(self, native: ServerPlan) -> ServerPlan:
        """A server on this day, from what it was at first. Communities live for ever: they hold the rest together."""
        plan = self._upgraded(native)
        if plan.standing is Standing.COMMUNITY:
            return plan
        death = self.lives.server(native, self.day).state(self.day)
        if death is native.death:
            return plan
        if death is None:
            return replace(plan, death=None)
        return replace(plan, death=death, policy=CLOSED, publishes_client=False)

    def _upgraded(self, plan: ServerPlan) -> ServerPlan:
        software = plan.release.software
        if software is None or software not in _CADENCE_DAYS or plan.release.version_raw is None:
            return plan
        lag_days = self.lives.server(plan, self.day).lag_days
        if lag_days is None:
            return plan
        # Each wave reaches a server when its own lag is over.
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
        life = self.lives.room(origin, serial, self.day)
        steps = (self.day + life.phase_days) // ROOM_STEP_DAYS
        grown = at_first * (1 + life.growth) ** steps
        # Small rooms change by people, not by percent.
        if steps:
            grown += share(self.seed, "sway", origin, serial, steps) * 3 - 1.5
        return max(least, min(most if most is not None else 10**7, round(grown)))

    def has_left_its_directory(self, origin: int, serial: int) -> bool:
        return self.day > 0 and self.day > self.lives.room(origin, serial, self.day).left_at

    def renamed(self, origin: int, serial: int) -> int:
        """How often a room was renamed."""
        if self.day == 0:
            return 0
        return bisect_right(self.lives.room(origin, serial, self.day).renamed_at, self.day)


def later_release(release: Release, releases: int) -> Release:
    """The newest release of an implementation after so many that came since day 0."""
    major, minor = _CURRENT[release.software or ""]
    version = f"{major}.{minor + releases}.0"
    return replace(release, version_raw=version, version=version)
