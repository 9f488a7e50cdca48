"""`export` and `import-snapshot`: a census taken along, and read back."""

import json
from datetime import datetime
from pathlib import Path

import click

from crawler.cli.options import db_option, json_option
from crawler.cli.publication import publish
from crawler.store.export import FORMATS, LICENCE, ExportOptions
from crawler.store.export import export as export_to
from crawler.store.importing import import_snapshot as import_from

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(short_help="Take a census with you, as Parquet or CSV.")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option(
    "--format", "shape", type=click.Choice(FORMATS), default="parquet", show_default=True, help="Of the files."
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only crawls sealed on that day (UTC) or later, and what was so in them.",
)
@click.option("--anonymous", is_flag=True, help="Without names of small servers and without any text of rooms.")
@click.option(
    "--k",
    type=click.IntRange(min=2),
    default=10,
    show_default=True,
    metavar="MEMBERS",
    help="With --anonymous: servers keep their name if their directory ever listed a room of so many members.",
)
@click.option("--licence", default=LICENCE, show_default=True, metavar="SPDX", help="Under which you give it away.")
@db_option
@json_option
def export(
    folder: Path, shape: str, since: datetime | None, k: int, licence: str, db: Path, *, anonymous: bool, as_json: bool
) -> None:
    """Take a census with you: write the newest serving file to DIR as Parquet or CSV files.

    All history, one folder a table, partitioned by crawl or by series; the newest census of each vantage flat in
    newest_server and newest_room; a dictionary of all columns, a licence, and SHA256SUMS. Contacts of servers are never
    in it. It works while a crawl runs.

    --anonymous is for figures that are to be published without pointing to people's own servers. How many people use a
    server is not known; the largest room that its own directory lists stands in for it. What is rare may still be
    recognised by who knows the server well.

    \b
      matrix-census export census-2026-11-24
      matrix-census export census-csv --format csv --since 2026-11-01
    """
    options = ExportOptions(shape, since.date() if since else None, anonymous, k, licence)
    done = export_to(db, folder, options)
    if as_json:
        said = {"folder": str(folder), "snapshot": done.snapshot_id, "bytes": done.bytes, "rows": dict(done.rows)}
        click.echo(json.dumps(said))
    else:
        rows = sum(done.rows.values())
        click.echo(f"{folder}: snapshot {done.snapshot_id}, {len(done.rows)} tables, {rows} rows, {done.bytes} bytes.")


@click.command("import-snapshot", short_help="Read an export back, of another vantage too.")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option("--vantage", metavar="NAME", help="What to call its vantage here; default: as it is called there.")
@db_option
@json_option
@click.pass_context
def import_snapshot(ctx: click.Context, folder: Path, vantage: str | None, db: Path, *, as_json: bool) -> None:
    """Read an export into a census file, beside what it holds, and publish it.

    Every vantage keeps its history. In merged_server a server is online if the newest census of any vantage saw it so;
    who disagrees is told there, and by_vantage has what each saw. Importing the same vantage again replaces what was
    imported of it. What was forgotten here does not come in; an anonymous export does not either.

    \b
      matrix-census import-snapshot from-helsinki --vantage helsinki
      matrix-census sql "SELECT server_name, online_for, offline_for FROM merged_server WHERE disagree"
    """
    done = import_from(db, folder, vantage=vantage)
    published = publish(db, ctx.find_root().obj["on_sealed"])
    if as_json:
        said = {"snapshot": done.snapshot_id, "vantages": done.vantages, "crawls": done.crawls, "servers": done.servers}
        click.echo(json.dumps({**said, "forgotten": done.forgotten, "published": str(published)}))
        return
    click.echo(
        f"Snapshot {done.snapshot_id}: {done.crawls} crawls of {', '.join(done.vantages)}, {done.servers} servers that "
        f"were not known here{f'; {done.forgotten} forgotten ones left out' if done.forgotten else ''}."
    )
