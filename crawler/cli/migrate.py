"""`migrate`: bring a census file of an older program up to date, now rather than at the next crawl."""

import json
from pathlib import Path

import click

from crawler.cli.options import db_option, json_option
from crawler.store.upgrade import upgrade


@click.command(short_help="Bring a census file to the schema of this program.")
@db_option
@json_option
def migrate(db: Path, *, as_json: bool) -> None:
    """Bring a census file to the schema of this program.

    A crawl does it by itself when it opens the file; with this verb you choose the time, and may keep a copy of the
    file before: the way back is that copy. Steps are whole or not at all, and an upgrade that was cut short goes on
    where it stopped. A file of a newer program is left alone; upgrade matrix-census to read it.

    \b
      cp data/census.duckdb census-before.duckdb
      matrix-census migrate
    """
    done = upgrade(db)
    if as_json:
        click.echo(json.dumps({"census": str(db), "before": done.before, "after": done.after, "folded": done.folded}))
    elif done.before == done.after and not done.folded:
        click.echo(f"{db} has schema {done.after} already.")
    else:
        click.echo(
            f"{db} went from schema {done.before} to schema {done.after}; {done.folded} crawls became intervals. "
            f"The next crawl publishes it; to do it now: matrix-census publish --db {db}"
        )
