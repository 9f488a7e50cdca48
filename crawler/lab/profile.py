"""What kind of federation: the shares and weights from which its servers and rooms are drawn.

- `showcase`   every branch, death and oddity at least once, no latency: for demos and for scored tests
- `calm`       nearly everybody alive and quick, small directories: for measuring what a visit costs
- `realistic`  in the proportions of the live federation as far as they are known
- `hostile`    realistic, and beside it tarpits, endless directories and farms of names
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
    behind_space_share: float = 0.0
    """Of the same: alive, and named by nothing but the `via` of a space's child."""
    hosted_share: float = 0.2
    """Of the living among them."""
    tenants_an_address: int = 6
    """About so many hosted servers stand behind one address."""
    quirk_share: float = 0.1
    """Of the living with an address of their own."""
    robots_share: float = 0.1
    """Of ordinary servers: has a robots.txt that disallows something to somebody."""
    robots_only_where_closed: bool = True
    """Whether who disallows us has a closed directory anyway, so that who does not read robots.txt finds the same."""
    branch_shares: Mapping[Branch, float] = field(default_factory=lambda: _BRANCHES)
    has_roster: bool = True
    """Whether every case stands in it once, however rare it is."""
    biggest_directory: int = 420
    """Rooms of the largest community; the k-th has about k**-0.7 as many."""
    big_directory: int = 0
    """Rooms of the first community, if that is to have more than its rank gives it."""
    wide_joins_exponent: float = 0.9
    """Of the Pareto distribution of how many wide rooms a server is in: the smaller, the heavier the tail."""
    max_wide_joined: int = 12
    room_skew: float = 1.5
    """How much a community's first rooms are preferred by those who join (1: not at all)."""
    narrow_exponent: float = 1.1
    """Of the Pareto distribution of how many rooms an ordinary server makes."""
    big_two: tuple[float, float] = (0.0, 0.0)
    """Shares of the narrow rooms that the first and the second server are in: where most users are."""
    spam_share: float = 0.03
    """Of narrow rooms."""
    bridge_share: float = 0.1
    """Of open servers with lists of third-party networks: has a bridge."""
    latency_median_s: float = 0.0
    """Added before each answer, drawn per server (log-normal); 0: none."""
    tarpits: float = 0.0
    """Further names, as a share of the servers asked for, that hold a visitor up: silent, dripping, endless."""
    farmed: float = 0.0
    """Further names, as a share of the servers asked for, that one owner made up under a wildcard."""


SHOWCASE = Profile("showcase")

CALM = Profile(
    "calm",
    community_share=0.05,
    dead_share=0.01,
    island_share=0.0,
    quirk_share=0.0,
    robots_share=0.02,
    has_roster=False,
    biggest_directory=40,
    spam_share=0.0,
)

REALISTIC = Profile(
    "realistic",
    community_share=0.03,
    behind_space_share=0.005,
    hosted_share=0.35,
    tenants_an_address=12,
    robots_share=0.06,
    robots_only_where_closed=False,
    wide_joins_exponent=0.63,
    max_wide_joined=400,
    room_skew=1.0,
    narrow_exponent=1.5,
    big_two=(0.55, 0.25),
    latency_median_s=0.06,
)

HOSTILE = replace(REALISTIC, name="hostile", dead_share=0.4, tarpits=0.1, farmed=0.05)

PROFILES = {profile.name: profile for profile in (SHOWCASE, CALM, REALISTIC, HOSTILE)}
