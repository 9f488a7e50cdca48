"""The words for where practice servers are: DNS records, routes, certificates, endpoints.

Apart from `lab.presence`, which decides them, for the servers that only read them.
"""

from dataclasses import dataclass
from enum import Flag, StrEnum, auto

from crawler.lab.oddities import Front


class RecordType(StrEnum):
    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    SRV = "SRV"
    TXT = "TXT"


@dataclass(frozen=True, slots=True)
class Record:
    """One DNS record; `data` in the presentation format of zone files."""

    owner: str
    type: RecordType
    data: str
    ttl_s: int


class DnsConduct(StrEnum):
    """How the DNS server treats a name and everything below it."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    NOT_IMPLEMENTED = "not_implemented"
    SILENT = "silent"
    GIBBERISH = "gibberish"
    """Datagrams with the id of the query and no DNS message after it."""


class Certificate(StrEnum):
    """What a host presents instead of a good certificate."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_NAME = "wrong_name"
    SELF_SIGNED = "self_signed"
    UNTRUSTED = "untrusted"
    NONE = "none"
    """A fatal alert ends the handshake."""


class Role(Flag):
    """What a (port, Host) pair serves of a server."""

    WELL_KNOWN = auto()
    FEDERATION = auto()
    CLIENT = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A (port, Host header) at which a server answers. `m_server` is what its .well-known/matrix/server says there;
    `redirect` sends the reader of it on to another host."""

    index: int
    role: Role
    address: str
    front: Front | None = None
    m_server: str | None = None
    redirect: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint at which a peer may end. `priority` orders them; equal ones stand in any order. `works` says whether
    a server is there."""

    address: str
    port: int
    host_header: str
    tls_name: str
    priority: int = 0
    works: bool = True


@dataclass(frozen=True, slots=True)
class Presence:
    """`own_host` is the host of the name, as URLs spell it. `targets` holds only addresses that may be dialled.
    `client_base` is what .well-known/matrix/client publishes. `certificates` are (port or None for every port, host,
    what it presents); `ip_names` the addresses that need a certificate."""

    index: int
    name: str
    own_host: str
    records: tuple[Record, ...]
    dns_conduct: tuple[tuple[str, DnsConduct], ...]
    routes: tuple[tuple[int, str, Route], ...]
    certificates: tuple[tuple[int | None, str, Certificate], ...]
    targets: tuple[Target, ...]
    delegated: str | None
    client_base: str | None
    ip_names: tuple[str, ...]
