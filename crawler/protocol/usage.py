"""Usage reports in the shape that Synapse sends and panopticon receives: one JSON object, fields as in `model.usage`.

Not part of the Matrix specification; the shape is that of Synapse's documentation, "Reporting Homeserver Usage
Statistics". A field that is there must be right: a report with one wrong count is refused whole, since a sum cannot
tell which of its parts was meant. Fields that we do not know are passed over.

The digest of a token (for senders that come from another address than their server's) is published by the server, the
token itself never: whoever reads what is published cannot send in its name.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from crawler.errors import FailureKind, ProtocolError, printable
from crawler.model.names import parse_server_name
from crawler.model.usage import FIELDS, MOST, UsageReport
from crawler.protocol.json_body import parse_object

WELL_KNOWN_URI = "/.well-known/matrix-census"
"""`{"usage_tokens": ["sha256:HEX", ...]}`, at the server name's host."""

TXT_LABEL = "_matrix-census"
"""TXT records `usage=sha256:HEX` at this label under the server name's host."""

TOKEN = re.compile(r"\A[A-Za-z0-9_.~-]{32,128}\Z")
"""Long enough that its digest tells nobody what it is, if it was drawn at random."""

TOKENS = 16
"""Digests looked at in one document."""

_SOFTWARE_CHARACTERS = 100
_LATEST_S = 253_370_764_800.0
"""The year 9999."""


def parse_usage_report(body: bytes) -> UsageReport:
    """The report that a request's body is.

    Raises:
        ProtocolError: it is no JSON object, names no server, or a field of it is wrong.
    """
    return build_usage_report(parse_object(body))


def build_usage_report(document: Mapping[str, Any]) -> UsageReport:
    """The report in a parsed document.

    Raises:
        ProtocolError: it names no server, or a field of it is wrong.
    """
    name = document.get("homeserver")
    if not isinstance(name, str):
        raise ProtocolError(FailureKind.JSON_SHAPE, "homeserver must be the name of the server")
    server_name = parse_server_name(name)
    counts: dict[str, int] = {}
    for field in FIELDS:
        value = document.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
            raise ProtocolError(FailureKind.JSON_SHAPE, f"{field} must be a whole number from 0 to {MOST}")
        counts[field] = value
    if not counts:
        raise ProtocolError(FailureKind.JSON_SHAPE, "no count in it that is known here")
    return UsageReport(server_name, _time(document.get("timestamp")), counts)


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_S:
        raise ProtocolError(FailureKind.JSON_SHAPE, "timestamp must be the time in seconds since 1970")
    return datetime.fromtimestamp(float(value), UTC)


def parse_software(user_agent: str) -> str | None:
    """Product and version of a user agent (RFC 9110, 10.1.5), None when there is none: `Synapse/1.163.2`."""
    product = user_agent.partition(" ")[0]
    return printable(product, _SOFTWARE_CHARACTERS) or None


def token_digest(token: str) -> str:
    """What a server publishes for a token: `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(token.encode('ascii')).hexdigest()}"


def parse_published_tokens(body: bytes) -> tuple[str, ...]:
    """The digests in a .well-known document.

    Raises:
        ProtocolError: it is no JSON object, or `usage_tokens` is no list of texts.
    """
    listed = parse_object(body).get("usage_tokens")
    if not isinstance(listed, list) or not all(isinstance(digest, str) for digest in listed):
        raise ProtocolError(FailureKind.JSON_SHAPE, "usage_tokens must be a list of texts")
    return tuple(listed[:TOKENS])


def tokens_in_txt(records: Iterable[str]) -> tuple[str, ...]:
    """The digests in TXT records."""
    found = (text.removeprefix("usage=").strip() for text in records if text.startswith("usage="))
    return tuple(found)[:TOKENS]


def is_published(token: str, digests: Iterable[str]) -> bool:
    """Whether the digest of a token is among those published."""
    ours = token_digest(token)
    return any(digest.isascii() and hmac.compare_digest(ours, digest.lower()) for digest in digests)
