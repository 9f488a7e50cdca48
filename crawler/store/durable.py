"""Small files that are either the old one or the new one, whole, whatever happens in between.

Apart, because the pointer to the serving file and the crawl's status need the same dance: write beside, flush, rename
over (rename(2) is atomic within a file system), and flush the folder, so that the new name survives a power cut.
"""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Put `content` in the place of `path`, atomically.

    Args:
        path: The file; its folder exists.
        content: All of it.
        flush: Whether it must survive a power cut; without, it survives the death of the process only, and is quick.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with beside.open("wb") as file:
        file.write(content)
        if flush:
            file.flush()
            os.fsync(file.fileno())
    beside.replace(path)
    if flush:
        flush_folder(path.parent)


def flush_file(path: Path) -> None:
    """Wait until the content of `path` is on the disk."""
    _fsync(path, os.O_RDONLY)


def flush_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk."""
    _fsync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
