"""From a server name to the places to connect to (server-server API, "Resolving server names").

A generator without I/O: it yields questions (`Ask`), is sent what the world answered (`Answer`), and returns a
`Resolution` that keeps every step and why each branch was taken or left. Branches bear the specification's numbers:

    1        the name is an IP literal
    2        it has a port: addresses of the host, neither .well-known nor SRV
    3        https://HOST/.well-known/matrix/server delegates; to
      3.1      an IP literal
      3.2      a host with a port
      3.3      a host with SRV records of _matrix-fed._tcp; 3.4 of _matrix._tcp (deprecated)
      3.5      a host with neither: port 8448
    4, 5, 6  it does not: as 3.3, 3.4 and 3.5 for the name itself

A delegate is never asked for a .well-known of its own, so no loop of delegations can form. Where the specification is
silent, Synapse is followed: an SRV look-up that fails otherwise than by "there is none" ends the resolution rather than
falling through to 8448, and so does the single target ".".
"""

import random
import re
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from crawler.config import Limits
from crawler.errors import Failure, FailureKind, ProtocolError, printable
from crawler.model.discovery import (
    AddressFacts,
    Branch,
    Endpoint,
    Facts,
    Question,
    Resolution,
    SrvFacts,
    SrvRecord,
    Step,
    WellKnownFacts,
)
from crawler.model.names import ServerName
from crawler.protocol import srv, wellknown
from crawler.protocol.addresses import interleave, is_ip_literal
from crawler.protocol.questions import (
    AddressAnswer,
    Answer,
    Ask,
    AskAddresses,
    AskSrv,
    AskWellKnown,
    SrvAnswer,
    WellKnownAnswer,
)

DEFAULT_PORT = 8448
NO_SRV_RECORD = frozenset({FailureKind.DNS_NXDOMAIN, FailureKind.DNS_NODATA, FailureKind.DNS_NOT_IMPLEMENTED})
"""Failures of an SRV look-up that say "there is none"; all others say nothing about the records."""

MAX_LINE = 2000
"""Characters of one line of a step: enough for as many targets and addresses as the limits let through."""

_MAX_FACTS = 64
"""Of records and addresses that are only told of, not tried."""

_HOST = re.compile(r"\A[0-9A-Za-z_-]{1,63}(?:\.[0-9A-Za-z_-]{1,63})*\Z")
"""A name that can have addresses. Wider than a server name by the underscore, which DNS has and homeservers meet."""

A = TypeVar("A", WellKnownAnswer, SrvAnswer, AddressAnswer)


class _Branches(NamedTuple):
    """The branch that each shape of the name in question leads to."""

    ip_literal: Branch
    port: Branch
    srv: Branch
    srv_deprecated: Branch
    default: Branch


_OF_THE_NAME = _Branches(
    Branch.IP_LITERAL, Branch.EXPLICIT_PORT, Branch.SRV, Branch.SRV_DEPRECATED, Branch.DEFAULT
)  # fmt: skip
_OF_THE_DELEGATE = _Branches(
    Branch.WELL_KNOWN_IP,
    Branch.WELL_KNOWN_PORT,
    Branch.WELL_KNOWN_SRV,
    Branch.WELL_KNOWN_SRV_DEPRECATED,
    Branch.WELL_KNOWN_DEFAULT,
)


def resolve(
    name: ServerName, *, may_dial: Callable[[str], bool], rng: random.Random, limits: Limits
) -> Generator[Ask, Answer, Resolution]:
    """Resolve `name`.

    Args:
        may_dial: judges every address, those given as literals included; what it refuses is no endpoint.
        rng: draws the order of SRV targets.
        limits: `srv_targets` and `addresses_per_host` bound the work.

    Returns:
        The resolution: endpoints, or the first failure on the way that ended it. A failed .well-known never ends it.
    """
    walk = _Walk(may_dial, rng, limits)
    delegate = yield from walk.find_delegate(name)
    outcome = yield from walk.find_places(delegate or name, _OF_THE_DELEGATE if delegate else _OF_THE_NAME)
    steps = tuple(walk.steps)
    if isinstance(outcome, Failure):
        return Resolution(name, steps, (), delegated=delegate, failure=outcome)
    return Resolution(name, steps, outcome, branch=outcome[0].via, delegated=delegate)


