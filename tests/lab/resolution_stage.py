"""One resolution case played over real sockets, by the practice federation's own pieces: its DNS server, certificates,
HTTP server, refusing and silent ports.

A case names addresses of the public internet. `--connect` rules lead all of them to 127.0.0.1, so that the guard judges
what it would judge on a live crawl and nothing leaves this machine.
"""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import trio

from crawler.config import Limits, Settings
from crawler.config import Network as NetworkSettings
from crawler.errors import FailureKind
from crawler.lab.certificates import Authority, Contexts, HostCertificates
from crawler.lab.dns import Answers, serve_dns
from crawler.lab.fronts import NOT_FOUND_PAGE
from crawler.lab.network import Certificate, DnsConduct, Record, RecordType
from crawler.lab.sockets import refusing_port, silent_port
from crawler.lab.world import Zone
from crawler.listen.http import listening_port, open_listeners, serve
from crawler.listen.message import TEXT, Request, Response
from crawler.model.discovery import Resolution
from crawler.model.names import parse_server_name
from crawler.net.transport import Network
from tests.protocol.resolution_cases import Case, Hosts, Http
from tests.protocol.resolution_table import SEED

WEB = "93.184.216.200"
"""Address of a web host to which the case gives none: its table of .well-known answers needs none, a socket does."""
WELL_KNOWN_PATH = "/.well-known/matrix/server"
WEB_PORTS = (443, 8443)
SILENCE_S = 2.0
"""How long a case waits in which somebody is silent; the others wait as long as anybody does."""

CONDUCT = {
    FailureKind.DNS_SERVFAIL: DnsConduct.SERVFAIL,
    FailureKind.DNS_REFUSED: DnsConduct.REFUSED,
    FailureKind.DNS_NOT_IMPLEMENTED: DnsConduct.NOT_IMPLEMENTED,
    FailureKind.DNS_TIMEOUT: DnsConduct.SILENT,
    FailureKind.DNS_MALFORMED: DnsConduct.GIBBERISH,
}
FAMILIES = (RecordType.A, RecordType.AAAA)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A request that a web server of the case got; `sni` from the handshake."""

    sni: str | None
    host: str
    target: str


@dataclass(frozen=True, slots=True)
class Played:
    """What the crawler concluded, and what the servers of the case saw of it."""

    resolution: Resolution
    dns: Answers
    requests: list[Sighting]


@dataclass(frozen=True, slots=True)
class Theatre:
    """What all cases share."""

    authority: Authority
    ca: Path
    refusing: int
    silent: int

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Theatre"]:
        authority = Authority(datetime.now(UTC))
        ca = folder / "ca.pem"
        ca.write_bytes(authority.pem())
        with ExitStack() as held:
            yield cls(authority, ca, held.enter_context(refusing_port()), held.enter_context(silent_port()))

    async def play(self, case: Case) -> Played:
        """Put the case's servers up, resolve its name with our own network, take them down."""
        seen: list[Sighting] = []
        async with trio.open_nursery() as nursery:
            dns_port, answers = await nursery.start(_serve_dns, zone_of(case))
            async with self._web(case, seen) as web:
                rules = [f"*:{port}=127.0.0.1:{web}" for port in WEB_PORTS]
                network = NetworkSettings(
                    dns=f"127.0.0.1:{dns_port}",
                    ca=str(self.ca),
                    connect=(*rules, f"*:*=127.0.0.1:{self.refusing}"),
                )
                settings = Settings(limits=limits_of(case), network=network)
                name = parse_server_name(case.server_name)
                async with (
                    Network(settings, version="1.2.3", rng=random.Random(SEED)) as way_out,
                    way_out.visit(name) as session,
                ):
                    resolution = await session.resolve()
            nursery.cancel_scope.cancel()
        return Played(resolution, answers, seen)

    @asynccontextmanager
    async def _web(self, case: Case, seen: list[Sighting]) -> AsyncIterator[int]:
        """The port behind 443 of every web host of the case."""
        outcome = well_known_of(case)
        if outcome is FailureKind.TCP_REFUSED or outcome is FailureKind.TCP_TIMEOUT:
            yield self.refusing if outcome is FailureKind.TCP_REFUSED else self.silent
            return
        kinds: HostCertificates = {}
        if outcome is FailureKind.TLS_WRONG_NAME:
            kinds[None, host_of(case)] = Certificate.WRONG_NAME
        tls = Contexts(self.authority, kinds, [WEB]).listening_on(443)
        pages = pages_of(case)

        async def answer(request: Request) -> Response | None:
            host = request.header(b"host") or ""
            seen.append(Sighting(request.sni, host, request.target))
            return pages.get(f"https://{host}{request.target}", NOT_FOUND_PAGE)

        listeners = await open_listeners("127.0.0.1", 0)
        async with trio.open_nursery() as nursery:

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                await serve(answer, listeners, tls=tls, task_status=task_status)

            await nursery.start(run)
            yield listening_port(listeners[0])
            nursery.cancel_scope.cancel()


