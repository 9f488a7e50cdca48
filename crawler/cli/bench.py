"""`bench crawl`: speed and rightness of a crawl, as ratios within one run."""

import json
import tempfile
from pathlib import Path

import click

from crawler.engine.bench import CALM, bench_crawl
from crawler.lab.profile import PROFILES


@click.command(short_help="Measure a crawl of a practice federation.")
@click.option("--servers", type=click.IntRange(min=10), default=2000, show_default=True, metavar="N", help="How many.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default=CALM,
    show_default=True,
    help="Of the federation. calm: what a visit costs, six requests and robots.txt, all names told, no pace. The "
    "others: a whole crawl from the seeds, as politely as by default.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same federation.")
@click.option("--lab", "lab_options", multiple=True, metavar="OPTION", help="A further option of `lab`; repeatable.")
@click.option(
    "--crawl", "crawl_options", multiple=True, metavar="OPTION", help="A further option of `crawl`; repeatable."
)
def crawl(servers: int, profile: str, seed: int, lab_options: tuple[str, ...], crawl_options: tuple[str, ...]) -> None:
    """Crawl a practice federation in a process of its own, and print one JSON object.

    CPU time is of all the crawler's processes, storing included; floor_ms_per_server is that of as many plain TLS
    handshakes with the same certificates, in the same run. Only the ratio compares between machines.
    """
    with tempfile.TemporaryDirectory(prefix="matrix-census-bench-") as folder:
        lab = ["--servers", str(servers), "--seed", str(seed), *lab_options]
        click.echo(json.dumps(bench_crawl(Path(folder), profile, lab, crawl_options)))
