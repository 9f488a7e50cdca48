"""The steps of a server's last observation, for its page: resolution, endpoints, attempts, in their order."""

from dash import html
from dash.development.base_component import Component

from analytics import wording as numbers
from crawler.model.observation import Families
from crawler.store.rows import AddressLookRow, AttemptRow, Observation, ServerDetail, StepRow
from dashboard import wording
from dashboard.pages.facts import Cell, mark, plain_table

SAID_LIMIT = 400
"""Characters shown of one answer."""

_BRANCHES: dict[str, str] = {
    "1": "the name is an IP address",
    "2": "the name has a port",
    "3.1": ".well-known names an IP address",
    "3.2": ".well-known names a host with a port",
    "3.3": ".well-known names a host with SRV records",
    "3.4": ".well-known names a host with deprecated SRV records",
    "3.5": ".well-known names a host, port 8448",
    "4": "SRV records of the name",
    "5": "deprecated SRV records of the name",
    "6": "the name itself, port 8448",
}


def resolution(found: ServerDetail, seen: Observation) -> list[Component]:
    """How the name was resolved: the branch that was taken, and each question with its answer."""
    parts: list[Component] = []
    if seen.branch:
        branch = _BRANCHES.get(seen.branch, "")
        to = f" It is delegated to {wording.one_line(seen.delegated)}." if seen.delegated else ""
        parts.append(html.P(f"Branch {seen.branch} of the specification's algorithm: {branch}.{to}"))
    parts.append(
        plain_table(
            "Steps of the resolution",
            ("Question", "About", "Answer", "Conclusion", "Time", "May be kept"),
            [_step(step) for step in found.steps],
            right=(4, 5),
        )
        if found.steps
        else html.P("No question was needed.", className="quiet")
    )
    return parts


def _step(step: StepRow) -> list[Cell]:
    said = wording.one_line(step.answer, SAID_LIMIT)
    if step.failed_kind is not None:
        kind = wording.FAILURES.get(step.failed_kind, step.failed_kind)
        said = kind if not step.detail else f"{kind} ({wording.one_line(step.detail)})"
    return [
        wording.QUESTIONS.get(step.question, step.question),
        html.Bdi(wording.one_line(step.subject)),
        html.Bdi(said),
        html.Bdi(wording.one_line(step.conclusion, SAID_LIMIT)),
        numbers.duration(step.duration_s) if step.cached_at is None else f"kept from {step.cached_at:%d %b %H:%M} UTC",
        numbers.duration(step.cache_s) if step.cache_s else "not said" if step.cache_s is None else "no",
    ]


def endpoints(found: ServerDetail, seen: Observation) -> list[Component]:
    """Where the name leads to, in the order to be tried."""
    if not found.endpoints:
        return [html.P("Nowhere that may be dialled.", className="quiet")]
    rows: list[list[Cell]] = [
        [
            _literal(endpoint.address),
            str(endpoint.port),
            endpoint.host_header,
            endpoint.tls_name,
            endpoint.via,
            "used" if (endpoint.address, endpoint.port) == (seen.address, seen.port) else "",
        ]
        for endpoint in found.endpoints
    ]
    return [
        plain_table("Endpoints", ("Address", "Port", "Host header", "Certificate for", "Branch", ""), rows, right=(1,))
    ]


_REACHED_BY: dict[str, str] = {
    Families.BOTH: "IPv4 and IPv6 both reach it.",
    Families.IPV4_ONLY: "It is reached by IPv4, and publishes no IPv6 address.",
    Families.IPV6_ONLY: "It is reached by IPv6 alone: it publishes no IPv4 address.",
    Families.IPV6_BROKEN: "It is reached by IPv4; its IPv6 addresses do not answer.",
    Families.IPV4_BROKEN: "It is reached by IPv6; its IPv4 addresses do not answer.",
    Families.NEITHER: "No address of it answers.",
    Families.UNKNOWN: "Whether IPv4 and IPv6 both reach it is not known.",
}


