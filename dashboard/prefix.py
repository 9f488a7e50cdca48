"""Behind a reverse proxy that serves us under a path of its host, as `https://example.org/census/`.

Proxies differ: some pass the path on as it came (Caddy's `handle`, nginx's `proxy_pass` without a path), some take the
prefix off (`handle_path`, `proxy_pass` with a path at its end). Both are understood; so the first part of a prefix must
be none of our own addresses, or `/data/data/x.csv` could mean two things. Everything further inside sees addresses
without the prefix, and `links` puts it before those that go out. Plain ASGI.
"""

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from crawler.errors import UsageError
from dashboard import links

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def parse_prefix(text: str) -> str:
    """A prefix as it was typed, in its one spelling: a slash before it and none behind; empty for none.

    Raises:
        UsageError: it is no path.
    """
    prefix = f"/{text.strip('/')}" if text.strip("/") else ""
    if prefix and (not _PREFIX.fullmatch(prefix) or any(part in (".", "..") for part in prefix.split("/"))):
        raise UsageError(f"--root-path wants a path such as /census, of letters, digits and . _ ~ -, not {text!r}")
    return prefix


def refuse_taken(prefix: str, own: Iterable[str]) -> None:
    """Refuse a prefix that begins as one of our own addresses.

    Raises:
        UsageError: it does.
    """
    first = prefix.split("/")[1] if prefix else ""
    if first and any(path.split("/")[1:2] == [first] for path in own):
        raise UsageError(f"--root-path cannot begin with /{first}: the dashboard has an address of that name")


class UnderPrefix:
    """Takes the prefix off what comes in, if it is still there, and has it before what goes out."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with links.under(self._prefix):
            path = links.bare(scope["path"])
            # The server of ASGI may have been told of the prefix too; below here nobody needs to know.
            inner = {**scope, "path": path, "raw_path": _raw(scope, self._prefix), "root_path": ""}
            await self._app(inner, receive, send)


def _raw(scope: Scope, prefix: str) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    start = prefix.encode()
    return raw[len(start) :] or b"/" if raw == start or raw.startswith(start + b"/") else raw
