"""`verify`: is a census file what it claims to be."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from crawler.cli.options import db_option, json_option
from crawler.store.verify import verify as verify_census


@click.command(short_help="Check a census file, and what is published of it.")
@db_option
@json_option
def verify(db: Path, *, as_json: bool) -> None:
    """Check a census file, and what is published of it, against the rules that the writer keeps.

    That intervals of one thing do not overlap, that nothing points to what is not there, that sealed crawls add up, and
    that the newest serving file says what its source says. Reads only; takes a while with years of crawls.

    \b
      matrix-census verify && echo sound

    Exit codes: 0 nothing is wrong, 1 something is, 2 the file cannot be read.
    """
    found = verify_census(db)
    if as_json:
        click.echo(json.dumps([asdict(fault) for fault in found]))
    elif found:
        for fault in found:
            click.echo(str(fault))
        click.echo(
            f"{len(found)} rules are broken. Keep the file as it is, go back to a copy, and please report it.", err=True
        )
    else:
        click.echo(f"{db}: nothing is wrong.")
    if found:
        sys.exit(1)
