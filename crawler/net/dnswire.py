"""One DNS query and its answer: over a few shared UDP sockets, over TCP when the answer was truncated (RFC 1035, 4.2).

Sockets are shared because opening one for each query costs more than the query. What a socket for each query would
give against forged answers (RFC 5452) is kept by other means: sockets are connected, so the kernel drops datagrams
from elsewhere; source ports are random and retired after a while; ids are drawn at random; and an answer must repeat
the question. A reply that fails these is not an answer: we go on waiting for the true one.
"""

import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

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

from crawler.net.failures import check_own_resources
from crawler.net.traffic import Traffic

SOCKETS = 4
QUERIES_A_SOCKET = 1000
"""After so many queries a socket is replaced, and with it the source port."""
UDP_PAYLOAD = 1232
"""Largest UDP answer we ask for (EDNS): fits one unfragmented packet, as agreed on DNS flag day 2020."""
_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!2H")
_OPT_RECORD = struct.pack("!BHHIH", 0, dns.rdatatype.OPT, UDP_PAYLOAD, 0, 0)
"""RFC 6891, 6.1: version 0, no flags, no options."""
_MAX_DATAGRAM = 65535
_MAX_REPLIES = 16
"""Replies looked at for one query; more than one means that somebody is guessing, or that the server is broken."""
_RECEIVE_BUFFER_BYTES = 1024 * 1024

_unpredictable = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Question:
    """What a query asks (RFC 1035, 4.1.2), class IN."""

    name: dns.name.Name
    kind: dns.rdatatype.RdataType

    def to_wire(self, query_id: int) -> bytes:
        """A query, recursion desired. Written here and not by dnspython, whose message takes ten times as long to make,
        and a crawl asks several questions for each server."""
        name = self.name.to_wire() or b""
        header = _HEADER.pack(query_id, dns.flags.RD, 1, 0, 0, 1)
        return header + name + _QUESTION.pack(self.kind, dns.rdataclass.IN) + _OPT_RECORD

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


class NoAnswerError(Exception):
    """Nothing that answers the query came in time. `malformed`: something with its id came, but was no answer to it."""

    def __init__(self, *, malformed: bool) -> None:
        super().__init__()
        self.malformed = malformed


class NameServer:
    """One name server. Opens its sockets when first asked; `close` ends them."""

    def __init__(self, address: str, port: int, traffic: Traffic) -> None:
        self.address = address
        self.port = port
        self._traffic = traffic
        self._channels: list[_Channel] = []

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    async def ask(self, question: Question, timeout_s: float) -> dns.message.Message:
        """Ask under an id of our own choice and wait for the answer.

        Raises:
            NoAnswerError: none came within `timeout_s`.
        """
        malformed = False
        with trio.move_on_after(timeout_s):
            channel = await self._channel()
            with channel.replies() as (query_id, replies):
                self._traffic.dns_queries += 1
                await channel.send(question.to_wire(query_id))
                for _ in range(_MAX_REPLIES):
                    answer = _judge(question, await replies.next())
                    self._traffic.dns_answers += 1
                    if answer is None:
                        malformed = True
                    elif answer.flags & dns.flags.TC:
                        return await self._ask_by_tcp(question, timeout_s)
                    else:
                        return answer
        raise NoAnswerError(malformed=malformed)

    async def _ask_by_tcp(self, question: Question, timeout_s: float) -> dns.message.Message:
        query = dns.message.make_query(question.name, question.kind, use_edns=0, payload=UDP_PAYLOAD)
        self._traffic.dns_queries += 1
        backend = dns.asyncbackend.get_backend("trio")
        try:
            return await dns.asyncquery.tcp(
                query, self.address, timeout_s, self.port, ignore_trailing=True, backend=backend
            )
        except OSError as error:
            check_own_resources(error)
            raise NoAnswerError(malformed=False) from error
        except (dns.exception.Timeout, EOFError) as error:
            raise NoAnswerError(malformed=False) from error
        except dns.exception.DNSException as error:
            raise NoAnswerError(malformed=True) from error

    async def _channel(self) -> "_Channel":
        self._channels = [channel for channel in self._channels if not channel.is_worn_out]
        if len(self._channels) < SOCKETS:
            try:
                self._channels.append(_Channel(self.address, self.port))
            except OSError as error:
                check_own_resources(error)
                await trio.sleep_forever()  # no way to the name server: not answered, in the time that takes
        return _unpredictable.choice(self._channels)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self._channels.clear()


