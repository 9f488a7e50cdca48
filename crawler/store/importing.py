"""An export of another census file, read back: its vantages become series of this file, with their history.

Numbers are given anew, names stay: a server, a room or a text that is here already is not there twice. Imported crawls
have numbers below 0, so that the newest crawl of a file is always one of its own. What comes in is somebody else's
word: sums are checked, names parsed, and the rules of `verify` must hold before anything is kept. What was forgotten
here does not come in.
"""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import duckdb

from crawler.errors import ProtocolError, StoreError, UsageError
from crawler.model.names import parse_server_name, try_server_name
from crawler.protocol.json_body import parse_object
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_write, first_line, transaction
from crawler.store.crawls import series_of
from crawler.store.export import FORMATS, KNOWN, MANIFEST, SUMS, VERSION
from crawler.store.insert import checked_type, column_types, quoted
from crawler.store.intervals import INTERVALS
from crawler.store.lock import lock_to_write
from crawler.store.migrations import latest_version
from crawler.store.removal import Removal
from crawler.store.rewrite import rewrite
from crawler.store.suppression import read_suppressed
from crawler.store.upgrade import bring_up_to_date
from crawler.store.verify import faults

_FIRST_SCHEMA = 5
"""The first schema that was ever exported."""

_MANIFEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Imported:
    """`vantages` as they are called here; `forgotten` servers and rooms were left out."""

    snapshot_id: str
    vantages: tuple[str, ...]
    crawls: int
    servers: int
    forgotten: int


@dataclass(frozen=True, slots=True)
class _Export:
    folder: Path
    snapshot_id: str
    format: str
    tables: Mapping[str, Mapping[str, str]]


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
    export = _read_manifest(folder)
    _check_sums(folder)
    census.parent.mkdir(parents=True, exist_ok=True)
    with lock_to_write(census):
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


def _read_manifest(folder: Path) -> _Export:
    try:
        with (folder / MANIFEST).open("rb") as file:
            said = parse_object(file.read(_MANIFEST_BYTES))
        version, schema = int(said["matrix_census_export"]), int(said["schema_version"])
        tables = {
            str(name): {quoted(column): checked_type(kind) for column, kind in table["columns"].items()}
            for name, table in said["tables"].items()
            if not name.startswith("newest_")
        }
        export = _Export(folder, str(said["snapshot_id"]), str(said["format"]), tables)
        anonymous = bool(said["anonymous"])
    except (OSError, ProtocolError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{folder} is no export of matrix-census: its {MANIFEST} cannot be read") from error
    if version > VERSION or schema > latest_version():
        raise UsageError(f"{folder} was written by a newer matrix-census (schema {schema}); upgrade matrix-census")
    if export.format not in FORMATS or schema < _FIRST_SCHEMA or "crawl" not in export.tables:
        raise UsageError(f"{folder} is no export of matrix-census that can be read")
    if anonymous:
        raise UsageError(f"{folder} is anonymous: its names are made up, so it cannot be put beside others")
    return export


def _check_sums(folder: Path) -> None:
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
        said = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {SUMS}
        if there != set(said):
            odd = min(there ^ set(said))
            raise UsageError(f"{folder} is not whole: {odd} is not both there and in {SUMS}")
        for name, digest in said.items():
            with folder.joinpath(*PurePosixPath(name).parts).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise UsageError(f"{folder} is not whole: {name} is not what {SUMS} says")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder} cannot be checked by its {SUMS}: {error}") from error


def _import(connection: Connection, export: _Export, vantage: str | None, now: datetime) -> Imported:
    for name in (*_NAMES, *_IMPORTED):
        if name in export.tables:
            source = _source(connection, export, name)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted('in_' + name)} AS {source}")
    _refuse_bad_names(connection)
    vantages = _map_series(connection, export, vantage, now)
    for statement in _MAPS:
        connection.execute(statement)
    servers = _number(connection, "SELECT count(*) FROM temp.map_server WHERE is_new")
    for table in _IMPORTED:
        if f"in_{table}" in _temporary(connection):
            _insert(connection, table)
    crawls = _number(connection, "SELECT count(*) FROM temp.map_crawl")
    forgotten = _leave_out_forgotten(connection)
    for table in _temporary(connection):
        connection.execute(f"DROP TABLE temp.{quoted(table)}")
    return Imported(export.snapshot_id, vantages, crawls, servers, forgotten)


