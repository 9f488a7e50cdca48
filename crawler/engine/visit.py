"""One server: everything a crawl asks of it, in one go (depth `census`, listed in ARCHITECTURE).

A visit is a function from a task to an outcome: it knows neither the frontier nor the store, so that another process
can run it. Whatever the server does, an observation comes out; only a bug of ours is an exception.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import trio

from crawler.config import Limits
from crawler.engine.canary import Canary
from crawler.engine.directory import read_public_rooms
from crawler.engine.lookup import aliases_to_ask, ask_aliases
from crawler.engine.patience import expect_ok, patiently
from crawler.engine.task import LookedUp, LookUp, Outcome, Task, Visit, Visited
from crawler.errors import ProtocolError
from crawler.model.discovery import Endpoint, Resolution
from crawler.model.observation import (
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
from crawler.model.rooms import AliasAnswer, DirectoryResult, DirectoryState
from crawler.net.fetch import Answer
from crawler.net.session import Session
from crawler.net.transport import Connection, Network
from crawler.protocol import federation
from crawler.protocol.signing import Identity

T = TypeVar("T")

NOT_REACHED = Skipped(SkipReason.NOT_REACHED)


def worker(
    network: Network, identity: Identity | None, canary: Canary | None = None
) -> Callable[[Task], Awaitable[Outcome]]:
    """What carries out the tasks of a crawl; the canary judges whether what failed may be believed."""

    async def work(task: Task) -> Outcome:
        match task:
            case Visit():
                began = trio.current_time()
                visited = await visit(network, identity, task)
                limits = network.limits.of_first_try() if task.hurried else network.limits
                doubt = canary.judge(visited.observation, limits, began) if canary is not None else None
                return replace(visited, doubt=doubt)
            case LookUp(owner, client_base, aliases):
                async with network.visit(owner) as session:
                    answers, left = await ask_aliases(session, client_base, aliases, network.limits)
                return LookedUp(task, answers, left)

    return work


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
        looking = _Look(session, network.limits, identity, task)
        with trio.move_on_after(network.limits.server_timeout_s):
            await looking.look(directory_pages)
        return Visited(task, looking.observation(), looking.client_api, asked=looking.asked)


class _Look:
    """A visit under way: what is known so far. Everything starts as not reached."""

    def __init__(self, session: Session, limits: Limits, identity: Identity | None, task: Visit) -> None:
        name = task.server
        self._task = task
        self.asked: tuple[str, ...] = ()
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
        self._client_base: Attempt[str | None] = NOT_REACHED
        self._client_versions: Attempt[ClientVersions] = NOT_REACHED
        self._directory = DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.NOT_REACHED)
        self._signed_accepted: bool | None = None
        self._aliases: tuple[AliasAnswer, ...] = ()
        self._outstanding = 0

    @property
    def client_api(self) -> str:
        """Where the client API is: as published, else at the server name's host, as clients guess."""
        published = self._client_base.value if isinstance(self._client_base, Ok) else None
        return published or f"https://{self._name.host_for_url}"

    async def look(self, directory_pages: int | None) -> None:
        """The whole visit, in the order of ARCHITECTURE's list."""
        self._resolution = await self._session.resolve()
        self._client_base = await self._ask_client_base()
        connection = await self._connect(self._resolution.endpoints)
        if connection is None or self._endpoint is None:
            return
        self._version = await self._ask(connection, federation.VERSION_URI, federation.parse_version)
        self._keys = await self._ask(
            connection,
            federation.KEYS_URI,
            lambda body: federation.parse_key_document(body, self._name, self._observed_at),
        )
        if not isinstance(self._version, Ok):
            return
        self._session.take_time()
        self._client_versions = await self._ask_client_versions()
        if self._task.directory_denied:
            self._directory = DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.DENIED_LATELY)
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
        )
        if directory_pages is None:
            await self._look_up_aliases()

    async def _ask_client_base(self) -> Attempt[str | None]:
        url = f"https://{self._name.host_for_url}{federation.CLIENT_WELL_KNOWN_URI}"
        attempt = await self._session.get(url, body_limit_bytes=self._limits.well_known_bytes)
        if isinstance(attempt, Ok) and attempt.value.status == 404:
            return Ok(None, attempt.timings)
        return _parsed(expect_ok(attempt), federation.parse_client_well_known)

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

    async def _ask(self, connection: Connection, uri: str, parse: Callable[[bytes], T]) -> Attempt[T]:
        endpoint = self._endpoint
        assert endpoint is not None  # noqa: S101 - a connection came from an endpoint
        attempt = await patiently(
            self._session,
            lambda: self._session.request(
                connection, uri, host_header=endpoint.host_header, body_limit_bytes=self._limits.body_bytes
            ),
        )
        return _parsed(expect_ok(attempt), parse)

    async def _ask_client_versions(self) -> Attempt[ClientVersions]:
        client_api = self._client_api_if_heard()
        if client_api is None:
            return NOT_REACHED
        url = client_api + federation.CLIENT_VERSIONS_URI
        attempt = await self._session.get(url, body_limit_bytes=self._limits.body_bytes)
        return _parsed(expect_ok(attempt), federation.parse_client_versions)

    def _client_api_if_heard(self) -> str | None:
        """The client API's address, unless it is a guess at a host that has just given no HTTP answer at all."""
        silent = isinstance(self._client_base, Failed) and self._client_base.failure.http_status is None
        return None if silent else self.client_api

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
            client_base=self._client_base,
            client_versions=self._client_versions,
            directory=self._directory,
            signed_accepted=self._signed_accepted,
            aliases=self._aliases,
            aliases_outstanding=self._outstanding,
            requests=self._session.requests,
            bytes_read=self._session.bytes_read,
            duration_s=trio.current_time() - self._started,
        )


def _parsed(attempt: Attempt[Answer], parse: Callable[[bytes], T]) -> Attempt[T]:
    """Judge the body of an answer; what does not parse is a failure of its own kind."""
    if not isinstance(attempt, Ok):
        return attempt
    try:
        return Ok(parse(attempt.value.body), attempt.timings)
    except ProtocolError as error:
        return Failed(error.failure, attempt.timings)
