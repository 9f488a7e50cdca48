"""The everyday DNS answer, read by hand: nearly all there are, at a twentieth of what a message object costs.

Understood is only what needs no judgement: one question, repeated letter for letter (RFC 1035, 4.1.2; in whatever
case); then addresses of the very name that was asked for, all of the type that was asked for; or none of them, with or
without the SOA that says for how long that holds (RFC 2308, 3); then at most an OPT record without options (RFC 6891).
Whatever else comes is left to dnspython, CNAMEs and errors among it. What is understood here, dnspython understands in
the same way; a test holds them together, over hostile bytes, too.
"""

import socket
import struct
from dataclasses import dataclass

A, SOA, AAAA, OPT = 1, 6, 28, 41
"""Types (RFC 1035, 3.2.2; RFC 3596, 2.1; RFC 6891, 6.1.1)."""
IN = 1
NOERROR, NXDOMAIN = 0, 3

HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_FIGURES = struct.Struct("!5I")
_TO_THE_QUESTION = b"\xc0\x0c"
"""A compression pointer (RFC 1035, 4.1.4) to the name behind the header."""
_QUESTION_AT = HEADER.size
_JUDGED_FLAGS = 0xFA00
"""QR, OPCODE and TC: an answer to a query, and whole."""
_ANSWER = 0x8000
_MAX_TTL_S = 2**31 - 1
"""A larger one is to be read as 0 (RFC 2181, 8): left to dnspython."""
_MAX_NAME = 255
_MAX_HOPS = 8
_FAMILIES = {A: socket.AF_INET, AAAA: socket.AF_INET6}
_DNSSEC_OK = 0x8000


@dataclass(frozen=True, slots=True)
class PlainReply:
    """What it says: `addresses`, or that there are none (`exists` tells whether the name has anything at all).

    `ttl_s` is for how long that holds; None where nothing says so.
    """

    addresses: tuple[str, ...]
    exists: bool
    ttl_s: int | None


def read_plain(datagram: bytes, question: bytes) -> PlainReply | None:
    """Read an everyday answer; None for every other datagram, of which nothing is said thereby.

    Args:
        datagram: with the right ID; its header is whole.
        question: as it was sent: name, type, class.
    """
    _, flags, questions, answers, authorities, additional = HEADER.unpack_from(datagram)
    rcode = flags & 0x0F
    if flags & _JUDGED_FLAGS != _ANSWER or questions != 1 or rcode not in (NOERROR, NXDOMAIN):
        return None
    at = _QUESTION_AT + len(question)
    asked = datagram[_QUESTION_AT:at]
    if asked != question and (asked[-4:] != question[-4:] or asked.lower() != question.lower()):
        return None
    try:
        if answers:
            if authorities or rcode != NOERROR:
                return None
            return _read_addresses(datagram, at, question[-3], answers, additional)
        return _read_absence(datagram, at, question, authorities, additional, exists=rcode == NOERROR)
    except struct.error:  # it ends in the middle of a record
        return None


def _read_addresses(datagram: bytes, at: int, kind: int, count: int, additional: int) -> PlainReply | None:
    family = _FAMILIES.get(kind)
    if family is None:
        return None
    size = 4 if kind == A else 16
    ttl_s = _MAX_TTL_S
    addresses: dict[str, None] = {}
    for _ in range(count):
        if datagram[at : at + 2] != _TO_THE_QUESTION:
            return None
        rrtype, rrclass, ttl, length = _RECORD.unpack_from(datagram, at + 2)
        at += 2 + _RECORD.size
        address = datagram[at : at + size]
        if (rrtype, rrclass, length) != (kind, IN, size) or ttl > _MAX_TTL_S or len(address) != size:
            return None
        ttl_s = min(ttl_s, ttl)
        addresses[socket.inet_ntop(family, address)] = None
        at += size
    return PlainReply(tuple(addresses), True, ttl_s) if _is_rest_plain(datagram, at, additional) else None


def _read_absence(
    datagram: bytes, at: int, question: bytes, authorities: int, additional: int, *, exists: bool
) -> PlainReply | None:
    ttl_s = None
    if authorities == 1:
        # The zone is one that the name lies in: a pointer to the beginning of one of its labels.
        pointer, rrtype, rrclass, ttl, length = struct.unpack_from("!HHHIH", datagram, at)
        at += 2 + _RECORD.size
        end = at + length
        if (rrtype, rrclass) != (SOA, IN) or ttl > _MAX_TTL_S or end > len(datagram):
            return None
        if pointer - 0xC000 - _QUESTION_AT not in _label_starts(question):
            return None
        at = _end_of_name(datagram, _end_of_name(datagram, at, end), end)
        if at < 0 or end - at != _FIGURES.size:
            return None
        ttl_s = min(ttl, _FIGURES.unpack_from(datagram, at)[-1])
        at = end
    elif authorities:
        return None
    return PlainReply((), exists, ttl_s) if _is_rest_plain(datagram, at, additional) else None


def _label_starts(question: bytes) -> list[int]:
    starts, at = [], 0
    while question[at]:
        starts.append(at)
        at += question[at] + 1
    return starts


def _end_of_name(wire: bytes, at: int, limit: int) -> int:
    """Where a name ends that begins at `at`; -1 when it is none that is surely right."""
    end, size, hops, begins = -1, 1, 0, at
    if at < 0:
        return -1
    while at < limit:
        count = wire[at]
        at += 1
        if not count:
            return end if hops else at
        if count < 0x40:
            at += count
            size += count + 1
            if size > _MAX_NAME:
                return -1
            continue
        if count < 0xC0 or at >= limit or hops == _MAX_HOPS:
            return -1
        target = (count & 0x3F) << 8 | wire[at]
        if not hops:
            end = at + 1
        # Pointers lead back, and what they lead to ends before what led there: no name goes in a circle.
        if target >= begins:
            return -1
        hops += 1
        limit = begins
        at = begins = target
    return -1


def _is_rest_plain(datagram: bytes, at: int, additional: int) -> bool:
    """Whether nothing follows but an OPT record that says nothing; bytes after that are nobody's."""
    if not additional:
        return True
    if additional != 1 or datagram[at : at + 1] != b"\0":
        return False
    rrtype, _, extended, length = _RECORD.unpack_from(datagram, at + 1)
    return bool(rrtype == OPT and extended in (0, _DNSSEC_OK) and not length)
