"""What DNS says about a name: its addresses, its SRV records, or exactly why it says nothing (RFC 1035, 2308, 2782).

A name that does not exist, a name without such records, and a name server that fails, refuses, stays silent or talks
nonsense are different things; each keeps its own failure kind. Answers about addresses are kept for their TTL, so
that one host is asked about once in a visit, and a hosting company's delegate once for all its servers.
"""

import copy
from dataclasses import dataclass, replace

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.SRV
import dns.rdtypes.txtbase
import dns.resolver
import dns.rrset
import trio

from crawler.errors import Failure, FailureKind, UsageError, printable
from crawler.model.discovery import SrvRecord
from crawler.net.dnswire import NameServer, NoAnswerError, Question
from crawler.net.traffic import Traffic
from crawler.protocol.addresses import is_ip_literal
from crawler.protocol.questions import AddressAnswer, SrvAnswer

ATTEMPTS = 2
"""Each gets its share of the time-out; the second asks the next name server where there are several."""
MAX_CNAMES = 8
MAX_ADDRESSES = 64
"""Addresses taken from one answer. More than are ever dialled, because which of them may be dialled is judged later: a
few forbidden ones in front must not hide the one that serves."""
CACHE_SIZE = 20_000
CACHE_MIN_S = 60.0
"""Even a TTL of 0 is kept so long: within one visit, a host has one answer."""
CACHE_MAX_S = 3600.0
CACHE_FAILURE_S = 30.0

_FAILURE_RCODES = {
    dns.rcode.NXDOMAIN: FailureKind.DNS_NXDOMAIN,
    dns.rcode.SERVFAIL: FailureKind.DNS_SERVFAIL,
    dns.rcode.REFUSED: FailureKind.DNS_REFUSED,
    dns.rcode.NOTIMP: FailureKind.DNS_NOT_IMPLEMENTED,
}

# Of two families that both failed, the more telling failure stands for both: a name that does not exist has neither
# family; and while one family went unanswered, the absence of the other does not make the host one without addresses.
_TELLING = (
    FailureKind.DNS_NXDOMAIN,
    FailureKind.DNS_TIMEOUT,
    FailureKind.DNS_SERVFAIL,
    FailureKind.DNS_REFUSED,
    FailureKind.DNS_NOT_IMPLEMENTED,
    FailureKind.DNS_MALFORMED,
    FailureKind.DNS_NODATA,
)


@dataclass(frozen=True, slots=True)
class _Heard:
    """Records of one type of one name, or why there are none."""

    records: dns.rrset.RRset | None = None
    ttl_s: int | None = None
    cname: str | None = None
    failure: Failure | None = None


