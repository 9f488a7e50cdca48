"""`bench crawl`: speed and rightness of a crawl; `bench store`: size and speed of history. Ratios within one run."""

import json
import tempfile
from pathlib import Path

import click

from crawler.cli.options import made_history_options
from crawler.engine.bench import CALM, bench_crawl
from crawler.lab.profile import PROFILES
from crawler.store.bench import bench_store


@click.command(short_help="Measure a crawl of a practice federation.")
@click.option("--servers", type=click.IntRange(min=10), default=2000, show_default=True, metavar="N", help="How many.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default=CALM,
    show_default=True,
    help="Of the federation. calm: what a visit costs; six requests, all names told, no pace, one CPU. The others: a "
    "whole crawl from the seeds, as politely as by default, on all CPUs.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same federation.")
@click.option("--lab", "lab_options", multiple=True, metavar="OPTION", help="A further option of `lab`; repeatable.")
@click.option(
    "--crawl", "crawl_options", multiple=True, metavar="OPTION", help="A further option of `crawl`; repeatable."
)
def crawl(servers: int, profile: str, seed: int, lab_options: tuple[str, ...], crawl_options: tuple[str, ...]) -> None:
    """Crawl a practice federation in a process of its own, and print one JSON object.

    CPU time is of all the crawler's processes, from their start to a serving file, storing included;
    floor_ms_per_server is that of as many plain TLS handshakes with the same certificates, in the same run. Only the
    ratio compares between machines. The numbers of a census are computed after its crawl: publish_cpu_s is what
    `publish` takes for the serving file with all of them.
    """
    with tempfile.TemporaryDirectory(prefix="matrix-census-bench-") as folder:
        lab = ["--servers", str(servers), "--seed", str(seed), *lab_options]
        click.echo(json.dumps(bench_crawl(Path(folder), profile, lab, crawl_options)))


@click.command(short_help="Measure history kept for years, beside full daily copies.")
@made_history_options
def store(servers: int, rooms: int, days: int) -> None:
    """Seal years of made-up crawls, publish them, ask questions, and print one JSON object.

    The same days are kept as full daily copies in the same run. There are twice as many participations as rooms; 1 % of
    servers and 5 % of rooms change a day. MB are 10^6 bytes.

    append is the transaction of the seal: after it the crawl is safe, in the log; checkpoint is what closing the file
    adds, which brings the log into it. Of both, the first is that of day 2 and the last the median of the last five
    days. publish is stage and swap (publish_anew: where a serving file cannot grow from the one before); each
    question is the median of five. Files live as a census file does: compacted every thirty crawls, and published on
    each of the last five days. Seconds are of the wall; `cpu` are those of all threads, for machines that have other
    things to do. On two quiet cores the full size takes some 15 minutes and 3 GB of temporary space.
    """
    with tempfile.TemporaryDirectory(prefix="matrix-census-bench-") as folder:

        def told(day: int) -> None:
            if day % 10 == 0:
                click.echo(f"day {day} of {days}", err=True)

        click.echo(json.dumps(bench_store(Path(folder), servers=servers, rooms=rooms, days=days, told=told)))
