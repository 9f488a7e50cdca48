"""Port 443 of the practice servers' own hosts: .well-known in every shape that operators publish it in.

Apart from the Matrix endpoints, because most of what goes wrong here is the work of web servers that know nothing of
Matrix.
"""

import json
from collections.abc import Mapping

from crawler.lab.dice import digest
from crawler.lab.network import Route
from crawler.lab.oddities import Front
from crawler.lab.published import Published
from crawler.lab.world import World
from crawler.listen.message import HTML, TEXT, Headers, Request, Response, json_response

PARKED_PAGE = Response(
    200,
    b"<!doctype html><html><head><title>This domain is for sale</title></head><body><h1>Welcome</h1></body></html>",
    HTML,
)
NOT_FOUND_PAGE = Response(404, b"<html><body><h1>404 Not Found</h1></body></html>", HTML)

_TOO_LARGE_BYTES = 60 * 1024
_CORS: Headers = ((b"access-control-allow-origin", b"*"),)
_CACHE_HEADERS: tuple[Headers, ...] = (
    (),
    ((b"cache-control", b"public, max-age=3600"),),
    ((b"cache-control", b"no-store"),),
    ((b"expires", b"Thu, 01 Jan 2037 00:00:00 GMT"),),
    ((b"cache-control", b"max-age=0"), (b"expires", b"0")),
)


def well_known_documents(published: Published) -> dict[str, Response]:
    """Path -> answer of the documents that stand at a server name's own host."""
    found = {
        "client": published.client,
        "support": published.support,
        "policy_server": published.policy_server,
    }
    return {
        f"/.well-known/matrix/{word}": json_response(200, document, _CORS)
        for word, document in found.items()
        if document is not None
    }


def answer_front(
    world: World, route: Route, host: str, request: Request, documents: Mapping[str, Response]
) -> Response:
    """What a host answers on a path that is not below /_matrix; `documents` are those of the name's own host, and
    empty at every other."""
    path = request.path
    if route.front is Front.HTML:
        return PARKED_PAGE
    if path == "/.well-known/matrix/server":
        return _server(world, route, host, request)
    return documents.get(path, NOT_FOUND_PAGE)


def _server(world: World, route: Route, host: str, request: Request) -> Response:
    front = route.front
    if route.redirect is not None:
        status, onward = route.redirect
        return _redirect(status, f"https://{onward}/.well-known/matrix/server")
    if front is Front.LOOP:
        return _redirect(302, f"https://{host}/.well-known/matrix/server?again={len(request.target)}")
    if front is Front.BROKEN_JSON:
        return Response(200, b'{"m.server": "matrix.')
    if front is Front.NO_SERVER:
        return json_response(200, {"m.homeserver": {"base_url": f"https://{host}"}})
    if front is Front.BAD_SERVER:
        return json_response(200, {"m.server": f"https://{host}:8448/"})
    if route.m_server is None:
        return NOT_FOUND_PAGE
    body = json.dumps({"m.server": route.m_server}).encode()
    if front is Front.TOO_LARGE:
        body = body[:-1] + b" " * _TOO_LARGE_BYTES + b"}"
    chance = digest(world.seed, "well-known headers", route.index, size=2)
    # Parsers must not look at the content type ("Server discovery"): a third of the federation serves it as text.
    content_type = TEXT if chance[1] % 3 == 0 else b"application/json"
    return Response(200, body, content_type, _CACHE_HEADERS[chance[0] % len(_CACHE_HEADERS)])


def _redirect(status: int, location: str) -> Response:
    return Response(status, b"", TEXT, ((b"location", location.encode()),))
