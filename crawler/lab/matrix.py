"""The Matrix endpoints of every practice server, told apart by port, Host header and SNI.

Strict where real servers are lax: a request whose Host is not exactly what the server discovery prescribes for that
port, or whose TLS handshake named another host, gets 421, so that a crawler that resolves names wrongly is found out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import unquote

import trio

from crawler.lab.deaths import Death
from crawler.lab.dice import dice, digest
from crawler.lab.directory import Directories
from crawler.lab.fronts import NOT_FOUND_PAGE, PARKED_PAGE, answer_front, well_known_documents
from crawler.lab.hierarchy import PATH as HIERARCHY_PATH
from crawler.lab.hierarchy import Hierarchies
from crawler.lab.names import UNPARSABLE_SERVERS
from crawler.lab.network import Role, Route
from crawler.lab.oddities import Quirk
from crawler.lab.peers import Peers
from crawler.lab.robots import ROBOTS_TEXT, Robots
from crawler.lab.room import WIDE_ROOMS
from crawler.lab.seen import Seen, Sighting, Signature
from crawler.lab.software import Door, spec_versions, unstable_features
from crawler.lab.world import World
from crawler.listen.message import (
    HTML,
    JSON,
    TEXT,
    UNRECOGNIZED,
    WRONG_METHOD,
    Handler,
    Request,
    Response,
    json_response,
    matrix_error,
)
from crawler.model.discovery import Branch
from crawler.model.names import parse_server_name
from crawler.model.rooms import DirectoryWay
from crawler.protocol.signing import Identity, SigningKey, build_key_document

_SERVERS_KEPT = 2048
_KEYS_VALID_FOR_S = 24 * 3600

_MISDIRECTED = Response(421, b"No such server here\n", TEXT)
_BAD_GATEWAY = Response(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", HTML)
_HUGE = Response(200, bytes(16 * 1024 * 1024), HTML)
_NEVER_S = 3600.0
_DRIP = Response(200, b'{"server":{"name":"Synapse","version":"1.163.2"}}' + b" " * 4096, JSON, pause_s=1.0)
_NO_DOCUMENTS: dict[str, Response] = {}
_SAYS_WAIT = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests"}
_RATE_LIMITED = (
    json_response(429, {**_SAYS_WAIT, "retry_after_ms": 800}, ((b"retry-after", b"1"),)),
    json_response(429, {**_SAYS_WAIT, "retry_after_ms": 1200}),
    json_response(429, _SAYS_WAIT, ((b"retry-after", b"1"),)),
)
"""The wait is said in a header, in the deprecated member of the body, or both (client-server API, "Rate limiting")."""
_ALIAS_PATHS = ("/_matrix/client/v3/directory/room/", "/_matrix/client/r0/directory/room/")
_PUBLIC_ROOMS_PATHS = ("/_matrix/client/v3/publicRooms", "/_matrix/client/r0/publicRooms")

_ONE_HOST = frozenset({Branch.EXPLICIT_PORT, Branch.SRV, Branch.SRV_DEPRECATED, Branch.DEFAULT})
"""Branches on which the name's web front and its federation endpoint are the same machine, and die together."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Answers of one server that are the same for everybody, by path: `documents` those of its own host, `client` those
    of its client API."""

    own_host: str
    version: Response
    keys: Response
    documents: dict[str, Response]
    client: dict[str, Response]
    robots: Response


class Matrix:
    """All practice servers.

    Args:
        world: who they are.
        peers: checks signatures.
        seen: is told of every request.
        now: the clock, for key documents.
    """

    def __init__(
        self, world: World, peers: Peers, seen: Seen, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._world = world
        self._peers = peers
        self._seen = seen
        self._now = now
        self._directories = Directories(world)
        self._hierarchies = Hierarchies(world)
        self._limited: set[int] = set()
        self._rekeyed: set[int] = set()
        self._prepared = lru_cache(maxsize=_SERVERS_KEPT)(self._prepare)

    def reuse_key_id(self, index: int) -> None:
        """From now on the server signs with another key under the same ID: what happens to who loses the signing key
        and lets the software make one anew."""
        self._rekeyed.add(index)
        self._prepared.cache_clear()

    def listening_on(self, port: int) -> Handler:
        """The handler for the listener of one port of the world."""

        async def handle(request: Request) -> Response | None:
            host = (request.header(b"host") or "").lower()
            route = self._world.network.routes.get((port, host))
            if route is None or request.sni != _sni_of(host):
                self._seen.end(self._seen.begin(None, None, port, host, request), _MISDIRECTED.status)
                return _MISDIRECTED
            sighting = self._seen.begin(self._world.names[route.index], route.address, port, host, request)
            response: Response | None = None
            try:
                latency_s = self._world.plan(route.index).latency_s
                if latency_s > 0:
                    await trio.sleep(latency_s)
                response = await self._answer(route, host, request, sighting)
            finally:
                self._seen.end(sighting, response.status if response is not None else None)
            return response

        return handle

    async def _answer(self, route: Route, host: str, request: Request, sighting: Sighting) -> Response | None:
        plan = self._world.plan(route.index)
        if plan.death is not None and (Role.FEDERATION in route.role or plan.branch in _ONE_HOST):
            conduct = await self._dead(plan.death, host)
            if conduct is not _ALIVE_SO_FAR:
                return conduct
        path = request.path
        prepared = self._prepared(route.index, int(self._now().timestamp() / (_KEYS_VALID_FOR_S / 2)))
        if not path.startswith("/_matrix/"):
            if path == "/robots.txt":
                return prepared.robots
            if Role.WELL_KNOWN in route.role:
                documents = prepared.documents if host == prepared.own_host else _NO_DOCUMENTS
                return answer_front(self._world, route, host, request, documents)
            return NOT_FOUND_PAGE
        if Role.FEDERATION in route.role and not path.startswith("/_matrix/client/"):
            return await self._federation(route.index, prepared, request, sighting)
        if Role.CLIENT in route.role and path.startswith("/_matrix/client/"):
            return self._client(route.index, prepared, request)
        return NOT_FOUND_PAGE if route.role is Role.WELL_KNOWN else UNRECOGNIZED

    @staticmethod
    async def _dead(death: Death, host: str) -> Response | None:
        """How a host that is dead above TLS answers everything; `_ALIVE_SO_FAR` when its death comes later."""
        match death:
            case Death.PARKED:
                return PARKED_PAGE
            case Death.BAD_GATEWAY:
                return _BAD_GATEWAY
            case Death.NOT_MATRIX:
                return NOT_FOUND_PAGE
            case Death.REDIRECTS:
                return Response(302, b"", TEXT, ((b"location", f"https://gone.{host.partition(':')[0]}/".encode()),))
            case Death.HANGS_UP:
                return None
            case Death.HUGE_BODY:
                return _HUGE
            case Death.DRIPS:
                return _DRIP
            case Death.NEVER_ANSWERS:
                await trio.sleep(_NEVER_S)
                return None
            case _:
                return _ALIVE_SO_FAR

    async def _federation(
        self, index: int, prepared: _Prepared, request: Request, sighting: Sighting
    ) -> Response | None:
        path = request.path
        if path == "/_matrix/federation/v1/version":
            response = prepared.version
        elif path == "/_matrix/key/v2/server":
            response = prepared.keys
        elif path == "/_matrix/federation/v1/publicRooms":
            if request.method not in ("GET", "HEAD"):
                return WRONG_METHOD
            return await self._public_rooms(index, request, sighting)
        elif path.startswith(HIERARCHY_PATH):
            if request.method not in ("GET", "HEAD"):
                return WRONG_METHOD
            room_id = unquote(path.removeprefix(HIERARCHY_PATH), errors="replace")
            refusal = await self._refusal(index, request, sighting)
            return refusal or self._hierarchies.answer(index, room_id, request.query())
        else:
            return UNRECOGNIZED
        return response if request.method in ("GET", "HEAD") else WRONG_METHOD

    async def _public_rooms(self, index: int, request: Request, sighting: Sighting) -> Response:
        plan = self._world.plan(index)
        if plan.policy.federation is Door.ABSENT:
            return UNRECOGNIZED
        refusal = await self._refusal(index, request, sighting)
        if refusal is not None:
            return refusal
        if plan.quirk is Quirk.RATE_LIMITED_ONCE and index not in self._limited:
            self._limited.add(index)
            return _RATE_LIMITED[digest(self._world.seed, "429", index, size=1)[0] % len(_RATE_LIMITED)]
        return self._directories.answer(index, DirectoryWay.FEDERATION, request.query(), self._peers.name)

    async def _refusal(self, index: int, request: Request, sighting: Sighting) -> Response | None:
        """None where the request is signed and this server can tell."""
        refusal = await self._peers.refusal(request, self._world.names[index])
        if refusal is None and self._world.plan(index).quirk is Quirk.SIGNATURE_REFUSED:
            refusal = self._peers.no_key(self._peers.name, "")
        if refusal is None:
            sighting.signature = Signature.GOOD
        else:
            sighting.signature = Signature.NONE if request.header(b"authorization") is None else Signature.BAD
        return refusal

    def _client(self, index: int, prepared: _Prepared, request: Request) -> Response:
        path = request.path
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        if (known := prepared.client.get(path)) is not None:
            return known
        if path in _PUBLIC_ROOMS_PATHS:
            return self._directories.answer(index, DirectoryWay.CLIENT, request.query(), "")
        for prefix in _ALIAS_PATHS:
            if path.startswith(prefix):
                return self._alias(index, unquote(path.removeprefix(prefix), errors="replace"))
        return UNRECOGNIZED

    def _alias(self, index: int, alias: str) -> Response:
        """Who is in the room of an alias, as this server knows: its own view if it is in the room, else the owner's."""
        localpart, _, domain = alias[1:].partition(":")
        if alias[:1] != "#" or not domain or not localpart:
            return matrix_error(400, "M_INVALID_PARAM", "Room alias invalid")
        owner = self._world.index_of.get(domain)
        if owner is not None:
            for _, portal in self._world.portals(owner):
                if portal.alias == alias:
                    body = {"room_id": portal.room_id, "servers": [self._world.names[owner]]}
                    return json_response(200, body)
        digits = localpart.rpartition("-")[2]
        serial = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else -1
        rooms = self._world.rooms
        if owner is None or not 0 <= serial < rooms.count(owner) or rooms.room(owner, serial).alias != alias:
            if owner != index and (owner is None or not self._world.plan(owner).alive):
                return matrix_error(502, "M_UNKNOWN", "Failed to fetch alias")
            return matrix_error(404, "M_NOT_FOUND", f"Room alias {alias} not found")
        inside = list(rooms.participants(owner, serial))
        if index not in inside and not self._world.plan(owner).alive:
            return matrix_error(502, "M_UNKNOWN", "Failed to fetch alias")
        dice(self._world.seed, "order", owner, serial).shuffle(inside)
        inside.sort(key=lambda member: member != index)  # the answering server first, the rest in no order
        servers = [self._world.names[member] for member in inside]
        if owner == 0 and serial < WIDE_ROOMS:
            servers += UNPARSABLE_SERVERS
        return json_response(200, {"room_id": rooms.room(owner, serial).room_id, "servers": servers})

    def _prepare(self, index: int, period: int) -> _Prepared:
        """Made anew in every `period`, half of the validity of a key document."""
        del period
        plan, name = self._world.plan(index), self._world.names[index]
        release = plan.release
        server: dict[str, str] = {}
        if release.name_raw is not None:
            server["name"] = release.name_raw.format(server=name)
        if release.version_raw is not None:
            server["version"] = release.version_raw
        versions = {"versions": spec_versions(release), "unstable_features": unstable_features(release)}
        published = self._world.published(index)
        client = {"/_matrix/client/versions": json_response(200, versions)}
        if published.login is not None:
            client["/_matrix/client/v3/login"] = json_response(200, published.login)
        if published.auth_metadata is not None:
            client["/_matrix/client/v1/auth_metadata"] = json_response(200, published.auth_metadata)
        return _Prepared(
            own_host=self._world.presence(index).own_host,
            version=json_response(200, {"server": server}),
            keys=self._keys(index, plan.death),
            documents=well_known_documents(published),
            client=client,
            robots=_robots(plan.robots),
        )

    def _keys(self, index: int, death: Death | None) -> Response:
        """The key document, or what stands in its place."""
        identity, now = self._world.identity(index), self._now()
        if index in self._rekeyed:
            other = SigningKey(identity.key.key_id, digest(self._world.seed, "other key", index))
            identity = Identity(identity.server_name, other)
        if death is Death.KEYS_NOT_JSON:
            return PARKED_PAGE
        if death is Death.KEYS_NOT_FOUND:
            return UNRECOGNIZED
        if death is Death.KEYS_WRONG_NAME:
            owner = self._world.answers_for(index)
            name = f"old.{identity.server_name.host}".replace(":", "-") if owner is None else self._world.names[owner]
            identity = Identity(parse_server_name(name), identity.key)
        valid_for_s = -3600 if death is Death.KEYS_EXPIRED else _KEYS_VALID_FOR_S
        document = build_key_document(identity, now, valid_for_s)
        if death is Death.KEYS_NO_KEY:
            document["verify_keys"] = {}
        elif death is Death.KEYS_NO_SIGNATURE:
            document["signatures"] = {}
        elif death is Death.KEYS_BAD_SIGNATURE:
            document["valid_until_ts"] += 1
        return json_response(200, document)


def _robots(robots: Robots) -> Response:
    if robots is Robots.ABSENT:
        return NOT_FOUND_PAGE
    return Response(200, ROBOTS_TEXT[robots], HTML if robots is Robots.PAGE else TEXT)


_ALIVE_SO_FAR = Response(0)


def _sni_of(host: str) -> str | None:
    """What SNI must say for a Host header: its host; nothing for an address (RFC 6066, 3)."""
    if host.startswith("[") or host.partition(":")[0].replace(".", "").isdigit():
        return None
    return host.partition(":")[0]
