"""The two halves of server discovery, written apart, agree: what the world staged and what the protocol's algorithm
concludes when a stranger puts its questions to the real DNS and web servers of the practice federation."""

import random
import ssl

import dns.rcode
import pytest
import trio

from crawler.config import Limits
from crawler.errors import Failure, FailureKind
from crawler.lab.deaths import DEATHS, Reached
from crawler.lab.hosting import ALLOWED
from crawler.lab.truth import Truth
from crawler.model.discovery import Branch, Resolution, SrvRecord
from crawler.model.names import parse_server_name
from crawler.protocol import discovery
from crawler.protocol.addresses import AddressPolicy
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
from tests.lab.conftest import LabMaker
from tests.lab.peer import Stranger, records_of

REDIRECTS = 5
BODY_BYTES = 50 * 1024
RCODES = {
    dns.rcode.NXDOMAIN: FailureKind.DNS_NXDOMAIN,
    dns.rcode.SERVFAIL: FailureKind.DNS_SERVFAIL,
    dns.rcode.REFUSED: FailureKind.DNS_REFUSED,
}
LIMITS = Limits(addresses_per_host=64)


async def lookup(stranger: Stranger, name: str, kind: str) -> list[str] | Failure:
    try:
        answer = await stranger.query(name, kind)
    except trio.TooSlowError:
        return Failure(FailureKind.DNS_TIMEOUT)
    if answer.rcode() != dns.rcode.NOERROR:
        return Failure(RCODES[answer.rcode()])
    return records_of(answer, kind) or Failure(FailureKind.DNS_NODATA)


async def answer(stranger: Stranger, ask: Ask) -> Answer:
    match ask:
        case AskSrv(owner):
            found = await lookup(stranger, owner, "SRV")
            if isinstance(found, Failure):
                return SrvAnswer(failure=found)
            rows = [record.split() for record in found]
            return SrvAnswer(tuple(SrvRecord(int(p), int(w), int(port), t.rstrip(".")) for p, w, port, t in rows))
        case AskAddresses(host):
            v6, v4 = await lookup(stranger, host, "AAAA"), await lookup(stranger, host, "A")
            addresses = [a for part in (v6, v4) if isinstance(part, list) for a in part]
            if not addresses:
                assert isinstance(v4, Failure)
                return AddressAnswer(failure=v4)
            return AddressAnswer(tuple(addresses))
        case AskWellKnown(host):
            return await well_known(stranger, f"https://{host}/.well-known/matrix/server")


async def well_known(stranger: Stranger, url: str) -> WellKnownAnswer:
    hops: list[str] = []
    while len(hops) <= REDIRECTS:
        try:
            page = await stranger.get_url(url)
        except (trio.TooSlowError, LookupError, ssl.SSLError, OSError, EOFError):
            return WellKnownAnswer(failure=Failure(FailureKind.TCP_OTHER))
        if "location" not in page.headers:
            if len(page.body) > BODY_BYTES:
                return WellKnownAnswer(failure=Failure(FailureKind.HTTP_TOO_LARGE))
            return WellKnownAnswer(page.status, page.body, redirects=tuple(hops))
        url = page.headers["location"]
        hops.append(url)
    return WellKnownAnswer(failure=Failure(FailureKind.WELL_KNOWN_REDIRECTS))


async def resolve(stranger: Stranger, name: str) -> Resolution:
    policy = AddressPolicy(ALLOWED)
    steps = discovery.resolve(parse_server_name(name), may_dial=policy.may_dial, rng=random.Random(1), limits=LIMITS)
    try:
        ask = next(steps)
        while True:
            ask = steps.send(await answer(stranger, ask))
    except StopIteration as end:
        resolution: Resolution = end.value
        return resolution


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_the_algorithm_ends_where_the_world_put_the_server(lab: LabMaker, seed: int) -> None:
    async with lab(servers=300, seed=seed) as stranger:
        stranger.waits_s = 2.0  # long enough for a busy machine: who is silent stays so
        world = stranger.lab.world
        found: dict[int, Resolution] = {}
        limit = trio.CapacityLimiter(60)

        async def one(index: int) -> None:
            async with limit:
                found[index] = await resolve(stranger, world.names[index])

        async with trio.open_nursery() as nursery:
            for index in range(world.size):
                nursery.start_soon(one, index)
        for index, resolution in found.items():
            plan, presence = world.plan(index), world.presence(index)
            what = f"{presence.name}: {plan.branch} {plan.death} {plan.front} {plan.quirk}"
            if plan.death is not None and DEATHS[plan.death].reached < Reached.RESOLVES:
                assert resolution.failure is not None, what
                assert resolution.failure.kind == DEATHS[plan.death].kind, what
                continue
            assert resolution.branch == plan.branch, what
            assert (resolution.delegated.raw if resolution.delegated else None) == presence.delegated, what
            priority = {
                (target.address, target.port, target.host_header, target.tls_name): target.priority
                for target in presence.targets
            }
            ends = [(e.address, e.port, e.host_header, e.tls_name) for e in resolution.endpoints]
            assert set(ends) == set(priority), what
            assert [priority[end] for end in ends] == sorted(priority.values()), what
        everything = {world.plan(index).branch for index in found}
        assert everything == set(Branch)
        # Nobody was led astray: no request came to a port or under a name that is not some server's.
        assert not [s for s in stranger.lab.seen.sightings if s.server is None and s.host != ""]


async def test_what_resolves_is_what_the_truth_says(lab: LabMaker) -> None:
    """The document says the same as the tables that the test above was held against."""
    async with lab() as stranger:
        world = stranger.lab.world
        servers = Truth(world).document()["servers"]
        assert isinstance(servers, dict)
        for index, name in enumerate(world.names):
            said, presence = servers[name], world.presence(index)
            assert said["delegated"] == presence.delegated
            assert [(e["address"], e["port"]) for e in said["endpoints"]] == [
                (t.address, t.port) for t in presence.targets
            ]
            assert said["predicates"]["resolves"] == bool(presence.targets)
            assert (said["branch"] is not None) == bool(presence.targets)
