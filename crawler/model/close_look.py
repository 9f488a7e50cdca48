"""What depth `check` sees of one server: the visit of a crawl with every address looked at, and the client side.

Apart from the observation, which a crawl keeps; the words for what one address presents are the observation's own,
since a crawl looks at a rotating share of servers as closely.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from crawler.model.client_side import OAuthMetadata, Registration
from crawler.model.observation import AddressLook, Attempt, Certificate, Families, PresentedTls, ServerObservation

__all__ = ["AddressLook", "Certificate", "Families", "Inspection", "PresentedTls"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything depth `check` sees of one server: the visit of a crawl, and what only a check asks.

    Ok(None) inside: asked, and not published. `past_keys` is what earlier crawls saw: key ID -> keys in base64, more
    than one when an ID was reused; empty when no history was at hand.
    """

    observation: ServerObservation
    addresses: tuple[AddressLook, ...]
    families: Families
    login_flows: Attempt[tuple[str, ...]]
    oauth: Attempt[OAuthMetadata | None]
    policy_server: Attempt[Mapping[str, str] | None]
    """Public keys of `/.well-known/matrix/policy_server`: algorithm -> base64."""
    robots: Attempt[str | None]
    """Text of robots.txt, capped."""
    registration: Attempt[Registration]
    past_keys: Mapping[str, Set[str]] = field(default_factory=dict)
