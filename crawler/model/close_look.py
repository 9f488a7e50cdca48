"""What the close look of depth `check` sees: every address of every target, and certificates that do not verify.

Apart from the observation of a crawl, of which a rotating share carries these too.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crawler.model.client_side import OAuthMetadata, Registration
from crawler.model.discovery import Endpoint
from crawler.model.observation import Attempt, KeyDocument, ServerObservation, TlsFacts, VersionInfo


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a chain. `subject` and `issuer` are RFC 4514 texts, capped; `names` the DNS names and
    addresses of subjectAltName; `fingerprint_sha256` hex over the DER form."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint_sha256: str


@dataclass(frozen=True, slots=True)
class PresentedTls:
    """What a server presents, whether it verifies or not. From a second handshake that verifies nothing and over which
    nothing is ever asked. `chain` begins with the leaf, as sent. `verify_code` is OpenSSL's of the verified try; None
    when that one succeeded or did not get as far as a certificate."""

    protocol: str
    cipher: str
    chain: tuple[Certificate, ...]
    verify_code: int | None = None


@dataclass(frozen=True, slots=True)
class AddressLook:
    """One address of the resolution, asked as if it were the only one. `tls` is the verified handshake; `presented` the
    unverified look, Skipped where TCP failed."""

    endpoint: Endpoint
    tcp: Attempt[str]
    tls: Attempt[TlsFacts]
    presented: Attempt[PresentedTls]
    version: Attempt[VersionInfo]
    keys: Attempt[KeyDocument]

    @property
    def is_v6(self) -> bool:
        return ":" in self.endpoint.address


class Families(StrEnum):
    """Which internet protocols reach the server; judged from here, where both could be tried."""

    BOTH = "both"
    IPV4_ONLY = "ipv4_only"
    IPV6_ONLY = "ipv6_only"
    IPV6_BROKEN = "ipv6_broken"
    """It publishes IPv6 addresses and none answers, while IPv4 does."""
    IPV4_BROKEN = "ipv4_broken"
    NEITHER = "neither"
    UNKNOWN = "unknown"
    """We have no route of our own for a family it publishes, so nothing can be said."""


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
