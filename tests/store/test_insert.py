"""Many rows at once: what goes in comes out, and nothing becomes SQL that is not a checked name."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.store.connection import Connection
from crawler.store.insert import ROWS, column_types, insert_rows, quoted

TYPES = {
    "small": "SMALLINT",
    "number": "INTEGER",
    "big": "BIGINT",
    "real": "DOUBLE",
    "flag": "BOOLEAN",
    "text": "VARCHAR",
    "document": "JSON",
    "moment": "TIMESTAMP WITH TIME ZONE",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with duckdb.connect(":memory:") as opened:
        opened.execute("SET GLOBAL TimeZone = 'UTC'")
        opened.execute(f"CREATE TABLE thing ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})")
        yield opened


def storable_text() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"]))


def rows() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by design
    document = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | storable_text(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(storable_text(), inner, max_size=2),
        max_leaves=5,
    ).map(json.dumps)
    values = (
        st.integers(-(2**15), 2**15 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        storable_text(),
        document,
        moments,
    )
    return st.lists(st.tuples(*(st.none() | value for value in values)), max_size=6)


@given(rows())
def test_what_goes_in_comes_out_in_order(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    connection.execute("DELETE FROM thing")
    insert_rows(connection, "thing", TYPES, rows)
    found = connection.execute("SELECT * FROM thing ORDER BY rowid").fetchall()
    assert [_comparable(row) for row in found] == [_comparable(row) for row in rows]


def _comparable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    document = row[6]
    return (*row[:6], document and json.loads(document), *row[7:])


def test_more_rows_than_one_statement_takes_come_in_order(connection: Connection) -> None:
    connection.execute("CREATE OR REPLACE TABLE many (n INTEGER, text VARCHAR)")
    insert_rows(connection, "many", {"n": "INTEGER", "text": "VARCHAR"}, ((n, str(n)) for n in range(2 * ROWS + 5)))
    found = connection.execute("SELECT count(*), bool_and(n = rowid AND text = n::VARCHAR) FROM many").fetchone()
    assert found == (2 * ROWS + 5, True)


def test_a_moment_of_another_zone_is_the_same_moment(connection: Connection) -> None:
    connection.execute("DELETE FROM thing")
    there = datetime(2026, 11, 24, 9, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    insert_rows(connection, "thing", {"moment": "TIMESTAMPTZ"}, [(there,)])
    assert connection.execute("SELECT moment FROM thing").fetchall() == [(datetime(2026, 11, 24, 3, 45, tzinfo=UTC),)]


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, datetime(2026, 1, 1), object(), b"bytes"],  # noqa: DTZ001 - that is the fault
    ids=["nan", "inf", "naive", "object", "bytes"],
)
def test_what_json_cannot_say_is_a_fault_of_ours(connection: Connection, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        insert_rows(connection, "thing", {"text": "VARCHAR"}, [(value,)])


def test_rows_of_the_wrong_length_are_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="zip"):
        insert_rows(connection, "thing", {"text": "VARCHAR", "number": "INTEGER"}, [("a", 1), ("b",)])


@pytest.mark.parametrize("value", ["x", 2**31])
def test_a_value_that_does_not_fit_is_an_error_and_never_null(connection: Connection, value: object) -> None:
    with pytest.raises(duckdb.Error):
        insert_rows(connection, "thing", {"number": "INTEGER"}, [(value,)])


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a;b", "Ä", "A", "1a", "a" * 64, "a--", "a\n"])
def test_names_are_names(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        quoted(name)


@pytest.mark.parametrize("kind", ["", "INTEGER; DROP TABLE x", "VARCHAR'", "int", "DECIMAL(1,2,3)", "TEXT)"])
def test_types_are_types(connection: Connection, kind: str) -> None:
    with pytest.raises(ValueError, match="no type"):
        insert_rows(connection, "thing", {"text": kind}, [("a",)])


def test_columns_come_in_their_order(connection: Connection) -> None:
    assert column_types(connection, "thing") == TYPES
    assert list(column_types(connection, "thing")) == list(TYPES)
    assert column_types(connection, "nothing") == {}
