"""What a server says of itself beside what a census asks of everybody: to clients, to administrators, to its peers.

Login and OAuth (client-server API, "Login", "OAuth 2.0 API"; MSC2965), extras of .well-known/matrix/client (MSC4143,
MSC3575), contacts (MSC1929), policy servers (MSC4284).
"""

import base64
from dataclasses import dataclass

from crawler.lab.dice import dice, digest
from crawler.lab.plan import ServerPlan
from crawler.lab.software import Dialect

SUPPORT_SHARE = 0.3
_POLICY_SERVER_SHARE = 0.03
_OAUTH_SHARE = 0.15
_OAUTH_SINCE = 12
"""Servers of this specification version (v1.12) or later may leave logging in to an OAuth provider."""


@dataclass(frozen=True, slots=True)
class Published:
    """JSON documents as they are served; None where the server answers 404. `client` is served at the name's own host,
    `login` and `auth_metadata` at the client API."""

    client: dict[str, object] | None
    support: dict[str, object] | None
    policy_server: dict[str, object] | None
    login: dict[str, object] | None
    auth_metadata: dict[str, object] | None


def published_by(seed: int, plan: ServerPlan, name: str, own_host: str, client_base: str | None) -> Published:
    """What one server publishes."""
    draw = dice(seed, "published", plan.index)
    has_oauth = plan.release.dialect is Dialect.SYNAPSE and plan.release.spec >= _OAUTH_SINCE
    has_oauth = draw.random() < _OAUTH_SHARE and has_oauth and client_base is not None
    issuer = f"https://account.{own_host}/" if has_oauth else None
    return Published(
        client=_client(seed, plan.index, own_host, client_base, issuer),
        support=_support(seed, plan.index, name, own_host) if plan.alive else None,
        policy_server=_policy_server(seed, plan.index) if plan.alive else None,
        login=_login(seed, plan, issuer) if client_base is not None else None,
        auth_metadata=_auth_metadata(seed, plan.index, issuer) if issuer is not None else None,
    )


def _client(seed: int, index: int, host: str, base: str | None, issuer: str | None) -> dict[str, object] | None:
    if base is None:
        return None
    draw = dice(seed, "client well-known", index)
    document: dict[str, object] = {"m.homeserver": {"base_url": base}}
    if draw.random() < 0.3:
        document["m.identity_server"] = {"base_url": f"https://identity.{host}"}
    if draw.random() < 0.15:
        focus = {"type": "livekit", "livekit_service_url": f"https://rtc.{host}"}
        document["org.matrix.msc4143.rtc_foci"] = [focus]
    if draw.random() < 0.08:
        document["org.matrix.msc3575.proxy"] = {"url": f"https://slidingsync.{host}"}
    if issuer is not None and draw.random() < 0.7:
        account = {"issuer": issuer, "account": f"{issuer}account"}
        document["org.matrix.msc2965.authentication"] = account
    return document


def _support(seed: int, index: int, name: str, host: str) -> dict[str, object] | None:
    draw = dice(seed, "support", index)
    if draw.random() >= SUPPORT_SHARE:
        return None
    admin = {"role": "m.role.admin", "matrix_id": f"@admin:{name}"}
    security = {"role": "m.role.security", "email_address": f"security@{host.strip('[]')}"}
    page = {"support_page": f"https://{host}/support"}
    both = {**admin, "email_address": f"admin@{host.strip('[]')}"}
    kinds: tuple[dict[str, object], ...] = (
        {"contacts": [admin]},
        {"contacts": [both, security]},
        {"contacts": [security], **page},
        {**page},
    )
    return draw.choice(kinds)


def _policy_server(seed: int, index: int) -> dict[str, object] | None:
    if dice(seed, "policy server", index).random() >= _POLICY_SERVER_SHARE:
        return None
    key = base64.b64encode(digest(seed, "policy key", index)).rstrip(b"=").decode()
    return {"public_keys": {"ed25519": key}}


def _login(seed: int, plan: ServerPlan, issuer: str | None) -> dict[str, object] | None:
    draw = dice(seed, "login", plan.index)
    if plan.release.dialect is Dialect.ROCKET_CHAT:
        return None
    if issuer is not None:
        flows: list[dict[str, object]] = [{"type": "m.login.sso", "oauth_aware_preferred": True}]
    else:
        flows = [{"type": "m.login.password"}]
        if draw.random() < 0.25:
            flows.insert(0, {"type": "m.login.sso", "identity_providers": [{"id": "oidc", "name": "Single sign-on"}]})
            flows.append({"type": "m.login.token"})
        if draw.random() < 0.5:
            flows.append({"type": "m.login.application_service"})
    return {"flows": flows}


def _auth_metadata(seed: int, index: int, issuer: str) -> dict[str, object]:
    prompts = ["create"] if dice(seed, "sign-up", index).random() < 0.6 else []
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": f"{issuer}oauth2/token",
        "registration_endpoint": f"{issuer}oauth2/registration",
        "revocation_endpoint": f"{issuer}oauth2/revoke",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_modes_supported": ["query", "fragment"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": prompts,
        "account_management_uri": f"{issuer}account",
    }