def _judge(question: Question, datagram: bytes) -> dns.message.Message | None:
    """The message in `datagram` if it answers `question`; a truncated one may be cut anywhere after its question."""
    cut = bool(datagram[2] << 8 & dns.flags.TC)
    try:
        message = dns.message.from_wire(datagram, ignore_trailing=True, question_only=cut)
        return message if question.is_answered_by(message) else None
    except dns.exception.DNSException:
        return None


@dataclass(slots=True)
class _Replies:
    """Datagrams that came with the id of one query, not yet looked at."""

    datagrams: list[bytes] = field(default_factory=list)
    arrived: trio.Event = field(default_factory=trio.Event)

    def put(self, datagram: bytes) -> None:
        if len(self.datagrams) < _MAX_REPLIES:
            self.datagrams.append(datagram)
            self.arrived.set()

    async def next(self) -> bytes:
        await self.arrived.wait()
        datagram = self.datagrams.pop(0)
        if not self.datagrams:
            self.arrived = trio.Event()
        return datagram


class _Channel:
    """One connected UDP socket and the queries that wait on it, by id. Its reader only sorts; askers parse."""

    def __init__(self, address: str, port: int) -> None:
        """Raises OSError when this machine has no way to `address`. Blocks nothing: connecting UDP sends nothing."""
        plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            plain.connect((address, port))
            self._socket = trio.socket.from_stdlib_socket(plain)
            self._plain = plain
        except BaseException:
            plain.close()
            raise
        self._waiting: dict[int, _Replies] = {}
        self._asked = 0
        # A system task, because a nursery of ours would wrap every exception of our caller's body in a group.
        trio.lowlevel.spawn_system_task(self._read)

    @property
    def is_worn_out(self) -> bool:
        return self._asked >= QUERIES_A_SOCKET

    @contextmanager
    def replies(self) -> Iterator[tuple[int, _Replies]]:
        """An id that is free on this socket, and what comes with it while the block runs."""
        self._asked += 1
        query_id = _unpredictable.getrandbits(16)
        while query_id in self._waiting:
            query_id = _unpredictable.getrandbits(16)
        replies = self._waiting[query_id] = _Replies()
        try:
            yield query_id, replies
        finally:
            del self._waiting[query_id]
            if self.is_worn_out and not self._waiting:
                self.close()

    async def send(self, wire: bytes) -> None:
        try:
            # A datagram nearly always finds room: trio's `send` would first give every other task its turn.
            self._plain.send(wire)
        except BlockingIOError:
            await self._send_later(wire)
        except OSError:
            # The error may be of an earlier datagram (ICMP), even a forged one. A query that did not leave is one
            # that is not answered; the wait also keeps a broken uplink from failing a whole frontier in a second.
            return

    async def _send_later(self, wire: bytes) -> None:
        with suppress(OSError):
            await self._socket.send(wire)

    def close(self) -> None:
        self._socket.close()

    async def _read(self) -> None:
        with self._socket:
            while True:
                try:
                    datagram = await self._socket.recv(_MAX_DATAGRAM)
                except trio.ClosedResourceError:
                    return
                except OSError:
                    continue  # ICMP about an earlier query, perhaps forged: the time-out tells
                if len(datagram) < _HEADER.size:
                    continue
                replies = self._waiting.get(int.from_bytes(datagram[:2], "big"))
                if replies is not None:
                    replies.put(datagram)
