"""Where settings come from, and whether they hold.

Three sources, the later wins: `--config FILE.toml`, the options of the verb, `--set section.key=value`. What there is
to set, and why, is `config`'s business.
"""

import dataclasses
import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.config import SECTIONS, Limits, Liveness, Settings
from crawler.errors import UsageError, printable


def load_settings(
    config: Path | None = None, overrides: tuple[str, ...] = (), *, base: Settings | None = None, **network: Any
) -> Settings:
    """Read settings from a TOML file, `section.key=value` overrides and the network options of a verb.

    Args:
        base: what counts where nothing else is said; None: the defaults.

    Raises:
        UsageError: an unreadable file, an unknown section or key, a value of the wrong type or out of range.
    """
    values: dict[str, Any] = dataclasses.asdict(base) if base is not None else {}
    for key, given in (_read_toml(config) if config is not None else {}).items():
        if isinstance(given, dict):
            _section_of(values, key).update(given)
        else:
            values[key] = given
    for key, given in network.items():
        if given:
            section = "politeness" if key == "contact" else "network"
            _section_of(values, section)[key] = given
    for override in overrides:
        _apply_override(values, override)
    settings = _build(values)
    validate(settings)
    return settings


def stored_settings(document: Mapping[str, Any]) -> Settings:
    """Settings as `Settings.to_json` wrote them, sections that are no settings left out.

    Raises:
        UsageError: another version of the program wrote them, and this one does not know them all.
    """
    settings = _build({name: document[name] for name in (*SECTIONS, "vantage") if name in document})
    validate(settings)
    return settings


def differing(one: Settings, other: Settings) -> list[str]:
    """The settings in which two differ, as `--set` spells them."""
    ours, theirs = dataclasses.asdict(one), dataclasses.asdict(other)
    found = ["vantage"] if one.vantage != other.vantage else []
    return found + [
        f"{section}.{key}"
        for section in SECTIONS
        for key in ours[section]
        if ours[section][key] != theirs[section][key]
    ]


def _section_of(values: dict[str, Any], name: str) -> dict[str, Any]:
    section = values.setdefault(name, {})
    if not isinstance(section, dict):
        raise UsageError(f"settings: {name} is a section; write {name}.KEY=value")
    return section


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise UsageError(f"{path} is no valid TOML: {error}") from error


def _apply_override(values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise UsageError(f"--set wants section.key=value, for example limits.concurrency=100; got {override!r}")
    *sections, key = path.split(".")
    target = values
    for name in sections:
        target = _section_of(target, name)
    try:
        target[key] = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        target[key] = text


def _build(values: dict[str, Any]) -> Settings:
    parts: dict[str, Any] = {}
    for name, given in list(values.items()):
        if name in SECTIONS:
            parts[name] = _build_section(name, SECTIONS[name], _section_of(values, name))
        elif name == "vantage":
            parts[name] = _coerce(name, given, str)
        else:
            known = ", ".join([*SECTIONS, "vantage"])
            raise UsageError(f"unknown setting {printable(name)}; known are {known}")
    return Settings(**parts)


def _build_section(name: str, section: type[Any], given: dict[str, Any]) -> Any:
    fields = {f.name: f for f in dataclasses.fields(section)}
    checked: dict[str, Any] = {}
    for key, value in given.items():
        if key not in fields:
            raise UsageError(f"unknown setting {name}.{printable(key)}; known are {', '.join(fields)}")
        checked[key] = _coerce(f"{name}.{key}", value, type(fields[key].default))
    return section(**checked)


MAX_DAYS = 36_500

MAX_NUMBER = 2**53
"""Larger ones have no use here, and could neither be a float nor be read back from JSON as they were."""


def _coerce(path: str, value: Any, kind: type[Any]) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < MAX_NUMBER:
        return float(value)
    if kind is tuple and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if kind is tuple and isinstance(value, str):
        return (value,)
    if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
        return value
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list of texts"}
    raise UsageError(f"{path} wants {words[kind]}, got {_shown(value)}")


def _shown(value: Any) -> str:
    # Python refuses to spell integers of more than a few thousand digits, which TOML can give in hexadecimal.
    is_huge = isinstance(value, int) and abs(value) >= MAX_NUMBER
    return "a huge number" if is_huge else repr(value)[:60]


MAY_BE_NONE = frozenset({"space_lookups"})
"""Limits that may be 0."""


def validate(settings: Settings) -> None:
    """Check ranges and formats.

    Raises:
        UsageError: naming the setting and what it wants.
    """
    for field_ in dataclasses.fields(Limits):
        value = getattr(settings.limits, field_.name)
        may_be_none = field_.name in MAY_BE_NONE
        is_enough = value >= 0 if may_be_none else value > 0
        if not isinstance(value, bool) and not (is_enough and value < MAX_NUMBER):
            least = "at least 0" if may_be_none else "more than 0"
            raise UsageError(f"limits.{field_.name} must be {least} and less than 2^53, got {_shown(value)}")
    for field_ in dataclasses.fields(Liveness):
        value = getattr(settings.liveness, field_.name)
        if isinstance(value, float) and not 0 < value < MAX_NUMBER:
            raise UsageError(f"liveness.{field_.name} must be more than 0 and less than 2^53, got {_shown(value)}")
    if settings.network.dns:
        parse_address_port(settings.network.dns, "--dns")
    for rule in settings.network.connect:
        parse_connect_rule(rule)
    for cidr in settings.network.allow_address:
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            raise UsageError(f"--allow-address wants an address or CIDR such as 127.0.0.0/8, got {cidr!r}") from None
    contact = settings.politeness.contact
    if not (contact.isascii() and contact.isprintable()):
        raise UsageError("--contact must be one printable line of ASCII: it stands in a header of every request")
    if not settings.politeness.robots_txt and settings.network.is_live:
        raise UsageError("politeness.robots_txt may only be false with --allow-address: strangers are asked first")
    if not 0 <= settings.politeness.close_look_share <= 1:
        raise UsageError("politeness.close_look_share must be between 0 and 1")
    if not 0 <= settings.history.journal_days <= MAX_DAYS:
        raise UsageError(f"history.journal_days must be between 0 and {MAX_DAYS}")
    if not settings.vantage or not settings.vantage.isprintable():
        raise UsageError("vantage must be a short printable name")


def parse_address_port(text: str, what: str, *, wild: bool = False) -> tuple[str, int | None]:
    """`ADDRESS:PORT` with an IP literal, IPv6 in brackets; with `wild`, `*` for either (address "*", port None)."""
    host, colon, digits = text.rpartition(":")
    in_brackets = host.startswith("[") and host.endswith("]")
    address = host[1:-1] if in_brackets else host
    try:
        # Brackets go with IPv6 and only with it: without them "::1:53" could be read in two ways.
        if not colon or in_brackets is not (":" in address):
            raise ValueError
        if not (wild and address == "*"):
            ipaddress.ip_address(address)
        if wild and digits == "*":
            return address, None
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= 65535):
            raise ValueError
    except ValueError:
        raise UsageError(f"{what} wants ADDRESS:PORT with an IP address, got {text!r}") from None
    return address, int(digits)


def parse_connect_rule(rule: str) -> tuple[tuple[str, int | None], tuple[str, int | None]]:
    """`ADDRESS:PORT=ADDRESS:PORT`; a `*` on the left matches any, a `*` on the right keeps what was there."""
    left, equals, right = rule.partition("=")
    if not equals:
        raise UsageError(f"--connect wants ADDRESS:PORT=ADDRESS:PORT, got {rule!r}")
    return parse_address_port(left, "--connect", wild=True), parse_address_port(right, "--connect", wild=True)
