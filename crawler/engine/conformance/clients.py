"""The client side (client-server API, "Server discovery", "Login", "OAuth 2.0 API"; MSC1929, MSC3575, MSC4186,
MSC4284), sign-up, and what robots.txt says of us."""

from crawler.engine.conformance.judgement import NOT_APPLICABLE, PASS, Check, Judgement, fail, warn
from crawler.engine.conformance.remedies import Place, remedy
from crawler.errors import Failure, FailureKind, Phase
from crawler.model.client_side import Registration
from crawler.model.close_look import Inspection
from crawler.model.observation import Failed, Ok, SkipReason
from crawler.protocol.federation import PUBLIC_ROOMS_PATH
from crawler.protocol.robots import PRODUCT_TOKEN, may_fetch

DISCOVERY = 'Client-server API, "Server discovery"'
SIMPLIFIED_SLIDING_SYNC = "org.matrix.simplified_msc3575"
_OLDEST_OF_TODAY = "r0."


def _at(seen: Inspection, path: str, failure: Failure) -> str:
    name = seen.observation.server_name
    well_known = seen.observation.client_well_known
    base = well_known.value.base_url if isinstance(well_known, Ok) and well_known.value else None
    host = name.host_for_url
    url = f"https://{host}{path}" if path.startswith("/.well-known") else f"{base or f'https://{host}'}{path}"
    if failure.kind is FailureKind.HTTP_NOT_FOUND:
        return f"Pass {url} on to the homeserver: it is not found there (status 404)."
    asked = host if failure.phase in (Phase.DNS, Phase.POLICY) else url
    return remedy(failure, Place(name, asked, host))


def _well_known(seen: Inspection) -> Judgement:
    match seen.observation.client_well_known:
        case Ok(None):
            return warn(
                f"Publish https://{seen.observation.server_name.host_for_url}/.well-known/matrix/client with the "
                "base_url of the client API: without it people must type it to log in."
            )
        case Ok(document):
            if document is None or document.base_url is None:
                return warn("Name m.homeserver.base_url in /.well-known/matrix/client: clients look for it there.")
            return PASS
        case Failed(failure):
            return warn(_at(seen, "/.well-known/matrix/client", failure))
        case _:
            return NOT_APPLICABLE


def _cors(seen: Inspection) -> Judgement:
    well_known = seen.observation.client_well_known
    if not isinstance(well_known, Ok) or well_known.value is None:
        return NOT_APPLICABLE
    if well_known.value.allow_origin == "*":
        return PASS
    sent = well_known.value.allow_origin
    return warn(
        f"Send https://{seen.observation.server_name.host_for_url}/.well-known/matrix/client with the header "
        f"Access-Control-Allow-Origin: *, without which web clients cannot read it; it comes with {sent or 'none'}."
    )


def _versions(seen: Inspection) -> Judgement:
    match seen.observation.client_versions:
        case Ok():
            return PASS
        case Failed(failure):
            return warn(_at(seen, "/_matrix/client/versions", failure))
        case _:
            return NOT_APPLICABLE


def _spec_versions(seen: Inspection) -> Judgement:
    versions = seen.observation.client_versions
    if not isinstance(versions, Ok):
        return NOT_APPLICABLE
    if any(not version.startswith(_OLDEST_OF_TODAY) for version in versions.value.versions):
        return PASS
    return warn("Update the homeserver: it names no version of the client API since v1.1, of November 2021.")


def _login(seen: Inspection) -> Judgement:
    if isinstance(seen.client.oauth, Ok) and seen.client.oauth.value is not None:
        return PASS
    match seen.client.login_flows:
        case Ok(flows):
            return PASS if flows else fail("Let /_matrix/client/v3/login offer a flow: nobody can log in.")
        case Failed(failure):
            return warn(_at(seen, "/_matrix/client/v3/login", failure))
        case _:
            return NOT_APPLICABLE


