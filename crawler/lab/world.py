"""The whole practice federation, put together from its parts: names, DNS zone, routes, certificates, rooms.

Everything is decided when a `World` is made, and the same (seed, size, profile) makes the same world on every machine.
What costs memory (endpoints, rooms, directories) is worked out again when asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from crawler.lab.dice import digest
from crawler.lab.hosting import ALLOWED, CRAWLER_ADDRESS, LISTENING_PORTS, REFUSING_PORT, SILENT_PORT
from crawler.lab.network import Certificate, DnsConduct, Presence, Record, RecordType, Route
from crawler.lab.plan import Planner, ServerPlan
from crawler.lab.presence import build_presence
from crawler.lab.profile import REALISTIC, Profile
from crawler.lab.rooms import Rooms
from crawler.model.names import parse_server_name
from crawler.protocol.signing import Identity, SigningKey

CRAWLER_NAME = "crawler.census.test"
"""The server name of whoever crawls the practice federation."""


@dataclass(slots=True)
class Zone:
    """What DNS knows. `names` holds every name that exists, also those that only have something below them.

    `conduct` is of a name and all below it, `type_conduct` of one type of one name.
    """

    records: dict[tuple[str, RecordType], list[Record]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    conduct: dict[str, DnsConduct] = field(default_factory=dict)
    type_conduct: dict[tuple[str, RecordType], DnsConduct] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        self.records.setdefault((record.owner, record.type), []).append(record)
        self.add_name(record.owner)

    def add_name(self, name: str) -> None:
        """Make a name exist, and those above it, without records of its own."""
        while name and name not in self.names:
            self.names.add(name)
            name = name.partition(".")[2]

    def conduct_of(self, name: str, kind: RecordType | None = None) -> DnsConduct | None:
        """How the servers of this name behave when asked for `kind`: its own conduct or that of a name above it."""
        if kind is not None and (found := self.type_conduct.get((name, kind))) is not None:
            return found
        while name:
            if (found := self.conduct.get(name)) is not None:
                return found
            name = name.partition(".")[2]
        return None


class World:
    """A practice federation of `size` servers."""

    def __init__(self, seed: int, size: int, profile: Profile = REALISTIC) -> None:
        self.seed = seed
        self.size = size
        self.profile = profile
        self.planner = Planner(seed, size, profile)
        self.zone = Zone()
        self.routes: dict[tuple[int, str], Route] = {}
        self.certificates: dict[tuple[int | None, str], Certificate] = {}
        self.ip_names: list[str] = []
        self.names: list[str] = []
        for index in range(size):
            self._settle(self.presence(index))
        self.zone.add(Record(CRAWLER_NAME, RecordType.A, CRAWLER_ADDRESS, 300))
        self.index_of = {name: index for index, name in enumerate(self.names)}
        self.rooms = Rooms(self.planner, self.names)
        self.identity = lru_cache(maxsize=1024)(self._identity)

    def _settle(self, presence: Presence) -> None:
        self.names.append(presence.name)
        for record in presence.records:
            self.zone.add(record)
        self.zone.conduct.update(presence.dns_conduct)
        self.routes.update(((port, host), route) for port, host, route in presence.routes)
        self.certificates.update(((port, host), kind) for port, host, kind in presence.certificates)
        self.ip_names.extend(presence.ip_names)

    def plan(self, index: int) -> ServerPlan:
        return self.planner.plan(index)

    def presence(self, index: int) -> Presence:
        return build_presence(self.plan(index), self.seed, self.planner.hosting)

    def _identity(self, index: int) -> Identity:
        """A server's name and signing key: the same key under the same id for ever."""
        key = SigningKey(
            f"ed25519:a_{digest(self.seed, 'key id', index, size=4).hex()}", digest(self.seed, "key", index)
        )
        return Identity(parse_server_name(self.names[index]), key)

    def seeds(self) -> list[str]:
        """The names that a crawl starts from: open communities, and one name that turns out to be dead."""
        found = [self.names[index] for index in range(self.planner.seeds)]
        dead = next((self.names[plan.index] for plan in self.plans() if not plan.alive), None)
        return found if dead is None else [*found, dead]

    def plans(self) -> Iterator[ServerPlan]:
        return (self.plan(index) for index in range(self.size))

    def connect_rules(self, listening: dict[int, int], refusing: int, silent: int, serve_key: int) -> list[str]:
        """The `--connect` rules that lead every address and port of this world to ports of 127.0.0.1; the first that
        fits counts.

        Args:
            listening: port of the world -> port that our listener for it has.
            refusing: a port where connections are refused.
            silent: a port where they are never answered.
            serve_key: where the crawler serves its own key document.
        """
        hosting = self.planner.hosting
        rules = [f"{CRAWLER_ADDRESS}:*=127.0.0.1:{serve_key}"]
        rules += [f"{address}:*=127.0.0.1:{refusing}" for address in hosting.refusing_addresses()]
        rules += [f"{address}:*=127.0.0.1:{silent}" for address in hosting.silent_addresses()]
        rules += [f"*:{port}=127.0.0.1:{listening[port]}" for port in LISTENING_PORTS]
        rules += [f"*:{SILENT_PORT}=127.0.0.1:{silent}", f"*:{REFUSING_PORT}=127.0.0.1:{refusing}"]
        # Whatever else is dialled must not reach a stranger's service on this machine.
        rules.append(f"*:*=127.0.0.1:{refusing}")
        return rules

    def allow_addresses(self) -> list[str]:
        return list(ALLOWED)
