"""Conformance: what an inspection is worth, check by check. Pure: an `Inspection` in, findings out.

- `judgement`   what a check is made of
- `remedies`    kind of failure -> the sentence that tells the admin what to do
- `names`       server name, .well-known, delegation
- `dns`         SRV records, addresses
- `addresses`   each address by itself, split-brain, IPv6
- `tls`         handshake, name, chain, expiry
- `keys`        the key document
- `federation`  version, signatures, room directory, manners
- `clients`     the client side, sign-up
"""

from crawler.engine.conformance import addresses, clients, dns, federation, keys, names, tls
from crawler.engine.conformance.judgement import Check
from crawler.model.close_look import Inspection
from crawler.model.verdict import Finding

CHECKS: tuple[Check, ...] = (
    *names.CHECKS,
    *dns.CHECKS,
    *addresses.CHECKS,
    *tls.CHECKS,
    *keys.CHECKS,
    *federation.CHECKS,
    *clients.CHECKS,
)
"""In the order of the way to a server, which is the order in which an admin should mend things."""


def judge(seen: Inspection) -> tuple[Finding, ...]:
    """Every check, in order."""
    return tuple(check.find(seen) for check in CHECKS)
