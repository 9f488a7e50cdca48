"""One answer to `GET https://HOST/.well-known/matrix/server`, judged (server-server API, "Server discovery", 3).

Whatever is wrong with it sends the resolution on to SRV; which wrong it was is what an administrator needs to hear.
Redirects are here too, since `.well-known` is what the specification says to follow them for.
"""

import re
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.model.names import ServerName, parse_server_name, try_server_name
from crawler.protocol.json_body import parse_json
from crawler.protocol.questions import WellKnownAnswer

DEFAULT_CACHE_S = 24 * 3600.0
"""When no header says how long a valid answer may be kept."""
MAX_CACHE_S = 48 * 3600.0
FAILURE_CACHE_S = 3600.0

MAX_URL = 2048

_MAX_AGE = re.compile(r"\A\"?([0-9]{1,18})\"?\Z")
_VISIBLE_ASCII = re.compile(r"\A[!-~]+\Z")


def judge(answer: WellKnownAnswer) -> ServerName:
    """The name that `answer` delegates to.

    Raises:
        ProtocolError: the answer's own failure; a kind by status for anything but 200; WELL_KNOWN_NOT_JSON;
            WELL_KNOWN_NO_SERVER when `m.server` is missing, empty or no string; WELL_KNOWN_BAD_SERVER when it is no
            server name, such as a URL; WELL_KNOWN_REDIRECTS for redirects that lead nowhere.
    """
    if answer.failure is not None:
        raise ProtocolError.of(_as_well_known(answer.failure))
    if answer.status != 200:
        kind = FailureKind.of_status(answer.status)
        raise ProtocolError.of(_as_well_known(Failure(kind, f"status {answer.status}", http_status=answer.status)))
    try:
        document = parse_json(answer.body)
    except ProtocolError as error:
        raise ProtocolError(FailureKind.WELL_KNOWN_NOT_JSON, error.failure.detail) from None
    if not isinstance(document, dict):
        raise ProtocolError(FailureKind.WELL_KNOWN_NOT_JSON, "the answer is JSON but no object")
    delegate = document.get("m.server")
    if not isinstance(delegate, str) or not delegate:
        what = "is missing" if "m.server" not in document else "is empty" if delegate == "" else "is no string"
        raise ProtocolError(FailureKind.WELL_KNOWN_NO_SERVER, f"m.server {what}")
    try:
        return parse_server_name(delegate)
    except ProtocolError as error:
        why = "it is a URL" if "//" in delegate else error.failure.detail
        raise ProtocolError(
            FailureKind.WELL_KNOWN_BAD_SERVER, f"m.server is {delegate[:100]!r}, which is no server name: {why}"
        ) from None


def _as_well_known(failure: Failure) -> Failure:
    if failure.kind is not FailureKind.HTTP_REDIRECT:
        return failure
    return Failure(FailureKind.WELL_KNOWN_REDIRECTS, failure.detail, http_status=failure.http_status)


def cache_lifetime_s(answer: WellKnownAnswer, *, valid: bool) -> float:
    """How long `answer` may be kept, seconds.

    For a valid one, the first of these that is there: `no-store` or `no-cache` (0), `max-age`, `Expires` less `Date`;
    else a day; never more than two. A lifetime that cannot be read is 0 (RFC 9111, 4.2.1 and 5.3). A failed or invalid
    one may be kept for an hour, whatever its headers say.
    """
    if not valid:
        return FAILURE_CACHE_S
    directives = _cache_directives(answer.cache_control or "")
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    if "max-age" in directives:
        max_age = _MAX_AGE.match(directives["max-age"])
        return min(float(max_age[1]), MAX_CACHE_S) if max_age else 0.0
    if answer.expires is not None:
        return _until_expiry_s(answer.expires, answer.date)
    return DEFAULT_CACHE_S


def _cache_directives(cache_control: str) -> dict[str, str]:
    """Directive name in lower case -> its argument; of one given twice the first counts (RFC 9111, 4.2.1)."""
    found: dict[str, str] = {}
    for directive in cache_control.split(","):
        name, _, argument = directive.partition("=")
        found.setdefault(name.strip().lower(), argument.strip())
    return found


def _until_expiry_s(expires: str, date: str | None) -> float:
    try:
        lifetime_s = (parsedate_to_datetime(expires) - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, min(lifetime_s, MAX_CACHE_S))


def next_hop(url: str, location: str, *, kind: FailureKind = FailureKind.HTTP_REDIRECT) -> str:
    """The absolute URL that a redirect from `url` leads to (RFC 9110, 10.2.2), its fragment cut off.

    Raises:
        ProtocolError: `kind`, when it is no https URL with a host, or carries user information.
    """
    if not _VISIBLE_ASCII.match(location):
        raise ProtocolError(kind, "the redirect has no location, or one with blanks or non-ASCII characters")
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        reference = urlsplit(location)
    except ValueError:
        raise ProtocolError(kind, f"the redirect leads to {location[:100]!r}, which is no URL") from None
    if len(target) > MAX_URL:
        raise ProtocolError(kind, f"the redirect leads to a URL of {len(target)} characters, more than {MAX_URL}")
    if parts.scheme != "https":
        raise ProtocolError(kind, f"the redirect leads to {parts.scheme or 'no scheme'}, not to https")
    # "https:x" is refused: RFC 3986, 5.4.2, knows it as a URL without a host, urljoin as a path of the old host.
    if try_server_name(parts.netloc) is None or (reference.scheme and not reference.netloc):
        raise ProtocolError(kind, f"the redirect leads to {target[:100]!r}, whose host is not a plain one")
    return parts._replace(fragment="").geturl()
