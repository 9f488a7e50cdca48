"""Names as a person gives them."""

from pathlib import Path

import pytest

from crawler.engine.seeds import parse_seeds, read_seeds, shipped_seeds, typed_server_name
from crawler.errors import UsageError
from crawler.model.crawl import LeadSource


def test_the_shipped_seeds_parse() -> None:
    names = [name.raw for name in shipped_seeds()]
    assert len(names) > 40
    assert "matrix.org" in names


def test_comments_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "seeds.txt"
    file.write_text("# a comment\n\n matrix.org \nexample.org:8448 # with a port\n")
    assert [(name.raw, source) for name, source in read_seeds(file)] == [
        ("matrix.org", LeadSource.SEED),
        ("example.org:8448", LeadSource.SEED),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"good.example\nbad..example\n", "line 2"),
        (b"good.example\n\xff\n", "line 2"),
        (b"# nothing\n", "names no server"),
        (b"nodots\n", "no dot"),
    ],
)
def test_a_bad_seeds_file_names_the_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "seeds.txt"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read_seeds(file)


def test_a_missing_seeds_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        read_seeds(tmp_path / "absent.txt")


def test_unicode_and_trailing_dots_are_forgiven_when_typed() -> None:
    assert typed_server_name("bücher.example").raw == "xn--bcher-kva.example"
    assert typed_server_name("bücher.example:8448").raw == "xn--bcher-kva.example:8448"
    assert typed_server_name("example.org.").raw == "example.org"


@pytest.mark.parametrize("text", ["", "a b", "https://matrix.org", "x:99999", "[::1", "\u202eevil.example", "..", "."])
def test_nonsense_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as told:
        typed_server_name(text)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "source"),
    [
        ('["matrix.org", "bad..name", 7, "matrix.org", "[::1]:8448"]', LeadSource.MRS_CATALOG),
        ('{"matrix.org": {"online": true}, "[::1]:8448": {}}', LeadSource.MRS_CATALOG),
        (
            '{"data": {"thefederation_node": [{"host": "matrix.org"}, {}, {"host": "[::1]:8448"}]}}',
            LeadSource.FEDERATION_INFO,
        ),
        ("[::1]:8448\nmatrix.org\n", LeadSource.SEED),
    ],
)
def test_lists_of_others_are_understood(content: str, source: LeadSource) -> None:
    assert {(name.raw, kind) for name, kind in parse_seeds(content.encode(), "a list")} == {
        ("matrix.org", source),
        ("[::1]:8448", source),
    }


@pytest.mark.parametrize(
    "content", ["[]", '["', '{"errors": []}', '{"data": {"other": []}}', "[" * 100_000, '["bad..name"]']
)
def test_json_that_is_no_list_says_so(content: str) -> None:
    with pytest.raises(UsageError, match="a list"):
        parse_seeds(content.encode(), "a list")
