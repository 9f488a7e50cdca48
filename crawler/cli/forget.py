"""`forget` and `unforget`: the right to vanish."""

import json
from pathlib import Path

import click

from crawler.cli.options import db_option, json_option
from crawler.cli.publication import publish_alone
from crawler.errors import StoreError
from crawler.store.forget import forget as forget_in
from crawler.store.forget import subject_of
from crawler.store.forget import unforget as unforget_in


@click.command(short_help="Remove a server or room, history included, and keep it out.")
@click.argument("subjects", nargs=-1, required=True, metavar="SERVER|ROOM...")
@db_option
@json_option
@click.pass_context
def forget(ctx: click.Context, subjects: tuple[str, ...], db: Path, *, as_json: bool) -> None:
    """Remove servers or rooms from a census file, history included, and keep them out of it.

    SERVER is a server name (without a port: at every port), ROOM a room ID or an alias. Their rows go from every
    table, and with a server the rooms that bear its name or that only it listed; where the rows of others mention it,
    its name gives way to "forgotten.invalid". The file is written anew, so that the bytes are gone too; it is published
    again and the older serving files are removed. Kept is a salted hash, by which no later crawl visits or stores it
    and no import brings it back.

    What cannot be recalled: exports, backups and serving files that somebody has copied, a serving file that somebody
    has open until it is closed, published figures, and what others write about it in topics from now on.

    \b
      matrix-census forget example.org
      matrix-census forget '!abc:example.org' '#lobby:example.org'
    """
    done = forget_in(db, [subject_of(subject) for subject in subjects])
    published, dropped = publish_alone(db, ctx.find_root().obj["on_sealed"])
    if as_json:
        said = {"servers": done.servers, "rooms": done.rooms, "rows": done.rows, "serving_files_removed": dropped}
        click.echo(json.dumps({**said, "published": str(published) if published else None}))
        return
    if not done.rows:
        click.echo(
            f"{db} held nothing of {', '.join(subjects)}. Kept out of it from now on; if that was a slip: "
            f"matrix-census unforget NAME --db {db}"
        )
        return
    click.echo(
        f"Forgotten: {done.servers} servers and {done.rooms} rooms, {done.rows} rows; {dropped} serving files removed. "
        "Copies that others have made cannot be recalled."
    )


@click.command(short_help="Let a forgotten server or room be crawled again.")
@click.argument("subject", metavar="SERVER|ROOM")
@db_option
def unforget(subject: str, db: Path) -> None:
    """Let a server or room that was forgotten be crawled and stored again. What was removed stays removed."""
    if not unforget_in(db, subject_of(subject)):
        raise StoreError(f"{subject} is not forgotten in {db}")
    click.echo(f"{subject} may be crawled again. What was removed stays removed.")
