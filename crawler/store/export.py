"""A census to take along: the tables of a serving file as Parquet or CSV, with what one needs to read them years later.

    DIR/manifest.json       what it is: snapshot, format, tables with their columns and rows
    DIR/TABLE/...           one folder a table, its files partitioned by crawl or by series where it has them
    DIR/newest_server/ ...  the newest census of each vantage, flat, for whoever wants no history
    DIR/DICTIONARY.md       every table and column
    DIR/LICENSE.txt  DIR/SHA256SUMS

It is made from a serving file, so contacts of servers are never in it. Parquet and CSV files hold all columns,
those of the partition too, and are read by any program alike. In CSV an empty field is NULL and "" is empty text.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from crawler.errors import StoreError, UsageError
from crawler.store.anonymous import ANONYMOUS, NUMBERS, make_pseudonyms
from crawler.store.connection import Connection, connect_to_read, first_line
from crawler.store.dictionary import dictionary
from crawler.store.insert import column_types, quoted
from crawler.store.intervals import INTERVALS
from crawler.store.serving import nothing_published, serving_file

FORMATS = ("parquet", "csv")
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
VERSION = 1
"""Of the layout."""

LICENCE = "CC0-1.0"

FLAT = {
    "newest_server": "server_observation",
    "newest_room": "room",
}
"""Flat tables -> the view whose rows of the newest census of each series they are."""

CSV = "FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR ''"
_PARQUET = "FORMAT parquet, COMPRESSION zstd"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`since`: history from the first crawl of that day on, None: all. `anonymous`: without what points to small
    servers, named from `k` members on. `licence` is told in the export."""

    format: str = "parquet"
    since: date | None = None
    anonymous: bool = False
    k: int = 10
    licence: str = LICENCE


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    snapshot_id: str
    rows: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0


def export(census: Path, to: Path, options: ExportOptions) -> Exported:
    """Write an export.

    Args:
        census: The census file whose newest serving file is exported.
        to: A folder that is not there yet, or is empty.

    Raises:
        UsageError: the folder is taken.
        StoreError: nothing was published yet, no crawl is left of `since`, or the disk gave out.
    """
    serving = serving_file(census)
    if serving is None:
        raise nothing_published(census)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to} is there already; give the name of a new folder")
    beside = to.with_name(f".{to.name}.{os.getpid()}.part")
    connection = connect_to_read(serving)
    try:
        beside.mkdir(parents=True)
        done = _write(connection, beside, options)
        if to.exists():
            to.rmdir()
        beside.rename(to)
    except duckdb.Error as error:
        raise StoreError(f"cannot write {to}: {first_line(error)}") from error
    except OSError as error:
        raise StoreError(f"cannot write {to}: {error.strerror}") from error
    finally:
        connection.close()
        shutil.rmtree(beside, ignore_errors=True)
    return done


