"""What depth `check` sees of one server: the visit of a crawl with every address looked at, and the client side.

Apart from the observation, which a crawl keeps; the words for what one address presents are the observation's own,
since a crawl looks at a rotating share of servers as closely.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from crawler.model.client_side import OAuthMetadata, Registration
from crawler.model.observation import AddressLook, Attempt, Certificate, Families, PresentedTls, ServerObservation

__all__ = ["AddressLook", "Certificate", "ClientSide", "Families", "Inspection", "PresentedTls"]


@dataclass(frozen=True, slots=True)
class ClientSide:
    """What only a check asks of the client side. Ok(None) inside: asked, and not published (404).

    `policy_server` holds the public keys of `/.well-known/matrix/policy_server`: algorithm -> base64. `robots` is the
    text of robots.txt (capped) at the server name's host, `client_robots` that at the client API's host, not needed
    when it is the same one; `protocol.robots.may_fetch` reads them. RFC 9309, 2.3.1, makes of a failure with a status
    from 400 to 499 that all is allowed, of any other that nothing is. `registration` is not needed unless asked for.
    """

    login_flows: Attempt[tuple[str, ...]]
    oauth: Attempt[OAuthMetadata | None]
    policy_server: Attempt[Mapping[str, str] | None]
    robots: Attempt[str | None]
    client_robots: Attempt[str | None]
    registration: Attempt[Registration]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything depth `check` sees of one server: the visit of a crawl, closely, and the client side.

    `requests` and `duration_s` (wall time) are of all of it, the observation's own of the visit alone. `past_keys` is
    what earlier crawls saw: key ID -> keys in base64, more than one when an ID was reused; empty when no history was at
    hand.
    """

    observation: ServerObservation
    client: ClientSide
    requests: int
    duration_s: float
    past_keys: Mapping[str, Set[str]] = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[AddressLook, ...]:
        """Every address looked at."""
        return self.observation.addresses

    @property
    def families(self) -> Families:
        """Which internet protocols reach it; unknown where the time was up before that could be judged."""
        return self.observation.families or Families.UNKNOWN
