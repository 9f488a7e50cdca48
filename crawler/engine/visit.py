"""One server: everything a crawl asks of it, in one go (depth `census`, listed in ARCHITECTURE).

A visit is a function from a task to an outcome: it knows neither the frontier nor the store, so that another process
can run it. Whatever the server does, an observation comes out; only a bug of ours is an exception.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urljoin

import trio

from crawler.config import Limits
from crawler.engine.close_look import judge_families, look_at_addresses
from crawler.engine.directory import read_public_rooms
from crawler.engine.judge import parsed, published
from crawler.engine.lookup import aliases_to_ask, ask_aliases
from crawler.engine.patience import patiently
from crawler.engine.permission import OBEYED, ask_robots
from crawler.engine.task import Visit, Visited
from crawler.engine.tries import SLOW_ANSWER, is_unsettled
from crawler.errors import Failure, FailureKind, Phase, ProtocolError, printable
from crawler.model.client_side import ClientWellKnown, Support
from crawler.model.discovery import Endpoint, Question, Resolution
from crawler.model.observation import (
    AddressLook,
    Attempt,
    ClientVersions,
    Failed,
    Families,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    SkipReason,
    TlsFacts,
    VersionInfo,
)
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState
from crawler.model.schedule import Robots
from crawler.net.fetch import Answer
from crawler.net.session import Session
from crawler.net.transport import Connection, Network
from crawler.protocol import client_side, federation
from crawler.protocol.robots import MAX_ROBOTS, ROBOTS_URI
from crawler.protocol.signing import Identity

T = TypeVar("T")

NOT_REACHED = Skipped(SkipReason.NOT_REACHED)


async def visit(
    network: Network,
    identity: Identity | None,
    task: Visit,
    *,
    directory_pages: int | None = None,
) -> Visited:
    """Look at one server.

    Args:
        network: the process's network.
        identity: signs the directory request; None asks unsigned.
        task: whom to look at, and how.
        directory_pages: read at most so many pages and look no alias up; None for the settings' budget.
    """
    async with network.visit(task.server, hurried=task.hurried) as session:
        return await visit_within(session, identity, task, directory_pages=directory_pages)


async def visit_within(
    session: Session, identity: Identity | None, task: Visit, *, directory_pages: int | None
) -> Visited:
    """The same in a session that goes on afterwards, with its connections and what is left of its budget."""
    looking = _Look(session, session.limits, identity, task)
    with trio.move_on_after(session.limits.server_timeout_s):
        await looking.look(directory_pages)
        # Who will be tried again is looked at closely then.
        if task.closely and not (task.hurried and is_unsettled(looking.observation())):
            session.take_time()
            await looking.look_closely()
    return Visited(task, looking.observation(), looking.client_api, asked=looking.asked, robots=looking.robots)


def is_silent(resolution: Resolution, client_well_known: Attempt[object]) -> bool:
    """Whether a name's own host gave no HTTP answer at all when asked for its first documents."""
    if kept_us_waiting(resolution):
        return True
    if not isinstance(client_well_known, Failed):
        return False
    failure = client_well_known.failure
    return failure.phase is not Phase.JSON and failure.http_status is None


def kept_us_waiting(resolution: Resolution) -> bool:
    """Whether the time ran out on somebody who should have told where the server is, a moment ago. Who says nothing to
    a visitor is not asked further questions at the same place: a tarpit would hold us for the time of each."""
    well_known = (step for step in resolution.steps if step.question is Question.WELL_KNOWN and step.cached_at is None)
    return any(step.failure is not None and _ran_out(step.failure) for step in well_known)


def _ran_out(failure: Failure) -> bool:
    """A 408 is an answer, and says that it was us who were slow."""
    return failure.kind in SLOW_ANSWER and failure.http_status is None


