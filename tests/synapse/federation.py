"""Two real homeservers that federate, everything around them, and an identity for the crawler.

    alpha.test   delegates by .well-known to matrix.alpha.test:PORT            (server-server API, step 3.2)
    beta.test    has no .well-known/matrix/server (404) and an SRV record      (step 4)
    crawler.test:PORT   the name that signs the crawler's requests              (step 2)

Each has addresses of its own in 127.0.0.0/8. The `.well-known` documents are served on port 443 where we may bind it
(as root), so that Synapse dials the real thing; where we may not, a rule sends Synapse's dials of port 443 elsewhere.
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
    """Addresses, names and certificates: what exists before any homeserver does. `block` is the /24 of this run."""

    directory: Path
    block: str
    dns: DnsServer
    authority: Authority

    def address(self, host: int) -> str:
        return f"{self.block}.{host}"


@contextlib.contextmanager
def open_network(directory: Path) -> Iterator[Network]:
    """A DNS server, a certificate authority, and a block of loopback addresses that nobody else is using."""
    block = f"127.{random.SystemRandom().randint(64, 191)}.{random.SystemRandom().randint(0, 255)}"
    with DnsServer() as dns:
        yield Network(directory, block, dns, Authority(directory / "tls"))


def free_places(address: str, count: int) -> list[Place]:
    """TCP ports that nothing listens on at `address`."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((address, 0))
        return [(address, probe.getsockname()[1]) for probe in probes]


@dataclass(frozen=True, slots=True)
class WebServer:
    """The web server of a domain. `rules` send a dial of its port 443 to the port that needs no privilege."""

    front: Front
    on_443: bool
    rule: str


@contextlib.contextmanager
def web_server(network: Network, name: str, host: int, routes: dict[str, Reply]) -> Iterator[WebServer]:
    """A web server at `name`, in DNS and with a good certificate: on port 443 if we may, and on another port always."""
    address = network.address(host)
    network.dns.put(name, "A", address)
    certificate = network.authority.issue(f"web-{name}", [name])
    places: list[Place] = [(address, 0)]
    try:
        front, on_443 = Front([*places, (address, HTTPS)], certificate, routes=routes), True
    except PermissionError:
        front, on_443 = Front(places, certificate, routes=routes), False
    with front:
        yield WebServer(front, on_443, f"{address}:{HTTPS}={address}:{front.places[0][1]}")


def network_options(network: Network, *webs: WebServer) -> list[str]:
    """The options of every verb that meets `network`, with the web servers that are in it."""
    options = ["--dns", str(network.dns), "--ca", str(network.authority.file), "--allow-address", "127.0.0.0/8"]
    for web in webs:
        options += ["--connect", web.rule]
    return options


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
    alpha_web: WebServer
    beta_web: WebServer
    processes: tuple[Process, Process]
    identity: CrawlerIdentity
    people: Population

    @property
    def network_options(self) -> list[str]:
        """The options of every verb that meets this federation."""
        return network_options(self.network, self.alpha_web, self.beta_web)

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
        rules = [web.rule for web in webs if not web.on_443]
        processes = [
            stack.enter_context(running(network, server, rules, options))
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
def running(
    network: Network, server: Homeserver, rules: Sequence[str] = (), options: Options | None = None
) -> Iterator[Process]:
    """A homeserver's process, started but not yet ready."""
    process = Process(server, network.authority.file, network.dns.address, connect=rules, options=options)
    try:
        yield process
    finally:
        process.stop()


def _delegate(
    stack: contextlib.ExitStack, network: Network, alpha: Homeserver, beta: Homeserver
) -> tuple[WebServer, WebServer]:
    """Publish where each homeserver is: alpha by `.well-known`, beta by SRV."""
    network.dns.put(f"matrix.{alpha.name}", "A", alpha.tls[0])
    alpha_at = f"matrix.{alpha.name}:{alpha.tls[1]}"
    alpha_web = web_server(
        network,
        alpha.name,
        1,
        {
            "/.well-known/matrix/server": json_reply({"m.server": alpha_at}),
            "/.well-known/matrix/client": json_reply({"m.homeserver": {"base_url": f"https://{alpha_at}"}}),
        },
    )
    # An SRV target is another name than the one on the certificate, which stays the server's own (step 4).
    network.dns.put(f"host.{beta.name}", "A", beta.tls[0])
    network.dns.put(f"_matrix-fed._tcp.{beta.name}", "SRV", f"10 5 {beta.tls[1]} host.{beta.name}.")
    client_at = f"https://client.{beta.name}:{beta.tls[1]}"
    beta_web = web_server(
        network, beta.name, 11, {"/.well-known/matrix/client": json_reply({"m.homeserver": {"base_url": client_at}})}
    )
    network.dns.put(f"client.{beta.name}", "A", beta.tls[0])
    return stack.enter_context(alpha_web), stack.enter_context(beta_web)
