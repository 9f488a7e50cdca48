"""`import`: what no crawl sees (usage reports of other collectors, developers, the specification)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from crawler.cli.options import db_option, json_option
from crawler.cli.publication import publish
from crawler.errors import UsageError
from crawler.model.crawl import CrawlState
from crawler.sources.usage_file import read_usage_file
from crawler.store.clock import utc_now
from crawler.store.crawls import crawl_rows
from crawler.store.outside import OutsideSource, SourceKind, add_source, has_source, importing
from crawler.store.usage import keep


@click.group("import")
def import_group() -> None:
    """Import what no crawl sees. It is recorded with its version and date, and stands in the metrics.

    \b
    What servers report of their users:          matrix-census import usage reports.jsonl
    Who writes code (metric 4):                  matrix-census import developers --repos LIST.toml
    The specification and its proposals (9):     matrix-census import spec --spec DIR --proposals DIR
    """


@import_group.command("usage", short_help="Usage reports that somebody else received.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option(
    "--verified",
    is_flag=True,
    help="You know that each report is of the server that it names. Without it they are kept apart, never summed.",
)
@db_option
@json_option
@click.pass_context
def usage(ctx: click.Context, file: Path, db: Path, *, verified: bool, as_json: bool) -> None:
    """Import usage reports from FILE: JSON objects, one a line or in a list, or CSV with a line of names.

    The fields are those that Synapse sends and panopticon keeps: homeserver, total_users, total_nonbridged_users,
    monthly_active_users, r30v2_users_all, ... and the time of receipt, local_timestamp (else timestamp), in seconds
    since 1970 or ISO 8601. Reports count with the censuses from a week before them to a week after; those older than 90
    days are let go once their sums are taken.

    Servers may also report to you directly: see matrix-census serve --help.

    \b
      psql panopticon -c "COPY (SELECT * FROM reports) TO STDOUT CSV HEADER" > reports.csv
      matrix-census import usage reports.csv --verified
    """
    now = utc_now()
    read = read_usage_file(file, verified=verified, now=now)
    newest = max(report.received_at for report in read.reports)
    source = OutsideSource(
        SourceKind.USAGE, file.name, read.sha256, newest.date(), read.records, len(read.reports),
        {"verified": verified, "wrong": list(read.wrong)},
    )  # fmt: skip
    with importing(db, utc_now) as connection:
        if has_source(connection, source):
            raise UsageError(f"{file} was imported before; nothing was done")
        kept = keep(connection, read.reports)
        add_source(connection, source, now)
    said = {"records": read.records, "reports": len(read.reports), "kept": kept, "verified": verified}
    sentence = f"{kept} of {read.records} reports taken{'' if verified else ', not verified: they are not summed'}."
    for line in read.wrong:
        click.echo(line, err=True)
    _say(ctx, db, said, sentence, as_json=as_json)


def _say(ctx: click.Context, db: Path, said: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Publish, if there is what to publish, and say what was imported."""
    published = None
    if any(crawl.state is CrawlState.COMPLETED for crawl in crawl_rows(db)):
        published = publish(db, ctx.find_root().obj["on_sealed"])
    if as_json:
        click.echo(json.dumps({**said, "published": str(published) if published else None}))
        return
    click.echo(sentence)
    if published is None:
        click.echo("The metrics show it from the first census on.")