def _source(connection: Connection, export: _Export, table: str) -> str:
    """A query of a table's files: columns that both sides know, with the types that they have here."""
    here = column_types(connection, table)
    pattern = str(export.folder / table / "**" / f"*.{export.format}").replace("'", "''")
    if export.format == "parquet":
        read = f"read_parquet('{pattern}', hive_partitioning = false, union_by_name = true)"
    else:
        types = {column.strip('"'): kind for column, kind in export.tables[table].items()}
        texts = ", ".join(f"'{column}': 'VARCHAR'" for column in types)
        read = f"""read_csv('{pattern}', columns = {{{texts}}}, header = true, delim = ',', quote = '"', escape = '"',
            nullstr = '', allow_quoted_nulls = false, hive_partitioning = false, max_line_size = 67108864,
            parallel = false, strict_mode = true)"""
    columns = [column for column in here if quoted(column) in export.tables[table]]
    chosen = ", ".join(f"{quoted(column)}::{checked_type(here[column])} AS {quoted(column)}" for column in columns)
    return f"SELECT {chosen} FROM {read}"  # noqa: S608 - names that were checked


def _refuse_bad_names(connection: Connection) -> None:
    for key, name in connection.execute("SELECT server_key, server_name FROM temp.in_server").fetchall():
        try:
            if parse_server_name(name).key != key:
                raise UsageError(f"the export names a server {name!r} by another key")
        except ProtocolError as error:
            raise UsageError(f"the export names a server {name!r}, which is no server name") from error


def _map_series(connection: Connection, export: _Export, vantage: str | None, now: datetime) -> tuple[str, ...]:
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
    columns = {table: column_types(connection, table) for table in _IMPORTED}
    for table, types in columns.items():
        if "valid_from" in types:
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
        mapped = _MAPPED.get(column)
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


@dataclass(frozen=True, slots=True)
class _Mapped:
    """How the values of a column become those of this file: `number` of `source`, joined `on`."""

    number: str
    source: str
    on: str


def _by_number(table: str, number: str) -> _Mapped:
    return _Mapped(number, f"FROM temp.{table}", "{place}.was = i.{column}")


_AT_A_CRAWL = "{place}.was_series = i.series_id AND {place}.was = i.{column}"

_MAPPED: Mapping[str, _Mapped] = {
    "series_id": _by_number("map_series", "series_id"),
    "crawl_id": _by_number("map_crawl", "crawl_id"),
    "server_id": _by_number("map_server", "server_id"),
    "named_by": _by_number("map_server", "server_id"),
    "room_number": _by_number("map_room", "room_number"),
    "text_id": _by_number("map_text", "text_id"),
    "client_api_id": _by_number("map_api", "client_api_id"),
    "valid_from": _Mapped("crawl_id", "FROM temp.map_time", _AT_A_CRAWL),
    "valid_to": _Mapped("crawl_id", "FROM temp.map_time", _AT_A_CRAWL),
}

_TIMES = " UNION ".join(
    f"SELECT series_id, {column} AS at_crawl FROM temp.in_{interval.table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
    for interval in INTERVALS
    for column in ("valid_from", "valid_to")
)

