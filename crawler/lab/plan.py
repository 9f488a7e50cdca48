"""Who a server is: how its name was meant to resolve, whether and how it is dead, what it runs, who may read its rooms.

The first servers of every federation are its communities: open, alive, with many rooms; the first of them are the
seeds. After them comes the roster, in which every death, every branch, every quirk, every release and every policy
stands once, so that a federation of some 150 servers already has everything. The rest is drawn by weight.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from crawler.lab.deaths import DEATHS, Death
from crawler.lab.dice import dice, share
from crawler.lab.hosting import Hosting
from crawler.lab.oddities import FALLING_THROUGH, FRONT_BRANCHES, QUIRK_BRANCHES, WELL_KNOWN_BRANCHES, Front, Quirk
from crawler.lab.profile import Profile
from crawler.lab.software import (
    CLOSED,
    OPEN_BOTH,
    OPEN_SIGNED,
    POLICIES,
    RELEASES,
    Dialect,
    Door,
    Policy,
    Release,
)
from crawler.model.crawl import LeadSource
from crawler.model.discovery import Branch
from crawler.model.rooms import DirectoryWay


class Standing(StrEnum):
    COMMUNITY = "community"
    ORDINARY = "ordinary"
    ISLAND = "island"
    """Alive, but nothing that can be read names it: a perfect crawl does not find it."""


_QUIRKS_WITHOUT_A_SHARE = frozenset({Quirk.TRAP, Quirk.SIGNATURE_REFUSED, Quirk.MANY_ADDRESSES, Quirk.MIXED_ADDRESSES})


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """Everything about a server that does not depend on where it is.

    `lead` is the way in which its witness names it: the listing that makes it findable; None for seeds and islands.
    `provider` is the hosting company whose addresses it shares, None when it has its own.
    """

    index: int
    standing: Standing
    is_seed: bool
    death: Death | None
    branch: Branch
    front: Front
    quirk: Quirk | None
    release: Release
    policy: Policy
    provider: int | None
    publishes_client: bool
    lead: LeadSource | None
    latency_s: float

    @property
    def alive(self) -> bool:
        return self.death is None

    def readable_door(self, *, signed: bool) -> DirectoryWay | None:
        """The door through which its directory can be read, or None.

        With a signature, the federation's; the client API's where the other one cannot be used at all (our signature
        is not accepted, or the request not known), but not where it says no. Without one, the client API's.
        """
        if not self.alive:
            return None
        unusable = not signed or self.quirk is Quirk.SIGNATURE_REFUSED or self.policy.federation is Door.ABSENT
        if not unusable:
            return DirectoryWay.FEDERATION if self.policy.federation in (Door.OPEN, Door.EMPTY) else None
        return DirectoryWay.CLIENT if self.publishes_client and self.policy.client in (Door.OPEN, Door.EMPTY) else None

    @property
    def is_open(self) -> bool:
        """Whether its directory lists rooms to whoever signs."""
        door = self.readable_door(signed=True)
        states = {DirectoryWay.FEDERATION: self.policy.federation, DirectoryWay.CLIENT: self.policy.client}
        return door is not None and states[door] is Door.OPEN


@dataclass(frozen=True, slots=True)
class _Case:
    """One entry of the roster; None is drawn."""

    death: Death | None = None
    branch: Branch | None = None
    front: Front | None = None
    quirk: Quirk | None = None
    release: Release | None = None
    policy: Policy | None = None


class Planner:
    """Plans any server of one federation, each independent of the others."""

    def __init__(self, seed: int, size: int, profile: Profile) -> None:
        self.seed = seed
        self.size = size
        self.profile = profile
        self.communities = max(1, min(size, round(size * profile.community_share)))
        self.seeds = max(1, min(20, self.communities // 2))
        self.hosting = Hosting(seed, size, providers=max(1, round(size**0.5 / 4)))
        self.plan = lru_cache(maxsize=None)(self._plan)

    @cached_property
    def roster(self) -> tuple[_Case, ...]:
        """Every case once, in an order that depends on the seed."""
        draw = dice(self.seed, "roster")
        cases = [_Case(branch=branch) for branch in Branch]
        cases += [_Case(branch=draw.choice(branches), quirk=quirk) for quirk, branches in QUIRK_BRANCHES.items()]
        cases += [_Case(branch=draw.choice(branches), front=front) for front, branches in FRONT_BRANCHES.items()]
        cases += [_Case(release=release) for release in RELEASES]
        cases += [
            _Case(
                branch=Branch.WELL_KNOWN_PORT,
                release=draw.choice([r for r in RELEASES if r.dialect is dialect]),
                policy=policy,
            )
            for dialect, policies in POLICIES.items()
            for policy, _ in policies
        ]
        cases += [_Case(death=death, branch=draw.choice(facts.branches)) for death, facts in DEATHS.items()]
        draw.shuffle(cases)
        return tuple(cases)

    def _plan(self, index: int) -> ServerPlan:
        if index < self.communities:
            return self._community(index)
        place = index - self.communities
        if self.profile.has_roster and place < len(self.roster):
            return self._ordinary(index, self.roster[place], Standing.ORDINARY)
        if share(self.seed, "island", index) < self.profile.island_share:
            return self._ordinary(index, _Case(branch=self._draw_branch(index)), Standing.ISLAND)
        case = _Case()
        if share(self.seed, "dead", index) < self.profile.dead_share:
            case = self._draw_death(index)
        return self._ordinary(index, case, Standing.ORDINARY)

    def _draw_death(self, index: int) -> _Case:
        draw = dice(self.seed, "death", index)
        death = draw.choices(list(DEATHS), [facts.weight for facts in DEATHS.values()])[0]
        return _Case(death=death, branch=draw.choice(DEATHS[death].branches))

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
        )

    def _ordinary(self, index: int, case: _Case, standing: Standing) -> ServerPlan:
        draw = dice(self.seed, "server", index)
        bare = case == _Case()
        provider = self.hosting.draw_provider(index) if bare and draw.random() < self.profile.hosted_share else None
        branch = case.branch or (Branch.WELL_KNOWN_PORT if provider is not None else self._draw_branch(index))
        release = case.release or draw.choices(RELEASES, [r.weight for r in RELEASES])[0]
        quirk = case.quirk or (self._draw_quirk(index, branch) if bare and provider is None else None)
        policy = case.policy or self._draw_policy(index, release)
        if quirk is Quirk.RATE_LIMITED_ONCE:
            release, policy = RELEASES[0], OPEN_SIGNED
        elif quirk is Quirk.SIGNATURE_REFUSED:
            release, policy = RELEASES[1], OPEN_BOTH
        if case.death is not None:
            policy = CLOSED  # rooms of the dead are listed by others only
        front = case.front or self._draw_front(index, branch)
        mute = front in (Front.HTML, Front.LOOP, Front.BAD_CERTIFICATE, Front.NO_ADDRESS)
        willing = case.policy is not None or draw.random() < 0.85
        publishes_client = willing and not mute and branch is not Branch.IP_LITERAL and case.death is None
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
            publishes_client=publishes_client,
            lead=None if standing is Standing.ISLAND else self._draw_lead(index),
            latency_s=self._latency_s(index),
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

    def _latency_s(self, index: int) -> float:
        if self.profile.latency_median_s == 0:
            return 0.0
        return min(2.0, dice(self.seed, "latency", index).lognormvariate(0, 0.7) * self.profile.latency_median_s)
