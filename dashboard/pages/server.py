"""One server: is it counted, and if not, why? Every step of its last observation, in the order of the visit."""

from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording as numbers
from analytics.funnel import MEANING, Predicate
from crawler.store.rows import LeadRow, Observation, ServerDetail
from dashboard import links, wording
from dashboard.data import View
from dashboard.figures.implementations import label
from dashboard.pages import check_now, submit
from dashboard.pages.facts import Cell, facts, mark, plain_table
from dashboard.pages.server_history import history
from dashboard.pages.server_steps import SAID_LIMIT, addresses, attempts, endpoints, resolution
from dashboard.pages.servers import reached, server_path
from dashboard.request import PageRequest

_LEADS_SHOWN = 20


def layout(request: PageRequest) -> Component:
    """The page."""
    name = wording.one_line(request.argument, 230)
    view = request.view
    found = view.reader.server(request.argument, view.crawl.id)
    if found is None or not (found.observation or found.leads or view.past is not None):
        return _unknown(name, request.argument)
    shown = wording.one_line(found.server_name, 230)
    head = [
        html.P(dcc.Link("Servers", href=links.page("/servers")), style={"margin": "0 0 4px"}),
        html.H1(shown, tabIndex="-1", style={"overflowWrap": "anywhere"}),
    ]
    seen = found.observation
    if seen is None:
        named = [] if view.past is not None else _named_by(found)
        return html.Div([*head, *_not_visited(view), check_now.panel(found.server_name), *named])
    return html.Div(
        [
            *head,
            html.P(_when(view, seen), className="lede"),
            _verdict(seen),
            _stages(seen),
            check_now.panel(found.server_name),
            html.Div(className="two", children=[_identity(view, found, seen), _security(seen)]),
            *(_journal(found, seen) if view.past is None else [html.P(_JOURNAL_NOT_KEPT, className="quiet")]),
            html.Div(className="two", children=[_directory(found, seen), _client(found, seen)]),
            *history(view, found.server_name, request.scheme),
            *(_named_by(found) if view.past is None else []),
        ]
    )


_JOURNAL_NOT_KEPT = (
    "How its name was resolved, each attempt, its addresses and who named it are kept for the newest census alone."
)


def _when(view: View, seen: Observation) -> str:
    if view.past is not None:
        return f"What it was, as the census of {numbers.moment(view.crawl.finished_at)} saw it."
    return (
        f"What this census saw on {numbers.moment(seen.observed_at)}, in {numbers.duration(seen.duration_s)}, "
        f"with {numbers.plural(seen.requests, 'request')}."
    )


def _journal(found: ServerDetail, seen: Observation) -> list[Component]:
    """What the visit did, step by step."""
    return [
        html.H2("Resolving the name"),
        *resolution(found, seen),
        html.H2("Where it leads"),
        *endpoints(found, seen),
        *addresses(found, seen),
        html.H2("Every attempt"),
        attempts(found.attempts, seen),
    ]


def _unknown(name: str, argument: str) -> Component:
    return html.Div(
        [
            html.P(dcc.Link("Servers", href=links.page("/servers")), style={"margin": "0 0 4px"}),
            html.H1("Not in this census", tabIndex="-1"),
            html.P(["Nothing named ", html.Code(name), " to this census, so it was not looked for."], className="lede"),
            check_now.panel(argument),
            html.P(
                "A server becomes known when a room, an alias or a participant list of another server names it, or "
                "when the crawl starts from it.",
            ),
            submit.panel(argument[:255]),
        ]
    )


def _not_visited(view: View) -> list[Component]:
    said = "It was named, but this census did not visit it."
    if view.past is not None:
        said = "This census did not visit it; whether anything named it then is not kept."
    return [
        html.P(said, className="lede"),
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
    """Why there is nothing: the answer left it out (`absent`), the attempt failed, or there was none; of an earlier
    census attempts are not kept."""
    if not found.attempts:
        return "not known"
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
                    ("As it says itself", html.Code(wording.one_line(said, SAID_LIMIT)) if said else None),
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
                    ("Certificate for", wording.one_line(seen.tls_name) or None),
                    ("Issued by", wording.one_line(seen.tls_issuer)),
                    ("Valid until", numbers.moment(seen.tls_not_after)),
                    ("Protocol", f"{seen.tls_protocol}, {seen.tls_cipher}"),
                    ("SHA-256", html.Code(seen.tls_fingerprint or "")),
                ]
            ),
        ]
    )


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
                        else _absence(found, "client_well_known", "not published"),
                    ),
                    (
                        "Support document",
                        "published" if seen.support_published else _absence(found, "support", "not published"),
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
