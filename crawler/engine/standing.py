"""Is a server counted, and if not, why: what a look now is worth to a census, and what the newest one holds of it.

Apart from the conformance, which judges the server; this says what our numbers make of it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from crawler.model.names import ServerName
from crawler.model.observation import ServerObservation
from crawler.model.verdict import Counted, Standing
from crawler.store.reader import SnapshotReader


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a server beforehand: by earlier crawls, empty where no census is at hand, and by the opt-out
    list."""

    standing: Standing | None = None
    past_keys: Mapping[str, Set[str]] = field(default_factory=dict)
    opted_out: bool = False


def remember(reader: SnapshotReader, name: ServerName) -> Memory:
    """What a serving file holds of a server. Blocking."""
    past_keys = reader.past_keys(name.key)
    census = reader.latest_census()
    if census is None:
        return Memory(None, past_keys)
    found = reader.server(name.key, census.id)
    seen = found.observation if found is not None else None
    if found is None or seen is None:
        known = found is not None and bool(found.leads)
        return Memory(Standing(census.id, census.finished_at, known), past_keys)
    return Memory(
        Standing(census.id, census.finished_at, True, True, bool(seen.online), bool(seen.federating), seen.failed_kind),
        past_keys,
    )


def count(seen: ServerObservation, memory: Memory) -> Counted:
    """Whether a census that looked now would count the server, in a sentence or two."""
    failure = seen.fell_out
    why = f": {failure.kind.replace('_', ' ')}" if failure is not None else ""
    if memory.opted_out:
        now = "Not counted: it is on the opt-out list, and no census looks at it."
    elif seen.federating:
        now = "Counted, by this look, as online and as federating."
    elif seen.online:
        now = f"Counted, by this look, as online but not as federating{why}."
    else:
        now = f"Not counted, by this look, as online{why}."
    then = "" if memory.standing is None else f" {_then(memory.standing)}"
    counted = not memory.opted_out
    return Counted(counted and seen.online, counted and seen.federating, now + then, memory.standing, memory.opted_out)


def _then(standing: Standing) -> str:
    when = f"of {standing.finished_at:%d %b %Y}" if standing.finished_at is not None else f"number {standing.census_id}"
    census = f"The census {when}"
    if not standing.known:
        return f"{census} did not know it: no room, alias or participant list that it read named it, and no seed."
    if not standing.visited:
        return f"{census} knew its name and did not visit it."
    if standing.federating:
        return f"{census} counted it as online and as federating."
    why = f": {standing.failed_kind.replace('_', ' ')}" if standing.failed_kind else ""
    return f"{census} counted it as online only{why}." if standing.online else f"{census} did not count it{why}."
