"""Which spaces are still to be opened, and whom to ask. Pure: owned by the frontier.

A space is asked about once, of the servers said to be in it one after the other until one tells: first of those who
listed it, the owner of its alias before others, then of its `via`. A child that the answering server says nothing of,
and that no directory told the type of, is asked about too, since nobody else may tell of it. Cycles are legal, so a
room is never opened twice; spaces in spaces are followed to a depth.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from crawler.config import Limits
from crawler.model.names import ServerName, alias_domain, try_server_name
from crawler.model.rooms import PublicRoom, SpaceAnswer

SPACE = "m.space"

MAX_DEPTH = 32
"""Spaces in spaces; what bounds the work is the budget of each server, this only ends a chain made to have no end."""
MAX_HOSTS = 4
"""Servers asked about one room."""
BATCH = 20
"""Rooms asked of one server in one go."""


class Spaces:
    """The rooms that spaces lead to, in one crawl."""

    def __init__(self, limits: Limits) -> None:
        self._budget = limits.space_lookups
        self._depth: dict[str, int] = {}
        self._hosts: dict[str, deque[str]] = {}
        self._tried: dict[str, set[str]] = {}
        self._unasked: set[str] = set()
        """Rooms that nobody is left to be asked about; who is named later is asked."""
        self._answered: set[str] = set()
        self._listed: set[str] = set()
        self._queues: dict[str, deque[str]] = {}
        self._asked: dict[str, int] = {}
        self._online: set[str] = set()
        self._busy: set[str] = set()
        self.opened = 0
        self.outstanding = 0
        """Rooms not asked about since a server's budget was spent."""

    def read_directory(self, host: ServerName, rooms: Iterable[PublicRoom]) -> None:
        """A server listed these rooms."""
        rooms = tuple(rooms)
        # Who says nothing of this kind of any room (Dendrite) leaves open which of them are spaces.
        tells_types = any(room.room_type is not None or room.join_rule is not None for room in rooms)
        for room in rooms:
            if tells_types:
                self._listed.add(room.room_id)
            if room.room_type == SPACE:
                is_owner = (alias_domain(room.canonical_alias or "") or "").lower() == host.key
                self._want(room.room_id, 0, [host.key], first=is_owner)

    def is_online(self, host: ServerName) -> None:
        """A server can be asked from now on."""
        self._online.add(host.key)

    def answered(self, answer: SpaceAnswer) -> None:
        """A server told of a room."""
        depth = self._depth.get(answer.space_id, 0)
        self._answered.add(answer.space_id)
        self.opened += 1
        told = {room.room_id: room for room in answer.rooms}
        for child in answer.children:
            if child.room_id in answer.inaccessible or depth + 1 > MAX_DEPTH:
                continue
            room = told.get(child.room_id)
            if room.room_type == SPACE if room is not None else child.room_id not in self._listed:
                names = (try_server_name(text) for text in child.via)
                self._want(child.room_id, depth + 1, [name.key for name in names if name is not None])

    def asked(self, host: str, rooms: Iterable[str]) -> None:
        """Asking `host` about these rooms is over; about those not answered the next one is asked."""
        self._busy.discard(host)
        for room_id in rooms:
            if room_id not in self._answered:
                self._pass_on(room_id)

    def was_asked(self, host: ServerName) -> None:
        """A room of the budget of `host` is used up already."""
        self._asked[host.key] = self._asked.get(host.key, 0) + 1

    def next(self) -> tuple[str, tuple[str, ...]] | None:
        """Whom to ask about which rooms; None when there is nobody to ask now."""
        # Whoever is passed on to is appended, and so has a turn in the same round.
        for host in self._askable():
            wanted = self._take(host)
            if not self._queues[host]:
                del self._queues[host]
            if wanted:
                self._busy.add(host)
                return host, tuple(wanted)
        return None

    def _askable(self) -> Iterator[str]:
        """Who can be asked something now, those who become so meanwhile included."""
        seen: set[str] = set()
        while fresh := [host for host in self._queues if host not in seen]:
            seen.update(fresh)
            yield from (host for host in fresh if host in self._online and host not in self._busy)

    def _take(self, host: str) -> list[str]:
        """Rooms to ask `host` about now; those beyond its budget are passed on."""
        queue, wanted = self._queues[host], list[str]()
        while queue and len(wanted) < BATCH:
            room_id = queue.popleft()
            if room_id in self._answered:
                continue
            if self._asked.get(host, 0) < self._budget:
                self._asked[host] = self._asked.get(host, 0) + 1
                wanted.append(room_id)
            elif not self._hosts[room_id]:
                self.outstanding += 1
            else:
                self._pass_on(room_id)
        return wanted

    @property
    def has_next(self) -> bool:
        """Whether somebody can be asked something now."""
        return any(queue and host in self._online and host not in self._busy for host, queue in self._queues.items())

    @property
    def is_stuck(self) -> bool:
        """Whether rooms wait for servers that are not online."""
        return any(queue and host not in self._online for host, queue in self._queues.items())

    def skip_the_absent(self) -> None:
        """Whoever is not online by now will not be: the next server is asked in their stead."""
        for host in [host for host, queue in self._queues.items() if queue and host not in self._online]:
            waiting = self._queues.pop(host)
            for room_id in waiting:
                if room_id not in self._answered:
                    self._pass_on(room_id)

    def _want(self, room_id: str, depth: int, hosts: list[str], *, first: bool = False) -> None:
        """Have somebody asked about a room: one of `hosts`, before those said earlier if they are to be `first`."""
        if room_id in self._answered:
            return
        if room_id not in self._depth:
            self._depth[room_id] = depth
            self._hosts[room_id] = deque()
            self._unasked.add(room_id)
        known, tried = self._hosts[room_id], self._tried.setdefault(room_id, set())
        left = MAX_HOSTS - len(tried)
        fresh = [host for host in hosts if host not in known and host not in tried]
        if first:
            known.extendleft(reversed(fresh))
            while len(known) > left:
                known.pop()
        else:
            known.extend(fresh[: left - len(known)])
        if room_id in self._unasked:
            self._pass_on(room_id)

    def _pass_on(self, room_id: str) -> None:
        hosts = self._hosts[room_id]
        if hosts:
            host = hosts.popleft()
            self._unasked.discard(room_id)
            self._tried[room_id].add(host)
            self._queues.setdefault(host, deque()).append(room_id)
        else:
            self._unasked.add(room_id)
