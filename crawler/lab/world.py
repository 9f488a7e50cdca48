"""The whole practice federation, put together from its parts: names, DNS zone, routes, certificates, rooms.

Everything is decided when a `World` is made, and the same (seed, servers, profile, day) makes the same world on every
machine. What costs memory (endpoints, rooms, directories) is worked out again when asked for. A world may take over
from one of an earlier day what did not change since: so a federation is looked at day after day (`glimpse.Watch`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from crawler.lab.bridges import portals
from crawler.lab.deaths import Death
from crawler.lab.dice import digest, share
from crawler.lab.hosting import ALLOWED, CRAWLER_ADDRESS, LISTENING_PORTS, REFUSING_PORT, SILENT_PORT, STALLING_PORT
from crawler.lab.joins import Joins
from crawler.lab.network import Certificate, DnsConduct, Presence, Record, RecordType, Route
from crawler.lab.plan import ServerPlan, Standing
from crawler.lab.planner import Planner
from crawler.lab.presence import build_presence
from crawler.lab.profile import SHOWCASE, Profile
from crawler.lab.published import Published, published_by
from crawler.lab.room import DrawnRooms, Room
from crawler.lab.rooms import Rooms
from crawler.lab.software import Dialect
from crawler.lab.spaces import Spaces
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

    def closest(self, name: str) -> str:
        """The name itself, or the wildcard that answers for it (RFC 4592, 3.3.1)."""
        if name in self.names:
            return name
        above = name.partition(".")[2]
        while above and above not in self.names:
            above = above.partition(".")[2]
        return wildcard if (wildcard := f"*.{above}") in self.names else name

    def conduct_of(self, name: str, kind: RecordType | None = None) -> DnsConduct | None:
        """How the servers of this name behave when asked for `kind`: its own conduct or that of a name above it."""
        if kind is not None and (found := self.type_conduct.get((name, kind))) is not None:
            return found
        while name:
            if (found := self.conduct.get(name)) is not None:
                return found
            name = name.partition(".")[2]
        return None


@dataclass(slots=True)
class Network:
    """What a federation's servers have set up: `routes` and `certificates` by port and host, `ip_names` the addresses
    that stand in certificates."""

    zone: Zone = field(default_factory=Zone)
    routes: dict[tuple[int, str], Route] = field(default_factory=dict)
    certificates: dict[tuple[int | None, str], Certificate] = field(default_factory=dict)
    ip_names: list[str] = field(default_factory=list)

    def add(self, presence: Presence) -> None:
        for record in presence.records:
            self.zone.add(record)
        self.zone.conduct.update(presence.dns_conduct)
        self.routes.update(((port, host), route) for port, host, route in presence.routes)
        self.certificates.update(((port, host), kind) for port, host, kind in presence.certificates)
        self.ip_names.extend(presence.ip_names)


class World:
    """A practice federation that had `servers` servers on day 0, as it is on `day`.

    `size` counts all its names: also tarpits, farms, and who was born since. `before` is the same federation on an
    earlier day.
    """

    def __init__(
        self, seed: int, servers: int, profile: Profile = SHOWCASE, day: int = 0, before: "World | None" = None
    ) -> None:
        self.seed = seed
        self.profile = profile
        self.day = day
        if before is not None and not before.leads_to(seed, servers, profile, day):
            raise ValueError("the world before is of another federation, or of a later day")
        self.planner: Planner = Planner(seed, servers, profile, day, None if before is None else before.planner)
        self.size = self.planner.total
        known = [] if before is None else before.names
        self.names: list[str] = known + [self.presence(index).name for index in range(len(known), self.size)]
        self.index_of = {name: index for index, name in enumerate(self.names)}
        self.drawn: DrawnRooms = DrawnRooms(self.planner) if before is None else before.drawn
        self.joins: Joins = Joins(self.planner, None if before is None else before.joins)
        self.rooms = Rooms(self.planner, self.names, self.drawn, self.joins)
        self.spaces = Spaces(seed, self.planner.communities, self.rooms, self.drawn)
        self.identity = lru_cache(maxsize=1024)(self._identity)

    def leads_to(self, seed: int, servers: int, profile: Profile, day: int) -> bool:
        """Whether this is the same federation on an earlier day."""
        of = (self.seed, self.planner.size, self.profile)
        return of == (seed, servers, profile) and self.day <= day

    @cached_property
    def network(self) -> Network:
        """How names lead to servers; who only looks at what servers say never asks."""
        network = Network()
        for index in range(self.size):
            network.add(self.presence(index))
        network.zone.add(Record(CRAWLER_NAME, RecordType.A, CRAWLER_ADDRESS, 300))
        return network

    def plan(self, index: int) -> ServerPlan:
        return self.planner.plan(index)

    def presence(self, index: int) -> Presence:
        return build_presence(self.plan(index), self.seed, self.planner.hosting)

    def published(self, index: int) -> Published:
        """What a server says of itself to clients and administrators."""
        presence = self.presence(index)
        return published_by(self.seed, self.plan(index), presence.name, presence.own_host, presence.client_base)

    def portals(self, index: int) -> tuple[tuple[str, Room], ...]:
        """(network, room) of the lists that a server's bridge made; only with an implementation that keeps them."""
        plan = self.plan(index)
        has_bridge = index == 0 or share(self.seed, "bridge", index) < self.profile.bridge_share
        if not has_bridge or plan.release.dialect is not Dialect.SYNAPSE or not plan.is_open:
            return ()
        return portals(self.seed, index, self.names[index])

    def _identity(self, index: int) -> Identity:
        """A server's name and signing key: the same key under the same id for ever; all names of a farm have one."""
        farm = self.plan(index).farm
        holder = index if farm is None else f"farm {farm}"
        key = SigningKey(
            f"ed25519:a_{digest(self.seed, 'key id', holder, size=4).hex()}", digest(self.seed, "key", holder)
        )
        return Identity(parse_server_name(self.names[index]), key)

    def answers_for(self, index: int) -> int | None:
        """Who answers where a .well-known delegates to: a server other than the one that was asked for, and says so in
        its key document; None: the server itself, or who belongs to nobody here."""
        plan = self.plan(index)
        if plan.death is not Death.KEYS_WRONG_NAME or self.presence(index).delegated is None:
            return None
        servers = self.planner.size
        first = int.from_bytes(digest(self.seed, "answers for", index, size=4)) % servers
        candidates = ((first + step) % servers for step in range(servers))
        findable = (Standing.COMMUNITY, Standing.ORDINARY)
        return next((i for i in candidates if i != index and self.plan(i).standing in findable), None)

    def seeds(self) -> list[str]:
        """The names that a crawl starts from: open communities, and one name that turns out to be dead."""
        found = [self.names[index] for index in range(self.planner.seeds)]
        dead = next((self.names[plan.index] for plan in self.plans() if not plan.alive), None)
        return found if dead is None else [*found, dead]

    def plans(self) -> Iterator[ServerPlan]:
        return (self.plan(index) for index in range(self.size))

    def connect_rules(
        self, listening: dict[int, int], refusing: int, silent: int, stalling: int, serve_key: int
    ) -> list[str]:
        """The `--connect` rules that lead every address and port of this world to ports of 127.0.0.1; the first that
        fits counts.

        Args:
            listening: port of the world -> port that our listener for it has.
            refusing: a port where connections are refused.
            silent: a port where they are never answered.
            stalling: a port where they are accepted, and nothing more.
            serve_key: where the crawler serves its own key document.
        """
        hosting = self.planner.hosting
        rules = [f"{CRAWLER_ADDRESS}:*=127.0.0.1:{serve_key}"]
        rules += [f"{address}:*=127.0.0.1:{refusing}" for address in hosting.refusing_addresses()]
        rules += [f"{address}:*=127.0.0.1:{silent}" for address in hosting.silent_addresses()]
        rules += [f"*:{port}=127.0.0.1:{listening[port]}" for port in LISTENING_PORTS]
        rules += [f"*:{SILENT_PORT}=127.0.0.1:{silent}", f"*:{REFUSING_PORT}=127.0.0.1:{refusing}"]
        rules.append(f"*:{STALLING_PORT}=127.0.0.1:{stalling}")
        # Whatever else is dialled must not reach a stranger's service on this machine.
        rules.append(f"*:*=127.0.0.1:{refusing}")
        return rules

    def domains(self) -> list[str]:
        """The registrable domains of all hosts that are served, in the order of their servers."""
        names = (host.partition(":")[0] for _, host in self.network.routes if not host.startswith("["))
        found = dict.fromkeys(".".join(name.split(".")[-2:]) for name in names)
        return [domain for domain in found if not domain.replace(".", "").isdigit()]

    def allow_addresses(self) -> list[str]:
        return list(ALLOWED)
