"""The data dictionary: every table and column of the schema, from the comments in the schema itself.

`python -m crawler.store.dictionary` writes it into `data/README.md`, between two marks; the rest of that page is
written by hand. A test holds the page against the schema, so the two cannot drift apart.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb

from crawler.resources import shipped
from crawler.store.clock import utc_now
from crawler.store.connection import Connection
from crawler.store.migrations import migrate

BEGIN = "<!-- dictionary: made by python -m crawler.store.dictionary, not by hand -->"
END = "<!-- end of dictionary -->"


def dictionary() -> str:
    """All tables, then all views, as Markdown."""
    connection = duckdb.connect(":memory:")
    try:
        migrate(connection, Path(":memory:"), utc_now)
        connection.execute(shipped("schema", "serving.sql").read_text("utf-8"))
        relations = connection.execute(_RELATIONS).fetchall()
        return "\n".join(_section(connection, *relation) for relation in relations)
    finally:
        connection.close()


def _section(connection: Connection, name: str, kind: str, comment: str) -> str:
    lines = [
        f"### `{name}`{' (view)' if kind == 'view' else ''}",
        "",
        comment,
        "",
        "| column | type | NULL? | meaning |",
        "|---|---|---|---|",
    ]
    for column, sql_type, nullable, meaning in connection.execute(_COLUMNS, [name]).fetchall():
        may = "" if kind == "view" else "yes" if nullable else "never"
        # Views do not know whether a column may be NULL; their comments say it.
        lines.append(f"| `{column}` | {_type(sql_type)} | {may} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join([*lines, ""])


def _type(sql_type: str) -> str:
    return "TIMESTAMPTZ" if sql_type == "TIMESTAMP WITH TIME ZONE" else sql_type


@cache
def column_meanings() -> Mapping[str, Mapping[str, str]]:
    """Table or view -> column -> what its comment says: read from the schema's text, for those who tell others what
    they answer and have no database at hand."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in (*sorted(shipped("schema").glob("[0-9]*.sql")), shipped("schema", "serving.sql")):
        for table, column, meaning in _COMMENT.findall(path.read_text("utf-8")):
            found[table][column] = meaning.replace("''", "'")
    return found


def with_dictionary(page: str) -> str:
    """`page` with the dictionary of today between its marks.

    Raises:
        ValueError: it has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has no marks to put the dictionary between")
    return f"{before}{BEGIN}\n\n{dictionary()}\n{END}{after}"


def main(page: Path) -> None:
    """Bring the page up to date."""
    page.write_text(with_dictionary(page.read_text("utf-8")), "utf-8")


_COMMENT = re.compile(r"^COMMENT ON COLUMN (\w+)\.(\w+) IS '((?:[^']|'')*)';", re.MULTILINE)

_RELATIONS = """
SELECT name, kind, comment FROM (
    SELECT table_name AS name, 'table' AS kind, comment, table_oid AS place FROM duckdb_tables() WHERE NOT internal
    UNION ALL
    SELECT view_name, 'view', comment, view_oid FROM duckdb_views() WHERE NOT internal
)
ORDER BY kind, place
"""

_COLUMNS = """
SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns()
WHERE table_name = ? AND NOT internal ORDER BY column_index
"""

if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else shipped("README.md"))
