"""Names by the grammar of the appendices; Synapse's own validator as oracle."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse.util.stringutils import parse_and_validate_server_name

from crawler.errors import FailureKind
from crawler.model.names import (
    MAX_SERVER_NAME,
    HostKind,
    ServerName,
    alias_domain,
    is_room_id,
    parse_server_name,
    room_id_domain,
    try_server_name,
)
from tests.protocol.hostile import outcome


@pytest.mark.parametrize(
    ("text", "host", "port", "kind"),
    [  # Appendices, "Server Name", examples and edges
        ("matrix.org", "matrix.org", None, HostKind.DNS),
        ("matrix.org:8888", "matrix.org", 8888, HostKind.DNS),
        ("1.2.3.4", "1.2.3.4", None, HostKind.IPV4),
        ("1.2.3.4:1234", "1.2.3.4", 1234, HostKind.IPV4),
        ("[1234:5678::abcd]", "1234:5678::abcd", None, HostKind.IPV6),
        ("[1234:5678::abcd]:5678", "1234:5678::abcd", 5678, HostKind.IPV6),
        ("[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4", 1, HostKind.IPV6),
        ("[2001:DB8::A]", "2001:DB8::A", None, HostKind.IPV6),
        ("localhost", "localhost", None, HostKind.DNS),
        ("Example.ORG", "Example.ORG", None, HostKind.DNS),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", None, HostKind.DNS),
        ("-a-.example", "-a-.example", None, HostKind.DNS),
        ("a" * 63 + ".example", "a" * 63 + ".example", None, HostKind.DNS),
        ("1.2.3.4a", "1.2.3.4a", None, HostKind.DNS),
        ("123.example", "123.example", None, HostKind.DNS),
        ("0x7f000001", "0x7f000001", None, HostKind.DNS),
        ("example.org:1", "example.org", 1, HostKind.DNS),
        ("example.org:65535", "example.org", 65535, HostKind.DNS),
        ("example.org:00443", "example.org", 443, HostKind.DNS),
    ],
)
def test_names(text: str, host: str, port: int | None, kind: HostKind) -> None:
    assert parse_server_name(text) == ServerName(text, host, port, kind)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("a" * 64, "labels"),
        ("a." * 115 + "a", "231 characters"),
        (".", "labels"),
        (".example.org", "labels"),
        ("example.org.", "labels"),
        ("example..org", "labels"),
        ("exa_mple.org", "labels"),
        ("exa mple.org", "labels"),
        (" example.org", "labels"),
        ("example.org\n", "labels"),
        ("example.org\x00", "labels"),
        ("bücher.example", "labels"),
        ("ｅxample.org", "labels"),
        ("https://example.org", "port"),
        ("example.org/", "labels"),
        ("example.org:443/", "port"),
        ("user@example.org", "labels"),
        ("example.org:", "port"),
        ("example.org:0", "port 0"),
        ("example.org:65536", "port 65536"),
        ("example.org:123456", "port"),
        ("example.org:-1", "port"),
        ("example.org:+1", "port"),
        ("example.org: 1", "port"),
        ("example.org:\u0661", "port"),
        ("example.org:https", "port"),
        (":8448", "labels"),
        ("a:b:1", "labels"),
        ("::1", "labels"),
        ("1.2.3", "neither"),
        ("1.2.3.4.5", "neither"),
        ("999.1.1.1", "no IPv4"),
        ("256.256.256.256", "no IPv4"),
        ("01.2.3.4", "no IPv4"),
        ("2130706433", "neither"),
        ("[]", "IPv6"),
        ("[::1", "IPv6"),
        ("::1]", "labels"),
        ("[::1]x", "port"),
        ("[1.2.3.4]", "IPv6"),
        ("[example.org]", "IPv6"),
        ("[::g]", "IPv6"),
        ("[1::2::3]", "IPv6"),
        ("[fe80::1%eth0]", "IPv6"),
        ("[::1]:", "port"),
        ("[[::1]]", "IPv6"),
    ],
)
def test_what_is_no_name_says_why(text: str, why: str) -> None:
    assert outcome(parse_server_name, text) is FailureKind.NAME_INVALID
    assert try_server_name(text) is None
    with pytest.raises(Exception, match=why):
        parse_server_name(text)


def test_the_longest_name_that_is_accepted() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 38])
    assert len(longest) == MAX_SERVER_NAME
    assert parse_server_name(longest).host == longest
    assert try_server_name(longest + "d") is None


def test_identity_is_the_lower_case_name_and_the_spelling_is_kept() -> None:
    name = parse_server_name("Matrix.ORG:8448")
    assert (name.key, name.raw, str(name)) == ("matrix.org:8448", "Matrix.ORG:8448", "Matrix.ORG:8448")


def test_hosts_as_urls_spell_them() -> None:
    assert parse_server_name("[::1]:1").host_for_url == "[::1]"
    assert parse_server_name("1.2.3.4").host_for_url == "1.2.3.4"
    assert parse_server_name("example.org").host_for_url == "example.org"
    assert [parse_server_name(t).is_ip for t in ("[::1]", "1.2.3.4", "example.org")] == [True, True, False]


NAME_LIKE = (
    st.text("aZ09.-", min_size=1, max_size=20)
    | st.text("aZ09.-:[]", max_size=20)
    | st.builds("{}:{}".format, st.text("ab1.-", min_size=1, max_size=8), st.integers(0, 99_999))
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map("[{}]".format)
    | st.text(max_size=20)
)


def synapse_accepts(text: str) -> bool:
    try:
        parse_and_validate_server_name(text)
    except ValueError:
        return False
    return True


@given(NAME_LIKE)
def test_what_we_accept_synapse_accepts_and_reads_the_same(text: str) -> None:
    name = try_server_name(text)
    if name is None:
        return
    host, port = parse_and_validate_server_name(text)
    assert (host, port) == (name.host_for_url, name.port)
    if name.is_ip:
        ipaddress.ip_address(name.host)  # or it raises


@given(NAME_LIKE)
def test_what_synapse_accepts_we_accept_unless_for_a_reason_of_ours(text: str) -> None:
    """Ours: a port out of range, a port with a sign or blanks that `int` reads, a label or a name too long, digits and
    dots that are no address."""
    if not synapse_accepts(text) or try_server_name(text) is not None:
        return
    host, port = parse_and_validate_server_name(text)
    own_reasons = (
        port is not None and not 1 <= port <= 65535,
        port is not None and not text.endswith(f":{port}"),
        any(len(label) > 63 for label in host.split(".")),
        len(text) > MAX_SERVER_NAME,
        set(host) <= set("0123456789."),
    )
    assert any(own_reasons)


@given(st.text(st.characters(), max_size=300) | NAME_LIKE)
def test_any_text_is_a_name_or_refused(text: str) -> None:
    assert outcome(parse_server_name, text) in (None, FailureKind.NAME_INVALID)
    name = try_server_name(text)
    if name is not None:
        assert name.raw == text
        assert text.isascii()
        assert text.isprintable()
        assert parse_server_name(name.key).key == name.key


V12 = "!woNWWmavCFln3pSgwzUoE5SccArnFwqBEZRUC9T4HDA"


@pytest.mark.parametrize(
    ("room_id", "domain"),
    [
        ("!abc:example.org", "example.org"),
        ("!abc:example.org:8448", "example.org:8448"),
        ("!a:b", "b"),
        ("!ä🎉 \n:example.org", "example.org"),
        ("!abc:[::1]:8448", "[::1]:8448"),
        (V12, None),
        ("!" + "a" * (255 - len("!:example.org")) + ":example.org", "example.org"),
    ],
)
def test_room_ids(room_id: str, domain: str | None) -> None:
    assert is_room_id(room_id)
    assert room_id_domain(room_id) == domain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "!:",
        "!abc",
        "!abc:",
        "!:example.org",
        "#abc:example.org",
        "abc:example.org",
        " !abc:example.org",
        V12[:-1],
        V12 + "A",
        V12 + "\n",
        "!a\x00:example.org",
        "!a:exam\x00ple",
        "!a\ud800:example.org",
        "!" + "a" * (256 - len("!:example.org")) + ":example.org",
        "!" + "é" * 125 + ":example.org",
    ],
)
def test_what_is_no_room_id(text: str) -> None:
    assert not is_room_id(text)


@pytest.mark.parametrize(
    ("alias", "domain"),
    [
        ("#cats:example.org", "example.org"),
        ("#cats:example.org:8448", "example.org:8448"),
        ("##cats:libera.chat", "libera.chat"),
        ("#ä:example.org", "example.org"),
        ("", None),
        ("#", None),
        ("#:", None),
        ("#cats", None),
        ("#cats:", None),
        ("#:example.org", None),
        ("!cats:example.org", None),
        ("cats:example.org", None),
        ("#a\x00:example.org", None),
        ("#a\ud800:example.org", None),
        ("#" + "a" * 255 + ":example.org", None),
    ],
)
def test_aliases(alias: str, domain: str | None) -> None:
    assert alias_domain(alias) == domain


@given(st.text(st.characters(), max_size=300) | st.text("!#ab:\x00\ud800", max_size=12))
def test_any_text_is_an_identifier_or_not(text: str) -> None:
    if is_room_id(text) or alias_domain(text) is not None:
        assert len(text.encode("utf-8")) <= 255
        assert "\x00" not in text
