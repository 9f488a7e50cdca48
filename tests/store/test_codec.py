"""What a visit saw, as rows: every column, and that absent, failed and skipped stay apart."""

import json
from datetime import timedelta

from hypothesis import given

from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Resolution
from crawler.model.names import parse_server_name
from crawler.model.observation import Ok, ServerObservation, VersionInfo
from crawler.model.rooms import DirectoryResult, DirectoryState, DirectoryWay, PublicRoom, Stopped
from crawler.store import codec, codec_journal, codec_rooms
from tests.store.observations import DAY, FEW, UNREAD, bad_certificate, closely, dead, observations, online


def changed(seen: ServerObservation, **fields: object) -> ServerObservation:
    return ServerObservation(**{name: getattr(seen, name) for name in ServerObservation.__slots__} | fields)


def test_an_online_server_fills_every_column() -> None:
    room = PublicRoom("!a:x.test", 5, "Lobby", "talk", "#a:x.test", "public", None, True, False)
    row = codec.observation_row(4, 17, online("Example.test", rooms=(room,)))
    assert row == {
        "crawl_id": 4,
        "server_id": 17,
        "observed_at": DAY,
        "branch": "4",
        "delegated": None,
        "address": "192.0.2.7",
        "port": 8448,
        "host_header": "Example.test:8448",
        "tls_name": "Example.test",
        "resolves": True,
        "reachable": True,
        "secure": True,
        "online": True,
        "federating": True,
        "accepting": True,
        "listing": True,
        "failed_phase": None,
        "failed_kind": None,
        "software_raw": "Synapse",
        "version_raw": "1.163.2",
        "software": "synapse",
        "version": "1.163.2",
        "verify_keys": '{"ed25519:a_1": "' + "b" * 43 + '"}',
        "keys_valid_until": DAY + timedelta(days=7),
        "tls_protocol": "TLSv1.3",
        "tls_cipher": "TLS_AES_128_GCM_SHA256",
        "tls_issuer": "Let's Test",
        "tls_not_after": DAY + timedelta(days=60),
        "tls_fingerprint": "ab" * 32,
        "client_base": "https://Example.test",
        "identity_server": "https://id.test",
        "rtc_foci": '["https://rtc.test/livekit"]',
        "sliding_sync_proxy": "https://sync.test",
        "oauth_issuer": "https://account.test/",
        "support_published": False,
        "families": None,
        "spec_versions": '["v1.1", "v1.18"]',
        "unstable_features": '{"org.matrix.msc3575": true, "x.y": false}',
        "directory_state": "open",
        "directory_way": "federation",
        "directory_rooms": 1,
        "directory_pages": 1,
        "directory_stopped": "complete",
        "directory_estimate": 1,
        "directory_noindex": 1,
        "aliases_outstanding": 3,
        "requests": 9,
        "bytes_read": 12_345,
        "duration_s": 1.75,
    }


def test_a_dead_name_is_all_null_but_says_why() -> None:
    row = codec.observation_row(1, 2, dead("gone.test"))
    assert (row["failed_phase"], row["failed_kind"]) == ("dns", "dns_nxdomain")
    assert row["accepting"] is False
    assert row["directory_state"] == "skipped"
    assert row["directory_rooms"] is None
    always = {"crawl_id", "server_id", "observed_at", "failed_phase", "failed_kind", "directory_state"}
    counts = {"directory_pages", "directory_noindex", "aliases_outstanding", "requests", "bytes_read", "duration_s"}
    said = {column for column, value in row.items() if value not in (None, False)}
    assert said - counts == always


def test_attempts_in_the_order_of_the_visit() -> None:
    rows = list(codec_journal.attempt_rows(1, 2, bad_certificate("bad.test")))
    assert [(row["ordinal"], row["what"], row["outcome"]) for row in rows] == [
        (0, "resolution", "ok"),
        (1, "tcp", "ok"),
        (2, "tls", "failed"),
        (3, "version", "skipped"),
        (4, "keys", "skipped"),
        (5, "client_well_known", "failed"),
        (6, "client_versions", "skipped"),
        (7, "support", "skipped"),
        (8, "directory", "skipped"),
    ]
    tls, version, client = rows[2], rows[3], rows[5]
    assert (tls["failed_phase"], tls["failed_kind"], tls["detail"]) == ("tls", "tls_expired", "expired 3 days ago")
    assert (tls["total_s"], tls["tls_s"], tls["tcp_s"], tls["first_byte_s"]) == (0.05, 0.05, None, None)
    assert (version["skip_reason"], version["total_s"], version["failed_kind"]) == ("not_reached", None, None)
    assert (client["http_status"], client["errcode"]) == (429, "M_LIMIT_EXCEEDED")


def test_what_keeps_a_server_from_federating_is_named_and_a_later_failure_is_not() -> None:
    row = codec.observation_row(1, 2, bad_certificate("bad.test"))
    assert (row["failed_phase"], row["failed_kind"]) == ("tls", "tls_expired")
    fine = online("fine.test")
    refused = changed(
        fine, directory=DirectoryResult(DirectoryState.DENIED, failure=Failure(FailureKind.HTTP_FORBIDDEN, "", 403))
    )
    row = codec.observation_row(1, 2, refused)
    assert (row["federating"], row["failed_kind"], row["directory_rooms"]) == (True, None, None)


