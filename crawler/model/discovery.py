"""What resolving a server name asked, heard and concluded (server-server API, "Resolving server names").

Apart from `protocol.discovery`, which holds the algorithm, so that the store and the readers can speak of a resolution
without knowing how one is made.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

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
class SrvRecord:
    """RFC 2782. `target` without its trailing dot; "" stands for the root "." (service decidedly not available)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class WellKnownFacts:
    """How a valid .well-known document came. Header values as sent, made printable; None where absent. `redirects` are
    the URLs after the first, `redirect_statuses` the statuses that led to each; empty when they are not known."""

    body_bytes: int
    content_type: str | None
    cache_control: str | None
    expires: str | None
    redirects: tuple[str, ...]
    redirect_statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SrvFacts:
    """The records of one owner name: those to be tried, in that order, and those that cannot be. `cname` is set when
    the owner name is an alias."""

    usable: tuple[SrvRecord, ...]
    unusable: tuple[SrvRecord, ...]
    cname: str | None


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """The addresses of one host at one port: those to be tried, in that order, and those that may not be dialled.
    `cname` is set when the host is an alias; `other_failure` when one family's look-up failed and the other's did
    not."""

    port: int
    is_srv_target: bool
    usable: tuple[str, ...]
    refused: tuple[str, ...]
    cname: str | None
    other_failure: Failure | None


Facts: TypeAlias = WellKnownFacts | SrvFacts | AddressFacts


@dataclass(frozen=True, slots=True)
class Step:
    """One question of a resolution and its answer.

    `subject` is what was asked about (a host, an SRV owner name); `answer` what was heard, in one printable line; it is
    empty when `failure` is set. `conclusion` says why a branch was taken or left. `duration_s` is wall time.
    `cache_s` is how long the answer may be kept; None when nothing said so. `cached_at` is when an answer was heard
    that was kept from then and not asked for now (`cache_s` is what is left of its lifetime); None for one just heard.
    `facts` are what `answer` says in a line, for who judges it; None where there was no answer that could be judged.
    """

    question: Question
    subject: str
    answer: str
    conclusion: str
    failure: Failure | None = None
    duration_s: float = 0.0
    cache_s: float | None = None
    cached_at: datetime | None = None
    facts: Facts | None = None


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
