"""Imports of what no crawl sees, in the census file: which there were, and which count.

Apart from what they hold (`usage`, `developers`, `spec`), since each needs the same: a number, a name, a version, a
day, and that a later import takes the place of an earlier one of the same name.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from crawler.errors import StoreError
from crawler.protocol.json_body import clean_text
from crawler.store.clock import Now
from crawler.store.connection import Connection, connect_to_write, transaction
from crawler.store.lock import lock_to_write
from crawler.store.upgrade import bring_up_to_date

_CHARACTERS = 200


class SourceKind(StrEnum):
    """What is imported."""

    USAGE = "usage"
    DEVELOPERS = "developers"
    SPEC = "spec"


@dataclass(frozen=True, slots=True)
class OutsideSource:
    """One import. `as_of` is the day of which it speaks; `taken` of the `listed` things could be read; `summary` says
    what else there is to say."""

    kind: SourceKind
    name: str
    version: str
    as_of: date
    listed: int
    taken: int
    summary: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def importing(census: Path, now: Now) -> Iterator[Connection]:
    """A census file to import into, made if it is not there, in one transaction.

    Raises:
        CensusLockedError: another process has it.
        StoreError: it is no census, or cannot be written: nothing was imported.
    """
    try:
        census.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {census.parent}: {error.strerror}") from error
    with lock_to_write(census):
        connection = connect_to_write(census)
        try:
            bring_up_to_date(connection, census, now)
            with transaction(connection, census):
                yield connection
        finally:
            connection.close()


def add_source(connection: Connection, source: OutsideSource, now: datetime) -> int:
    """Write an import down.

    Returns:
        Its number.
    """
    row = connection.execute("SELECT coalesce(max(source_id), 0) + 1 FROM outside_source").fetchone()
    source_id = int(row[0]) if row else 1
    name, version = (clean_text(text, _CHARACTERS) for text in (source.name, source.version))
    connection.execute(
        "INSERT INTO outside_source VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
        [
            source_id, source.kind.value, name, version, source.as_of, now, source.listed, source.taken,
            json.dumps(source.summary),
        ],
    )  # fmt: skip
    return source_id


def replace_source(connection: Connection, source: OutsideSource, now: datetime, tables: tuple[str, ...]) -> int:
    """Write an import down that takes the place of those of its kind and name, whose rows in `tables` go.

    Returns:
        Its number.
    """
    source_id = add_source(connection, source, now)
    old = connection.execute(
        "UPDATE outside_source SET replaced_at = $now WHERE kind = $kind AND name = $name AND source_id <> $id"
        " AND replaced_at IS NULL RETURNING source_id",
        {"now": now, "kind": source.kind.value, "name": clean_text(source.name, _CHARACTERS), "id": source_id},
    ).fetchall()
    for (old_id,) in old:
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE source_id = ?", [old_id])  # noqa: S608 - our own names
    return source_id


def has_source(connection: Connection, source: OutsideSource) -> bool:
    """Whether the same version of the same thing was imported before."""
    row = connection.execute(
        "SELECT count(*) FROM outside_source WHERE kind = ? AND name = ? AND version = ?",
        [source.kind.value, clean_text(source.name, _CHARACTERS), clean_text(source.version, _CHARACTERS)],
    ).fetchone()
    return row != (0,)
