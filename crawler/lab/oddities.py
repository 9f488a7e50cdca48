"""Oddities of practice servers that are alive: what their web front publishes, and what else is unusual about them.

Each with the branches of server discovery on which it can be staged.
"""

from enum import StrEnum

from crawler.model.discovery import Branch


class Front(StrEnum):
    """What `https://HOST/.well-known/matrix/server` of the server's own host gives."""

    VALID = "valid"
    REDIRECTED = "redirected"
    """By 301 and 308, over two hosts, to the valid answer."""
    NOT_FOUND = "not_found"
    HTML = "html"
    """200 and a web page, whatever is asked."""
    BROKEN_JSON = "broken_json"
    NO_SERVER = "no_server"
    BAD_SERVER = "bad_server"
    """m.server is a URL."""
    LOOP = "loop"
    TOO_LARGE = "too_large"
    """Valid, but longer than the 50 KiB that everybody caps it at."""
    BAD_CERTIFICATE = "bad_certificate"
    """Port 443 has an expired certificate, the federation port a good one."""
    NO_ADDRESS = "no_address"
    """The host has SRV records but no address of its own."""


class Quirk(StrEnum):
    """Lawful oddities that a crawl must take in its stride."""

    IPV6_ONLY = "ipv6_only"
    DUAL_STACK = "dual_stack"
    CNAME = "cname"
    MANY_ADDRESSES = "many_addresses"
    """36 A records: the answer is truncated over plain UDP."""
    MIXED_ADDRESSES = "mixed_addresses"
    """One of its two addresses is special."""
    FIRST_TARGET_DEAD = "first_target_dead"
    """The SRV target of best priority refuses, the next one serves."""
    WEIGHTED_TARGETS = "weighted_targets"
    TRAP = "trap"
    """A valid .well-known where the algorithm must not look, pointing to a name that does not exist."""
    RATE_LIMITED_ONCE = "rate_limited_once"
    """The first request for its directory gets 429, the next ones are answered."""
    ENDLESS_DIRECTORY = "endless_directory"
    """Every page of its directory has rooms that nobody has seen and promises another; only among tarpits."""
    SIGNATURE_REFUSED = "signature_refused"
    """Cannot get our key: 401 to everything signed."""


_SRV_BRANCHES = (Branch.SRV, Branch.SRV_DEPRECATED, Branch.WELL_KNOWN_SRV, Branch.WELL_KNOWN_SRV_DEPRECATED)
_HOST_BRANCHES = (Branch.EXPLICIT_PORT, Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_DEFAULT, Branch.DEFAULT)
FALLING_THROUGH = (Branch.SRV, Branch.SRV_DEPRECATED, Branch.DEFAULT)
WELL_KNOWN_BRANCHES = (
    Branch.WELL_KNOWN_IP,
    Branch.WELL_KNOWN_PORT,
    Branch.WELL_KNOWN_SRV,
    Branch.WELL_KNOWN_SRV_DEPRECATED,
    Branch.WELL_KNOWN_DEFAULT,
)

QUIRK_BRANCHES: dict[Quirk, tuple[Branch, ...]] = {
    Quirk.IPV6_ONLY: _HOST_BRANCHES,
    Quirk.DUAL_STACK: _HOST_BRANCHES,
    Quirk.CNAME: _HOST_BRANCHES,
    Quirk.MANY_ADDRESSES: _HOST_BRANCHES,
    Quirk.MIXED_ADDRESSES: _HOST_BRANCHES,
    Quirk.FIRST_TARGET_DEAD: _SRV_BRANCHES,
    Quirk.WEIGHTED_TARGETS: _SRV_BRANCHES,
    Quirk.TRAP: (Branch.EXPLICIT_PORT, Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_DEFAULT),
    Quirk.RATE_LIMITED_ONCE: tuple(Branch),
    Quirk.SIGNATURE_REFUSED: tuple(Branch),
}

FRONT_BRANCHES: dict[Front, tuple[Branch, ...]] = {
    Front.VALID: WELL_KNOWN_BRANCHES,
    Front.REDIRECTED: WELL_KNOWN_BRANCHES,
    Front.NOT_FOUND: FALLING_THROUGH,
    Front.HTML: FALLING_THROUGH,
    Front.BROKEN_JSON: FALLING_THROUGH,
    Front.NO_SERVER: FALLING_THROUGH,
    Front.BAD_SERVER: FALLING_THROUGH,
    Front.LOOP: FALLING_THROUGH,
    Front.TOO_LARGE: FALLING_THROUGH,
    Front.BAD_CERTIFICATE: FALLING_THROUGH,
    Front.NO_ADDRESS: (Branch.SRV, Branch.SRV_DEPRECATED),
}
