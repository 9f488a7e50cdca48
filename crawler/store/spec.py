"""The history of the specification in the census file: what an import of it leaves."""

from collections.abc import Iterable
from datetime import date, datetime

from crawler.store.connection import Connection
from crawler.store.insert import column_types, insert_rows
from crawler.store.outside import OutsideSource, replace_source

TABLES = ("spec_release", "spec_proposal")

ReleaseRow = tuple[str, date, int, int]
ProposalRow = tuple[int, str | None, date | None, str | None, date | None]


def keep_spec(
    connection: Connection,
    source: OutsideSource,
    releases: Iterable[ReleaseRow],
    proposals: Iterable[ProposalRow],
    now: datetime,
) -> None:
    """Keep an import in the place of the one before. In a transaction.

    Args:
        source: What was imported.
        releases: Version, day, proposals named, entries.
        proposals: Number, name, day of acceptance, first release, its day; None as in `spec_proposal`.
        now: The time of day.
    """
    source_id = replace_source(connection, source, now, TABLES)
    for table, rows in zip(TABLES, (releases, proposals), strict=True):
        values = ((source_id, *(_text(value) for value in row)) for row in rows)
        insert_rows(connection, table, column_types(connection, table), values)


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
