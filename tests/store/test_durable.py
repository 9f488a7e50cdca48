"""Small files are the old one or the new one, whole."""

import threading
from pathlib import Path

import pytest

from crawler.store.durable import replace_file


@pytest.mark.parametrize("flush", [True, False])
def test_a_file_is_replaced_and_nothing_stays_beside_it(tmp_path: Path, *, flush: bool) -> None:
    path = tmp_path / "file"
    for content in (b"one", b"", b"three"):
        replace_file(path, content, flush=flush)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_sees_half(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([letter]) * 50_000 for letter in b"abc"]
    replace_file(path, contents[0])
    done = threading.Event()

    def replace_many() -> None:
        for turn in range(200):
            replace_file(path, contents[turn % 3], flush=False)
        done.set()

    thread = threading.Thread(target=replace_many)
    thread.start()
    seen = set()
    while not done.is_set():
        seen.add(path.read_bytes())
    thread.join()
    assert seen <= set(contents)


def test_a_failed_replacement_leaves_the_old(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    with pytest.raises(FileNotFoundError):
        replace_file(path, b"new")
