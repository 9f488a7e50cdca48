"""One visit's dealings with the network: its open connections, its budget, and any https URL with guarded redirects.

The connections are kept by where they lead (address, port, certificate name), so that the .well-known documents of a
host share one, and so does its federation port where it is the same; all are closed when the visit ends. One task uses
a session, one request at a time, but for the connections it has `apart`.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from types import TracebackType
from urllib.parse import quote, urlsplit

import trio

from crawler.config import Limits
from crawler.errors import Failure, FailureKind, Phase, ProtocolError
from crawler.model.discovery import Endpoint, Resolution
from crawler.model.names import ServerName, try_server_name
from crawler.model.observation import Attempt, Failed, Ok, PresentedTls
from crawler.net.connection import Connection
from crawler.net.dial import canonical
from crawler.net.drive import resolve_server
from crawler.net.fetch import Answer, Headers, fetch
from crawler.net.stack import Stack
from crawler.net.traffic import Budget
from crawler.net.unverified import look_unverified
from crawler.protocol.addresses import interleave
from crawler.protocol.wellknown import next_hop

MAX_OPEN = 4
"""Connections of one visit that stay open; the one unused for longest makes room."""
ADDRESSES_TRIED = 3
"""Addresses of one host dialled for one URL, both families in turn; the rest of a dead host tells nothing new."""
HTTPS_PORT = 443
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_VISIBLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_IS_VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL as a connection needs it."""

    host: str
    port: int
    host_header: str
    target: str


