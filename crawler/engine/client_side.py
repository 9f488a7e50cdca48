"""What only a check asks of the client side: how one logs in, who vouches for rooms, what robots.txt says.

Apart from the visit, which asks every server of a crawl and must not ask more than ARCHITECTURE's list. Whether
anybody may sign up is asked only on demand: it looks like somebody choosing a name.
"""

import random
import string

from crawler.engine.judge import parsed, published
from crawler.engine.patience import expect_ok, patiently
from crawler.errors import ProtocolError
from crawler.model.client_side import OAuthMetadata, Registration
from crawler.model.close_look import ClientSide
from crawler.model.names import ServerName
from crawler.model.observation import Attempt, Failed, Ok, Skipped, SkipReason
from crawler.net.fetch import Answer
from crawler.net.session import Session
from crawler.protocol import client_side, robots

NOT_REACHED = Skipped(SkipReason.NOT_REACHED)
NOT_NEEDED = Skipped(SkipReason.NOT_NEEDED)

_USERNAME_LETTERS = 20
_unpredictable = random.SystemRandom()


async def ask_client_side(
    session: Session,
    name: ServerName,
    client_api: str | None,
    *,
    registration: bool = False,
    rng: random.Random = _unpredictable,
) -> ClientSide:
    """Ask it all, one after the other.

    Args:
        session: of the visit, so that its connections and its budget go on.
        name: the server.
        client_api: base URL of the client API; None when it is not known where that is, and nothing is asked there.
        registration: whether to ask if anybody may sign up.
        rng: draws the name that is asked about, which nobody has.
    """
    own_host = f"https://{name.host_for_url}"
    limits = session.limits

    async def get(url: str, body_limit_bytes: int = limits.body_bytes) -> Attempt[Answer]:
        return await patiently(session, lambda: session.get(url, body_limit_bytes=body_limit_bytes))

    async def ask_robots(origin: str) -> Attempt[str | None]:
        return published(await get(origin + robots.ROBOTS_URI, robots.MAX_ROBOTS), robots.robots_text)

    policy_server = await get(own_host + client_side.POLICY_SERVER_URI, limits.well_known_bytes)
    own_robots = await ask_robots(own_host)
    login_flows: Attempt[tuple[str, ...]] = NOT_REACHED
    oauth: Attempt[OAuthMetadata | None] = NOT_REACHED
    client_robots: Attempt[str | None] = NOT_REACHED
    sign_up: Attempt[Registration] = NOT_REACHED if registration else NOT_NEEDED
    if client_api is not None:
        login_flows = parsed(await get(client_api + client_side.LOGIN_URI), client_side.parse_login_flows)
        oauth = published(await get(client_api + client_side.AUTH_METADATA_URI), client_side.parse_oauth_metadata)
        origin = _origin(client_api)
        client_robots = NOT_NEEDED if origin == _origin(own_host) else await ask_robots(origin)
        if registration:
            uri = client_side.register_available_uri(_random_username(rng))
            sign_up = _registration(await get(client_api + uri))
    return ClientSide(
        login_flows=login_flows,
        oauth=oauth,
        policy_server=published(policy_server, client_side.parse_policy_server),
        robots=own_robots,
        client_robots=client_robots,
        registration=sign_up,
    )


def _origin(url: str) -> str:
    """Scheme, host and port of an https URL; robots.txt is of these alone (RFC 9309, 2.3)."""
    authority = url.removeprefix("https://").partition("/")[0].lower()
    return f"https://{authority.removesuffix(':443')}"


def _random_username(rng: random.Random) -> str:
    """Letters only: bridges reserve names with their prefix and an underscore, and must not be found out by this."""
    return "".join(rng.choices(string.ascii_lowercase, k=_USERNAME_LETTERS))


def _registration(attempt: Attempt[Answer]) -> Attempt[Registration]:
    if not isinstance(attempt, Ok):
        return attempt
    try:
        said = client_side.parse_registration(attempt.value.status, attempt.value.body)
    except ProtocolError as error:
        return Failed(error.failure, attempt.timings)
    if said is not None:
        return Ok(said, attempt.timings)
    failed = expect_ok(attempt)
    if isinstance(failed, Ok):
        raise AssertionError("a success says whether one may sign up")
    return failed
