"""What a perfect crawl of one day would see of each server, without any socket: for rehearsing history.

Apart from `lab.truth`, which scores a crawl: this is what an observation is made of. No time is in it, and nothing that
only a connection has (a certificate's fingerprint, a duration): who builds observations from it says when they were
made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crawler.errors import FailureKind
from crawler.lab.deaths import DEATHS, Reached
from crawler.lab.directory import Row, RowsKept
from crawler.lab.network import Target
from crawler.lab.plan import ServerPlan
from crawler.lab.profile import Profile
from crawler.lab.room import Room
from crawler.lab.software import spec_versions, unstable_features
from crawler.lab.truth import Findings, Truth, directory_state, predicates_of
from crawler.lab.world import World
from crawler.model.discovery import Branch
from crawler.model.rooms import DirectoryState, DirectoryWay, PublicRoom


@dataclass(frozen=True, slots=True)
class AliasGlimpse:
    """Who is in the room of an alias, as the server that owns the alias answers; keys of server names."""

    alias: str
    room_id: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One server on one day.

    `reached` is how far along the funnel it comes; `failure` what stops it there, None for who federates. `branch` is
    None when it does not resolve. `name_raw`, `version_raw`, `spec_versions` and `unstable_features` are empty for who
    is not online, `verify_keys` (key id -> unpadded base64) for who does not federate. `named_by` is (source, key of
    the server that named it) as far as a crawl from the seeds has heard it. Rooms that ask not to be indexed are
    counted in `noindex` and not among `rooms`; `network_rooms` stand only in the lists of third-party networks.
    """

    server: str
    reached: Reached
    failure: FailureKind | None
    branch: Branch | None
    delegated: str | None
    targets: tuple[Target, ...]
    client_base: str | None
    name_raw: str | None
    version_raw: str | None
    spec_versions: tuple[str, ...]
    unstable_features: dict[str, bool]
    verify_keys: dict[str, str]
    accepting: bool | None
    directory: DirectoryState
    way: DirectoryWay | None
    rooms: tuple[PublicRoom, ...]
    network_rooms: tuple[PublicRoom, ...]
    noindex: int
    aliases: tuple[AliasGlimpse, ...]
    latency_s: float


class Watch:
    """What a crawl with an identity sees of a federation, day after day: of who did not change overnight, the glimpse
    is the same object as on the day before.

    Args:
        seed: of the federation.
        servers: that it had on day 0.
        profile: what kind of federation.
        max_rooms: of each directory at most so many rooms, the biggest; None: all.
        max_aliases: ask each server for at most so many of its own aliases, those of its biggest rooms.
    """

    def __init__(
        self, seed: int, servers: int, profile: Profile, *, max_rooms: int | None = None, max_aliases: int = 50
    ) -> None:
        self._federation = seed, servers, profile
        self._max_rooms = max_rooms
        self._max_aliases = max_aliases
        self._world: World | None = None
        self._rows: RowsKept = {}
        self._seen: dict[int, tuple[_MadeOf, Glimpse]] = {}

    def on(self, day: int) -> tuple[World, list[Glimpse]]:
        """The federation on a day, not before the one that was asked for last, and every server that can be found, in
        the order in which a crawl hears of them."""
        world = self._world = World(*self._federation, day, self._world)
        truth = Truth(world, self._rows)
        return world, [self._glimpse(world, truth, index) for index in truth.signed.sources]

    def _glimpse(self, world: World, truth: Truth, index: int) -> Glimpse:
        made_of = _what_it_is_made_of(world, truth, index, self._max_aliases)
        before = self._seen.get(index)
        if before is not None and before[0] == made_of:
            return before[1]
        glimpse = _glimpse(world, index, made_of, self._max_rooms)
        self._seen[index] = made_of, glimpse
        return glimpse


def glimpses(world: World, *, max_rooms: int | None = None, max_aliases: int = 50) -> Iterator[Glimpse]:
    """The same of one day alone; the bounds are those of `Watch`."""
    truth = Truth(world)
    for index in truth.signed.sources:
        yield _glimpse(world, index, _what_it_is_made_of(world, truth, index, max_aliases), max_rooms)


@dataclass(frozen=True, slots=True)
class _MadeOf:
    """What decides a glimpse; nothing else of a server ever changes. `rooms` are with the members that its directory
    states, `participants` those of the rooms whose aliases it is asked for."""

    plan: ServerPlan
    rooms: list[Row]
    noindex: int
    asked: list[Room]
    participants: list[tuple[int, ...]]


def _what_it_is_made_of(world: World, truth: Truth, index: int, max_aliases: int) -> _MadeOf:
    plan = world.plan(index)
    found = Findings(signed=True)
    federates = plan.death is None
    rows = sorted(truth.read(found, index, signed=True), key=lambda row: row.key) if federates else []
    own = [row.room for row in rows if row.room.origin == index and row.room.alias is not None][:max_aliases]
    asked = own if plan.publishes_client else []
    return _MadeOf(
        plan=plan,
        rooms=rows,
        noindex=found.noindex[index],
        asked=asked,
        participants=[world.rooms.participants(room.origin, room.serial) for room in asked],
    )


def _glimpse(world: World, index: int, made_of: _MadeOf, max_rooms: int | None) -> Glimpse:
    plan, presence = made_of.plan, world.presence(index)
    facts = None if plan.death is None else DEATHS[plan.death]
    reached = Reached.FEDERATING if facts is None else facts.reached
    online, federating = reached >= Reached.ONLINE, reached >= Reached.FEDERATING
    release = plan.release
    portals = world.portals(index) if federating and plan.readable_door(signed=True) is DirectoryWay.FEDERATION else ()
    identity = world.identity(index)
    return Glimpse(
        server=presence.name,
        reached=reached,
        failure=None if facts is None else facts.kind,
        branch=plan.branch if reached >= Reached.RESOLVES else None,
        delegated=presence.delegated,
        targets=presence.targets,
        client_base=presence.client_base,
        name_raw=release.name_raw.format(server=presence.name) if online and release.name_raw is not None else None,
        version_raw=release.version_raw if online else None,
        spec_versions=tuple(spec_versions(release)) if online and plan.publishes_client else (),
        unstable_features=unstable_features(release) if online and plan.publishes_client else {},
        verify_keys={identity.key.key_id: identity.key.public_key_base64} if federating else {},
        accepting=predicates_of(plan, signed=True)["accepting"],
        directory=directory_state(plan, signed=True) if federating else DirectoryState.SKIPPED,
        way=plan.readable_door(signed=True) if federating else None,
        rooms=tuple(_listed(row.room, row.members) for row in made_of.rooms[:max_rooms]),
        network_rooms=tuple(_listed(room, room.members) for _, room in portals[:max_rooms]),
        noindex=made_of.noindex,
        aliases=tuple(
            AliasGlimpse(room.alias or "", room.room_id, tuple(world.names[k] for k in servers))
            for room, servers in zip(made_of.asked, made_of.participants, strict=True)
        ),
        latency_s=plan.latency_s,
    )


def _listed(room: Room, members: int) -> PublicRoom:
    """A room as a directory lists it."""
    return PublicRoom(
        room_id=room.room_id,
        members=members,
        name=room.name,
        topic=room.topic or None,
        canonical_alias=room.alias,
        join_rule=room.join_rule,
        room_type=room.room_type,
        world_readable=room.world_readable,
        guest_can_join=room.guest_can_join,
    )
