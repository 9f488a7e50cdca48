"""Usage reports from strangers: what is taken, and what is refused whole."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import ProtocolError
from crawler.model.usage import FIELDS, MOST
from crawler.protocol.usage import (
    is_published,
    parse_published_tokens,
    parse_software,
    parse_usage_report,
    token_digest,
    tokens_in_txt,
)

# As Synapse 1.163.2 sends it (synapse/app/phone_stats_home.py): every key, values made up.
SYNAPSE: dict[str, Any] = {
    "memory_rss": 180_224, "cpu_average": 3, "homeserver": "Example.ORG", "server_context": None,
    "timestamp": 1_795_000_000, "uptime_seconds": 300, "python_version": "3.11.2", "total_users": 12,
    "total_nonbridged_users": 9, "daily_user_type_native": 1, "daily_user_type_bridged": 2, "total_room_count": 40,
    "daily_active_users": 5, "monthly_active_users": 8, "daily_active_e2ee_rooms": 3, "daily_e2ee_messages": 100,
    "daily_sent_e2ee_messages": 60, "daily_active_rooms": 7, "daily_messages": 240, "daily_sent_messages": 90,
    "r30v2_users_all": 6, "r30v2_users_android": 2, "r30v2_users_ios": 1, "r30v2_users_electron": 1,
    "r30v2_users_web": 2, "cache_factor": 0.5, "event_cache_size": 10_240, "database_engine": "psycopg2",
    "database_server_version": "15.4", "log_level": "INFO",
}  # fmt: skip


def parse(**changes: Any) -> Any:
    return parse_usage_report(json.dumps(SYNAPSE | changes).encode())


def test_a_report_of_synapse_is_taken_without_what_it_says_of_the_machine() -> None:
    report = parse()
    assert report.server_name.key == "example.org"
    assert report.reported_at == datetime.fromtimestamp(1_795_000_000, UTC)
    assert dict(report.counts) == {key: value for key, value in SYNAPSE.items() if key in FIELDS}
    assert not {"memory_rss", "cpu_average", "uptime_seconds"} & report.counts.keys()


def test_what_is_absent_or_null_is_not_zero() -> None:
    report = parse(total_users=None, timestamp=None)
    assert "total_users" not in report.counts
    assert "daily_user_type_guest" not in report.counts
    assert report.reported_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"total_users": -1}, {"total_users": 1.5}, {"total_users": "7"}, {"total_users": True}, {"total_users": [1]},
        {"total_users": MOST + 1}, {"total_users": 10**400}, {"r30v2_users_web": {}}, {"homeserver": None},
        {"homeserver": ""}, {"homeserver": "a b"}, {"homeserver": 7}, {"homeserver": "x" * 300}, {"timestamp": "now"},
        {"timestamp": -1}, {"timestamp": 1e300}, {"timestamp": True},
    ],
)  # fmt: skip
def test_one_wrong_field_and_the_report_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        parse(**changes)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b'{"homeserver": "a.example"}', b'{"homeserver": "a.example", "x": NaN}',
     b'{"homeserver": "a.example", "total_users": 1e999}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_usage_report(body)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_DOCUMENTS = st.dictionaries(st.sampled_from(["homeserver", "timestamp", *FIELDS]), _ANY, max_size=6)


@given(_DOCUMENTS)
def test_only_protocol_errors_come_out(document: dict[str, Any]) -> None:
    for name in (document.get("homeserver"), "a.example"):
        try:
            report = parse_usage_report(json.dumps({**document, "homeserver": name}).encode("utf-8", "replace"))
        except ProtocolError:
            continue
        assert all(type(count) is int and 0 <= count <= MOST for count in report.counts.values())


def test_a_token_is_known_by_what_sha256sum_prints() -> None:
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of abc: FIPS 180-2, B.1
    assert token_digest("abc") == digest
    assert not is_published("abcd", [digest, "", "\ud800", "sha256:", "abcd"])
    assert is_published("abc", ["nonsense", digest.upper()])


def test_what_servers_publish() -> None:
    assert parse_published_tokens(b'{"usage_tokens": ["a", "b"], "more": 1}') == ("a", "b")
    assert len(parse_published_tokens(json.dumps({"usage_tokens": ["a"] * 99}).encode())) == 16
    for body in (b"{}", b"[]", b'{"usage_tokens": "a"}', b'{"usage_tokens": [1]}'):
        with pytest.raises(ProtocolError):
            parse_published_tokens(body)
    assert tokens_in_txt(["v=spf1", "usage=a", "usage= b "]) == ("a", "b")


def test_the_software_is_the_product() -> None:
    assert parse_software("Synapse/1.163.2 (b=main)") == "Synapse/1.163.2"
    assert parse_software("") is None
    assert parse_software("\x1b[31m" + "x" * 500) == "\N{REPLACEMENT CHARACTER}[31m" + "x" * 95
