"""`check`: servers as a federating server would see them, every step shown and judged."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import trio
from rich.console import Console

from crawler.cli.check_tree import check_tree
from crawler.cli.options import (
    DEFAULT_DB,
    identity_from,
    identity_option,
    network_options,
    server_name_argument,
    settings_from,
    settings_options,
)
from crawler.engine.check import Checked, Memory, check_servers, json_schema, remember
from crawler.engine.optouts import opt_out_lists, read_opt_outs
from crawler.model.names import ServerName
from crawler.net.transport import Network
from crawler.store.reader import SnapshotReader
from crawler.store.serving import serving_file
from crawler.version import VERSION

PIPED_WIDTH = 1000


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(json.dumps(json_schema(), indent=2))
        ctx.exit()


@click.command(short_help="Check servers as a federating server would, every step shown.")
@click.argument("server_names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "json", "mft"]),
    default="tree",
    show_default=True,
    help="tree: for people. json: for programs, see --json-schema. mft: the shape of matrix-federation-tester's "
    "/api/report. Of several names, json and mft print one line for each.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--all", "show_all", is_flag=True, help="Show the conformance checks that pass or do not apply, too.")
@click.option(
    "--registration", is_flag=True, help="Ask whether anybody may sign up, too: a request that may stand out."
)
@click.option(
    "--census",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Census file whose newest census says whether the server was counted, and which keys it had. "
    f"[default: {DEFAULT_DB}, if anything is published beside it]",
)
@click.option(
    "--opt-out",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    metavar="FILE",
    help="Say of the servers in this list that no census counts them. Repeatable. The list opt-out.txt beside the "
    "census file is read, too.",
)
@click.option("--contact", default="", metavar="ADDRESS", help="How to reach you; part of the user agent.")
@identity_option
@settings_options
@network_options
@click.option(
    "--json-schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of --json and exit.",
)
def check(
    server_names: tuple[str, ...],
    *,
    form: str,
    as_json: bool,
    show_all: bool,
    registration: bool,
    census: Path | None,
    opt_out: tuple[Path, ...],
    contact: str,
    identity_file: Path | None,
    **options: Any,
) -> None:
    """Check servers as a federating server would: resolution, every address, TLS, keys, client side, directory.

    \b
    matrix-census check example.org                  the verdict, the way to it, and what to mend
    matrix-census check example.org --all            every check, also those that pass
    matrix-census check a.example b.example --json   one line of JSON for each, in this order

    Nothing is asked for that a federating server or a client would not ask for, and no private address is dialled.

    Exit codes: 0 all federate, 1 at least one does not, 2 bad input.
    """
    names = [server_name_argument(text) for text in server_names]
    form = "json" if as_json else form
    identity = identity_from(identity_file)
    network = Network(settings_from(options, contact), version=VERSION)
    with ExitStack() as open_files:
        run = partial(
            check_servers,
            network,
            identity,
            names,
            _printer(form, show_all=show_all, alone=len(names) == 1),
            registration=registration,
            memory_of=_memory(census, opt_out, open_files),
        )
        good = trio.run(run)
    sys.exit(0 if good else 1)


def _printer(form: str, *, show_all: bool, alone: bool) -> Callable[[Checked], None]:
    # Where no terminal is, a line is as long as what it says, so that a pipe can search it.
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)

    def tell(checked: Checked) -> None:
        if form == "tree":
            console.print(check_tree(checked, show_all=show_all))
            return
        told = checked.mft_report if form == "mft" else checked.document.model_dump(mode="json")
        click.echo(json.dumps(told, indent=2 if alone else None))

    return tell


def _memory(census: Path | None, opt_outs: tuple[Path, ...], open_files: ExitStack) -> Callable[[ServerName], Memory]:
    """What the census at hand knows; a census that was asked for must be there, the default one need not."""
    left_alone = read_opt_outs(opt_out_lists(census or DEFAULT_DB, opt_outs))
    reader = None
    if census is not None or serving_file(DEFAULT_DB) is not None:
        reader = open_files.enter_context(SnapshotReader.open(census or DEFAULT_DB))

    def memory(name: ServerName) -> Memory:
        known = remember(reader, name) if reader is not None else Memory()
        return replace(known, opted_out=left_alone.has_server(name))

    return memory
