"""Every way in which a name of the practice federation can be dead, and what a crawl must call it.

`reached` is the last predicate of the funnel that is still true. `branches` are the ways of resolving on which that
death can be staged. Where a death is staged is in `lab.presence`; this table is only what is expected.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from crawler.errors import FailureKind
from crawler.model.discovery import Branch


class Reached(IntEnum):
    """The predicates of the funnel, each implying the ones before it."""

    KNOWN = 0
    RESOLVES = 1
    REACHABLE = 2
    SECURE = 3
    ONLINE = 4
    FEDERATING = 5


class Death(StrEnum):
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    DNS_REFUSED = "dns_refused"
    DNS_SILENT = "dns_silent"
    SRV_TARGET_GONE = "srv_target_gone"
    SRV_DECLINED = "srv_declined"
    DELEGATE_GONE = "delegate_gone"
    SPECIAL_ADDRESS = "special_address"
    HOST_REFUSES = "host_refuses"
    PORT_REFUSES = "port_refuses"
    HOST_SILENT = "host_silent"
    PORT_SILENT = "port_silent"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_NAME = "wrong_name"
    SELF_SIGNED = "self_signed"
    UNTRUSTED = "untrusted"
    NO_HANDSHAKE = "no_handshake"
    PARKED = "parked"
    BAD_GATEWAY = "bad_gateway"
    NOT_MATRIX = "not_matrix"
    REDIRECTS = "redirects"
    HANGS_UP = "hangs_up"
    HUGE_BODY = "huge_body"
    """Answers everything with 16 MiB of nothing."""
    STALLS = "stalls"
    """Accepts the connection and never says a word: the handshake does not end."""
    NEVER_ANSWERS = "never_answers"
    """Ends the handshake and never answers a request."""
    DRIPS = "drips"
    """Sends its answer a byte a second."""
    KEYS_NOT_JSON = "keys_not_json"
    KEYS_NOT_FOUND = "keys_not_found"
    KEYS_WRONG_NAME = "keys_wrong_name"
    KEYS_EXPIRED = "keys_expired"
    KEYS_NO_KEY = "keys_no_key"
    KEYS_NO_SIGNATURE = "keys_no_signature"
    KEYS_BAD_SIGNATURE = "keys_bad_signature"


@dataclass(frozen=True, slots=True)
class DeathFacts:
    """`weight` is the share among the dead of a realistic federation, in parts."""

    kind: FailureKind
    reached: Reached
    branches: tuple[Branch, ...]
    weight: float


_BARE = (Branch.DEFAULT,)
_ANY_SRV = (Branch.SRV, Branch.SRV_DEPRECATED, Branch.WELL_KNOWN_SRV, Branch.WELL_KNOWN_SRV_DEPRECATED)
_ADDRESSED = (Branch.DEFAULT, Branch.EXPLICIT_PORT)
_PORTED = (
    Branch.IP_LITERAL,
    Branch.EXPLICIT_PORT,
    Branch.WELL_KNOWN_IP,
    Branch.WELL_KNOWN_PORT,
    Branch.WELL_KNOWN_SRV,
    Branch.SRV,
    Branch.SRV_DEPRECATED,
)
_NAMED = (
    Branch.DEFAULT,
    Branch.EXPLICIT_PORT,
    Branch.WELL_KNOWN_PORT,
    Branch.WELL_KNOWN_SRV,
    Branch.WELL_KNOWN_DEFAULT,
    Branch.SRV,
    Branch.SRV_DEPRECATED,
)
_EVERY = tuple(Branch)

DEATHS: dict[Death, DeathFacts] = {
    Death.NXDOMAIN: DeathFacts(FailureKind.DNS_NXDOMAIN, Reached.KNOWN, _ADDRESSED, 34),
    Death.NODATA: DeathFacts(FailureKind.DNS_NODATA, Reached.KNOWN, _ADDRESSED, 5),
    Death.SERVFAIL: DeathFacts(FailureKind.DNS_SERVFAIL, Reached.KNOWN, _ADDRESSED, 5),
    Death.DNS_REFUSED: DeathFacts(FailureKind.DNS_REFUSED, Reached.KNOWN, _BARE, 1),
    Death.DNS_SILENT: DeathFacts(FailureKind.DNS_TIMEOUT, Reached.KNOWN, _BARE, 3),
    Death.SRV_TARGET_GONE: DeathFacts(FailureKind.DNS_NXDOMAIN, Reached.KNOWN, _ANY_SRV, 2),
    Death.SRV_DECLINED: DeathFacts(FailureKind.DNS_SRV_UNAVAILABLE, Reached.KNOWN, _ANY_SRV, 1),
    Death.DELEGATE_GONE: DeathFacts(
        FailureKind.DNS_NXDOMAIN, Reached.KNOWN, (Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_DEFAULT), 4
    ),
    Death.SPECIAL_ADDRESS: DeathFacts(
        FailureKind.POLICY_ADDRESS,
        Reached.KNOWN,
        (
            Branch.IP_LITERAL,
            Branch.EXPLICIT_PORT,
            Branch.WELL_KNOWN_IP,
            Branch.WELL_KNOWN_PORT,
            Branch.SRV,
            Branch.DEFAULT,
        ),
        3,
    ),
    Death.HOST_REFUSES: DeathFacts(FailureKind.TCP_REFUSED, Reached.RESOLVES, _BARE, 8),
    Death.PORT_REFUSES: DeathFacts(FailureKind.TCP_REFUSED, Reached.RESOLVES, _PORTED, 7),
    Death.HOST_SILENT: DeathFacts(FailureKind.TCP_TIMEOUT, Reached.RESOLVES, _BARE, 3),
    Death.PORT_SILENT: DeathFacts(FailureKind.TCP_TIMEOUT, Reached.RESOLVES, _PORTED, 4),
    Death.EXPIRED: DeathFacts(FailureKind.TLS_EXPIRED, Reached.REACHABLE, _NAMED, 6),
    Death.NOT_YET_VALID: DeathFacts(FailureKind.TLS_NOT_YET_VALID, Reached.REACHABLE, _NAMED, 0.5),
    Death.WRONG_NAME: DeathFacts(FailureKind.TLS_WRONG_NAME, Reached.REACHABLE, _NAMED, 4),
    Death.SELF_SIGNED: DeathFacts(FailureKind.TLS_SELF_SIGNED, Reached.REACHABLE, _NAMED, 2),
    Death.UNTRUSTED: DeathFacts(FailureKind.TLS_UNTRUSTED, Reached.REACHABLE, _NAMED, 1),
    Death.NO_HANDSHAKE: DeathFacts(FailureKind.TLS_HANDSHAKE, Reached.REACHABLE, _NAMED, 2),
    Death.PARKED: DeathFacts(FailureKind.JSON_INVALID, Reached.SECURE, _NAMED, 4),
    Death.BAD_GATEWAY: DeathFacts(FailureKind.HTTP_SERVER_ERROR, Reached.SECURE, _EVERY, 4),
    Death.NOT_MATRIX: DeathFacts(FailureKind.HTTP_NOT_FOUND, Reached.SECURE, _NAMED, 2),
    Death.REDIRECTS: DeathFacts(FailureKind.HTTP_REDIRECT, Reached.SECURE, _NAMED, 1),
    Death.HANGS_UP: DeathFacts(FailureKind.HTTP_CLOSED, Reached.SECURE, _NAMED, 1),
    Death.HUGE_BODY: DeathFacts(FailureKind.HTTP_TOO_LARGE, Reached.SECURE, _NAMED, 0.5),
    Death.STALLS: DeathFacts(FailureKind.TLS_TIMEOUT, Reached.REACHABLE, (Branch.WELL_KNOWN_PORT, Branch.SRV), 0.5),
    Death.NEVER_ANSWERS: DeathFacts(FailureKind.HTTP_TIMEOUT, Reached.SECURE, _NAMED, 0.5),
    Death.DRIPS: DeathFacts(FailureKind.HTTP_TIMEOUT, Reached.SECURE, _NAMED, 0.5),
    Death.KEYS_NOT_JSON: DeathFacts(FailureKind.JSON_INVALID, Reached.ONLINE, _EVERY, 0.5),
    Death.KEYS_NOT_FOUND: DeathFacts(FailureKind.HTTP_NOT_FOUND, Reached.ONLINE, _EVERY, 0.5),
    Death.KEYS_WRONG_NAME: DeathFacts(FailureKind.KEYS_WRONG_NAME, Reached.ONLINE, _EVERY, 0.5),
    Death.KEYS_EXPIRED: DeathFacts(FailureKind.KEYS_EXPIRED, Reached.ONLINE, _EVERY, 0.5),
    Death.KEYS_NO_KEY: DeathFacts(FailureKind.KEYS_NO_KEY, Reached.ONLINE, _EVERY, 0.3),
    Death.KEYS_NO_SIGNATURE: DeathFacts(FailureKind.KEYS_NO_SIGNATURE, Reached.ONLINE, _EVERY, 0.3),
    Death.KEYS_BAD_SIGNATURE: DeathFacts(FailureKind.KEYS_BAD_SIGNATURE, Reached.ONLINE, _EVERY, 0.4),
}

TARPITS = frozenset({Death.STALLS, Death.NEVER_ANSWERS, Death.DRIPS})
"""Deaths that hold a visitor up until its own deadline: staged only where tarpits are asked for."""
