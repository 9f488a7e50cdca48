"""`crawl`: take a census, or part of one."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import trio

from crawler.cli.options import (
    db_option,
    geo_db_option,
    identity_from,
    identity_option,
    json_option,
    network_options,
    opt_out_option,
    server_name_argument,
    settings_from,
    settings_options,
)
from crawler.cli.panel import Shown, show_progress
from crawler.cli.resume import NEWEST, number_to_resume, resumed_plan
from crawler.config import Settings
from crawler.engine.canary import Canary
from crawler.engine.crew import Crew
from crawler.engine.identity import KeyService, key_service, serve_key_document
from crawler.engine.leases import Start
from crawler.engine.optouts import OptOuts, opt_out_lists, read_opt_outs
from crawler.engine.report import build_report, summary_lines
from crawler.engine.run import CrawlRun, Plan
from crawler.engine.seeds import LIST_LIMIT_BYTES, Seed, parse_seeds, read_seeds, shipped_seeds
from crawler.engine.synthetic import trusts_only_the_lab
from crawler.engine.visit import worker
from crawler.errors import CensusError, UsageError
from crawler.file_limit import raise_file_limit
from crawler.model.crawl import Crawl, CrawlScope, CrawlState, LeadSource
from crawler.model.names import ServerName, try_server_name
from crawler.model.observation import Attempt, Failed, Ok
from crawler.net.fetch import Answer
from crawler.net.traffic import Traffic
from crawler.net.transport import Network
from crawler.protocol.memory import Memory
from crawler.protocol.signing import Identity
from crawler.store.clock import utc_now
from crawler.store.crawls import crawl_rows, unpublished
from crawler.store.draft import Draft
from crawler.store.drain import drain
from crawler.store.publish import stage
from crawler.store.serving import drop_older, unpublish
from crawler.store.writer import CensusWriter
from crawler.version import VERSION

CANARIES = 8
"""Shipped seeds that a live crawl knocks at, unless it is told others."""

OnSealed = Callable[[Draft], None]
"""A step that adds tables to the draft of a serving file before it is swapped in; handed down by the roof."""


@click.command(short_help="Take a census: find servers, check each, read directories, keep a snapshot.")
@click.argument("seeds", nargs=-1, metavar="[SEED]...")
@click.option(
    "--seeds",
    "seeds_files",
    multiple=True,
    metavar="FILE|URL",
    help="Start from the names in this file or at this https URL: one a line, # for comments; or JSON, a list of "
    "Matrix Rooms Search (/catalog/servers) or an answer of the-federation.info. Repeatable.",
)
@opt_out_option
@click.option(
    "--max-servers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Visit at most N servers. The crawl is then limited and never shown as a census.",
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value=NEWEST,
    metavar="[ID]",
    help="Go on with a crawl that was killed or cancelled: the newest such, or the one of this number. Settings, scope "
    "and seeds are those it began with; --identity and --serve-key are to be given again.",
)
@click.option(
    "--contact",
    default="",
    metavar="ADDRESS",
    help="How server admins reach you: e-mail, Matrix ID or URL. Part of the user agent; a live crawl wants one.",
)
@identity_option
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Share the work among N processes, to use N cores. No server is asked faster for it.",
)
@click.option("--serve-key", metavar="HOST:PORT", help="Serve our key document there while crawling.")
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="Certificate chain for --serve-key.")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Private key for --serve-key.")
@db_option
@geo_db_option
@settings_options
@network_options
@json_option
@click.option(
    "--progress",
    type=click.Choice([shown.value for shown in Shown]),
    default=Shown.AUTO.value,
    show_default=True,
    help="How to show progress, on standard error. auto: a live panel on a terminal, elsewhere one JSON line every few "
    "seconds.",
)
@click.pass_context
def crawl(ctx: click.Context, /, **options: Any) -> None:
    """Take a census of the federation: from SEEDs to every server that can be found.

    With no SEED and no --seeds, the list that comes with the program is used; servers known from earlier crawls of the
    same file are always looked at again. Each server is resolved as the specification says, checked as a federating
    server would check it, and its public room directory is read; every server named on the way is crawled in turn.

    \b
    A census of the live network:
      matrix-census crawl --contact me@example.org
    The same, signed (most directories answer signed requests only):
      matrix-census identity new census.example.org --out identity.json
      matrix-census crawl --contact me@example.org --identity identity.json \\
          --serve-key 0.0.0.0:8448 --tls-cert fullchain.pem --tls-key privkey.pem

    Ctrl-C ends the crawl early: what was seen is kept and the crawl is sealed as cancelled. Whatever interrupted it,
    go on where it was:
      matrix-census crawl --resume

    Exit codes: 0 completed, 1 failed, 2 bad input, 130 cancelled.
    """
    identity = identity_from(options["identity_file"])
    service = _key_service(identity, options)
    opt_outs = read_opt_outs(opt_out_lists(options["db"], options["opt_out"]))
    resumes = options["resume"] is not None
    crawl_id = number_to_resume(options["resume"]) if resumes else None
    if resumes and not options["db"].is_file():
        raise UsageError(f"there is no census file {options['db']}, so there is no crawl to resume in it")
    on_sealed: Sequence[OnSealed] = ctx.find_root().obj["on_sealed"]
    left = unpublished(options["db"]) if resumes else None
    if left is not None and crawl_id in (None, left.id):
        _say_document(left, publish(options["db"], on_sealed), as_json=options["as_json"])
        return
    new = None if resumes else _new_plan(options, identity, opt_outs)
    raise_file_limit()
    take_in(options["db"], on_sealed)
    with CensusWriter.open(options["db"]) as writer:
        settings, plan = new or resumed_plan(options, writer.interrupted(crawl_id), identity, opt_outs)
        _say_what_it_is(plan, writer)
        memory = Memory()
        network = Network(settings, version=VERSION, memory=memory)
        canary = Canary(network, settings.liveness, _canaries(settings))
        memory.learn(writer.remembered_answers(settings.to_json(), utc_now()))
        crew: Crew | None = None
        if options["workers"] > 1:
            start = Start(settings, identity, VERSION, tuple(_canaries(settings)))
            crew = Crew(options["workers"], start, network.traffic, canary, memory)
        work = worker(network, identity, canary) if crew is None else crew.work
        run = CrawlRun(plan, settings, writer, work, utc_now, canary, memory)
        contact, shown = settings.politeness.contact, Shown(options["progress"])
        sealed = trio.run(_crawl, run, network, canary, crew, identity, service, contact, shown)
    take_in(options["db"], on_sealed)
    published = publish(options["db"], on_sealed) if sealed.state is CrawlState.COMPLETED else None
    _say(sealed, run, network.traffic, published, as_json=options["as_json"])
    if sealed.state is CrawlState.CANCELLED:
        sys.exit(130)


def _new_plan(options: dict[str, Any], identity: Identity | None, opt_outs: OptOuts) -> tuple[Settings, Plan]:
    settings = settings_from(options, options["contact"])
    if settings.network.is_live and not settings.politeness.contact:
        raise UsageError(
            "a crawl of the live network wants --contact ADDRESS, so that server admins can reach you "
            "(for a private federation give --allow-address instead)"
        )
    seeds = [(server_name_argument(seed), LeadSource.SEED) for seed in options["seeds"]]
    for where in options["seeds_files"]:
        seeds += _seeds_from(where, settings)
    named_by_hand = bool(seeds)
    seeds = seeds or [(name, LeadSource.SEED) for name in shipped_seeds()]
    plan = Plan(
        seeds=tuple(seeds),
        insists=named_by_hand,
        opt_outs=opt_outs,
        scope=CrawlScope.FULL if options["max_servers"] is None else CrawlScope.LIMITED,
        max_servers=options["max_servers"],
        synthetic=trusts_only_the_lab(settings.network.ca),
        identity=identity.server_name.raw if identity else None,
        crawler_version=VERSION,
    )
    return settings, plan


def _say_what_it_is(plan: Plan, writer: CensusWriter) -> None:
    if plan.identity is None:
        click.echo(
            "No --identity: requests are unsigned, and most servers show their room directory to signed ones only. "
            "See: matrix-census identity new --help",
            err=True,
        )
    if plan.resumes is not None:
        click.echo(f"Going on with crawl {plan.resumes}.", err=True)
        return
    left = writer.killed()
    if left is not None:
        click.echo(
            f"Crawl {left} was killed and is called failed from now on. Next time, go on with it instead: "
            "matrix-census crawl --resume",
            err=True,
        )


def _seeds_from(where: str, settings: Settings) -> list[Seed]:
    if not where.startswith("https://"):
        return read_seeds(Path(where))
    attempt = trio.run(_download, where, settings)
    if isinstance(attempt, Ok) and attempt.value.status == 200:
        return parse_seeds(attempt.value.body, where)
    why = f"status {attempt.value.status}" if isinstance(attempt, Ok) else "no answer"
    if isinstance(attempt, Failed):
        why = f"{attempt.failure.kind} {attempt.failure.detail}"
    raise UsageError(f"cannot get the seeds at {where}: {why}")


async def _download(url: str, settings: Settings) -> Attempt[Answer]:
    place = try_server_name(urlsplit(url).netloc)
    if place is None:
        raise UsageError(f"{url!r} is no https URL of a plain host")
    async with Network(settings, version=VERSION) as network, network.visit(place) as session:
        return await session.get(url, body_limit_bytes=LIST_LIMIT_BYTES)


def _canaries(settings: Settings) -> list[ServerName]:
    """Whom to knock at before anybody was found online."""
    named = [server_name_argument(name) for name in settings.liveness.canaries]
    return named or (shipped_seeds()[:CANARIES] if settings.network.is_live else [])


def _key_service(identity: Identity | None, options: dict[str, Any]) -> KeyService | None:
    given = options["serve_key"], options["tls_cert"], options["tls_key"]
    if not any(given):
        return None
    if not all(given):
        raise UsageError("--serve-key, --tls-cert and --tls-key go together")
    if identity is None:
        raise UsageError("--serve-key wants an --identity whose key it is to serve")
    return key_service(*given)


async def _crawl(
    run: CrawlRun,
    network: Network,
    canary: Canary,
    crew: Crew | None,
    identity: Identity | None,
    service: KeyService | None,
    contact: str,
    shown: Shown,
) -> Crawl:
    async with trio.open_nursery() as nursery:
        if service is not None and identity is not None:
            serving = identity
            await nursery.start(_serve, serving, service, contact)
        nursery.start_soon(_stop_on_signal, run)
        nursery.start_soon(show_progress, run, network.traffic, shown)
        if crew is not None:
            await nursery.start(crew.run)
        async with network:
            sealed = await run.run(lambda progress: build_report(progress, network.traffic, canary.lag_p99_ms()))
        nursery.cancel_scope.cancel()
    return sealed


async def _serve(
    identity: Identity,
    service: KeyService,
    contact: str,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    await serve_key_document(identity, service, contact=contact, task_status=task_status)


async def _stop_on_signal(run: CrawlRun) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            click.echo("Stopping: keeping what was seen. Once more to give up at once.", err=True)
            run.stop()
            break
        async for _ in signals:
            os._exit(130)


def take_in(db: Path, on_sealed: Sequence[OnSealed]) -> None:
    """Take in what waits in the inbox; what was forgotten by it leaves the serving files at once."""
    if drain(db).forgotten:
        publish_alone(db, on_sealed)


def publish_alone(db: Path, on_sealed: Sequence[OnSealed]) -> tuple[Path | None, int]:
    """Publish anew, and remove every older serving file: they hold what was forgotten.

    Returns:
        The new one, None when there is no completed crawl; and how many were removed.
    """
    completed = any(crawl.state is CrawlState.COMPLETED for crawl in crawl_rows(db))
    try:
        published = publish(db, on_sealed) if completed else None
    except BaseException:
        # Whatever hinders a new serving file must not leave the old ones up.
        unpublish(db)
        raise
    return published, drop_older(db) if published else unpublish(db)


def publish(db: Path, on_sealed: Sequence[OnSealed]) -> Path:
    """Publish the newest sealed crawls, with what the steps add."""
    draft = stage(db)
    try:
        for step in on_sealed:
            step(draft)
        return draft.commit()
    except BaseException:
        draft.discard()
        raise


def _say(sealed: Crawl, run: CrawlRun, traffic: Traffic, published: Path | None, *, as_json: bool) -> None:
    if as_json:
        _say_document(sealed, published, as_json=True)
        return
    for line in summary_lines(sealed, run.progress, traffic):
        click.echo(line)
    if published is not None:
        click.echo("Look at it with: matrix-census serve")
    if sealed.state is CrawlState.FAILED:
        raise CensusError("the crawl failed; what it saw is kept, but it is no census")


def _say_document(sealed: Crawl, published: Path | None, *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"Crawl {sealed.id} was completed and only had to be published: {published}")
        return
    click.echo(
        json.dumps(
            {
                "crawl": sealed.id,
                "state": sealed.state,
                "scope": sealed.scope,
                "synthetic": sealed.synthetic,
                "servers": sealed.servers,
                "online": sealed.online,
                "rooms": sealed.rooms,
                "published": str(published) if published else None,
            }
        )
    )
