"""The server name, and the .well-known document that delegates it (appendices, "Server Name"; server-server API,
"Resolving server names" and "Server discovery")."""

from collections.abc import Callable

from crawler.engine.conformance.judgement import (
    NOT_APPLICABLE,
    PASS,
    Check,
    Judgement,
    by_severity,
    warn,
    well_known_facts,
    well_known_step,
)
from crawler.engine.conformance.remedies import Place, remedy
from crawler.errors import FailureKind, Phase
from crawler.model.close_look import Inspection

DISCOVERY = 'Server-server API, "Resolving server names", step 3'
MANY_REDIRECTS = 3
SHORT_CACHE_S = 300.0
"""Synapse keeps an answer at least so long, whatever its headers say."""

_NONE_PUBLISHED = frozenset(
    {FailureKind.HTTP_NOT_FOUND, FailureKind.TCP_REFUSED, FailureKind.DNS_NXDOMAIN, FailureKind.DNS_NODATA}
)
"""Ways of not having a .well-known document, which is nobody's fault: SRV or port 8448 may do instead."""
_DOCUMENT = frozenset({FailureKind.HTTP_TOO_LARGE, FailureKind.WELL_KNOWN_REDIRECTS})
"""Failures that have a check of their own."""


def _host_name(seen: Inspection) -> Judgement:
    """The grammar of server names allows more than that of host names does."""
    for name in (seen.observation.server_name, seen.observation.resolution.delegated):
        if name is None or name.is_ip:
            continue
        labels = name.host.split(".")
        dashed = [label for label in labels if label.startswith("-") or label.endswith("-")]
        if dashed:
            return warn(
                f"Use another name than {name.host}: {dashed[0]} begins or ends with a hyphen, as no part of a host "
                "name may, and programs and certificate authorities refuse it."
            )
        if labels[-1].isdigit():
            return warn(
                f"Use another name than {name.host}: its last part is a number, so that programs take it for an IPv4 "
                "address, and refuse it."
            )
    return PASS


def _lower_case(seen: Inspection) -> Judgement:
    name = seen.observation.server_name
    if name.raw == name.key:
        return PASS
    return warn(
        f"Write the name as {name.key}: server names should be lower case, and some servers tell letters apart."
    )


def _reachable(seen: Inspection) -> Judgement:
    step = well_known_step(seen)
    if step is None:
        return NOT_APPLICABLE
    failure = step.failure
    if failure is None or failure.kind.phase is Phase.WELL_KNOWN or failure.kind in _DOCUMENT:
        return PASS
    if failure.kind in _NONE_PUBLISHED:
        return NOT_APPLICABLE
    asked = f"https://{step.subject}/.well-known/matrix/server"
    return by_severity(seen, remedy(failure, Place(seen.observation.server_name, asked, step.subject)))


def _of_kind(*kinds: FailureKind) -> Callable[[Inspection], Judgement]:
    """Passes when there is a valid document; fails for these kinds alone."""

    def judge(seen: Inspection) -> Judgement:
        step = well_known_step(seen)
        if step is None:
            return NOT_APPLICABLE
        if step.failure is not None and step.failure.kind in kinds:
            return by_severity(
                seen, remedy(step.failure, Place(seen.observation.server_name, step.subject, step.subject))
            )
        return PASS if step.failure is None else NOT_APPLICABLE

    return judge


def _content_type(seen: Inspection) -> Judgement:
    facts = well_known_facts(seen)
    if facts is None:
        return NOT_APPLICABLE
    media = (facts.content_type or "").partition(";")[0].strip().lower()
    if media == "application/json":
        return PASS
    sent = f"{media or 'no type at all'}"
    return warn(f"Send /.well-known/matrix/server with Content-Type: application/json; it comes as {sent}.")


def _redirects(seen: Inspection) -> Judgement:
    facts = well_known_facts(seen)
    if facts is not None and len(facts.redirects) > MANY_REDIRECTS:
        return warn(
            f"Shorten the {len(facts.redirects)} redirects of /.well-known/matrix/server: servers give up after a "
            "few, and the last leads to the answer anyway."
        )
    return _redirects_end(seen)


_redirects_end = _of_kind(FailureKind.WELL_KNOWN_REDIRECTS)


def _cache(seen: Inspection) -> Judgement:
    step, facts = well_known_step(seen), well_known_facts(seen)
    if step is None or facts is None or step.cache_s is None:
        return NOT_APPLICABLE
    if step.cache_s >= SHORT_CACHE_S:
        return PASS
    said = f"Cache-Control: {facts.cache_control}" if facts.cache_control else f"Expires: {facts.expires}"
    return warn(
        f"Let /.well-known/matrix/server be kept for an hour or more, such as by Cache-Control: max-age=3600; by its "
        f"{said} other servers ask again and again."
    )


def _no_loop(seen: Inspection) -> Judgement:
    delegate, name = seen.observation.resolution.delegated, seen.observation.server_name
    if delegate is None:
        return NOT_APPLICABLE
    if delegate.key != name.key:
        return PASS
    return warn(
        f"Write the port into m.server, such as {name.host}:443 or {name.host}:8448: it names {name.raw} itself, whose "
        ".well-known is not asked for a second time."
    )


CHECKS = (
    Check("name.host_name", "The host is a valid host name of the internet", "RFC 1123, 2.1", _host_name),
    Check("name.lower_case", "The server name is in lower case", 'Appendices, "Server Name"', _lower_case),
    Check("well_known.reachable", "The .well-known for servers is reachable, if there is one", DISCOVERY, _reachable),
    Check("well_known.json", "It is a JSON object", DISCOVERY, _of_kind(FailureKind.WELL_KNOWN_NOT_JSON)),
    Check(
        "well_known.delegate",
        "It names a valid server to delegate to",
        DISCOVERY,
        _of_kind(FailureKind.WELL_KNOWN_NO_SERVER, FailureKind.WELL_KNOWN_BAD_SERVER),
    ),
    Check("well_known.content_type", "It is sent as application/json", DISCOVERY, _content_type),
    Check("well_known.size", "It is small enough to be read", DISCOVERY, _of_kind(FailureKind.HTTP_TOO_LARGE)),
    Check("well_known.redirects", "Its redirects are few and lead somewhere", DISCOVERY, _redirects),
    Check("well_known.cache", "It may be kept for a while", "Server-server API, step 3; RFC 9111, 4.2", _cache),
    Check("delegation.no_loop", "The delegation does not lead back to itself", DISCOVERY, _no_loop),
)
