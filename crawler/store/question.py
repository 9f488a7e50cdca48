"""A question to a table, put together from words that are known and values that are bound.

Every name that becomes SQL is looked up in a fixed table first; every value, whatever it holds, travels as a parameter.
So there is nothing to inject into.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crawler.errors import UsageError
from crawler.protocol.json_body import clean_text

_TEXT = 300
"""Characters of a search text."""

PREDICATES = {
    name: name for name in ("resolves", "reachable", "secure", "online", "federating", "accepting", "listing")
}
"""What servers can be filtered by."""

SERVER_SORTS = {
    "server_name": "server_key",
    **PREDICATES,
    **{
        name: name
        for name in (
            "observed_at",
            "software",
            "version",
            "failed_phase",
            "failed_kind",
            "directory_state",
            "directory_rooms",
            "branch",
            "duration_s",
        )
    },
}
"""What servers can be sorted by."""

ROOM_SORTS = {
    "room_id": "room_id",
    "name": "lower(name)",
    "members": "members",
    "members_min": "members_min",
    "members_max": "members_max",
    "directories": "directories",
    "canonical_alias": "lower(canonical_alias)",
    "join_rule": "join_rule",
    "room_type": "room_type",
}
"""What rooms can be sorted by."""

SPACE = "m.space"


@dataclass(slots=True)
class Question:
    """Conditions, gathered one by one; all must hold."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def where(self, condition: str, **values: Any) -> None:
        """Add a condition, SQL of ours that speaks of `values` as `$name`."""
        self.conditions.append(condition)
        self.values.update(values)

    def flag(self, known: Mapping[str, str], name: str, wanted: bool) -> None:
        """Add that a predicate does, or does not, hold; one of which nothing is known does neither.

        Raises:
            UsageError: no such predicate.
        """
        self.conditions.append(f"{word(known, name)} = {'true' if wanted else 'false'}")

    @property
    def clause(self) -> str:
        return f"WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def word(known: Mapping[str, str], name: str) -> str:
    """The SQL that a name stands for.

    Raises:
        UsageError: it is not known.
    """
    if name not in known:
        raise UsageError(f"unknown column {name[:60]!r}; known are {', '.join(known)}")
    return known[name]


def order_by(known: Mapping[str, str], sort: str, *, descending: bool, then: str) -> str:
    """An order that is total, so that pages fit together: by `sort`, what is not known last, and then by `then`.

    Raises:
        UsageError: `sort` is not known.
    """
    return f"ORDER BY {word(known, sort)} {'DESC' if descending else 'ASC'} NULLS LAST, {then} ASC"


def search_text(text: str) -> str:
    """What a person typed, as it can be looked for: bounded, and free of what no stored text holds."""
    return clean_text(text, _TEXT) or ""
