"""`lab`: run the practice federation by itself."""

from dataclasses import replace
from pathlib import Path

import click

from crawler.errors import UsageError
from crawler.lab.profile import PROFILES, SHOWCASE
from crawler.lab.run import LabOptions, run_lab, tell_truth

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Run the practice federation: real DNS, TLS and HTTP on loopback.")
@click.option("--servers", type=click.IntRange(min=1), default=300, show_default=True, metavar="N", help="How many.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default=SHOWCASE.name,
    show_default=True,
    help="showcase: everything at least once, no latency. calm: nearly all alive and quick. realistic: as the live "
    "federation is, as far as is known. hostile: realistic, with tarpits and farms of names.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same federation.")
@click.option(
    "--day",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="D",
    help="As it is D days later: births, deaths, returns, upgrades, rooms that grow and shrink.",
)
@click.option(
    "--tarpits",
    type=click.FloatRange(0, 10),
    metavar="SHARE",
    help="SHARE times N further names that hold a visitor up: silent, dripping, paging without end.",
)
@click.option(
    "--big-directory",
    type=click.IntRange(min=0, max=1_000_000),
    metavar="ROOMS",
    help="Give the first server at least so many rooms.",
)
@click.option("--truth", type=_FILE, metavar="FILE", help="Write there, as JSON, what a perfect crawl must find.")
@click.option("--no-serve", is_flag=True, help="Write the truth and end.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep its files (CA, seeds, identity) there; default: a temporary folder, removed at the end.",
)
@click.option("--log", type=_FILE, metavar="FILE", help="Write there, as JSON lines, every request its servers saw.")
@click.option(
    "--manners",
    type=_FILE,
    metavar="FILE",
    help="Write there at the end, as JSON, what each server saw in sum: requests, most at once, requests after a no.",
)
def lab(
    servers: int,
    profile: str,
    seed: int,
    day: int,
    tarpits: float | None,
    big_directory: int | None,
    truth: Path | None,
    *,
    no_serve: bool,
    directory: Path | None,
    log: Path | None,
    manners: Path | None,
) -> None:
    """Run the practice federation until Ctrl-C.

    N virtual homeservers of many kinds, healthy and broken, reached through a few listeners on loopback. One line of
    JSON says how: each of its values goes into the option of `crawl` of the same name.

    \b
    matrix-census lab --servers 20000 --profile realistic --day 30 --no-serve --truth day30.json
    """
    kind = PROFILES[profile]
    if tarpits is not None:
        kind = replace(kind, tarpits=tarpits)
    if big_directory is not None:
        kind = replace(kind, big_directory=big_directory)
    options = LabOptions(
        servers=servers,
        seed=seed,
        truth=truth,
        directory=directory,
        log=log,
        profile=kind,
        day=day,
        manners=manners,
    )
    if no_serve:
        if truth is None:
            raise UsageError("--no-serve has nothing to do without --truth FILE")
        tell_truth(options, truth)
        return
    run_lab(options)
