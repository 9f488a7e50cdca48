"""What kind of federation: the shares and weights from which its servers are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crawler.model.discovery import Branch

_BRANCHES: Mapping[Branch, float] = {
    Branch.IP_LITERAL: 0.3,
    Branch.EXPLICIT_PORT: 4,
    Branch.WELL_KNOWN_IP: 0.3,
    Branch.WELL_KNOWN_PORT: 60,
    Branch.WELL_KNOWN_SRV: 2,
    Branch.WELL_KNOWN_SRV_DEPRECATED: 1,
    Branch.WELL_KNOWN_DEFAULT: 7,
    Branch.SRV: 3,
    Branch.SRV_DEPRECATED: 6,
    Branch.DEFAULT: 16,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares are of all servers unless said otherwise."""

    name: str
    community_share: float = 0.1
    dead_share: float = 0.33
    """Of those that are neither community nor roster."""
    island_share: float = 0.03
    """Of the same."""
    hosted_share: float = 0.2
    """Of the living among them."""
    quirk_share: float = 0.1
    """Of the living with an address of their own."""
    branch_shares: Mapping[Branch, float] = field(default_factory=lambda: _BRANCHES)
    has_roster: bool = True
    """Whether every case stands in it once, however rare it is."""
    biggest_directory: int = 420
    """Rooms of the largest community; the k-th has about k**-0.7 as many."""
    latency_median_s: float = 0.0
    """Added before each answer, drawn per server (log-normal); 0: none."""


REALISTIC = Profile("realistic")
"""A third of all names dead, most directories closed, everything rare once."""
