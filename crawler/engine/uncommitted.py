"""What a crawl has seen and not committed yet: what of it makes one transaction, and when that is due."""

from dataclasses import dataclass, field

from crawler.model.crawl import Lead
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, SpaceAnswer
from crawler.model.schedule import ServerSchedule
from crawler.protocol.memory import RememberedAnswer
from crawler.store.writer import CensusWriter

BATCH = 500
"""Observations in one transaction: what a transaction costs by itself is thirty observations' worth."""

BATCH_ROOMS = 50_000
"""Rooms listed in them; bounds the memory when the directories are large."""


@dataclass(slots=True)
class Uncommitted:
    """Everything in the order in which it was seen, as `CensusWriter.record` takes it.

    Attributes:
        rooms: listed in the observations.
        heard: answers of resolutions, for later crawls.
    """

    observations: list[ServerObservation] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    answers: list[tuple[str, AliasAnswer]] = field(default_factory=list)
    schedules: list[ServerSchedule] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    spaces: list[tuple[str, SpaceAnswer]] = field(default_factory=list)
    heard: list[RememberedAnswer] = field(default_factory=list)
    rooms: int = 0

    def add(self, seen: ServerObservation) -> None:
        """A visit ended."""
        self.observations.append(seen)
        self.rooms += len(seen.directory.rooms)

    @property
    def is_full(self) -> bool:
        """Whether it is enough for a transaction."""
        return len(self.observations) >= BATCH or self.rooms >= BATCH_ROOMS

    def commit(self, writer: CensusWriter, crawl_id: int) -> None:
        """Blocking. What there is of it goes into the file; nothing, where there is nothing."""
        if self.heard:
            writer.remember(self.heard)
        if self.observations or self.leads or self.answers or self.asked or self.spaces:
            writer.record(
                crawl_id, self.observations, self.leads, self.answers, self.schedules, self.asked, self.spaces
            )