@dataclass(slots=True)
class _Walk:
    """One resolution under way, and the steps it has taken."""

    may_dial: Callable[[str], bool]
    rng: random.Random
    limits: Limits
    steps: list[Step] = field(default_factory=list)

    def find_delegate(self, name: ServerName) -> Generator[Ask, Answer, ServerName | None]:
        """Step 3, where it applies."""
        spelled = f"host {name.host}, {'no port' if name.port is None else f'port {name.port}'}"
        if name.is_ip:
            self._note(Question.NAME, name.raw, spelled, "an IP literal: branch 1")
            return None
        if name.port is not None:
            self._note(Question.NAME, name.raw, spelled, "an explicit port: branch 2, without .well-known and SRV")
            return None
        self._note(Question.NAME, name.raw, spelled, "neither IP literal nor port: step 3 asks for a .well-known")
        answer = _expect(WellKnownAnswer, (yield AskWellKnown(name.host)))
        after = _after_redirects(answer)
        try:
            delegate = wellknown.judge(answer)
        except ProtocolError as error:
            self._note(
                Question.WELL_KNOWN,
                name.host,
                error.failure,
                f"{after}no valid delegation: step 4 asks for SRV records of {name.host}",
                answer,
                wellknown.cache_lifetime_s(answer, valid=False),
            )
            return None
        if delegate.is_ip:
            then = "an IP literal: branch 3.1"
        elif delegate.port is not None:
            then = "a host with a port: branch 3.2, without SRV"
        else:
            then = "a host without a port: step 3.3 asks for its SRV records, never for its .well-known"
        heard = f"m.server is {delegate.raw} ({len(answer.body)} bytes of {answer.content_type or 'no content type'})"
        self._note(
            Question.WELL_KNOWN,
            name.host,
            heard,
            after + then,
            answer,
            wellknown.cache_lifetime_s(answer, valid=True),
            _well_known_facts(answer),
        )
        return delegate

    def find_places(
        self, authority: ServerName, branches: _Branches
    ) -> Generator[Ask, Answer, tuple[Endpoint, ...] | Failure]:
        """What follows for the name that counts: the delegate, or without one the name itself. The Host header and the
        certificate are always its own, wherever SRV leads."""
        if authority.is_ip:
            via, targets = branches.ip_literal, [(authority.host, authority.port or DEFAULT_PORT)]
        elif authority.port is not None:
            via, targets = branches.port, [(authority.host, authority.port)]
        else:
            found = yield from self._find_targets(authority.host, branches)
            if isinstance(found, Failure):
                return found
            via, targets = found
        endpoints: dict[tuple[str, int], Endpoint] = {}
        failures: list[Failure] = []
        known: dict[str, tuple[str, ...] | Failure] = {}
        for host, port in targets:
            if host.lower() not in known:
                is_srv_target = via in (branches.srv, branches.srv_deprecated)
                known[host.lower()] = yield from self._find_addresses(host, port, is_srv_target)
            addresses = known[host.lower()]
            if isinstance(addresses, Failure):
                failures.append(addresses)
                continue
            for address in addresses:
                place = Endpoint(address, port, authority.raw, authority.host, via)
                endpoints.setdefault((address, port), place)
        return tuple(endpoints.values()) if endpoints else failures[0]

    def _find_targets(
        self, host: str, branches: _Branches
    ) -> Generator[Ask, Answer, tuple[Branch, list[tuple[str, int]]] | Failure]:
        """SRV by its name of today, by its older name, or else the default port."""
        services = (
            ("_matrix-fed._tcp", branches.srv, "the older service name is asked for"),
            ("_matrix._tcp", branches.srv_deprecated, f"branch {branches.default}, port {DEFAULT_PORT} of {host}"),
        )
        for service, branch, otherwise in services:
            owner = f"{service}.{host}"
            answer = _expect(SrvAnswer, (yield AskSrv(owner)))
            alias = "" if answer.cname is None else f"; the name is an alias of {answer.cname}"
            failure = answer.failure
            if failure is None and not answer.records:
                failure = Failure(FailureKind.DNS_NODATA)
            if failure is not None and failure.kind in NO_SRV_RECORD:
                self._note_srv(owner, answer, failure, f"no such record: {otherwise}{alias}")
                continue
            if failure is not None:
                self._note_srv(owner, answer, failure, f"whether there is a record is unknown: the end{alias}")
                return failure
            usable = [record for record in answer.records if _is_usable(record)]
            if not usable:
                failure = _unavailable(answer.records)
                facts = SrvFacts((), answer.records[:_MAX_FACTS], answer.cname)
                self._note_srv(
                    owner, answer, failure, f"records, but no usable one: the end, without 8448{alias}", facts
                )
                return failure
            ordered = srv.order(usable, self.rng, at_most=self.limits.srv_targets)
            notes = [f"branch {branch}, targets in the order of RFC 2782"]
            if len(usable) < len(answer.records):
                notes.append(f"{len(answer.records) - len(usable)} unusable left out")
            if len(ordered) < len(usable):
                notes.append(f"{len(usable) - len(ordered)} beyond the limit left out")
            unusable = tuple(record for record in answer.records if not _is_usable(record))
            facts = SrvFacts(ordered, unusable[:_MAX_FACTS], answer.cname)
            self._note_srv(owner, answer, _spell(ordered), "; ".join(notes) + alias, facts)
            return branch, [(record.target, record.port) for record in ordered]
        return branches.default, [(host, DEFAULT_PORT)]

    def _find_addresses(
        self, host: str, port: int, is_srv_target: bool
    ) -> Generator[Ask, Answer, tuple[str, ...] | Failure]:
        """The addresses of `host` that may be dialled, in the order to be tried."""
        notes: list[str] = []
        if is_ip_literal(host):
            answer = AddressAnswer((host,))
            notes.append("given as a literal" + (", where RFC 2782 wants a host name" if is_srv_target else ""))
        else:
            answer = _expect(AddressAnswer, (yield AskAddresses(host)))
        if answer.cname is not None:
            forbidden = ", which RFC 2782 forbids to an SRV target" if is_srv_target else ""
            notes.append(f"an alias of {answer.cname}{forbidden}")
        if answer.other_failure is not None:
            notes.append(f"the other family failed: {answer.other_failure.kind}")
        failure = answer.failure
        if failure is None and not answer.addresses:
            failure = Failure(FailureKind.DNS_NODATA)
        allowed = [address for address in dict.fromkeys(answer.addresses) if self.may_dial(address)]
        if failure is None and not allowed:
            refused = ", ".join(answer.addresses[: self.limits.addresses_per_host])
            failure = Failure(FailureKind.POLICY_ADDRESS, printable(f"none of {refused} may be dialled"))
        barred = [address for address in dict.fromkeys(answer.addresses) if not self.may_dial(address)]
        facts = AddressFacts(port, is_srv_target, (), tuple(barred[:_MAX_FACTS]), answer.cname, answer.other_failure)
        if failure is not None:
            conclusion = "; ".join(["nowhere to connect to", *notes])
            self._note(Question.ADDRESSES, host, failure, conclusion, answer, answer.ttl_s, facts)
            return failure
        if barred:
            notes.append(f"{len(barred)} that may not be dialled left out")
        chosen = interleave(allowed)[: self.limits.addresses_per_host]
        if len(chosen) < len(allowed):
            notes.append(f"{len(allowed) - len(chosen)} beyond the limit left out")
        conclusion = "; ".join([f"to be tried in this order at port {port}", *notes])
        facts = replace(facts, usable=chosen)
        self._note(Question.ADDRESSES, host, ", ".join(chosen), conclusion, answer, answer.ttl_s, facts)
        return chosen

    def _note_srv(
        self, owner: str, answer: SrvAnswer, heard: str | Failure, conclusion: str, facts: SrvFacts | None = None
    ) -> None:
        self._note(Question.SRV, owner, heard, conclusion, answer, answer.ttl_s, facts)

    def _note(
        self,
        question: Question,
        subject: str,
        heard: str | Failure,
        conclusion: str,
        told: Answer | None = None,
        cache_s: float | None = None,
        facts: Facts | None = None,
    ) -> None:
        duration_s = told.duration_s if told else 0.0
        kept = told.kept if told else None
        if kept is not None:
            cache_s = kept.left_s
        failure = heard if isinstance(heard, Failure) else None
        answer = heard if isinstance(heard, str) else ""
        subject, answer, conclusion = (printable(text, MAX_LINE) for text in (subject, answer, conclusion))
        cached_at = kept.heard_at if kept else None
        self.steps.append(Step(question, subject, answer, conclusion, failure, duration_s, cache_s, cached_at, facts))


