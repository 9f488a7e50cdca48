"""DNS queries and their answers: over a few shared UDP sockets, over TCP when one was truncated (RFC 1035, 4.2).

Sockets are shared because opening one for each query costs more than the query. What a socket for each query would
give against forged answers (RFC 5452) is kept by other means: sockets are connected, so the kernel drops datagrams
from elsewhere; source ports are random and retired after a while; ids are drawn at random; and an answer must repeat
the question. A reply that fails these is not an answer: we go on waiting for the true one.

Questions about one name travel together, and who asks them is woken once.
"""

import random
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import trio

from crawler.net.dnsreply import HEADER, PlainReply, read_plain
from crawler.net.failures import check_own_resources
from crawler.net.traffic import Traffic

SOCKETS = 4
QUERIES_A_SOCKET = 1000
"""After so many queries a socket is replaced, and with it the source port."""
UDP_PAYLOAD = 1232
"""Largest UDP answer we ask for (EDNS): fits one unfragmented packet, as agreed on DNS flag day 2020."""
_OPT_RECORD = b"\0" + dns.rdatatype.OPT.to_bytes(2, "big") + UDP_PAYLOAD.to_bytes(2, "big") + bytes(6)
"""RFC 6891, 6.1: version 0, no flags, no options."""
_IN = dns.rdataclass.IN.to_bytes(2, "big")
_MAX_DATAGRAM = 65535
_MAX_REPLIES = 16
"""Replies looked at for one query; more than one means that somebody is guessing, or that the server is broken."""
_READ_AT_ONCE = 64
"""Datagrams sorted before other tasks have their turn."""
_RECEIVE_BUFFER_BYTES = 1024 * 1024
_MAX_LABEL, _MAX_NAME = 63, 255
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