class _Look:
    """A visit under way: what is known so far. Everything starts as not reached."""

    def __init__(self, session: Session, limits: Limits, identity: Identity | None, task: Visit) -> None:
        name = task.server
        self._task = task
        self.asked: tuple[str, ...] = ()
        self.robots: Robots | None = None
        self._session = session
        self._limits = limits
        self._identity = identity
        self._name = name
        self._observed_at = datetime.now(UTC)
        self._started = trio.current_time()
        self._resolution: Resolution = Resolution(name, (), ())
        self._endpoint: Endpoint | None = None
        self._tcp: Attempt[str] = NOT_REACHED
        self._tls: Attempt[TlsFacts] = NOT_REACHED
        self._version: Attempt[VersionInfo] = NOT_REACHED
        self._keys: Attempt[KeyDocument] = NOT_REACHED
        self._keys_named: str | None = None
        self._client_well_known: Attempt[ClientWellKnown | None] = NOT_REACHED
        self._client_versions: Attempt[ClientVersions] = NOT_REACHED
        self._support: Attempt[Support | None] = NOT_REACHED
        self._directory = DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.NOT_REACHED)
        self._signed_accepted: bool | None = None
        self._aliases: tuple[AliasAnswer, ...] = ()
        self._outstanding = 0
        self._addresses: tuple[AddressLook, ...] = ()
        self._families: Families | None = None

    @property
    def client_api(self) -> str:
        """Where the client API is: as published, else at the server name's host, as clients guess."""
        published = self._client_well_known.value if isinstance(self._client_well_known, Ok) else None
        return (published and published.base_url) or f"https://{self._name.host_for_url}"

    async def look(self, directory_pages: int | None) -> None:
        """The whole visit, in the order of ARCHITECTURE's list."""
        self._resolution = await self._session.resolve()
        if not kept_us_waiting(self._resolution):
            self._client_well_known = await self._ask_client_well_known()
        if not self._host_is_silent:
            self._support = await self._ask_published(client_side.SUPPORT_URI, client_side.parse_support)
        connection = await self._connect(self._resolution.endpoints)
        if connection is None or self._endpoint is None:
            return
        self._version = await self._ask(
            connection, federation.VERSION_URI, federation.parse_version, timeout_s=self._patience_with_the_silent_s
        )
        if not (isinstance(self._version, Failed) and _ran_out(self._version.failure)):
            self._keys = await self._ask(connection, federation.KEYS_URI, self._parse_keys)
        if not isinstance(self._version, Ok):
            return
        self._session.take_time()
        self._client_versions = await self._ask_client_versions()
        if self._task.directory_denied:
            self._directory = DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.DENIED_LATELY)
            return
        if self._task.asks_robots:
            self.robots = await ask_robots(self._get_robots(connection, self._endpoint))
        if self.robots in OBEYED:
            self._directory = DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.ROBOTS)
            return
        self._directory, self._signed_accepted = await read_public_rooms(
            self._session,
            connection,
            self._endpoint.host_header,
            self._client_api_if_heard(),
            self._identity,
            self._limits,
            destination=self._own_spelling,
            max_pages=directory_pages or self._limits.directory_pages,
            deadline=self._started + self._limits.server_timeout_s,
            may_read=self._may_read,
        )
        if directory_pages is None:
            await self._look_up_aliases()

    def _parse_keys(self, body: bytes) -> KeyDocument:
        try:
            return federation.parse_key_document(body, self._name, self._observed_at)
        except ProtocolError as error:
            if error.failure.kind is FailureKind.KEYS_WRONG_NAME:
                self._keys_named = federation.parse_key_owner(body)
            raise

    async def _get_robots(self, connection: Connection, endpoint: Endpoint) -> Attempt[Answer]:
        return await self._session.request(
            connection, ROBOTS_URI, host_header=endpoint.host_header, body_limit_bytes=MAX_ROBOTS
        )

    async def _may_read(self, client_api: str) -> bool:
        """Whether the client API's own host lets us read the directory there."""
        if not self._task.asks_robots:
            return True
        url = f"{urljoin(client_api, '/')[:-1]}{ROBOTS_URI}"
        robots = await ask_robots(self._session.get(url, body_limit_bytes=MAX_ROBOTS))
        if robots is not Robots.ALLOWS:
            self.robots = robots
        return robots not in OBEYED

    async def look_closely(self) -> None:
        """Every address for itself. Nothing of it is kept when the time is up before its end."""
        known = self.observation()
        self._addresses = await look_at_addresses(self._session, known, self._limits)
        self._families = judge_families(self._addresses, self._session.has_route)

    async def _ask_client_well_known(self) -> Attempt[ClientWellKnown | None]:
        attempt = await self._get_from_host(client_side.CLIENT_WELL_KNOWN_URI)
        found = published(attempt, client_side.parse_client_well_known)
        if not isinstance(attempt, Ok) or not isinstance(found, Ok) or found.value is None:
            return found
        header = attempt.value.headers.get("access-control-allow-origin")
        return Ok(replace(found.value, allow_origin=None if header is None else printable(header)), found.timings)

    async def _ask_published(self, uri: str, parse: Callable[[bytes], T]) -> Attempt[T | None]:
        """A document that the name's own host may publish; None when it does not."""
        return published(await self._get_from_host(uri), parse)

    async def _get_from_host(self, uri: str) -> Attempt[Answer]:
        url = f"https://{self._name.host_for_url}{uri}"
        return await self._session.get(url, body_limit_bytes=self._limits.well_known_bytes)

    async def _connect(self, endpoints: tuple[Endpoint, ...]) -> Connection | None:
        """The first endpoint with verified TLS. Without one, TCP counts if any endpoint gave it, and the failure kept
        is that of the first endpoint that came furthest."""
        for endpoint in endpoints:
            connection = self._session.connection(endpoint)
            await connection.connect()
            secure = isinstance(connection.tls, Ok)
            nearer = isinstance(connection.tcp, Ok) and not isinstance(self._tcp, Ok)
            if secure or nearer or self._endpoint is None:
                self._endpoint, self._tcp, self._tls = endpoint, connection.tcp, connection.tls
            if secure:
                return connection
        return None

    @property
    def _patience_with_the_silent_s(self) -> float | None:
        """How long the endpoint is waited for in a first try whose .well-known ran out of time, and which is repeated
        for that with all the time there is: long enough to see whether the server is there. None: as usual."""
        is_repeated = self._task.hurried and kept_us_waiting(self._resolution)
        return self._limits.connect_timeout_s if is_repeated else None

    async def _ask(
        self, connection: Connection, uri: str, parse: Callable[[bytes], T], *, timeout_s: float | None = None
    ) -> Attempt[T]:
        endpoint = self._endpoint
        assert endpoint is not None  # noqa: S101 - a connection came from an endpoint
        attempt = await patiently(
            self._session,
            lambda: self._session.request(
                connection,
                uri,
                host_header=endpoint.host_header,
                body_limit_bytes=self._limits.body_bytes,
                timeout_s=timeout_s,
            ),
        )
        return parsed(attempt, parse)

    async def _ask_client_versions(self) -> Attempt[ClientVersions]:
        client_api = self._client_api_if_heard()
        if client_api is None:
            return NOT_REACHED
        url = client_api + client_side.CLIENT_VERSIONS_URI
        attempt = await self._session.get(url, body_limit_bytes=self._limits.body_bytes)
        return parsed(attempt, client_side.parse_client_versions)

    def _client_api_if_heard(self) -> str | None:
        """The client API's address if it is to be asked, unless it is a guess at a host that has just given no HTTP
        answer at all."""
        return self.client_api if self._limits.client_api and not self._host_is_silent else None

    @property
    def _host_is_silent(self) -> bool:
        """Whether the name's own host gave no HTTP answer when asked for its first document."""
        return is_silent(self._resolution, self._client_well_known)

    @property
    def _own_spelling(self) -> str:
        """The name as the server itself spells it in its key document; we may have heard it in other letter case."""
        published = self._keys.value.server_name if isinstance(self._keys, Ok) else ""
        return published or self._name.raw

    async def _look_up_aliases(self) -> None:
        wanted = aliases_to_ask(self._directory.rooms, self._name.key, self._task.aliases_asked)
        client_api = self._client_api_if_heard()
        if client_api is None:
            self._outstanding = len(wanted)
            return
        now, later = wanted[: self._limits.alias_lookups], wanted[self._limits.alias_lookups :]
        self._aliases, left = await ask_aliases(self._session, client_api, now, self._limits)
        self.asked = now[: len(now) - left]
        self._outstanding = left + len(later)

    def observation(self) -> ServerObservation:
        return ServerObservation(
            server_name=self._name,
            observed_at=self._observed_at,
            resolution=self._resolution,
            endpoint=self._endpoint,
            tcp=self._tcp,
            tls=self._tls,
            version=self._version,
            keys=self._keys,
            client_well_known=self._client_well_known,
            client_versions=self._client_versions,
            support=self._support,
            directory=self._directory,
            signed_accepted=self._signed_accepted,
            aliases=self._aliases,
            aliases_outstanding=self._outstanding,
            requests=self._session.requests,
            bytes_read=self._session.bytes_read,
            duration_s=trio.current_time() - self._started,
            addresses=self._addresses,
            families=self._families,
            keys_named=self._keys_named,
        )
