"""What the resolution algorithm asks the world, and what the world may answer.

`protocol.discovery` yields the questions and is sent the answers; `net.drive` turns each question into sockets. A test
answers from a table.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from crawler.errors import Failure
from crawler.model.discovery import SrvRecord


@dataclass(frozen=True, slots=True)
class AskWellKnown:
    """GET https://HOST/.well-known/matrix/server, redirects followed, every hop guarded and capped."""

    host: str


@dataclass(frozen=True, slots=True)
class AskSrv:
    """SRV records of `owner`, for example `_matrix-fed._tcp.example.org`."""

    owner: str


@dataclass(frozen=True, slots=True)
class AskAddresses:
    """A and AAAA records of `host`, CNAMEs followed."""

    host: str


Ask: TypeAlias = AskWellKnown | AskSrv | AskAddresses


@dataclass(frozen=True, slots=True)
class Kept:
    """Of an answer that was not asked for now: when it was heard, and how many seconds more it may be used."""

    heard_at: datetime
    left_s: float


@dataclass(frozen=True, slots=True)
class WellKnownAnswer:
    """The final answer of a .well-known fetch, not yet judged.

    `failure` is set, and the rest meaningless, when no HTTP answer was had (DNS, TCP, TLS, time-out, too large, a
    redirect loop, a forbidden address). `redirects` are the URLs visited after the first, in order, and
    `redirect_statuses` the statuses that led to each; empty when they are not known. Header values are as sent; None
    where absent. `date` is what `expires` is counted from, and is the time of receipt, as an HTTP-date, where the
    answer had none (RFC 9110, 6.6.1).
    """

    status: int = 0
    body: bytes = b""
    content_type: str | None = None
    cache_control: str | None = None
    expires: str | None = None
    date: str | None = None
    redirects: tuple[str, ...] = ()
    failure: Failure | None = None
    duration_s: float = 0.0
    kept: Kept | None = None
    redirect_statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SrvAnswer:
    """Records, or why there are none. NXDOMAIN and NODATA come as failures of those kinds; `ttl_s` of the record set.
    `cname` is set when the owner name was an alias."""

    records: tuple[SrvRecord, ...] = ()
    ttl_s: int | None = None
    cname: str | None = None
    failure: Failure | None = None
    duration_s: float = 0.0
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class AddressAnswer:
    """Addresses of both families, IPv6 first, as literals without brackets. `failure` only when there are none of
    either family; one family failing while the other answers is told by `other_failure`."""

    addresses: tuple[str, ...] = ()
    ttl_s: int | None = None
    cname: str | None = None
    failure: Failure | None = None
    other_failure: Failure | None = None
    duration_s: float = 0.0
    kept: Kept | None = None


Answer: TypeAlias = WellKnownAnswer | SrvAnswer | AddressAnswer
