"""`watch`: crawls on a schedule, for years."""

import json
import random
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import trio

from crawler.cli.crawl import crawl
from crawler.cli.durations import Duration
from crawler.cli.options import db_option
from crawler.engine.cadence import Cadence, Kind
from crawler.engine.health import health_handler
from crawler.engine.watch import Log, Watch
from crawler.errors import CensusError, UsageError
from crawler.listen.http import listening_port, open_listeners, serve
from crawler.model.crawl import CrawlScope, CrawlState
from crawler.settings import parse_address_port
from crawler.store.crawls import crawl_rows

OURS = {
    "db": "--db",
    "resume": "--resume",
    "max_servers": "--max-servers",
    "as_json": "--json",
    "progress": "--progress",
}
"""Options of `crawl` that a watch sets itself."""

RESUMED_TAKES = ("identity_file", "serve_key", "tls_cert", "tls_key", "opt_out", "workers")
"""Options of `crawl` that a resumed one is given again."""


@click.command(
    short_help="Crawl on a schedule, and publish after each crawl.",
    context_settings={"ignore_unknown_options": True},
)
@click.option(
    "--every",
    type=Duration(),
    default="24h",
    show_default=True,
    metavar="DURATION",
    help="Take a census this often, from start to start: 24h, 90m, 7d.",
)
@click.option(
    "--jitter",
    type=Duration(zero=True),
    default="30m",
    show_default=True,
    metavar="DURATION",
    help="Begin up to so much later, by lot.",
)
@click.option(
    "--limited-every",
    type=Duration(),
    metavar="DURATION",
    help="Between the censuses, also make a limited crawl this often; it is never shown as a census.",
)
@click.option(
    "--limited-servers",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    metavar="N",
    help="How many servers a limited crawl visits.",
)
@click.option(
    "--health",
    metavar="HOST:PORT",
    help="Serve /healthz and, for Prometheus, /metrics there, without TLS. Port 0: any free one, told in the log.",
)
@db_option
@click.argument("crawl_options", nargs=-1, type=click.UNPROCESSED, metavar="[CRAWL OPTIONS]...")
def watch(
    every: timedelta,
    jitter: timedelta,
    limited_every: timedelta | None,
    limited_servers: int,
    health: str | None,
    db: Path,
    crawl_options: tuple[str, ...],
) -> None:
    """Crawl on a schedule, one crawl at a time, and publish after each.

    All further options and SEEDs are those of `crawl`, and go to each crawl:

    \b
      matrix-census watch --every 24h --jitter 30m --health 127.0.0.1:9321 \\
          --contact me@example.org --identity identity.json \\
          --serve-key 0.0.0.0:8448 --tls-cert fullchain.pem --tls-key privkey.pem

    Each crawl runs in a process of its own; one that fails is told of in the log, and the next one begins on time. A
    start at which no crawl is due waits for the next; a crawl that was interrupted lately is gone on with. Slots that
    pass while a crawl runs are let go.

    The log is on standard error: plain lines on a terminal, one JSON object a line elsewhere. Ctrl-C or SIGTERM seals
    the running crawl and ends the watch with exit code 0. Under systemd or in a container: see docs/running.md.
    """
    kinds: tuple[Kind, ...] = (Kind(CrawlScope.FULL, every),)
    if limited_every is not None:
        kinds += (Kind(CrawlScope.LIMITED, limited_every, limited_servers),)
    again = checked(crawl_options)
    place = _place(health) if health is not None else None
    log = log_plainly if sys.stderr.isatty() else log_json
    now = datetime.now(UTC)
    cadence = Cadence(kinds, jitter, _last_begun(db), now, random.SystemRandom())
    watching = Watch(db, crawl_options, again, cadence, log, lambda: datetime.now(UTC))
    trio.run(_watch, watching, place, log)


def checked(crawl_options: Sequence[str]) -> list[str]:
    """Parse the options as `crawl` would, so that a misspelt one is told of now and not in the middle of the night.

    Returns:
        Those that a resumed crawl takes.
    """
    with crawl.make_context("crawl", list(crawl_options)) as context:
        given = {
            name: value
            for name, value in context.params.items()
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        }
        hosting_data = (context.obj or {}).get("geo_db", ())
    for name, option in OURS.items():
        if name in given:
            raise UsageError(f"{option} is set by the watch itself for each crawl; leave it out")
    options = {param.name: param.opts[0] for param in crawl.params}
    again: list[str] = []
    for name in RESUMED_TAKES:
        value = given.get(name)
        for each in value if isinstance(value, tuple) else () if value is None else (value,):
            again += [options[name], str(each)]
    for file in hosting_data:
        again += ["--geo-db", str(file)]
    return again


def _place(health: str) -> tuple[str, int]:
    if health.endswith(":0"):
        host, _ = parse_address_port(f"{health}1", "--health")
        return host, 0
    host, port = parse_address_port(health, "--health")
    return host, int(port or 0)


def _last_begun(db: Path) -> dict[CrawlScope, datetime]:
    """When the newest completed crawl of each scope began."""
    try:
        crawls = crawl_rows(db)
    except CensusError as error:
        raise UsageError(f"cannot read {db}: {error}") from error
    return {each.scope: each.started_at for each in reversed(crawls) if each.state is CrawlState.COMPLETED}


async def _watch(watching: Watch, place: tuple[str, int] | None, log: Log) -> None:
    async with trio.open_nursery() as nursery:
        if place is not None:
            try:
                listeners = await open_listeners(*place)
            except OSError as error:
                raise UsageError(f"--health {place[0]}:{place[1]}: {error.strerror or error}") from error
            log("health_served", host=place[0], port=listening_port(listeners[0]))
            nursery.start_soon(lambda: serve(health_handler(watching.watched), listeners))
        nursery.start_soon(_stop_on_signal, watching, log)
        await watching.run()
        nursery.cancel_scope.cancel()
    log("ended")


async def _stop_on_signal(watching: Watch, log: Log) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            log("stopping", signal=signal.Signals(number).name)
            watching.stop()


def log_json(event: str, *, level: str = "info", **said: Any) -> None:
    """One JSON object a line."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **said}
    print(json.dumps(line), file=sys.stderr, flush=True)


def log_plainly(event: str, *, level: str = "info", **said: Any) -> None:
    """The same for a person."""
    words = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in said.items() if value not in (None, {}, "")
    )
    mark = "" if level == "info" else f" {level.upper()}"
    click.echo(
        f"{datetime.now(UTC):%d %b %H:%M:%S}{mark} {event.replace('_', ' ')}{': ' if words else ''}{words}", err=True
    )
