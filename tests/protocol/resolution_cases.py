"""Resolution cases as data, written from the specification ("Resolving server names") and not from our resolver.

Each case is a small world (.well-known answers, SRV record sets, addresses) and what the specification makes of one
server name in it. The sans-io core is run through all of them; the practice federation may serve the same over sockets.
What is not in a world's tables does not exist there: .well-known answers 404, DNS answers NXDOMAIN.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from crawler.errors import FailureKind
from crawler.model.discovery import Branch

H4, H6 = "93.184.216.34", "2606:2800:220:1::34"
"""Addresses of the host that is named. Globally reachable ones: others may not be dialled."""
D4, D6 = "151.101.1.10", "2a04:4e42::10"
"""Addresses of the delegate."""
T4, T6 = "185.199.108.1", "2a0a:e5c0::1"
"""Addresses of the first SRV target."""
U4 = "185.199.109.2"
"""Address of the second SRV target."""


@dataclass(frozen=True, slots=True)
class Http:
    """What `GET https://HOST/.well-known/matrix/server` ends in, after `redirects`."""

    body: bytes = b""
    status: int = 200
    content_type: str | None = "application/json"
    redirects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hosts:
    """A and AAAA of one name. `cname` when it is an alias; `other_failure` when only one family answered."""

    addresses: tuple[str, ...]
    cname: str | None = None
    other_failure: FailureKind | None = None


Srv: TypeAlias = tuple[tuple[int, int, int, str], ...]
"""Records as zone files spell them: priority, weight, port, target without its last dot ("" is the target ".")."""

Place: TypeAlias = tuple[str, int, str, str]
"""Address, port, Host header, name that the certificate must match and SNI carries."""


@dataclass(frozen=True, slots=True)
class Case:
    """`places` in the order to be tried, or `failure`. `asked`, where given, is everything that may be asked, in order.

    `well_known_failure` is how a .well-known that does not count is called. `section` is the step of the specification.
    """

    title: str
    section: str
    server_name: str
    well_known: Mapping[str, Http | FailureKind] = field(default_factory=dict)
    srv: Mapping[str, Srv | FailureKind] = field(default_factory=dict)
    hosts: Mapping[str, Hosts | FailureKind] = field(default_factory=dict)
    branch: Branch | None = None
    places: tuple[Place, ...] = ()
    failure: FailureKind | None = None
    delegated: str | None = None
    well_known_failure: FailureKind | None = None
    asked: tuple[str, ...] | None = None


def delegate_to(name: object, **keys: object) -> Http:
    return Http(json.dumps({"m.server": name, **keys}).encode())


def at(*addresses: str) -> Hosts:
    return Hosts(addresses)


FED, OLD = "_matrix-fed._tcp.", "_matrix._tcp."
WK, SRV, ADDR = "well_known ", "srv ", "addresses "

STEP_1 = (
    Case(
        "IPv4 literal",
        "1",
        "93.184.216.34",
        branch=Branch.IP_LITERAL,
        places=((H4, 8448, "93.184.216.34", "93.184.216.34"),),
        asked=(),
    ),
    Case(
        "IPv4 literal with a port",
        "1",
        "93.184.216.34:443",
        branch=Branch.IP_LITERAL,
        places=((H4, 443, "93.184.216.34:443", "93.184.216.34"),),
        asked=(),
    ),
    Case(
        "IPv6 literal",
        "1",
        "[2606:2800:220:1::34]",
        branch=Branch.IP_LITERAL,
        places=((H6, 8448, "[2606:2800:220:1::34]", "2606:2800:220:1::34"),),
        asked=(),
    ),
    Case(
        "IPv6 literal with a port",
        "1",
        "[2606:2800:220:1::34]:8449",
        branch=Branch.IP_LITERAL,
        places=((H6, 8449, "[2606:2800:220:1::34]:8449", "2606:2800:220:1::34"),),
        asked=(),
    ),
    Case("private IPv4 literal", "1", "10.1.2.3", failure=FailureKind.POLICY_ADDRESS, asked=()),
    Case("loopback IPv6 literal", "1", "[::1]:8448", failure=FailureKind.POLICY_ADDRESS, asked=()),
    Case("loopback mapped into IPv6", "1", "[::ffff:127.0.0.1]", failure=FailureKind.POLICY_ADDRESS, asked=()),
    Case("private behind NAT64", "1", "[64:ff9b::a00:1]", failure=FailureKind.POLICY_ADDRESS, asked=()),
)

STEP_2 = (
    Case(
        "port: addresses only, whatever else there is",
        "2",
        "example.org:1234",
        well_known={"example.org": delegate_to("other.example:443")},
        srv={FED + "example.org": ((0, 0, 443, "t.example"),), OLD + "example.org": ((0, 0, 443, "t.example"),)},
        hosts={"example.org": at(H4), "other.example": at(D4), "t.example": at(T4)},
        branch=Branch.EXPLICIT_PORT,
        places=((H4, 1234, "example.org:1234", "example.org"),),
        asked=(ADDR + "example.org",),
    ),
    Case(
        "port 8448 stays in the Host header",
        "2",
        "example.org:8448",
        hosts={"example.org": at(H4)},
        branch=Branch.EXPLICIT_PORT,
        places=((H4, 8448, "example.org:8448", "example.org"),),
    ),
    Case(
        "port 443 stays in the Host header",
        "2",
        "example.org:443",
        hosts={"example.org": at(H4)},
        branch=Branch.EXPLICIT_PORT,
        places=((H4, 443, "example.org:443", "example.org"),),
    ),
    Case(
        "families take turns, IPv6 first",
        "2",
        "example.org:1234",
        hosts={"example.org": at(H6, D6, H4, D4, T4)},
        branch=Branch.EXPLICIT_PORT,
        places=tuple((a, 1234, "example.org:1234", "example.org") for a in (H6, H4, D6, D4, T4)),
    ),
    Case(
        "IPv6 only",
        "2",
        "example.org:1234",
        hosts={"example.org": at(H6)},
        branch=Branch.EXPLICIT_PORT,
        places=((H6, 1234, "example.org:1234", "example.org"),),
    ),
    Case(
        "one family fails, the other serves",
        "2",
        "example.org:1234",
        hosts={"example.org": Hosts((H4,), other_failure=FailureKind.DNS_SERVFAIL)},
        branch=Branch.EXPLICIT_PORT,
        places=((H4, 1234, "example.org:1234", "example.org"),),
    ),
    Case(
        "an alias (CNAME): the certificate is of the name asked for",
        "2",
        "example.org:1234",
        hosts={"example.org": Hosts((H4,), cname="hosting.example")},
        branch=Branch.EXPLICIT_PORT,
        places=((H4, 1234, "example.org:1234", "example.org"),),
    ),
    Case(
        "upper case is kept as spelled",
        "2",
        "Example.ORG:1234",
        hosts={"Example.ORG": at(H4)},
        branch=Branch.EXPLICIT_PORT,
        places=((H4, 1234, "Example.ORG:1234", "Example.ORG"),),
    ),
    Case("no such name", "2", "example.org:1234", failure=FailureKind.DNS_NXDOMAIN),
    Case(
        "a name without addresses",
        "2",
        "example.org:1234",
        hosts={"example.org": FailureKind.DNS_NODATA},
        failure=FailureKind.DNS_NODATA,
    ),
    Case(
        "DNS fails",
        "2",
        "example.org:1234",
        hosts={"example.org": FailureKind.DNS_SERVFAIL},
        failure=FailureKind.DNS_SERVFAIL,
    ),
    Case(
        "DNS is silent",
        "2",
        "example.org:1234",
        hosts={"example.org": FailureKind.DNS_TIMEOUT},
        failure=FailureKind.DNS_TIMEOUT,
    ),
    Case(
        "only private addresses",
        "2",
        "example.org:1234",
        hosts={"example.org": at("10.0.0.1", "fd00::1")},
        failure=FailureKind.POLICY_ADDRESS,
    ),
    Case(
        "a private address among public ones",
        "2",
        "example.org:1234",
        hosts={"example.org": at("fd00::1", H6, "192.168.1.1", H4)},
        branch=Branch.EXPLICIT_PORT,
        places=((H6, 1234, "example.org:1234", "example.org"), (H4, 1234, "example.org:1234", "example.org")),
    ),
    Case(
        "a name of one label, on this machine",
        "2",
        "localhost:8448",
        hosts={"localhost": at("::1", "127.0.0.1")},
        failure=FailureKind.POLICY_ADDRESS,
    ),
    Case(
        "more addresses than are looked at",
        "2",
        "example.org:1234",
        hosts={"example.org": at(*(f"93.184.216.{n}" for n in range(1, 30)))},
        branch=Branch.EXPLICIT_PORT,
        places=tuple((f"93.184.216.{n}", 1234, "example.org:1234", "example.org") for n in range(1, 9)),
    ),
)

STEP_3_1 = (
    Case(
        "delegate is an IPv4 literal",
        "3.1",
        "example.org",
        well_known={"example.org": delegate_to(D4)},
        branch=Branch.WELL_KNOWN_IP,
        places=((D4, 8448, D4, D4),),
        delegated=D4,
        asked=(WK + "example.org",),
    ),
    Case(
        "delegate is an IPv4 literal with a port",
        "3.1",
        "example.org",
        well_known={"example.org": delegate_to(f"{D4}:443")},
        branch=Branch.WELL_KNOWN_IP,
        places=((D4, 443, f"{D4}:443", D4),),
        delegated=f"{D4}:443",
    ),
    Case(
        "delegate is an IPv6 literal",
        "3.1",
        "example.org",
        well_known={"example.org": delegate_to(f"[{D6}]")},
        branch=Branch.WELL_KNOWN_IP,
        places=((D6, 8448, f"[{D6}]", D6),),
        delegated=f"[{D6}]",
    ),
    Case(
        "delegate is an IPv6 literal with a port",
        "3.1",
        "example.org",
        well_known={"example.org": delegate_to(f"[{D6}]:443")},
        branch=Branch.WELL_KNOWN_IP,
        places=((D6, 443, f"[{D6}]:443", D6),),
        delegated=f"[{D6}]:443",
    ),
    Case(
        "delegate is a private address: no falling through",
        "3.1",
        "example.org",
        well_known={"example.org": delegate_to("192.168.0.1:443")},
        srv={FED + "example.org": ((0, 0, 443, "t.example"),)},
        hosts={"example.org": at(H4), "t.example": at(T4)},
        failure=FailureKind.POLICY_ADDRESS,
        delegated="192.168.0.1:443",
        asked=(WK + "example.org",),
    ),
    Case(
        "delegate is the cloud's metadata address",
        "3.1",
        "example.org",
        well_known={"example.org": delegate_to("169.254.169.254:80")},
        failure=FailureKind.POLICY_ADDRESS,
        delegated="169.254.169.254:80",
    ),
)

STEP_3_2 = (
    Case(
        "delegate with a port: no SRV",
        "3.2",
        "example.org",
        well_known={"example.org": delegate_to("matrix.example.org:443")},
        srv={FED + "matrix.example.org": ((0, 0, 8449, "t.example"),)},
        hosts={"matrix.example.org": at(D6, D4), "t.example": at(T4)},
        branch=Branch.WELL_KNOWN_PORT,
        places=(
            (D6, 443, "matrix.example.org:443", "matrix.example.org"),
            (D4, 443, "matrix.example.org:443", "matrix.example.org"),
        ),
        delegated="matrix.example.org:443",
        asked=(WK + "example.org", ADDR + "matrix.example.org"),
    ),
    Case(
        "delegate with port 8448",
        "3.2",
        "example.org",
        well_known={"example.org": delegate_to("matrix.example.org:8448")},
        hosts={"matrix.example.org": at(D4)},
        branch=Branch.WELL_KNOWN_PORT,
        places=((D4, 8448, "matrix.example.org:8448", "matrix.example.org"),),
        delegated="matrix.example.org:8448",
    ),
    Case(
        "delegate does not exist: no falling through",
        "3.2",
        "example.org",
        well_known={"example.org": delegate_to("gone.example:443")},
        srv={FED + "example.org": ((0, 0, 443, "t.example"),)},
        hosts={"example.org": at(H4), "t.example": at(T4)},
        failure=FailureKind.DNS_NXDOMAIN,
        delegated="gone.example:443",
    ),
    Case(
        "delegate points into a private network",
        "3.2",
        "example.org",
        well_known={"example.org": delegate_to("inside.example:443")},
        hosts={"inside.example": at("172.16.0.9")},
        failure=FailureKind.POLICY_ADDRESS,
        delegated="inside.example:443",
    ),
    Case(
        "delegate is the name itself with a port",
        "3.2",
        "example.org",
        well_known={"example.org": delegate_to("example.org:443")},
        hosts={"example.org": at(H4)},
        branch=Branch.WELL_KNOWN_PORT,
        places=((H4, 443, "example.org:443", "example.org"),),
        delegated="example.org:443",
    ),
    Case(
        "other members and another content type do not matter",
        "3.2",
        "example.org",
        well_known={
            "example.org": Http(b'{"m.server": "matrix.example.org:443", "x": [1.5, null]}', 200, "text/plain")
        },
        hosts={"matrix.example.org": at(D4)},
        branch=Branch.WELL_KNOWN_PORT,
        places=((D4, 443, "matrix.example.org:443", "matrix.example.org"),),
        delegated="matrix.example.org:443",
    ),
    Case(
        "found after redirects",
        "3.2",
        "example.org",
        well_known={
            "example.org": Http(
                b'{"m.server": "matrix.example.org:443"}',
                redirects=("https://www.example.org/.well-known/matrix/server",),
            )
        },
        hosts={"matrix.example.org": at(D4)},
        branch=Branch.WELL_KNOWN_PORT,
        places=((D4, 443, "matrix.example.org:443", "matrix.example.org"),),
        delegated="matrix.example.org:443",
    ),
    Case(
        "found through a redirect to port 8443 and HTTP Host kept to the delegate",
        "3.2",
        "example.org",
        well_known={
            "example.org": Http(
                b'{"m.server": "Matrix.Example.Org:443"}',
                redirects=("https://cdn.example:8443/a", "https://cdn.example:8443/b"),
            )
        },
        hosts={"Matrix.Example.Org": at(D4)},
        branch=Branch.WELL_KNOWN_PORT,
        places=((D4, 443, "Matrix.Example.Org:443", "Matrix.Example.Org"),),
        delegated="Matrix.Example.Org:443",
    ),
)

TO_DELEGATE = {"example.org": delegate_to("d.example")}

STEP_3_3 = (
    Case(
        "delegate with SRV: Host and certificate are the delegate's",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((10, 5, 8449, "t.example"),)},
        hosts={"t.example": at(T6, T4), "d.example": at(D4)},
        branch=Branch.WELL_KNOWN_SRV,
        places=((T6, 8449, "d.example", "d.example"), (T4, 8449, "d.example", "d.example")),
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example", ADDR + "t.example"),
    ),
    Case(
        "the newer SRV name wins over the older",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((10, 5, 8449, "t.example"),), OLD + "d.example": ((10, 5, 8450, "u.example"),)},
        hosts={"t.example": at(T4), "u.example": at(U4)},
        branch=Branch.WELL_KNOWN_SRV,
        places=((T4, 8449, "d.example", "d.example"),),
        delegated="d.example",
    ),
    Case(
        "targets by priority",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((20, 100, 2, "u.example"), (10, 0, 1, "t.example"))},
        hosts={"t.example": at(T4), "u.example": at(U4)},
        branch=Branch.WELL_KNOWN_SRV,
        places=((T4, 1, "d.example", "d.example"), (U4, 2, "d.example", "d.example")),
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example", ADDR + "t.example", ADDR + "u.example"),
    ),
    Case(
        "first target does not resolve, the second serves",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((10, 0, 1, "t.example"), (20, 0, 2, "u.example"))},
        hosts={"u.example": at(U4)},
        branch=Branch.WELL_KNOWN_SRV,
        places=((U4, 2, "d.example", "d.example"),),
        delegated="d.example",
    ),
    Case(
        "first target is private, the second serves",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((10, 0, 1, "t.example"), (20, 0, 2, "u.example"))},
        hosts={"t.example": at("127.0.0.1"), "u.example": at(U4)},
        branch=Branch.WELL_KNOWN_SRV,
        places=((U4, 2, "d.example", "d.example"),),
        delegated="d.example",
    ),
    Case(
        "no target resolves: the first failure, no 8448",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((10, 0, 1, "t.example"), (20, 0, 2, "u.example"))},
        hosts={"t.example": FailureKind.DNS_TIMEOUT, "d.example": at(D4)},
        failure=FailureKind.DNS_TIMEOUT,
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example", ADDR + "t.example", ADDR + "u.example"),
    ),
    Case(
        "target '.': decidedly unavailable, no older name, no 8448",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((0, 0, 0, ""),), OLD + "d.example": ((10, 5, 8450, "u.example"),)},
        hosts={"d.example": at(D4), "u.example": at(U4)},
        failure=FailureKind.DNS_SRV_UNAVAILABLE,
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example"),
    ),
    Case(
        "SRV fails: the end, no 8448",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": FailureKind.DNS_SERVFAIL},
        hosts={"d.example": at(D4)},
        failure=FailureKind.DNS_SERVFAIL,
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example"),
    ),
    Case(
        "SRV is silent: the end, no 8448",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": FailureKind.DNS_TIMEOUT},
        hosts={"d.example": at(D4)},
        failure=FailureKind.DNS_TIMEOUT,
        delegated="d.example",
    ),
    Case(
        "target is an alias: tolerated",
        "3.3",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ((10, 5, 8449, "t.example"),)},
        hosts={"t.example": Hosts((T4,), cname="real.example")},
        branch=Branch.WELL_KNOWN_SRV,
        places=((T4, 8449, "d.example", "d.example"),),
        delegated="d.example",
    ),
)

STEP_3_4_AND_3_5 = (
    Case(
        "delegate with the older SRV name",
        "3.4",
        "example.org",
        well_known=TO_DELEGATE,
        srv={OLD + "d.example": ((10, 5, 8450, "t.example"),)},
        hosts={"t.example": at(T4)},
        branch=Branch.WELL_KNOWN_SRV_DEPRECATED,
        places=((T4, 8450, "d.example", "d.example"),),
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example", SRV + OLD + "d.example", ADDR + "t.example"),
    ),
    Case(
        "the older SRV name fails: the end",
        "3.4",
        "example.org",
        well_known=TO_DELEGATE,
        srv={OLD + "d.example": FailureKind.DNS_REFUSED},
        hosts={"d.example": at(D4)},
        failure=FailureKind.DNS_REFUSED,
        delegated="d.example",
    ),
    Case(
        "delegate with neither: 8448",
        "3.5",
        "example.org",
        well_known=TO_DELEGATE,
        hosts={"d.example": at(D6, D4)},
        branch=Branch.WELL_KNOWN_DEFAULT,
        places=((D6, 8448, "d.example", "d.example"), (D4, 8448, "d.example", "d.example")),
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example", SRV + OLD + "d.example", ADDR + "d.example"),
    ),
    Case(
        "SRV says NODATA or not implemented: 8448",
        "3.5",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": FailureKind.DNS_NODATA, OLD + "d.example": FailureKind.DNS_NOT_IMPLEMENTED},
        hosts={"d.example": at(D4)},
        branch=Branch.WELL_KNOWN_DEFAULT,
        places=((D4, 8448, "d.example", "d.example"),),
        delegated="d.example",
    ),
    Case(
        "an empty record set is none",
        "3.5",
        "example.org",
        well_known=TO_DELEGATE,
        srv={FED + "d.example": ()},
        hosts={"d.example": at(D4)},
        branch=Branch.WELL_KNOWN_DEFAULT,
        places=((D4, 8448, "d.example", "d.example"),),
        delegated="d.example",
    ),
    Case(
        "delegate is the name itself",
        "3.5",
        "example.org",
        well_known={"example.org": delegate_to("example.org")},
        hosts={"example.org": at(H4)},
        branch=Branch.WELL_KNOWN_DEFAULT,
        places=((H4, 8448, "example.org", "example.org"),),
        delegated="example.org",
        asked=(WK + "example.org", SRV + FED + "example.org", SRV + OLD + "example.org", ADDR + "example.org"),
    ),
    Case(
        "delegates in a circle are not followed",
        "3.5",
        "example.org",
        well_known={"example.org": delegate_to("d.example"), "d.example": delegate_to("example.org")},
        hosts={"d.example": at(D4), "example.org": at(H4)},
        branch=Branch.WELL_KNOWN_DEFAULT,
        places=((D4, 8448, "d.example", "d.example"),),
        delegated="d.example",
        asked=(WK + "example.org", SRV + FED + "d.example", SRV + OLD + "d.example", ADDR + "d.example"),
    ),
    Case(
        "delegate does not exist",
        "3.5",
        "example.org",
        well_known=TO_DELEGATE,
        hosts={"example.org": at(H4)},
        failure=FailureKind.DNS_NXDOMAIN,
        delegated="d.example",
    ),
)

STEP_4_AND_5 = (
    Case(
        "SRV of the name: Host and certificate are the name's",
        "4",
        "example.org",
        srv={FED + "example.org": ((10, 5, 443, "t.example"),)},
        hosts={"t.example": at(T6, T4)},
        branch=Branch.SRV,
        places=((T6, 443, "example.org", "example.org"), (T4, 443, "example.org", "example.org")),
        well_known_failure=FailureKind.HTTP_NOT_FOUND,
        asked=(WK + "example.org", SRV + FED + "example.org", ADDR + "t.example"),
    ),
    Case(
        "SRV without a web host",  # names above the records exist all the same (RFC 8020)
        "4",
        "example.org",
        well_known={"example.org": FailureKind.DNS_NODATA},
        srv={FED + "example.org": ((10, 5, 443, "t.example"),)},
        hosts={"t.example": at(T4)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"),),
        well_known_failure=FailureKind.DNS_NODATA,
    ),
    Case(
        "the same target at two ports is looked up once",
        "4",
        "example.org",
        srv={FED + "example.org": ((10, 0, 443, "t.example"), (20, 0, 8448, "T.example"))},
        hosts={"t.example": at(T4)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"), (T4, 8448, "example.org", "example.org")),
        asked=(WK + "example.org", SRV + FED + "example.org", ADDR + "t.example"),
    ),
    Case(
        "two targets at one address are one place",
        "4",
        "example.org",
        srv={FED + "example.org": ((10, 0, 443, "t.example"), (20, 0, 443, "u.example"))},
        hosts={"t.example": at(T4), "u.example": at(T4, U4)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"), (U4, 443, "example.org", "example.org")),
    ),
    Case(
        "no more targets than are looked at",
        "4",
        "example.org",
        srv={FED + "example.org": tuple((n, 0, 443, f"t{n}.example") for n in range(1, 30))},
        hosts={f"t{n}.example": at(f"185.199.108.{n}") for n in range(1, 30)},
        branch=Branch.SRV,
        places=tuple((f"185.199.108.{n}", 443, "example.org", "example.org") for n in range(1, 9)),
    ),
    Case(
        "a target beside '.' counts",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 0, ""), (10, 0, 443, "t.example"))},
        hosts={"t.example": at(T4)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"),),
    ),
    Case(
        "port 0 cannot be dialled",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 0, "t.example"),)},
        hosts={"t.example": at(T4), "example.org": at(H4)},
        failure=FailureKind.DNS_SRV_UNAVAILABLE,
    ),
    Case(
        "a target that no host can be called",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 443, "a b.example"), (1, 0, 443, "t.example"))},
        hosts={"t.example": at(T4)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"),),
        asked=(WK + "example.org", SRV + FED + "example.org", ADDR + "t.example"),
    ),
    Case(
        "a target with an underscore",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 443, "_t.example"),)},
        hosts={"_t.example": at(T4)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"),),
    ),
    Case(
        "an address as target: against RFC 2782, but Synapse dials it",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 443, T4),)},
        branch=Branch.SRV,
        places=((T4, 443, "example.org", "example.org"),),
        asked=(WK + "example.org", SRV + FED + "example.org"),
    ),
    Case(
        "a private address as target",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 443, "127.0.0.1"),)},
        failure=FailureKind.POLICY_ADDRESS,
    ),
    Case(
        "target points into a private network: no 8448",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 443, "t.example"),)},
        hosts={"t.example": at("10.9.8.7"), "example.org": at(H4)},
        failure=FailureKind.POLICY_ADDRESS,
    ),
    Case(
        "target '.': decidedly unavailable",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 0, ""),)},
        hosts={"example.org": at(H4)},
        failure=FailureKind.DNS_SRV_UNAVAILABLE,
    ),
    Case(
        "target does not exist: no 8448",
        "4",
        "example.org",
        srv={FED + "example.org": ((0, 0, 443, "t.example"),)},
        hosts={"example.org": at(H4)},
        failure=FailureKind.DNS_NXDOMAIN,
    ),
    Case(
        "SRV fails after a failed .well-known: the end",
        "4",
        "example.org",
        srv={FED + "example.org": FailureKind.DNS_SERVFAIL, OLD + "example.org": ((0, 0, 443, "t.example"),)},
        hosts={"example.org": at(H4), "t.example": at(T4)},
        failure=FailureKind.DNS_SERVFAIL,
        asked=(WK + "example.org", SRV + FED + "example.org"),
    ),
    Case(
        "SRV answer that is no DNS message: the end",
        "4",
        "example.org",
        srv={FED + "example.org": FailureKind.DNS_MALFORMED},
        hosts={"example.org": at(H4)},
        failure=FailureKind.DNS_MALFORMED,
    ),
    Case(
        "the older SRV name",
        "5",
        "example.org",
        srv={OLD + "example.org": ((10, 5, 8449, "t.example"),)},
        hosts={"t.example": at(T4), "example.org": at(H4)},
        branch=Branch.SRV_DEPRECATED,
        places=((T4, 8449, "example.org", "example.org"),),
        asked=(WK + "example.org", SRV + FED + "example.org", SRV + OLD + "example.org", ADDR + "t.example"),
    ),
    Case(
        "the older SRV name says '.'",
        "5",
        "example.org",
        srv={OLD + "example.org": ((0, 0, 0, ""),)},
        hosts={"example.org": at(H4)},
        failure=FailureKind.DNS_SRV_UNAVAILABLE,
    ),
    Case(
        "the older SRV name is silent: the end",
        "5",
        "example.org",
        srv={OLD + "example.org": FailureKind.DNS_TIMEOUT},
        hosts={"example.org": at(H4)},
        failure=FailureKind.DNS_TIMEOUT,
    ),
)

LONGEST_NAME = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 30, "example"])
assert len(LONGEST_NAME) == 230

STEP_6 = (
    Case(
        "nothing but addresses: 8448",
        "6",
        "example.org",
        hosts={"example.org": at(H6, H4)},
        branch=Branch.DEFAULT,
        places=((H6, 8448, "example.org", "example.org"), (H4, 8448, "example.org", "example.org")),
        well_known_failure=FailureKind.HTTP_NOT_FOUND,
        asked=(WK + "example.org", SRV + FED + "example.org", SRV + OLD + "example.org", ADDR + "example.org"),
    ),
    Case(
        "no such name",
        "6",
        "example.org",
        well_known={"example.org": FailureKind.DNS_NXDOMAIN},
        failure=FailureKind.DNS_NXDOMAIN,
        well_known_failure=FailureKind.DNS_NXDOMAIN,
    ),
    Case(
        "a private address",
        "6",
        "example.org",
        well_known={"example.org": FailureKind.POLICY_ADDRESS},
        hosts={"example.org": at("100.64.1.1")},
        failure=FailureKind.POLICY_ADDRESS,
        well_known_failure=FailureKind.POLICY_ADDRESS,
    ),
    Case(
        "a name of the greatest length",
        "6",
        LONGEST_NAME,
        hosts={LONGEST_NAME: at(H4)},
        branch=Branch.DEFAULT,
        places=((H4, 8448, LONGEST_NAME, LONGEST_NAME),),
    ),
    Case(
        "an A-label",
        "6",
        "xn--bcher-kva.example",
        hosts={"xn--bcher-kva.example": at(H4)},
        branch=Branch.DEFAULT,
        places=((H4, 8448, "xn--bcher-kva.example", "xn--bcher-kva.example"),),
    ),
)


def _ignored(title: str, answer: Http | FailureKind, kind: FailureKind) -> Case:
    """A .well-known that does not count, so that step 6 is reached; and what it is called."""
    return Case(
        title,
        "3 to 6",
        "example.org",
        well_known={"example.org": answer},
        hosts={"example.org": at(H4)},
        branch=Branch.DEFAULT,
        places=((H4, 8448, "example.org", "example.org"),),
        well_known_failure=kind,
    )


BAD, NONE, NOT_JSON = (
    FailureKind.WELL_KNOWN_BAD_SERVER, FailureKind.WELL_KNOWN_NO_SERVER, FailureKind.WELL_KNOWN_NOT_JSON
)  # fmt: skip
VALID = b'{"m.server": "d.example:443"}'

STEP_3_IGNORED = (
    _ignored("web host refuses", FailureKind.TCP_REFUSED, FailureKind.TCP_REFUSED),
    _ignored("web host is silent", FailureKind.TCP_TIMEOUT, FailureKind.TCP_TIMEOUT),
    _ignored("certificate of another name", FailureKind.TLS_WRONG_NAME, FailureKind.TLS_WRONG_NAME),
    _ignored("more than 50 KiB", FailureKind.HTTP_TOO_LARGE, FailureKind.HTTP_TOO_LARGE),
    _ignored("redirects without end", FailureKind.WELL_KNOWN_REDIRECTS, FailureKind.WELL_KNOWN_REDIRECTS),
    _ignored("a redirect that cannot be followed", FailureKind.HTTP_REDIRECT, FailureKind.WELL_KNOWN_REDIRECTS),
    _ignored("a redirect into a private network", FailureKind.POLICY_ADDRESS, FailureKind.POLICY_ADDRESS),
    _ignored("302 without a location", Http(VALID, 302), FailureKind.WELL_KNOWN_REDIRECTS),
    _ignored("404 with a valid body", Http(VALID, 404), FailureKind.HTTP_NOT_FOUND),
    _ignored("201 with a valid body", Http(VALID, 201), FailureKind.HTTP_STATUS),
    _ignored("401", Http(status=401), FailureKind.HTTP_UNAUTHORIZED),
    _ignored("403", Http(status=403), FailureKind.HTTP_FORBIDDEN),
    _ignored("429", Http(status=429), FailureKind.HTTP_RATE_LIMITED),
    _ignored("500", Http(VALID, 500), FailureKind.HTTP_SERVER_ERROR),
    _ignored("522 of a content delivery network", Http(b"<html>", 522), FailureKind.HTTP_SERVER_ERROR),
    _ignored("HTML", Http(b"<!doctype html><title>Welcome</title>", 200, "text/html"), NOT_JSON),
    _ignored("nothing", Http(b""), NOT_JSON),
    _ignored("a list", Http(b'["d.example"]'), NOT_JSON),
    _ignored("a string", Http(b'"d.example"'), NOT_JSON),
    _ignored("no UTF-8", Http(b'{"m.server": "d\xff.example"}'), NOT_JSON),
    _ignored("a byte order mark", Http(b"\xef\xbb\xbf" + VALID), NOT_JSON),
    _ignored("NaN", Http(b'{"m.server": "d.example", "x": NaN}'), NOT_JSON),
    _ignored("nested to exhaust the stack", Http(b'{"x":' + b"[" * 25_000 + b"]" * 25_000 + b"}"), NOT_JSON),
    _ignored("two documents", Http(VALID + VALID), NOT_JSON),
    _ignored("no m.server", Http(b"{}"), NONE),
    _ignored("m.server of the client's document", Http(b'{"m.homeserver": {"base_url": "https://d.example"}}'), NONE),
    _ignored("m.server is null", delegate_to(None), NONE),
    _ignored("m.server is a number", delegate_to(443), NONE),
    _ignored("m.server is an object", delegate_to({"host": "d.example"}), NONE),
    _ignored("m.server is empty", delegate_to(""), NONE),
    _ignored("m.server is a URL", delegate_to("https://d.example"), BAD),
    _ignored("m.server is a URL with a port", delegate_to("https://d.example:443"), BAD),
    _ignored("m.server ends in a slash", delegate_to("d.example:443/"), BAD),
    _ignored("m.server has a path", delegate_to("d.example/_matrix"), BAD),
    _ignored("m.server ends in a dot", delegate_to("d.example."), BAD),
    _ignored("m.server ends in a colon", delegate_to("d.example:"), BAD),
    _ignored("m.server with port 0", delegate_to("d.example:0"), BAD),
    _ignored("m.server with port 65536", delegate_to("d.example:65536"), BAD),
    _ignored("m.server with a port that is a word", delegate_to("d.example:https"), BAD),
    _ignored("m.server with blanks around it", delegate_to(" d.example "), BAD),
    _ignored("m.server with a line break", delegate_to("d.example\nHost: evil.example"), BAD),
    _ignored("m.server in Unicode", delegate_to("bücher.example"), BAD),
    _ignored("m.server with an underscore", delegate_to("d_d.example"), BAD),
    _ignored("m.server with user information", delegate_to("root@d.example"), BAD),
    _ignored("m.server is an IPv6 address without brackets", delegate_to("2606:2800:220:1::34"), BAD),
    _ignored("m.server is an IPv4 address out of range", delegate_to("1.2.3.256"), BAD),
    _ignored("m.server is a number for an address", delegate_to("2130706433"), BAD),
    _ignored("m.server with a lone surrogate", Http(b'{"m.server": "d\\ud800.example"}'), BAD),
    _ignored("m.server is too long", delegate_to("a." * 120 + "example"), BAD),
)

CASES: tuple[Case, ...] = (
    *STEP_1, *STEP_2, *STEP_3_1, *STEP_3_2, *STEP_3_3, *STEP_3_4_AND_3_5, *STEP_4_AND_5, *STEP_6, *STEP_3_IGNORED
)  # fmt: skip
