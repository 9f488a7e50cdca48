"""What a check is made of: who it is, what it rests on, and a pure function of an inspection.

Apart from the checks, which stand by topic and all speak in these words.
"""

from collections.abc import Callable
from dataclasses import dataclass

from crawler.errors import Failure
from crawler.model.close_look import AddressLook, Inspection
from crawler.model.discovery import AddressFacts, Endpoint, Question, SrvFacts, Step, WellKnownFacts
from crawler.model.observation import Attempt, Failed, Ok
from crawler.model.verdict import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of a check, and for warn and fail what to do."""

    outcome: Outcome
    remedy: str = ""


PASS = Judgement(Outcome.PASS)
NOT_APPLICABLE = Judgement(Outcome.NOT_APPLICABLE)


def warn(remedy: str) -> Judgement:
    return Judgement(Outcome.WARN, remedy)


def fail(remedy: str) -> Judgement:
    return Judgement(Outcome.FAIL, remedy)


@dataclass(frozen=True, slots=True)
class Check:
    """One named check. `id` is `topic.what`, never reused for something else."""

    id: str
    title: str
    source: str
    judge: Callable[[Inspection], Judgement]

    def find(self, seen: Inspection) -> Finding:
        judged = self.judge(seen)
        return Finding(self.id, self.title, self.source, judged.outcome, judged.remedy)


def by_severity(seen: Inspection, remedy: str) -> Judgement:
    """Of something wrong on a way that others go round: a warning while the server federates, else a failure."""
    return warn(remedy) if seen.observation.federating else fail(remedy)


def steps(seen: Inspection, question: Question) -> tuple[Step, ...]:
    return tuple(step for step in seen.observation.resolution.steps if step.question is question)


def well_known_step(seen: Inspection) -> Step | None:
    """The one step that asked for .well-known/matrix/server; None for a name with a port or an address."""
    return next(iter(steps(seen, Question.WELL_KNOWN)), None)


def well_known_facts(seen: Inspection) -> WellKnownFacts | None:
    step = well_known_step(seen)
    return step.facts if step is not None and isinstance(step.facts, WellKnownFacts) else None


def srv_steps(seen: Inspection) -> tuple[tuple[Step, SrvFacts], ...]:
    """The steps that found SRV records, usable or not."""
    return tuple((step, step.facts) for step in steps(seen, Question.SRV) if isinstance(step.facts, SrvFacts))


def address_steps(seen: Inspection) -> tuple[tuple[Step, AddressFacts], ...]:
    return tuple((step, step.facts) for step in steps(seen, Question.ADDRESSES) if isinstance(step.facts, AddressFacts))


def failure_of(attempt: Attempt[object]) -> Failure | None:
    return attempt.failure if isinstance(attempt, Failed) else None


def place_text(endpoint: Endpoint) -> str:
    """`192.0.2.1 port 8448`."""
    return f"{endpoint.address} port {endpoint.port}"


def all_places(found: list[AddressLook]) -> str:
    """The places of some addresses, in a sentence; the first few of many."""
    shown = [place_text(look.endpoint) for look in found[:4]]
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    return (
        " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 and not more else [", ".join(shown)]) + more
    )


def is_ok(attempt: Attempt[object]) -> bool:
    return isinstance(attempt, Ok)