_MAPS = (
    """
    CREATE OR REPLACE TEMP TABLE map_crawl AS
    SELECT c.crawl_id AS was, c.series_id AS was_series, (
        (SELECT least(coalesce(min(crawl_id), 0), 0) FROM crawl)
        - count(*) OVER () + row_number() OVER (ORDER BY c.crawl_id) - 1
    )::INTEGER AS crawl_id
    FROM temp.in_crawl c JOIN temp.map_series m ON m.was = c.series_id WHERE c.state = 'completed'
    """,
    # When an interval begins or ends, in crawls that the export holds: the first that is not before.
    f"""
    CREATE OR REPLACE TEMP TABLE map_time AS
    SELECT t.series_id AS was_series, t.at_crawl AS was, min(m.crawl_id) AS crawl_id
    FROM ({_TIMES}) t JOIN temp.map_crawl m ON m.was_series = t.series_id AND m.was >= t.at_crawl
    GROUP BY ALL
    """,  # noqa: S608 - likewise
    """
    CREATE OR REPLACE TEMP TABLE map_server AS
    SELECT i.server_id AS was, s.server_id IS NULL AS is_new, coalesce(s.server_id, (
        (SELECT coalesce(max(server_id), 0) FROM server)
        + row_number() OVER (PARTITION BY s.server_id IS NULL ORDER BY i.server_id)
    ))::INTEGER AS server_id
    FROM temp.in_server i LEFT JOIN server s ON s.server_key = i.server_key
    """,
    """
    INSERT INTO server SELECT m.server_id, i.server_key, i.server_name, (SELECT min(crawl_id) FROM temp.map_crawl)
    FROM temp.in_server i JOIN temp.map_server m ON m.was = i.server_id WHERE m.is_new
    """,
    """
    CREATE OR REPLACE TEMP TABLE map_room AS
    SELECT i.room_number AS was, k.room_number IS NULL AS is_new, coalesce(k.room_number, (
        (SELECT coalesce(max(room_number), 0) FROM known_room)
        + row_number() OVER (PARTITION BY k.room_number IS NULL ORDER BY i.room_number)
    ))::INTEGER AS room_number
    FROM temp.in_known_room i LEFT JOIN known_room k ON k.room_id = i.room_id
    """,
    """
    INSERT INTO known_room SELECT m.room_number, i.room_id, (SELECT min(crawl_id) FROM temp.map_crawl)
    FROM temp.in_known_room i JOIN temp.map_room m ON m.was = i.room_number WHERE m.is_new
    """,
    """
    CREATE OR REPLACE TEMP TABLE map_text AS
    SELECT i.text_id AS was, t.text_id IS NULL AS is_new, coalesce(t.text_id, (
        (SELECT coalesce(max(text_id), 0) FROM room_text)
        + row_number() OVER (PARTITION BY t.text_id IS NULL ORDER BY i.text_id)
    ))::INTEGER AS text_id
    FROM temp.in_room_text i LEFT JOIN room_text t ON t.name IS NOT DISTINCT FROM i.name
        AND t.topic IS NOT DISTINCT FROM i.topic AND t.canonical_alias IS NOT DISTINCT FROM i.canonical_alias
        AND t.join_rule IS NOT DISTINCT FROM i.join_rule AND t.room_type IS NOT DISTINCT FROM i.room_type
    """,
    """
    INSERT INTO room_text SELECT m.text_id, i.* EXCLUDE (text_id)
    FROM temp.in_room_text i JOIN temp.map_text m ON m.was = i.text_id WHERE m.is_new
    """,
    """
    CREATE OR REPLACE TEMP TABLE map_api AS
    SELECT i.client_api_id AS was, a.client_api_id IS NULL AS is_new, coalesce(a.client_api_id, (
        (SELECT coalesce(max(client_api_id), 0) FROM client_api)
        + row_number() OVER (PARTITION BY a.client_api_id IS NULL ORDER BY i.client_api_id)
    ))::INTEGER AS client_api_id
    FROM temp.in_client_api i LEFT JOIN client_api a ON a.spec_versions IS NOT DISTINCT FROM i.spec_versions
        AND a.unstable_features IS NOT DISTINCT FROM i.unstable_features
    """,
    """
    INSERT INTO client_api SELECT m.client_api_id, i.* EXCLUDE (client_api_id)
    FROM temp.in_client_api i JOIN temp.map_api m ON m.was = i.client_api_id WHERE m.is_new
    """,
)
"""Old number -> new number, with what is new put in its table."""

_NAMES = ("series", "server", "known_room", "room_text", "client_api")
"""Read in, and put into their tables by the maps."""

_OUTSIDE = frozenset(
    {
        "outside_source", "developer_count", "developer_month", "developer_overlap", "spec_release", "spec_proposal",
    }
)  # fmt: skip
"""Not of a vantage: whoever wants what others imported imports it."""

_IMPORTED = ("crawl", *(interval.table for interval in INTERVALS), *sorted(
    KNOWN - {"crawl", "snapshot", "imported_series", *_NAMES, *_OUTSIDE}
))  # fmt: skip
"""Put into their tables as they are but for the numbers."""
