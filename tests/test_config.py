"""Settings: three sources, and one clear line for every kind of bad input."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import SECTIONS, History, Limits, Network, Politeness, Settings
from crawler.errors import UsageError
from crawler.settings import load_settings, parse_address_port, parse_connect_rule, validate


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_anything_the_defaults_hold() -> None:
    assert load_settings() == Settings()
    validate(Settings())


def test_the_later_source_wins(tmp_path: Path) -> None:
    path = toml(
        tmp_path,
        'vantage = "file"\n[limits]\nconcurrency = 1\nredirects = 2\n[network]\ndns = "127.0.0.1:1"\nca = "a.pem"\n',
    )
    settings = load_settings(
        path,
        ("limits.concurrency=3", "network.dns=127.0.0.1:3"),
        dns="127.0.0.1:2",
        ca="",
        contact="me@example.org",
        connect=("*:443=127.0.0.1:*",),
        allow_address=("127.0.0.0/8",),
    )
    assert settings.limits == Limits(concurrency=3, redirects=2)
    assert settings.network == Network("127.0.0.1:3", "a.pem", ("*:443=127.0.0.1:*",), ("127.0.0.0/8",))
    assert settings.politeness == Politeness("me@example.org")
    assert settings.vantage == "file"
    assert not settings.network.is_live


@pytest.mark.parametrize(
    ("override", "settings"),
    [
        ("limits.dns_timeout_s=3", Settings(Limits(dns_timeout_s=3.0))),
        ("limits.dns_timeout_s=2.5", Settings(Limits(dns_timeout_s=2.5))),
        ("limits.body_bytes=1_000", Settings(Limits(body_bytes=1000))),
        ('vantage="here"', Settings(vantage="here")),
        ("vantage=here", Settings(vantage="here")),
        (
            'network.allow_address=["127.0.0.0/8", "::1"]',
            Settings(network=Network(allow_address=("127.0.0.0/8", "::1"))),
        ),
        ("network.allow_address=127.0.0.0/8", Settings(network=Network(allow_address=("127.0.0.0/8",)))),
        ("politeness.contact=@me:example.org", Settings(politeness=Politeness("@me:example.org"))),
    ],
)
def test_overrides_are_toml_or_bare_text(override: str, settings: Settings) -> None:
    assert load_settings(overrides=(override,)) == settings


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("", "--set wants section.key=value"),
        ("limits.concurrency", "--set wants section.key=value"),
        ("=5", "--set wants section.key=value"),
        ("limits=5", "limits is a section"),
        ("vantage.x=5", "vantage wants text"),
        ("vantage=5", "vantage wants text"),
        ("vantage=", "vantage must be"),
        ('vantage="a\\tb"', "vantage must be"),
        ("nonsense=5", "unknown setting nonsense; known are limits, politeness, network, liveness, history, vantage"),
        ("nonsense.key=5", "unknown setting nonsense"),
        ("politeness.robots_txt=false", "politeness.robots_txt may only be false with --allow-address"),
        ("politeness.close_look_share=1.5", "politeness.close_look_share must be between 0 and 1"),
        ("limits.nonsense=5", "unknown setting limits.nonsense; known are concurrency"),
        ("limits.concurrency=many", "limits.concurrency wants a whole number, got 'many'"),
        ("limits.concurrency=1.5", "limits.concurrency wants a whole number"),
        ("limits.concurrency=true", "limits.concurrency wants a whole number"),
        ("limits.concurrency.x=1", "limits.concurrency wants a whole number"),
        ("limits.concurrency=0", "limits.concurrency must be more than 0"),
        ("limits.concurrency=-1", "limits.concurrency must be more than 0"),
        ("limits.concurrency=" + "9" * 400, "limits.concurrency must be more than 0 and less than 2^53"),
        ("limits.dns_timeout_s=" + "9" * 400, "limits.dns_timeout_s wants a number"),
        ("limits.dns_timeout_s=" + "9" * 9000, "limits.dns_timeout_s wants a number"),
        ("limits.concurrency=0x" + "f" * 9000, "must be more than 0 and less than 2^53, got a huge number"),
        ("vantage=0x" + "f" * 9000, "vantage wants text, got a huge number"),
        ("a\nb=5", "unknown setting a"),
        ("limits.a\nb=5", "unknown setting limits.a"),
        ("limits.dns_timeout_s=inf", "limits.dns_timeout_s must be more than 0 and less than 2^53"),
        ("limits.dns_timeout_s=nan", "limits.dns_timeout_s must be more than 0"),
        ("limits.dns_timeout_s=false", "limits.dns_timeout_s wants a number"),
        ("limits.dns_timeout_s=2026-11-23", "limits.dns_timeout_s wants a number"),
        ("limits.dns_timeout_s=" + "[" * 5000, "limits.dns_timeout_s wants a number"),
        ("network.connect=[1]", "network.connect wants a list of texts"),
        ("network.connect=nonsense", "--connect wants ADDRESS:PORT=ADDRESS:PORT"),
        ("network.dns=dns.example:53", "--dns wants ADDRESS:PORT with an IP address, got 'dns.example:53'"),
        ("network.allow_address=everything", "--allow-address wants an address or CIDR"),
        ("politeness.contact=mé@example.org", "--contact must be one printable line"),
        ('politeness.contact="a\\nb"', "--contact must be one printable line"),
    ],
)
def test_a_bad_override_says_what_is_wrong(override: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        load_settings(overrides=(override,))
    assert says in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 700
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limits = 5", "limits is a section"),
        ("network = 5", "network is a section"),
        ("limits", "is no valid TOML"),
        ("x = " + "[" * 5000, "is no valid TOML"),
        ("[limits]\nconcurrency = 1\nconcurrency = 2", "is no valid TOML"),
        ("[limits]\nsecret = 1", "unknown setting limits.secret"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        load_settings(toml(tmp_path, text), dns="127.0.0.1:53")
    assert says in str(error.value)


def test_an_unreadable_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the settings file .*missing\.toml: No such file"):
        load_settings(tmp_path / "missing.toml")
    with pytest.raises(UsageError, match="cannot read the settings file"):
        load_settings(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'vantage = "\xe9"')
    with pytest.raises(UsageError, match="no valid TOML"):
        load_settings(tmp_path / "latin.toml")


def test_a_section_in_a_file_cannot_be_overridden_into_a_value(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="limits is a section"):
        load_settings(toml(tmp_path, "limits = 5"), ("limits.concurrency=3",))


def test_a_private_federation_may_be_crawled_without_robots_and_spaces() -> None:
    overrides = ("politeness.robots_txt=false", "limits.space_lookups=0")
    private = load_settings(overrides=overrides, allow_address=("10.0.0.0/8",))
    assert not private.politeness.robots_txt
    assert private.limits.space_lookups == 0


def test_every_bound_is_checked() -> None:
    for field in dataclasses.fields(Limits):
        least = 0 if field.name == "space_lookups" else 1
        below: dict[str, Any] = {field.name: least - 1}
        with pytest.raises(UsageError, match=rf"limits\.{field.name} must be (more than|at least) 0 "):
            validate(Settings(dataclasses.replace(Limits(), **below)))


@pytest.mark.parametrize("days", [-1, 36_501])
def test_journals_are_kept_for_a_lifetime_at_most(days: int) -> None:
    assert load_settings(overrides=("history.journal_days=0",)).history.journal_days == 0
    with pytest.raises(UsageError, match=r"history\.journal_days must be between 0 and 36500"):
        validate(Settings(history=History(days)))


def test_every_default_has_the_type_of_its_annotation() -> None:
    """`_coerce` judges by the default's type."""
    for section in SECTIONS.values():
        for field in dataclasses.fields(section):
            assert field.type in (type(field.default), tuple[str, ...])