class Dns:
    """Look-ups of one process.

    Args:
        nameserver: whom to ask; None: the system's (`/etc/resolv.conf`; its search list is not used, since every name
            here is complete).
        timeout_s: of one look-up, retry and CNAMEs included.
        traffic: where queries are counted.

    Raises:
        UsageError: the system names no name server.
    """

    def __init__(
        self,
        nameserver: tuple[str, int] | None,
        timeout_s: float,
        traffic: Traffic | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        traffic = traffic or Traffic()
        whom = [nameserver] if nameserver else _system_name_servers()
        self._servers = [NameServer(address, port, traffic) for address, port in whom]
        self._kept: dict[str, tuple[float, float, AddressAnswer]] = {}
        self._then_s = timeout_s

    def for_visit(self, timeout_s: float, then_s: float) -> "Dns":
        """The same name servers and the same memory, for one visit.

        Args:
            timeout_s: of one look-up, until one goes unanswered.
            then_s: of those after it: the name server of a silent domain is silent for all its names.
        """
        mine = copy.copy(self)
        mine._timeout_s = timeout_s  # noqa: SLF001 - a copy of ours
        mine._then_s = min(timeout_s, then_s)  # noqa: SLF001 - likewise
        return mine

    async def lookup_addresses(self, host: str) -> AddressAnswer:
        """A and AAAA of `host`, asked at once. An IP literal is its own address and never asked about."""
        if is_ip_literal(host):
            return AddressAnswer(addresses=(host,))
        key = host.lower().rstrip(".")
        now = trio.current_time()
        kept_until, waited_s, answer = self._kept.get(key, (now, 0.0, None))
        # That a host was silent says nothing to who would wait longer.
        if answer is not None and now < kept_until and not (_is_silence(answer) and waited_s < self._timeout_s):
            return replace(answer, duration_s=0.0)
        timeout_s = self._timeout_s
        answer = await self._ask_addresses(host)
        self._keep(key, answer, timeout_s)
        return answer

    async def lookup_srv(self, owner: str) -> SrvAnswer:
        """SRV records of `owner`, in the order of the answer."""
        started = trio.current_time()
        try:
            name = dns.name.from_text(owner)
        except dns.exception.DNSException:
            # A legal host can leave no room for the service labels before it: such an owner cannot have records.
            return SrvAnswer(failure=Failure(FailureKind.DNS_NODATA, "no name in DNS can be so long"))
        heard = await self._lookup(name, dns.rdatatype.SRV)
        failure = heard.failure
        records = tuple(
            SrvRecord(record.priority, record.weight, record.port, _text(record.target))
            for record in heard.records or ()
            if isinstance(record, dns.rdtypes.IN.SRV.SRV)
        )
        return SrvAnswer(records, heard.ttl_s, heard.cname, failure, trio.current_time() - started)

    async def lookup_txt(self, owner: str) -> tuple[str, ...]:
        """TXT records of `owner`, the strings of each joined; none when there are none, for whatever reason."""
        try:
            name = dns.name.from_text(owner)
        except dns.exception.DNSException:
            return ()
        heard = await self._lookup(name, dns.rdatatype.TXT)
        return tuple(
            b"".join(record.strings).decode("utf-8", "replace")
            for record in heard.records or ()
            if isinstance(record, dns.rdtypes.txtbase.TXTBase)
        )

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def _ask_addresses(self, host: str) -> AddressAnswer:
        started = trio.current_time()
        try:
            name = dns.name.from_text(host)
        except dns.exception.DNSException as error:
            return AddressAnswer(failure=Failure(FailureKind.NAME_INVALID, printable(str(error))))
        heard: dict[dns.rdatatype.RdataType, _Heard] = {}

        async def ask(family: dns.rdatatype.RdataType) -> None:
            heard[family] = await self._lookup(name, family)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, dns.rdatatype.AAAA)
            nursery.start_soon(ask, dns.rdatatype.A)
        answer = _merge(heard[dns.rdatatype.AAAA], heard[dns.rdatatype.A])
        return replace(answer, duration_s=trio.current_time() - started)

    def _keep(self, key: str, answer: AddressAnswer, waited_s: float) -> None:
        if answer.failure is not None or answer.other_failure is not None or answer.ttl_s is None:
            keep_s = CACHE_FAILURE_S
        else:
            keep_s = min(max(float(answer.ttl_s), CACHE_MIN_S), CACHE_MAX_S)
        self._kept.pop(key, None)
        while len(self._kept) >= CACHE_SIZE:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (trio.current_time() + keep_s, waited_s, answer)

    async def _lookup(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> _Heard:
        """Follow CNAMEs. A recursive server does that for us; an authoritative one stops at its zone's edge."""
        deadline = trio.current_time() + self._timeout_s
        ttl_s: int | None = None
        cname: str | None = None
        for _ in range(MAX_CNAMES):
            message = await self._exchange(name, kind, deadline)
            if isinstance(message, Failure):
                return _Heard(ttl_s=ttl_s, cname=cname, failure=message)
            failure = _failure_in(message)
            if failure is not None and failure.kind is not FailureKind.DNS_NXDOMAIN:
                return _Heard(ttl_s=ttl_s, cname=cname, failure=failure)
            try:
                chain = message.resolve_chaining()
            except dns.exception.DNSException as error:
                return _Heard(failure=Failure(FailureKind.DNS_MALFORMED, type(error).__name__))
            ttl_s = chain.minimum_ttl if ttl_s is None else min(ttl_s, chain.minimum_ttl)
            if chain.cnames:
                cname = _text(chain.canonical_name)
            if chain.answer is not None and failure is None:
                return _Heard(chain.answer, ttl_s, cname)
            holds = _says_no_data(message)
            if failure is not None:
                return _Heard(ttl_s=ttl_s if holds else None, cname=cname, failure=failure)
            if holds or not chain.cnames:
                return _Heard(ttl_s=ttl_s if holds else None, cname=cname, failure=Failure(FailureKind.DNS_NODATA))
            name = chain.canonical_name
        return _Heard(cname=cname, failure=Failure(FailureKind.DNS_MALFORMED, f"more than {MAX_CNAMES} CNAMEs"))

    async def _exchange(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType, deadline: float
    ) -> dns.message.QueryMessage | Failure:
        """Ask, and once more if need be: after silence always, after a failing server where there is another one."""
        malformed = False
        question = Question(name, kind)
        message: dns.message.Message | None = None
        for attempt in range(ATTEMPTS):
            server = self._servers[attempt % len(self._servers)]
            left_s = deadline - trio.current_time()
            try:
                message = await server.ask(question, max(0.0, min(left_s, self._timeout_s / ATTEMPTS)))
            except NoAnswerError as error:
                malformed = malformed or error.malformed
                continue
            if message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or len(self._servers) == 1:
                break
        if isinstance(message, dns.message.QueryMessage):
            return message
        if malformed:
            return Failure(FailureKind.DNS_MALFORMED, "what came was no answer to the question")
        self._timeout_s = self._then_s
        return Failure(FailureKind.DNS_TIMEOUT, f"no answer from {', '.join(map(str, self._servers))}")


def _is_silence(answer: AddressAnswer) -> bool:
    return any(f is not None and f.kind is FailureKind.DNS_TIMEOUT for f in (answer.failure, answer.other_failure))


def _failure_in(message: dns.message.Message) -> Failure | None:
    rcode = message.rcode()
    if rcode == dns.rcode.NOERROR:
        return None
    if rcode == dns.rcode.FORMERR:
        return Failure(FailureKind.DNS_MALFORMED, "the name server could not read the question")
    return Failure(_FAILURE_RCODES.get(rcode, FailureKind.DNS_SERVFAIL), dns.rcode.to_text(rcode))


def _says_no_data(message: dns.message.Message) -> bool:
    """RFC 2308, 2.2 and 5: an SOA in the authority section says that the end of the chain has no such record, and how
    long that holds; without one it holds for no time at all."""
    return any(rrset.rdtype == dns.rdatatype.SOA for rrset in message.authority)


def _merge(ipv6: _Heard, ipv4: _Heard) -> AddressAnswer:
    cname = ipv6.cname or ipv4.cname
    failures = [heard.failure for heard in (ipv6, ipv4) if heard.failure is not None]
    failures.sort(key=lambda failure: _TELLING.index(failure.kind))
    ttls = [heard.ttl_s for heard in (ipv6, ipv4) if heard.ttl_s is not None]
    ttl_s = min(ttls, default=None)
    addresses = _share(_addresses(ipv6), _addresses(ipv4), MAX_ADDRESSES)
    if not addresses:
        return AddressAnswer(ttl_s=ttl_s, cname=cname, failure=failures[0])
    # A family without records is absent, not failed.
    other = next((failure for failure in failures if failure.kind is not FailureKind.DNS_NODATA), None)
    return AddressAnswer(addresses, ttl_s, cname, other_failure=other)


def _addresses(heard: _Heard) -> list[str]:
    address_types = (dns.rdtypes.IN.A.A, dns.rdtypes.IN.AAAA.AAAA)
    found = [record.address for record in heard.records or () if isinstance(record, address_types)]
    return list(dict.fromkeys(found))


def _share(ipv6: list[str], ipv4: list[str], limit: int) -> tuple[str, ...]:
    """IPv6 first, neither family crowding out the other."""
    most_ipv6 = max(limit - len(ipv4), (limit + 1) // 2)
    kept = ipv6[:most_ipv6]
    return tuple(kept + ipv4[: limit - len(kept)])


def _text(name: dns.name.Name) -> str:
    """Without the trailing dot; the root is the empty text."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True)


def _system_name_servers() -> list[tuple[str, int]]:
    try:
        system = dns.resolver.Resolver(configure=True)
    except dns.resolver.NoResolverConfiguration:
        raise UsageError(
            "this system names no DNS server (/etc/resolv.conf); give one with --dns ADDRESS:PORT"
        ) from None
    servers = [str(server) for server in system.nameservers]
    return [(server, system.nameserver_ports.get(server, system.port)) for server in servers]
