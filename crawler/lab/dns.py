"""A DNS server for the practice federation (RFC 1035), over UDP and, for answers that do not fit, TCP.

It answers from the world's zone alone: addresses, CNAMEs followed as a resolver's answer shows them, SRV records,
NXDOMAIN and NODATA with the SOA that says how long they hold (RFC 2308, 3), SERVFAIL, REFUSED, NOTIMP, and silence or
gibberish for names whose servers are dead or broken. dnspython does the encoding.
"""

import contextlib
import socket
import struct
from collections import Counter, OrderedDict

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import trio

from crawler.lab.network import DnsConduct, RecordType
from crawler.lab.world import Zone

_UDP_BYTES = 512
_MAX_UDP_BYTES = 1232
_MAX_CNAMES = 8
_REMEMBERED = 4096
_DATAGRAMS_A_TURN = 64
_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
_TCP_IDLE_S = 10.0
_TCP_CONNECTIONS = 64

NEGATIVE_TTL_S = 900
"""How long the absence of a name or a type may be remembered."""

_RCODE_OF = {
    DnsConduct.SERVFAIL: dns.rcode.SERVFAIL,
    DnsConduct.REFUSED: dns.rcode.REFUSED,
    DnsConduct.NOT_IMPLEMENTED: dns.rcode.NOTIMP,
}
_GIBBERISH = b"\x81\x80" + b"\xff" * 30
_TYPES = {dns.rdatatype.from_text(kind.value): kind for kind in RecordType}


class Answers:
    """Makes answers; remembers the wire form of the last few thousand, for crawls ask in bursts.

    Args:
        zone: what there is.
        in_order: give records in the order of the zone; else in any, as resolvers do.
    """

    def __init__(self, zone: Zone, *, in_order: bool = False) -> None:
        self._zone = zone
        self._in_order = in_order
        self._remembered: OrderedDict[tuple[bytes, int], tuple[tuple[str, str], bytes | None]] = OrderedDict()
        self.asked: Counter[str] = Counter()
        """Queries by "udp" and "tcp"."""
        self.asked_for: Counter[tuple[str, str]] = Counter()
        """Queries by type and name (lower case), each retry counted."""

    def answer(self, wire: bytes, limit_bytes: int | None) -> bytes | None:
        """The answer to one query, at most `limit_bytes` long (None: no limit); None is silence.

        What is no DNS query is met with silence too, as a name server does with noise.
        """
        key = (wire[2:], limit_bytes or 0)
        if key in self._remembered:
            self._remembered.move_to_end(key)
            about, known = self._remembered[key]
            self.asked_for[about] += 1
            return None if known is None else wire[:2] + known
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, struct.error, ValueError):
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        question = query.question[0]
        about = (dns.rdatatype.to_text(question.rdtype), question.name.to_text(omit_final_dot=True).lower())
        self.asked_for[about] += 1
        made = self._make(query, about[1], limit_bytes)
        self._remembered[key] = about, None if made is None else made[2:]
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return made

    def _make(self, query: dns.message.Message, name: str, limit_bytes: int | None) -> bytes | None:
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        question = query.question[0]
        if query.opcode() != dns.opcode.QUERY or question.rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.NOTIMP)
            return response.to_wire()
        conduct = self._zone.conduct_of(name, _TYPES.get(question.rdtype))
        if conduct is DnsConduct.SILENT:
            return None
        if conduct is DnsConduct.GIBBERISH:
            return query.to_wire()[:2] + _GIBBERISH
        if conduct is not None:
            response.set_rcode(_RCODE_OF[conduct])
            return response.to_wire()
        self._fill(response, question.name, name, question.rdtype)
        size = _UDP_BYTES if query.edns < 0 else min(_MAX_UDP_BYTES, max(_UDP_BYTES, query.payload))
        wire = self._wire(response)
        if limit_bytes is not None and len(wire) > min(limit_bytes, size):
            # RFC 2181, 9: a truncated answer is asked for again over TCP, whatever it holds; so it holds nothing.
            response.answer.clear()
            response.authority.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire

    def _wire(self, response: dns.message.Message) -> bytes:
        wire: bytes = response.to_wire(max_size=65535, want_shuffle=not self._in_order)
        return wire

    def _fill(
        self, response: dns.message.Message, owner: dns.name.Name, name: str, rdtype: dns.rdatatype.RdataType
    ) -> None:
        for _ in range(_MAX_CNAMES):
            name = self._zone.closest(name)
            if name not in self._zone.names:
                response.set_rcode(dns.rcode.NXDOMAIN)
                response.authority.append(_soa(name))
                return
            aliases = self._zone.records.get((name, RecordType.CNAME))
            wanted = _TYPES.get(rdtype)
            kind = wanted if aliases is None else RecordType.CNAME
            records = self._zone.records.get((name, kind)) if kind is not None else None
            if not records:
                response.authority.append(_soa(name))
                return
            rrset = dns.rrset.from_text_list(
                owner,
                records[0].ttl_s,
                dns.rdataclass.IN,
                dns.rdatatype.from_text(kind or ""),
                [r.data for r in records],
            )
            response.answer.append(rrset)
            if aliases is None or wanted is RecordType.CNAME:
                return
            name = aliases[0].data.rstrip(".")
            owner = dns.name.from_text(name)


