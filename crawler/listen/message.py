"""What a handler is given and what it gives back, and the bounds within which a peer may talk to us.

Apart from the server, so that handlers (pure functions of a request, mostly) are written and tested without a socket.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Names in lower case, as h11 gives them; order and repetitions kept."""

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole, within the bounds. `target` is what stood on the request line, not decoded (signatures cover
    it as sent); `sni` the host name of the TLS handshake in lower case, None without TLS or without SNI."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    peer: str = ""
    sni: str | None = None

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    def query(self) -> dict[str, str]:
        """The query's parameters, decoded; the last of a repeated one counts."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True, max_num_fields=50))

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name; None when it is absent."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. The server adds Content-Length and Date, and leaves the body out when HEAD was asked."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = ()
    pause_s: float = 0.0
    """Between one byte of the body and the next, for servers that are to be seen dripping; 0: all at once."""


Handler: TypeAlias = Callable[[Request], Awaitable[Response | None]]
"""Answers one request; None hangs up without a word."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one peer can take of us, so that no number of slow or greedy peers can hold us."""

    connections: int = 500
    """Open at once; further ones wait in the kernel's queue."""
    header_bytes: int = 16 * 1024
    """Request line and headers together."""
    body_bytes: int = 64 * 1024
    handshake_s: float = 10.0
    idle_s: float = 30.0
    """Wait for the first byte of a request."""
    request_s: float = 15.0
    """From the first byte of a request to its last."""
    answer_s: float = 60.0
    """From the last byte of a request to the last of its answer: handler and a peer that reads slowly."""
    requests: int = 1000
    """On one connection; then it is closed."""
    grace_s: float = 2.0
    """For answers under way when we are told to stop."""


def json_response(status: int, value: object, headers: Headers = ()) -> Response:
    """`value` as a JSON answer."""
    return Response(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), JSON, headers)


def matrix_error(status: int, errcode: str, error: str, headers: Headers = ()) -> Response:
    """An error as every Matrix API spells it (client-server API, "Standard error response")."""
    return json_response(status, {"errcode": errcode, "error": error}, headers)


UNRECOGNIZED = matrix_error(404, "M_UNRECOGNIZED", "Unrecognized request")
"""For a path that we do not serve (server-server API, "Unsupported endpoints")."""

WRONG_METHOD = matrix_error(405, "M_UNRECOGNIZED", "Unrecognized request method", ((b"allow", b"GET, HEAD"),))
"""For a path that we serve, asked in another way than reading."""
