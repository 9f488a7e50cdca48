"""Settings: what a person may turn, with its unit in its name, its default, its range and its reason.

`settings` reads them from where a person says them. Those that a crawl ran with are kept as JSON in its row, so that a
figure can be traced to the limits behind it.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every loop: seconds, bytes, pages, counts."""

    concurrency: int = 400
    """Servers visited at once. Nearly all of that is waiting: for the pace of addresses and for who is slow."""
    busy_connections: int = 60
    """Connections past TCP at once: TLS and what follows costs CPU, and a lagging loop makes live servers look dead."""
    dns_timeout_s: float = 10.0
    connect_timeout_s: float = 10.0
    """TCP and TLS, each."""
    request_timeout_s: float = 20.0
    """One HTTP exchange, from the first byte sent to the last read."""
    server_timeout_s: float = 900.0
    """One visit, everything in it."""
    server_requests: int = 600
    server_bytes: int = 64 * 1024 * 1024
    body_bytes: int = 1024 * 1024
    """One answer, unless named below."""
    well_known_bytes: int = 50 * 1024
    """As Synapse and Dendrite cap it."""
    directory_page_bytes: int = 4 * 1024 * 1024
    directory_pages: int = 500
    directory_rooms: int = 50_000
    directory_page_size: int = 100
    redirects: int = 5
    addresses_per_host: int = 8
    """A and AAAA records looked at for one host."""
    srv_targets: int = 8
    close_look_addresses: int = 16
    """Addresses of one server asked each for itself in a close look, both families among them."""
    client_api: bool = True
    """Whether to ask the client API: its versions, aliases, and for the directory where the federation's door is not
    there. Without it a crawl asks half as much, and hears of far fewer servers."""
    alias_lookups: int = 50
    """Alias look-ups asked of one server in one crawl; biggest rooms first."""
    alias_servers: int = 20_000
    """Servers read from one alias answer."""
    leads_per_server: int = 100_000
    """Names taken from one server's answers in one crawl."""
    address_concurrency: int = 2
    """Exchanges in flight to one resolved address."""
    address_rate_per_s: float = 5.0
    """Exchanges a second to one resolved address, counted from completion."""
    retry_after_max_s: float = 60.0
    """Longest wait that a 429 can ask of a visit; a longer one ends it."""
    first_dns_timeout_s: float = 3.0
    """The same three for the first try of a server, which only has to tell the quick from the rest."""
    first_connect_timeout_s: float = 3.0
    first_request_timeout_s: float = 8.0
    second_tries: int = 400
    """Second tries at once, beside `concurrency`: nearly all they do is wait."""
    tries: int = 5
    """Tries of one server in one crawl. Two settle it, unless we ourselves were not fit to judge (`engine.vigil`)."""

    space_lookups: int = 100
    """Rooms of spaces asked about of one server in one crawl. 0: no space is opened."""
    domain_names: int = 500
    """Names of one registrable domain looked at in one crawl; each that proves a server of its own earns two more."""
    key_names: int = 50
    """Names that answered with the same signing keys, looked at in one crawl."""
    block_names: int = 2000
    """Names last reached in one address block (/24, /48), looked at in one crawl; likewise two more are earned."""

    def of_first_try(self) -> "Limits":
        """The limits that a first try has."""
        return dataclasses.replace(
            self,
            dns_timeout_s=min(self.dns_timeout_s, self.first_dns_timeout_s),
            connect_timeout_s=min(self.connect_timeout_s, self.first_connect_timeout_s),
            request_timeout_s=min(self.request_timeout_s, self.first_request_timeout_s),
        )


@dataclass(frozen=True, slots=True)
class Politeness:
    """Who we say we are, and what we ask of few servers at a time."""

    contact: str = ""
    """An e-mail address, Matrix ID or URL; part of the user agent. A live crawl wants one."""
    close_look_share: float = 0.02
    """Share of the servers that one crawl looks at closely, at every address; each in its turn. 0: none."""
    robots_txt: bool = True
    """Whether robots.txt is asked for before a directory. Only a private federation may be crawled without."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """When we may call a server offline: only while we could have reached it."""

    canaries: tuple[str, ...] = ()
    """Server names knocked at when nothing else shows that our network works; beside them, whoever the crawl found
    online. None given: on the live network the shipped seeds, elsewhere nobody."""
    knock_after_s: float = 2.0
    """Knock when for so long no answer came to anything."""
    silence_s: float = 5.0
    """A silence of this length inside a try makes the try worthless: it may have been our network's."""
    lag_share: float = 0.25
    """A lag of our event loop of more than this share of a try's shortest deadline makes its time-outs worthless."""
    outage_max_s: float = 3600.0
    """A crawl whose network stays away for longer ends as failed."""


@dataclass(frozen=True, slots=True)
class History:
    """What of it is kept for how long. What was found is kept for good."""

    journal_days: int = 30
    """What crawls attempted is kept for so many days after they ended, then summarised; that of the newest census for
    as long as it is the newest."""


@dataclass(frozen=True, slots=True)
class Network:
    """How names become sockets. Anything but the defaults is for tests and private federations."""

    dns: str = ""
    """ADDRESS:PORT of the DNS server; empty: the system's."""
    ca: str = ""
    """PEM file of certificate authorities; empty: the system's."""
    connect: tuple[str, ...] = ()
    """ADDRESS:PORT=ADDRESS:PORT, `*` for any; applied after resolution and after every check."""
    allow_address: tuple[str, ...] = ()
    """CIDRs that may be dialled although they are special. Empty: only public addresses."""

    @property
    def is_live(self) -> bool:
        """Whether this is the live network: no special address may be dialled."""
        return not self.allow_address


@dataclass(frozen=True, slots=True)
class Settings:
    limits: Limits = field(default_factory=Limits)
    politeness: Politeness = field(default_factory=Politeness)
    network: Network = field(default_factory=Network)
    liveness: Liveness = field(default_factory=Liveness)
    history: History = field(default_factory=History)
    vantage: str = "default"
    """Where this crawler looks from: a short name of the operator's choice."""

    def to_json(self) -> str:
        """The settings as one JSON object, sections as objects."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


SECTIONS: dict[str, type[Any]] = {
    "limits": Limits,
    "politeness": Politeness,
    "network": Network,
    "liveness": Liveness,
    "history": History,
}