class Session:
    """Use as `async with network.visit(name) as session`."""

    def __init__(self, stack: Stack, server_name: ServerName, *, hurried: bool = False) -> None:
        self.server_name = server_name
        self._process = stack
        self._stack = stack.for_visit(hurried=hurried)
        self._budget = Budget(stack.limits.server_requests, stack.limits.server_bytes)
        self._connections: dict[tuple[str, int, str], Connection] = {}
        self._origins: dict[tuple[str, int], Connection] = {}

    @property
    def limits(self) -> Limits:
        return self._stack.limits

    @property
    def requests(self) -> int:
        return self._budget.requests

    @property
    def bytes_read(self) -> int:
        return self._budget.bytes_read

    @property
    def spent(self) -> bool:
        """Whether the visit's requests or bytes are used up: every further request is skipped."""
        return self._budget.spent

    def take_time(self) -> None:
        """End the hurry: somebody is there. For connections that stand, and for all that come."""
        self._stack = self._process.for_visit(hurried=False)

    async def resolve(self) -> Resolution:
        """Resolve the server's name (server-server API, "Resolving server names")."""
        return await resolve_server(self.server_name, self._stack, self.get)

    def connection(self, endpoint: Endpoint) -> Connection:
        """The connection to an endpoint: not dialled yet, unless an earlier request of this visit led there too."""
        return self._connection(endpoint.address, endpoint.port, endpoint.tls_name)

    @asynccontextmanager
    async def apart(self, endpoint: Endpoint) -> AsyncIterator[Connection]:
        """A connection to an endpoint of its own, within the visit's budget, that other tasks may have beside theirs;
        closed at the end of the block."""
        connection = Connection(self._stack, endpoint.address, endpoint.port, endpoint.tls_name)
        try:
            yield connection
        finally:
            connection.close()

    async def look_unverified(self, endpoint: Endpoint, verify_code: int | None) -> Attempt[PresentedTls]:
        """What an endpoint presents whose certificate did not verify; see `unverified`."""
        return await look_unverified(self._stack, endpoint.address, endpoint.port, endpoint.tls_name, verify_code)

    def has_route(self, endpoint: Endpoint) -> bool:
        """Whether this machine knows a way there at all; sends nothing."""
        return self._stack.dialler.has_route(endpoint.address, endpoint.port)

    async def request(
        self,
        connection: Connection,
        uri: str,
        *,
        host_header: str,
        method: str = "GET",
        headers: Headers = (),
        content: bytes | None = None,
        body_limit_bytes: int,
        timeout_s: float | None = None,
    ) -> Attempt[Answer]:
        """One exchange over a connection of this session; see `fetch`. Redirects are answers here."""
        return await fetch(
            connection,
            method,
            uri,
            host_header=host_header,
            headers=headers,
            content=content,
            body_limit_bytes=body_limit_bytes,
            timeout_s=timeout_s or self.limits.request_timeout_s,
            budget=self._budget,
        )

    async def get(
        self, url: str, *, headers: Headers = (), body_limit_bytes: int, timeout_s: float | None = None
    ) -> Attempt[Answer]:
        """GET an https URL, redirects followed, at most `limits.redirects`. Each hop is resolved, guarded, paced and
        capped like the first."""
        visited: list[str] = [url]
        statuses: list[int] = []
        while True:
            attempt = await self._get_once(visited[-1], headers, body_limit_bytes, timeout_s)
            if not isinstance(attempt, Ok):
                return attempt
            answer = attempt.value
            if answer.status not in REDIRECTS:
                if len(visited) == 1:
                    return attempt
                found = replace(answer, redirects=tuple(visited[1:]), redirect_statuses=tuple(statuses))
                return Ok(found, attempt.timings)
            try:
                hop = next_hop(visited[-1], answer.headers.get("location", ""))
            except ProtocolError as error:
                return Failed(replace(error.failure, http_status=answer.status), attempt.timings)
            if hop in visited:
                return _lost(answer, f"the redirects go in a circle, back to {hop}")
            if len(visited) > self.limits.redirects:
                return _lost(answer, f"more than {self.limits.redirects} redirects")
            visited.append(hop)
            statuses.append(answer.status)

    async def rest(self, seconds: float) -> None:
        """Wait as long as the server asked."""
        await trio.sleep(seconds)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._origins.clear()

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _get_once(
        self, url: str, headers: Headers, body_limit_bytes: int, timeout_s: float | None
    ) -> Attempt[Answer]:
        place = _parse_place(url)
        if place is None:
            return Failed(Failure(FailureKind.NAME_INVALID, f"{url[:100]!r} is no https URL of a plain host"))

        async def get_over(connection: Connection) -> Attempt[Answer]:
            return await self.request(
                connection,
                place.target,
                host_header=place.host_header,
                headers=headers,
                body_limit_bytes=body_limit_bytes,
                timeout_s=timeout_s,
            )

        origin = self._origins.get((place.host, place.port))
        if origin is not None and origin.is_open:
            return await get_over(origin)
        addresses = await self._addresses(place.host)
        if isinstance(addresses, Failure):
            return Failed(addresses)
        first: Attempt[Answer] | None = None
        for address in addresses:
            connection = self._connection(address, place.port, place.host)
            attempt = await get_over(connection)
            first = first or attempt
            if not (isinstance(attempt, Failed) and _is_of_the_address(attempt.failure)):
                self._origins[place.host, place.port] = connection
                return attempt
        if first is None:
            raise ValueError("a look-up without failure has addresses")
        return first

    async def _addresses(self, host: str) -> tuple[str, ...] | Failure:
        """Those that may be dialled, in the order to be tried."""
        answer = await self._stack.dns.lookup_addresses(host)
        if answer.failure is not None:
            return answer.failure
        policy = self._stack.policy
        allowed = [address for address in answer.addresses if policy.may_dial(address)]
        if not allowed:
            refused = answer.addresses[0]
            return Failure(FailureKind.POLICY_ADDRESS, f"{refused} may not be dialled: {policy.why_not(refused)}")
        return interleave(allowed)[:ADDRESSES_TRIED]

    def _connection(self, address: str, port: int, tls_name: str) -> Connection:
        key = (canonical(address), port, tls_name.lower())
        connection = self._connections.pop(key, None)
        if connection is None:
            while len(self._connections) >= MAX_OPEN:
                oldest = self._connections.pop(next(iter(self._connections)))
                oldest.close()
            connection = Connection(self._stack, *key)
        self._connections[key] = connection
        return connection


def _is_of_the_address(failure: Failure) -> bool:
    """Whether another address of the same host may do better."""
    return failure.phase is Phase.TCP or failure.kind in (FailureKind.TLS_TIMEOUT, FailureKind.TLS_HANDSHAKE)


def _lost(answer: Answer, why: str) -> Failed:
    return Failed(Failure(FailureKind.HTTP_REDIRECT, why, http_status=answer.status), answer.timings)


def _parse_place(url: str) -> _Place | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    authority = _authority(parts.netloc)
    if parts.scheme != "https" or authority is None:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(
        host=authority.host.lower(),
        port=authority.port or HTTPS_PORT,
        host_header=parts.netloc,
        target=target if _IS_VISIBLE.fullmatch(target) else quote(target, safe=_VISIBLE_ASCII),
    )


@lru_cache(maxsize=1024)
def _authority(text: str) -> ServerName | None:
    return try_server_name(text)
