"""An export of another census file, read back: its vantages become series of this file, with their history.

Numbers are given anew, names stay: a server, a room or a text that is here already is not there twice. Imported crawls
have numbers below 0, so that the newest crawl of a file is always one of its own. What comes in is somebody else's
word: sums are checked, names parsed, and the rules of `verify` must hold before anything is kept. What was forgotten
here does not come in.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from crawler.errors import ProtocolError, StoreError, UsageError
from crawler.model.names import parse_server_name, try_server_name
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_write, first_line, transaction
from crawler.store.crawls import series_of
from crawler.store.import_maps import IMPORTED, MAPPED, MAPS, NAMES
from crawler.store.import_source import Export, check_sums, read_manifest, source_of
from crawler.store.insert import column_types, quoted
from crawler.store.leads import make_spans
from crawler.store.lock import lock_to_write
from crawler.store.removal import Removal
from crawler.store.rewrite import rewrite
from crawler.store.serving import publish_anew
from crawler.store.suppression import read_suppressed
from crawler.store.upgrade import bring_up_to_date
from crawler.store.verify import faults


@dataclass(frozen=True, slots=True)
class Imported:
    """`vantages` as they are called here; `forgotten` servers and rooms were left out."""

    snapshot_id: str
    vantages: tuple[str, ...]
    crawls: int
    servers: int
    forgotten: int


def import_snapshot(census: Path, folder: Path, *, vantage: str | None = None, now: Now = utc_now) -> Imported:
    """Read an export into a census file, which is made if it is not there.

    Args:
        census: The census file.
        folder: The export.
        vantage: What to call its vantage here; None: as there. An import of the same vantage before is replaced.
        now: The time of day.

    Raises:
        UsageError: it is no export, not whole, anonymous, of a newer program, or its vantage is one of our own.
        CensusLockedError: another process has the census file.
        StoreError: the file cannot be written, or the export breaks the rules of a census.
    """
    export = read_manifest(folder)
    check_sums(folder)
    census.parent.mkdir(parents=True, exist_ok=True)
    with lock_to_write(census):
        publish_anew(census)
        with closing(connect_to_write(census)) as connection:
            bring_up_to_date(connection, census, now)
            try:
                with transaction(connection, census):
                    done = _import(connection, export, vantage, now())
                    broken = faults(connection)
                    if broken:
                        raise StoreError(f"{folder} breaks the rules of a census, nothing was taken: {broken[0]}")
            except duckdb.Error as error:
                raise StoreError(f"cannot read {folder}: {first_line(error)}; nothing was taken") from error
        if done.forgotten:
            rewrite(census, now)
    return done


def _import(connection: Connection, export: Export, vantage: str | None, now: datetime) -> Imported:
    for name in (*NAMES, *IMPORTED):
        if name in export.tables:
            source = source_of(connection, export, name)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted('in_' + name)} AS {source}")
    _refuse_bad_names(connection)
    vantages = _map_series(connection, export, vantage, now)
    for statement in MAPS:
        connection.execute(statement)
    servers = _number(connection, "SELECT count(*) FROM temp.map_server WHERE is_new")
    for table in IMPORTED:
        if f"in_{table}" in _temporary(connection):
            _insert(connection, table)
    if "in_lead_span" not in _temporary(connection):
        make_spans(connection, "series_id IN (SELECT series_id FROM temp.map_series)")
    crawls = _number(connection, "SELECT count(*) FROM temp.map_crawl")
    forgotten = _leave_out_forgotten(connection)
    for table in _temporary(connection):
        connection.execute(f"DROP TABLE temp.{quoted(table)}")
    return Imported(export.snapshot_id, vantages, crawls, servers, forgotten)


def _refuse_bad_names(connection: Connection) -> None:
    for key, name in connection.execute("SELECT server_key, server_name FROM temp.in_server").fetchall():
        try:
            if parse_server_name(name).key != key:
                raise UsageError(f"the export names a server {name!r} by another key")
        except ProtocolError as error:
            raise UsageError(f"the export names a server {name!r}, which is no server name") from error


def _map_series(connection: Connection, export: Export, vantage: str | None, now: datetime) -> tuple[str, ...]:
    connection.execute("CREATE OR REPLACE TEMP TABLE map_series (was INTEGER, series_id INTEGER)")
    found = connection.execute(
        "SELECT series_id, vantage, synthetic FROM temp.in_series"
        " WHERE series_id IN (SELECT series_id FROM temp.in_crawl WHERE state = 'completed') ORDER BY series_id"
    ).fetchall()
    if vantage is not None and len({place for _, place, _ in found}) > 1:
        raise UsageError("the export holds several vantages; they cannot all have one name")
    names: list[str] = []
    for was, place, synthetic in found:
        name = vantage or place
        row = connection.execute(
            "SELECT series_id, series_id IN (SELECT series_id FROM imported_series) FROM series"
            " WHERE vantage = ? AND synthetic = ?",
            [name, synthetic],
        ).fetchone()
        if row is not None and not row[1]:
            raise UsageError(
                f"the census file has a vantage {name!r} of its own; say what to call the other: --vantage NAME"
            )
        if row is not None:
            _remove_series(connection, int(row[0]))
        series_id = series_of(connection, name, synthetic=synthetic)
        connection.execute("INSERT INTO temp.map_series VALUES (?, ?)", [was, series_id])
        origin = [series_id, export.snapshot_id, place, now]
        connection.execute("INSERT INTO imported_series VALUES (?, ?, ?, ?)", origin)
        names.append(name)
    return tuple(names)


def _remove_series(connection: Connection, series_id: int) -> None:
    """Servers, rooms and texts stay: what was met is met."""
    crawls = f"SELECT crawl_id FROM crawl WHERE series_id = {series_id:d}"  # noqa: S608 - a number
    columns = {table: column_types(connection, table) for table in IMPORTED}
    for table, types in columns.items():
        if "series_id" in types and table != "crawl":
            connection.execute(f"DELETE FROM {quoted(table)} WHERE series_id = {series_id:d}")  # noqa: S608 - likewise
        elif "crawl_id" in types and table != "crawl":
            connection.execute(f"DELETE FROM {quoted(table)} WHERE crawl_id IN ({crawls})")  # noqa: S608 - likewise
    for table in ("crawl", "imported_series"):
        connection.execute(f"DELETE FROM {table} WHERE series_id = {series_id:d}")  # noqa: S608 - likewise


def _insert(connection: Connection, table: str) -> None:
    described = connection.execute(f"DESCRIBE temp.{quoted('in_' + table)}").fetchall()
    columns = [str(row[0]) for row in described]
    values: list[str] = []
    joins: list[str] = []
    for column in columns:
        mapped = MAPPED.get(column)
        if mapped is None:
            values.append(f"i.{quoted(column)}")
            continue
        place = f"m_{column}"
        values.append(f"{place}.{mapped.number}")
        optional = "LEFT " if column in ("named_by", "valid_to") else ""
        joins.append(f"{optional}JOIN ({mapped.source}) {place} ON {mapped.on.format(place=place, column=column)}")
    names = ", ".join(quoted(column) for column in columns)
    query = f"SELECT {', '.join(values)} FROM temp.{quoted('in_' + table)} i {' '.join(joins)}"  # noqa: S608 - our own names
    if "crawl_id" in columns and table == "crawl":
        query += " WHERE i.state = 'completed'"
    connection.execute(f"INSERT INTO {quoted(table)} ({names}) {query}")


def _leave_out_forgotten(connection: Connection) -> int:
    """Whatever was forgotten here came in with the rest and goes out before anybody sees it."""
    suppressed = read_suppressed(connection)
    if not suppressed.salt:
        return 0
    removal = Removal(connection)
    for (key,) in connection.execute("SELECT server_key FROM temp.in_server").fetchall():
        name = try_server_name(key)
        if name is not None and suppressed.has_server(name):
            removal.find(name)
    rooms = connection.execute(
        "SELECT DISTINCT room_id, canonical_alias FROM known_room JOIN room_state USING (room_number)"
        " JOIN room_text USING (text_id)"
    ).fetchall()
    for room_id, alias in rooms:
        if suppressed.has_room(room_id, alias):
            removal.find(room_id)
    if removal.servers or removal.rooms:
        removal.remove()
    return len(removal.servers) + len(removal.rooms)


def _number(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _temporary(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    return [str(name) for (name,) in rows]
