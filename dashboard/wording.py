"""Words for what the crawl records: how far a server came, why it fell out, how its directory answered.

Each state has a word and an icon, so that nothing is told by colour alone. Text from remote servers is shown as one
line of plain text: controls and direction overrides are replaced, so that it cannot reorder or hide what stands around
it. (Escaping is React's: every text reaches the browser as data, never as markup.)
"""

import re
from dataclasses import dataclass

from analytics.funnel import Predicate
from crawler.errors import FailureKind, Phase
from crawler.model.crawl import LeadSource
from crawler.model.observation import SkipReason
from crawler.model.rooms import DirectoryState, Stopped


@dataclass(frozen=True, slots=True)
class State:
    """A state in words: `tone` is good, warn, bad or quiet."""

    word: str
    icon: str
    tone: str


GOOD, WARN, BAD, QUIET = "good", "warn", "bad", "quiet"
_ICON = {GOOD: "✓", WARN: "!", BAD: "✕", QUIET: "–"}


def _state(word: str, tone: str) -> State:
    return State(word, _ICON[tone], tone)


REACHED: dict[str, State] = {
    Predicate.KNOWN: _state("does not resolve", BAD),
    Predicate.RESOLVES: _state("not reachable", BAD),
    Predicate.REACHABLE: _state("not secure", BAD),
    Predicate.SECURE: _state("not online", BAD),
    Predicate.ONLINE: _state("online, not federating", WARN),
    Predicate.FEDERATING: _state("federating", GOOD),
}
"""How far a server came, by the last predicate that holds; `known` means that none but that one holds."""

NOT_VISITED = _state("not visited", QUIET)

DIRECTORY: dict[str, State] = {
    DirectoryState.OPEN: _state("open", GOOD),
    DirectoryState.OPEN_EMPTY: _state("open, empty", GOOD),
    DirectoryState.DENIED: _state("closed", QUIET),
    DirectoryState.AUTH_FAILED: _state("signature refused", WARN),
    DirectoryState.NOT_IMPLEMENTED: _state("has none", QUIET),
    DirectoryState.RATE_LIMITED: _state("rate limited", WARN),
    DirectoryState.ERROR: _state("error", BAD),
    DirectoryState.TIMEOUT: _state("timed out", BAD),
    DirectoryState.MALFORMED: _state("answered nonsense", BAD),
    DirectoryState.SKIPPED: _state("not asked", QUIET),
}

STOPPED: dict[str, str] = {
    Stopped.COMPLETE: "read to the end",
    Stopped.REPEATED_TOKEN: "stopped: it gave the same page again",
    Stopped.EMPTY_PAGES: "stopped: it gave empty pages without end",
    Stopped.PAGE_BUDGET: "stopped at our limit of pages",
    Stopped.ROOM_BUDGET: "stopped at our limit of rooms",
    Stopped.BYTE_BUDGET: "stopped at our limit of bytes",
    Stopped.TIME_BUDGET: "stopped at our limit of time",
    Stopped.FAILED: "broke off: a page failed",
}

SKIPPED: dict[str, str] = {
    SkipReason.NOT_REACHED: "not reached: a step before it failed",
    SkipReason.NO_IDENTITY: "the crawl had no identity to sign with",
    SkipReason.OPTED_OUT: "the server opted out",
    SkipReason.ROBOTS: "its robots.txt asks us not to",
    SkipReason.DENIED_LATELY: "it was closed to us in the last days",
    SkipReason.BUDGET: "the visit's budget was used up",
    SkipReason.NOT_NEEDED: "not needed",
    SkipReason.CANCELLED: "the crawl was stopped",
}

SOURCES: dict[str, str] = {
    LeadSource.SEED: "given as a seed",
    LeadSource.MRS_CATALOG: "in a list of Matrix Rooms Search",
    LeadSource.FEDERATION_INFO: "in a list of the-federation.info",
    LeadSource.ROOM_ID: "in a room ID",
    LeadSource.ALIAS: "in a room alias",
    LeadSource.ALIAS_SERVERS: "as a participant of a room",
    LeadSource.WELL_KNOWN: "as who answers for another name",
    LeadSource.SPACE_CHILD: "in the ID of a space's room",
    LeadSource.SPACE_VIA: "as a way into a space's room",
    LeadSource.SPACE_SENDER: "as who put a room into a space",
    LeadSource.SUBMITTED: "submitted by a visitor",
}

ATTEMPTS: dict[str, str] = {
    "resolution": "Resolve the name",
    "tcp": "Connect (TCP)",
    "tls": "Secure (TLS)",
    "version": "Ask the version",
    "keys": "Fetch and verify the keys",
    "client_well_known": "Look up the client API",
    "client_versions": "Ask the client API's versions",
    "support": "Ask whom to write to",
    "directory": "Read the room directory",
}

