"""What DNS says about a name: its addresses, its SRV records, or exactly why it says nothing (RFC 1035, 2308, 2782).

A name that does not exist, a name without such records, and a name server that fails, refuses, stays silent or talks
nonsense are different things; each keeps its own failure kind. Answers about addresses are kept for their TTL, so
that one host is asked about once in a visit, and a hosting company's delegate once for all its servers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.SRV
import dns.rdtypes.txtbase
import dns.resolver
import trio

from crawler.errors import Failure, FailureKind, UsageError, printable
from crawler.model.discovery import SrvRecord
from crawler.net.dnsreply import PlainReply
from crawler.net.dnswire import NameServer, NoReply, Question, Reply, Truncated
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
    """Records of one type of one name, or why there are none; everyday `addresses` are no `records`."""

    addresses: tuple[str, ...] = ()
    records: tuple[dns.rdata.Rdata, ...] = ()
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
        mine = Dns.__new__(Dns)
        mine.__dict__.update(self.__dict__, _timeout_s=timeout_s, _then_s=min(timeout_s, then_s))
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
            question = Question.about(owner, dns.rdatatype.SRV)
        except dns.exception.DNSException:
            # A legal host can leave no room for the service labels before it: such an owner cannot have records.
            return SrvAnswer(failure=Failure(FailureKind.DNS_NODATA, "no name in DNS can be so long"))
        (heard,) = await self._look_up([question])
        return SrvAnswer(_srv(heard.records), heard.ttl_s, heard.cname, heard.failure, trio.current_time() - started)

    def forget_silence(self) -> None:
        """Ask again about hosts of which nothing was heard: it may have been us."""
        for key in [key for key, (_, _, answer) in self._kept.items() if _is_silence(answer)]:
            del self._kept[key]

    async def lookup_txt(self, owner: str) -> tuple[str, ...]:
        """TXT records of `owner`, the strings of each joined; none when there are none, for whatever reason."""
        try:
            question = Question.about(owner, dns.rdatatype.TXT)
        except dns.exception.DNSException:
            return ()
        (heard,) = await self._look_up([question])
        return tuple(
            b"".join(record.strings).decode("utf-8", "replace")
            for record in heard.records
            if isinstance(record, dns.rdtypes.txtbase.TXTBase)
        )

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def _ask_addresses(self, host: str) -> AddressAnswer:
        started = trio.current_time()
        try:
            questions = [Question.about(host, family) for family in (dns.rdatatype.AAAA, dns.rdatatype.A)]
        except dns.exception.DNSException as error:
            return AddressAnswer(failure=Failure(FailureKind.NAME_INVALID, printable(str(error))))
        ipv6, ipv4 = await self._look_up(questions)
        return _merge(ipv6, ipv4, trio.current_time() - started)

    def _keep(self, key: str, answer: AddressAnswer, waited_s: float) -> None:
        if answer.failure is not None or answer.other_failure is not None or answer.ttl_s is None:
            keep_s = CACHE_FAILURE_S
        else:
            keep_s = min(max(float(answer.ttl_s), CACHE_MIN_S), CACHE_MAX_S)
        self._kept.pop(key, None)
        while len(self._kept) >= CACHE_SIZE:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (trio.current_time() + keep_s, waited_s, answer)

    async def _look_up(self, questions: Sequence[Question]) -> list[_Heard]:
        """Ask questions about one name, all at once. In their order."""
        deadline = trio.current_time() + self._timeout_s
        replies = await self._servers[0].ask(questions, self._timeout_s / ATTEMPTS)
        heard = [_heard(reply) if isinstance(reply, PlainReply) else None for reply in replies]

        async def go_on(place: int) -> None:
            heard[place] = await self._follow(questions[place], replies[place], deadline)

        left = [place for place, done in enumerate(heard) if done is None]
        if len(left) == 1:
            await go_on(left[0])
        elif left:
            async with trio.open_nursery() as nursery:
                for place in left:
                    nursery.start_soon(go_on, place)
        return [done for done in heard if done is not None]

    async def _follow(self, question: Question, first: Reply, deadline: float) -> _Heard:
        """From the first reply to the end: CNAMEs are followed. A recursive server does that for us; an authoritative
        one stops at its zone's edge."""
        ttl_s: int | None = None
        cname: str | None = None
        reply: Reply | None = first
        for _ in range(MAX_CNAMES):
            message = await self._exchange(question, reply, deadline)
            if isinstance(message, Failure):
                return _Heard(ttl_s=ttl_s, cname=cname, failure=message)
            if isinstance(message, PlainReply):
                return _heard(message, ttl_s, cname)
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
                return _Heard(_addresses(chain.answer), tuple(chain.answer), ttl_s, cname)
            holds = _says_no_data(message)
            if failure is not None:
                return _Heard(ttl_s=ttl_s if holds else None, cname=cname, failure=failure)
            if holds or not chain.cnames:
                return _Heard(ttl_s=ttl_s if holds else None, cname=cname, failure=Failure(FailureKind.DNS_NODATA))
            question, reply = Question.of(chain.canonical_name, question.kind), None
        return _Heard(cname=cname, failure=Failure(FailureKind.DNS_MALFORMED, f"more than {MAX_CNAMES} CNAMEs"))

    async def _exchange(
        self, question: Question, first: Reply | None, deadline: float
    ) -> PlainReply | dns.message.QueryMessage | Failure:
        """Ask, and once more if need be: after silence always, after a failing server where there is another one.
        `first` is what the first attempt brought, if that is over."""
        malformed = False
        message: PlainReply | dns.message.QueryMessage | None = None
        for attempt in range(ATTEMPTS):
            server = self._servers[attempt % len(self._servers)]
            reply = first if attempt == 0 and first is not None else None
            if reply is None:
                (reply,) = await server.ask([question], self._patience_s(deadline))
            if isinstance(reply, Truncated):
                reply = await server.ask_by_tcp(question, self._patience_s(deadline))
            if isinstance(reply, Truncated | NoReply):
                malformed = malformed or (isinstance(reply, NoReply) and reply.malformed)
                continue
            message = reply
            if isinstance(reply, PlainReply) or reply.rcode() in _SETTLED or len(self._servers) == 1:
                break
        if message is not None:
            return message
        if malformed:
            return Failure(FailureKind.DNS_MALFORMED, "what came was no answer to the question")
        self._timeout_s = self._then_s
        return Failure(FailureKind.DNS_TIMEOUT, f"no answer from {', '.join(map(str, self._servers))}")

    def _patience_s(self, deadline: float) -> float:
        return max(0.0, min(deadline - trio.current_time(), self._timeout_s / ATTEMPTS))


