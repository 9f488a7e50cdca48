"""Developers in the census file: on which days who committed, as salted hashes, and the counts that everybody sees."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime
from typing import Any

from crawler.store.connection import Connection
from crawler.store.insert import column_types, insert_rows
from crawler.store.outside import OutsideSource, SourceKind, replace_source

TABLES = ("developer_day", "developer_count", "developer_month", "developer_overlap", "repository_activity")
_SALT_BYTES = 32
_DIGITS = 32


def pseudonyms(connection: Connection, days: Mapping[str, Set[date]]) -> dict[str, Set[date]]:
    """The same days, of hashes under the salt of the file in place of addresses. In a transaction."""
    row = connection.execute("SELECT salt FROM developer_salt").fetchone()
    salt = str(row[0]) if row else secrets.token_hex(_SALT_BYTES)
    if row is None:
        connection.execute("INSERT INTO developer_salt VALUES (?)", [salt])
    key = bytes.fromhex(salt)
    return {
        hmac.new(key, address.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_DIGITS]: its
        for address, its in days.items()
    }


def keep_developers(
    connection: Connection,
    source: OutsideSource,
    authors: Mapping[str, Set[date]],
    counts: Iterable[tuple[Any, ...]],
    months: Iterable[tuple[Any, ...]],
    active: Iterable[tuple[Any, ...]],
    now: datetime,
) -> int:
    """Keep an import in the place of the one before of the same list. In a transaction.

    Args:
        source: What was imported.
        authors: Days by pseudonym.
        counts: Rows of `developer_count` without their source.
        months: Of `developer_month` likewise.
        active: Of `repository_activity` likewise.
        now: The time of day.

    Returns:
        The number of the import.
    """
    source_id = replace_source(connection, source, now, TABLES)
    connection.execute(
        "DELETE FROM developer_overlap WHERE other_id NOT IN"
        " (SELECT source_id FROM outside_source WHERE replaced_at IS NULL)"
    )
    days = ((author, day) for author, its in sorted(authors.items()) for day in sorted(its))
    for table, rows in (
        ("developer_day", days), ("developer_count", counts), ("developer_month", months),
        ("repository_activity", active),
    ):  # fmt: skip
        _insert(connection, table, ((source_id, *row) for row in rows))
    return source_id


def other_lists(connection: Connection, source_id: int) -> list[tuple[int, date, dict[str, set[date]]]]:
    """The other lists that count: number, day, and who committed on which days in their repositories."""
    others = connection.execute(
        "SELECT source_id, as_of FROM outside_source WHERE kind = ? AND replaced_at IS NULL AND source_id <> ?"
        " ORDER BY 1",
        [SourceKind.DEVELOPERS.value, source_id],
    ).fetchall()
    found = []
    for other_id, as_of in others:
        days: dict[str, set[date]] = {}
        rows = connection.execute("SELECT author, day FROM developer_day WHERE source_id = ?", [other_id])
        for author, day in rows.fetchall():
            days.setdefault(author, set()).add(day)
        found.append((int(other_id), as_of, days))
    return found


def keep_overlap(connection: Connection, source_id: int, other_id: int, rows: Iterable[tuple[date, int]]) -> None:
    """Keep how many authors two lists share. In a transaction."""
    _insert(connection, "developer_overlap", ((source_id, other_id, *row) for row in rows))


def _insert(connection: Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    values = (tuple(each.isoformat() if isinstance(each, date) else each for each in row) for row in rows)
    insert_rows(connection, table, column_types(connection, table), values)
