"""The command line as a person would type it against the test federation."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.synapse.federation import Federation, Network

COMMAND = Path(sys.executable).with_name("matrix-census")
CONTACT = "tests@census.example"


def crawl(
    federation: Federation, db: Path, *, signed: bool, seeds: Sequence[str] = (), more: Sequence[str] = ()
) -> list[str]:
    """`matrix-census crawl` from `seeds`, or from alpha alone: beta is there to be found."""
    seeds = seeds or [federation.alpha.name]
    arguments = [str(COMMAND), "crawl", *seeds, "--db", str(db), "--contact", CONTACT]
    if signed:
        arguments += federation.identity_options
    return [*arguments, *federation.network.options, *more]


def check(network: Network, server_name: str, *more: str) -> list[str]:
    """`matrix-census check` of a server in the network."""
    return [str(COMMAND), "check", server_name, *network.options, *more]


def environment() -> dict[str, str]:
    """Ours, without what would turn a setting behind the test's back."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MATRIX_CENSUS_")}
