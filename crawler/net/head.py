"""The everyday head of an HTTP answer, read by hand (RFC 9112): a fifth of what an event-driven parser costs.

Understood is only what leaves nothing to decide: HTTP/1.1, a final status whose answer has content, one field a line,
one Content-Length and no other framing. Whatever else comes is left to h11. What is understood here, h11 understands in
the same way; a test holds them together, over hostile bytes, too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

RawFields = Sequence[tuple[bytes, bytes]]
"""Header fields as they came, names in any case."""

BEGINNING = b"HTTP/1.1 "
_MAX_DIGITS = 18

_STATUS_LINE = rb"HTTP/1\.1 ([2-5][0-9][0-9]) [\t\x20-\x7e]*\r\n"
_FIELD = rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)\r\n"
_HEAD = re.compile(_STATUS_LINE + rb"(?:" + _FIELD + rb")*\r\n")
_FIELDS = re.compile(_FIELD)


class Fields(Mapping[str, str]):
    """Header fields by name, in any case; repeated ones are joined with commas (RFC 9110, 5.3)."""

    __slots__ = ("raw",)

    def __init__(self, raw: RawFields) -> None:
        self.raw = raw

    def __getitem__(self, name: str) -> str:
        wanted = name.lower().encode("ascii", "replace")
        values = [_text(value) for key, value in self.raw if key.lower() == wanted]
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key.lower().decode("ascii") for key, _ in self.raw))

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self.raw})


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class PlainHead:
    """`length` bytes of content follow; then the peer `closes` the connection, or not (RFC 9112, 9.3)."""

    status: int
    fields: RawFields
    length: int
    closes: bool


def read_plain_head(head: bytes) -> PlainHead | None:
    """Read an everyday head, up to and with its empty line; None for every other one."""
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    status = int(match[1])
    length: int | None = None
    closes = False
    fields: list[tuple[bytes, bytes]] = []
    for name, value in _FIELDS.findall(head, match.end(1)):
        stripped = value.strip(b" \t")
        fields.append((name, stripped))
        match name.lower():
            case b"content-length":
                if length is not None or not stripped.isdigit() or len(stripped) > _MAX_DIGITS:
                    return None
                length = int(stripped)
            case b"transfer-encoding":
                return None
            case b"connection":
                closes = closes or b"close" in {token.strip() for token in stripped.lower().split(b",")}
    if length is None or status in (204, 304):
        return None
    return PlainHead(status, fields, length, closes)
