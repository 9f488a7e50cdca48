"""A real name server on loopback, UDP and TCP on one port, answering from a table or a script."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import trio

Zone = Mapping[tuple[str, str], list[str]]
"""(name, type) -> records; "TTL record" each, in zone-file form."""

Respond = Callable[[dns.message.Message], list[bytes]]
"""The datagrams (or TCP messages) that a query is answered with; none for silence."""


@dataclass
class NameServer:
    address: str
    port: int
    queries: list[dns.message.Message] = field(default_factory=list)
    by_tcp: int = 0

    @property
    def where(self) -> str:
        return f"{self.address}:{self.port}"

    def asked(self, name: str) -> list[str]:
        """Types asked for `name`, in order."""
        return [
            dns.rdatatype.to_text(query.question[0].rdtype)
            for query in self.queries
            if query.question[0].name.to_text(omit_final_dot=True).lower() == name
        ]


def from_zone(zone: Zone, *, soa: bool = True) -> Respond:
    """Answer as a recursive server over `zone` would: CNAMEs followed, NXDOMAIN for names that have nothing."""

    def respond(query: dns.message.Message) -> list[bytes]:
        return [zone_answer(query, zone, soa=soa).to_wire(max_size=65535)]

    return respond


def zone_answer(query: dns.message.Message, zone: Zone, *, soa: bool = True) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    kind = dns.rdatatype.to_text(question.rdtype)
    name = question.name.to_text(omit_final_dot=True).lower()
    for _ in range(32):
        if (name, "CNAME") not in zone or kind == "CNAME":
            break
        target = _add(response, name, "CNAME", zone[name, "CNAME"])
        name = target.rstrip(".").lower()
    if (name, kind) in zone:
        _add(response, name, kind, zone[name, kind])
    elif soa:
        start = dns.rrset.from_text("test.", 30, "IN", "SOA", "ns.test. admin.test. 1 2 3 4 30")
        response.authority.append(start)
        if not any(known == name for known, _ in zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
    return response


def _add(response: dns.message.Message, name: str, kind: str, records: list[str]) -> str:
    ttl_s = int(records[0].split(" ", 1)[0])
    texts = [record.split(" ", 1)[1] for record in records]
    response.answer.append(dns.rrset.from_text(name + ".", ttl_s, "IN", kind, *texts))
    return texts[0]


def failing(rcode: dns.rcode.Rcode) -> Respond:
    def respond(query: dns.message.Message) -> list[bytes]:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return [response.to_wire()]

    return respond


def silence(_query: dns.message.Message) -> list[bytes]:
    return []


async def start_name_server(
    nursery: trio.Nursery, respond: Respond, *, respond_by_tcp: Respond | None = None, address: str = "127.0.0.1"
) -> NameServer:
    udp, listeners = await _bind(address)
    server = NameServer(address, udp.getsockname()[1])

    async def serve_udp() -> None:
        with udp:
            while True:
                datagram, whence = await udp.recvfrom(65535)
                query = dns.message.from_wire(datagram)
                server.queries.append(query)
                for answer in respond(query):
                    await udp.sendto(answer, whence)

    async def serve_tcp(stream: trio.SocketStream) -> None:
        data = b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            piece = await stream.receive_some()
            if not piece:
                return
            data += piece
        query = dns.message.from_wire(data[2:])
        server.queries.append(query)
        server.by_tcp += 1
        for answer in (respond_by_tcp or respond)(query):
            await stream.send_all(len(answer).to_bytes(2, "big") + answer)
        await stream.aclose()

    nursery.start_soon(serve_udp)
    nursery.start_soon(trio.serve_listeners, serve_tcp, listeners)
    return server


async def _bind(address: str) -> tuple[trio.socket.SocketType, list[trio.SocketListener]]:
    """A port that is free for both transports."""
    for _ in range(50):
        listeners = await trio.open_tcp_listeners(0, host=address)
        udp = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        try:
            await udp.bind((address, listeners[0].socket.getsockname()[1]))
        except OSError:
            udp.close()
            await listeners[0].aclose()
        else:
            return udp, listeners
    raise AssertionError("no port is free for both UDP and TCP")
