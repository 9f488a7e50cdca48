"""What is the same for every visitor of one census, made once and kept: a bounded memory that many threads ask.

Two that ask for the same thing at once wait for one making; different things are made side by side.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MOST = 400
"""Things kept; that not asked for longest goes first. Addresses can ask for many: one day more or less is another."""


class _Slot:
    """The place of one thing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made = False
        self.value: Any = None


class Kept:
    """The memory of one census."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for `key`, made now if it was not yet or is forgotten. What it raises is not kept."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
        with slot.lock:
            if not slot.made:
                slot.value = make()
                slot.made = True
            value: T = slot.value
            return value
