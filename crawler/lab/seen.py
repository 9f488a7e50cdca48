"""What the practice servers saw of the crawler: every request, for tests of its manners."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TextIO

from crawler.listen.message import Request


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

    def begin(self, server: str | None, address: str | None, port: int, host: str, request: Request) -> Sighting:
        """A request came in."""
        self.requests += 1
        together = 1
        if address is not None:
            self._in_flight[address] += 1
            together = self._in_flight[address]
        sighting = Sighting(
            at_s=self._clock() - self._started,
            server=server,
            address=address,
            port=port,
            host=host,
            method=request.method,
            target=request.target,
            user_agent=request.header(b"user-agent"),
            together=together,
        )
        if self._keep:
            self.sightings.append(sighting)
        return sighting

    def end(self, sighting: Sighting, status: int | None) -> None:
        """It was answered, or given up."""
        sighting.status = status
        sighting.took_s = self._clock() - self._started - sighting.at_s
        if sighting.address is not None:
            self._in_flight[sighting.address] -= 1
            if not self._in_flight[sighting.address]:
                del self._in_flight[sighting.address]
        if self._file is not None:
            self._file.write(json.dumps(asdict(sighting)) + "\n")
