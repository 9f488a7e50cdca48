"""DNS: SRV records and addresses (server-server API, "Resolving server names"; RFC 2782)."""

from crawler.engine.conformance.judgement import (
    NOT_APPLICABLE,
    PASS,
    Check,
    Judgement,
    address_steps,
    by_severity,
    fail,
    is_ok,
    srv_steps,
    steps,
    warn,
)
from crawler.engine.conformance.remedies import Place, place_of, remedy
from crawler.errors import FailureKind
from crawler.model.close_look import Inspection
from crawler.model.discovery import Branch, Question
from crawler.protocol.addresses import is_ip_literal

RESOLVING = 'Server-server API, "Resolving server names"'
RFC_2782 = "RFC 2782"


def _resolves(seen: Inspection) -> Judgement:
    failure = seen.observation.resolution.failure
    if failure is None or failure.kind in (FailureKind.POLICY_ADDRESS, FailureKind.DNS_SRV_UNAVAILABLE):
        return PASS if failure is None else NOT_APPLICABLE
    return fail(remedy(failure, place_of(seen.observation)))


def _srv_available(seen: Inspection) -> Judgement:
    found = srv_steps(seen)
    if not found:
        return NOT_APPLICABLE
    for step, _ in found:
        if step.failure is not None:
            return fail(remedy(step.failure, Place(seen.observation.server_name, step.subject, step.subject)))
    for step, facts in found:
        if facts.unusable:
            record = facts.unusable[0]
            return warn(
                f"Remove the record {record.priority} {record.weight} {record.port} {record.target}. from "
                f"{step.subject}: nothing can be dialled there."
            )
    return PASS


def _srv_name(seen: Inspection) -> Judgement:
    old = [step for step, _ in srv_steps(seen) if step.subject.startswith("_matrix._tcp.")]
    if not srv_steps(seen):
        return NOT_APPLICABLE
    if not old:
        return PASS
    owner = old[0].subject
    return warn(
        f"Publish the records of {owner} as _matrix-fed._tcp.{owner.removeprefix('_matrix._tcp.')}, too: the older "
        "name is deprecated since v1.8."
    )


def _targets_resolve(seen: Inspection) -> Judgement:
    targets = [(step, facts) for step, facts in address_steps(seen) if facts.is_srv_target]
    failed = [step for step, _ in targets if step.failure is not None]
    if not targets:
        return NOT_APPLICABLE
    for step in failed:
        if step.failure is not None:
            return by_severity(
                seen, remedy(step.failure, Place(seen.observation.server_name, step.subject, step.subject))
            )
    return PASS


def _targets_alive(seen: Inspection) -> Judgement:
    targets = [(step, facts) for step, facts in address_steps(seen) if facts.is_srv_target and facts.usable]
    if not targets or not seen.addresses:
        return NOT_APPLICABLE
    alive = {(look.endpoint.address, look.endpoint.port) for look in seen.addresses if is_ok(look.version)}
    for step, facts in targets:
        if not any((address, facts.port) in alive for address in facts.usable):
            return by_severity(
                seen,
                f"See that a homeserver answers at {step.subject} port {facts.port}, or remove that target from the "
                "SRV records: at none of its addresses does one.",
            )
    return PASS


def _targets_no_alias(seen: Inspection) -> Judgement:
    targets = [(step, facts) for step, facts in address_steps(seen) if facts.is_srv_target]
    for step, facts in targets:
        if facts.cname is not None:
            return warn(
                f"Let the SRV record point to {facts.cname} itself, or give {step.subject} addresses of its own: a "
                "target may not be an alias (CNAME), and some servers refuse it."
            )
        if is_ip_literal(step.subject):
            return warn(f"Let the SRV record point to a host name instead of the address {step.subject}.")
    return PASS if targets else NOT_APPLICABLE


def _public(seen: Inspection) -> Judgement:
    found = address_steps(seen)
    for step, facts in found:
        if facts.refused and not facts.usable and step.failure is not None:
            return by_severity(
                seen, remedy(step.failure, Place(seen.observation.server_name, step.subject, step.subject))
            )
    for step, facts in found:
        if facts.refused:
            return warn(
                f"Remove {', '.join(facts.refused[:4])} from the addresses of {step.subject}: they are private or "
                "special, and servers that try them first lose time."
            )
    return PASS if found else NOT_APPLICABLE


def _both_families(seen: Inspection) -> Judgement:
    found = address_steps(seen)
    for step, facts in found:
        if facts.other_failure is not None:
            return warn(
                f"Let the name servers of {step.subject} answer for A and AAAA alike, with no records where there are "
                f"none: one of the two ends in {facts.other_failure.kind}."
            )
    return PASS if found else NOT_APPLICABLE


def _default_port(seen: Inspection) -> Judgement:
    if not steps(seen, Question.SRV):
        return NOT_APPLICABLE
    via = seen.observation.resolution.branch
    if via in (Branch.DEFAULT, Branch.WELL_KNOWN_DEFAULT) and not seen.observation.reachable:
        host = (seen.observation.resolution.delegated or seen.observation.server_name).host
        return fail(
            f"Delegate {seen.observation.server_name.raw} by https://{seen.observation.server_name.host}"
            f"/.well-known/matrix/server or by an SRV record, or listen on {host} port 8448: that default is where "
            "servers connect now."
        )
    return PASS


CHECKS = (
    Check("dns.resolves", "The name leads to addresses", RESOLVING, _resolves),
    Check("dns.srv_available", "The SRV records lead to places", RFC_2782, _srv_available),
    Check("dns.srv_name", "The SRV records have the name of today", f"{RESOLVING}, 3.4 and 5", _srv_name),
    Check("dns.srv_targets_resolve", "Each SRV target has an address", RFC_2782, _targets_resolve),
    Check("dns.srv_targets_alive", "Each SRV target answers", RFC_2782, _targets_alive),
    Check(
        "dns.srv_targets_no_alias", "Each SRV target is a name with addresses, no alias", RFC_2782, _targets_no_alias
    ),
    Check("dns.public_addresses", "All addresses are public", "RFC 6890", _public),
    Check("dns.both_families", "The name servers answer for IPv4 and IPv6", "RFC 4074", _both_families),
    Check("dns.default_port", "Where nothing delegates, port 8448 is open", f"{RESOLVING}, 3.5 and 6", _default_port),
)
