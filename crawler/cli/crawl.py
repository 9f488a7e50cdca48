"""`crawl`: take a census, or part of one."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    settings_options,
)
from crawler.cli.panel import Shown, show_progress
from crawler.cli.plan import canaries_of, new_plan
from crawler.cli.publication import OnSealed, compact_in_turn, publish, take_in
from crawler.cli.resume import NEWEST, number_to_resume, resumed_plan
from crawler.engine.canary import Canary
from crawler.engine.collector import rare_collections
from crawler.engine.crew import Crew
from crawler.engine.identity import KeyService, key_service, serve_key_document
from crawler.engine.leases import Start
from crawler.engine.optouts import opt_out_lists, read_opt_outs
from crawler.engine.plan import Plan
from crawler.engine.report import build_report, summary_lines
from crawler.engine.run import CrawlRun
from crawler.engine.worker import worker
from crawler.errors import CensusError, UsageError
from crawler.file_limit import raise_file_limit
from crawler.model.crawl import Crawl, CrawlState
from crawler.net.traffic import Traffic
from crawler.net.transport import Network
from crawler.protocol.memory import Memory
from crawler.protocol.signing import Identity
from crawler.store.clock import utc_now
from crawler.store.connection import without_pandas
from crawler.store.crawls import unpublished
from crawler.store.writer import CensusWriter
from crawler.version import VERSION


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
    "--no-publish",
    is_flag=True,
    help="Keep what is seen, and publish nothing of it: no numbers are computed, and readers go on with the serving "
    "file that there is. `matrix-census publish` does it later.",
)
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
    publishes = not options["no_publish"]
    left = unpublished(options["db"]) if resumes and publishes else None
    if left is not None and crawl_id in (None, left.id):
        _say_document(left, publish(options["db"], on_sealed), as_json=options["as_json"])
        return
    new = None if resumes else new_plan(options, identity, opt_outs)
    raise_file_limit()
    if not options["db"].exists():
        with without_pandas():
            CensusWriter.open(options["db"]).close()  # what was left for the first crawl needs a file to go to
    take_in(options["db"], on_sealed)
    with without_pandas(), CensusWriter.open(options["db"]) as writer:
        settings, plan = new or resumed_plan(options, writer.interrupted(crawl_id), identity, opt_outs)
        _say_what_it_is(plan, writer)
        memory = Memory()
        network = Network(settings, version=VERSION, memory=memory)
        canary = Canary(network, settings.liveness, canaries_of(settings))
        memory.learn(writer.remembered_answers(settings.to_json(), utc_now()))
        crew: Crew | None = None
        if options["workers"] > 1:
            start = Start(settings, identity, VERSION, tuple(canaries_of(settings)))
            crew = Crew(options["workers"], start, network.traffic, canary, memory)
        work = worker(network, identity, canary) if crew is None else crew.work
        run = CrawlRun(plan, settings, writer, work, utc_now, canary, memory)
        contact, shown = settings.politeness.contact, Shown(options["progress"])
        with rare_collections():
            sealed = trio.run(_crawl, run, network, canary, crew, identity, service, contact, shown)
    take_in(options["db"], on_sealed)
    published = publish(options["db"], on_sealed) if publishes and sealed.state is CrawlState.COMPLETED else None
    if published is not None:
        compact_in_turn(options["db"])
    _say(sealed, run, network.traffic, published, as_json=options["as_json"])
    if sealed.state is CrawlState.CANCELLED:
        sys.exit(130)


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


def _say(sealed: Crawl, run: CrawlRun, traffic: Traffic, published: Path | None, *, as_json: bool) -> None:
    if as_json:
        _say_document(sealed, published, as_json=True)
        return
    for line in summary_lines(sealed, run.progress, traffic):
        click.echo(line)
    if published is not None:
        click.echo("Look at it with: matrix-census serve")
    elif sealed.state is CrawlState.COMPLETED:
        click.echo("Not published. Do it with: matrix-census publish")
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
