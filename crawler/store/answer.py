"""Rows of an answer as the dataclasses of `rows`: the columns asked for are the fields of the dataclass.

Each call takes a cursor of its own, because a DuckDB connection answers one question at a time and readers ask from
many threads.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol, TypeVar

from crawler.store.connection import Connection
from crawler.store.question import Question
from crawler.store.rows import Page

MOST_ROWS = 1000
"""Rows of one page."""

_JSON_COLUMNS = frozenset({"rtc_foci", "tls_names", "verify_keys", "spec_versions", "unstable_features"})


class Shape(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Shape)


def fetch(connection: Connection, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of an answer; `values` are bound to the `$name`s of `sql`."""
    with closing(connection.cursor()) as cursor:
        return cursor.execute(sql, dict(values)).fetchall()


def all_of(connection: Connection, shape: type[S], source: str, values: Mapping[str, Any]) -> tuple[S, ...]:
    """Every row of `source` (from FROM on, SQL of ours) as `shape`."""
    rows = fetch(connection, f"SELECT {_columns(shape)} {source}", values)
    return tuple(_shaped(shape, row) for row in rows)


def page_of(
    connection: Connection, shape: type[S], source: str, question: Question, order: str, limit: int, offset: int
) -> Page[S]:
    """One page of the rows of `source` that `question` selects, and how many those are.

    Args:
        connection: The serving file.
        shape: What a row becomes.
        source: A table, view or join, SQL of ours.
        question: The conditions.
        order: A total order, made by `order_by`.
        limit: Rows; brought to 1 to 1000.
        offset: Rows before the first; brought to 0 or more.
    """
    bounds = {"limit": min(max(limit, 1), MOST_ROWS), "offset": min(max(offset, 0), 2**53)}
    body = f"FROM {source} {question.clause}"
    # The whole count rides along with each row, so that the filter runs once.
    rows = fetch(
        connection,
        f"SELECT {_columns(shape)}, count(*) OVER () {body} {order} LIMIT $limit OFFSET $offset",
        question.values | bounds,
    )
    if rows:
        return Page(tuple(_shaped(shape, row[:-1]) for row in rows), int(rows[0][-1]))
    return Page((), int(fetch(connection, f"SELECT count(*) {body}", question.values)[0][0]))


def page_of_table(
    connection: Connection, shape: type[S], table: str, question: Question, order: str, limit: int, offset: int
) -> Page[S]:
    """As `page_of`, of a table that is stored: its rows are found by what the question and the order need, and only
    those of the page are read whole."""
    bounds = {"limit": min(max(limit, 1), MOST_ROWS), "offset": min(max(offset, 0), 2**53)}
    columns = ", ".join(f"t.{field.name}" for field in fields(shape))
    found = f"FROM {table} {question.clause}"
    page = f"(SELECT rowid AS place, count(*) OVER () AS total {found} {order} LIMIT $limit OFFSET $offset)"
    whole = f"SELECT {columns}, page.total FROM {table} t JOIN {page} page ON t.rowid = page.place {order}"  # noqa: S608 - text of ours
    rows = fetch(connection, whole, question.values | bounds)
    if rows:
        return Page(tuple(_shaped(shape, row[:-1]) for row in rows), int(rows[0][-1]))
    return Page((), int(fetch(connection, f"SELECT count(*) {found}", question.values)[0][0]))


def _columns(shape: type[Shape]) -> str:
    return ", ".join(field.name for field in fields(shape))


def _shaped(shape: type[S], row: tuple[Any, ...]) -> S:
    named = zip((field.name for field in fields(shape)), row, strict=True)
    return shape(**{name: _value(name, value) for name, value in named})


def _value(name: str, value: Any) -> Any:
    if value is None or name not in _JSON_COLUMNS:
        return value
    parsed = json.loads(value)
    return tuple(parsed) if isinstance(parsed, list) else parsed