async def _serve_dns(zone: Zone, *, task_status: trio.TaskStatus[tuple[int, Answers]]) -> None:
    await serve_dns(zone, in_order=True, task_status=task_status)


def host_of(case: Case) -> str:
    return parse_server_name(case.server_name).host.lower()


def asks_well_known(case: Case) -> bool:
    """Step 3 applies to names without port that are no IP literal."""
    name = parse_server_name(case.server_name)
    return not name.is_ip and name.port is None


def well_known_of(case: Case) -> Http | FailureKind:
    return case.well_known.get(host_of(case), Http(b"not found", 404, "text/plain"))


def limits_of(case: Case) -> Limits:
    """Unpaced; short only where somebody is silent."""
    limits = {"address_concurrency": 100, "address_rate_per_s": 1e6}
    outcomes = {*case.hosts.values(), *case.srv.values()}
    if outcomes & {FailureKind.DNS_TIMEOUT, FailureKind.DNS_MALFORMED}:
        limits["dns_timeout_s"] = SILENCE_S
    if well_known_of(case) is FailureKind.TCP_TIMEOUT:
        limits["connect_timeout_s"] = SILENCE_S
    return Limits(**limits)  # type: ignore[arg-type]  # each limit by its own name


def chain_of(case: Case) -> list[str]:
    """The URLs that a reader of the .well-known comes to, in order, until one does not redirect."""
    first = f"https://{host_of(case)}{WELL_KNOWN_PATH}"
    outcome = well_known_of(case)
    return [first, *outcome.redirects] if isinstance(outcome, Http) else [first]


def pages_of(case: Case) -> dict[str, Response]:
    """URL -> what is there."""
    chain = chain_of(case)
    pages = {
        url: Response(status, b"", TEXT, ((b"location", after.encode()),))
        for url, after, status in zip(chain, chain[1:], (301, 308, 307, 302), strict=False)
    }
    pages[chain[-1]] = _page(case, well_known_of(case), chain[-1])
    return pages


def _page(case: Case, outcome: Http | FailureKind, url: str) -> Response:
    def redirect(location: str) -> Response:
        return Response(302, b"", TEXT, ((b"location", location.encode()),))

    match outcome:
        case Http(body, status, content_type):
            return Response(status, body, (content_type or "").encode())
        case FailureKind.HTTP_TOO_LARGE:
            return Response(200, b'{"m.server": "d.example:443"}' + b" " * 50 * 1024)
        case FailureKind.WELL_KNOWN_REDIRECTS:
            return redirect(url)
        case FailureKind.HTTP_REDIRECT:
            return redirect(f"http://{host_of(case)}/")
        case FailureKind.POLICY_ADDRESS:
            return redirect("https://10.0.0.1/")
        case _:
            return NOT_FOUND_PAGE


def zone_of(case: Case) -> Zone:
    """What DNS says in the case: 300 s long of SRV records, 60 s of addresses, as the table's other reader has it."""
    zone = Zone()
    for name, outcome in case.hosts.items():
        _add_host(zone, name.lower(), outcome)
    for owner, records in case.srv.items():
        if records == () or records is FailureKind.DNS_NODATA:
            zone.add_name(owner)
        elif isinstance(records, FailureKind):
            zone.type_conduct[owner, RecordType.SRV] = CONDUCT[records]
        else:
            for priority, weight, port, target in records:
                data = f"{priority} {weight} {port} {target.replace(' ', chr(92) + '032')}."
                zone.add(Record(owner, RecordType.SRV, data, 300))
    if asks_well_known(case) and well_known_of(case) not in (FailureKind.DNS_NXDOMAIN, FailureKind.DNS_NODATA):
        hosts = {urlsplit(url).hostname or "" for url in chain_of(case)}
        for host in hosts - {name.lower() for name in case.hosts}:
            zone.add(Record(host, RecordType.A, WEB, 60))
    return zone


def _add_host(zone: Zone, name: str, outcome: Hosts | FailureKind) -> None:
    if outcome is FailureKind.DNS_NODATA:
        zone.add_name(name)
        return
    if isinstance(outcome, FailureKind):
        zone.type_conduct.update({(name, family): CONDUCT[outcome] for family in FAMILIES})
        return
    owner = name
    if outcome.cname is not None:
        zone.add(Record(name, RecordType.CNAME, f"{outcome.cname}.", 60))
        owner = outcome.cname
    for address in outcome.addresses:
        zone.add(Record(owner, RecordType.AAAA if ":" in address else RecordType.A, address, 60))
    if outcome.other_failure is not None:
        (missing,) = [family for family in FAMILIES if (owner, family) not in zone.records]
        zone.type_conduct[name, missing] = CONDUCT[outcome.other_failure]
