"""What a table shows and what its address says: columns, filters, and the state in between. Pure.

Apart from `table`, which draws it and answers the browser, so that what a stranger's address or a browser's values can
make of a question to the store is read, and tested, in one place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from dashboard.data import View

ROWS_A_PAGE = 50
LAST_PAGE = 10_000
TEXT_LIMIT = 200

_TEXT_KEY, _SORT_KEY, _PAGE_KEY = "q", "sort", "page"


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the table. `options` are (value, label); the first, with the value "", means any. `key` is its
    name in the address."""

    key: str
    label: str
    options: Callable[[View], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `sort` is the reader's word for sorting by it, None where it cannot be sorted; `numeric` aligns
    right; `wide` columns are left out on a phone; `renderer` is a cell of `dashAgGridFunctions.js`."""

    field: str
    header: str
    sort: str | None = None
    numeric: bool = False
    wide: bool = False
    renderer: str | None = None
    flex: float = 1.0
    min_width_px: int = 90


@dataclass(frozen=True, slots=True)
class TableState:
    """What is looked for: `filters` only holds what is not any; `page` counts from 1."""

    sort: str
    descending: bool
    text: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    page: int = 1

    @property
    def offset(self) -> int:
        return (self.page - 1) * ROWS_A_PAGE


class Rows(Protocol):
    """Asks the reader: rows for the grid, and how many fit altogether."""

    def __call__(self, view: View, state: TableState, /) -> tuple[list[dict[str, Any]], int]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the dashboard: where it is, what it shows, how it asks."""

    name: str
    path: str
    noun: str
    search_label: str
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    default_sort: str
    default_descending: bool
    row_height_px: int
    opens_rows: bool
    rows: Rows

    def parse(self, query: Mapping[str, str], view: View) -> TableState:
        """The state that an address asks for; what it asks for in vain is left out."""
        sort = query.get(_SORT_KEY, "")
        descending = sort.startswith("-")
        column = next((c for c in self.columns if c.sort and c.field == sort.removeprefix("-")), None)
        page = query.get(_PAGE_KEY, "1")
        chosen = {f.key: query[f.key] for f in self.filters if f.key in query and query[f.key] in dict(f.options(view))}
        return TableState(
            sort=column.field if column else self.default_sort,
            descending=descending if column else self.default_descending,
            text=query.get(_TEXT_KEY, "")[:TEXT_LIMIT].strip(),
            filters=chosen,
            page=min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def search(self, state: TableState) -> str:
        """The address's query for a state: only what differs from the table as it is first shown."""
        parts: dict[str, str] = {}
        if state.text:
            parts[_TEXT_KEY] = state.text
        parts |= {f.key: state.filters[f.key] for f in self.filters if state.filters.get(f.key)}
        if (state.sort, state.descending) != (self.default_sort, self.default_descending):
            parts[_SORT_KEY] = f"-{state.sort}" if state.descending else state.sort
        if state.page > 1:
            parts[_PAGE_KEY] = str(state.page)
        return f"?{urlencode(parts)}" if parts else ""

    def sort_word(self, state: TableState) -> str:
        """The reader's word for the column that sorts."""
        return next(c.sort for c in self.columns if c.field == state.sort and c.sort)

    def id(self, part: str) -> str:
        """The id of a part in the page."""
        return f"{self.name}-{part}"


def asked(table: Table, view: View, shown: TableState, values: Mapping[str, object], part: str) -> TableState:
    """The state that a person asks for.

    Everything is taken from the controls themselves, not from what is shown: of two quick changes the second must not
    undo the first, whose answer may still be on its way.

    Args:
        table: The table.
        view: The census.
        shown: What is on the screen; it tells the sort until a header was clicked.
        values: What the controls hold, by part; from a browser, so of any type.
        part: The part that was changed; any change but of the page goes back to the first page.
    """
    text = values.get("text")
    filters: dict[str, str] = {}
    for each in table.filters:
        value = values.get(each.key)
        if isinstance(value, str) and value and value in dict(each.options(view)):
            filters[each.key] = value
    sort, descending = shown.sort, shown.descending
    event = values.get("grid")
    if isinstance(event, dict) and isinstance(event.get("data"), dict):
        clicked = event["data"].get("column")
        if any(column.sort and column.field == clicked for column in table.columns):
            sort, descending = clicked, event["data"].get("descending") is True
    page = values.get("pages")
    state = TableState(
        sort=sort,
        descending=descending,
        text=text[:TEXT_LIMIT].strip() if isinstance(text, str) else "",
        filters=filters,
        page=min(max(page, 1), LAST_PAGE) if isinstance(page, int) else 1,
    )
    return state if part == "pages" or replace(state, page=shown.page) == shown else replace(state, page=1)
