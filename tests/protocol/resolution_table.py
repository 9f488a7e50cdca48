"""The sans-io core, answered from the table of resolution cases (or from a list of answers)."""

import random
from collections.abc import Generator, Iterable

from crawler.config import Limits
from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Resolution, SrvRecord
from crawler.model.names import parse_server_name
from crawler.protocol.addresses import AddressPolicy
from crawler.protocol.discovery import resolve
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
from tests.protocol.resolution_cases import Case, Http

SEED = 7
"""Of the draw among SRV targets of one priority."""
LIMITS = Limits()
POLICY = AddressPolicy()


def failed(kind: FailureKind) -> Failure:
    return Failure(kind, "as the table says")


def answer_from(case: Case, ask: Ask) -> Answer:
    """What the world of `case` answers. DNS does not care for case; a table may spell a name in any."""
    match ask:
        case AskWellKnown(host):
            page = case.well_known.get(host, Http(b"not found", 404, "text/plain"))
            if isinstance(page, FailureKind):
                return WellKnownAnswer(failure=failed(page), duration_s=0.5)
            return WellKnownAnswer(page.status, page.body, page.content_type, redirects=page.redirects, duration_s=0.5)
        case AskSrv(owner):
            records = case.srv.get(owner, FailureKind.DNS_NXDOMAIN)
            if isinstance(records, FailureKind):
                return SrvAnswer(failure=failed(records), ttl_s=30)
            return SrvAnswer(tuple(SrvRecord(*record) for record in records), ttl_s=300)
        case AskAddresses(host):
            hosts = case.hosts.get(host, FailureKind.DNS_NXDOMAIN)
            if isinstance(hosts, FailureKind):
                return AddressAnswer(failure=failed(hosts))
            other = None if hosts.other_failure is None else failed(hosts.other_failure)
            return AddressAnswer(hosts.addresses, 60, hosts.cname, other_failure=other)


def spell(ask: Ask) -> str:
    match ask:
        case AskWellKnown(host):
            return f"well_known {host}"
        case AskSrv(owner):
            return f"srv {owner}"
        case AskAddresses(host):
            return f"addresses {host}"


def drive(
    resolution: Generator[Ask, Answer, Resolution], answers: Iterable[Answer] | Case, bound: int = 1000
) -> tuple[Resolution, list[Ask]]:
    asked: list[Ask] = []
    supply = None if isinstance(answers, Case) else iter(answers)
    try:
        ask = next(resolution)
        while len(asked) < bound:
            asked.append(ask)
            if isinstance(answers, Case):
                ask = resolution.send(answer_from(answers, ask))
            else:
                assert supply is not None
                ask = resolution.send(next(supply))
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"{bound} questions and no end")


def run(case: Case, limits: Limits = LIMITS) -> tuple[Resolution, list[Ask]]:
    name = parse_server_name(case.server_name)
    return drive(resolve(name, may_dial=POLICY.may_dial, rng=random.Random(SEED), limits=limits), case)
