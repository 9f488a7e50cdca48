"""A check as a tree for people: the verdict first, then what to mend, then the way there, step by step.

All text in it is plain: nothing of a remote is read as markup.
"""

from collections import Counter
from datetime import datetime

from rich.text import Text
from rich.tree import Tree

from crawler.engine.check import Checked
from crawler.engine.telling import directory_rooms
from crawler.errors import Failure, printable
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Support
from crawler.model.close_look import Inspection, PresentedTls
from crawler.model.observation import (
    AddressLook,
    Attempt,
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.verdict import Finding, Outcome
from crawler.protocol.federation import PUBLIC_ROOMS_PATH
from crawler.protocol.robots import PRODUCT_TOKEN, may_fetch

_MARK = {
    Outcome.FAIL: ("fail", "bold red"),
    Outcome.WARN: ("warn", "yellow"),
    Outcome.PASS: ("pass", "green"),
    Outcome.NOT_APPLICABLE: ("n/a ", "dim"),
}


def check_tree(checked: Checked, *, show_all: bool = False) -> Tree:
    """The whole check."""
    inspection = checked.inspection
    seen = inspection.observation
    verdict = ("federates", "bold green") if seen.federating else ("does not federate", "bold red")
    tree = Tree(Text.assemble((seen.server_name.raw, "bold"), " ", verdict, (_took(seen.duration_s), "dim")))
    tree.add(Text(checked.counted.sentence))
    _add_conformance(tree, checked.findings, show_all=show_all)
    _add_resolution(tree, seen)
    _add_addresses(tree, inspection)
    for what in ("version", "keys"):
        tree.add(_attempt(what, getattr(seen, what)))
    client = tree.add(Text("client side"))
    client.add(_attempt("client well-known", seen.client_well_known))
    client.add(_attempt("client API versions", seen.client_versions))
    client.add(_attempt("login flows", inspection.client.login_flows))
    client.add(_attempt("OAuth", inspection.client.oauth))
    client.add(_attempt("support contacts", seen.support))
    client.add(_attempt("policy server", inspection.client.policy_server))
    client.add(_robots("robots.txt", inspection.client.robots))
    if inspection.client.client_robots != Skipped(SkipReason.NOT_NEEDED):
        client.add(_robots("robots.txt of the client API", inspection.client.client_robots))
    client.add(_attempt("sign-up", inspection.client.registration))
    _add_directory(tree, seen)
    return tree


def _add_conformance(tree: Tree, findings: tuple[Finding, ...], *, show_all: bool) -> None:
    counts = Counter(finding.outcome for finding in findings)
    warned = _plural(counts[Outcome.WARN], "warning")
    told = f"{counts[Outcome.FAIL]} failed, {warned}, {counts[Outcome.PASS]} passed"
    branch = tree.add(Text(f"conformance: {told}, {counts[Outcome.NOT_APPLICABLE]} not applicable"))
    order = (
        (Outcome.FAIL, Outcome.WARN, Outcome.PASS, Outcome.NOT_APPLICABLE) if show_all else (Outcome.FAIL, Outcome.WARN)
    )
    for outcome in order:
        for finding in findings:
            if finding.outcome is outcome:
                word, style = _MARK[outcome]
                line = Text.assemble((word, style), f" {finding.id}: {finding.title}", (f"  [{finding.source}]", "dim"))
                leaf = branch.add(line)
                if finding.remedy:
                    leaf.add(Text(finding.remedy))


def _add_resolution(tree: Tree, seen: ServerObservation) -> None:
    branch = f"branch {seen.resolution.branch}" if seen.resolution.branch else "no branch"
    resolution = tree.add(Text(f"resolution: {branch}"))
    for step in seen.resolution.steps:
        line = Text.assemble((step.question.replace("_", "-"), "cyan"), f" {step.subject}: ")
        if step.failure is not None:
            line.append(_failure(step.failure), "yellow")
        else:
            line.append(step.answer)
        kept = "" if step.cache_s is None else f", may be kept {step.cache_s:.0f} s"
        line.append(f"{_took(step.duration_s)}{kept}", "dim")
        resolution.add(line).add(Text(step.conclusion, style="dim"))
    if seen.resolution.failure is not None:
        resolution.add(Text(_failure(seen.resolution.failure), style="red"))


def _add_addresses(tree: Tree, inspection: Inspection) -> None:
    seen = inspection.observation
    if not seen.resolution.endpoints:
        return
    families = str(inspection.families).replace("_", " ")
    branch = tree.add(Text(f"addresses, in the order to be tried (internet protocols: {families})"))
    looked = {look.endpoint: look for look in inspection.addresses}
    for endpoint in seen.resolution.endpoints:
        used = "  <- used" if endpoint == seen.endpoint else ""
        where = f"{endpoint.address} port {endpoint.port}"
        place = branch.add(Text(f"{where}, Host {endpoint.host_header}, TLS name {endpoint.tls_name}{used}"))
        if endpoint in looked:
            _add_look(place, looked[endpoint])
        else:
            place.add(Text("not looked at", style="dim"))


def _add_look(place: Tree, look: AddressLook) -> None:
    place.add(_attempt("connect (TCP)", look.tcp))
    secure = place.add(_attempt("secure (TLS)", look.tls))
    if isinstance(look.presented, Ok) and not isinstance(look.tls, Ok):
        _add_chain(secure, look.presented.value)
    place.add(_attempt("version", look.version))
    place.add(_attempt("signing keys", look.keys))


def _add_chain(secure: Tree, presented: PresentedTls) -> None:
    """What was presented where it did not verify: the admin must see which certificate that is."""
    chain = secure.add(Text(f"presented over {presented.protocol}, not verified:"))
    for certificate in presented.chain:
        names = f", names {', '.join(certificate.names)}" if certificate.names else ""
        chain.add(
            Text(
                printable(f"{certificate.subject or 'no subject'}, issued by {certificate.issuer or 'nobody'}", 600)
                + printable(names, 600)
                + f", {_moment(certificate.not_before)} to {_moment(certificate.not_after)}"
            )
        )


def _add_directory(tree: Tree, seen: ServerObservation) -> None:
    directory = seen.directory
    rooms = directory_rooms(directory)
    counted = "" if rooms is None else f", {rooms} rooms"
    because = f" ({directory.skipped_because})" if directory.skipped_because else ""
    tree.add(Text(f"directory: {directory.state}{because}{counted}"))


def _robots(what: str, attempt: Attempt[str | None]) -> Text:
    """What the text means to us; it may be half a megabyte long."""
    if not isinstance(attempt, Ok) or attempt.value is None:
        return _attempt(what, attempt)
    allowed = may_fetch(attempt.value, PRODUCT_TOKEN, PUBLIC_ROOMS_PATH)
    meaning = "lets the room directory be read" if allowed else "asks for the room directory to be left alone"
    return _attempt(what, Ok(meaning, attempt.timings))


def _attempt(what: str, attempt: Attempt[object]) -> Text:
    match attempt:
        case Ok(value, timings):
            return Text.assemble((what, "cyan"), f": {_value(value)}", (_took(timings.total_s), "dim"))
        case Failed(failure, timings):
            return Text.assemble((what, "cyan"), ": ", (_failure(failure), "red"), (_took(timings.total_s), "dim"))
        case _:
            return Text.assemble((what, "cyan"), (f": not attempted ({attempt.reason})", "dim"))


def _value(value: object) -> str:
    """What was seen, in a line for people."""
    match value:
        case None:
            return "not published"
        case TlsFacts():
            return f"{value.protocol}, {value.cipher}, issued by {value.issuer}, valid until {_moment(value.not_after)}"
        case VersionInfo():
            return f"{value.name or 'no name'} {value.version or 'without a version'}"
        case KeyDocument():
            return f"{', '.join(sorted(value.verify_keys))}, valid until {_moment(value.valid_until)}"
        case ClientVersions():
            newest = f", the last {value.versions[-1]}" if value.versions else ""
            return f"{len(value.versions)} versions{newest}; {len(value.unstable_features)} unstable features"
        case ClientWellKnown():
            return value.base_url or "no homeserver named"
        case OAuthMetadata():
            return f"issuer {value.issuer}{', offers sign-up' if value.offers_sign_up else ''}"
        case Support():
            page = f", page {value.support_page}" if value.support_page else ""
            return f"{_plural(len(value.contacts), 'contact')}{page}"
        case tuple():
            return printable(", ".join(str(part) for part in value)) or "none"
        case _:
            return printable(str(value))


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _moment(at: datetime) -> str:
    return f"{at:%d %b %Y %H:%M} UTC"


def _took(seconds: float) -> str:
    return f"  {seconds * 1000:.0f} ms" if seconds < 1 else f"  {seconds:.1f} s"


def _failure(failure: Failure) -> str:
    return f"{failure.kind}" + (f": {failure.detail}" if failure.detail else "")
