"""The table of resolution cases over real sockets: our own DNS client, TLS, HTTP and redirects against practice servers
that play what each case says, and the outcome compared with that of the sans-io core, step by step."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trio

from crawler.errors import FailureKind
from crawler.model.discovery import Question, Resolution
from crawler.protocol.questions import Ask, AskAddresses, AskSrv, AskWellKnown
from tests.lab.resolution_stage import Played, Sighting, Theatre, chain_of, host_of, well_known_of
from tests.protocol.resolution_cases import CASES, Case, Hosts
from tests.protocol.resolution_table import POLICY, run

AT_ONCE = 12
"""Cases under way together; those in which somebody is silent mostly sleep."""

NO_REQUEST = (
    FailureKind.DNS_NXDOMAIN,
    FailureKind.DNS_NODATA,
    FailureKind.TCP_REFUSED,
    FailureKind.TCP_TIMEOUT,
    FailureKind.TLS_WRONG_NAME,
)
"""Outcomes of a .well-known fetch that come before any request."""


def concluded(resolution: Resolution) -> dict[str, Any]:
    """All that a case decides. How long an answer holds is compared where the table says it: not for look-ups that
    failed, of which DNS says it in its own way."""
    return {
        "branch": resolution.branch,
        "places": [(e.address, e.port, e.host_header, e.tls_name, e.via) for e in resolution.endpoints],
        "failure": resolution.failure and resolution.failure.kind,
        "delegated": resolution.delegated and resolution.delegated.raw,
        "steps": [
            (
                step.question,
                step.subject,
                step.answer,
                step.conclusion,
                step.failure and step.failure.kind,
                step.cache_s if step.failure is None or step.question is Question.WELL_KNOWN else None,
            )
            for step in resolution.steps
        ],
    }


def seen(case: Case, played: Played) -> dict[str, Any]:
    """What the case's servers were asked. Addresses of web hosts are asked for the .well-known as well."""
    web = {urlsplit(url).hostname for url in chain_of(case)}
    aliases = {hosts.cname for hosts in case.hosts.values() if isinstance(hosts, Hosts)}
    return {
        "srv": {name for kind, name in played.dns.asked_for if kind == "SRV"},
        "hosts": {name for kind, name in played.dns.asked_for if kind == "A"} - web - aliases,
        "requests": played.requests,
    }


def to_be_seen(case: Case, asks: list[Ask]) -> dict[str, Any]:
    web = {urlsplit(url).hostname for url in chain_of(case)}
    hosts = {ask.host.lower() for ask in asks if isinstance(ask, AskAddresses)}
    return {
        "srv": {ask.owner.lower() for ask in asks if isinstance(ask, AskSrv)},
        "hosts": hosts - web,
        "requests": to_be_requested(case) if any(isinstance(ask, AskWellKnown) for ask in asks) else [],
    }


def to_be_requested(case: Case) -> list[Sighting]:
    """The .well-known and what it redirects to, each with the Host header and the SNI of its own URL, once."""
    hosts = case.hosts.get(host_of(case))
    forbidden = isinstance(hosts, Hosts) and not any(POLICY.may_dial(address) for address in hosts.addresses)
    if well_known_of(case) in NO_REQUEST or forbidden:
        return []
    urls = [urlsplit(url) for url in chain_of(case)]
    return [Sighting(url.hostname, url.netloc, url.path) for url in urls]


def differences(case: Case, played: Played) -> list[str]:
    resolution, asks = run(case)
    ours = concluded(played.resolution) | seen(case, played)
    table = concluded(resolution) | to_be_seen(case, asks)
    return [f"{what}: {ours[what]}, not {table[what]}" for what in table if ours[what] != table[what]]


async def test_every_case_ends_over_sockets_as_the_table_says(tmp_path: Path) -> None:
    """All of them: no case is left out, for all can be had on sockets."""
    wrong: list[str] = []
    played_out: list[Case] = []
    slots = trio.CapacityLimiter(AT_ONCE)

    async def play(case: Case) -> None:
        async with slots:
            played = await theatre.play(case)
        played_out.append(case)
        wrong.extend(f"{case.section} {case.title}: {line}" for line in differences(case, played))

    with Theatre.open(tmp_path) as theatre:
        async with trio.open_nursery() as nursery:
            for case in CASES:
                nursery.start_soon(play, case)
    assert not wrong, "\n".join(wrong)
    assert len(played_out) == len(CASES) >= 60
