"""What goes over a connection: a request, byte for byte, and the beginning of its answer.

Apart from httpx's, whose making is a tenth of an exchange, and from the connection, which moves the bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import h11

from crawler.net.head import RawFields

_REQUEST_HEAD = re.compile(
    rb"[A-Z]+ [\x21-\x7e]+ HTTP/1\.1\r\n(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+: [\x20-\x7e\x80-\xff]*\r\n)+\r\n"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `target` byte for byte (RFC 9112, 3.2), since signatures cover it; `fields` with Host, without
    Content-Length."""

    method: str
    target: bytes
    fields: RawFields
    content: bytes = b""

    @property
    def all_fields(self) -> RawFields:
        if not self.content:
            return self.fields
        return [*self.fields, (b"Content-Length", str(len(self.content)).encode())]

    def to_wire(self) -> bytes:
        """Raises h11.LocalProtocolError when it is no request: a bug of ours."""
        fields = b"".join([name + b": " + value + b"\r\n" for name, value in self.all_fields])
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (self.method.encode("ascii"), self.target, fields)
        if not _REQUEST_HEAD.fullmatch(head):
            raise h11.LocalProtocolError("illegal characters in a request")
        return head + self.content


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer. `headers` look names up without regard to case and join repeated ones."""

    status: int
    headers: Mapping[str, str]
    raw: RawFields
