"""What servers publish for clients and people: what to ask (URIs) and what the answers say (parsers).

Apart from the federation API, since nothing here decides whether a server federates (client-server API, "Server
discovery", "Login", "OAuth 2.0 API", "Account registration"; MSC1929, MSC2965, MSC3575, MSC4143, MSC4191, MSC4284).

Every parser takes the bytes of a body and raises nothing but ProtocolError. What a document must say is required; an
extra that is ill-formed is left out and never costs the rest. URLs and identifiers are kept whole or not at all, for a
cut one is another one; other text is cut to the lengths named here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from crawler.errors import FailureKind, ProtocolError
from crawler.model.client_side import ClientWellKnown, OAuthMetadata, Registration, Support, SupportContact
from crawler.model.names import try_server_name
from crawler.model.observation import ClientVersions
from crawler.protocol.federation import parse_errcode
from crawler.protocol.json_body import clean_text, parse_object
from crawler.protocol.signing import KEY_BYTES, decode_base64

CLIENT_WELL_KNOWN_URI = "/.well-known/matrix/client"
SUPPORT_URI = "/.well-known/matrix/support"
POLICY_SERVER_URI = "/.well-known/matrix/policy_server"
CLIENT_VERSIONS_URI = "/_matrix/client/versions"
LOGIN_URI = "/_matrix/client/v3/login"
AUTH_METADATA_URI = "/_matrix/client/v1/auth_metadata"

MAX_URL = 1024
MAX_SPEC_VERSIONS = 200
MAX_SPEC_VERSION_TEXT = 64
MAX_FEATURES = 1000
MAX_FEATURE_TEXT = 255
MAX_FOCI = 20
MAX_CONTACTS = 20
MAX_CONTACT_TEXT = 255
"""Also the bound of a Matrix ID (appendices, "User Identifiers"); one of an e-mail address is 254 (RFC 5321)."""
MAX_FLOWS = 50
MAX_FLOW_TEXT = 255
MAX_PROMPTS = 100
MAX_ALGORITHMS = 20
MAX_ALGORITHM_TEXT = 100
MAX_KEY_TEXT = 1024

_VISIBLE_ASCII = re.compile(r"\A[!-~]+\Z")
_EMAIL = re.compile(r"\A[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,253}\Z")
_MATRIX_ID = re.compile(r"\A@[^\s:\x00-\x1f\x7f]{0,254}:[!-~]+\Z")
_ALGORITHM = re.compile(r"\A[!-~]{1,100}\Z")
_REGISTERS = frozenset({"M_USER_IN_USE", "M_INVALID_USERNAME", "M_EXCLUSIVE"})
"""Error codes of `register/available` that only a server that takes registrations gives."""


def register_available_uri(username: str) -> str:
    """Ask whether `username` is free, which a server that takes no registrations refuses to tell."""
    return f"/_matrix/client/v3/register/available?username={quote(username, safe='')}"


def parse_client_well_known(body: bytes) -> ClientWellKnown:
    """`/.well-known/matrix/client`. `base_url` is None when the document names no homeserver.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when `base_url` is no https URL of a plain host and path.
    """
    document = parse_object(body)
    foci = document.get("m.rtc_foci", document.get("org.matrix.msc4143.rtc_foci"))
    return ClientWellKnown(
        base_url=_base_url(document),
        identity_server=_api_url(_member(document, "m.identity_server", "base_url")),
        rtc_foci=tuple(_focus_urls(foci)),
        sliding_sync_proxy=_api_url(_member(document, "org.matrix.msc3575.proxy", "url")),
        # An issuer is compared character by character (RFC 8414, 3.3): the slash at its end is part of it.
        oauth_issuer=_https_url(_member(document, "org.matrix.msc2965.authentication", "issuer")),
    )


def _base_url(document: Mapping[str, Any]) -> str | None:
    if "m.homeserver" not in document:
        return None
    url = _member(document, "m.homeserver", "base_url")
    if not isinstance(url, str):
        raise _shape("m.homeserver has no base_url")
    if not _VISIBLE_ASCII.match(url) or len(url) > MAX_URL:
        raise _shape("base_url is empty, too long, or has blanks or non-ASCII characters")
    base_url = _api_url(url)
    if base_url is None:
        raise _shape(f"base_url {url[:100]!r} is no https URL of a host and a path")
    return base_url


def _focus_urls(foci: object) -> Iterable[str]:
    """The URLs of the LiveKit foci, the only type there is (MSC4195)."""
    focuses = foci[:MAX_FOCI] if isinstance(foci, list) else []
    urls = (_https_url(focus.get("livekit_service_url")) for focus in focuses if isinstance(focus, dict))
    return dict.fromkeys(url for url in urls if url is not None)


def parse_client_versions(body: bytes) -> ClientVersions:
    """`GET /_matrix/client/versions`. Versions that are no text and features that are neither true nor false are left
    out, as is what goes beyond the bounds above.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when there is no list of versions.
    """
    document = parse_object(body)
    versions = document.get("versions")
    if not isinstance(versions, list):
        raise _shape("versions is no list")
    texts = (clean_text(v, MAX_SPEC_VERSION_TEXT) for v in versions[:MAX_SPEC_VERSIONS])
    declared = document.get("unstable_features")
    features: dict[str, bool] = {}
    for name, enabled in declared.items() if isinstance(declared, dict) else ():
        if isinstance(enabled, bool) and len(name) <= MAX_FEATURE_TEXT and len(features) < MAX_FEATURES:
            features[clean_text(name, MAX_FEATURE_TEXT) or ""] = enabled
    return ClientVersions(tuple(dict.fromkeys(text for text in texts if text)), features)


def parse_support(body: bytes) -> Support:
    """`/.well-known/matrix/support`. Contacts under `admins`, as MSC1929 first called them, are read where there is no
    `contacts`. One without a well-formed address is left out.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when there is neither a contact nor a page.
    """
    document = parse_object(body)
    declared = document.get("contacts", document.get("admins"))
    entries = declared[:MAX_CONTACTS] if isinstance(declared, list) else []
    contacts = (_contact(entry) for entry in entries if isinstance(entry, dict))
    support = Support(tuple(contact for contact in contacts if contact is not None), _page(document))
    if not support.contacts and support.support_page is None:
        raise _shape("neither a contact with an address nor a support_page")
    return support


def _contact(entry: Mapping[str, Any]) -> SupportContact | None:
    matrix_id, email_address = entry.get("matrix_id"), entry.get("email_address")
    contact = SupportContact(
        role=clean_text(entry.get("role"), MAX_CONTACT_TEXT) or "",
        matrix_id=matrix_id if isinstance(matrix_id, str) and _is_matrix_id(matrix_id) else None,
        email_address=email_address if isinstance(email_address, str) and _is_email(email_address) else None,
    )
    return None if contact.matrix_id is None and contact.email_address is None else contact


def _is_matrix_id(text: str) -> bool:
    domain = text.partition(":")[2]
    return _fits(text) and _MATRIX_ID.match(text) is not None and try_server_name(domain) is not None


def _is_email(text: str) -> bool:
    return _fits(text) and _EMAIL.match(text) is not None


def _fits(text: str) -> bool:
    return len(text) <= MAX_CONTACT_TEXT and clean_text(text, MAX_CONTACT_TEXT) == text


def _page(document: Mapping[str, Any]) -> str | None:
    """A page is for people, who may be sent to one without TLS too."""
    return _url(document.get("support_page"), frozenset({"https", "http"}))


def parse_policy_server(body: bytes) -> dict[str, str]:
    """`/.well-known/matrix/policy_server` (v1.18, MSC4284): its public keys, algorithm -> base64.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when there is no ed25519 key.
    """
    declared = parse_object(body).get("public_keys")
    keys: dict[str, str] = {}
    for algorithm, text in declared.items() if isinstance(declared, dict) else ():
        sound = isinstance(text, str) and len(text) <= MAX_KEY_TEXT and _ALGORITHM.match(algorithm)
        if sound and len(keys) < MAX_ALGORITHMS and _is_key(algorithm, text):
            keys[algorithm] = text
    if "ed25519" not in keys:
        raise _shape("public_keys holds no ed25519 key")
    return keys


def _is_key(algorithm: str, text: str) -> bool:
    try:
        key = decode_base64(text)
    except ProtocolError:
        return False
    return algorithm != "ed25519" or len(key) == KEY_BYTES


def parse_login_flows(body: bytes) -> tuple[str, ...]:
    """`GET /_matrix/client/v3/login`: the types of its flows, in their order.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when there is no list of flows.
    """
    flows = parse_object(body).get("flows")
    if not isinstance(flows, list):
        raise _shape("flows is no list")
    types = (flow.get("type") for flow in flows[:MAX_FLOWS] if isinstance(flow, dict))
    known = (kind for kind in types if isinstance(kind, str) and 0 < len(kind) <= MAX_FLOW_TEXT)
    return tuple(dict.fromkeys(clean_text(kind, MAX_FLOW_TEXT) or "" for kind in known))


def parse_oauth_metadata(body: bytes) -> OAuthMetadata:
    """`GET /_matrix/client/v1/auth_metadata` (RFC 8414, 2).

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when `issuer` is no https URL without query and fragment.
    """
    document = parse_object(body)
    issuer = _https_url(document.get("issuer"))
    if issuer is None or "?" in issuer:
        raise _shape("issuer is no https URL without query and fragment")
    prompts = document.get("prompt_values_supported")
    return OAuthMetadata(
        issuer=issuer,
        offers_sign_up="create" in prompts[:MAX_PROMPTS] if isinstance(prompts, list) else False,
        account_management=_https_url(document.get("account_management_uri")),
    )


def parse_registration(status: int, body: bytes) -> Registration | None:
    """What `register/available` says for a name that nobody has; None when the status alone tells what went wrong.

    That the name is taken, or may not be had, is an answer of a server that takes registrations: one that does not
    says so before it looks at the name.

    Raises:
        ProtocolError: JSON_INVALID; JSON_SHAPE when a success does not say whether the name is available.
    """
    if 200 <= status < 300:
        if not isinstance(parse_object(body).get("available"), bool):
            raise _shape("available is neither true nor false")
        return Registration.OPEN
    errcode = parse_errcode(body)
    if status == 400 and errcode in _REGISTERS:
        return Registration.OPEN
    # A 403 of something before the homeserver, such as a firewall, has no errcode.
    return Registration.CLOSED if status == 403 and errcode == "M_FORBIDDEN" else None


def _member(document: Mapping[str, Any], name: str, inner: str) -> object:
    value = document.get(name)
    return value.get(inner) if isinstance(value, dict) else None


def _api_url(value: object) -> str | None:
    """An https URL that paths are appended to: a host and a path, no slash at its end, no query."""
    url = _https_url(value)
    if url is None or "?" in url:
        return None
    parts = urlsplit(url)
    return f"https://{parts.netloc}{parts.path.rstrip('/')}"


def _https_url(value: object) -> str | None:
    """`value` as published if it is an https URL of a plain host, without a fragment."""
    url = _url(value, frozenset({"https"}))
    return None if url is None or "#" in url else url


def _url(value: object, schemes: frozenset[str]) -> str | None:
    """`value` if it is a URL in visible ASCII with one of the schemes, at a host and nothing more (no user)."""
    if not isinstance(value, str) or len(value) > MAX_URL or not _VISIBLE_ASCII.match(value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in schemes and try_server_name(parts.netloc) is not None else None


def _shape(what: str) -> ProtocolError:
    return ProtocolError(FailureKind.JSON_SHAPE, what)
