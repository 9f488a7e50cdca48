"""`diff A B`: what changed between two crawls."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from crawler.cli.options import db_option, json_option
from crawler.errors import printable
from crawler.store.difference import Change, difference


@click.command(short_help="Say what changed between two crawls.")
@click.argument("a", type=click.IntRange(min=1), metavar="A")
@click.argument("b", type=click.IntRange(min=1), metavar="B")
@db_option
@json_option
def diff(a: int, b: int, db: Path, *, as_json: bool) -> None:
    """Say what changed between crawls A and B: servers up and down, software, rooms listed, gone and renamed.

    Both are crawls of one vantage; `matrix-census status` numbers them. After a limited crawl, what it did not look at
    counts as it was. Reads what is published. One change a line, tab-separated: kind, name, before, after; the counts
    go to standard error.

    \b
      matrix-census diff 12 13 | grep '^software'
    """
    found = difference(db, a, b)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    for change in found.changes:
        click.echo(_line(change))
    for kind, count in found.counts.items():
        click.echo(f"{kind}: {count:,}", err=True)
    was, now = found.members
    click.echo(f"members of listed rooms: {was:,.0f} -> {now:,.0f}", err=True)


def _line(change: Change) -> str:
    return "\t".join(printable(part or "-") for part in (change.kind, change.what, change.was, change.now))
