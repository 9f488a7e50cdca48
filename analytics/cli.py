"""The verb of analytics: `metrics` prints the numbers of the newest census."""

import json
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analytics import wording
from analytics.load import newest_census
from analytics.mission import DEFINITIONS, metric_rows
from analytics.schemas import MetricRow
from crawler.cli.options import db_option, json_option
from crawler.errors import UsageError, printable
from crawler.store.publish import serving_file

SYNTHETIC = "synthetic: of practice servers; says nothing about the real federation"

_ROWS_SHOWN = 12
"""Rows of one metric on a terminal; the rest is said to be there. Programs get all."""


@click.command(short_help="Print the numbers of the newest census.")
@db_option
@click.option("--crawl", "crawl_id", type=int, metavar="N", help="This crawl instead, even if it is no census.")
@json_option
def metrics(db: Path, crawl_id: int | None, *, as_json: bool) -> None:
    """Print the numbers of the newest census, each with its interval, base and grade.

    A census is a crawl that is completed and full; `status` lists all crawls. On a terminal the numbers are a table;
    elsewhere they are lines of tab-separated columns; with --json, a list of rows (metric, dimension, value, lo, hi,
    interval_kind, n, coverage, unit, window, denominator, grade, method, snapshot, at, synthetic, crawler_version).
    A value that is not known is null, never zero.

    Exit codes: 0 done, 2 there is no census yet.
    """
    rows = _rows(db, crawl_id)
    if as_json:
        click.echo(json.dumps([row.as_json() for row in rows], indent=1))
    elif sys.stdout.isatty():
        _print_table(rows)
    else:
        _print_lines(rows)


def _rows(db: Path, crawl_id: int | None) -> tuple[MetricRow, ...]:
    serving = serving_file(db)
    wanted = crawl_id if serving is None or crawl_id is not None else newest_census(serving)
    if serving is None or wanted is None:
        raise UsageError(f"there is no census in {db} yet; take one with: matrix-census crawl --contact YOU --db {db}")
    rows = metric_rows(serving, wanted)
    if not rows:
        raise UsageError(f"{db} holds no sealed crawl {wanted}; list them with: matrix-census status --db {db}")
    return rows


def _print_lines(rows: Iterable[MetricRow]) -> None:
    click.echo("\t".join(("metric", "dimension", "value", "lo", "hi", "n", "coverage", "unit", "grade", "synthetic")))
    for row in rows:
        cells: tuple[object, ...] = (
            row.metric,
            printable(row.dimension),
            row.value,
            row.lo,
            row.hi,
            row.n,
            row.coverage,
        )
        more: tuple[object, ...] = (row.unit, row.grade, row.synthetic)
        click.echo("\t".join("" if cell is None else str(cell) for cell in (*cells, *more)))


def _print_table(rows: tuple[MetricRow, ...]) -> None:
    console = Console()
    first = rows[0]
    console.print(f"Census {first.snapshot}, sealed {wording.moment(first.at)}, crawler {first.crawler_version}.")
    if first.synthetic:
        console.print(f"[bold yellow]{SYNTHETIC}[/]")
    for metric, group in groupby(rows, key=lambda row: row.metric):
        console.print()
        console.print(_table(metric, tuple(group)))


def _table(metric: str, rows: tuple[MetricRow, ...]) -> Table:
    definition = DEFINITIONS[metric]
    left = len(rows) - _ROWS_SHOWN
    table = Table(
        title=definition.title,
        caption=f"{definition.meaning} Of {rows[0].denominator}; {rows[0].grade}."
        + (f" {wording.plural(left, 'more row')}: --json." if left > 0 else ""),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        show_header=False,
    )
    table.add_column("dimension", min_width=28)
    table.add_column("value", justify="right", min_width=12)
    table.add_column("interval", style="dim")
    table.add_column("unit", style="dim")
    for row in rows[:_ROWS_SHOWN]:
        dimension = "" if row.dimension == "all" else printable(row.dimension)
        table.add_row(Text(dimension), wording.number(row.value), wording.interval(row), row.unit)
    return table


commands: tuple[click.Command, ...] = (metrics,)
