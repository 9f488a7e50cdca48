"""The verbs of analytics: `metrics` prints the numbers of the newest census, or of all, or what one of them means;
`alerts` what moved since the census before."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analytics import wording
from analytics.alerts import alerts as compare
from analytics.charter import BY_NUMBER, CHARTER, MissionMetric
from analytics.definitions import DEFINITIONS, Definition
from analytics.load import newest_census
from analytics.load_stored import load_series
from analytics.mission import metric_rows
from analytics.schemas import METRIC_COLUMNS, MetricRow
from crawler.cli.options import db_option, json_option
from crawler.errors import UsageError, printable
from crawler.store.serving import nothing_published, serving_file

SYNTHETIC = "Synthetic: counted in the practice federation; says nothing about the real one."

_ROWS_SHOWN = 8
"""Rows of one metric on a terminal; the rest is said to be there. Programs get all."""

_DECENTRALISATION = "Decentralisation: who holds how much, and what is lost when the largest go"


@click.command(short_help="Print the numbers of the newest census.")
@db_option
@click.option("--crawl", "crawl_id", type=int, metavar="N", help="This crawl instead, even if it is no census.")
@click.option("--series", is_flag=True, help="The rows of every census, oldest first.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, every column.")
@json_option
@click.option(
    "--explain",
    metavar="METRIC",
    help="Say what a metric means, how it is computed and where it misleads: 1 to 9, or a name in the first column.",
)
def metrics(db: Path, crawl_id: int | None, explain: str | None, *, series: bool, as_csv: bool, as_json: bool) -> None:
    """Print the numbers of the newest census, each with its interval, base and grade.

    A census is a crawl that is completed and full; `status` lists all crawls. The nine metrics of the Matrix mission
    come first, then decentralisation. On a terminal the numbers are tables; elsewhere they are lines of tab-separated
    columns; with --json, a list of rows, with --csv the same as CSV (metric, dimension, value, lo, hi, interval_kind,
    n, coverage, unit, window, denominator, grade, method, snapshot, at, synthetic, crawler_version). A value that is
    not known is null or empty, never zero.

    \b
    What does it mean that 11 842 servers are online?   matrix-census metrics --explain 3
    All numbers of all censuses, for a spreadsheet:     matrix-census metrics --series --csv

    Exit codes: 0 done, 2 there is no census yet, or none is published, or there is no such metric.
    """
    if explain is not None:
        _explain(explain, as_json=as_json)
        return
    rows = _series(db) if series else _rows(db, crawl_id)
    if as_json:
        click.echo(json.dumps([row.as_json() for row in rows], indent=1))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(METRIC_COLUMNS)
        writer.writerows(_csv_cells(row) for row in rows)
    elif sys.stdout.isatty() and not series:
        _print_tables(rows)
    else:
        _print_lines(rows)


@click.command(short_help="Say what moved beyond its interval since the census before.")
@db_option
@json_option
def alerts(db: Path, *, as_json: bool) -> None:
    """Compare the newest census with the one before, and print what moved: a tenth of the servers, rooms or memberships
    gone, an implementation collapsed, fewer operators holding more than half. Made for cron.

    A number that either census does not know raises nothing, nor does a fall that comes with a fall of coverage.

    Exit codes: 0 nothing moved, or there is no census to compare with, 1 something did, 2 there is no census yet.
    """
    of_census = [tuple(rows) for _, rows in groupby(_series(db, newest=2), key=lambda row: row.snapshot)]
    found = list(compare(of_census[-2], of_census[-1])) if len(of_census) > 1 else []
    if as_json:
        click.echo(json.dumps([asdict(alert) for alert in found], indent=1))
    elif len(of_census) < 2:
        click.echo("There is one census; alerts compare two.", err=True)
    for alert in () if as_json else found:
        move = f"{wording.fine(alert.before)} -> {wording.fine(alert.now)}"
        click.echo(f"{alert.metric}\t{printable(alert.dimension)}\t{move}\t{alert.why}")
    if found:
        sys.exit(1)


def _rows(db: Path, crawl_id: int | None) -> tuple[MetricRow, ...]:
    serving = serving_file(db)
    if serving is None:
        raise nothing_published(db)
    wanted = crawl_id if crawl_id is not None else newest_census(serving)
    if wanted is None:
        raise _no_census(db)
    rows = metric_rows(serving, wanted)
    if not rows:
        raise UsageError(f"{db} holds no sealed crawl {wanted}; list them with: matrix-census status --db {db}")
    return rows


def _series(db: Path, newest: int | None = None) -> tuple[MetricRow, ...]:
    serving = serving_file(db)
    if serving is None:
        raise nothing_published(db)
    rows = load_series(serving, newest)
    if not rows:
        raise _no_census(db)
    return rows


def _no_census(db: Path) -> UsageError:
    return UsageError(f"there is no census in {db} yet; take one with: matrix-census crawl --contact YOU --db {db}")


def _explain(wanted: str, *, as_json: bool) -> None:
    number = int(wanted) if wanted.isdecimal() else DEFINITIONS[wanted].mission if wanted in DEFINITIONS else None
    of_number = [each for each in DEFINITIONS.values() if each.mission == number]
    if number is None or not of_number:
        names = ", ".join(DEFINITIONS)
        raise UsageError(f"there is no metric {wanted}; there are 1 to {len(CHARTER)}, and by name: {names}")
    mission = BY_NUMBER.get(number)
    named = [DEFINITIONS[wanted]] if wanted in DEFINITIONS else of_number
    if as_json:
        said = {name: getattr(mission, name) for name in MissionMetric.__dataclass_fields__} if mission else {}
        parts = [{"metric": each.metric, "title": each.title, "meaning": each.meaning} for each in named]
        click.echo(json.dumps(said | {"metrics": parts}, indent=1))
        return
    if mission is not None:
        for line in _said(mission):
            click.echo(line)
        click.echo("")
    click.echo("Rows:")
    for each in named:
        click.echo(f"  {each.metric:<30} {each.title}. {each.meaning}")


def _said(mission: MissionMetric) -> Iterable[str]:
    yield f"{mission.number}. {mission.words}"
    yield ""
    yield f"Here:        {mission.definition}"
    yield f"Unit:        {mission.unit}"
    yield f"Window:      {mission.window}"
    yield f"Denominator: {mission.denominator}"
    yield f"Grade:       {', '.join(mission.grades)}"
    yield f"Estimator:   {mission.estimator}"
    for title, lines in (("Pitfalls:", mission.pitfalls), ("References:", mission.references)):
        yield title
        yield from (f"  - {line}" for line in lines)


def _csv_cells(row: MetricRow) -> list[object]:
    cells = row.as_json()
    text = printable(row.dimension)
    # A spreadsheet runs what begins like this, and a dimension can be a name that a remote server chose.
    cells["dimension"] = f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
    return ["" if cells[name] is None else cells[name] for name in METRIC_COLUMNS]


def _print_lines(rows: Iterable[MetricRow]) -> None:
    header = ("metric", "dimension", "value", "lo", "hi", "n", "coverage", "unit", "grade", "synthetic", "snapshot")
    click.echo("\t".join(header))
    for row in rows:
        numbers: tuple[object, ...] = (row.value, row.lo, row.hi, row.n, row.coverage)
        cells = (row.metric, printable(row.dimension), *numbers, row.unit, row.grade, row.synthetic, row.snapshot)
        click.echo("\t".join(_plain(cell) for cell in cells))


def _plain(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


def _print_tables(rows: tuple[MetricRow, ...]) -> None:
    console = Console(highlight=False)
    first = rows[0]
    console.print(
        f"Crawl {first.snapshot}, sealed {wording.moment(first.at)}, by matrix-census {first.crawler_version}."
    )
    if first.synthetic:
        console.print(SYNTHETIC, style="bold yellow")
    for number, headline in (*((metric.number, metric.words) for metric in CHARTER), (0, _DECENTRALISATION)):
        console.print()
        console.print(Text(f"{number}. {headline}" if number else headline, style="bold underline"))
        of_number = [row for row in rows if DEFINITIONS[row.metric].mission == number]
        for metric, group in groupby(of_number, key=lambda row: row.metric):
            _print_metric(console, DEFINITIONS[metric], tuple(group))


def _print_metric(console: Console, definition: Definition, rows: Sequence[MetricRow]) -> None:
    console.print(f"  {definition.title}", style="bold")
    console.print(f"  {definition.meaning} {rows[0].grade.capitalize()}, of {rows[0].denominator}.", style="dim")
    console.print(_table(rows[:_ROWS_SHOWN]))
    left = len(rows) - _ROWS_SHOWN
    if left > 0:
        console.print(f"  and {wording.plural(left, 'more row')}; --json has them all", style="dim")


def _table(rows: Sequence[MetricRow]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column("dimension", min_width=28)
    table.add_column("value", justify="right", min_width=10)
    table.add_column("unit")
    table.add_column("interval", style="dim")
    for row in rows:
        dimension = "in all" if row.dimension == "all" else printable(row.dimension)
        # A Text, because a dimension may be remote text, and rich reads markup in strings.
        table.add_row(Text(dimension), wording.amount(row), row.unit, wording.interval(row))
    return table
