"""One server: is it counted, and if not, why? Every step of its last observation, in the order of the visit."""

from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording as numbers
from analytics.funnel import MEANING, Predicate
from crawler.store.rows import AttemptRow, LeadRow, Observation, ServerDetail, StepRow
from dashboard import wording
from dashboard.data import View
from dashboard.figures.implementations import label
from dashboard.pages.facts import Cell, facts, mark, plain_table
from dashboard.pages.servers import reached, server_path
from dashboard.request import PageRequest

_LEADS_SHOWN = 20
_SAID_LIMIT = 400

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


def layout(request: PageRequest) -> Component:
    """The page."""
    name = wording.one_line(request.argument, 230)
    found = request.view.reader.server(request.argument, request.view.crawl.id)
    if found is None or not (found.observation or found.leads):
        return _unknown(name)
    shown = wording.one_line(found.server_name, 230)
    head = [
        html.P(dcc.Link("Servers", href="/servers"), style={"margin": "0 0 4px"}),
        html.H1(shown, tabIndex="-1", style={"overflowWrap": "anywhere"}),
    ]
    seen = found.observation
    if seen is None:
        return html.Div([*head, *_not_visited(), *_named_by(found)])
    return html.Div(
        [
            *head,
            html.P(
                f"What this census saw on {numbers.moment(seen.observed_at)}, in {numbers.duration(seen.duration_s)}, "
                f"with {numbers.plural(seen.requests, 'request')}.",
                className="lede",
            ),
            _verdict(seen),
            _stages(seen),
            html.Div(className="two", children=[_identity(request.view, found, seen), _security(seen)]),
            html.H2("Resolving the name"),
            *_resolution(found, seen),
            html.H2("Where it leads"),
            *_endpoints(found, seen),
            html.H2("Every attempt"),
            _attempts(found.attempts, seen),
            html.Div(className="two", children=[_directory(found, seen), _client(found, seen)]),
            *_named_by(found),
        ]
    )


def _unknown(name: str) -> Component:
    return html.Div(
        [
            html.P(dcc.Link("Servers", href="/servers"), style={"margin": "0 0 4px"}),
            html.H1("Not in this census", tabIndex="-1"),
            html.P(["Nothing named ", html.Code(name), " to this census, so it was not looked for."], className="lede"),
            html.P(
                "A server becomes known when a room, an alias or a participant list of another server names it, or "
                "when the crawl starts from it.",
            ),
        ]
    )


def _not_visited() -> list[Component]:
    return [
        html.P("It was named, but this census did not visit it.", className="lede"),
        html.Div(mark(wording.NOT_VISITED), className="verdict tone-quiet"),
    ]


def _verdict(seen: Observation) -> Component:
    state = reached(seen)
    kind, phase = seen.failed_kind, seen.failed_phase or ""
    why = f"Why: {wording.FAILURES.get(kind, kind)} ({wording.PHASES.get(phase, phase)})." if kind else ""
    counted = "Counted as online." if seen.online else "Not counted as online."
    return html.Div(
        [mark(state), html.Span(counted), html.Span(why) if why else ""],
        className=f"verdict tone-{state.tone}",
    )


def _stages(seen: Observation) -> Component:
    items: list[Component] = []
    for predicate in Predicate:
        if predicate is Predicate.KNOWN:
            continue
        holds: bool | None = getattr(seen, predicate.value)
        state = (
            wording.State(predicate.value, "✓", wording.GOOD)
            if holds
            else wording.State(f"{predicate.value}: not known", "–", wording.QUIET)
            if holds is None
            else wording.State(f"not {predicate.value}", "✕", wording.QUIET)
        )
        items.append(html.Li(mark(state), title=MEANING[predicate]))
    return html.Ul(items, className="steps")


def _absence(found: ServerDetail, what: str, absent: str) -> str:
    """Why there is nothing: the answer left it out (`absent`), the attempt failed, or there was none."""
    outcome = next((attempt.outcome for attempt in found.attempts if attempt.what == what), "skipped")
    return {"ok": absent, "failed": "could not be had"}.get(outcome, "not asked")


def _identity(view: View, found: ServerDetail, seen: Observation) -> Component:
    software = label(seen.software, view.software) if seen.software else None
    said = " ".join(part for part in (seen.software_raw, seen.version_raw) if part)
    keys: Cell | None = None
    if seen.verify_keys:
        keys = [
            html.Div(html.Code(f"{wording.one_line(i, 60)} {wording.one_line(k, 60)}"))
            for i, k in seen.verify_keys.items()
        ]
    return html.Section(
        [
            html.H2("Software and keys"),
            facts(
                [
                    ("Software", software or _absence(found, "version", "not said")),
                    ("Version", wording.one_line(seen.version, 60) or _absence(found, "version", "not said")),
                    ("As it says itself", html.Code(wording.one_line(said, _SAID_LIMIT)) if said else None),
                    ("Signing keys", keys or _absence(found, "keys", "none")),
                    ("Keys valid until", numbers.moment(seen.keys_valid_until) if seen.keys_valid_until else None),
                ]
            ),
        ]
    )


