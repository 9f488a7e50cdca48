"""`inbox/` beside the census file: what other processes have to say to its one writer.

Opt-outs, usage reports, inbound leads and check results come from processes that must never open the census file. They
append one JSON object a line, flushed to the disk before they are told that it was taken; the writer drains the lines
before and after each crawl. Draining is at least once: lines are removed only after the drain ended well, so what is
done with one must be safe to do twice.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.errors import ProtocolError, StoreError
from crawler.protocol.json_body import parse_object
from crawler.store.clock import Now, utc_now
from crawler.store.durable import flush_folder

LINE_BYTES = 64 * 1024
"""Longest entry."""

INBOX_BYTES = 64 * 1024 * 1024
"""Fullest inbox; what comes then is refused, since nobody seems to drain it."""

_NEW = "new.jsonl"
_DRAINING = "draining.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody said: a word for what it is, when it came, and the rest."""

    kind: str
    at: datetime
    content: Mapping[str, Any]


def inbox_folder(census: Path) -> Path:
    """Where the entries for a census file are."""
    return census.parent / "inbox"


def append(
    census: Path, kind: str, content: Mapping[str, Any], *, room_bytes: int | None = None, now: Now = utc_now
) -> None:
    """Leave an entry; when this returns it is on the disk.

    Args:
        census: The census file that it is for; it need not be there yet.
        kind: What it is, one word.
        content: What JSON can hold.
        room_bytes: How full the inbox may be at most for this one; None: `INBOX_BYTES`.
        now: The time of day.

    Raises:
        StoreError: the entry is too large, the inbox is full, or the disk gave out.
    """
    line = json.dumps({"kind": kind, "at": now().isoformat(), "content": content}, allow_nan=False).encode() + b"\n"
    if len(line) > LINE_BYTES:
        raise StoreError(f"an entry of {len(line)} bytes is too large for the inbox; at most {LINE_BYTES} are taken")
    folder = inbox_folder(census)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder), (folder / _NEW).open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size + len(line) > min(INBOX_BYTES, room_bytes or INBOX_BYTES):
                raise StoreError(f"the inbox {folder} is full; a crawl, or any other writer of {census}, drains it")
            if size and not _ends_a_line(file.fileno(), size):
                line = b"\n" + line  # an entry before was cut short by a crash; it must not spoil this one
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        flush_folder(folder)
    except OSError as error:
        raise StoreError(f"cannot write to the inbox {folder}: {error.strerror}") from error


@contextmanager
def drained(census: Path) -> Iterator[tuple[Entry, ...]]:
    """All entries, oldest first; they are removed when the block ends without an exception.

    Only the holder of the census file's lock may drain. Lines that are no entry (cut short by a crash) are passed over.

    Raises:
        StoreError: the inbox cannot be read.
    """
    folder = inbox_folder(census)
    draining = folder / _DRAINING
    entries: tuple[Entry, ...] = ()
    try:
        if folder.is_dir():
            with _locked(folder):
                _set_aside(folder)
            if draining.exists():
                entries = tuple(_entries(draining.read_bytes()))
    except OSError as error:
        raise StoreError(f"cannot read the inbox {folder}: {error.strerror}") from error
    yield entries
    draining.unlink(missing_ok=True)


def _set_aside(folder: Path) -> None:
    new, draining = folder / _NEW, folder / _DRAINING
    if not new.exists():
        return
    if draining.exists():
        # The last drain did not end well: its entries stand before the new ones.
        with draining.open("ab") as file:
            file.write(new.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        new.unlink()
    else:
        new.rename(draining)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _ends_a_line(handle: int, size: int) -> bool:
    return os.pread(handle, 1, size - 1) == b"\n"


def _entries(content: bytes) -> Iterator[Entry]:
    for line in content.splitlines():
        try:
            document = parse_object(line)
            entry = Entry(str(document["kind"]), datetime.fromisoformat(document["at"]), dict(document["content"]))
        except (ProtocolError, ValueError, KeyError, TypeError):
            continue
        yield entry
