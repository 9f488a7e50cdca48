"""Who may touch a census file: one writer, or any number of short readers, and never both.

DuckDB locks its files itself, but says who is in the way only in the text of an error, and its lock (POSIX, fcntl) is
lost as soon as any part of the process closes any handle of the same file. So the house has a lock of its own, an
flock(2) on `<file>.lock` beside the file: it dies with its holder, kill -9 included, belongs to the open handle, and
names the writer's process in the lock file. Whoever holds it may open, probe and close the file itself; whoever does
not keeps away from it. The lock file is never removed: a removed one could be locked by two at once.

flock works on local file systems of Linux; a census file belongs on one.
"""

import errno
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from crawler.errors import CensusLockedError, StoreError

READERS_S = 10.0
"""Longest that a writer waits for readers to finish; they look at a few rows, or copy the file to publish it."""

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class FileLock:
    """A held lock. `handle` is None where there is nothing to lock: a reader of a folder that nobody can write to."""

    path: Path
    handle: int | None

    def release(self) -> None:
        """Let others in. The lock must not be released twice."""
        if self.handle is not None:
            os.close(self.handle)

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_path(file: Path) -> Path:
    """The lock file of `file`, the same for every name that leads to it."""
    real = file.resolve()
    return real.with_name(real.name + ".lock")


def lock_to_write(file: Path, *, readers_s: float = READERS_S) -> FileLock:
    """Be the one writer of `file`.

    Args:
        file: What is to be written; its folder exists.
        readers_s: Longest wait for readers to finish. For another writer there is no wait.

    Raises:
        CensusLockedError: another process is writing, or readers do not go away.
        StoreError: no lock file can be made there.
    """
    path = lock_path(file)
    handle = _open(path, os.O_RDWR | os.O_CREAT)
    give_up = time.monotonic() + readers_s
    try:
        while not _try(handle, fcntl.LOCK_EX):
            if not _try(handle, fcntl.LOCK_SH):
                raise CensusLockedError(f"{file} is being written by {_writer(handle)}; wait for it to end")
            fcntl.flock(handle, fcntl.LOCK_UN)
            if time.monotonic() > give_up:
                raise CensusLockedError(f"{file} is being read by a process that does not let go; end it and try again")
            time.sleep(_POLL_S)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except BaseException:
        os.close(handle)
        raise
    return FileLock(path, handle)


def lock_to_read(file: Path) -> FileLock:
    """Keep writers of `file` away for a moment.

    Raises:
        CensusLockedError: a process is writing.
        StoreError: the lock file cannot be read.
    """
    path = lock_path(file)
    try:
        handle = _open(path, os.O_RDWR | os.O_CREAT)
    except StoreError:
        # Somebody else's folder, or one that cannot be written to at all: a writer that could would have made the file.
        if not path.exists():
            return FileLock(path, None)
        handle = _open(path, os.O_RDONLY)
    try:
        if not _try(handle, fcntl.LOCK_SH):
            raise CensusLockedError(f"{file} is being written by {_writer(handle)}; wait for it to end")
    except BaseException:
        os.close(handle)
        raise
    return FileLock(path, handle)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(
            f"cannot use the lock file {path}: {error.strerror}; can this folder be written to?"
        ) from error


def _try(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _writer(handle: int) -> str:
    text = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
    if not text.isdigit():
        return "another process"
    return "this very process" if int(text) == os.getpid() else f"process {text}"
