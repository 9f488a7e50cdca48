"""What a server says of a space, by the text of the specification and by hostile hands."""

import json
from typing import Any

import pytest
from hypothesis import given

from crawler.errors import ProtocolError
from crawler.model.rooms import SpaceChild
from crawler.protocol.hierarchy import MAX_CHILDREN, hierarchy_uri, parse_hierarchy
from tests.protocol.hostile import bodies, outcome

SPACE = "!space:a.test"


def child(room_id: Any, via: Any, sender: Any = "@admin:a.test", kind: str = "m.space.child") -> dict[str, Any]:
    return {"type": kind, "state_key": room_id, "content": {"via": via}, "sender": sender, "origin_server_ts": 1}


def body(state: list[Any], children: list[Any] | None = None, closed: list[Any] | None = None) -> bytes:
    room = {"room_id": SPACE, "num_joined_members": 3, "room_type": "m.space", "children_state": state}
    return json.dumps({"room": room, "children": children or [], "inaccessible_children": closed or []}).encode()


def test_children_summaries_and_what_is_closed() -> None:
    told = parse_hierarchy(
        body(
            [
                child("!in:b.test", ["B.test", "bad..name", 7, "b.test"]),
                child("!out:c.test", ["c.test:8448"], "@x:d.test"),
            ],
            [{"room_id": "!in:b.test", "num_joined_members": 9, "name": "In", "children_state": []}],
            ["!closed:b.test", 5, "no room"],
        ),
        SPACE,
    )
    assert told.children == (
        SpaceChild("!in:b.test", ("b.test",), "a.test"),
        SpaceChild("!out:c.test", ("c.test:8448",), "d.test"),
    )
    assert [(room.room_id, room.members) for room in told.rooms] == [(SPACE, 3), ("!in:b.test", 9)]
    assert told.inaccessible == ("!closed:b.test",)


@pytest.mark.parametrize(
    "event",
    [
        child("!x:b.test", []),
        child("!x:b.test", None),
        child("!x:b.test", ["..", 1]),
        child("no room", ["b.test"]),
        child(SPACE, ["b.test"]),  # itself
        child("!x:b.test", ["b.test"], kind="m.space.parent"),
        {"type": "m.space.child", "state_key": "!x:b.test"},
        None,
    ],
)
def test_what_is_no_child(event: Any) -> None:
    assert parse_hierarchy(body([event]), SPACE).children == ()


def test_rooms_that_opted_out_are_not_told_of() -> None:
    told = parse_hierarchy(body([], [{"room_id": "!no:b.test", "topic": "(MRS-noindex:true-MRS)"}]), SPACE)
    assert ([room.room_id for room in told.rooms], told.noindex) == ([SPACE], 1)


def test_children_without_end_are_bounded() -> None:
    told = parse_hierarchy(body([child(f"!{n}:b.test", ["b.test"]) for n in range(MAX_CHILDREN + 5)]), SPACE)
    assert len(told.children) == MAX_CHILDREN


def test_an_answer_about_another_room_is_none() -> None:
    with pytest.raises(ProtocolError):
        parse_hierarchy(body([]), "!other:a.test")


def test_the_room_id_is_encoded() -> None:
    assert hierarchy_uri("!a/b?c:d.test") == (
        "/_matrix/federation/v1/hierarchy/%21a%2Fb%3Fc%3Ad.test?suggested_only=false"
    )


VALID = json.loads(body([child("!in:b.test", ["b.test"])], [{"room_id": "!in:b.test"}], ["!closed:b.test"]))
BODIES = bodies(VALID)


@given(BODIES)
def test_nothing_but_a_protocol_error_comes_of_any_bytes(content: bytes) -> None:
    outcome(parse_hierarchy, content, SPACE)
