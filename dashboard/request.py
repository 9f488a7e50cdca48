"""What a page is made from: the census of this moment, the address, the colours the visitor wears."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from dashboard.data import View
from dashboard.palette import Scheme

QUERY_LIMIT = 2000
"""Characters of an address's query that are looked at."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`census` is None when there is none yet. `argument` is the part of the path that a page's `{...}` stands for;
    `query` the address's, first value of each."""

    census: View | None
    scheme: Scheme
    argument: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def view(self) -> View:
        """The census, for pages that are only made when there is one."""
        if self.census is None:
            raise ValueError("this page needs a census")
        return self.census


def parse_query(search: str) -> dict[str, str]:
    """`?a=1&b=2` as a mapping; of a repeated key the first value counts, empty ones are left out."""
    return {key: values[0] for key, values in parse_qs(search.lstrip("?")[:QUERY_LIMIT]).items()}


def parse_scheme(text: object) -> Scheme:
    """The scheme a cookie or the browser names; light when it is neither."""
    return Scheme.DARK if text == Scheme.DARK.value else Scheme.LIGHT
