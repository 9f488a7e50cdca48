"""What a reader may choose of a chart or a page, and how an address says it.

Every control has a key in the query string. Only what differs from the first view is written, so that an address is
short; what an address asks for in vain is left out on a page, and refused with a reason at a data address.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

FROM, TO = "from", "to"
COMPARE, WITH = "compare", "with"
"""Two days beside each other; without the second it is the day of the newest census."""

_DAY_LENGTH = len("2026-11-23")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values. `options` are value and label; the first is what is shown when nothing is said."""

    key: str
    label: str
    options: tuple[tuple[str, str], ...]

    @property
    def default(self) -> str:
        return self.options[0][0]

    def label_of(self, value: str) -> str:
        """The words of a value of this choice."""
        return dict(self.options)[value]

    def holds(self, value: object) -> bool:
        """Whether it is one of the values."""
        return isinstance(value, str) and any(value == option for option, _ in self.options)


SCALE = Choice("scale", "Scale", (("linear", "linear"), ("log", "logarithmic")))
AS = Choice("as", "Show", (("number", "numbers"), ("share", "shares")))


class RefusedError(ValueError):
    """An address asks for what there is not; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address asks for: days (UTC, both included; None: no end), the value of each choice, and the two days
    that are to be compared (None: none; of the second, the newest)."""

    since: date | None = None
    until: date | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    compare: date | None = None
    compare_with: date | None = None

    def of(self, choice: Choice) -> str:
        """The value of a choice, chosen or not."""
        return self.values.get(choice.key, choice.default)

    @property
    def logarithmic(self) -> bool:
        return self.of(SCALE) == "log"

    @property
    def shares(self) -> bool:
        return self.of(AS) == "share"


AS_FIRST_SHOWN = Chosen()
"""Nothing was chosen."""


def parse(query: Mapping[str, object], choices: Iterable[Choice]) -> Chosen:
    """What a page's address or its controls ask for; what is not understood counts as not said."""
    since, until = _day(query.get(FROM)), _day(query.get(TO))
    values = {c.key: str(query[c.key]) for c in choices if c.holds(query.get(c.key)) and query[c.key] != c.default}
    compare = _day(query.get(COMPARE))
    return Chosen(since, until, values, compare, _day(query.get(WITH)) if compare else None)


def parse_strictly(query: Mapping[str, str], choices: Sequence[Choice], *, has_range: bool) -> Chosen:
    """What a data address asks for.

    Raises:
        RefusedError: a key or a value that there is not.
    """
    known = {choice.key: choice for choice in choices}
    days = (FROM, TO) if has_range else ()
    for key, value in query.items():
        if key in days:
            if _day(value) is None:
                raise RefusedError(f"{key} is a day, as in {key}=2026-11-23")
        elif key not in known:
            raise RefusedError(
                f"there is no {key[:40]!r}; there is: {', '.join((*days, *known)) or 'nothing to choose'}"
            )
        elif not known[key].holds(value):
            raise RefusedError(f"{key} is one of: {', '.join(option for option, _ in known[key].options)}")
    return parse(query, choices)


def search(chosen: Chosen, choices: Iterable[Choice]) -> str:
    """The query string of what was chosen: empty for the first view."""
    parts: dict[str, str] = {}
    if chosen.since is not None:
        parts[FROM] = chosen.since.isoformat()
    if chosen.until is not None:
        parts[TO] = chosen.until.isoformat()
    if chosen.compare is not None:
        parts[COMPARE] = chosen.compare.isoformat()
    if chosen.compare_with is not None:
        parts[WITH] = chosen.compare_with.isoformat()
    parts |= {c.key: chosen.of(c) for c in choices if chosen.of(c) != c.default}
    return f"?{urlencode(parts)}" if parts else ""


def _day(text: object) -> date | None:
    if not isinstance(text, str) or len(text) != _DAY_LENGTH:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