def _oauth(seen: Inspection) -> Judgement:
    match seen.client.oauth:
        case Ok(metadata):
            return NOT_APPLICABLE if metadata is None else PASS
        case Failed(failure):
            return warn(_at(seen, "/_matrix/client/v1/auth_metadata", failure))
        case _:
            return NOT_APPLICABLE


def _sliding_sync(seen: Inspection) -> Judgement:
    versions, well_known = seen.observation.client_versions, seen.observation.client_well_known
    proxy = well_known.value.sliding_sync_proxy if isinstance(well_known, Ok) and well_known.value else None
    if proxy is not None:
        return warn(
            f"Take org.matrix.msc3575.proxy ({proxy}) out of /.well-known/matrix/client: the proxy is deprecated, and "
            "homeservers of today do sliding sync themselves."
        )
    if not isinstance(versions, Ok):
        return NOT_APPLICABLE
    if versions.value.unstable_features.get(SIMPLIFIED_SLIDING_SYNC):
        return PASS
    return warn("Update the homeserver to one with sliding sync of its own (MSC4186): newer clients need it to log in.")


def _support(seen: Inspection) -> Judgement:
    match seen.observation.support:
        case Ok(None):
            return warn(
                f"Publish https://{seen.observation.server_name.host_for_url}/.well-known/matrix/support with whom to "
                "write to: nobody can tell you of abuse or of a breakage."
            )
        case Ok():
            return PASS
        case Failed(failure):
            return warn(_at(seen, "/.well-known/matrix/support", failure))
        case _:
            return NOT_APPLICABLE


def _policy_server(seen: Inspection) -> Judgement:
    match seen.client.policy_server:
        case Ok(keys):
            return NOT_APPLICABLE if keys is None else PASS
        case Failed(failure) if failure.phase is Phase.JSON:
            return warn(_at(seen, "/.well-known/matrix/policy_server", failure))
        case _:
            return NOT_APPLICABLE


def _registration(seen: Inspection) -> Judgement:
    match seen.client.registration:
        case Ok(Registration.OPEN):
            return warn(
                "See that sign-up asks for an e-mail address, a token or a captcha, or close it: it is open to "
                "anybody, and spammers look for that."
            )
        case Ok(Registration.CLOSED):
            return PASS
        case _:
            return NOT_APPLICABLE


def _robots(seen: Inspection) -> Judgement:
    texts = [said.value for said in (seen.client.robots, seen.client.client_robots) if isinstance(said, Ok)]
    left_alone = seen.observation.directory.skipped_because == SkipReason.ROBOTS
    if left_alone or not all(may_fetch(text, PRODUCT_TOKEN, PUBLIC_ROOMS_PATH) for text in texts if text is not None):
        return warn(
            f"Close the room directory itself if it shall not be read: robots.txt says so, which {PRODUCT_TOKEN} hears "
            "when it is named and other servers never ask for."
        )
    return PASS if any(text is not None for text in texts) else NOT_APPLICABLE


CHECKS = (
    Check("client.well_known", "Clients find the client API by the server name", DISCOVERY, _well_known),
    Check("client.cors", "Web clients may read it", 'Client-server API, "Web Browser Clients"', _cors),
    Check("client.versions", "The client API says its versions", 'Client-server API, "API Versions"', _versions),
    Check("client.spec_versions", "It speaks a version of today", 'Client-server API, "API Versions"', _spec_versions),
    Check("client.login", "There is a way to log in", 'Client-server API, "Login"', _login),
    Check("client.oauth", "The OAuth metadata, if any, is valid", 'Client-server API, "OAuth 2.0 API"', _oauth),
    Check("client.sliding_sync", "Sliding sync is native", "MSC4186", _sliding_sync),
    Check("client.support", "It says whom to write to", "Client-server API v1.10; MSC1929", _support),
    Check("client.policy_server", "The keys of its policy server, if any, are valid", "MSC4284", _policy_server),
    Check("manners.robots", "robots.txt and the room directory agree", "RFC 9309", _robots),
    Check(
        "client.registration",
        "Sign-up is not open to anybody",
        'Client-server API, "Account registration"',
        _registration,
    ),
)
