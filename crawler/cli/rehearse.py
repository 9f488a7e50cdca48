"""`rehearse`: days of the practice federation, without sockets."""

import json
from pathlib import Path

import click

from crawler.cli.options import json_option
from crawler.cli.publication import publish
from crawler.config import Settings
from crawler.engine.rehearse import Rehearsal
from crawler.engine.rehearse import rehearse as rehearse_days
from crawler.lab.profile import PROFILES, REALISTIC
from crawler.store.clock import utc_now
from crawler.store.journal import JOURNAL_DAYS
from crawler.store.writer import CensusWriter
from crawler.version import VERSION


@click.command(short_help="Days of the practice federation, without sockets.")
@click.option("--days", type=click.IntRange(min=1), default=120, show_default=True, metavar="D", help="How many.")
@click.option("--servers", type=click.IntRange(min=10), default=300, show_default=True, metavar="N")
@click.option(
    "--rooms",
    type=click.IntRange(min=1),
    metavar="M",
    help="At most about M listed rooms on the first day: large directories are cut. Default: as many as there are.",
)
@click.option("--profile", type=click.Choice(list(PROFILES)), default=REALISTIC.name, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same federation.")
@click.option(
    "--journal-days",
    type=click.IntRange(min=0),
    default=JOURNAL_DAYS,
    show_default=True,
    metavar="D",
    help="Keep the journal (attempts, leads, spaces, lists of third-party networks) of the last D days: numbers that "
    "rest on it are made for these.",
)
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("rehearsal/census.duckdb"),
    show_default=True,
    help="A census file of its own, so that synthetic crawls never mix with real ones.",
)
@click.option("--publish/--no-publish", "publishes", default=False, help="Publish it at the end.")
@json_option
@click.pass_context
def rehearse(
    ctx: click.Context,
    days: int,
    servers: int,
    rooms: int | None,
    profile: str,
    seed: int,
    journal_days: int,
    db: Path,
    *,
    publishes: bool,
    as_json: bool,
) -> None:
    """Write D days of the practice federation into a census file, as perfect crawls would have seen them.

    Servers are born, die and return, are upgraded; rooms grow, shrink and are renamed. Nothing is asked of any network;
    all the rest of a crawl is real: batches, seals, intervals. The last day is yesterday. All of it is synthetic and
    says nothing about the real federation.

    \b
      matrix-census rehearse --days 365 --servers 1000 --publish
      matrix-census sql "FROM online_by_software ORDER BY crawl_id" --db rehearsal/census.duckdb
    """
    plan = Rehearsal(days, servers, utc_now(), rooms, seed, PROFILES[profile], journal_days)
    done = 0
    with CensusWriter.open(db) as writer:
        for crawl in rehearse_days(writer, plan, Settings(), VERSION):
            done += 1
            if done % max(1, days // 10) == 0 or done == days:
                found = f"{crawl.servers} servers, {crawl.online} online, {crawl.rooms} rooms"
                click.echo(f"Rehearsed day {done} of {days}: {found}.", err=True)
    published = publish(db, ctx.find_root().obj["on_sealed"]) if publishes else None
    if as_json:
        click.echo(json.dumps({"census": str(db), "days": done, "published": str(published) if published else None}))
        return
    look = "serve" if published else "publish"
    click.echo(f"{db} has {done} more days. Go on with: matrix-census {look} --db {db}")
