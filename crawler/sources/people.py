"""Which addresses of commits are of one person, which of a program, and what no commit says: pure.

An address is a person, addresses that a `.mailmap` says are one person's are one. How far that may be off is told by
two bounds: every address for itself, and the same full name as one person.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crawler.errors import UsageError

_NOREPLY = re.compile(r"\A(?:\d+\+)?([a-z0-9-]+)@users\.noreply\.github\.com\Z")
_FIELDS = ("any", "name", "address")


def one_spelling(address: str, name: str) -> str:
    """An address as it compares. GitHub's stand-in is with and without the account's number; what is no address
    at all (`none`, empty) is told apart by the name beside it."""
    plain = address.strip().lower()
    if "@" not in plain:
        return f"{plain} of {full_name(name)}"
    hidden = _NOREPLY.match(plain)
    return f"{hidden[1]}@users.noreply.github.com" if hidden else plain


def full_name(name: str) -> str:
    """A name as it compares."""
    return " ".join(name.casefold().split())


class Families:
    """Things that belong together, when some are said to be the same: disjoint sets."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, thing: str) -> str:
        """The one that stands for all of its family: the first in the alphabet."""
        first = thing
        while (above := self._above.get(first, first)) != first:
            first = above
        while thing != first:
            self._above[thing], thing = first, self._above.get(thing, first)
        return first

    def join(self, one: str, other: str) -> None:
        """Say that two are the same."""
        first, second = sorted((self.of(one), self.of(other)))
        self._above[second] = first


@dataclass(frozen=True, slots=True)
class Bots:
    """Patterns of programs that commit: of names, and of addresses."""

    names: tuple[re.Pattern[str], ...]
    addresses: tuple[re.Pattern[str], ...]

    def has(self, address: str, name: str) -> bool:
        """Whether a program commits under them."""
        name, address = full_name(name), address.strip().lower()
        return any(p.search(name) for p in self.names) or any(p.search(address) for p in self.addresses)


def read_bots(paths: Iterable[Path]) -> Bots:
    """Lists of bots: CSV of field (name, address or any), pattern, source.

    Raises:
        UsageError: a list cannot be read, or holds what is no pattern.
    """
    found: dict[str, list[re.Pattern[str]]] = {field: [] for field in _FIELDS}
    for path in paths:
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    found[row["field"]].append(re.compile(row["pattern"], re.IGNORECASE))
        except (OSError, UnicodeDecodeError, KeyError, TypeError, re.error, csv.Error) as error:
            raise UsageError(f"{path} is no list of bots (field, pattern, source): {error}") from error
    return Bots(tuple(found["any"] + found["name"]), tuple(found["any"] + found["address"]))