_unpredictable = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Question:
    """What a query asks (RFC 1035, 4.1.2), class IN. `wire` is that, as it is sent."""

    wire: bytes
    kind: dns.rdatatype.RdataType

    @classmethod
    def of(cls, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> "Question":
        """A question about an absolute name."""
        return cls((name.to_wire() or b"") + kind.to_bytes(2, "big") + _IN, kind)

    @classmethod
    def about(cls, host: str, kind: dns.rdatatype.RdataType) -> "Question":
        """A question about a name as text.

        Raises:
            dns.exception.DNSException: no name in DNS can be so.
        """
        labels = host.removesuffix(".").split(".")
        # One unlike a host name may have escapes in it, or be an international one.
        if not _HOST_CHARACTERS.issuperset(host) or not all(0 < len(label) <= _MAX_LABEL for label in labels):
            return cls.of(dns.name.from_text(host), kind)
        name = b"".join([len(label).to_bytes(1, "big") + label.encode("ascii") for label in labels]) + b"\0"
        if len(name) > _MAX_NAME:
            raise dns.name.NameTooLong
        return cls(name + kind.to_bytes(2, "big") + _IN, kind)

    @property
    def name(self) -> dns.name.Name:
        return dns.name.from_wire(self.wire, 0)[0]

    def to_wire(self, query_id: int) -> bytes:
        """A query, recursion desired. Written here and not by dnspython, whose message takes ten times as long to make,
        and a crawl asks several questions for each server."""
        return HEADER.pack(query_id, dns.flags.RD, 1, 0, 0, 1) + self.wire + _OPT_RECORD

    def is_answered_by(self, message: dns.message.Message) -> bool:
        """Whether a message is a response to this question. One that tells of an error may leave it out."""
        if not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
            return False
        if not message.question:
            return message.rcode() in _ERRORS
        asked = message.question[0]
        is_same = (asked.rdtype, asked.rdclass, asked.name) == (self.kind, dns.rdataclass.IN, self.name)
        return len(message.question) == 1 and is_same


_ERRORS = frozenset({dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED})


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing that answers the query came in time. `malformed`: something with its id came, but was no answer to it."""

    malformed: bool = False


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer is too long for UDP."""


Reply: TypeAlias = PlainReply | dns.message.QueryMessage | Truncated | NoReply


class NameServer:
    """One name server. Opens its sockets when first asked; `close` ends them."""

    def __init__(self, address: str, port: int, traffic: Traffic) -> None:
        self.address = address
        self.port = port
        self._traffic = traffic
        self._channels: list[_Channel] = []

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    async def ask(self, questions: Sequence[Question], timeout_s: float) -> list[Reply]:
        """Ask under ids of our own choice, and wait for all answers, at most `timeout_s`. In the questions' order."""
        replies: list[Reply] = [NoReply() for _ in questions]
        with trio.move_on_after(timeout_s):
            channel = await self._channel()
            mail = channel.expect(len(questions))
            try:
                waiting = dict(zip(mail.ids, enumerate(questions), strict=True))
                for query_id, (_, question) in waiting.items():
                    self._traffic.dns_queries += 1
                    await channel.send(question.to_wire(query_id))
                while waiting:
                    await mail.arrived.wait()
                    _sort(mail, waiting, replies)
            finally:
                channel.forget(mail)
                # Some of what was waited for may have come when the time was up.
                _sort(mail, waiting, replies)
        return replies

    async def ask_by_tcp(self, question: Question, timeout_s: float) -> Reply:
        """The same over a connection of its own."""
        query = dns.message.make_query(question.name, question.kind, use_edns=0, payload=UDP_PAYLOAD)
        self._traffic.dns_queries += 1
        backend = dns.asyncbackend.get_backend("trio")
        try:
            message = await dns.asyncquery.tcp(
                query, self.address, timeout_s, self.port, ignore_trailing=True, backend=backend
            )
        except OSError as error:
            check_own_resources(error)
            return NoReply()
        except (dns.exception.Timeout, EOFError):
            return NoReply()
        except dns.exception.DNSException:
            return NoReply(malformed=True)
        return message if isinstance(message, dns.message.QueryMessage) else NoReply(malformed=True)

    async def _channel(self) -> "_Channel":
        self._channels = [channel for channel in self._channels if not channel.is_worn_out]
        if len(self._channels) < SOCKETS:
            try:
                self._channels.append(_Channel(self.address, self.port, self._traffic))
            except OSError as error:
                check_own_resources(error)
                await trio.sleep_forever()  # no way to the name server: not answered, in the time that takes
        return _unpredictable.choice(self._channels)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self._channels.clear()


def _sort(mail: "_Mail", waiting: dict[int, tuple[int, Question]], replies: list[Reply]) -> None:
    """Judge what came; what is answered is waited for no more."""
    for query_id, (place, question) in list(waiting.items()):
        for datagram in mail.take(query_id):
            reply = _judge(question, datagram)
            replies[place] = reply
            if not isinstance(reply, NoReply):
                del waiting[query_id]
                break
        if query_id in waiting and mail.is_exhausted(query_id):
            del waiting[query_id]
    mail.expect_more(waiting)


def _judge(question: Question, datagram: bytes) -> Reply:
    """What `datagram` says if it answers `question`; a truncated one may be cut anywhere after its question."""
    plain = read_plain(datagram, question.wire)
    if plain is not None:
        return plain
    cut = bool(datagram[2] << 8 & dns.flags.TC)
    try:
        message = dns.message.from_wire(datagram, ignore_trailing=True, question_only=cut)
        if not isinstance(message, dns.message.QueryMessage) or not question.is_answered_by(message):
            return NoReply(malformed=True)
    except dns.exception.DNSException:
        return NoReply(malformed=True)
    return Truncated() if cut else message


class _Mail:
    """Datagrams that came with the ids of one round of queries, not yet looked at; `arrived` when there is one for each
    that is still waited for."""

    __slots__ = ("_came", "_new", "_quiet", "arrived", "ids")

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        self.arrived = trio.Event()
        self._new: dict[int, list[bytes]] = {query_id: [] for query_id in ids}
        self._came = dict.fromkeys(ids, 0)
        self._quiet = set(ids)

    def put(self, query_id: int, datagram: bytes) -> None:
        if self._came[query_id] == _MAX_REPLIES:
            return
        self._came[query_id] += 1
        self._new[query_id].append(datagram)
        self._quiet.discard(query_id)
        if not self._quiet:
            self.arrived.set()

    def take(self, query_id: int) -> list[bytes]:
        datagrams = self._new[query_id]
        if datagrams:
            self._new[query_id] = []
        return datagrams

    def is_exhausted(self, query_id: int) -> bool:
        """Whether no further reply is looked at."""
        return self._came[query_id] == _MAX_REPLIES

    def expect_more(self, ids: Iterable[int]) -> None:
        self._quiet = set(ids)
        if self._quiet:
            self.arrived = trio.Event()


class _Channel:
    """One connected UDP socket and the queries that wait on it, by id. Its reader only sorts; askers parse."""

    def __init__(self, address: str, port: int, traffic: Traffic) -> None:
        """Raises OSError when this machine has no way to `address`. Blocks nothing: connecting UDP sends nothing."""
        plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            plain.setblocking(False)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            plain.connect((address, port))
        except BaseException:
            plain.close()
            raise
        self._socket = plain
        self._traffic = traffic
        self._waiting: dict[int, _Mail] = {}
        self._asked = 0
        # A system task, because a nursery of ours would wrap every exception of our caller's body in a group.
        trio.lowlevel.spawn_system_task(self._read)

    @property
    def is_worn_out(self) -> bool:
        return self._asked >= QUERIES_A_SOCKET

    def expect(self, count: int) -> _Mail:
        """So many ids that are free on this socket, and what comes with them; to be forgotten afterwards."""
        self._asked += count
        ids: list[int] = []
        while len(ids) < count:
            query_id = _unpredictable.getrandbits(16)
            if query_id not in self._waiting and query_id not in ids:
                ids.append(query_id)
        mail = _Mail(ids)
        for query_id in ids:
            self._waiting[query_id] = mail
        return mail

    def forget(self, mail: _Mail) -> None:
        for query_id in mail.ids:
            del self._waiting[query_id]
        if self.is_worn_out and not self._waiting:
            self.close()

    async def send(self, wire: bytes) -> None:
        try:
            # A datagram nearly always finds room.
            self._socket.send(wire)
        except BlockingIOError:
            await self._send_later(wire)
        except OSError:
            # The error may be of an earlier datagram (ICMP), even a forged one. A query that did not leave is one
            # that is not answered; the wait also keeps a broken uplink from failing a whole frontier in a second.
            return

    async def _send_later(self, wire: bytes) -> None:
        await trio.lowlevel.wait_writable(self._socket)
        with suppress(OSError):
            self._socket.send(wire)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    async def _read(self) -> None:
        buffer = bytearray(_MAX_DATAGRAM)
        view = memoryview(buffer)
        with self._socket:
            while self._socket.fileno() >= 0:
                try:
                    await trio.lowlevel.wait_readable(self._socket)
                except trio.ClosedResourceError:
                    return
                for _ in range(_READ_AT_ONCE):
                    try:
                        size = self._socket.recv_into(buffer)
                    except BlockingIOError:
                        break
                    except OSError:
                        continue  # ICMP about an earlier query, perhaps forged: the time-out tells
                    mail = self._waiting.get(buffer[0] << 8 | buffer[1]) if size >= HEADER.size else None
                    if mail is not None:
                        self._traffic.dns_answers += 1
                        mail.put(buffer[0] << 8 | buffer[1], bytes(view[:size]))
