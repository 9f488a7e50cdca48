"""The opt-out list: what may stand in it, and whom it means."""

from pathlib import Path

import pytest

from crawler.engine.optouts import read_opt_outs
from crawler.errors import UsageError
from crawler.model.rooms import AliasAnswer
from tests.engine.made import online, room, server

LIST = """# these wrote to us
one.test
*.wild.test   # all of them
#room:three.test
!id:three.test
"""


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("one.test", True),
        ("ONE.test", True),
        ("one.test:8448", True),
        ("two.one.test", False),
        ("wild.test", True),
        ("a.b.wild.test:443", True),
        ("notwild.test", False),
        ("three.test", False),
    ],
)
def test_who_is_meant(tmp_path: Path, name: str, *, out: bool) -> None:
    (tmp_path / "list").write_text(LIST)
    assert read_opt_outs([tmp_path / "list"]).has_server(server(name)) is out


def test_rooms_on_the_list_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(LIST)
    rooms = (room("!a:x.test"), room("!id:three.test"), room("!b:x.test", alias="#room:three.test"))
    seen = online("x.test", rooms, (AliasAnswer("#other:x.test", "!id:three.test", ("y.test",)),))
    left = read_opt_outs([tmp_path / "list"]).leave_out(seen)
    assert [r.room_id for r in left.directory.rooms] == ["!a:x.test"]
    assert (left.directory.noindex, left.aliases) == (2, ())


@pytest.mark.parametrize("line", ["no spaces.test", "*.", "*.192.0.2.1", "*.a.test:8448", "#no-domain", "!"])
def test_a_line_that_is_none_of_these_is_an_error_for_somebody_relies_on_it(tmp_path: Path, line: str) -> None:
    (tmp_path / "list").write_text(f"one.test\n{line}\n")
    with pytest.raises(UsageError, match="line 2"):
        read_opt_outs([tmp_path / "list"])
