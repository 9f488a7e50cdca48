"""The inbox: nothing that was taken is lost, whoever dies when."""

from pathlib import Path

import pytest

from crawler.errors import StoreError
from crawler.store import inbox
from crawler.store.inbox import Entry, append, drained, inbox_folder
from tests.store.observations import DAY
from tests.store.process import python


@pytest.fixture
def census(tmp_path: Path) -> Path:
    return tmp_path / "census.duckdb"


def leave(census: Path, *numbers: int) -> None:
    for number in numbers:
        append(census, "lead", {"n": number, "text": "\u2028 \ud800 \n"}, now=lambda: DAY)


def taken(census: Path) -> list[int]:
    with drained(census) as entries:
        return [entry.content["n"] for entry in entries]


def test_entries_come_once_in_their_order(census: Path) -> None:
    leave(census, 1, 2, 3)
    with drained(census) as entries:
        assert entries[0] == Entry("lead", DAY, {"n": 1, "text": "\u2028 \ud800 \n"})
        leave(census, 4)
        assert [entry.content["n"] for entry in entries] == [1, 2, 3]
    assert taken(census) == [4]
    assert taken(census) == []


def test_a_drain_that_failed_is_done_again_before_what_came_since(census: Path) -> None:
    leave(census, 1, 2)
    with pytest.raises(KeyError), drained(census):
        raise KeyError
    leave(census, 3)

    def fail_again() -> None:
        with drained(census) as entries:
            assert len(entries) == 3
            leave(census, 4)
            raise KeyError

    with pytest.raises(KeyError):
        fail_again()
    assert taken(census) == [1, 2, 3, 4]


def test_an_inbox_that_nobody_ever_used_is_empty(census: Path) -> None:
    assert taken(census) == []
    assert not inbox_folder(census).exists()


def test_a_line_cut_short_by_a_crash_spoils_only_itself(census: Path) -> None:
    leave(census, 1)
    with (inbox_folder(census) / "new.jsonl").open("ab") as file:
        file.write(b'{"kind": "lead", "at": "20')
    leave(census, 2)
    with (inbox_folder(census) / "new.jsonl").open("ab") as file:
        file.write(b'\xff\n[]\n{"kind": 1}\n{"kind": "x", "at": "never", "content": {}}\n' + b"[" * 5000 + b"\n\n")
    leave(census, 3)
    assert taken(census) == [1, 2, 3]


def test_too_much_is_refused(census: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="too large"):
        append(census, "report", {"text": "x" * inbox.LINE_BYTES})
    monkeypatch.setattr(inbox, "INBOX_BYTES", 500)
    leave(census, 1, 2)
    with pytest.raises(StoreError, match="is full"):
        leave(census, *range(3, 99))
    assert taken(census)[:2] == [1, 2]
    leave(census, 0)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot write to the inbox"):
        leave(tmp_path / "file" / "census.duckdb", 1)


APPEND = """
import sys
from pathlib import Path
from crawler.store.inbox import append
for number in range(50):
    append(Path(sys.argv[1]), sys.argv[2], {"n": number, "text": "x" * 3000})
"""


def test_many_processes_append_while_one_drains(census: Path) -> None:
    found: dict[str, list[int]] = {"one": [], "two": [], "three": []}
    with python(APPEND, census, "one") as a, python(APPEND, census, "two") as b, python(APPEND, census, "three") as c:
        running = True
        while running:
            running = any(process.poll() is None for process in (a, b, c))
            with drained(census) as entries:
                for entry in entries:
                    found[entry.kind].append(entry.content["n"])
    assert found == {kind: list(range(50)) for kind in found}
