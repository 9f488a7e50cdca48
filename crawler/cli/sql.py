"""`sql`: anybody's own question to the newest serving file."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from crawler.cli.options import db_option
from crawler.errors import UsageError, printable
from crawler.store.ask import ask

_SHOWN = 40
"""Rows of a table; the other formats show all."""


@click.command(short_help="Ask the newest serving file in SQL.")
@click.argument("question", metavar="SQL|-")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help=f"table: for the eye, at most {_SHOWN} rows. csv, json: all rows; json is one object a line.",
)
@db_option
def sql(question: str, shape: str, db: Path) -> None:
    """Ask the newest serving file in SQL (DuckDB's). It is read-only: nothing can be changed, no other file touched.

    What is in it: data/README.md, or SHOW TABLES and DESCRIBE. With - the question is read from standard input.

    \b
      matrix-census sql "SELECT * FROM online_by_software ORDER BY crawl_id, servers DESC"
      matrix-census sql "FROM federation_on('2026-11-24') WHERE NOT online" --format csv > offline.csv
      matrix-census sql "SELECT server_name, online_for, offline_for FROM merged_server WHERE disagree"
    """
    if question == "-":
        question = sys.stdin.read()
    if not question.strip():
        raise UsageError("there is no question")
    with ask(db, question) as told:
        if shape == "csv":
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(told.columns)
            writer.writerows([_plain(value) for value in row] for row in told.rows)
        elif shape == "json":
            for row in told.rows:
                click.echo(json.dumps(dict(zip(told.columns, row, strict=True)), default=_json, ensure_ascii=False))
        else:
            _show(told.columns, told.rows)


def _show(columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(printable(column), overflow="fold")
    more = 0
    for number, row in enumerate(rows):
        if number < _SHOWN:
            table.add_row(*(_cell(value) for value in row))
        else:
            more += 1
    Console(markup=False, highlight=False).print(table)
    if more:
        click.echo(f"... and {more} rows more; --format csv shows all.", err=True)


def _cell(value: Any) -> str:
    """What strangers wrote is shown without what would speak to a terminal."""
    return "-" if value is None else printable(str(_plain(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, default=_json, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
