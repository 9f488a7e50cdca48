"""What the one loop hands to a worker, and what comes back: names in, observations out.

Plain data, so that a worker may be another process, or another machine.
"""

from dataclasses import dataclass
from typing import TypeAlias

from crawler.model.names import ServerName
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer


@dataclass(frozen=True, slots=True)
class Visit:
    """Look at one server; `closely`, at every address of it."""

    server: ServerName
    closely: bool = False


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask `owner`, whose client API is at `client_base`, which servers are in the rooms behind `aliases`."""

    owner: ServerName
    client_base: str
    aliases: tuple[str, ...]


Task: TypeAlias = Visit | LookUp


@dataclass(frozen=True, slots=True)
class Visited:
    """A visit ended. `client_base` is where the server's client API is believed to be."""

    observation: ServerObservation
    client_base: str


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A follow-up ended."""

    task: LookUp
    answers: tuple[AliasAnswer, ...]


Outcome: TypeAlias = Visited | LookedUp
