"""The verb `report`: a month, a quarter or a year of the census as files that stand alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import polars as pl

from analytics.load import newest_snapshot
from analytics.load_stored import load_metric_rows, load_series_frame
from analytics.reference import load_corrections, reference
from analytics.report import Period, build_report, first_census
from analytics.report_html import html_report
from analytics.report_markdown import markdown_report
from crawler.cli.options import db_option, json_option
from crawler.errors import StoreError, UsageError
from crawler.store.serving import serving_file


@click.command(short_help="Write a report on a month, a quarter or a year.")
@db_option
@click.option(
    "--period",
    type=click.Choice([period.value for period in Period]),
    default=Period.MONTH.value,
    show_default=True,
    help="How far it looks back from its last census: 30, 91 or 365 days.",
)
@click.option("--census", type=int, metavar="N", help="End with this census instead of the newest.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="this folder",
    metavar="FOLDER",
    help="Where the two files are written.",
)
@json_option
def report(db: Path, period: str, census: int | None, out: Path, *, as_json: bool) -> None:
    """Write what the census found in a period as report-SNAPSHOT-PERIOD.html and .md, and print their names.

    Both have the nine metrics of the mission and decentralisation, each number with its interval, grade, base and what
    it was at the beginning of the period; how each is computed and where it misleads; dated events, figures that others
    published, corrections, and how to cite. The HTML file has charts as well, holds no script and loads nothing. With
    --json the names of the files and what the report is of are one object.

    \b
    A report for the quarter:   matrix-census report --period quarter
    As it was in census 90:     matrix-census report --census 90

    Exit codes: 0 done, 1 the files could not be written, 2 there is no such census.
    """
    serving = serving_file(db)
    if serving is None:
        raise UsageError(f"there is no census in {db} yet; take one with: matrix-census crawl --contact YOU --db {db}")
    series = load_series_frame(serving)
    censuses = series.select("snapshot", "at").unique().sort("snapshot").rows()
    ends = [(number, at) for number, at in censuses if census is None or number <= census]
    if not ends or (census is not None and ends[-1][0] != census):
        raise UsageError(f"{db} has no numbers of census {census}; list them with: matrix-census status --db {db}")
    end, begin = ends[-1][0], first_census(ends, Period(period))
    within = series.filter((pl.col("snapshot") <= end) & (pl.col("snapshot") >= (begin if begin is not None else 0)))
    if begin is None:
        within = series.filter(pl.col("snapshot").is_in([number for number, _ in ends]))
    document = build_report(
        within,
        load_metric_rows(serving, end) or (),
        (load_metric_rows(serving, begin) or ()) if begin is not None else (),
        reference().annotations,
        period=Period(period),
        snapshot_id=newest_snapshot(serving),
        made_at=datetime.now(UTC),
        corrections=[f"{day}, {metric}: {what}" for day, metric, what in load_corrections().iter_rows()],
    )
    stem = f"report-{document.snapshot_id}-{period}" + ("" if census is None else f"-census-{census}")
    files = {"html": out / f"{stem}.html", "markdown": out / f"{stem}.md"}
    try:
        out.mkdir(parents=True, exist_ok=True)
        files["html"].write_text(html_report(document), "utf-8")
        files["markdown"].write_text(markdown_report(document), "utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {error.filename}: {error.strerror}") from error
    if as_json:
        told = {"period": period, "census": end, "compared_with": begin, "synthetic": document.synthetic}
        click.echo(json.dumps(told | {name: str(file) for name, file in files.items()}, indent=1))
    else:
        for file in files.values():
            click.echo(file)
