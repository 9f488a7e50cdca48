"""What the one loop hands to a worker, and what comes back: names in, observations out.

Plain data, so that a worker may be another process, or another machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from crawler.engine.vigil import Doubt
from crawler.model.names import ServerName
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, SpaceAnswer
from crawler.model.schedule import Robots


@dataclass(frozen=True, slots=True)
class Visit:
    """Look at one server.

    Attributes:
        closely: look at every address of it, too.
        hurried: a first try, whose deadlines are short until somebody is there.
        directory_denied: it closed its directory to us lately, so it is not asked for it.
        aliases_asked: alias of its own -> the crawl that last asked for it.
        asks_robots: robots.txt is asked for before a directory; only a private federation may be visited without.
        address: where it was last reached: those behind one address are best given to one worker. None: not known.
    """

    server: ServerName
    closely: bool = False
    hurried: bool = True
    directory_denied: bool = False
    asks_robots: bool = True
    aliases_asked: Mapping[str, int] = field(default_factory=dict)
    address: str | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask `owner`, whose client API is at `client_base`, which servers are in the rooms behind `aliases`."""

    owner: ServerName
    client_base: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explore:
    """Ask `server`, which spells itself as `destination`, about rooms: spaces, and what may be in them."""

    server: ServerName
    destination: str
    rooms: tuple[str, ...]


Task: TypeAlias = Visit | LookUp | Explore


@dataclass(frozen=True, slots=True)
class Visited:
    """A visit ended.

    Attributes:
        client_base: where the server's client API is believed to be.
        doubt: why a failure is not to be believed.
        asked: the aliases that were asked for, answered or not.
        robots: what its robots.txt says; None: not read.
    """

    task: Visit
    observation: ServerObservation
    client_base: str
    doubt: Doubt | None = None
    asked: tuple[str, ...] = ()
    robots: Robots | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A follow-up ended; of the task's aliases, `left` were not asked for."""

    task: LookUp
    answers: tuple[AliasAnswer, ...]
    left: int = 0


@dataclass(frozen=True, slots=True)
class Explored:
    """Exploring ended; what was not answered is not among `answers`."""

    task: Explore
    answers: tuple[SpaceAnswer, ...]


Outcome: TypeAlias = Visited | LookedUp | Explored
