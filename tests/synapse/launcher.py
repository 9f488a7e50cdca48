"""Start Synapse with every name resolved by a DNS server of ours: `python -m tests.synapse.launcher --help`.

A test federation has server names that no DNS knows, and SRV records, which no hosts file can express. Synapse has no
setting for its DNS server, so this module stands between: before anything of Twisted is imported it replaces
`socket.getaddrinfo` (from which Twisted's thread pool takes addresses), and points Twisted's own resolver (from which
Synapse takes SRV records) at the same server. No name is ever asked of the system's resolver.

It is apart from the rest because it runs in the homeserver's process and may import nothing that imports Twisted.
"""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import dns.exception
import dns.resolver

Place = tuple[str, int]
Rule = tuple[tuple[str, str], tuple[str, str]]


def place(text: str) -> Place:
    """`ADDRESS:PORT`."""
    address, _, port = text.rpartition(":")
    return address, int(port)


def connect_rule(text: str) -> Rule:
    """`ADDRESS:PORT=ADDRESS:PORT`; a `*` on the left matches any, a `*` on the right keeps what was there."""
    sides = [tuple(side.rpartition(":")[::2]) for side in text.split("=")]
    if len(sides) != 2 or not all(sides[0] + sides[1]):
        raise ValueError(text)
    (left_address, left_port), (right_address, right_port) = sides
    return (left_address, left_port), (right_address, right_port)


def redirected(address: Place, rules: Sequence[Rule]) -> Place:
    """Where to dial instead of `address`, by the first rule that matches."""
    for (host, port), (new_host, new_port) in rules:
        if host in {"*", address[0]} and port in {"*", str(address[1])}:
            return (
                address[0] if new_host == "*" else new_host,
                address[1] if new_port == "*" else int(new_port),
            )
    return address


def is_local(host: str | bytes | None) -> bool:
    """Whether the system may answer: no host at all, an IP literal, this machine by its usual name."""
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    text = host.decode("ascii") if isinstance(host, bytes) else str(host)
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False


def look_up(resolver: dns.resolver.Resolver, host: str) -> list[str]:
    """The addresses of `host`, IPv6 first, as getaddrinfo would order them on a machine that has both.

    Raises:
        socket.gaierror: as getaddrinfo raises it, apart for "no such name" and "no answer".
    """
    found: list[str] = []
    silent = False
    for kind in ("AAAA", "A"):
        try:
            found += [record.to_text() for record in resolver.resolve(host, kind, search=False)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            continue
        except dns.exception.DNSException:
            silent = True
    if found:
        return found
    if silent:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def resolve_by(dns_server: Place) -> None:
    """Replace `socket.getaddrinfo` for every name that is not local."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns_server[0]]
    resolver.port = dns_server[1]
    resolver.lifetime = 5.0
    original: Callable[..., list[Any]] = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, *rest: Any, **named: Any) -> list[Any]:
        if is_local(host):
            return original(host, port, family, *rest, **named)
        text = host.decode("ascii") if isinstance(host, bytes) else host
        answers: list[Any] = []
        for address in look_up(resolver, text):
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            if family in {0, kind}:
                answers += original(address, port, kind, *rest, **named)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers

    socket.getaddrinfo = getaddrinfo


def redirect_dials(rules: Sequence[Rule]) -> None:
    """Dial another place where a rule says so: port 443 is beyond a user who is not root.

    Twisted dials with `connect_ex`; what Synapse resolved, logs and verifies stays what it was.
    """
    original = socket.socket.connect_ex

    def connect_ex(self: socket.socket, address: Any) -> int:
        return original(self, redirected(address, rules) if self.family == socket.AF_INET else address)

    socket.socket.connect_ex = connect_ex  # type: ignore[assignment, method-assign]  # the purpose of this function


def leave_from(address: str) -> None:
    """Dial from an address of our own, as on a host of our own; on loopback all would come from 127.0.0.1."""
    original = socket.socket.connect_ex

    def connect_ex(self: socket.socket, to: Any) -> int:
        if self.family == socket.AF_INET and self.getsockname()[0] == "0.0.0.0":  # noqa: S104 - not bound yet, it means
            self.bind((address, 0))
        return original(self, to)

    socket.socket.connect_ex = connect_ex  # type: ignore[assignment, method-assign]  # the purpose of this function


def stop_when_orphaned() -> None:
    """Stop when standard input closes: the kernel does that when whoever holds its other end dies, however it dies."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.synapse.launcher", description=__doc__)
    parser.add_argument("-c", "--config", required=True, help="homeserver.yaml")
    parser.add_argument("--dns", required=True, type=place, metavar="ADDRESS:PORT", help="DNS server for every name")
    parser.add_argument(
        "--connect", action="append", default=[], type=connect_rule, metavar="ADDRESS:PORT=ADDRESS:PORT"
    )
    parser.add_argument(
        "--usage-report-every", type=float, metavar="SECONDS", help="instead of after 5 minutes and every 3 hours"
    )
    parser.add_argument("--leave-from", metavar="ADDRESS", help="address that connections leave from")
    parser.add_argument("--until-orphaned", action="store_true", help="stop when standard input closes")
    chosen = parser.parse_args(arguments)

    if "twisted" in sys.modules:
        sys.exit("something imported Twisted before the launcher could take its name resolution over")
    resolve_by(chosen.dns)
    if chosen.connect:
        redirect_dials(chosen.connect)
    if chosen.leave_from:
        leave_from(chosen.leave_from)
    if chosen.until_orphaned:
        stop_when_orphaned()

    # Only now: each of these imports Twisted, and with it a reference to getaddrinfo. Synapse comes first, since it
    # decides which reactor is installed and the resolver installs the default one.
    import synapse.app.homeserver
    import twisted.names.client
    from synapse.app import phone_stats_home
    from synapse.util.duration import Duration

    # Twisted gives its place for the resolver no type, and its resolver none either.
    twisted.names.client.theResolver = twisted.names.client.Resolver(servers=[chosen.dns])  # type: ignore[assignment, no-untyped-call]
    if chosen.usage_report_every is not None:
        phone_stats_home.INITIAL_DELAY_BEFORE_FIRST_PHONE_HOME = Duration(seconds=chosen.usage_report_every)
        phone_stats_home.PHONE_HOME_INTERVAL = Duration(seconds=chosen.usage_report_every)

    sys.argv = ["synapse.app.homeserver", "-c", chosen.config]
    synapse.app.homeserver.main()


if __name__ == "__main__":
    main()
