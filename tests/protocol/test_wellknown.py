"""Lifetimes and redirects of `.well-known`; what its answers mean is in the table of resolution cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.protocol.questions import WellKnownAnswer
from crawler.protocol.wellknown import MAX_URL, cache_lifetime_s, judge, next_hop
from tests.protocol.hostile import bodies, outcome

HOUR = 3600
DAY = 24 * HOUR
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("cache_control", "expires", "lifetime_s"),
    [
        (None, None, DAY),
        ("", None, DAY),
        ("public", None, DAY),
        ("s-maxage=5", None, DAY),
        ("max-age=3600", None, HOUR),
        ("Max-Age = 3600", None, HOUR),
        ('max-age="3600"', None, HOUR),
        ("public, max-age=60, stale-while-revalidate=600", None, 60),
        ("max-age=0", None, 0),
        ("max-age=604800", None, 2 * DAY),
        ("max-age=" + "9" * 18, None, 2 * DAY),
        ("max-age=" + "9" * 500, None, 0),
        ("max-age=60, max-age=90", None, 60),
        ("max-age", None, 0),
        ("max-age=soon", None, 0),
        ("max-age=-1", None, 0),
        ("max-age=1.5", None, 0),
        ("no-store", None, 0),
        ("max-age=3600, NO-STORE", None, 0),
        ("no-cache", None, 0),
        ("max-age=3600", "Mon, 23 Nov 2026 12:00:01 GMT", HOUR),
        ("no-store", "Mon, 23 Nov 2026 13:00:00 GMT", 0),
        (None, "Mon, 23 Nov 2026 13:00:00 GMT", HOUR),
        ("public", "Mon, 23 Nov 2026 13:00:00 GMT", HOUR),
        (None, "Mon, 23 Nov 2099 13:00:00 GMT", 2 * DAY),
        (None, "Sun, 22 Nov 2026 12:00:00 GMT", 0),
        (None, "Monday, 23-Nov-26 13:00:00 GMT", HOUR),
        (None, "Mon Nov 23 13:00:00 2026", 0),  # without a zone: not to be told apart from a lie
        (None, "0", 0),
        (None, "-1", 0),
        (None, "", 0),
        (None, "never", 0),
    ],
)
def test_a_valid_answer_lives_as_its_headers_say(
    cache_control: str | None, expires: str | None, lifetime_s: float
) -> None:
    answer = WellKnownAnswer(200, b"{}", cache_control=cache_control, expires=expires, date=DATE)
    assert cache_lifetime_s(answer, valid=True) == lifetime_s


def test_expires_means_nothing_without_a_date() -> None:
    answer = WellKnownAnswer(200, b"{}", expires="Mon, 23 Nov 2026 13:00:00 GMT")
    assert cache_lifetime_s(answer, valid=True) == 0


def test_a_failed_answer_lives_an_hour_whatever_it_says() -> None:
    assert cache_lifetime_s(WellKnownAnswer(404, cache_control="max-age=86400"), valid=False) == HOUR
    assert cache_lifetime_s(WellKnownAnswer(200, cache_control="no-store"), valid=False) == HOUR
    assert cache_lifetime_s(WellKnownAnswer(failure=Failure(FailureKind.TCP_TIMEOUT)), valid=False) == HOUR


HEADERS = st.none() | st.text(max_size=60) | st.text('max-age=no-store, "0123456789:GMT', max_size=60)


@given(HEADERS, HEADERS, HEADERS, st.booleans())
def test_any_header_gives_a_lifetime_within_two_days(
    cache_control: str | None, expires: str | None, date: str | None, valid: bool
) -> None:
    answer = WellKnownAnswer(200, cache_control=cache_control, expires=expires, date=date)
    assert 0 <= cache_lifetime_s(answer, valid=valid) <= 2 * DAY


@given(bodies({"m.server": "d.example:443"}), st.sampled_from([0, 200, 200, 200, 404, 999]))
def test_any_answer_is_a_name_or_refused(body: bytes, status: int) -> None:
    kind = outcome(judge, WellKnownAnswer(status, body))
    if status == 200:
        assert kind in {
            None,
            FailureKind.WELL_KNOWN_NOT_JSON,
            FailureKind.WELL_KNOWN_NO_SERVER,
            FailureKind.WELL_KNOWN_BAD_SERVER,
        }
    else:
        assert kind is not None


def test_a_failed_fetch_keeps_what_it_failed_by() -> None:
    failure = Failure(FailureKind.TLS_EXPIRED, "yesterday")
    with pytest.raises(ProtocolError) as error:
        judge(WellKnownAnswer(failure=failure))
    assert error.value.failure == failure


def test_a_status_is_kept_with_its_failure() -> None:
    with pytest.raises(ProtocolError) as error:
        judge(WellKnownAnswer(503))
    assert error.value.failure.http_status == 503


@pytest.mark.parametrize(
    ("delegate", "why"),
    [("https://d.example", "it is a URL"), ("d.example:0", "port 0 is not between"), ("a..b", "labels of letters")],
)
def test_a_bad_delegate_is_quoted_with_the_reason(delegate: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=why) as error:
        judge(WellKnownAnswer(200, f'{{"m.server": "{delegate}"}}'.encode()))
    assert delegate in error.value.failure.detail


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{}", "m.server is missing"),
        (b'{"m.server": ""}', "m.server is empty"),
        (b'{"m.server": 5}', "m.server is no string"),
    ],
)
def test_what_is_wrong_with_m_server_is_said(body: bytes, detail: str) -> None:
    with pytest.raises(ProtocolError) as error:
        judge(WellKnownAnswer(200, body))
    assert error.value.failure.detail == detail


BASE = "https://example.org/.well-known/matrix/server"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://d.example/x", "https://d.example/x"),
        ("HTTPS://d.example/x", "https://d.example/x"),
        ("https://d.example:8443/x?y=1", "https://d.example:8443/x?y=1"),
        ("//d.example/x", "https://d.example/x"),
        ("/x", "https://example.org/x"),
        ("x", "https://example.org/.well-known/matrix/x"),
        ("?y", "https://example.org/.well-known/matrix/server?y"),
        ("../../x", "https://example.org/x"),
        ("../../../../x", "https://example.org/x"),
        ("https://[2606:4700::1]/x", "https://[2606:4700::1]/x"),
        ("https://d.example/x#fragment", "https://d.example/x"),
        ("https://d.example", "https://d.example"),
    ],
)
def test_redirects_are_resolved(location: str, target: str) -> None:
    assert next_hop(BASE, location) == target


@pytest.mark.parametrize(
    "location",
    [
        "",
        " ",
        "http://example.org/.well-known/matrix/server",
        "ftp://d.example/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:application/json,{}",
        "https:",
        "https://",
        "https:///x",
        "https:x",
        "https://user@d.example/x",
        "https://user:password@d.example/x",
        "https://@d.example/x",
        "https://d.example:0/x",
        "https://d.example:65536/x",
        "https://d.example:port/x",
        "https://[::1/x",
        "https://[fe80::1%25eth0]/x",
        "https://d.example\\@evil.example/x",
        "https://d.ex%61mple/x",
        "https://d.example./x",
        "https://2130706433/x",
        "/a b",
        "/a\r\nSet-Cookie: x",
        "/\x00",
        "https://bücher.example/",
        "https://d.example/" + "x" * 3000,
    ],
)
def test_what_leaves_https_or_hides_its_host_is_not_followed(location: str) -> None:
    assert outcome(next_hop, BASE, location) is FailureKind.HTTP_REDIRECT


def test_the_longest_url_that_is_followed() -> None:
    longest = "https://d.example/" + "x" * (MAX_URL - 18)
    assert next_hop(BASE, longest) == longest
    assert outcome(next_hop, BASE, longest + "x") is FailureKind.HTTP_REDIRECT


def test_a_relative_https_reference_is_read_as_rfc_3986_reads_it_strictly() -> None:
    """`https:x` has a scheme, so it is no relative reference, whatever old browsers did (section 5.4.2)."""
    assert outcome(next_hop, BASE, "https:x") is FailureKind.HTTP_REDIRECT


def test_the_kind_of_a_bad_redirect_is_the_askers() -> None:
    with pytest.raises(ProtocolError) as error:
        next_hop(BASE, "http://d.example", kind=FailureKind.WELL_KNOWN_REDIRECTS)
    assert error.value.failure.kind is FailureKind.WELL_KNOWN_REDIRECTS


@given(st.text(max_size=60) | st.text("htps:/@[].%?#\\abc019", max_size=60))
def test_any_location_is_https_or_refused(location: str) -> None:
    try:
        target = next_hop(BASE, location)
    except ProtocolError:
        return
    assert target.startswith("https://")
    assert "@" not in target.split("/")[2]
    assert target.isascii()
    assert target.isprintable()
