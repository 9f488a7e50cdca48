"""`demo`: the whole line in one command, on the practice federation.

Composes what no room below may know of another: the lab in its own process, a crawl of it, the metric rows, the
dashboard.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from crawler.resources import shipped
from crawler.store.journal import JOURNAL_DAYS
from dashboard.serving import serve_app

PRACTICE_HOSTING = ("reference", "practice-hosting.mmdb")
"""Networks and countries made up for the addresses of the practice federation."""

_FEDERATION = ("--profile", "showcase", "--seed", "1")
"""The one whose past is rehearsed and whose last day is crawled."""

LAB_STOP_S = 10
"""How long the lab may take to clean up after itself."""


@click.command(short_help="See it work: crawl a practice federation on this machine and serve the dashboard.")
@click.option("--servers", type=click.IntRange(min=10), default=300, show_default=True, metavar="N")
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=120,
    show_default=True,
    metavar="D",
    help="So many days of history before today, rehearsed without sockets; 0: none.",
)
@click.option("--no-serve", is_flag=True, help="End after printing what was found.")
@click.option("--port", type=click.IntRange(1, 65535), default=8050, show_default=True)
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("demo/census.duckdb"),
    show_default=True,
    help="A census file of its own, so that synthetic crawls never mix with real ones.",
)
@click.pass_context
def demo(ctx: click.Context, servers: int, days: int, *, no_serve: bool, port: int, db: Path) -> None:
    """Take a census of the practice federation, publish it, print what was found and serve the dashboard.

    The practice federation is N virtual homeservers, healthy and broken in every way, on real DNS, TLS and HTTP on
    this machine's loopback. Its past is rehearsed: what perfect crawls would have seen, written as crawls write it; the
    last day is crawled for real. A second demo goes on with the file of the first. Its figures are synthetic and say
    nothing about the real federation; they are labelled so wherever they are shown. Nothing leaves this machine.
    """
    del ctx
    db.parent.mkdir(parents=True, exist_ok=True)
    if days and not db.exists():
        history = ("--days", str(days), "--servers", str(servers), "--journal-days", str(days + 1))
        rehearsed = _run_verb("rehearse", *history, *_FEDERATION, "--db", str(db))
        if rehearsed != 0:
            sys.exit(rehearsed)
    with _lab(servers, days) as found:
        click.echo(f"The practice federation is up: {servers} servers. Taking its census.", err=True)
        crawled = _run_verb(
            "crawl",
            *_crawl_options(found),
            "--db",
            str(db),
            "--geo-db",
            str(shipped(*PRACTICE_HOSTING)),
            "--set",
            "limits.address_rate_per_s=200",
            "--set",
            f"history.journal_days={max(days + 1, JOURNAL_DAYS)}",
        )
    if crawled != 0:
        sys.exit(crawled)
    _run_verb("metrics", "--db", str(db))
    if not no_serve:
        serve_app(db, "127.0.0.1", port)


@contextmanager
def _lab(servers: int, day: int) -> Iterator[dict[str, object]]:
    command = [sys.executable, "-m", "matrix_census", "lab", "--servers", str(servers), "--day", str(day), *_FEDERATION]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own verb
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = process.stdout.readline()
        if not line:
            raise click.ClickException("the practice federation did not start; see above")
        yield json.loads(line)
    finally:
        process.terminate()
        try:
            process.wait(LAB_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _crawl_options(found: dict[str, object]) -> list[str]:
    options: list[str] = []
    for key, value in found.items():
        for each in value if isinstance(value, list) else [value]:
            options += [f"--{key.replace('_', '-')}", str(each)]
    return options


def _run_verb(*arguments: str) -> int:
    command = [sys.executable, "-m", "matrix_census", *arguments]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own verb
