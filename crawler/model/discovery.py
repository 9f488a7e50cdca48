"""What resolving a server name asked, heard and concluded (server-server API, "Resolving server names").

Apart from `protocol.discovery`, which holds the algorithm, so that the store and the readers can speak of a resolution
without knowing how one is made.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crawler.errors import Failure
from crawler.model.names import ServerName


class Branch(StrEnum):
    """The numbered branch of the specification's algorithm that yields the endpoints."""

    IP_LITERAL = "1"
    EXPLICIT_PORT = "2"
    WELL_KNOWN_IP = "3.1"
    WELL_KNOWN_PORT = "3.2"
    WELL_KNOWN_SRV = "3.3"
    WELL_KNOWN_SRV_DEPRECATED = "3.4"
    WELL_KNOWN_DEFAULT = "3.5"
    SRV = "4"
    SRV_DEPRECATED = "5"
    DEFAULT = "6"


class Question(StrEnum):
    """What one step of a resolution asked."""

    NAME = "name"
    WELL_KNOWN = "well_known"
    SRV = "srv"
    ADDRESSES = "addresses"


@dataclass(frozen=True, slots=True)
class Step:
    """One question of a resolution and its answer.

    `subject` is what was asked about (a host, an SRV owner name); `answer` what was heard, in one printable line; it is
    empty when `failure` is set. `conclusion` says why a branch was taken or left. `duration_s` is wall time.
    `cache_s` is how long the answer may be kept; None when nothing said so. `cached_at` is when an answer was heard
    that was kept from then and not asked for now (`cache_s` is what is left of its lifetime); None for one just heard.
    """

    question: Question
    subject: str
    answer: str
    conclusion: str
    failure: Failure | None = None
    duration_s: float = 0.0
    cache_s: float | None = None
    cached_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to connect to. `address` is an IP literal without brackets; `tls_name` is what the certificate must
    match and what SNI carries (an IP literal is matched by its IP SAN and sends no SNI)."""

    address: str
    port: int
    host_header: str
    tls_name: str
    via: Branch


@dataclass(frozen=True, slots=True)
class Resolution:
    """The whole of it. `endpoints` stand in the order in which they are to be tried and hold only addresses that may be
    dialled. `delegated` is the name a .well-known answer pointed to. Exactly one of `endpoints` and `failure` is
    non-empty."""

    server_name: ServerName
    steps: tuple[Step, ...]
    endpoints: tuple[Endpoint, ...]
    branch: Branch | None = None
    delegated: ServerName | None = None
    failure: Failure | None = None