QUESTIONS: dict[str, str] = {
    "name": "Server name",
    "well_known": ".well-known",
    "srv": "SRV records",
    "addresses": "Addresses",
}

PHASES: dict[str, str] = {
    Phase.NAME: "server name",
    Phase.DNS: "DNS",
    Phase.WELL_KNOWN: ".well-known",
    Phase.TCP: "TCP",
    Phase.TLS: "TLS",
    Phase.HTTP: "HTTP",
    Phase.JSON: "JSON",
    Phase.KEYS: "keys",
    Phase.POLICY: "our rules",
}

FAILURES: dict[str, str] = {
    FailureKind.NAME_INVALID: "not a valid server name",
    FailureKind.DNS_NXDOMAIN: "the name does not exist",
    FailureKind.DNS_NODATA: "the name has no such records",
    FailureKind.DNS_SERVFAIL: "its DNS servers failed",
    FailureKind.DNS_REFUSED: "its DNS servers refused",
    FailureKind.DNS_NOT_IMPLEMENTED: "its DNS servers do not know such a question",
    FailureKind.DNS_TIMEOUT: "no DNS answer in time",
    FailureKind.DNS_MALFORMED: "a DNS answer that makes no sense",
    FailureKind.DNS_SRV_UNAVAILABLE: "SRV says that there is no such service",
    FailureKind.WELL_KNOWN_NOT_JSON: "the answer is no JSON object",
    FailureKind.WELL_KNOWN_NO_SERVER: "the answer has no m.server",
    FailureKind.WELL_KNOWN_BAD_SERVER: "m.server is no valid server name",
    FailureKind.WELL_KNOWN_REDIRECTS: "too many redirects",
    FailureKind.TCP_REFUSED: "connection refused",
    FailureKind.TCP_TIMEOUT: "no connection in time",
    FailureKind.TCP_UNREACHABLE: "no route to it",
    FailureKind.TCP_RESET: "connection reset",
    FailureKind.TCP_OTHER: "no connection",
    FailureKind.TLS_EXPIRED: "certificate expired",
    FailureKind.TLS_NOT_YET_VALID: "certificate not valid yet",
    FailureKind.TLS_WRONG_NAME: "certificate of another name",
    FailureKind.TLS_SELF_SIGNED: "self-signed certificate",
    FailureKind.TLS_UNTRUSTED: "certificate of an unknown authority",
    FailureKind.TLS_VERIFY: "certificate does not verify",
    FailureKind.TLS_HANDSHAKE: "TLS handshake failed",
    FailureKind.TLS_TIMEOUT: "no TLS handshake in time",
    FailureKind.HTTP_STATUS: "an unexpected HTTP status",
    FailureKind.HTTP_UNAUTHORIZED: "our signature was not accepted",
    FailureKind.HTTP_FORBIDDEN: "forbidden",
    FailureKind.HTTP_NOT_FOUND: "not found",
    FailureKind.HTTP_RATE_LIMITED: "asked us to slow down",
    FailureKind.HTTP_SERVER_ERROR: "the server failed",
    FailureKind.HTTP_REDIRECT: "a redirect where none is allowed",
    FailureKind.HTTP_PROTOCOL: "not valid HTTP",
    FailureKind.HTTP_CLOSED: "connection closed before the answer",
    FailureKind.HTTP_TIMEOUT: "no answer in time",
    FailureKind.HTTP_TOO_LARGE: "the answer is too large",
    FailureKind.JSON_INVALID: "not valid JSON",
    FailureKind.JSON_SHAPE: "JSON of another shape than the specification's",
    FailureKind.KEYS_WRONG_NAME: "key document of another server",
    FailureKind.KEYS_NO_KEY: "key document without a usable key",
    FailureKind.KEYS_NO_SIGNATURE: "key document without its own signature",
    FailureKind.KEYS_BAD_SIGNATURE: "key document with a wrong signature",
    FailureKind.KEYS_EXPIRED: "key document out of date",
    FailureKind.POLICY_ADDRESS: "leads to an address that may not be dialled",
    FailureKind.POLICY_BUDGET: "the visit's budget was used up",
}


def failure(phase: str | None, kind: str | None) -> str:
    """`TLS: certificate expired`; a kind that this version does not know is shown as it is."""
    if kind is None:
        return ""
    return f"{PHASES.get(phase or '', phase or '?')}: {FAILURES.get(kind, kind.replace('_', ' '))}"


# Controls, and the marks that embed, override or isolate direction (Unicode Standard Annex 9). Joiners, which scripts
# and emoji need, and the plain direction marks stay.
_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def one_line(text: str | None, limit: int = 300) -> str:
    """Remote text as one line: white space folded, what could reorder or hide the page replaced, cut at `limit`."""
    if not text:
        return ""
    folded = _SPACES.sub(" ", _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text[: 4 * limit])).strip()
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"