def _expect(kind: type[A], answer: Answer) -> A:
    if not isinstance(answer, kind):
        raise TypeError(f"the question wants a {kind.__name__}, got {answer!r}")
    return answer


def _well_known_facts(answer: WellKnownAnswer) -> WellKnownFacts:
    headers = (answer.content_type, answer.cache_control, answer.expires)
    content_type, cache_control, expires = (None if header is None else printable(header) for header in headers)
    redirects = tuple(printable(url, wellknown.MAX_URL) for url in answer.redirects)
    return WellKnownFacts(len(answer.body), content_type, cache_control, expires, redirects, answer.redirect_statuses)


def _after_redirects(answer: WellKnownAnswer) -> str:
    count = len(answer.redirects)
    return f"after {count} redirect{'s' if count > 1 else ''}, the last to {answer.redirects[-1]}: " if count else ""


def _is_usable(record: SrvRecord) -> bool:
    return record.port > 0 and _can_have_addresses(record.target)


def _can_have_addresses(target: str) -> bool:
    # An address as a target is against RFC 2782, but Synapse dials it, so a server that has one does federate.
    return is_ip_literal(target) or (len(target) <= 253 and _HOST.match(target) is not None)


def _unavailable(records: tuple[SrvRecord, ...]) -> Failure:
    if all(not record.target for record in records):
        detail = "the target is '.': the service is decidedly not available (RFC 2782)"
    else:
        detail = printable(f"no target that can be dialled: {_spell(records[:8])}")
    return Failure(FailureKind.DNS_SRV_UNAVAILABLE, detail)


def _spell(records: Iterable[SrvRecord]) -> str:
    """As zone files do: priority, weight, port, target."""
    return "; ".join(f"{r.priority} {r.weight} {r.port} {r.target}." for r in records)
