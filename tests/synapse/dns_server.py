"""A small authoritative DNS server on UDP, for the names of one test federation (RFC 1034, RFC 1035, RFC 2782).

It is not the practice federation's: what the crawler is held against here must not share its mistakes. Answers fit in
one datagram, so there is no TCP.
"""

import socketserver
import threading
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL_S = 60


class DnsServer:
    """Answers for the names it was given: NXDOMAIN for every other, NODATA where only other types exist.

    `queries` keeps (name, type) of everything that was asked, in order.
    """

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.queries: list[tuple[str, str]] = []
        self._records: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], list[str]] = {}
        self._rcodes: dict[dns.name.Name, dns.rcode.Rcode] = {}
        self._silent: set[dns.name.Name] = set()
        self._lock = threading.Lock()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                datagram, sock = self.request
                answer = outer.answer(datagram)
                if answer is not None:
                    sock.sendto(answer, self.client_address)

        self._server = socketserver.UDPServer((address, 0), Handler)
        self.address: tuple[str, int] = (address, self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="dns")
        self._thread.start()

    def __str__(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def put(self, name: str, kind: str, *values: str) -> None:
        """Set the records of one type at `name`, in zone file spelling; no value takes them away."""
        key = (dns.name.from_text(name), dns.rdatatype.from_text(kind))
        with self._lock:
            if values:
                self._records[key] = list(values)
            else:
                self._records.pop(key, None)

    def fail(self, name: str, rcode: str | None = None) -> None:
        """Answer every question about `name` with `rcode` (for example SERVFAIL); None: do not answer at all."""
        with self._lock:
            if rcode is None:
                self._silent.add(dns.name.from_text(name))
            else:
                self._rcodes[dns.name.from_text(name)] = dns.rcode.from_text(rcode)

    def answer(self, datagram: bytes) -> bytes | None:
        """The answer to one query; None for what is no query or is to be met with silence."""
        try:
            query = dns.message.from_wire(datagram)
        except dns.exception.DNSException:
            return None
        if len(query.question) != 1 or query.flags & dns.flags.QR:
            return None
        question = query.question[0]
        with self._lock:
            self.queries.append((question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)))
            if question.name in self._silent:
                return None
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.AA
            if question.name in self._rcodes:
                reply.set_rcode(self._rcodes[question.name])
            else:
                self._fill(reply, question.name, question.rdtype)
        return reply.to_wire()

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        for _ in range(8):  # a CNAME chain in our own records; longer ones are a mistake of the test
            values = self._records.get((name, kind))
            if values is not None:
                reply.answer.append(dns.rrset.from_text_list(name, TTL_S, "IN", kind, values))
                return
            alias = self._records.get((name, dns.rdatatype.CNAME))
            if alias is None:
                break
            reply.answer.append(dns.rrset.from_text_list(name, TTL_S, "IN", "CNAME", alias))
            name = dns.name.from_text(alias[0])
        # RFC 8020: a name exists when anything is at it or below it.
        if not any(known.is_subdomain(name) for known, _ in self._records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
