"""An export as it lies there: its manifest, its sums, and its tables as queries with the types that they have here.

Apart from the import, because nothing here touches what is held: it is a stranger's word, looked at before it counts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crawler.errors import ProtocolError, UsageError
from crawler.protocol.json_body import parse_object
from crawler.store.connection import Connection
from crawler.store.export import FORMATS, MANIFEST, SUMS, VERSION
from crawler.store.insert import checked_type, column_types, quoted
from crawler.store.migrations import latest_version

_FIRST_SCHEMA = 5
"""The first schema that was ever exported."""

_MANIFEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Export:
    folder: Path
    snapshot_id: str
    format: str
    tables: Mapping[str, Mapping[str, str]]


def read_manifest(folder: Path) -> Export:
    try:
        with (folder / MANIFEST).open("rb") as file:
            said = parse_object(file.read(_MANIFEST_BYTES))
        version, schema = int(said["matrix_census_export"]), int(said["schema_version"])
        tables = {
            str(name): {quoted(column): checked_type(kind) for column, kind in table["columns"].items()}
            for name, table in said["tables"].items()
            if not name.startswith("newest_")
        }
        export = Export(folder, str(said["snapshot_id"]), str(said["format"]), tables)
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


def check_sums(folder: Path) -> None:
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


def source_of(connection: Connection, export: Export, table: str) -> str:
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
