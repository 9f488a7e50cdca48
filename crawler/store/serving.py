"""Where serving files are, which one is the newest, and which may go.

    <folder of the census file>/serving/<stem>-<crawl>-<n>.duckdb       read-only for everybody, never changed again
                                        <stem>-<crawl>-<n>.duckdb.draft being made
                                        <stem>.current                  the name of the newest, replaced atomically
                                        <stem>.anew                     the next may not grow out of the newest

A new file gets a new name, because a process that has the old one open and opens the same path again would still see
the old data. Old files stay for readers that have just read the pointer; one that has a file open keeps it after its
name is gone.
"""

import re
import secrets
from pathlib import Path

from crawler.errors import StoreError
from crawler.store.durable import replace_file

KEPT = 3
"""Serving files kept, the newest among them."""

_POINTER_LIMIT = 512


def serving_folder(census: Path) -> Path:
    """The folder of the serving files of a census file."""
    return census.parent / "serving"


def serving_file(census: Path) -> Path | None:
    """The newest serving file of a census file; None when nothing was published yet."""
    try:
        with pointer(census).open("rb") as file:
            name = file.read(_POINTER_LIMIT).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    found = serving_folder(census) / name
    # The pointer may only ever name one of its own, wherever somebody copied it from.
    return found if _place(census, name) is not None and found.is_file() else None


def nothing_published(census: Path) -> StoreError:
    """What to tell a person who would read what is not there."""
    if not census.is_file():
        return StoreError(
            f"there is no census file {census}, so nothing is published for it; give another --db, or run a crawl "
            "first: matrix-census crawl --help"
        )
    return StoreError(
        f"nothing is published for {census} yet; run a crawl first, or, if it holds one: "
        f"matrix-census publish --db {census}"
    )


def published_crawl(census: Path) -> int | None:
    """Number of the newest crawl in the newest serving file; None when nothing is published."""
    serving = serving_file(census)
    place = None if serving is None else _place(census, serving.name)
    return None if place is None else place[0]


def pointer(census: Path) -> Path:
    """The file that names the newest serving file."""
    return serving_folder(census) / f"{census.stem}.current"


def point_to(census: Path, serving: Path) -> None:
    """Make `serving` the newest, atomically."""
    replace_file(pointer(census), f"{serving.name}\n".encode())


def publish_anew(census: Path) -> None:
    """Say that something else than a crawl is about to change a census file: the next serving file is to be written
    from it alone. On the disk when this returns, so that it holds though the change be cut short.

    Raises:
        StoreError: it cannot be written.
    """
    if serving_folder(census).is_dir():
        replace_file(_anew(census), secrets.token_hex(16).encode())


def maintained(census: Path) -> str | None:
    """What `publish_anew` left; None: nothing but crawls has changed the census file."""
    try:
        return _anew(census).read_text("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return ""


def published_anew(census: Path, left: str) -> None:
    """The newest serving file is so written, after `left` was read; what came later stands."""
    if maintained(census) == left:
        _anew(census).unlink(missing_ok=True)


def _anew(census: Path) -> Path:
    return serving_folder(census) / f"{census.stem}.anew"


def next_name(census: Path, crawl_id: int) -> str:
    """A name that was not given yet for a publication of this crawl."""
    taken = [n for crawl, n, _ in _published(census) if crawl == crawl_id]
    return f"{census.stem}-{crawl_id:06d}-{max(taken, default=0) + 1}.duckdb"


def prune(census: Path) -> None:
    """Remove all but the newest serving files, and never the one that is pointed to."""
    newest = serving_file(census)
    for _, _, path in sorted(_published(census))[:-KEPT]:
        if path != newest:
            path.unlink(missing_ok=True)


def drop_older(census: Path) -> int:
    """Remove all serving files but the newest, at once; without a newest, all of them. The caller is the only one to
    publish. A reader that has one open keeps it until it closes it.

    Returns:
        How many.
    """
    newest = serving_file(census)
    old = [path for _, _, path in _published(census) if path != newest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def unpublish(census: Path) -> int:
    """Remove all serving files.

    Returns:
        How many.
    """
    pointer(census).unlink(missing_ok=True)
    return drop_older(census)


def drop_drafts(census: Path) -> None:
    """Remove what killed publications left. The caller is the only one to publish."""
    for path in serving_folder(census).glob("*.duckdb.draft*"):
        if _place(census, path.name.partition(".duckdb")[0] + ".duckdb") is not None:
            path.unlink(missing_ok=True)


def _published(census: Path) -> list[tuple[int, int, Path]]:
    found: list[tuple[int, int, Path]] = []
    for path in serving_folder(census).glob("*.duckdb"):
        place = _place(census, path.name)
        if place is not None:
            found.append((*place, path))
    return found


def _place(census: Path, name: str) -> tuple[int, int] | None:
    """(crawl, n) of a serving file's name; None if it is no name of one of this census file."""
    match = re.fullmatch(re.escape(census.stem) + r"-([0-9]{6,10})-([0-9]{1,10})\.duckdb", name)
    return (int(match[1]), int(match[2])) if match else None
