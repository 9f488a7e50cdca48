"""Every address of the resolution, asked as if it were the only one (server-server API, "Resolving server names":
a peer may use any)."""

from collections.abc import Callable, Mapping

from crawler.engine.conformance.judgement import (
    NOT_APPLICABLE,
    PASS,
    Check,
    Judgement,
    all_places,
    fail,
    failure_of,
    place_text,
    warn,
)
from crawler.engine.conformance.remedies import Place, remedy
from crawler.model.close_look import AddressLook, Families, Inspection
from crawler.model.discovery import Endpoint
from crawler.model.observation import Attempt, Ok

RESOLVING = 'Server-server API, "Resolving server names"'
KEYS = 'Server-server API, "Publishing keys"'


def _every(attempt_of: Callable[[AddressLook], Attempt[object]]) -> Callable[[Inspection], Judgement]:
    """Passes when none of the addresses that came so far fails here; a warning when some do, a failure when all."""

    def judge(seen: Inspection) -> Judgement:
        failed = [look for look in seen.addresses if failure_of(attempt_of(look)) is not None]
        done = [look for look in seen.addresses if isinstance(attempt_of(look), Ok)]
        if not failed:
            return PASS if done else NOT_APPLICABLE
        first = failed[0]
        failure = failure_of(attempt_of(first))
        assert failure is not None  # noqa: S101 - it is among the failed
        endpoint = first.endpoint
        place = Place(seen.observation.server_name, endpoint.host_header, endpoint.tls_name, place_text(endpoint))
        others = f" The same goes for {all_places(failed[1:])}." if failed[1:] else ""
        told = remedy(failure, place) + others
        return warn(told) if done else fail(told)

    return judge


def _same_keys(seen: Inspection) -> Judgement:
    found = {look.endpoint: look.keys.value.verify_keys for look in seen.addresses if isinstance(look.keys, Ok)}
    return _same(
        {endpoint: tuple(sorted(keys.items())) for endpoint, keys in found.items()},
        "Let all addresses lead to the same homeserver: {first} and {second} publish different signing keys.",
        fail,
    )


def _same_version(seen: Inspection) -> Judgement:
    found = {look.endpoint: look.version.value for look in seen.addresses if isinstance(look.version, Ok)}
    return _same(
        {endpoint: (info.name, info.version) for endpoint, info in found.items()},
        "Bring all addresses to one version: {first} and {second} run different software or versions.",
        warn,
    )


def _same(found: Mapping[Endpoint, object], sentence: str, otherwise: Callable[[str], Judgement]) -> Judgement:
    if len(found) < 2:
        return NOT_APPLICABLE
    (first, expected), *rest = found.items()
    for endpoint, value in rest:
        if value != expected:
            return otherwise(sentence.format(first=place_text(first), second=place_text(endpoint)))
    return PASS


def _ipv6(seen: Inspection) -> Judgement:
    v6 = [look for look in seen.addresses if look.is_v6]
    v4 = [look for look in seen.addresses if not look.is_v6]
    match seen.families:
        case Families.BOTH | Families.IPV4_ONLY:
            return PASS
        case Families.IPV6_ONLY:
            return warn("Add an IPv4 address (an A record): servers without IPv6 cannot reach this one.")
        case Families.IPV6_BROKEN:
            return warn(
                f"Open {all_places(v6)} or remove the AAAA records: IPv6 is published and does not answer, so each "
                "connection that tries it first waits for nothing."
            )
        case Families.IPV4_BROKEN:
            return warn(
                f"Open {all_places(v4)} or remove the A records: IPv4 is published and does not answer, and most "
                "servers have nothing else."
            )
        case Families.NEITHER | Families.UNKNOWN:
            return NOT_APPLICABLE


CHECKS = (
    Check("addresses.connect", "Each address takes connections", RESOLVING, _every(lambda look: look.tcp)),
    Check(
        "addresses.secure",
        "Each address presents a certificate that verifies",
        RESOLVING,
        _every(lambda look: look.tls),
    ),
    Check("addresses.version", "Each address answers with its version", RESOLVING, _every(lambda look: look.version)),
    Check("addresses.keys", "Each address publishes valid keys", KEYS, _every(lambda look: look.keys)),
    Check("addresses.same_keys", "All addresses publish the same keys", KEYS, _same_keys),
    Check("addresses.same_version", "All addresses run the same version", RESOLVING, _same_version),
    Check("addresses.ipv6", "What is published of IPv4 and IPv6 works", "RFC 6540", _ipv6),
)
