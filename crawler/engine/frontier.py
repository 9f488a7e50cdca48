"""Which task comes next. Pure: the one loop in `engine.run` owns it, nobody else touches it.

A server is visited at most once in a crawl, tries not counted. First come names that nobody ever looked at, for they
lead to others; then those due, the living before the dying before the dead. Within each, names with more witnesses
come first, because they are likelier alive and name more others; among equals the first heard of. Names that are not
due, that ask to be left alone, that have opted out, or whose group is full (`engine.guard`) are not taken.

When no visit is queued, servers are asked about aliases that others listed (`engine.aliases`); when none is under way,
about spaces (`engine.spaces`).
"""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from crawler.config import Limits
from crawler.engine import schedule
from crawler.engine.aliases import Aliases
from crawler.engine.guard import EARNED, Group, Guard, groups_of
from crawler.engine.permission import OBEYED
from crawler.engine.schedule import key_fingerprint
from crawler.engine.spaces import Spaces
from crawler.engine.task import Explore, LookUp, Task, Visit, Visited
from crawler.engine.tries import Tries
from crawler.model.names import ServerName, try_server_name
from crawler.model.rooms import PublicRoom, SpaceAnswer
from crawler.model.schedule import Life, Remembered, Robots, ServerSchedule

NOTHING_REMEMBERED = Remembered({}, {})

_NEVER_SEEN = 0
_RANK = {Life.ALIVE: 1, Life.DYING: 2, Life.DEAD: 3}


