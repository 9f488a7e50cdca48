"""`lab`: run the practice federation by itself."""

from pathlib import Path

import click

from crawler.lab.run import LabOptions, run_lab


@click.command(short_help="Run the practice federation: real DNS, TLS and HTTP on loopback.")
@click.option("--servers", type=click.IntRange(min=1), default=300, show_default=True, metavar="N", help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same federation.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there, as JSON, what a perfect crawl must find.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep its files (CA, seeds, identity) there; default: a temporary folder, removed at the end.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there, as JSON lines, every request that its servers saw.",
)
def lab(servers: int, seed: int, truth: Path | None, directory: Path | None, log: Path | None) -> None:
    """Run the practice federation until Ctrl-C.

    N virtual homeservers of many kinds, healthy and broken, reached through a few listeners on loopback. One line of
    JSON says how: each of its values goes into the option of `crawl` of the same name.
    """
    run_lab(LabOptions(servers=servers, seed=seed, truth=truth, directory=directory, log=log))
