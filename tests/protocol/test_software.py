"""Names and version numbers of implementations, as the implementations spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.model.names import parse_server_name
from crawler.protocol.software import normalise

HERE = parse_server_name("example.org")


@pytest.mark.parametrize(
    ("name", "version", "software", "number"),
    [
        ("Synapse", "1.163.2", "synapse", "1.163.2"),
        ("Synapse", "1.99.0 (b=develop,t=v1.99.0,abc1234,dirty)", "synapse", "1.99.0"),
        ("Synapse", "1.99.0rc1", "synapse", "1.99.0"),
        ("Synapse", "1.99.0rc1 (b=release-v1.99,0123456)", "synapse", "1.99.0"),
        ("Dendrite", "0.15.2+7.main.0123abc", "dendrite", "0.15.2"),
        ("Dendrite", "0.8.9-rc1", "dendrite", "0.8.9"),
        ("Conduit", "0.10.0-alpha", "conduit", "0.10.0"),
        ("Conduwuit", "0.5.0-rc4 (abc1234)", "conduwuit", "0.5.0"),
        ("continuwuity", "26.7.3 (v26.7.3)", "continuwuity", "26.7.3"),
        ("Tuwunel", "1.9.0-12-gabc1234 (abc1234)", "tuwunel", "1.9.0"),
        ("Construct", "0.6.310-g1234567", "construct", "0.6.310"),
        ("ejabberd/mod_matrix_gw", "0.1", "ejabberd/mod_matrix_gw", "0.1"),
        ("  Matrix   Rooms\tSearch ", "v1.2", "matrix rooms search", "1.2"),
        ("Some Tiny Server", "V2", "some tiny server", "2"),
        ("Synapse", None, "synapse", None),
        (None, "1.2.3", None, "1.2.3"),
        (None, None, None, None),
        ("", "", None, None),
        (" \t", "unknown", None, None),
        ("x", "main", "x", None),
        ("x", "deadbeef", "x", None),
        ("x", "(1.2.3)", "x", None),
        ("x", "1.", "x", "1"),
        ("x", "1..2", "x", None),
        ("x", "20240501123456", "x", None),
        ("x", "1.2.3.4.5.6.7.8.9.10.11.12", "x", None),
        ("x", "1.0123456789", "x", None),
        ("x", "١.٢", "x", None),
        ("a\x00b\u202ec", " 1.2 ", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c", "1.2"),
    ],
)
def test_spellings(name: str | None, version: str | None, software: str | None, number: str | None) -> None:
    assert normalise(name, version, HERE) == (software, number)


@pytest.mark.parametrize(
    ("name", "server_name"),
    [
        ("chat.example.org", "chat.example.org"),
        ("Chat.Example.org", "chat.example.org"),
        ("localhost:8443", "localhost:8443"),
    ],
)
def test_who_gives_its_server_name_for_a_name_is_rocket_chat(name: str, server_name: str) -> None:
    assert normalise(name, "6.5.0", parse_server_name(server_name)) == ("rocket.chat", "6.5.0")


def test_another_servers_name_or_a_bare_word_is_not() -> None:
    assert normalise("other.example", "1", HERE) == ("other.example", "1")
    assert normalise("synapse", "1", parse_server_name("synapse")) == ("synapse", "1")


@given(st.none() | st.text(st.characters(), max_size=600), st.none() | st.text(st.characters(), max_size=600))
def test_whatever_is_said_comes_out_short_and_printable(name: str | None, version: str | None) -> None:
    software, number = normalise(name, version, HERE)
    assert software is None or (software.isprintable() and 0 < len(software) <= 256)
    assert number is None or (number.isascii() and set(number) <= set("0123456789."))


@given(st.from_regex(r"\A[0-9]{1,4}(\.[0-9]{1,4}){0,3}\Z"), st.sampled_from(["", "rc1", "-rc.1", "+b", " (x)", "~git"]))
def test_a_number_is_found_whatever_follows(number: str, rest: str) -> None:
    assert normalise("x", number + rest, HERE)[1] == number
