"""One writer, or readers: between processes, within one, and after a kill."""

import os
import threading
import time
from pathlib import Path

import pytest

from crawler.errors import CensusLockedError, StoreError
from crawler.store.lock import lock_path, lock_to_read, lock_to_write
from tests.store.process import line, python

HOLD = """
import sys
from pathlib import Path
from crawler.store.lock import lock_to_read, lock_to_write
lock = {"read": lock_to_read, "write": lock_to_write}[sys.argv[2]](Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_writer_keeps_everybody_out_and_is_named(tmp_path: Path) -> None:
    file = tmp_path / "census.duckdb"
    with python(HOLD, file, "write") as holder:
        assert line(holder) == "held"
        for take in (lock_to_write, lock_to_read):
            with pytest.raises(CensusLockedError, match=f"written by process {holder.pid};"):
                take(file)
        holder.kill()
        holder.wait()
        lock_to_write(file).release()


def test_a_writer_of_this_process_is_named_so(tmp_path: Path) -> None:
    file = tmp_path / "census.duckdb"
    with lock_to_write(file):
        for take in (lock_to_write, lock_to_read):
            with pytest.raises(CensusLockedError, match="this very process"):
                take(file)
    with lock_to_read(file), lock_to_read(file):
        pass


def test_readers_make_a_writer_wait_but_not_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "census.duckdb"
    with python(HOLD, file, "read") as reader:
        assert line(reader) == "held"
        lock_to_read(file).release()
        with pytest.raises(CensusLockedError, match="being read"):
            lock_to_write(file, readers_s=0.05)
        threading.Timer(0.2, reader.kill).start()
        lock_to_write(file, readers_s=30).release()


def test_two_writers_that_wait_for_a_reader_do_not_both_get_in(tmp_path: Path) -> None:
    file = tmp_path / "census.duckdb"
    inside: list[int] = []
    most: list[int] = []
    refused: list[CensusLockedError] = []

    def write(number: int) -> None:
        try:
            with lock_to_write(file):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.05)
                inside.remove(number)
        except CensusLockedError as error:
            refused.append(error)

    reader = lock_to_read(file)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    reader.release()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert len(most) + len(refused) == 4


def test_every_name_of_a_file_has_the_same_lock(tmp_path: Path) -> None:
    file = tmp_path / "census.duckdb"
    file.touch()
    (tmp_path / "link.duckdb").symlink_to(file)
    assert lock_path(tmp_path / "link.duckdb") == lock_path(file)
    with lock_to_write(file), pytest.raises(CensusLockedError):
        lock_to_write(tmp_path / "link.duckdb")


def test_a_stale_process_number_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "census.duckdb"
    lock_path(file).write_text("4711 and more than a number\n")
    handle = os.open(lock_path(file), os.O_RDWR)
    os.close(handle)
    with lock_to_write(file):
        assert lock_path(file).read_text() == f"{os.getpid()}\n"


def test_a_folder_that_is_not_there_has_no_lock(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot use the lock file"):
        lock_to_write(tmp_path / "no" / "census.duckdb")
