"""The verdict on one server: named checks and their outcomes, and whether a census counts it.

Apart from the observation: that says what was seen, this what it is worth, by which section of which specification.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    """It federates all the same, but somebody is worse off."""
    FAIL = "fail"
    """Against the specification, or in the way of federating."""
    NOT_APPLICABLE = "not_applicable"
    """There was nothing to judge: not reached, not published, not asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one server. `source` is the section of the specification, the RFC or the MSC that it rests on;
    `remedy` tells the admin in one sentence what to do, and is empty unless the outcome is warn or fail."""

    id: str
    title: str
    source: str
    outcome: Outcome
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest census at hand holds of a server. `visited` without `online`: it was looked at and not counted,
    because of `failed_kind`."""

    census_id: int
    finished_at: datetime | None
    known: bool
    visited: bool = False
    online: bool = False
    federating: bool = False
    failed_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Whether a census that looked now would count the server, and why not. `standing` is None when no census is at
    hand. `opted_out`: the list at hand says that no census may look."""

    online: bool
    federating: bool
    sentence: str
    standing: Standing | None = None
    opted_out: bool = False
