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

SYNTHETIC = "Synthetic: counted in the practice federation; says nothing about the real one."

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
        numbers: tuple[object, ...] = (row.value, row.lo, row.hi, row.n, row.coverage)
        cells = (row.metric, printable(row.dimension), *numbers, row.unit, row.grade, row.synthetic)
        click.echo("\t".join(_plain(cell) for cell in cells))


def _plain(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


def _print_table(rows: tuple[MetricRow, ...]) -> None:
    console = Console(highlight=False)
    first = rows[0]
    console.print(
        f"Crawl {first.snapshot}, sealed {wording.moment(first.at)}, by matrix-census {first.crawler_version}."
    )
    if first.synthetic:
        console.print(SYNTHETIC, style="bold yellow")
    for metric, group in groupby(rows, key=lambda row: row.metric):
        of_metric = tuple(group)
        definition = DEFINITIONS[metric]
        console.print()
        console.print(definition.title, style="bold")
        console.print(
            f"{definition.meaning} {of_metric[0].grade.capitalize()}, of {of_metric[0].denominator}.", style="dim"
        )
        console.print(_table(of_metric[:_ROWS_SHOWN]))
        left = len(of_metric) - _ROWS_SHOWN
        if left > 0:
            console.print(f"and {wording.plural(left, 'more row')}; --json has them all", style="dim")


def _table(rows: tuple[MetricRow, ...]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column("dimension", min_width=28)
    table.add_column("value", justify="right", min_width=10)
    table.add_column("unit")
    table.add_column("interval", style="dim")
    for row in rows:
        dimension = "in all" if row.dimension == "all" else printable(row.dimension)
        # A Text, because a dimension may be remote text, and rich reads markup in strings.
        table.add_row(Text(dimension), wording.number(row.value), row.unit, wording.interval(row))
    return table


commands: tuple[click.Command, ...] = (metrics,)
