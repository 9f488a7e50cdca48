"""What one visit to one server saw. Absent, failed and zero are three things: `Attempt[T]` keeps them apart."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from crawler.errors import Failure
from crawler.model.client_side import ClientWellKnown, Support
from crawler.model.discovery import Endpoint, Resolution
from crawler.model.names import ServerName
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class SkipReason(StrEnum):
    """Why something was not attempted."""

    NOT_REACHED = "not_reached"
    NO_IDENTITY = "no_identity"
    OPTED_OUT = "opted_out"
    BUDGET = "budget"
    NOT_NEEDED = "not_needed"
    CANCELLED = "cancelled"
    DENIED_LATELY = "denied_lately"
    ROBOTS = "robots"


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall seconds. A part is None where it did not happen (a reused connection has no connect)."""

    total_s: float
    tcp_s: float | None = None
    tls_s: float | None = None
    first_byte_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ok(Generic[T_co]):
    value: T_co
    timings: Timings = field(default=Timings(0.0))


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure
    timings: Timings = field(default=Timings(0.0))


@dataclass(frozen=True, slots=True)
class Skipped:
    reason: SkipReason


Attempt: TypeAlias = Ok[T] | Failed | Skipped


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The verified connection. `not_after` is the leaf's; `fingerprint_sha256` hex of the leaf in DER."""

    protocol: str
    cipher: str
    issuer: str
    not_after: datetime
    fingerprint_sha256: str


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """`/_matrix/federation/v1/version`, raw (capped); None where the server does not say."""

    name: str | None
    version: str | None


MAX_KEY_VALIDITY = timedelta(days=7)
"""From when a key document was fetched ("Publishing keys", `valid_until_ts`)."""


@dataclass(frozen=True, slots=True)
class OldKey:
    """A key that a server no longer signs with. `key` is unpadded base64, None when what is published is no key;
    `expired_at` None when it does not say since when."""

    key_id: str
    key: str | None
    expired_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """`/_matrix/key/v2/server`, verified: name matches, a signature by one of its own keys holds, in date.

    `verify_keys` are the ed25519 keys, key ID -> unpadded base64. `valid_until` is as published, before the 7-day cap
    (`trusted_until`). `server_name` is the document's own spelling, which may differ from ours in case: what a request
    to this server must name as destination. `algorithms` are those of all keys it publishes, current and old, in
    alphabetical order. `signed_by` are the current keys whose signature holds, `broken_signatures` those whose does
    not.
    """

    verify_keys: dict[str, str]
    old_verify_keys: tuple[OldKey, ...]
    valid_until: datetime
    server_name: str = ""
    algorithms: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    broken_signatures: tuple[str, ...] = ()

    def trusted_until(self, fetched_at: datetime) -> datetime:
        """Until when others rely on the keys: the lesser of what is published and seven days from when they asked."""
        return min(self.valid_until, fetched_at + MAX_KEY_VALIDITY)


@dataclass(frozen=True, slots=True)
class ClientVersions:
    """`/_matrix/client/versions`."""

    versions: tuple[str, ...]
    unstable_features: dict[str, bool]


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
    """What a server presents, whether it verifies or not; used for nothing but being told. Where the verified handshake
    failed it is from a second one that verifies nothing and over which nothing is ever asked. `chain` begins with the
    leaf, as sent. `verify_code` is OpenSSL's of the verified try; None when that one succeeded or did not get as far as
    a certificate."""

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
    """Which internet protocols reach the server; judged from here, where both could be tried.

    A family answers when TLS verifies at one of its addresses; where it verifies at no address of either, when TCP
    connects.
    """

    BOTH = "both"
    IPV4_ONLY = "ipv4_only"
    IPV6_ONLY = "ipv6_only"
    IPV6_BROKEN = "ipv6_broken"
    """It publishes IPv6 addresses and none answers, while IPv4 does."""
    IPV4_BROKEN = "ipv4_broken"
    NEITHER = "neither"
    UNKNOWN = "unknown"
    """Nothing can be said: we have no route of our own for a family it publishes, or found no address to try."""


