"""Practice servers behind every branch of the resolution algorithm, to see where a peer arrives and what it says there.

Each `Crossroad` is a server name, what DNS and the name's web server say of it, and a server at the place where the
specification leads (server-server API, "Resolving server names"). That server remembers the address, the TLS name and
the Host header of whoever arrives. Apart from `broken`: there one thing is wrong with a real homeserver, here all is
well and only the way differs.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.synapse.federation import Network, free_places, json_reply, web_server
from tests.synapse.front import Front, Place, Reply

DEFAULT_PORT = 8448
IPV6_LOOPBACK = "::1"
"""The one IPv6 address that may be bound freely."""

WELL_KNOWN = "/.well-known/matrix/server"
DIRECTORY = "/_matrix/federation/v1/query/directory"
VERSION = "/_matrix/federation/v1/version"


@dataclass(frozen=True, slots=True)
class Crossroad:
    """One name and the way from it.

    In every text `{n}` stands for the crossroad's domain, `{a}`, `{b}` and `{c}` for three addresses, `{p}` for a port.
    `records` are lines of a zone file, or FAIL and the code that DNS answers with. At `{a}` is the domain's web server,
    if `well_known` says what it answers (after a redirect of that status, if `redirect` is given). At `{b}`, which with
    `ipv6` is ::1, is the homeserver, on `port` (None: on `{p}`), with a certificate for `certified`. At `{c}` there is
    nobody. `branch` is where the specification leads, with `host_header` (None: the server name); None
    where it leads nowhere, and the homeserver is there to notice who comes all the same. `synapse_differs` says why
    Synapse is known not to arrive where the specification leads.
    """

    key: str
    name: str
    branch: str | None
    certified: str = "{n}"
    host_header: str | None = None
    records: tuple[str, ...] = ()
    well_known: str | None = None
    redirect: int | None = None
    port: int | None = None
    ipv6: bool = False
    synapse_differs: str | None = None


def _delegating(
    key: str, branch: str, to: str, *records: str, certified: str, port: int | None = None, ipv6: bool = False
) -> Crossroad:
    answer = json.dumps({"m.server": to})
    return Crossroad(key, "{n}", branch, certified, to, records, answer, port=port, ipv6=ipv6)


CROSSROADS = (
    Crossroad("ip-port", "{b}:{p}", "1", "{b}"),
    Crossroad("ip", "{b}", "1", "{b}", port=DEFAULT_PORT),
    Crossroad("ipv6-port", "[{b}]:{p}", "1", "{b}", ipv6=True),
    Crossroad("port", "{n}:{p}", "2", records=("{n} A {b}",)),
    Crossroad("port-aaaa", "{n}:{p}", "2", records=("{n} AAAA {b}",), ipv6=True),
    Crossroad("port-srv-ignored", "{n}:{p}", "2", records=("{n} A {b}", "_matrix-fed._tcp.{n} SRV 1 1 {p} dead.{n}.")),
    _delegating("delegate-ip-port", "3.1", "{b}:{p}", certified="{b}"),
    _delegating("delegate-ip", "3.1", "{b}", certified="{b}", port=DEFAULT_PORT),
    _delegating("delegate-ipv6-port", "3.1", "[{b}]:{p}", certified="{b}", ipv6=True),
    _delegating("delegate-port", "3.2", "to.{n}:{p}", "to.{n} A {b}", certified="to.{n}"),
    _delegating("delegate-upper-case", "3.2", "TO.{n}:{p}", "to.{n} A {b}", certified="to.{n}"),
    _delegating("delegate-cname", "3.2", "to.{n}:{p}", "to.{n} CNAME at.{n}.", "at.{n} A {b}", certified="to.{n}"),
    _delegating(
        "delegate-srv",
        "3.3",
        "to.{n}",
        "_matrix-fed._tcp.to.{n} SRV 10 5 {p} at.{n}.",
        "_matrix._tcp.to.{n} SRV 10 5 {p} dead.{n}.",
        "at.{n} A {b}",
        "dead.{n} A {c}",
        certified="to.{n}",
    ),
    _delegating(
        "delegate-srv-old",
        "3.4",
        "to.{n}",
        "_matrix._tcp.to.{n} SRV 10 5 {p} at.{n}.",
        "at.{n} A {b}",
        certified="to.{n}",
    ),
    _delegating("delegate-default", "3.5", "to.{n}", "to.{n} A {b}", certified="to.{n}", port=DEFAULT_PORT),
    Crossroad("srv", "{n}", "4", records=("_matrix-fed._tcp.{n} SRV 10 5 {p} at.{n}.", "at.{n} A {b}")),
    Crossroad("srv-old", "{n}", "5", records=("_matrix._tcp.{n} SRV 10 5 {p} at.{n}.", "at.{n} A {b}")),
    Crossroad(
        "srv-both",
        "{n}",
        "4",
        records=(
            "_matrix-fed._tcp.{n} SRV 10 5 {p} at.{n}.",
            "_matrix._tcp.{n} SRV 1 5 {p} dead.{n}.",
            "at.{n} A {b}",
            "dead.{n} A {c}",
        ),
    ),
    Crossroad(
        "srv-first-dead",
        "{n}",
        "4",
        records=(
            "_matrix-fed._tcp.{n} SRV 1 5 {p} dead.{n}.",
            "_matrix-fed._tcp.{n} SRV 2 5 {p} none.{n}.",
            "_matrix-fed._tcp.{n} SRV 3 5 {p} at.{n}.",
            "at.{n} A {b}",
            "dead.{n} A {c}",
        ),
    ),
    Crossroad(
        "srv-cname",
        "{n}",
        "4",
        records=("_matrix-fed._tcp.{n} SRV 10 5 {p} to.{n}.", "to.{n} CNAME at.{n}.", "at.{n} A {b}"),
    ),
    Crossroad("srv-root", "{n}", None, records=("_matrix-fed._tcp.{n} SRV 0 0 0 .", "{n} A {b}"), port=DEFAULT_PORT),
    Crossroad(
        "srv-dead-not-default",
        "{n}",
        None,
        records=("_matrix-fed._tcp.{n} SRV 1 5 {p} none.{n}.", "{n} A {b}"),
        port=DEFAULT_PORT,
    ),
    Crossroad(
        "srv-servfail",
        "{n}",
        None,
        records=("_matrix-fed._tcp.{n} FAIL SERVFAIL", "{n} A {b}"),
        port=DEFAULT_PORT,
    ),
    Crossroad("default", "{n}", "6", records=("{n} A {b}",), port=DEFAULT_PORT),
    Crossroad("default-cname", "{n}", "6", records=("{n} CNAME at.{n}.", "at.{n} A {b}"), port=DEFAULT_PORT),
    Crossroad(
        "web-no-json",
        "{n}",
        "4",
        records=("_matrix-fed._tcp.{n} SRV 10 5 {p} at.{n}.", "at.{n} A {b}"),
        well_known="<!DOCTYPE html>",
    ),
    Crossroad(
        "web-empty-server",
        "{n}",
        "4",
        records=("_matrix-fed._tcp.{n} SRV 10 5 {p} at.{n}.", "at.{n} A {b}"),
        well_known='{"m.server": ""}',
    ),
    Crossroad(
        "web-url",
        "{n}",
        "4",
        records=("_matrix-fed._tcp.{n} SRV 10 5 {p} at.{n}.", "at.{n} A {b}"),
        well_known='{"m.server": "https://to.{n}"}',
        synapse_differs="it takes whatever text m.server is for a host, and dials the host named https",
    ),
    Crossroad(
        "web-redirect",
        "{n}",
        "3.2",
        "to.{n}",
        "to.{n}:{p}",
        records=("to.{n} A {b}",),
        well_known='{"m.server": "to.{n}:{p}"}',
        redirect=302,
    ),
    Crossroad(
        "web-redirect-308",
        "{n}",
        "3.2",
        "to.{n}",
        "to.{n}:{p}",
        records=("to.{n} A {b}",),
        well_known='{"m.server": "to.{n}:{p}"}',
        redirect=308,
    ),
)


Arrival = tuple[Place, str | None, str]
"""Address and port, TLS name in lower case (an IP literal sends none), Host header."""


@dataclass(frozen=True, slots=True)
class PutUp:
    """A crossroad as it stands. `expected` is how a peer arrives by the specification; None where it must not."""

    crossroad: Crossroad
    name: str
    expected: Arrival | None
    homeserver: Front

    def arrivals(self, agent: str) -> set[Arrival]:
        """How every request arrived whose user agent contains `agent`."""
        return {
            (seen.at, seen.sni.lower() if seen.sni is not None else None, seen.host)
            for seen in self.homeserver.seen
            if agent in seen.user_agent
        }


@contextlib.contextmanager
def put_up(network: Network, host: int = 100) -> Iterator[dict[str, PutUp]]:
    """Put all crossroads up, three of the network's addresses each, from `host` on; by key.

    Those of IPv6 are left out on a machine that has no ::1.
    """
    with contextlib.ExitStack() as stack:
        yield {
            crossroad.key: _put_up(stack, network, crossroad, host + 3 * number)
            for number, crossroad in enumerate(CROSSROADS)
            if not crossroad.ipv6 or _has_ipv6()
        }


def _has_ipv6() -> bool:
    try:
        free_places(IPV6_LOOPBACK, 1)
    except OSError:
        return False
    return True


def _put_up(stack: contextlib.ExitStack, network: Network, crossroad: Crossroad, host: int) -> PutUp:
    a, b, c = (network.address(host + offset) for offset in range(3))
    if crossroad.ipv6:
        b = IPV6_LOOPBACK
    domain = f"{crossroad.key}.test"
    ((_, free),) = free_places(b, 1)
    at = (b, crossroad.port or free)

    def filled(text: str) -> str:
        for letter, value in (("n", domain), ("a", a), ("b", b), ("c", c), ("p", str(free))):
            text = text.replace(f"{{{letter}}}", value)
        return text

    records: dict[tuple[str, str], list[str]] = {}
    for record in crossroad.records:
        owner, kind, value = filled(record).split(" ", 2)
        records.setdefault((owner, kind), []).append(value)
    for (owner, kind), values in records.items():
        if kind == "FAIL":
            network.dns.fail(owner, *values)
        else:
            network.dns.put(owner, kind, *values)
    if crossroad.well_known is not None:
        www = f"www.{domain}"
        routes = _web_routes(filled(crossroad.well_known), crossroad.redirect, www)
        network.dns.put(www, "A", a)
        stack.enter_context(web_server(network, domain, host, routes, also=[www]))

    name, certified = filled(crossroad.name), filled(crossroad.certified)
    routes = {
        VERSION: json_reply({"server": {"name": "Practice", "version": "1"}}),
        DIRECTORY: json_reply({"room_id": f"!practice:{domain}", "servers": [name]}),
    }
    certificate = network.authority.issue(f"at-{domain}", [certified])
    homeserver = stack.enter_context(Front([at], certificate, routes=routes))
    expected = None
    if crossroad.branch is not None:
        header = filled(crossroad.host_header) if crossroad.host_header is not None else name
        expected = at, None if certified == b else certified, header
    return PutUp(crossroad, name, expected, homeserver)


def _web_routes(answer: str, redirect: int | None, www: str) -> dict[str, Reply]:
    final = Reply(200, answer.encode())
    if redirect is None:
        return {WELL_KNOWN: final}
    elsewhere = "/matrix/delegation.json"
    return {WELL_KNOWN: Reply(redirect, headers=(("Location", f"https://{www}{elsewhere}"),)), elsewhere: final}
