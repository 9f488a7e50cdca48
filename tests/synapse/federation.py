"""Two real homeservers that federate, everything around them, and an identity for the crawler.

    alpha.test   delegates by .well-known to matrix.alpha.test:PORT            (server-server API, step 3.2)
    beta.test    has no .well-known/matrix/server (404) and an SRV record      (step 4)
    crawler.test:PORT   the name that signs the crawler's requests              (step 2)

Each has addresses of its own in 127.0.0.0/8. The `.well-known` documents are served on port 443 where we may bind it
(as root), so that Synapse dials the real thing; where we may not, its launcher sends its dials of port 443 elsewhere.
The crawler is always sent elsewhere, by its `--connect`.
"""

import base64
import contextlib
import json
import random
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.synapse.certificates import Authority, Certificate
from tests.synapse.dns_server import DnsServer
from tests.synapse.front import Front, Place, Reply
from tests.synapse.homeserver import READY_S, Homeserver, Options, Process
from tests.synapse.population import Population, populate

HTTPS = 443


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses, names and certificates: what exists before any homeserver does.

    `block` is the /24 of this run. `https_port` stands for port 443, at every address; where `on_443`, 443 itself is
    there too.
    """

    directory: Path
    block: str
    dns: DnsServer
    authority: Authority
    https_port: int
    on_443: bool

    def address(self, host: int) -> str:
        return f"{self.block}.{host}"

    @property
    def https_rule(self) -> str:
        """Sends dials of port 443 to the port that needs no privilege, in the spelling of `--connect`."""
        return f"*:{HTTPS}=*:{self.https_port}"

    @property
    def options(self) -> list[str]:
        """The options of every verb that meets this network."""
        options = ["--dns", str(self.dns), "--ca", str(self.authority.file), "--connect", self.https_rule]
        return [*options, "--allow-address", "127.0.0.0/8", "--allow-address", "::1"]


@contextlib.contextmanager
def open_network(directory: Path) -> Iterator[Network]:
    """A DNS server, a certificate authority, and a block of loopback addresses that nobody else is using."""
    pick = random.SystemRandom()
    block = f"127.{pick.randint(64, 191)}.{pick.randint(0, 255)}"
    with DnsServer() as dns:
        # Below the range from which the kernel takes ports for outgoing connections.
        https_port = pick.randint(20_000, 30_000)
        yield Network(directory, block, dns, Authority(directory / "tls"), https_port, _may_bind(f"{block}.1", HTTPS))


def _may_bind(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except PermissionError:
            return False
    return True


def free_places(address: str, count: int) -> list[Place]:
    """TCP ports that nothing listens on at `address`."""
    with contextlib.ExitStack() as stack:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        probes = [stack.enter_context(socket.socket(family)) for _ in range(count)]
        for probe in probes:
            probe.bind((address, 0))
        return [(address, probe.getsockname()[1]) for probe in probes]


def web_server(network: Network, name: str, host: int, routes: dict[str, Reply], *, also: Sequence[str] = ()) -> Front:
    """The web server of a domain: at `name` in DNS, on port 443 or what stands for it, with a good certificate for this
    name and those in `also`."""
    address = network.address(host)
    network.dns.put(name, "A", address)
    places = [(address, network.https_port), *([(address, HTTPS)] if network.on_443 else [])]
    return Front(places, network.authority.issue(f"web-{name}", [name, *also]), routes=routes)


def json_reply(value: Mapping[str, object]) -> Reply:
    return Reply(200, json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class CrawlerIdentity:
    """The crawler's name, its identity file, and the TLS endpoint on which a crawl serves its key."""

    server_name: str
    file: Path
    serve_key: str
    certificate: Certificate