def test_a_visit_that_ran_out_of_time_before_resolving_failed_at_nothing() -> None:
    name = parse_server_name("slow.test")
    seen = changed(dead("slow.test"), resolution=Resolution(name, (), ()))
    assert next(codec_journal.attempt_rows(1, 2, seen))["outcome"] == "skipped"
    assert codec.observation_row(1, 2, seen)["failed_kind"] is None


def test_a_directory_cut_off_is_open_with_its_rooms_and_its_reading_failed() -> None:
    rooms = (PublicRoom("!a:x.test", 5), PublicRoom("!b:x.test", None))
    cut = DirectoryResult(
        DirectoryState.OPEN,
        rooms,
        DirectoryWay.FEDERATION,
        2,
        Stopped.FAILED,
        failure=Failure(FailureKind.HTTP_TIMEOUT),
    )
    seen = changed(online("x.test"), directory=cut)
    row = codec.observation_row(1, 2, seen)
    assert (row["directory_state"], row["directory_rooms"], row["directory_stopped"]) == ("open", 2, "failed")
    attempt = list(codec_journal.attempt_rows(1, 2, seen))[-1]
    assert (attempt["outcome"], attempt["failed_kind"], attempt["total_s"]) == ("failed", "http_timeout", None)


def test_an_empty_directory_has_zero_rooms_and_an_unread_one_has_none() -> None:
    empty, unread = online("x.test"), changed(online("x.test"), directory=UNREAD)
    assert codec.observation_row(1, 2, empty)["directory_rooms"] == 0
    assert codec.observation_row(1, 2, unread)["directory_rooms"] is None


def test_text_of_strangers_is_cut_and_made_storable() -> None:
    room = PublicRoom("!\ud800:x.test", 2**31, "n" * 999, "t\x00\udc00" + "t" * 9999, None, "r" * 999)
    seen = changed(online("x.test", rooms=(room,)), version=Ok(VersionInfo("S" * 999, "\x00")))
    (listed,) = codec_rooms.listing_rows(1, 2, seen)
    assert listed["room_id"] == "!\ufffd:x.test"
    assert listed["members"] is None
    assert len(listed["name"]) == 255
    assert listed["topic"] == "t\ufffd\ufffd" + "t" * 4093
    assert len(listed["join_rule"]) == 255
    row = codec.observation_row(1, 2, seen)
    assert (len(row["software_raw"]), row["version_raw"], row["version"]) == (256, "\ufffd", None)


def test_room_ids_that_cannot_be_told_apart_once_stored_are_one() -> None:
    rooms = (PublicRoom("!\ud800:x.test", 1), PublicRoom("!\udfff:x.test", 2), PublicRoom("!c:x.test", 3))
    seen = online("x.test", rooms=rooms)
    assert [(row["room_id"], row["members"]) for row in codec_rooms.listing_rows(1, 2, seen)] == [
        ("!\ufffd:x.test", 1),
        ("!c:x.test", 3),
    ]
    assert codec.observation_row(1, 2, seen)["directory_rooms"] == 2


def test_negative_numbers_are_no_counts() -> None:
    seen = online("x.test", rooms=(PublicRoom("!a:x.test", -1), PublicRoom("!b:x.test", 2**31 - 1)))
    assert [row["members"] for row in codec_rooms.listing_rows(1, 2, seen)] == [None, 2**31 - 1]


def test_each_address_looked_at_has_its_place_and_its_failures() -> None:
    seen = closely("x.test")
    one, two = codec_journal.address_look_rows(1, 2, seen)
    assert (one["ordinal"], one["address"], one["tcp_failure"], one["tls_failure"]) == (0, "192.0.2.7", None, None)
    assert json.loads(one["verify_keys"]) == {"ed25519:a_1": "b" * 43}
    assert (one["software_raw"], one["version_raw"], one["verify_code"]) == ("Synapse", "1.163.2", None)
    assert (two["ordinal"], two["address"], two["tls_failure"], two["verify_code"]) == (
        1,
        "2001:db8::7",
        "tls_expired",
        10,
    )
    assert (two["version_failure"], two["verify_keys"], two["software_raw"]) == (None, None, None)
    assert (two["tls_protocol"], two["tls_issuer"], two["tls_fingerprint"]) == (
        "TLSv1.3",
        "CN=R3,O=Let's Test",
        "cd" * 32,
    )
    assert (json.loads(two["tls_names"]), two["tls_not_after"]) == (["x.test", "192.0.2.7"], DAY)
    assert codec.observation_row(1, 2, seen)["families"] == "ipv6_broken"
    assert list(codec_journal.address_look_rows(1, 2, online("y.test"))) == []


@FEW
@given(observations())
def test_an_attempt_is_ok_or_says_why_not(seen: ServerObservation) -> None:
    for row in codec_journal.attempt_rows(1, 2, seen):
        match row["outcome"]:
            case "ok":
                assert row["failed_kind"] is None
                assert row["skip_reason"] is None
            case "failed":
                assert row["skip_reason"] is None
                assert row["failed_kind"] is not None or row["what"] == "directory"
            case "skipped":
                assert row["failed_kind"] is None
                assert row["total_s"] is None


@FEW
@given(observations())
def test_a_federating_server_failed_nowhere_on_the_way(seen: ServerObservation) -> None:
    row = codec.observation_row(1, 2, seen)
    if row["federating"] and seen.resolution.failure is None:
        assert row["failed_kind"] is None
    assert (row["failed_kind"] is None) == (row["failed_phase"] is None)
