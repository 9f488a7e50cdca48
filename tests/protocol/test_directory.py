"""Pages of directories: as servers send them, and as attackers would."""

from typing import Any

import pytest
from hypothesis import given

from crawler.errors import FailureKind
from crawler.model.names import is_room_id
from crawler.model.rooms import PublicRoom
from crawler.protocol.directory import MAX_TOKEN, DirectoryPage, parse_directory_page
from tests.protocol.hostile import bodies, dump, is_clean, outcome

V12 = "!woNWWmavCFln3pSgwzUoE5SccArnFwqBEZRUC9T4HDA"
SYNAPSE_ENTRY = {
    "room_id": V12,
    "name": "Cats",
    "topic": "About cats",
    "canonical_alias": "#cats:example.org",
    "num_joined_members": 12,
    "avatar_url": "mxc://example.org/abc",
    "world_readable": True,
    "guest_can_join": False,
    "join_rule": "knock",
    "room_type": "m.space",
}
SYNAPSE_PAGE = {"chunk": [SYNAPSE_ENTRY], "next_batch": "abc", "prev_batch": "x", "total_room_count_estimate": 115}


def page(**document: Any) -> DirectoryPage:
    return parse_directory_page(dump({"chunk": [], **document}))


def room(**entry: Any) -> PublicRoom:
    (only,) = page(chunk=[{"room_id": "!a:example.org", **entry}]).rooms
    return only


def test_a_page_as_synapse_sends_it() -> None:
    assert page(**SYNAPSE_PAGE) == DirectoryPage(
        rooms=(
            PublicRoom(
                room_id=V12,
                members=12,
                name="Cats",
                topic="About cats",
                canonical_alias="#cats:example.org",
                join_rule="knock",
                room_type="m.space",
                world_readable=True,
                guest_can_join=False,
            ),
        ),
        opted_out=(),
        dropped=0,
        next_batch="abc",
        token_flaw=None,
        total_estimate=115,
    )


def test_an_entry_with_nothing_but_an_id_is_a_room() -> None:
    """Rocket.Chat leaves out required members."""
    assert room() == PublicRoom("!a:example.org", None)


@pytest.mark.parametrize(
    ("member", "sent", "kept"),
    [
        ("num_joined_members", 0, 0),
        ("num_joined_members", 2**31 - 1, 2**31 - 1),
        ("num_joined_members", 2**31, None),
        ("num_joined_members", -5, None),
        ("num_joined_members", 3.0, None),
        ("num_joined_members", "3", None),
        ("num_joined_members", True, None),
        ("name", "", ""),
        ("name", 5, None),
        ("name", "x" * 1000, "x" * 255),
        ("name", "a\ud800\x00", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        ("topic", "x" * 10_000, "x" * 4096),
        ("topic", {"m.text": "x"}, None),
        ("canonical_alias", "#ä:example.org", "#ä:example.org"),
        ("canonical_alias", "cats", None),
        ("canonical_alias", "", None),
        ("canonical_alias", "!a:example.org", None),
        ("canonical_alias", "#" + "x" * 300 + ":example.org", None),
        ("canonical_alias", "#a\ud800:example.org", None),
        ("canonical_alias", 5, None),
        ("join_rule", "public", "public"),
        ("join_rule", "", None),
        ("join_rule", "x", "x"),
        ("join_rule", "x" * 255, "x" * 255),
        ("join_rule", "x" * 256, None),
        ("room_type", None, None),
        ("room_type", "org.matrix.msc3417.call", "org.matrix.msc3417.call"),
        ("room_type", ["m.space"], None),
        ("world_readable", "true", None),
        ("guest_can_join", 1, None),
    ],
)
def test_members_are_kept_or_none(member: str, sent: object, kept: object) -> None:
    field = {"num_joined_members": "members"}.get(member, member)
    assert getattr(room(**{member: sent}), field) == kept


@pytest.mark.parametrize(
    "entry",
    [
        None,
        5,
        [],
        {},
        {"room_id": None},
        {"room_id": ""},
        {"room_id": "!"},
        {"room_id": "!abc"},
        {"room_id": "#a:example.org"},
        {"room_id": "!:example.org"},
        {"room_id": "!a:"},
        {"room_id": "!a\x00:example.org"},
        {"room_id": "!a\ud800:example.org"},
        {"room_id": "!" + "x" * 300 + ":example.org"},
        {"room_id": "!" + "ä" * 130 + ":example.org"},
    ],
)
def test_entries_without_a_room_id_are_dropped_and_counted(entry: object) -> None:
    parsed = page(chunk=[entry, SYNAPSE_ENTRY])
    assert [r.room_id for r in parsed.rooms] == [V12]
    assert parsed.dropped == 1


def test_rooms_that_opted_out_are_told_apart_even_at_the_end_of_a_long_topic() -> None:
    entries = [
        {"room_id": "!no:example.org", "topic": "x" * 5000 + "(MRS-noindex:true-MRS)"},
        {"room_id": "!never:example.org", "topic": "matrix-census: noindex"},
        SYNAPSE_ENTRY,
    ]
    parsed = page(chunk=entries)
    assert parsed.opted_out == ("!no:example.org", "!never:example.org")
    assert [r.room_id for r in parsed.rooms] == [V12]
    assert parsed.dropped == 0


@pytest.mark.parametrize("document", [{}, {"chunk": None}, {"chunk": {}}, {"chunk": "x"}, {"rooms": []}])
def test_a_page_wants_a_chunk(document: Any) -> None:
    assert outcome(parse_directory_page, dump(document)) is FailureKind.JSON_SHAPE


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_the_end(token: object) -> None:
    parsed = page(next_batch=token)
    assert (parsed.next_batch, parsed.token_flaw) == (None, None)


def test_the_longest_token_is_sent_back() -> None:
    assert page(next_batch="x" * 4096).next_batch == "x" * 4096


@pytest.mark.parametrize("token", [5, True, ["a"], {"a": 1}, "x" * (MAX_TOKEN + 1), "a\ud800"])
def test_a_token_that_cannot_be_sent_back_is_not_the_end(token: object) -> None:
    parsed = page(next_batch=token)
    assert parsed.next_batch is None
    assert parsed.token_flaw


@pytest.mark.parametrize(("sent", "kept"), [(0, 0), (115, 115), (-1, None), (1.5, None), ("115", None), (2**40, None)])
def test_the_estimate_is_a_count(sent: object, kept: int | None) -> None:
    assert page(total_room_count_estimate=sent).total_estimate == kept


@given(bodies(SYNAPSE_PAGE, {"chunk": [{"room_id": "!a:b", "topic": "(MRS-noindex:true-MRS)"}]}))
def test_any_page(body: bytes) -> None:
    kind = outcome(parse_directory_page, body)
    assert kind in (None, FailureKind.JSON_INVALID, FailureKind.JSON_SHAPE)
    if kind is None:
        parsed = parse_directory_page(body)
        assert is_clean(parsed.next_batch) or "\x00" in str(parsed.next_batch)
        assert is_clean(parsed.opted_out)
        for found in parsed.rooms:
            assert is_room_id(found.room_id)
            texts = (found.name, found.topic, found.canonical_alias, found.join_rule, found.room_type, found.room_id)
            assert is_clean(texts)
            assert found.members is None or 0 <= found.members < 2**31
