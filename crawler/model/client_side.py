"""What a server says to clients: its well-known documents and how one logs in.

Apart from the observation, since only the depth `check` asks for all of it (client-server API, "Server discovery",
"Login", "OAuth 2.0 API"; MSC1929, MSC2965, MSC4143, MSC3575, MSC4284).
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ClientWellKnown:
    """`/.well-known/matrix/client`. None, or empty, where the document does not say.

    `base_url` is an https URL without a slash at its end. `rtc_foci` are the URLs of `org.matrix.msc4143.rtc_foci` (or
    `m.rtc_foci`); `sliding_sync_proxy` that of `org.matrix.msc3575.proxy`; `oauth_issuer` that of
    `org.matrix.msc2965.authentication`. `allow_origin` is the Access-Control-Allow-Origin that it came with.
    """

    base_url: str | None
    identity_server: str | None = None
    rtc_foci: tuple[str, ...] = ()
    sliding_sync_proxy: str | None = None
    oauth_issuer: str | None = None
    allow_origin: str | None = None


@dataclass(frozen=True, slots=True)
class SupportContact:
    """One contact of a support document: at least one of the two addresses is set."""

    role: str
    matrix_id: str | None = None
    email_address: str | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """`/.well-known/matrix/support` (v1.10, MSC1929): whom to tell. Personal data: kept only as long as the server is
    listed, never shown in bulk."""

    contacts: tuple[SupportContact, ...]
    support_page: str | None = None


@dataclass(frozen=True, slots=True)
class OAuthMetadata:
    """`/_matrix/client/v1/auth_metadata` (v1.15, RFC 8414). `offers_sign_up` is whether `prompt_values_supported`
    contains `create`; `account_management` the URL people go to."""

    issuer: str
    offers_sign_up: bool
    account_management: str | None = None


class Registration(StrEnum):
    """Whether anybody may sign up, as `register/available` for a random name answers. Asked only when asked for."""

    OPEN = "open"
    CLOSED = "closed"