_SETTLED = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})


def _heard(reply: PlainReply, ttl_s: int | None = None, cname: str | None = None) -> _Heard:
    """What a reply tells at the end of a chain of CNAMEs, if there was one; that ends with its shortest TTL."""
    both = [each for each in (ttl_s, reply.ttl_s) if each is not None]
    if reply.addresses:
        return _Heard(reply.addresses, ttl_s=min(both), cname=cname)
    failure = Failure(FailureKind.DNS_NODATA) if reply.exists else Failure(FailureKind.DNS_NXDOMAIN, "NXDOMAIN")
    # Without an SOA an absence holds for no time at all (RFC 2308, 5).
    return _Heard(ttl_s=None if reply.ttl_s is None else min(both), cname=cname, failure=failure)


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


def _merge(ipv6: _Heard, ipv4: _Heard, duration_s: float) -> AddressAnswer:
    cname = ipv6.cname or ipv4.cname
    failures = [heard.failure for heard in (ipv6, ipv4) if heard.failure is not None]
    failures.sort(key=lambda failure: _TELLING.index(failure.kind))
    ttls = [heard.ttl_s for heard in (ipv6, ipv4) if heard.ttl_s is not None]
    ttl_s = min(ttls, default=None)
    addresses = _share(ipv6.addresses, ipv4.addresses, MAX_ADDRESSES)
    if not addresses:
        return AddressAnswer(ttl_s=ttl_s, cname=cname, failure=failures[0], duration_s=duration_s)
    # A family without records is absent, not failed.
    other = next((failure for failure in failures if failure.kind is not FailureKind.DNS_NODATA), None)
    return AddressAnswer(addresses, ttl_s, cname, other_failure=other, duration_s=duration_s)


def _addresses(records: Iterable[dns.rdata.Rdata]) -> tuple[str, ...]:
    address_types = (dns.rdtypes.IN.A.A, dns.rdtypes.IN.AAAA.AAAA)
    return tuple(dict.fromkeys(record.address for record in records if isinstance(record, address_types)))


def _srv(records: Iterable[dns.rdata.Rdata]) -> tuple[SrvRecord, ...]:
    return tuple(
        SrvRecord(record.priority, record.weight, record.port, _text(record.target))
        for record in records
        if isinstance(record, dns.rdtypes.IN.SRV.SRV)
    )


def _share(ipv6: tuple[str, ...], ipv4: tuple[str, ...], limit: int) -> tuple[str, ...]:
    """IPv6 first, neither family crowding out the other."""
    most_ipv6 = max(limit - len(ipv4), (limit + 1) // 2)
    kept = ipv6[:most_ipv6]
    return kept + ipv4[: limit - len(kept)]


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
