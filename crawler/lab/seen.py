"""What the practice servers saw of the crawler: every request, for tests of its manners."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TextIO

from crawler.listen.message import Request

_AGENTS = 100
"""Different user agents that are counted: a crawler has one."""


class Signature(StrEnum):
    """Whether a request was signed; GOOD and BAD as the server judged it."""

    NONE = "none"
    GOOD = "good"
    BAD = "bad"


@dataclass(slots=True)
class Sighting:
    """One request.

    `at_s` counts from the start of the lab. `address` is the one that stands in DNS for the host, `port` that of the
    world. `together` is how many requests that address had in flight when this one came, itself included. `server` is
    None when no practice server is reached in this way: a wrong Host header, or another name in the TLS handshake.
    """

    at_s: float
    server: str | None
    address: str | None
    port: int
    host: str
    method: str
    target: str
    user_agent: str | None
    together: int
    signature: Signature = Signature.NONE
    status: int | None = None
    """None: hung up without an answer."""
    took_s: float = 0.0


@dataclass(slots=True)
class Manners:
    """What one server remembers of the crawler: requests; times that it refused its directory (403) or asked to wait
    (429); requests for the directory that came after a refusal; times that its robots.txt was asked for."""

    requests: int = 0
    refused: int = 0
    after_refusal: int = 0
    limited: int = 0
    robots: int = 0


class Seen:
    """Collects sightings.

    Args:
        clock: seconds, monotonic.
        file: gets each sighting as one JSON line when its request is over; None for none.
        keep: whether to hold them in `sightings`, for who reads them in this process.
    """

    def __init__(self, clock: Callable[[], float], file: TextIO | None = None, *, keep: bool = False) -> None:
        self._clock = clock
        self._started = clock()
        self._file = file
        self._keep = keep
        self._in_flight: Counter[str] = Counter()
        self.sightings: list[Sighting] = []
        self.requests = 0
        self.misdirected = 0
        self.user_agents: Counter[str] = Counter()
        self.together_max: dict[str, int] = {}
        """Address -> the most requests it ever had in flight at once."""
        self.manners: dict[str, Manners] = {}

    def begin(self, server: str | None, address: str | None, port: int, host: str, request: Request) -> Sighting:
        """A request came in."""
        self.requests += 1
        together = 1
        if address is not None:
            self._in_flight[address] += 1
            together = self._in_flight[address]
            if together > self.together_max.get(address, 0):
                self.together_max[address] = together
        agent = request.header(b"user-agent")
        if agent in self.user_agents or len(self.user_agents) < _AGENTS:
            self.user_agents[agent or ""] += 1
        sighting = Sighting(
            at_s=self._clock() - self._started,
            server=server,
            address=address,
            port=port,
            host=host,
            method=request.method,
            target=request.target,
            user_agent=agent,
            together=together,
        )
        if self._keep:
            self.sightings.append(sighting)
        return sighting

    def _note(self, sighting: Sighting) -> None:
        """Keep what a test of manners needs of a request, in constant memory for each server."""
        if sighting.server is None:
            self.misdirected += 1
            return
        manners = self.manners.get(sighting.server)
        if manners is None:
            manners = self.manners[sighting.server] = Manners()
        manners.requests += 1
        about_rooms = "/publicRooms" in sighting.target
        if about_rooms and manners.refused:
            manners.after_refusal += 1
        if sighting.status == HTTPStatus.TOO_MANY_REQUESTS:
            manners.limited += 1
        elif about_rooms and sighting.status == HTTPStatus.FORBIDDEN:
            manners.refused += 1
        elif sighting.target == "/robots.txt":
            manners.robots += 1

    def summary(self) -> dict[str, object]:
        """How the crawler behaved, server by server, in one JSON object; `--manners FILE` holds it."""
        return {
            "requests": self.requests,
            "misdirected": self.misdirected,
            "user_agents": dict(self.user_agents),
            "together_max": max(self.together_max.values(), default=0),
            "addresses": self.together_max,
            "servers": {name: asdict(manners) for name, manners in self.manners.items()},
        }

    def end(self, sighting: Sighting, status: int | None) -> None:
        """It was answered, or given up."""
        sighting.status = status
        self._note(sighting)
        sighting.took_s = self._clock() - self._started - sighting.at_s
        if sighting.address is not None:
            self._in_flight[sighting.address] -= 1
            if not self._in_flight[sighting.address]:
                del self._in_flight[sighting.address]
        if self._file is not None:
            self._file.write(json.dumps(asdict(sighting)) + "\n")