def _soa(name: str) -> dns.rrset.RRset:
    """Of the top-level domain, whoever's the name is."""
    owner = name.rpartition(".")[2]
    timers = f"1 3600 900 604800 {NEGATIVE_TTL_S}"
    return dns.rrset.from_text(
        f"{owner}.", NEGATIVE_TTL_S, dns.rdataclass.IN, dns.rdatatype.SOA, f"ns.{owner}. admin.{owner}. {timers}"
    )


async def serve_dns(
    zone: Zone,
    host: str = "127.0.0.1",
    *,
    in_order: bool = False,
    task_status: trio.TaskStatus[tuple[int, Answers]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled, on one port for UDP and TCP; starts with that port and the counters."""
    answers = Answers(zone, in_order=in_order)
    async with trio.open_nursery() as nursery:
        udp, tcp = await _bind_both(host)
        port: int = udp.getsockname()[1]
        nursery.start_soon(_serve_udp, udp, answers)
        nursery.start_soon(_serve_tcp, tcp, answers)
        task_status.started((port, answers))


async def _bind_both(host: str) -> tuple[socket.socket, trio.SocketListener]:
    """One free port, for both."""
    for attempt in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        udp.bind((host, 0))
        try:
            listeners = await trio.open_tcp_listeners(udp.getsockname()[1], host=host)
        except OSError:
            udp.close()
            if attempt == 19:
                raise
        else:
            return udp, listeners[0]
    raise AssertionError("unreachable")


async def _serve_udp(udp: socket.socket, answers: Answers) -> None:
    """Answer datagrams, many at each turn: the loop is shared with TLS handshakes, which take long turns, and a queue
    that overflows meanwhile would make the name servers of the whole federation look unreliable."""
    with udp:
        while True:
            await trio.lowlevel.wait_readable(udp)
            for _ in range(_DATAGRAMS_A_TURN):
                try:
                    wire, peer = udp.recvfrom(4096)
                except BlockingIOError:
                    break
                except ConnectionError:  # an earlier answer's port was closed (ICMP): nobody's fault
                    continue
                answers.asked["udp"] += 1
                answer = answers.answer(wire, _MAX_UDP_BYTES)
                if answer is not None:
                    with contextlib.suppress(OSError):
                        udp.sendto(answer, peer)


async def _serve_tcp(listener: trio.SocketListener, answers: Answers) -> None:
    slots = trio.CapacityLimiter(_TCP_CONNECTIONS)

    async def converse(stream: trio.SocketStream) -> None:
        async with slots, stream:
            with contextlib.suppress(trio.BrokenResourceError, trio.TooSlowError):
                buffered = bytearray()
                while True:
                    with trio.fail_after(_TCP_IDLE_S):
                        while len(buffered) < 2 or len(buffered) < 2 + int.from_bytes(buffered[:2]):
                            data = await stream.receive_some(4096)
                            if not data:
                                return
                            buffered += data
                        end = 2 + int.from_bytes(buffered[:2])
                        wire = bytes(buffered[2:end])
                        del buffered[:end]
                        answers.asked["tcp"] += 1
                        answer = answers.answer(wire, None)
                        if answer is not None:
                            await stream.send_all(len(answer).to_bytes(2) + answer)

    async with trio.open_nursery() as nursery:
        await trio.serve_listeners(converse, [listener], handler_nursery=nursery)
