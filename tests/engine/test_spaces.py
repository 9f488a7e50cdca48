"""Which spaces are opened, and whom we ask about them."""

from typing import Any

from crawler.config import Limits
from crawler.engine.spaces import SPACE, Spaces
from crawler.model.rooms import PublicRoom, SpaceAnswer, SpaceChild
from tests.engine.made import server


def space(room_id: str) -> PublicRoom:
    return PublicRoom(room_id, 1, room_type=SPACE)


def plain(room_id: str) -> PublicRoom:
    return PublicRoom(room_id, 1)


def child(room_id: str, *via: str) -> SpaceChild:
    return SpaceChild(room_id, via)


def opened(*hosts: str, **limits: Any) -> Spaces:
    spaces = Spaces(Limits(**limits))
    for host in hosts:
        spaces.is_online(server(host))
    return spaces


def answer(spaces: Spaces, told: SpaceAnswer) -> None:
    asked = spaces.next()
    assert asked is not None
    host, rooms = asked
    assert rooms == (told.space_id,)
    spaces.answered(told)
    spaces.asked(host, rooms)


def test_a_space_is_asked_once_of_who_listed_it_however_many_list_it() -> None:
    spaces = opened("a.test", "b.test")
    for host in ("a.test", "b.test"):
        spaces.read_directory(server(host), [space("!s:x.test"), plain("!r:x.test")])
    answer(spaces, SpaceAnswer("!s:x.test", (), (space("!s:x.test"),)))
    assert spaces.next() is None
    assert not spaces.has_next


def test_only_children_that_nobody_tells_of_are_asked_about_at_their_via() -> None:
    spaces = opened("a.test", "b.test")
    spaces.read_directory(server("a.test"), [space("!s:a.test"), plain("!listed:a.test")])
    children = (
        child("!listed:a.test", "b.test"),
        child("!told:a.test", "b.test"),
        child("!closed:b.test", "b.test"),
        child("!hidden:b.test", "B.test"),
    )
    told = (space("!s:a.test"), plain("!told:a.test"))
    answer(spaces, SpaceAnswer("!s:a.test", children, told, inaccessible=("!closed:b.test",)))
    assert spaces.next() == ("b.test", ("!hidden:b.test",))


def test_spaces_in_spaces_are_followed_and_cycles_end() -> None:
    spaces = opened("a.test")
    spaces.read_directory(server("a.test"), [space("!one:a.test")])
    both = (space("!one:a.test"), space("!two:a.test"))
    answer(spaces, SpaceAnswer("!one:a.test", (child("!two:a.test", "a.test"),), both))
    answer(spaces, SpaceAnswer("!two:a.test", (child("!one:a.test", "a.test"),), both))
    assert spaces.next() is None


def test_who_does_not_tell_is_followed_by_the_next_via_and_the_absent_are_skipped() -> None:
    spaces = opened("a.test", "c.test")
    spaces.read_directory(server("a.test"), [space("!s:a.test")])
    hidden = child("!hidden:b.test", "gone.test", "a.test", "c.test")
    answer(spaces, SpaceAnswer("!s:a.test", (hidden,), (space("!s:a.test"),)))
    assert (spaces.has_next, spaces.is_stuck) == (False, True)
    spaces.skip_the_absent()
    assert spaces.next() == ("a.test", ("!hidden:b.test",))
    assert spaces.next() is None  # it is busy
    spaces.asked("a.test", ["!hidden:b.test"])  # and said nothing
    assert spaces.next() == ("c.test", ("!hidden:b.test",))
    spaces.asked("c.test", ["!hidden:b.test"])
    assert not spaces.has_next
    assert not spaces.is_stuck


def test_a_server_is_asked_within_its_budget() -> None:
    spaces = opened("a.test", space_lookups=3)
    spaces.read_directory(server("a.test"), [space(f"!{n}:a.test") for n in range(10)])
    asked = spaces.next()
    assert asked is not None
    assert len(asked[1]) == 3
    assert spaces.outstanding == 7


def test_who_else_listed_it_is_asked_when_the_first_does_not_tell_the_owner_before_others() -> None:
    spaces = opened("a.test", "b.test", "owner.test", "d.test", "e.test")
    listed = PublicRoom("!s", 1, room_type=SPACE, canonical_alias="#s:owner.test")
    for host in ("a.test", "b.test", "owner.test", "d.test", "e.test"):
        spaces.read_directory(server(host), [listed])
    asked = []
    while (turn := spaces.next()) is not None:
        asked.append(turn[0])
        spaces.asked(*turn)
    assert asked == ["a.test", "owner.test", "b.test", "d.test"]  # no more than four in all


def test_who_lists_it_later_is_asked_although_all_before_were_silent() -> None:
    spaces = opened("a.test", "b.test")
    spaces.read_directory(server("a.test"), [space("!s")])
    assert spaces.next() == ("a.test", ("!s",))
    spaces.asked("a.test", ("!s",))
    assert not spaces.has_next
    spaces.read_directory(server("b.test"), [space("!s")])
    assert spaces.next() == ("b.test", ("!s",))


def test_what_is_beyond_the_budget_of_one_is_asked_of_the_next() -> None:
    spaces = opened("a.test", "b.test", space_lookups=2)
    for host in ("a.test", "b.test"):
        spaces.read_directory(server(host), [space(f"!{n}") for n in range(5)])
    asked = dict([spaces.next() or ("", ()), spaces.next() or ("", ())])
    assert asked == {"a.test": ("!0", "!1"), "b.test": ("!2", "!3")}
    assert spaces.next() is None
    assert spaces.outstanding == 1


def test_a_child_listed_by_who_tells_no_types_is_asked_about_since_it_may_be_a_space() -> None:
    spaces = opened("a.test", "dendrite.test", "synapse.test")
    spaces.read_directory(server("dendrite.test"), [plain("!open:x.test")])
    spaces.read_directory(server("synapse.test"), [PublicRoom("!known:x.test", 1, join_rule="public")])
    spaces.read_directory(server("a.test"), [space("!s:a.test")])
    children = (child("!open:x.test", "dendrite.test"), child("!known:x.test", "synapse.test"))
    answer(spaces, SpaceAnswer("!s:a.test", children, (space("!s:a.test"),)))
    assert spaces.next() == ("dendrite.test", ("!open:x.test",))
    assert spaces.next() is None