@dataclass(frozen=True, slots=True)
class ServerObservation:
    """Everything one visit saw, and the predicates of the funnel, each implying the one before it.

    `endpoint` is the one that the federation attempts used: the first that gave a verified TLS connection, else the
    last tried. None inside the Ok of `client_well_known` and `support`: asked, and not published. `addresses` and
    `families` are of a close look; empty and None where it was not this server's turn, or the visit's time was up
    before. `keys_named` is the server whose key document it is, as it says, where that is another one; else None.
    """

    server_name: ServerName
    observed_at: datetime
    resolution: Resolution
    endpoint: Endpoint | None
    tcp: Attempt[str]
    tls: Attempt[TlsFacts]
    version: Attempt[VersionInfo]
    keys: Attempt[KeyDocument]
    client_well_known: Attempt[ClientWellKnown | None]
    client_versions: Attempt[ClientVersions]
    support: Attempt[Support | None]
    directory: DirectoryResult
    signed_accepted: bool | None
    aliases: tuple[AliasAnswer, ...] = ()
    aliases_outstanding: int = 0
    requests: int = 0
    bytes_read: int = 0
    duration_s: float = 0.0
    addresses: tuple[AddressLook, ...] = ()
    families: Families | None = None
    keys_named: str | None = None

    @property
    def own_spelling(self) -> str:
        """The name as the server itself spells it in its key document; we may have heard it in other letter case."""
        published = self.keys.value.server_name if isinstance(self.keys, Ok) else ""
        return published or self.server_name.raw

    @property
    def resolves(self) -> bool:
        """The algorithm of the specification yields at least one address that may be dialled."""
        return bool(self.resolution.endpoints)

    @property
    def reachable(self) -> bool:
        """TCP to one of them succeeds."""
        return self.resolves and isinstance(self.tcp, Ok)

    @property
    def secure(self) -> bool:
        """TLS verifies for the name that the algorithm prescribes."""
        return self.reachable and isinstance(self.tls, Ok)

    @property
    def online(self) -> bool:
        """Secure, and `/_matrix/federation/v1/version` answers JSON."""
        return self.secure and isinstance(self.version, Ok)

    @property
    def federating(self) -> bool:
        """Online, and its key document verifies itself and is in date."""
        return self.online and isinstance(self.keys, Ok)

    @property
    def accepting(self) -> bool | None:
        """Federating, and it accepts a signed request of ours; None when we did not get to ask with an identity."""
        if not self.federating:
            return False
        return self.signed_accepted

    @property
    def listing(self) -> bool:
        """Accepting or open unsigned, and its directory answers."""
        return self.online and self.directory.state in (DirectoryState.OPEN, DirectoryState.OPEN_EMPTY)

    @property
    def fell_out(self) -> Failure | None:
        """The first failure on the way to federating: why this server is not counted; None when it federates."""
        if self.resolution.failure is not None:
            return self.resolution.failure
        for attempt in (self.tcp, self.tls, self.version, self.keys):
            if isinstance(attempt, Failed):
                return attempt.failure
        return None

    @property
    def attempts(self) -> tuple[tuple[str, Attempt[object]], ...]:
        """(what was attempted, how it went) between resolution and directory, in the order they are told."""
        return (
            ("tcp", self.tcp),
            ("tls", self.tls),
            ("version", self.version),
            ("keys", self.keys),
            ("client_well_known", self.client_well_known),
            ("client_versions", self.client_versions),
            ("support", self.support),
        )

    @property
    def failures(self) -> tuple[tuple[str, Failure], ...]:
        """(what was attempted, failure) for everything that failed, in the order of the visit."""
        found: list[tuple[str, Failure]] = []
        if self.resolution.failure is not None:
            found.append(("resolution", self.resolution.failure))
        for what, attempt in self.attempts:
            if isinstance(attempt, Failed):
                found.append((what, attempt.failure))
        if self.directory.failure is not None:
            found.append(("directory", self.directory.failure))
        return tuple(found)
