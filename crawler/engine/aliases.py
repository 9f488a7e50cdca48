"""Which aliases are asked of the servers that own them when their visits are over. Pure: owned by the frontier.

Aliases are asked of the server that owns them: nobody else is made to fetch them for us. Those that its own directory
lists are asked within its visit; those that the directories of others name, in a follow-up `LookUp`, which has to wait
until no visit is queued, so that most of them travel together. The biggest rooms never asked about come first, then
those whose answer is oldest, as many as an owner's budget allows, its visit's counted in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crawler.engine.lookup import in_order
from crawler.engine.task import LookUp
from crawler.model.names import ServerName


@dataclass(slots=True)
class _Owner:
    """`waiting`: alias -> members of its room. `client_base` is None until the server was seen online."""

    name: ServerName
    client_base: str | None = None
    asked: set[str] = field(default_factory=set)
    waiting: dict[str, int] = field(default_factory=dict)
    in_flight: bool = False


class Aliases:
    """The follow-ups of one crawl.

    Args:
        budget: aliases asked of one owner.
        last_asked: what earlier crawls asked, key of the owner -> alias -> the crawl that last asked for it.
    """

    def __init__(self, budget: int, last_asked: Mapping[str, Mapping[str, int]]) -> None:
        self._budget = budget
        self._last_asked = last_asked
        self._owners: dict[str, _Owner] = {}
        self._ready: dict[str, None] = {}

    def hear(self, alias: str, owner: ServerName, members: int) -> None:
        """A directory other than its owner's listed `alias`, for a room of so many members."""
        entry = self._owners.setdefault(owner.key, _Owner(owner))
        if alias not in entry.asked:
            entry.waiting[alias] = max(members, entry.waiting.get(alias, 0))
            self._offer(entry)

    def visited(self, owner: ServerName, client_base: str | None, asked: Iterable[str]) -> None:
        """A visit ended.

        Args:
            owner: whom it was to.
            client_base: where to ask for more; None: nowhere.
            asked: what it was asked for.
        """
        entry = self._owners.setdefault(owner.key, _Owner(owner))
        entry.asked.update(asked)
        for alias in entry.asked:
            entry.waiting.pop(alias, None)
        if client_base is not None:
            entry.client_base = client_base
        self._offer(entry)

    @property
    def has_next(self) -> bool:
        return bool(self._ready)

    @property
    def outstanding(self) -> int:
        """Aliases that were not asked: over budget, or their owner is not online."""
        return sum(len(owner.waiting) for owner in self._owners.values())

    def next(self) -> LookUp | None:
        """The next follow-up to start; None when there is none now."""
        if not self._ready:
            return None
        entry = self._owners[next(iter(self._ready))]
        del self._ready[entry.name.key]
        ordered = in_order(entry.waiting, self._last_asked.get(entry.name.key, {}))
        aliases = ordered[: self._left(entry)]
        for alias in aliases:
            del entry.waiting[alias]
        entry.asked.update(aliases)
        entry.in_flight = True
        assert entry.client_base is not None  # noqa: S101 - _offer only readies owners that have one
        return LookUp(entry.name, entry.client_base, aliases)

    def looked_up(self, task: LookUp) -> None:
        """A follow-up ended."""
        entry = self._owners[task.owner.key]
        entry.in_flight = False
        self._offer(entry)

    def _offer(self, entry: _Owner) -> None:
        if entry.client_base is not None and entry.waiting and not entry.in_flight and self._left(entry) > 0:
            self._ready[entry.name.key] = None

    def _left(self, entry: _Owner) -> int:
        return self._budget - len(entry.asked)