def new_identity(network: Network, domain: str, host: int) -> CrawlerIdentity:
    """A fresh identity under `domain` with an explicit port. Its key ID is random: peers keep the keys they fetched."""
    address = network.address(host)
    ((_, port),) = free_places(address, 1)
    network.dns.put(domain, "A", address)
    name = f"{domain}:{port}"
    file = network.directory / f"identity-{domain}.json"
    seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    file.touch(mode=0o600)
    file.write_text(json.dumps({"server_name": name, "key_id": f"ed25519:c_{secrets.token_hex(6)}", "seed": seed}))
    return CrawlerIdentity(name, file, f"{address}:{port}", network.authority.issue(f"web-{domain}", [domain]))


@dataclass(frozen=True, slots=True)
class Federation:
    network: Network
    alpha: Homeserver
    beta: Homeserver
    alpha_web: Front
    beta_web: Front
    processes: tuple[Process, Process]
    identity: CrawlerIdentity
    people: Population

    @property
    def identity_options(self) -> list[str]:
        """The options of a signed crawl."""
        identity = self.identity
        options = ["--identity", str(identity.file), "--serve-key", identity.serve_key]
        return [*options, "--tls-cert", str(identity.certificate.chain), "--tls-key", str(identity.certificate.key)]


@contextlib.contextmanager
def open_federation(
    directory: Path, *, alpha: Options | None = None, beta: Options | None = None, ready_s: float = READY_S
) -> Iterator[Federation]:
    """Start both homeservers side by side, populate them, and take all down at the end."""
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(open_network(directory))
        servers = (
            make_homeserver(network, "alpha.test", 2, ["matrix.alpha.test"]),
            make_homeserver(network, "beta.test", 12, ["beta.test", "client.beta.test"]),
        )
        webs = _delegate(stack, network, *servers)
        processes = [
            stack.enter_context(running(network, server, options))
            for server, options in zip(servers, (alpha, beta), strict=True)
        ]
        for process in processes:
            process.wait_ready(ready_s)
        people = stack.enter_context(contextlib.closing(populate(*servers)))
        identity = new_identity(network, "crawler.test", 20)
        yield Federation(network, *servers, *webs, (processes[0], processes[1]), identity, people)


def make_homeserver(network: Network, name: str, host: int, certified: Sequence[str]) -> Homeserver:
    """A homeserver at one of the network's addresses, its certificate for the names in `certified`."""
    tls, plain = free_places(network.address(host), 2)
    return Homeserver(name, network.directory / name, tls, plain, network.authority.issue(name, certified))


@contextlib.contextmanager
def running(network: Network, server: Homeserver, options: Options | None = None) -> Iterator[Process]:
    """A homeserver's process, started but not yet ready."""
    rules = [] if network.on_443 else [network.https_rule]
    process = Process(server, network.authority.file, network.dns.address, connect=rules, options=options)
    try:
        yield process
    finally:
        process.stop()


def _delegate(
    stack: contextlib.ExitStack, network: Network, alpha: Homeserver, beta: Homeserver
) -> tuple[Front, Front]:
    """Publish where each homeserver is: alpha by `.well-known`, beta by SRV."""
    network.dns.put(f"matrix.{alpha.name}", "A", alpha.tls[0])
    alpha_at = f"matrix.{alpha.name}:{alpha.tls[1]}"
    alpha_routes = {
        "/.well-known/matrix/server": json_reply({"m.server": alpha_at}),
        "/.well-known/matrix/client": json_reply({"m.homeserver": {"base_url": f"https://{alpha_at}"}}),
    }
    alpha_web = stack.enter_context(web_server(network, alpha.name, 1, alpha_routes))
    # An SRV target is another name than the one on the certificate, which stays the server's own (step 4).
    network.dns.put(f"host.{beta.name}", "A", beta.tls[0])
    network.dns.put(f"_matrix-fed._tcp.{beta.name}", "SRV", f"10 5 {beta.tls[1]} host.{beta.name}.")
    network.dns.put(f"client.{beta.name}", "A", beta.tls[0])
    client_at = f"https://client.{beta.name}:{beta.tls[1]}"
    beta_routes = {"/.well-known/matrix/client": json_reply({"m.homeserver": {"base_url": client_at}})}
    beta_web = stack.enter_context(web_server(network, beta.name, 11, beta_routes))
    return alpha_web, beta_web
