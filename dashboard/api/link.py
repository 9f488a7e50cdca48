"""Addresses of our own, as answers tell them: behind the prefix of a proxy, and without the host where that will do."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from fastapi import Request


def root_of(request: Request) -> str:
    """The prefix that a proxy serves us under; empty without one."""
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


def address(request: Request, path: str, query: Mapping[str, object] | None = None) -> str:
    """A path of ours, as `request.url.path` or a route has it, with its prefix once."""
    root = root_of(request)
    bare = path[len(root) :] if root and path.startswith(f"{root}/") else path
    text = quote(f"{root}{bare}", safe="/:@!$&'()*+,;=~")
    return f"{text}?{urlencode(_flat(query), doseq=True)}" if query else text


def absolute(request: Request, path: str) -> str:
    """The same with scheme and host, as the visitor came to us; for what is read elsewhere, as a feed is."""
    return f"{request.url.scheme}://{request.url.netloc}{address(request, path)}"


def _flat(query: Mapping[str, object]) -> dict[str, object]:
    words = {True: "true", False: "false"}
    return {
        key: words[value] if isinstance(value, bool) else value for key, value in query.items() if value is not None
    }
