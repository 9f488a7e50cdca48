"""`import`: what no crawl sees (usage reports of other collectors, developers, the specification)."""

import json
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import click

from crawler.cli.options import db_option, json_option
from crawler.cli.publication import publish
from crawler.errors import UsageError
from crawler.model.crawl import CrawlState
from crawler.resources import shipped
from crawler.sources.developer_counts import activity, counts, grouped, months, overlap
from crawler.sources.developers import read_developers
from crawler.sources.git import Fetcher
from crawler.sources.people import read_bots
from crawler.sources.repositories import read_list
from crawler.sources.spec import read_spec
from crawler.sources.usage_file import read_usage_file
from crawler.store.clock import utc_now
from crawler.store.crawls import crawl_rows
from crawler.store.developers import keep_developers, keep_overlap, other_lists, pseudonyms
from crawler.store.outside import OutsideSource, SourceKind, add_source, has_source, importing
from crawler.store.spec import keep_spec
from crawler.store.usage import keep

_FOLDER = click.Path(path_type=Path, file_okay=False)


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


@import_group.command("developers", short_help="Who writes the code of a list of repositories.")
@click.option(
    "--repos",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="A list in TOML, or a checkout of matrix.org, whose ecosystem pages are one. Default: the list that ships.",
)
@click.option(
    "--clones",
    type=_FOLDER,
    metavar="DIR",
    help="Where clones are kept from one import to the next. Default: clones/ beside the census file.",
)
@click.option("--offline", is_flag=True, help="Clone and fetch nothing: read the clones that are there, as they are.")
@click.option(
    "--bots",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="FILE.csv",
    help="Further names and addresses that are no people's: field (name, address or any), pattern, source. Repeatable.",
)
@db_option
@json_option
@click.pass_context
def developers(
    ctx: click.Context,
    repos: Path | None,
    clones: Path | None,
    bots: tuple[Path, ...],
    db: Path,
    *,
    offline: bool,
    as_json: bool,
) -> None:
    """Count the people who write the code of a list of repositories, for metric 4: day by day over 30, 90 and 365 days,
    month by month, new ones and those who return; and, for metric 5, tell which repositories are alive.

    Histories are cloned over https without their files, and kept. A commit counts once, however many repositories have
    it; merges, programs, and what the origin of a fork has are left out; addresses are merged by .mailmap. No address
    and no name is kept: only salted hashes, in the census file alone. A list imported again takes its own place; with
    two lists the metrics also estimate who is on neither.

    \b
    A list of your own (path names a clone on this machine; fork_of leaves out what the origin has):
      name = "mine"
      version = "2026-11-24"
      [[repository]]
      url = "https://github.com/element-hq/synapse"
      [[repository]]
      path = "../our-fork"
      fork_of = "https://github.com/element-hq/synapse"

    \b
      matrix-census import developers
      matrix-census import developers --repos mine.toml
      git clone https://github.com/matrix-org/matrix.org && matrix-census import developers --repos matrix.org

    Exit codes: 0 done (repositories that could not be read are named, and lower the coverage), 2 bad list, or not one
    repository could be read.
    """
    now = utc_now()
    listed = read_list(repos or shipped("reference", "developers.toml"))
    known_bots = read_bots([shipped("reference", "bots.csv"), *bots])
    read = read_developers(
        listed,
        clones or db.parent / "clones",
        known_bots,
        fetcher=None if offline else Fetcher(),
        now=now,
        say=lambda text: click.echo(text, err=True),
    )
    source = OutsideSource(
        SourceKind.DEVELOPERS, listed.name, listed.version, read.as_of, len(listed.repositories), read.read,
        {"left_out": dict(read.left_out), "unread": read.unread},
    )  # fmt: skip
    ways = {
        "authors": {address: read.people.of(address) for address in read.days},
        "fewest": {address: read.namesakes.of(address) for address in read.days},
        "most": {address: address for address in read.days},
    }
    people = {way: grouped(read.days, family_of) for way, family_of in ways.items()}
    with importing(db, utc_now) as connection:
        hashed = pseudonyms(connection, people["authors"])
        source_id = keep_developers(
            connection,
            source,
            hashed,
            (astuple(count) for count in counts(**people, until=read.as_of)),
            (astuple(month) for month in months(people["authors"], read.commits)),
            activity(read.active),
            now,
        )
        for other_id, as_of, others in other_lists(connection, source_id):
            keep_overlap(connection, source_id, other_id, overlap(hashed, others, max(as_of, read.as_of)))
    said = {"list": listed.name, "version": listed.version, "as_of": read.as_of.isoformat(),
            "repositories": len(listed.repositories), "read": read.read, "unread": read.unread,
            "authors": len(people["authors"]), "left_out": dict(read.left_out)}  # fmt: skip
    sentence = (
        f"{len(people['authors'])} authors in all of {read.read} of {len(listed.repositories)} repositories of "
        f"{listed.name} {listed.version[:12]}, as of {read.as_of:%d %b %Y}; commits left out: "
        f"{', '.join(f'{number} {why}' for why, number in read.left_out.items()) or 'none'}."
    )
    _say(ctx, db, said, sentence, as_json=as_json)


@import_group.command("spec", short_help="The specification and its proposals.")
@click.option("--spec", "spec_folder", type=_FOLDER, required=True, metavar="DIR", help="A checkout of matrix-spec.")
@click.option(
    "--proposals",
    type=_FOLDER,
    required=True,
    metavar="DIR",
    help="A checkout of matrix-spec-proposals, with its history.",
)
@db_option
@json_option
@click.pass_context
def spec(ctx: click.Context, spec_folder: Path, proposals: Path, db: Path, *, as_json: bool) -> None:
    """Import the releases of the specification and the accepted proposals, for metric 9.

    It reads the changelogs of the one checkout and the history of the other, and asks nobody. Without an import the
    metrics use the tables that ship with the program; an import takes the place of the one before.

    \b
      git clone https://github.com/matrix-org/matrix-spec
      git clone https://github.com/matrix-org/matrix-spec-proposals
      matrix-census import spec --spec matrix-spec --proposals matrix-spec-proposals
    """
    now = utc_now()
    history = read_spec(spec_folder, proposals)
    dated = sum(1 for proposal in history.proposals if proposal.accepted_on is not None)
    source = OutsideSource(
        SourceKind.SPEC, "matrix-spec", history.version, history.as_of, len(history.proposals), dated,
        {"releases": len(history.releases), "spec": history.spec.commit, "proposals": history.proposals_head.commit},
    )  # fmt: skip
    with importing(db, utc_now) as connection:
        keep_spec(
            connection,
            source,
            ((each.version, each.released_on, len(each.mscs), each.entries) for each in history.releases),
            (
                (each.msc, each.slug, each.accepted_on, *((at.version, at.released_on) if at else (None, None)))
                for each in history.proposals
                for at in [each.release]
            ),
            now,
        )
    said = {"version": source.version, "as_of": source.as_of.isoformat(), "releases": len(history.releases),
            "proposals": len(history.proposals), "accepted": dated}  # fmt: skip
    newest, as_of = history.releases[-1].version, f"{source.as_of:%d %b %Y}"
    sentence = f"{len(history.releases)} releases up to {newest} and {dated} accepted proposals, as of {as_of}."
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
