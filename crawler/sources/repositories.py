"""Lists of repositories: frozen, with a name, a version and a date, so that a count says of what it is one.

Three shapes are read: our own TOML (`data/reference/developers.toml` is one), and a checkout of matrix.org, whose
ecosystem pages name repositories in TOML files and in the front matter of Markdown files. A list may name folders of
this machine only in our own shape: a checkout is other people's, and its addresses are https or passed over.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from crawler.errors import UsageError, printable
from crawler.sources.git import head, is_fetchable

LIST_BYTES = 4 * 1024 * 1024
MOST = 5_000
"""Repositories of one list."""

ECOSYSTEM = Path("content") / "ecosystem"
_KEYS = ("repo", "repository", "source")
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Repository:
    """One of a list: an https address or, where `path` is set, a folder of this machine. `fork_of` is the address of
    its origin, whose commits are not its own."""

    url: str
    path: Path | None = None
    fork_of: str | None = None


@dataclass(frozen=True, slots=True)
class RepositoryList:
    """A list, as of a day."""

    name: str
    version: str
    as_of: date
    repositories: tuple[Repository, ...]


def read_list(path: Path) -> RepositoryList:
    """The list in a TOML file, or in a checkout of matrix.org.

    Raises:
        UsageError: it is neither.
        GitError: git cannot read the checkout.
    """
    return _read_ecosystem(path) if path.is_dir() else _read_own(path)


def _read_own(path: Path) -> RepositoryList:
    said = _toml(path, _text(path))
    name, version, listed = said.get("name"), said.get("version"), said.get("repository")
    if not (isinstance(name, str) and name and isinstance(version, str) and isinstance(listed, list) and listed):
        wanted = 'name = "...", version = "YYYY-MM-DD" and at least one [[repository]]'
        raise UsageError(f"{path} is no list of repositories: it wants {wanted}")
    try:
        as_of = date.fromisoformat(version[:10])
    except ValueError:
        raise UsageError(f"{path}: version must begin with its day, YYYY-MM-DD, got {printable(version)}") from None
    repositories = tuple(_own(path, entry, number) for number, entry in enumerate(listed, 1))
    return RepositoryList(name, version, as_of, _distinct(path, repositories))


def _own(path: Path, entry: Any, number: int) -> Repository:
    said = entry if isinstance(entry, dict) else {}
    url, folder, fork_of = (said.get(key) for key in ("url", "path", "fork_of"))
    if not (fork_of is None or (isinstance(fork_of, str) and fork_of)):
        raise UsageError(f"{path}: repository {number} wants fork_of = an https address, or a folder")
    if fork_of is not None and not is_fetchable(fork_of):
        fork_of = str(path.parent / fork_of)
    if url is None and isinstance(folder, str) and folder:
        where = path.parent / folder
        return Repository(str(where), where, fork_of)
    if not (isinstance(url, str) and is_fetchable(url)):
        raise UsageError(f"{path}: repository {number} wants url = an https address, or path = a folder")
    return Repository(url, None, fork_of)


def _read_ecosystem(checkout: Path) -> RepositoryList:
    folder = checkout / ECOSYSTEM
    files = sorted(file for kind in ("*.toml", "*.md") for file in folder.rglob(kind) if file.is_file())
    if not files:
        raise UsageError(f"{checkout} is no checkout of matrix.org: there is nothing in {ECOSYSTEM}")
    newest = head(checkout)
    urls = (url for file in files for url in _addresses(_ecosystem_page(file)))
    found = tuple(Repository(url) for url in urls if is_fetchable(url))
    return RepositoryList("ecosystem", newest.commit, newest.at.date(), _distinct(checkout, found))


def _ecosystem_page(file: Path) -> Mapping[str, Any]:
    """What a page says in TOML. One that is none names nothing: a page of somebody's must not spoil the list."""
    try:
        text = _text(file)
        if file.suffix == ".md":
            _, mark, rest = text.partition("+++\n")
            text = rest.partition("\n+++")[0] if mark else ""
        return tomllib.loads(text)
    except (UsageError, tomllib.TOMLDecodeError, RecursionError):
        return {}


def _addresses(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            if key in _KEYS and isinstance(inner, str):
                yield inner
            else:
                yield from _addresses(inner, depth + 1)
    elif isinstance(value, list) and depth < _DEPTH:
        for inner in value:
            yield from _addresses(inner, depth + 1)


def _distinct(path: Path, repositories: tuple[Repository, ...]) -> tuple[Repository, ...]:
    by_place: dict[str, Repository] = {}
    for repository in repositories:
        by_place.setdefault(one_address(repository.url), repository)
    if len(by_place) > MOST:
        raise UsageError(f"{path} lists more than {MOST} repositories")
    return tuple(by_place.values())


def one_address(url: str) -> str:
    """An address as it compares: sites take it with and without `.git` and a slash."""
    return url.rstrip("/").removesuffix(".git").lower()


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LIST_BYTES:
            raise UsageError(f"{path} is larger than {LIST_BYTES} bytes")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def _toml(path: Path, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
