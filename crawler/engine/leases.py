"""What the crew of a crawl and its worker processes say to each other about tasks.

Apart from both, because the module that a process is started with has another name there. What they say about the pace
of addresses is in `net.lending`.
"""

from dataclasses import dataclass

from crawler.config import Settings
from crawler.engine.task import Outcome, Task
from crawler.errors import CensusError
from crawler.model.names import ServerName
from crawler.net.traffic import Traffic
from crawler.protocol.memory import RememberedAnswer
from crawler.protocol.signing import Identity


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker is and knows; the first message. `canaries` are whom to knock at while nobody was found online,
    `answers` what need not be asked for again."""

    settings: Settings
    identity: Identity | None
    version: str
    canaries: tuple[ServerName, ...] = ()
    answers: tuple[RememberedAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A task, under a number that its outcome will bear."""

    number: int
    task: Task


@dataclass(frozen=True, slots=True)
class Done:
    """How a task ended, and how the process is: all its traffic so far, the answers that it heard since it last told,
    and how much its event loop lags."""

    number: int
    outcome: Outcome
    traffic: Traffic
    answers: tuple[RememberedAnswer, ...]
    lag_s: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A task ended in what is nobody's misbehaviour: this machine is out of resources, or a bug of ours."""

    number: int
    error: CensusError | None
    trace: str