def _write(connection: Connection, folder: Path, options: ExportOptions) -> Exported:
    described = _select(connection, options)
    rows: dict[str, int] = {}
    tables: dict[str, dict[str, str]] = {}
    for name, query in described.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE exported AS {query}")
        types = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE exported)").fetchall())
        tables[name] = {str(column): str(kind) for column, kind in types.items()}
        rows[name] = _write_table(connection, folder / name, tables[name], options)
    snapshot = connection.execute("SELECT snapshot_id, schema_version, synthetic FROM snapshot").fetchone()
    if snapshot is None:
        raise StoreError("the serving file does not say what it is")
    manifest: dict[str, Any] = {
        "matrix_census_export": VERSION,
        "snapshot_id": snapshot[0],
        "schema_version": snapshot[1],
        "synthetic": snapshot[2],
        "format": options.format,
        "since": options.since.isoformat() if options.since else None,
        "anonymous": options.anonymous,
        "named_from_members": options.k if options.anonymous else None,
        "licence": options.licence,
        "tables": {name: {"rows": rows[name], "columns": tables[name]} for name in tables},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    (folder / "DICTIONARY.md").write_text(_dictionary(options), "utf-8")
    (folder / "LICENSE.txt").write_text(_licence(options, str(snapshot[0]), synthetic=bool(snapshot[2])), "utf-8")
    return Exported(str(snapshot[0]), rows, _checksums(folder))


def _select(connection: Connection, options: ExportOptions) -> dict[str, str]:
    """Table -> the query of its rows."""
    connection.execute(
        "CREATE TEMP TABLE chosen AS SELECT crawl_id, series_id FROM crawl"
        " WHERE state = 'completed' AND ($since IS NULL OR finished_at >= timezone('UTC', $since::DATE::TIMESTAMP))",
        {"since": options.since.isoformat() if options.since else None},
    )
    if connection.execute("SELECT count(*) FROM chosen").fetchone() == (0,):
        raise StoreError(f"there is no completed crawl since {options.since}")
    if options.anonymous:
        make_pseudonyms(connection, options.k)
    intervals = {interval.table for interval in INTERVALS}
    queries: dict[str, str] = {}
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY table_oid")
    for (name,) in found.fetchall():
        # Tables that steps from above added are not history: they can be made again.
        if name not in KNOWN | intervals or (options.anonymous and name not in ANONYMOUS):
            continue
        columns = list(column_types(connection, name))
        where = "true"
        if name in intervals:
            where = """t.series_id IN (FROM (SELECT series_id FROM temp.chosen))
            AND t.valid_from <= (SELECT max(c.crawl_id) FROM temp.chosen c WHERE c.series_id = t.series_id)
            AND (t.valid_to IS NULL OR t.valid_to > (
                SELECT min(c.crawl_id) FROM temp.chosen c WHERE c.series_id = t.series_id
            ))"""
        elif name == "lead_span":
            where = """EXISTS (
                SELECT 1 FROM temp.chosen c WHERE c.series_id = t.series_id
                AND c.crawl_id BETWEEN t.first_crawl_id AND t.last_crawl_id
            )"""
        elif "crawl_id" in columns and name != "snapshot":
            where = "t.crawl_id IN (SELECT crawl_id FROM temp.chosen)"
        values = {column: f"t.{quoted(column)}" for column in columns}
        order = ""
        if options.anonymous:
            values |= {column: NUMBERS[column] for column in columns if column in NUMBERS}
            values |= ANONYMOUS[name]
            order = " ORDER BY ALL"  # the order of storing would tell
        chosen = ", ".join(f"{values[column]} AS {quoted(column)}" for column in columns)
        queries[name] = f"SELECT {chosen} FROM {quoted(name)} t WHERE {where}{order}"  # noqa: S608 - our own names
    if not options.anonymous:
        for name, view in FLAT.items():
            of_server = "n.server_name, " if view == "server_observation" else ""
            join = " JOIN server n USING (server_id)" if of_server else ""
            queries[name] = f"""
            SELECT c.vantage, c.synthetic, c.finished_at, {of_server}v.* FROM {view} v JOIN (
                SELECT * FROM census WHERE crawl_id IN (
                    SELECT max(crawl_id) FROM census WHERE crawl_id IN (SELECT crawl_id FROM temp.chosen)
                    GROUP BY series_id
                )
            ) c USING (crawl_id){join}"""  # noqa: S608 - our own names
    return queries


KNOWN = frozenset(
    {
        "snapshot", "crawl", "series", "imported_series", "server", "known_room", "room_text", "client_api", "visit",
        "attempt", "resolution_step", "endpoint", "address_look", "lead", "listing_deviation", "attempt_summary",
        "lead_summary", "lead_span", "space_child", "unlisted_room", "usage_sum", "usage_reporting", "outside_source",
        "developer_count", "developer_month", "developer_overlap", "repository_activity", "spec_release",
        "spec_proposal",
    }
)  # fmt: skip
"""Tables that are exported beside the intervals."""


def _write_table(connection: Connection, folder: Path, types: Mapping[str, str], options: ExportOptions) -> int:
    folder.mkdir()
    row = connection.execute("SELECT count(*) FROM exported").fetchone()
    rows = int(row[0]) if row else 0
    by = next((column for column in ("series_id", "crawl_id") if column in types), None)
    if folder.name in ("crawl", "series", "imported_series", "snapshot"):
        by = None
    shape = CSV if options.format == "csv" else _PARQUET
    if by is None or not rows:
        place = _literal(folder / f"data_0.{options.format}")
        connection.execute(f"COPY (FROM exported) TO {place} ({shape})")
    else:
        split = f"PARTITION_BY ({by}), WRITE_PARTITION_COLUMNS true"
        connection.execute(
            f"COPY (FROM exported ORDER BY {by}) TO {_literal(folder)} ({shape}, {split}, OVERWRITE true)"
        )
    return rows


_FOREWORD = """# Dictionary

`newest_server` and `newest_room` are the rows of the views `server_observation` and `room` of the newest census of each
vantage. A row with `valid_from` and `valid_to` is so from one crawl until another; `valid_to` is NULL while it stands.
All times are UTC, all durations seconds.

"""

_ANONYMOUS = """This export is anonymous. A server whose directory never listed a room of {k} members or more has a name
made up for this export, and all numbers of servers and rooms are made up; room IDs, names, topics and aliases of rooms,
addresses, host names, keys, certificates and rare software are left out (NULL, or the whole table).

"""


def _dictionary(options: ExportOptions) -> str:
    return _FOREWORD + (_ANONYMOUS.format(k=options.k) if options.anonymous else "") + dictionary() + "\n"


def _licence(options: ExportOptions, snapshot_id: str, *, synthetic: bool) -> str:
    said = "These are figures of a practice federation and say nothing of the real one.\n\n" if synthetic else ""
    return (
        f"{said}Cite as: Matrix Census, snapshot {snapshot_id}.\n\n"
        f"Licence of this collection of data: {options.licence} (an SPDX identifier, see https://spdx.org/licenses/).\n"
        "Names and topics of rooms are the words of those who wrote them.\n"
    )


def _checksums(folder: Path) -> int:
    """Write the sums, as `sha256sum -c SHA256SUMS` reads them.

    Returns:
        Bytes of all files.
    """
    lines, size = [], 0
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.relative_to(folder)}\n")
        size += path.stat().st_size
    (folder / SUMS).write_text("".join(lines), "utf-8")
    return size


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
