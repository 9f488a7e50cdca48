"""`status`: which crawls a census file holds."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from crawler.cli.options import db_option, json_option
from crawler.model.crawl import Crawl
from crawler.store.reader import crawl_rows

COLUMNS = ("crawl", "state", "shown as", "started (UTC)", "took", "servers", "online", "rooms")
NUMBERS = frozenset({"crawl", "took", "servers", "online", "rooms"})


@click.command(short_help="List the crawls of a census file.")
@db_option
@json_option
def status(db: Path, *, as_json: bool) -> None:
    """List the crawls of a census file, newest first.

    A census is a crawl that is completed and full. A crawl that was killed stays running until it is resumed, or until
    the next one begins and calls it failed. Works while a crawl is running: it then reads what was published last.

    \b
      matrix-census status --db rehearsal/census.duckdb
      matrix-census status --json | jq '.[0].online'
    """
    crawls = crawl_rows(db)
    if as_json:
        click.echo(json.dumps([_as_dict(crawl) for crawl in crawls], indent=2))
        return
    if not crawls:
        holds = "holds no crawl yet" if db.exists() else "is not there yet"
        click.echo(f"{db} {holds}; take a census with: matrix-census crawl --contact YOU --db {db}")
        return
    console = Console()
    if not console.is_terminal:
        click.echo("\t".join(COLUMNS))
        for crawl in crawls:
            click.echo("\t".join(_cells(crawl)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in NUMBERS else "left")
    for crawl in crawls:
        table.add_row(*_cells(crawl))
    console.print(table)


def _cells(crawl: Crawl) -> list[str]:
    """One row; "-" where there is no number yet."""
    shown = "census" if crawl.is_census else "not a census"
    seconds = (crawl.finished_at - crawl.started_at).total_seconds() if crawl.finished_at else None
    return [
        str(crawl.id),
        f"{crawl.state}, {crawl.scope}",
        f"{shown}{', synthetic' if crawl.synthetic else ''}",
        f"{crawl.started_at:%d %b %Y %H:%M}",
        "-" if seconds is None else f"{seconds:.0f} s",
        *("-" if number is None else str(number) for number in (crawl.servers, crawl.online, crawl.rooms)),
    ]


def _as_dict(crawl: Crawl) -> dict[str, object]:
    return {
        "id": crawl.id,
        "state": crawl.state,
        "scope": crawl.scope,
        "synthetic": crawl.synthetic,
        "started_at": crawl.started_at.isoformat(),
        "finished_at": crawl.finished_at.isoformat() if crawl.finished_at else None,
        "servers": crawl.servers,
        "online": crawl.online,
        "rooms": crawl.rooms,
        "vantage": crawl.vantage,
        "crawler_version": crawl.crawler_version,
    }