def addresses(found: ServerDetail, seen: Observation) -> list[Component]:
    """Each address asked as if it were the only one; nothing where it was not this server's turn."""
    if not found.addresses:
        return []
    return [
        html.H3("Each address for itself"),
        html.P(_REACHED_BY.get(seen.families or "", seen.families or ""), className="quiet"),
        plain_table(
            "Each address for itself",
            ("Address", "Port", "State", "Certificate of", "valid until", "Software", "Signing keys"),
            [_address(look) for look in found.addresses],
            right=(1,),
        ),
    ]


def _address(look: AddressLookRow) -> list[Cell]:
    kind = look.tcp_failure or look.tls_failure or look.version_failure or look.keys_failure
    state = wording.State("answers", "✓", wording.GOOD)
    if kind is not None:
        state = wording.State(wording.FAILURES.get(kind, kind), "✕", wording.BAD)
    software = " ".join(part for part in (look.software_raw, look.version_raw) if part)
    return [
        _literal(look.address),
        str(look.port),
        mark(state),
        html.Bdi(wording.one_line(", ".join(look.tls_names or ()))),
        numbers.moment(look.tls_not_after) if look.tls_not_after else "",
        html.Bdi(wording.one_line(software)),
        html.Bdi(wording.one_line(", ".join(sorted(look.verify_keys or ())))),
    ]


def _literal(address: str) -> Component:
    return html.Code(f"[{address}]" if ":" in address else address)


def attempts(made: tuple[AttemptRow, ...], seen: Observation) -> Component:
    """Every attempt of the visit: what it gave, why it failed, or why there was none."""
    return plain_table(
        "Attempts",
        ("Attempt", "Outcome", "What was seen", "Time", "to connect", "to secure", "to first byte"),
        [_attempt(attempt, seen) for attempt in made],
        right=(3, 4, 5, 6),
    )


_OUTCOMES = {
    "ok": wording.State("done", "✓", wording.GOOD),
    "failed": wording.State("failed", "✕", wording.BAD),
    "skipped": wording.State("not attempted", "–", wording.QUIET),
}


def _attempt(attempt: AttemptRow, seen: Observation) -> list[Cell]:
    told = _heard(attempt.what, seen)
    if attempt.outcome == "failed":
        told = wording.failure(attempt.failed_phase, attempt.failed_kind)
        status = f"HTTP {attempt.http_status}" if attempt.http_status else ""
        more = [
            part for part in (status, wording.one_line(attempt.errcode, 60), wording.one_line(attempt.detail)) if part
        ]
        told += f" ({'; '.join(more)})" if more else ""
    elif attempt.outcome == "skipped":
        reason = attempt.skip_reason or ""
        told = wording.SKIPPED.get(reason, reason.replace("_", " "))
    times = (attempt.total_s, attempt.tcp_s, attempt.tls_s, attempt.first_byte_s)
    return [
        wording.ATTEMPTS.get(attempt.what, attempt.what),
        mark(_OUTCOMES.get(attempt.outcome, wording.NOT_VISITED)),
        html.Bdi(told),
        *("" if time is None else numbers.duration(time) for time in times),
    ]


def _heard(what: str, seen: Observation) -> str:
    """What an attempt that was done gave, in a few words."""
    said = {
        "resolution": f"branch {seen.branch}",
        "tcp": f"{seen.address} port {seen.port}",
        "tls": seen.tls_protocol,
        "version": " ".join(part for part in (seen.software_raw, seen.version_raw) if part) or "no name given",
        "keys": numbers.plural(len(seen.verify_keys or ()), "key"),
        "client_well_known": seen.client_base or "not published",
        "client_versions": numbers.plural(len(seen.spec_versions or ()), "version"),
        "support": "published" if seen.support_published else "not published",
        "directory": None if seen.directory_rooms is None else numbers.plural(seen.directory_rooms, "room"),
    }
    return wording.one_line(said.get(what), 120)
