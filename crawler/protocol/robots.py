"""robots.txt as RFC 9309 defines it: may a crawler fetch a path?

Our own, for two reasons. The standard library's parser is of the convention before the RFC: the first rule that fits
counts and not the longest, `*` and `$` mean nothing in a path, and half a line of a stranger (`Disallow: //[`) makes it
raise ValueError. Others turn a stranger's pattern into a regular expression, which can take for ever. Here matching
takes time linear in the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from crawler.protocol.json_body import clean_text

ROBOTS_URI = "/robots.txt"
PRODUCT_TOKEN = "matrix-census"  # noqa: S105 - the name we go by in User-Agent and robots.txt
EVERYBODY = "*"
MAX_ROBOTS = 500 * 1024
"""Bytes that are read: as many as RFC 9309, 2.5, wants at least."""

_LINE_END = re.compile(r"[\r\n]+")
_TOKEN = re.compile(r"\*|[A-Za-z_-]+")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(slots=True)
class _Group:
    """Rules, (allowed?, path pattern), and the lower-case product tokens they are for."""

    tokens: set[str] = field(default_factory=set)
    rules: list[tuple[bool, str]] = field(default_factory=list)


def robots_text(body: bytes) -> str:
    """The text of a robots.txt: its first `MAX_ROBOTS` bytes, what is no UTF-8 replaced."""
    text = body[:MAX_ROBOTS].decode("utf-8", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    return clean_text(text, MAX_ROBOTS) or ""


def may_fetch(text: str, product_token: str, path: str) -> bool:
    """Whether the robots.txt `text` lets the crawler of that product token fetch `path`.

    The groups of the token are taken together; without one, those of everybody; without those all is allowed. Of the
    rules that match, the longest counts, and the one that allows if two are as long (RFC 9309, 2.2.1 and 2.2.2).

    Args:
        text: as `robots_text` gives it.
        product_token: such as `PRODUCT_TOKEN`, compared without regard to case; `EVERYBODY` for one that is named
            nowhere.
        path: path and query, as a request would send them.
    """
    groups = list(_groups(text))
    token = product_token.lower()
    chosen = [group for group in groups if token in group.tokens] or [g for g in groups if EVERYBODY in g.tokens]
    target = _normal(path)
    longest, allowed = -1, True
    for group in chosen:
        for allows, pattern in group.rules:
            if _matches(pattern, target) and (len(pattern) > longest or (len(pattern) == longest and allows)):
                longest, allowed = len(pattern), allows
    return allowed


def names_token(text: str, product_token: str) -> bool:
    """Whether a group of the robots.txt `text` is for the crawler of that product token and no other name."""
    return any(product_token.lower() in group.tokens for group in _groups(text))


def _groups(text: str) -> Iterator[_Group]:
    """The groups in their order. Lines of other kinds (Sitemap, Crawl-delay) neither belong to one nor end one."""
    group = _Group()
    for line in _LINE_END.split(text[:MAX_ROBOTS]):
        key, colon, value = line.partition("#")[0].partition(":")
        if not colon:
            continue
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            if group.rules:
                yield group
                group = _Group()
            token = _TOKEN.match(value)
            if token is not None:
                group.tokens.add(token[0].lower())
        # Rules before the first user-agent are nobody's; an empty one forbids nothing, and ends the list of agents.
        elif key in ("allow", "disallow") and group.tokens:
            group.rules.append((key == "allow" or not value, _normal(value)))
    yield group


def _normal(path: str) -> str:
    """A path with what must be percent-encoded encoded, in capitals, and what need not be (unreserved) decoded."""
    return _ESCAPE.sub(_normal_escape, quote(path, safe=_AS_IT_IS))


def _normal_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _matches(pattern: str, path: str) -> bool:
    """Whether `pattern` matches from the beginning of `path`: `*` is any text, `$` at its end the end of the path."""
    anchored = pattern.endswith("$")
    first, *pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not pieces:
        return not anchored or at == len(path)
    last = pieces.pop()
    for piece in pieces:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if anchored:
        return path.endswith(last) and len(path) - len(last) >= at
    return path.find(last, at) >= 0
