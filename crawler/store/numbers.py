"""The numbers of servers: the writer gives them out, and knows them all by heart.

Apart from the writer, because a batch may fail: the numbers it gave out then never were. A number once committed never
changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from crawler.model.names import ServerName


@dataclass(frozen=True, slots=True)
class NewServer:
    """A server that this batch met first."""

    number: int
    key: str
    spelling: str


class ServerNumbers:
    """Key -> number, committed or of the batch in hand.

    A name that was only heard of is kept as its key, since leads carry no more. The first visit says how it is spelled:
    signatures and Host headers carried that spelling.
    """

    def __init__(self, known: Iterable[tuple[int, str, bool]]) -> None:
        """Args:
        known: (number, key, was it ever visited) of every server of the file.
        """
        self._numbers: dict[str, int] = {}
        self._never_visited: set[int] = set()
        for number, key, visited in known:
            self._numbers[key] = number
            if not visited:
                self._never_visited.add(number)
        self._next = max(self._numbers.values(), default=0) + 1
        self._new: dict[str, NewServer] = {}
        self._spelled: dict[int, str] = {}

    def heard(self, key: str) -> int:
        """The number of a server that somebody named."""
        number = self._numbers.get(key)
        return self._give(key, key) if number is None else number

    def visited(self, name: ServerName) -> int:
        """The number of a server that was visited under `name`."""
        number = self._numbers.get(name.key)
        if number is None:
            number = self._give(name.key, name.raw)
        elif name.key in self._new:
            self._new[name.key] = NewServer(number, name.key, name.raw)
        elif number in self._never_visited and number not in self._spelled:
            self._spelled[number] = name.raw
        return number

    def _give(self, key: str, spelling: str) -> int:
        number = self._next
        self._next += 1
        self._numbers[key] = number
        self._new[key] = NewServer(number, key, spelling)
        return number

    @property
    def new(self) -> tuple[NewServer, ...]:
        """What the batch in hand adds."""
        return tuple(self._new.values())

    @property
    def respelled(self) -> dict[int, str]:
        """Number -> spelling of servers that the batch in hand visited first, where it differs from the key."""
        return {number: raw for number, raw in self._spelled.items() if raw != raw.lower()}

    def keep(self, visited: Iterable[int]) -> None:
        """The batch is committed; it visited the servers of these numbers."""
        self._never_visited.update(new.number for new in self._new.values())
        self._never_visited.difference_update(visited)
        self._new.clear()
        self._spelled.clear()

    def forget(self) -> None:
        """The batch failed: whatever it gave out is taken back."""
        for key in self._new:
            del self._numbers[key]
        self._next -= len(self._new)
        self._new.clear()
        self._spelled.clear()
