"""From any older schema to this program's, one numbered SQL file at a time.

A file of `data/schema/` named `NNNN_name.sql` is one step. It and its record in `schema_migration` are one transaction,
so a file has a step whole or not at all. Steps only ever go forward; a file from a newer program is refused, since what
the newer columns mean is not known here.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crawler.errors import SchemaTooNewError, StoreError
from crawler.resources import shipped
from crawler.store.clock import Now
from crawler.store.connection import Connection, transaction


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. `version` is the schema that it leads to."""

    version: int
    name: str
    sql: str


@cache
def migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """The steps that ship, in order.

    Args:
        folder: Where they are; None: with the program.

    Raises:
        ValueError: the numbers are not 1, 2, 3 ...; a fault of ours.
    """
    found = [
        Migration(int(path.name[:4]), path.stem[5:], path.read_text("utf-8"))
        for path in sorted((folder or shipped("schema")).glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"schema files must be numbered from 1 without gaps, not {[s.version for s in found]}")
    return tuple(found)


def latest_version() -> int:
    """The schema of this program."""
    return migrations()[-1].version


def schema_version(connection: Connection, path: Path, catalog: str | None = None) -> int:
    """The schema that a file is at; 0 for a new one.

    Args:
        connection: Has the file open.
        path: What a person is told about.
        catalog: Name under which the file is attached; None: it is the connection's own.

    Raises:
        StoreError: it is a DuckDB file of something else.
    """
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = coalesce(?, current_database())", [catalog]
    ).fetchall()
    if not tables:
        return 0
    if ("schema_migration",) not in tables:
        raise StoreError(f"{path} is a DuckDB file, but no census; give another --db")
    place = f"{catalog}.schema_migration" if catalog else "schema_migration"
    row = connection.execute(f"SELECT max(version) FROM {place}").fetchone()  # noqa: S608 - our own alias
    return int(row[0]) if row and row[0] is not None else 0


def refuse_newer(version: int, path: Path) -> None:
    """Refuse a file that this program is too old for.

    Raises:
        SchemaTooNewError: saying what to do.
    """
    if version > latest_version():
        raise SchemaTooNewError(
            f"{path} has schema {version}, this matrix-census knows up to {latest_version()}; upgrade matrix-census"
        )


def refuse_older(version: int, path: Path) -> None:
    """Refuse a file that has to be brought up to date first, where it is only to be read.

    Raises:
        StoreError: saying what to do.
    """
    if version < latest_version():
        raise StoreError(
            f"{path} has the older schema {version}; bring it up to date: matrix-census migrate --db {path}"
        )


def migrate(connection: Connection, path: Path, now: Now, steps: tuple[Migration, ...] | None = None) -> int:
    """Bring an open file to the schema of this program.

    Args:
        connection: May write, is in no transaction.
        path: What a person is told about.
        now: Says what is recorded as the time of each step.
        steps: What to apply; None: what ships.

    Returns:
        The schema that the file had before.

    Raises:
        SchemaTooNewError: it is newer.
        StoreError: it is no census, or cannot be written.
    """
    before = schema_version(connection, path)
    refuse_newer(before, path)
    for step in migrations() if steps is None else steps:
        if step.version > before:
            with transaction(connection, path):
                connection.execute(step.sql)
                connection.execute("INSERT INTO schema_migration VALUES (?, ?, ?)", [step.version, step.name, now()])
    return before
