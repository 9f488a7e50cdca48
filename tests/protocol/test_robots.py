"""robots.txt: the examples and rules of RFC 9309, and that no file does harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.protocol.robots import EVERYBODY, MAX_ROBOTS, PRODUCT_TOKEN, may_fetch, robots_text

ROOMS = "/_matrix/federation/v1/publicRooms"

# RFC 9309, 5.1 and 5.2.
SIMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""
LONGEST = """User-Agent: foobot
Allow: /example/page/
Disallow: /example/page/disallowed.gif
"""


@pytest.mark.parametrize(
    ("token", "path", "allowed"),
    [
        ("other", "/a.gif", False),
        ("other", "/a.gifs", True),
        ("other", "/example/x", False),
        ("other", "/publications/x", True),
        ("other", "/", True),
        ("foobot", "/", False),
        ("FooBot", "/publications/", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/", True),
        ("quxbot", "/example/", True),
    ],
)
def test_the_simple_example(token: str, path: str, allowed: bool) -> None:
    assert may_fetch(SIMPLE, token, path) is allowed


def test_the_longest_match_counts() -> None:
    assert may_fetch(LONGEST, "foobot", "/example/page/disallowed.gif") is False
    assert may_fetch(LONGEST, "foobot", "/example/page/allowed.gif") is True


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("<html>User-agent: *</html>", True),
        ("Disallow: /", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\rDisallow: /", False),
        ("user-AGENT : * # all\n\n\ndisallow :/_matrix/ # ours", False),
        ("User-agent: *\nDisallow: /\nAllow: /", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /_matrix/client/", True),
        ("User-agent: *\nDisallow: /_MATRIX/", True),
        ("User-agent: *\nDisallow: /%5Fmatrix/", False),
        ("User-agent: *\nDisallow: /_matrix/*/publicRooms$", False),
        ("User-agent: *\nDisallow: /*$", False),
        ("User-agent: *\nDisallow: *", False),
        ("User-agent: *\nDisallow: /_matrix$", True),
        ("User-agent: *\nDisallow: /*v1*v1/publicRooms$", True),
        ("User-agent: matrix-census\nDisallow: /", False),
        ("User-agent: Matrix-Census/1.0 (+x)\nDisallow: /", False),
        ("User-agent: census\nDisallow: /", True),
        ("User-agent: MRSBot\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: matrix-census\nAllow: /", True),
        ("User-agent: matrix-census\nDisallow:\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: matrix-census\nAllow: /x\nUser-agent: matrix-census\nDisallow: /_matrix", False),
        ("User-agent: matrix-census\nCrawl-delay: 9\n\nSitemap: https://x/\nDisallow: /", False),
        ("User-agent: *\nDisallow: //[", True),
    ],
)
def test_whether_we_may_read_a_directory(text: str, allowed: bool) -> None:
    assert may_fetch(text, PRODUCT_TOKEN, ROOMS) is allowed


def test_what_is_forbidden_to_everybody() -> None:
    text = "User-agent: *\nDisallow: /\nUser-agent: matrix-census\nAllow: /"
    assert (may_fetch(text, EVERYBODY, ROOMS), may_fetch(text, PRODUCT_TOKEN, ROOMS)) == (False, True)


def test_octets_outside_ascii_are_compared_encoded() -> None:
    """RFC 9309, 2.2.2, second table."""
    assert may_fetch("User-agent: *\nDisallow: /foo/bar/ツ", "x", "/foo/bar/%e3%83%84") is False
    assert may_fetch("User-agent: *\nDisallow: /foo/bar/%E3%83%84", "x", "/foo/bar/%e3%83%84") is False
    assert may_fetch("User-agent: *\nDisallow: /foo/bar/%62%61%7A", "x", "/foo/bar/baz") is False


def test_the_text_of_a_file_is_bounded_and_clean() -> None:
    assert robots_text(b"\xef\xbb\xbfUser-agent: *\x00\xff") == "User-agent: *\ufffd\ufffd"
    assert len(robots_text(b"a" * (MAX_ROBOTS + 1))) == MAX_ROBOTS


@pytest.mark.parametrize("line", ["Disallow: /" + "*a" * 200_000, "Disallow: /" + "*" * 400_000 + "$"])
def test_a_pattern_of_stars_ends(line: str) -> None:
    may_fetch(f"User-agent: *\n{line}", PRODUCT_TOKEN, ROOMS)


_LINES = st.lists(
    st.sampled_from(["User-agent: *", "User-agent: matrix-census", "Disallow:", "Allow: /", "# x", "", "Disallow: /*$"])
    | st.text("ua:/*$%20Disallow ", max_size=20)
    | st.builds("Disallow: {}".format, st.text(st.characters(exclude_categories=["Cs"]), max_size=10)),
    max_size=12,
)


@given(st.binary(max_size=80) | _LINES.map(lambda lines: "\n".join(lines).encode()), st.text("/_a%2F*$?é", max_size=10))
def test_any_file(body: bytes, path: str) -> None:
    text = robots_text(body)
    assert may_fetch(text, PRODUCT_TOKEN, path) in {True, False}
    # Rules for everybody do not matter to a crawler that is named in a group of its own.
    own = f"{text}\nUser-agent: census-of-one\nAllow: /"
    assert may_fetch(own, "census-of-one", "/x") is True
