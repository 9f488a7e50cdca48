"""Heads that are read by hand are read as h11 reads them, over everyday ones and damaged ones."""

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.net.head import Fields, PlainHead, read_plain_head

EVERYDAY = {
    "synapse": b"HTTP/1.1 200 OK\r\nServer: Synapse/1.120.0\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 57\r\n\r\n",
    "nginx": b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    "closing": b"HTTP/1.1 502 Bad Gateway\r\nConnection: foo , Close\r\ncontent-length:\t9 \t\r\n\r\n",
    "no_reason": b"HTTP/1.1 200 \r\nContent-Length: 5\r\nX-Empty:\r\nX-Latin: caf\xe9\r\n\r\n",
    "odd_names": b"HTTP/1.1 599 \t odd \r\nX-!#$%&'*+.^_`|~09: a  b\r\nx-a: 1\r\nX-A: 2\r\nContent-Length: 007\r\n\r\n",
}
OTHER = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunked_and_length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "until_closed": b"HTTP/1.1 200 OK\r\n\r\n",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
    "informational": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    "no_content": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "not_modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "same_length_twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
    "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "huge": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "other_digits": "HTTP/1.1 200 OK\r\nContent-Length: ٥\r\n\r\n".encode(),
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\n",
    "bare_line_feed": b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n",
    "bare_return": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 5\r\n\r\n",
    "space_before_colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\n",
    "no_status": b"HTTP/1.1 OK\r\nContent-Length: 5\r\n\r\n",
}
CONTENT = b"0123456789" * 6


def by_h11(head: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes, bytes, bool]:
    """Status, fields, content, what is left over, and whether the peer closes; raises when the oracle refuses."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("Host", "a.test")]))
    http.send(h11.EndOfMessage())
    http.receive_data(head + CONTENT)
    response = http.next_event()
    assert isinstance(response, h11.Response)
    content = b""
    while isinstance(event := http.next_event(), h11.Data):
        content += bytes(event.data)
    if event is h11.NEED_DATA:
        return response.status_code, list(response.headers.raw_items()), content, b"", False
    assert isinstance(event, h11.EndOfMessage)
    closes = http.their_state is not h11.DONE
    return response.status_code, list(response.headers.raw_items()), content, http.trailing_data[0], closes


def as_read(plain: PlainHead) -> tuple[int, list[tuple[bytes, bytes]], bytes, bytes, bool]:
    is_whole = plain.length <= len(CONTENT)
    surplus = CONTENT[plain.length :]
    return plain.status, list(plain.fields), CONTENT[: plain.length], surplus, plain.closes and is_whole


@pytest.mark.parametrize("case", EVERYDAY)
def test_everyday_heads_are_understood(case: str) -> None:
    plain = read_plain_head(EVERYDAY[case])
    assert plain is not None
    assert as_read(plain) == by_h11(EVERYDAY[case])


@pytest.mark.parametrize("case", OTHER)
def test_all_others_are_left_alone(case: str) -> None:
    assert read_plain_head(OTHER[case]) is None


BYTES = st.sampled_from([*b"\r\n\t :,;-059aAzZ\x00\x0b\x0c\x7f\x80\xff"])


@given(
    st.sampled_from([*EVERYDAY.values(), *OTHER.values()]),
    st.lists(st.tuples(st.integers(0, 200), BYTES | st.integers(0, 255)), max_size=4),
    st.lists(st.tuples(st.integers(0, 200), BYTES), max_size=3),
)
@example(EVERYDAY["synapse"], [], [(17, ord("\r")), (18, ord("\n"))])
@settings(max_examples=600, deadline=None)
def test_what_is_understood_h11_understands_alike(
    good: bytes, replaced: list[tuple[int, int]], inserted: list[tuple[int, int]]
) -> None:
    damaged = bytearray(good)
    for place, value in replaced:
        if place < len(damaged):
            damaged[place] = value
    for place, value in inserted:
        damaged.insert(place, value)
    # Up to the first empty line, as the connection cuts it.
    head = bytes(damaged).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    plain = read_plain_head(head)
    if plain is not None:
        assert as_read(plain) == by_h11(head)


NAMES = st.sampled_from([b"Content-Length", b"Connection", b"X-A", b"Transfer-Encoding", b"content-length", b"Upgrade"])
VALUES = st.sampled_from(
    [b"5", b" 5 ", b"05", b"5,5", b"close", b"keep-alive, close", b"Close", b"chunked", b"", b"h2c"]
)


@given(st.integers(100, 600), st.lists(st.tuples(NAMES, VALUES), max_size=4))
@settings(max_examples=300, deadline=None)
def test_framing_is_h11s(status: int, fields: list[tuple[bytes, bytes]]) -> None:
    lines = b"".join(name + b":" + value + b"\r\n" for name, value in fields)
    head = b"HTTP/1.1 %d x\r\n%b\r\n" % (status, lines)
    plain = read_plain_head(head)
    if plain is not None:
        assert as_read(plain) == by_h11(head)


def test_fields_are_found_in_any_case_and_joined() -> None:
    fields = Fields([(b"X-A", b"1"), (b"x-a", b"2"), (b"Server", "ä".encode()), (b"Via", b"caf\xe9")])
    assert dict(fields) == {"x-a": "1, 2", "server": "ä", "via": "café"}
    assert len(fields) == 3
    assert fields["SERVER"] == "ä"
    assert fields.get("location", "") == ""
    assert "X-a" in fields
