"""Addresses of our own, as answers tell them: behind the prefix of a proxy, and without the host where that will do."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from fastapi import Request

from dashboard import links


def address(path: str, query: Mapping[str, object] | None = None) -> str:
    """A path of ours, as a route has it, behind the prefix."""
    text = quote(links.whole(path), safe="/:@!$&'()*+,;=~")
    return f"{text}?{urlencode(_flat(query), doseq=True)}" if query else text


def absolute(request: Request, path: str) -> str:
    """The same with scheme and host, as the visitor came to us; for what is read elsewhere, as a feed is."""
    return f"{request.url.scheme}://{request.url.netloc}{address(path)}"


def _flat(query: Mapping[str, object]) -> dict[str, object]:
    words = {True: "true", False: "false"}
    return {
        key: words[value] if isinstance(value, bool) else value for key, value in query.items() if value is not None
    }