def test_units_stand_in_the_names_of_seconds_and_bytes() -> None:
    for field in dataclasses.fields(Limits):
        if isinstance(field.default, float):
            assert field.name.endswith(("_s", "_per_s"))


def test_what_a_crawl_ran_with_can_be_read_back() -> None:
    settings = load_settings(overrides=("limits.concurrency=3", 'network.connect=["*:*=127.0.0.1:*"]'))
    values = json.loads(settings.to_json(), parse_constant=pytest.fail)
    assert values["limits"]["concurrency"] == 3
    assert values["network"]["connect"] == ["*:*=127.0.0.1:*"]
    assert set(values) == {"limits", "politeness", "network", "liveness", "history", "vantage"}


# Addresses and ports


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("127.0.0.1:53", ("127.0.0.1", 53)),
        ("[::1]:53", ("::1", 53)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),  # noqa: S104 - parsed, not bound
    ],
)
def test_an_address_and_a_port(text: str, parsed: tuple[str, int]) -> None:
    assert parse_address_port(text, "--dns") == parsed


BAD_ADDRESS_PORTS = [
    "",
    ":",
    ":53",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:5x",
    "127.0.0.1:-1",
    "127.0.0.1:\u0663",
    "127.0.0.1: 53",
    "::1:53",
    "::1",
    "[::1]",
    "[::1:53",
    "[127.0.0.1]:53",
    "[]:53",
    "localhost:53",
    "https://127.0.0.1:53",
]


@pytest.mark.parametrize("text", [*BAD_ADDRESS_PORTS, "*:53", "127.0.0.1:*"])
def test_what_is_no_address_and_port(text: str) -> None:
    with pytest.raises(UsageError, match="--dns wants ADDRESS:PORT"):
        parse_address_port(text, "--dns")


@pytest.mark.parametrize(
    ("rule", "parsed"),
    [
        ("1.2.3.4:443=127.0.0.1:18443", (("1.2.3.4", 443), ("127.0.0.1", 18443))),
        ("*:443=127.0.0.1:18443", (("*", 443), ("127.0.0.1", 18443))),
        ("*:*=127.0.0.1:*", (("*", None), ("127.0.0.1", None))),
        ("[2606:4700::1]:8448=[::1]:8448", (("2606:4700::1", 8448), ("::1", 8448))),
        ("1.2.3.4:443=*:8443", (("1.2.3.4", 443), ("*", 8443))),
    ],
)
def test_a_connect_rule(rule: str, parsed: object) -> None:
    assert parse_connect_rule(rule) == parsed


@pytest.mark.parametrize(
    "rule", ["", "=", "127.0.0.1:1", *(f"{bad}=127.0.0.1:1" for bad in BAD_ADDRESS_PORTS), "*:*=*"]
)
def test_what_is_no_connect_rule(rule: str) -> None:
    with pytest.raises(UsageError, match="--connect wants"):
        parse_connect_rule(rule)


@given(st.text(max_size=40) | st.text("127.0:[]*=", max_size=30))
def test_any_rule_is_read_or_refused(text: str) -> None:
    try:
        parse_connect_rule(text)
    except UsageError as error:
        assert "--connect" in str(error)  # noqa: PT017 - a text that is a rule is right as well


PATHS = st.sampled_from(
    ["limits.concurrency", "limits.dns_timeout_s", "limits", "vantage", "network.connect", "", "a.b.c"]
)


@given(st.lists(st.builds("{}={}".format, PATHS, st.text(max_size=20)) | st.text(max_size=20), max_size=3))
def test_any_override_is_taken_or_refused(overrides: list[Any]) -> None:
    try:
        settings = load_settings(overrides=tuple(overrides))
    except UsageError:
        return
    json.loads(settings.to_json())