class Frontier:
    """The queue of one crawl.

    Args:
        limits: concurrency, tries, alias look-ups, allowances.
        max_servers: stop taking new visits after so many; None for no cap.
        remembered: what earlier crawls left.
        started_at: of the crawl; what is due is judged by it.
        has_opted_out: names that are never contacted.
        explores: spaces are opened; only signed requests can.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        started_at: datetime,
        max_servers: int | None = None,
        remembered: Remembered = NOTHING_REMEMBERED,
        has_opted_out: Callable[[ServerName], bool] = lambda _: False,
        explores: bool = False,
    ) -> None:
        self._limits = limits
        self.concurrency = limits.concurrency
        self.tries = Tries(at_most=limits.tries, at_once=limits.second_tries)
        self.guard = Guard(limits)
        self.aliases = Aliases(limits.alias_lookups if limits.client_api else 0, remembered.aliases)
        self.spaces = Spaces(limits)
        self.explores = explores
        self._exploring = 0
        self._max_servers = max_servers
        self._remembered = remembered
        self._started_at = started_at
        self._has_opted_out = has_opted_out
        self._names: dict[str, ServerName] = {}
        self._witnesses: dict[str, int] = {}
        self._heap: list[tuple[int, int, int, str]] = []
        self._order = itertools.count()
        self._taken: set[str] = set()
        self._deferred: dict[Group, deque[str]] = {}
        self._explorable: dict[str, tuple[ServerName, str]] = {}
        """Who may be asked about rooms, and how they spell themselves."""
        self.left_out: Counter[str] = Counter()
        """Names heard of that this crawl does not look at, by why: not_due, resting, opted_out."""
        self._out: set[str] = set()
        self.active = 0
        self.visited = 0
        for each in remembered.servers.values():
            if each.life is Life.ALIVE and each.first_key is not None:
                name = try_server_name(each.server)
                if name is not None:
                    self.guard.proved(groups_of(name, each), each.first_key)

    @property
    def queued(self) -> int:
        """Names heard of, to be looked at, and not yet taken."""
        return len(self._names) - len(self._taken) - len(self._out) - self.guarded

    @property
    def known(self) -> int:
        return len(self._names)

    @property
    def guarded(self) -> int:
        """Names deferred because their group is full."""
        return sum(len(names) for names in self._deferred.values())

    @property
    def guarded_groups(self) -> Mapping[Group, int]:
        """How many names of each group are deferred, the most first."""
        return dict(Counter({group: len(names) for group, names in self._deferred.items() if names}).most_common())

    @property
    def deferred(self) -> int:
        """Names that the cap on servers or a full group left to later crawls."""
        return self.guarded + (self.queued if self._capped else 0)

    @property
    def finished(self) -> bool:
        idle = self.active == 0 and self.tries.pending == 0 and not (self.aliases.has_next or self.spaces.has_next)
        return idle and (self.queued == 0 or self._capped)

    @property
    def _capped(self) -> bool:
        return self._max_servers is not None and len(self._taken) >= self._max_servers

    def slow_down(self, share: float, *, is_fit: bool) -> None:
        """Have only this share of the tasks under way that the limits allow, and judge nobody anew unless `is_fit`."""
        self.concurrency = max(1, round(self._limits.concurrency * share))
        self.tries.at_once = max(1, round(self._limits.second_tries * share))
        self.tries.is_fit = is_fit

    def hear(self, name: ServerName, *, insisted: bool = False, times: int = 1) -> bool:
        """Somebody named a server.

        Args:
            name: the server.
            insisted: a person named it, who wants it looked at whether it is due or not.
            times: how many named it.

        Returns:
            Whether it is new.
        """
        key = name.key
        new = key not in self._names
        remembered = self._remembered.servers.get(key)
        if new:
            self._names[key] = name
            why_not = self._why_not(name, remembered, insisted=insisted)
            if why_not is not None:
                self._out.add(key)
                self.left_out[why_not] += 1
        if key not in self._taken and key not in self._out:
            before = self._witnesses.get(key, 0)
            count = self._witnesses[key] = before + times
            # Re-queued at 1, 2, 4, 8 ...: a heap cannot change a rank, and few ranks suffice.
            if count.bit_length() != before.bit_length():
                rank = _NEVER_SEEN if remembered is None else _RANK[remembered.life]
                heapq.heappush(self._heap, (rank, -(1 << count.bit_length() - 1), next(self._order), key))
        return new

    def _why_not(self, name: ServerName, remembered: ServerSchedule | None, *, insisted: bool) -> str | None:
        if self._has_opted_out(name):
            return "opted_out"
        if schedule.is_resting(remembered, self._started_at):
            return "resting"
        if not insisted and not schedule.is_due(remembered, self._started_at):
            return "not_due"
        return None

    def hear_alias(self, alias: str, owner: ServerName, members: int) -> None:
        """A directory other than its owner's listed `alias`, for a room of so many members."""
        self.hear(owner)
        self.aliases.hear(alias, owner, members)

    def take(self) -> Task | None:
        """The next task to start, or None if there is none now, or no room for it."""
        again = self.tries.take(alone=self.active == 0)
        if again is not None or self.active >= self.concurrency:
            return again
        if not self._capped and (visit := self._next_visit()) is not None:
            return visit
        look_up = self.aliases.next()
        if look_up is None:
            return self._exploration()
        self.active += 1
        return look_up

    def _exploration(self) -> Explore | None:
        """Spaces come last, when the directories are read, so that only what none of them lists is asked about."""
        if self.active > self._exploring or self.tries.pending:
            return None
        if self.active == 0:
            while not self.spaces.has_next and self.spaces.is_stuck:
                self.spaces.skip_the_absent()
        found = self.spaces.next()
        if found is None:
            return None
        host, rooms = found
        self.active += 1
        self._exploring += 1
        return Explore(*self._explorable[host], rooms)

    def explored(self, task: Explore, answers: Iterable[SpaceAnswer]) -> None:
        """An exploration ended."""
        self.active -= 1
        self._exploring -= 1
        for answer in answers:
            self.spaces.answered(answer)
        self.spaces.asked(task.server.key, task.rooms)

    def _next_visit(self) -> Visit | None:
        while self._heap:
            _, _, _, key = heapq.heappop(self._heap)
            if key in self._taken or key not in self._witnesses:
                continue
            name, remembered = self._names[key], self._remembered.servers.get(key)
            groups = groups_of(name, remembered)
            full = self.guard.full(groups)
            if full is not None:
                del self._witnesses[key]
                self._deferred.setdefault(full, deque()).append(key)
                continue
            self.guard.started(groups)
            self._taken.add(key)
            del self._witnesses[key]
            self.active += 1
            return Visit(
                name,
                directory_denied=schedule.is_denied(remembered, self._started_at),
                aliases_asked=self._remembered.aliases.get(key, {}),
                address=None if remembered is None else remembered.address,
            )
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
            seen = verdict.observation
            # Whoever lets us do nothing at all is asked for nothing more, aliases that others list included.
            may_ask = verdict.robots is not Robots.DISALLOWS_US_ENTIRELY
            client_base = verdict.client_base if seen.online and may_ask else None
            if seen.federating and verdict.robots not in OBEYED:
                self._may_explore(seen.server_name, seen.own_spelling, seen.directory.rooms)
            self._settle(seen.server_name, client_base, verdict.asked, key_fingerprint(seen))
        return verdict

    def _may_explore(self, name: ServerName, spelling: str, rooms: Iterable[PublicRoom]) -> None:
        """A server whose directory listed these rooms may be asked about them and others."""
        if self.explores:
            self._explorable[name.key] = name, spelling
            self.spaces.is_online(name)
            self.spaces.read_directory(name, rooms)

    def was_seen(
        self,
        name: ServerName,
        *,
        client_base: str | None,
        asked: Collection[str],
        keys: str | None,
        rooms: Iterable[PublicRoom] | None,
    ) -> None:
        """A visit ended before the crawl was interrupted.

        Args:
            name: whom it was to.
            client_base: where its client API is; None: it was not online.
            asked: the aliases that it was asked for, in the visit and afterwards.
            keys: fingerprint of its keys; None: it does not federate.
            rooms: what its directory listed; None: it is not to be asked about rooms.
        """
        self._names[name.key] = name
        self._taken.add(name.key)
        self.guard.started(groups_of(name, self._remembered.servers.get(name.key)))
        if rooms is not None:
            self._may_explore(name, name.raw, rooms)
        self._settle(name, client_base, asked, keys)

    def was_told(self, host: ServerName, answer: SpaceAnswer) -> None:
        """`host` told of a room before the crawl was interrupted; after all `was_seen`, in the order of the answers."""
        self.spaces.answered(answer)
        self.spaces.was_asked(host)

    def _settle(self, name: ServerName, client_base: str | None, asked: Iterable[str], keys: str | None) -> None:
        self.visited += 1
        self.aliases.visited(name, client_base, asked)
        if keys is not None:
            self._count_proof(name, keys)

    def _count_proof(self, name: ServerName, keys: str) -> None:
        """A server of its own earns its group places: the names that were deferred first get them."""
        groups = groups_of(name, self._remembered.servers.get(name.key))
        if not self.guard.proved(groups, keys):
            return
        for group in groups:
            waiting = self._deferred.get(group, deque())
            for _ in range(min(EARNED, len(waiting))):
                key = waiting.popleft()
                self._witnesses[key] = 1
                heapq.heappush(self._heap, (_NEVER_SEEN, -1, next(self._order), key))

    def looked_up(self, task: LookUp) -> None:
        """A follow-up ended."""
        self.active -= 1
        self.aliases.looked_up(task)
