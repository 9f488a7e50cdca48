"""`publish`, `compact`, `backup`, `restore`: looking after a census file."""

import json
from pathlib import Path

import click

from crawler.cli.options import db_option, geo_db_option, json_option
from crawler.cli.publication import publish, take_in
from crawler.store.rewrite import back_up
from crawler.store.rewrite import compact as compact_census
from crawler.store.rewrite import restore as restore_census

_COPY = click.Path(path_type=Path, dir_okay=False)
_MB = 1_000_000


@click.command("publish", short_help="Publish a census file anew.")
@db_option
@geo_db_option
@json_option
@click.pass_context
def publish_verb(ctx: click.Context, db: Path, *, as_json: bool) -> None:
    """Publish a census file anew: make a read-only file of its newest crawls that anybody may read meanwhile.

    A crawl does it by itself when it is completed. Do it by hand after `migrate`, `restore` or `import-snapshot`, or
    with new hosting data. What waits in inbox/ is taken in first. Readers never see half of it; the last three are
    kept.
    """
    on_sealed = ctx.find_root().obj["on_sealed"]
    take_in(db, on_sealed)
    published = publish(db, on_sealed)
    click.echo(json.dumps({"census": str(db), "published": str(published)}) if as_json else str(published))


@click.command(short_help="Write a census file anew, as small as it can be.")
@db_option
@json_option
def compact(db: Path, *, as_json: bool) -> None:
    """Write a census file anew, without the room that deleted rows left in it.

    Everything in it stays, sorted by what it is about. Every thirtieth completed crawl does this by itself, once it is
    published. It needs free disk of the size of the file; until the new one is whole the old one is in place. Not while
    a crawl runs.
    """
    done = compact_census(db)
    if as_json:
        said = {"census": str(db), "before_bytes": done.before_bytes, "after_bytes": done.after_bytes}
        click.echo(json.dumps(said))
    else:
        click.echo(f"{db}: from {done.before_bytes / _MB:.1f} MB to {done.after_bytes / _MB:.1f} MB.")


@click.command(short_help="Write a whole copy of a census file.")
@click.argument("to", type=_COPY, metavar="FILE")
@db_option
def backup(to: Path, db: Path) -> None:
    """Write a whole copy of a census file to FILE, which must not be there yet.

    Not while a crawl runs (a copy made by other means then may be half of something). Contacts of servers are in it, as
    in the census file: keep it as you keep that. What is forgotten later is still in an older backup: forget it in
    there too, with --db FILE, or throw the backup away.

    \b
      matrix-census backup census-2026-11-24.duckdb
    """
    back_up(db, to)
    click.echo(
        f"{to} holds all of {db}, {to.stat().st_size / _MB:.1f} MB. Back with: matrix-census restore {to} --db NEW_FILE"
    )


@click.command(short_help="Write a census file from a backup.")
@click.argument("backup_file", type=_COPY, metavar="FILE")
@db_option
def restore(backup_file: Path, db: Path) -> None:
    """Write a census file from a backup, of this or of an older version of the program.

    The census file must not be there: move it away first, or give another --db. Then publish it.

    \b
      mv data/census.duckdb broken.duckdb
      matrix-census restore census-2026-11-24.duckdb
      matrix-census publish
    """
    restore_census(backup_file, db)
    click.echo(f"{db} is what {backup_file} was. Readers see it after: matrix-census publish --db {db}")
