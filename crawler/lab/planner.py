"""Plans any server of one federation, each independent of the others.

The first servers of every federation are its communities: open, alive, with many rooms; the first of them are the
seeds. After them comes the roster, then ordinary servers, drawn by weight. Behind the servers that were asked for come
further names: tarpits, the farms of one owner, and who was born since day 0 (`lab.days`). So neither of these changes
anything about the servers before it.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache

from crawler.lab.days import Calendar
from crawler.lab.deaths import DEATHS, TARPITS, Death
from crawler.lab.dice import dice, share
from crawler.lab.hosting import Hosting
from crawler.lab.lives import Lives
from crawler.lab.oddities import FALLING_THROUGH, FRONT_BRANCHES, QUIRK_BRANCHES, WELL_KNOWN_BRANCHES, Front, Quirk
from crawler.lab.plan import ServerPlan, Standing
from crawler.lab.profile import Profile
from crawler.lab.robots import Robots
from crawler.lab.roster import DRAWN, Case, roster
from crawler.lab.software import CLOSED, OPEN_BOTH, OPEN_SIGNED, POLICIES, RELEASES, Dialect, Door, Policy, Release
from crawler.model.crawl import LeadSource
from crawler.model.discovery import Branch

FARM_NAMES = 1000
"""Names that one farm has at most."""

_QUIRKS_WITHOUT_A_SHARE = frozenset({Quirk.TRAP, Quirk.SIGNATURE_REFUSED, Quirk.MANY_ADDRESSES, Quirk.MIXED_ADDRESSES})

_DEAD_WEIGHTS = {death: facts.weight for death, facts in DEATHS.items() if death not in TARPITS}

_TARPIT_CASES = (
    Case(death=Death.STALLS, branch=Branch.WELL_KNOWN_PORT),
    Case(death=Death.NEVER_ANSWERS, branch=Branch.DEFAULT),
    Case(death=Death.DRIPS, branch=Branch.WELL_KNOWN_DEFAULT),
    Case(quirk=Quirk.ENDLESS_DIRECTORY, branch=Branch.WELL_KNOWN_PORT),
)

_MILD_ROBOTS = (Robots.ALLOWS, Robots.DISALLOWS_OTHERS, Robots.ALLOWS_US_ALONE, Robots.PAGE)
_STRICT_ROBOTS = (Robots.DISALLOWS_EVERYBODY, Robots.DISALLOWS_US, Robots.DISALLOWS_US_THE_DIRECTORY)


class Planner:
    """The plans of a federation on one day.

    Args:
        seed: the same seed makes the same federation.
        size: how many servers it had on day 0, tarpits and farms apart.
        profile: what kind of federation.
        day: 0 is its first.
        before: the plans of the same federation on an earlier day. What is drawn once is taken over from them, and a
            server that is planned as it was then has the same plan, not another that says the same.
    """

    def __init__(self, seed: int, size: int, profile: Profile, day: int = 0, before: "Planner | None" = None) -> None:
        self.seed = seed
        self.size = size
        self.profile = profile
        self.communities = max(1, min(size, round(size * profile.community_share)))
        self.seeds = max(1, min(20, self.communities // 2))
        providers = max(1, round(size**0.5 / 4))
        self.hosting = Hosting(seed, size, providers, profile.tenants_an_address)
        self._farms_from = size + round(size * profile.tarpits)
        self._born_from = self._farms_from + round(size * profile.farmed)
        lives = Lives(seed, _DEAD_WEIGHTS) if before is None else before.calendar.lives
        self.calendar: Calendar = Calendar(seed, size, day, lives)
        self.total = self._born_from + self.calendar.born()
        self.native: Callable[[int], ServerPlan] = before.native if before else lru_cache(maxsize=None)(self._native)
        self._before = {} if before is None else before.planned
        self.planned: dict[int, ServerPlan] = {}
        """The plans of this day that were asked for."""

    @cached_property
    def roster(self) -> tuple[Case, ...]:
        return roster(dice(self.seed, "roster"))

    def plan(self, index: int) -> ServerPlan:
        """A server on this day."""
        if self.calendar.day == 0:
            return self.native(index)
        plan = self.planned.get(index)
        if plan is None:
            plan = self._today(index)
            before = self._before.get(index)
            plan = self.planned[index] = before if before == plan and before is not None else plan
        return plan

    def _today(self, index: int) -> ServerPlan:
        plan = self.native(index)
        place = index - self.communities
        fixed = self._is_extra(index) or (self.profile.has_roster and 0 <= place < len(self.roster))
        return plan if fixed else self.calendar.today(plan)

    def _is_extra(self, index: int) -> bool:
        return self.size <= index < self._born_from

    def _native(self, index: int) -> ServerPlan:
        """A server as it was on day 0, or when it was born."""
        if index < self.communities:
            return self._community(index)
        if self._is_extra(index):
            return self._extra(index)
        place = index - self.communities
        if self.profile.has_roster and place < len(self.roster) and index < self.size:
            return self._ordinary(index, self.roster[place], Standing.ORDINARY)
        fate = share(self.seed, "island", index)
        if fate < self.profile.island_share:
            return self._ordinary(index, Case(branch=self._draw_branch(index)), Standing.ISLAND)
        if fate < self.profile.island_share + self.profile.behind_space_share:
            return self._ordinary(index, Case(branch=self._draw_branch(index)), Standing.BEHIND_SPACE)
        case = DRAWN
        if index < self.size and share(self.seed, "dead", index) < self.profile.dead_share:
            case = self._draw_death(index)
        return self._ordinary(index, case, Standing.ORDINARY)

    def _extra(self, index: int) -> ServerPlan:
        if index < self._farms_from:
            case = _TARPIT_CASES[(index - self.size) % len(_TARPIT_CASES)]
            return self._ordinary(index, case, Standing.ORDINARY)
        farm = (index - self._farms_from) // FARM_NAMES
        return self._ordinary(index, Case(branch=Branch.DEFAULT, front=Front.NOT_FOUND), Standing.ORDINARY, farm)

    def _draw_death(self, index: int) -> Case:
        draw = dice(self.seed, "death", index)
        death = draw.choices(list(_DEAD_WEIGHTS), list(_DEAD_WEIGHTS.values()))[0]
        return Case(death=death, branch=draw.choice(DEATHS[death].branches))

    def _draw_branch(self, index: int) -> Branch:
        shares = self.profile.branch_shares
        return dice(self.seed, "branch", index).choices(list(shares), list(shares.values()))[0]

    def _community(self, index: int) -> ServerPlan:
        """Alive, on Synapse or Dendrite, both doors open, its client API published: what it lists can be followed."""
        draw = dice(self.seed, "community", index)
        releases = [r for r in RELEASES if r.dialect in (Dialect.SYNAPSE, Dialect.DENDRITE) and r.name_raw is not None]
        return ServerPlan(
            index=index,
            standing=Standing.COMMUNITY,
            is_seed=index < self.seeds,
            death=None,
            branch=draw.choice((Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_DEFAULT)),
            front=Front.VALID,
            quirk=None,
            release=releases[0] if index < 2 else draw.choices(releases, [r.weight for r in releases])[0],
            policy=OPEN_BOTH,
            provider=None,
            publishes_client=True,
            lead=None if index < self.seeds else self._draw_lead(index),
            latency_s=self._latency_s(index),
            users=self._users(index),
            robots=Robots.ALLOWS if share(self.seed, "robots", index) < self.profile.robots_share else Robots.ABSENT,
        )

    def _ordinary(self, index: int, case: Case, standing: Standing, farm: int | None = None) -> ServerPlan:
        draw = dice(self.seed, "server", index)
        bare = case == DRAWN
        provider = self.hosting.draw_provider(index) if bare and draw.random() < self.profile.hosted_share else None
        branch = case.branch or (Branch.WELL_KNOWN_PORT if provider is not None else self._draw_branch(index))
        release = case.release or draw.choices(RELEASES, [r.weight for r in RELEASES])[0]
        quirk = case.quirk or (self._draw_quirk(index, branch) if bare and provider is None else None)
        policy = case.policy or self._draw_policy(index, release)
        if quirk in (Quirk.RATE_LIMITED_ONCE, Quirk.ENDLESS_DIRECTORY):
            release, policy = RELEASES[0], OPEN_SIGNED
        elif quirk is Quirk.SIGNATURE_REFUSED:
            release, policy = RELEASES[1], OPEN_BOTH
        if case.death is not None or farm is not None:
            policy = CLOSED  # rooms of the dead are listed by others only
        front = case.front or self._draw_front(index, branch)
        mute = front in (Front.HTML, Front.LOOP, Front.BAD_CERTIFICATE, Front.NO_ADDRESS)
        willing = case.policy is not None or draw.random() < 0.85
        publishes_client = willing and not mute and branch is not Branch.IP_LITERAL and case.death is None
        leaderless = standing in (Standing.ISLAND, Standing.BEHIND_SPACE)
        return ServerPlan(
            index=index,
            standing=standing,
            is_seed=False,
            death=case.death,
            branch=branch,
            front=front,
            quirk=quirk,
            release=release,
            policy=policy,
            provider=provider,
            publishes_client=publishes_client and farm is None,
            lead=None if leaderless else self._draw_lead(index),
            latency_s=self._latency_s(index),
            users=0 if farm is not None else self._users(index),
            robots=self._draw_robots(index, policy) if bare else Robots.ABSENT,
            farm=farm,
        )

    def _draw_lead(self, index: int) -> LeadSource:
        return dice(self.seed, "lead", index).choices(
            (LeadSource.ROOM_ID, LeadSource.ALIAS, LeadSource.ALIAS_SERVERS), (25, 25, 50)
        )[0]

    def _draw_policy(self, index: int, release: Release) -> Policy:
        policies = POLICIES[release.dialect]
        return dice(self.seed, "policy", index).choices([p for p, _ in policies], [w for _, w in policies])[0]

    def _draw_quirk(self, index: int, branch: Branch) -> Quirk | None:
        draw = dice(self.seed, "quirk", index)
        if draw.random() >= self.profile.quirk_share:
            return None
        fitting = [q for q, on in QUIRK_BRANCHES.items() if branch in on and q not in _QUIRKS_WITHOUT_A_SHARE]
        return draw.choice(fitting)

    def _draw_front(self, index: int, branch: Branch) -> Front:
        if branch in WELL_KNOWN_BRANCHES:
            return Front.REDIRECTED if share(self.seed, "redirected", index) < 0.04 else Front.VALID
        if branch in FALLING_THROUGH and share(self.seed, "front", index) < 0.3:
            return dice(self.seed, "front", index).choice([f for f, on in FRONT_BRANCHES.items() if branch in on])
        return Front.NOT_FOUND

    def _draw_robots(self, index: int, policy: Policy) -> Robots:
        draw = dice(self.seed, "robots", index)
        if draw.random() >= self.profile.robots_share:
            return Robots.ABSENT
        closed = policy.federation is Door.DENIED and policy.client is not Door.OPEN
        if closed:
            return draw.choice(_STRICT_ROBOTS + _MILD_ROBOTS)
        # What `*` is told binds only whoever chooses to be bound by it, so it never decides what can be found.
        strict = () if self.profile.robots_only_where_closed else _STRICT_ROBOTS[1:]
        return draw.choice(strict + _MILD_ROBOTS)

    def _latency_s(self, index: int) -> float:
        if self.profile.latency_median_s == 0:
            return 0.0
        return min(2.0, dice(self.seed, "latency", index).lognormvariate(0, 0.7) * self.profile.latency_median_s)

    def _users(self, index: int) -> int:
        """Local accounts: half of all at the first server, a fifth at the second, the rest with a heavy tail."""
        if index < 2:
            return int(self.size * (60, 24)[index])
        return min(self.size * 4, int(dice(self.seed, "users", index).paretovariate(0.9) * 3))
