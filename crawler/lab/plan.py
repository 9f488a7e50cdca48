"""Who a server is: how its name was meant to resolve, if and how it is dead, what it runs, who may read its rooms."""

from dataclasses import dataclass
from enum import StrEnum

from crawler.lab.deaths import Death
from crawler.lab.oddities import Front, Quirk
from crawler.lab.robots import Robots
from crawler.lab.software import Door, Policy, Release
from crawler.model.crawl import LeadSource
from crawler.model.discovery import Branch
from crawler.model.rooms import DirectoryWay


class Standing(StrEnum):
    COMMUNITY = "community"
    ORDINARY = "ordinary"
    ISLAND = "island"
    """Alive, but nothing that can be read names it: a perfect crawl does not find it."""
    BEHIND_SPACE = "behind_space"
    """Alive, and named by nothing but the `via` of a child of a community's space."""


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """Everything about a server that does not depend on where it is.

    `lead` is the way in which its witness names it: the listing that makes it findable; None for seeds, islands and
    who is behind a space. `provider` is the hosting company whose addresses it shares, None when it has its own.
    `farm` is the owner who made its name up, under a wildcard, with one key for all; None for everybody else. `users`
    are its local accounts: no crawl can see them, a usage report can.
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
    users: int
    robots: Robots = Robots.ABSENT
    farm: int | None = None

    @property
    def alive(self) -> bool:
        return self.death is None

    @property
    def is_endless(self) -> bool:
        """Whether its directory pages without end."""
        return self.quirk is Quirk.ENDLESS_DIRECTORY

    def readable_door(self, *, signed: bool) -> DirectoryWay | None:
        """The door through which its directory can be read, or None.

        With a signature, the federation's; the client API's where the other one cannot be used at all (our signature
        is not accepted, or the request not known), but not where it says no. Without one, the client API's. None where
        robots.txt asks us by name to leave it alone.
        """
        if not self.alive or self.robots.names_us:
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
        return door is not None and states[door] is Door.OPEN and not self.is_endless