def _security(seen: Observation) -> Component:
    if seen.tls_protocol is None:
        return html.Section([html.H2("TLS"), html.P("No connection whose certificate verified.", className="quiet")])
    return html.Section(
        [
            html.H2("TLS"),
            facts(
                [
                    ("Certificate for", wording.one_line(seen.tls_name)),
                    ("Issued by", wording.one_line(seen.tls_issuer)),
                    ("Valid until", numbers.moment(seen.tls_not_after)),
                    ("Protocol", f"{seen.tls_protocol}, {seen.tls_cipher}"),
                    ("SHA-256", html.Code(seen.tls_fingerprint or "")),
                ]
            ),
        ]
    )


def _resolution(found: ServerDetail, seen: Observation) -> list[Component]:
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
    said = wording.one_line(step.answer, _SAID_LIMIT)
    if step.failed_kind is not None:
        kind = wording.FAILURES.get(step.failed_kind, step.failed_kind)
        said = kind if not step.detail else f"{kind} ({wording.one_line(step.detail)})"
    return [
        wording.QUESTIONS.get(step.question, step.question),
        html.Bdi(wording.one_line(step.subject)),
        html.Bdi(said),
        html.Bdi(wording.one_line(step.conclusion, _SAID_LIMIT)),
        numbers.duration(step.duration_s),
        numbers.duration(step.cache_s) if step.cache_s else "not said" if step.cache_s is None else "no",
    ]


def _endpoints(found: ServerDetail, seen: Observation) -> list[Component]:
    if not found.endpoints:
        return [html.P("Nowhere that may be dialled.", className="quiet")]
    rows: list[list[Cell]] = [
        [
            html.Code(f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address),
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


def _attempts(attempts: tuple[AttemptRow, ...], seen: Observation) -> Component:
    return plain_table(
        "Attempts",
        ("Attempt", "Outcome", "What was seen", "Time", "to connect", "to secure", "to first byte"),
        [_attempt(attempt, seen) for attempt in attempts],
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
        "client_base": seen.client_base or "not published",
        "client_versions": numbers.plural(len(seen.spec_versions or ()), "version"),
        "directory": None if seen.directory_rooms is None else numbers.plural(seen.directory_rooms, "room"),
    }
    return wording.one_line(said.get(what), 120)


def _directory(found: ServerDetail, seen: Observation) -> Component:
    ways = {"federation": "over federation", "client": "through the client API"}
    return html.Section(
        [
            html.H2("Room directory"),
            facts(
                [
                    ("It is", mark(wording.DIRECTORY.get(seen.directory_state, wording.NOT_VISITED))),
                    ("Asked", ways.get(seen.directory_way or "")),
                    ("Rooms read", None if seen.directory_rooms is None else numbers.number(seen.directory_rooms)),
                    ("Pages", numbers.number(seen.directory_pages) if seen.directory_pages else None),
                    ("Reading", wording.STOPPED.get(seen.directory_stopped or "")),
                    (
                        "It claims",
                        None if seen.directory_estimate is None else numbers.plural(seen.directory_estimate, "room"),
                    ),
                    ("Opted out", numbers.plural(seen.directory_noindex, "room") if seen.directory_noindex else None),
                    ("Takes part in", _participations(found.participations)),
                ]
            ),
        ]
    )


def _participations(rooms: int) -> str:
    return f"{numbers.plural(rooms, 'room')}, as other servers say" if rooms else "no room that we were told of"


def _client(found: ServerDetail, seen: Observation) -> Component:
    versions = ", ".join(wording.one_line(version, 30) for version in seen.spec_versions or ())
    features = sorted(name for name, enabled in (seen.unstable_features or {}).items() if enabled)
    return html.Section(
        [
            html.H2("Client API"),
            facts(
                [
                    (
                        "Base URL",
                        html.Bdi(wording.one_line(seen.client_base))
                        if seen.client_base
                        else _absence(found, "client_base", "not published"),
                    ),
                    ("Specification", versions or _absence(found, "client_versions", "none")),
                    ("Unstable features", numbers.plural(len(features), "feature") if features else None),
                ]
            ),
            html.Details(
                [html.Summary("Which features"), html.P(", ".join(wording.one_line(f, 100) for f in features))],
                style={"fontSize": "14px"},
            )
            if features
            else "",
        ]
    )


def _named_by(found: ServerDetail) -> list[Component]:
    shown = found.leads[:_LEADS_SHOWN]
    parts: list[Component] = [html.H2("Who named it")]
    if not shown:
        return [*parts, html.P("Nothing in this census.", className="quiet")]
    parts.append(plain_table("Who named it", ("Named by", "How", "Times"), [_lead(lead) for lead in shown], right=(2,)))
    if found.leads_total > len(shown):
        parts.append(html.P(f"And {numbers.number(found.leads_total - len(shown))} more.", className="quiet"))
    return parts


def _lead(lead: LeadRow) -> list[Cell]:
    who: Cell = "this census" if lead.named_by is None else dcc.Link(lead.named_by, href=server_path(lead.named_by))
    return [who, wording.SOURCES.get(lead.source, lead.source.replace("_", " ")), numbers.number(lead.count)]
