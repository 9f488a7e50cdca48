"""How rooms say no, as Matrix Rooms Search documents it to their administrators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.protocol.optout import room_says_no, room_tag, strip_tags


@pytest.mark.parametrize(
    "topic",
    [
        "(MRS-noindex:true-MRS)",
        "Chat about cats (MRS-noindex:true-MRS) and dogs",
        "[.](MRS-noindex:true-MRS)",
        "[.](MRS-language:EN|noindex:true-MRS)",
        "(MRS-noindex:yes-MRS)",
        "(MRS-noindex:1-MRS)",
        "(MRS-NoIndex:TRUE-MRS)",
        "(MRS- noindex : true |email:a@b.example-MRS)",
        "x" * 10_000 + "(MRS-noindex:true-MRS)",
        "matrixrooms.info: noindex",
        "matrixrooms.info:noindex",
        "Cats. MatrixRooms.info : NoIndex please",
        "matrix-census: noindex",
        "no robots: Matrix-Census:noindex",
        "(MRS-language:EN-MRS) matrixrooms.info: noindex",
    ],
)
def test_these_rooms_say_no(topic: str) -> None:
    assert room_says_no(topic)


@pytest.mark.parametrize(
    "topic",
    [
        None,
        "",
        "Chat about cats",
        "noindex",
        "(MRS-noindex:false-MRS)",
        "(MRS-noindex:-MRS)",
        "(MRS-noindex-MRS)",
        "(MRS-language:EN-MRS)",
        "(mrs-noindex:true-mrs)",
        "(MRS-noindex:true",
        "noindex:true-MRS)",
        "-MRS)(MRS-noindex:true",
        "(MRS-language:EN-MRS) (MRS-noindex:true-MRS)",  # only the first tag is read
        "matrixrooms.info",
        "matrixroomsXinfo: noindex",
        "matrixrooms.info index, noindex",
    ],
)
def test_these_do_not(topic: str | None) -> None:
    assert not room_says_no(topic)


def test_a_tag_is_keys_and_values() -> None:
    assert room_tag("a (MRS-language:EN|NOINDEX:true|x|email:a@b.example:1-MRS) b") == {
        "language": "EN",
        "noindex": "true",
        "email": "a@b.example:1",
    }


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        ("Cats (MRS-noindex:true-MRS)", "Cats"),
        ("Cats [.](MRS-language:EN-MRS)", "Cats"),
        ("[.](MRS-language:EN-MRS)", ""),
        ("Cats [rules](MRS-language:EN-MRS)", "Cats [rules]"),
        ("(MRS-a:b-MRS)Cats(MRS-c:d-MRS)", "Cats"),
        ("Cats. matrixrooms.info: noindex", "Cats."),
        ("(MRS-unfinished", "(MRS-unfinished"),
        ("Cats (and dogs)", "Cats (and dogs)"),
    ],
)
def test_tags_are_not_shown(topic: str, shown: str) -> None:
    assert strip_tags(topic) == shown


@given(st.text(max_size=60) | st.text("(MRS-noidex:true|)[.] ", max_size=120))
def test_stripping_ends_and_leaves_no_tag(topic: str) -> None:
    assert room_tag(strip_tags(topic)) == {} or "(MRS-" in topic
    assert strip_tags(strip_tags(topic)) == strip_tags(topic)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_tag_anywhere_is_found(before: str, after: str) -> None:
    assert room_says_no(f"{before}(MRS-noindex:true-MRS){after}") or "(MRS-" in before
