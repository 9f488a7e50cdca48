"""Which task comes next. Pure: the one loop in `engine.run` owns it, nobody else touches it.

A server is visited at most once in a crawl. Names with more witnesses come first, because they are likelier alive and
name more others; among equals the first heard of. Aliases are asked of the server that owns them (nobody else is made
to fetch them for us): those its own directory lists are asked within its visit, those that other directories name are
asked in a follow-up `LookUp`, which has to wait until no visit is queued, so that most of them travel together.
"""

import heapq
import itertools
from dataclasses import dataclass, field

from crawler.engine.task import LookUp, Task, Visit, Visited
from crawler.engine.tries import Tries
from crawler.model.names import ServerName
from crawler.model.observation import ServerObservation


@dataclass(slots=True)
class _Owner:
    """What is known of a server as an owner of aliases. `client_base` is None until it was seen online."""

    name: ServerName
    visited: bool = False
    client_base: str | None = None
    asked: set[str] = field(default_factory=set)
    waiting: dict[str, int] = field(default_factory=dict)
    in_flight: bool = False


class Frontier:
    """The queue of one crawl.

    Args:
        max_servers: stop taking new visits after so many; None for no cap.
        alias_lookups: aliases asked of one server in this crawl.
        concurrency: tasks under way at once, second tries not counted.
        tries: of servers that are to be tried again.
    """

    def __init__(self, *, max_servers: int | None, alias_lookups: int, concurrency: int, tries: Tries) -> None:
        self._max_servers = max_servers
        self.concurrency = concurrency
        self.tries = tries
        self._alias_lookups = alias_lookups
        self._names: dict[str, ServerName] = {}
        self._witnesses: dict[str, int] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._order = itertools.count()
        self._taken: set[str] = set()
        self._owners: dict[str, _Owner] = {}
        self._ready: dict[str, None] = {}
        self.active = 0
        self.visited = 0

    @property
    def queued(self) -> int:
        """Names heard of and not yet taken."""
        return len(self._names) - len(self._taken)

    @property
    def known(self) -> int:
        return len(self._names)

    @property
    def deferred(self) -> int:
        """Names that the cap on servers left to later crawls; 0 unless there is a cap and it was reached."""
        return self.queued if self._capped else 0

    @property
    def finished(self) -> bool:
        idle = self.active == 0 and self.tries.pending == 0 and not self._ready
        return idle and (self.queued == 0 or self._capped)

    @property
    def aliases_outstanding(self) -> int:
        """Aliases of others' directories that were not asked: over budget, or their owner is not online."""
        return sum(len(owner.waiting) for owner in self._owners.values())

    @property
    def _capped(self) -> bool:
        return self._max_servers is not None and len(self._taken) >= self._max_servers

    def hear(self, name: ServerName) -> bool:
        """Somebody named a server. Returns whether it is new."""
        key = name.key
        new = key not in self._names
        if new:
            self._names[key] = name
        if key not in self._taken:
            count = self._witnesses.get(key, 0) + 1
            self._witnesses[key] = count
            if (
                count & (count - 1) == 0
            ):  # re-queued at 1, 2, 4, 8 ...: a heap cannot change a rank, and few ranks suffice
                heapq.heappush(self._heap, (-count, next(self._order), key))
        return new

    def hear_alias(self, alias: str, owner: ServerName, members: int) -> None:
        """A directory other than its owner's listed `alias`, for a room of so many members."""
        self.hear(owner)
        entry = self._owners.setdefault(owner.key, _Owner(owner))
        if alias in entry.asked:
            return
        entry.waiting[alias] = max(members, entry.waiting.get(alias, 0))
        self._offer(entry)

    def take(self) -> Task | None:
        """The next task to start, or None if there is none now, or no room for it."""
        again = self.tries.take()
        if again is not None or self.active >= self.concurrency:
            return again
        if not self._capped:
            while self._heap:
                _, _, key = heapq.heappop(self._heap)
                if key not in self._taken:
                    self._taken.add(key)
                    self._witnesses.pop(key, None)
                    self.active += 1
                    return Visit(self._names[key])
        if self._ready:
            key = next(iter(self._ready))
            del self._ready[key]
            return self._look_up(self._owners[key])
        return None

    def seen(self, visited: Visited) -> Visited | None:
        """A visit ended.

        Returns:
            What is to be recorded; None when the server is tried again, or was never tried fairly.
        """
        if visited.task.hurried:
            self.active -= 1
        verdict = self.tries.ended(visited)
        if verdict is not None:
            self._settle(verdict.observation, verdict.client_base)
        return verdict

    def _settle(self, observation: ServerObservation, client_base: str) -> None:
        self.visited += 1
        name = observation.server_name
        entry = self._owners.setdefault(name.key, _Owner(name))
        entry.visited = True
        entry.asked.update(answer.alias for answer in observation.aliases)
        for alias in entry.asked:
            entry.waiting.pop(alias, None)
        if observation.online:
            entry.client_base = client_base
        self._offer(entry)

    def looked_up(self, task: LookUp) -> None:
        """A follow-up ended."""
        self.active -= 1
        entry = self._owners[task.owner.key]
        entry.in_flight = False
        self._offer(entry)

    def _offer(self, entry: _Owner) -> None:
        if entry.client_base is not None and entry.waiting and not entry.in_flight and self._budget(entry) > 0:
            self._ready[entry.name.key] = None

    def _budget(self, entry: _Owner) -> int:
        return self._alias_lookups - len(entry.asked)

    def _look_up(self, entry: _Owner) -> LookUp:
        biggest_first = sorted(entry.waiting, key=lambda alias: (-entry.waiting[alias], alias))
        aliases = tuple(biggest_first[: self._budget(entry)])
        for alias in aliases:
            del entry.waiting[alias]
        entry.asked.update(aliases)
        entry.in_flight = True
        self.active += 1
        assert entry.client_base is not None  # noqa: S101 - _offer only readies owners that have one
        return LookUp(entry.name, entry.client_base, aliases)
