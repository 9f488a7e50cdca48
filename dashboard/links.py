"""Addresses of ours as a visitor's browser needs them, wherever he stands.

Two things stand around the address of a page: the path under which a reverse proxy serves us, and the census that is
looked at when it is not the newest. Both hold for all that is made for a request, so they are in a context variable:
were they handed down instead, every cell that holds a link would take them along. Threads that trio starts inherit it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

AT = "at"
"""Key of an address: the census that is looked at, by its number or a day."""


@dataclass(frozen=True, slots=True)
class _Standpoint:
    root: str = ""
    census: int | None = None


_HERE: ContextVar[_Standpoint] = ContextVar("standpoint", default=_Standpoint())  # noqa: B039 - it is frozen


@contextmanager
def under(root: str) -> Iterator[None]:
    """Within it, addresses begin with the path of a proxy: `/census`, or empty for none."""
    with _standing(replace(_HERE.get(), root=root)):
        yield


@contextmanager
def looking_at(census: int | None) -> Iterator[None]:
    """Within it, links to pages stay with an earlier census; None: with the newest, whichever that will be."""
    with _standing(replace(_HERE.get(), census=census)):
        yield


@contextmanager
def _standing(standpoint: _Standpoint) -> Iterator[None]:
    token = _HERE.set(standpoint)
    try:
        yield
    finally:
        _HERE.reset(token)


def root() -> str:
    """The path that a proxy serves us under, without a slash at its end; empty for none."""
    return _HERE.get().root


def whole(path: str) -> str:
    """An address of ours that is the same in every census: a file, the API, the newest of a page."""
    return f"{root()}{path}"


def page(path: str) -> str:
    """An address of ours that shows a census: a page, the data of a chart. It may have a query and a fragment."""
    parts = urlsplit(path)
    return urlunsplit(("", "", f"{root()}{parts.path}", kept(parts.query), parts.fragment))


def kept(query: str) -> str:
    """A query (without its question mark) with the census that is looked at."""
    census = _HERE.get().census
    return query if census is None else "&".join(part for part in (query, f"{AT}={census}") if part)


def search(query: str) -> str:
    """The same of a query with its question mark, or of none: what the address bar shows."""
    told = kept(query.removeprefix("?"))
    return f"?{told}" if told else ""


def bare(path: str) -> str:
    """A path as the browser has it, without the proxy's part."""
    return path[len(root()) :] or "/" if path == root() or path.startswith(f"{root()}/") else path
