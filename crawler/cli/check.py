"""`check`: one server, every step shown."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import trio
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from crawler.cli.options import (
    identity_from,
    identity_option,
    json_option,
    network_options,
    server_name_argument,
    settings_from,
    settings_options,
)
from crawler.engine.check import as_json as observation_as_json
from crawler.engine.check import check_server, directory_rooms
from crawler.errors import Failure, printable
from crawler.model.client_side import ClientWellKnown, Support
from crawler.model.observation import (
    Attempt,
    ClientVersions,
    Failed,
    KeyDocument,
    Ok,
    ServerObservation,
    Skipped,
    TlsFacts,
    VersionInfo,
)
from crawler.net.transport import Network
from crawler.version import VERSION

PIPED_WIDTH = 1000


@click.command(short_help="Check one server as a federating server would, every step shown.")
@click.argument("server_name")
@click.option("--contact", default="", metavar="ADDRESS", help="How to reach you; part of the user agent.")
@identity_option
@settings_options
@network_options
@json_option
def check(server_name: str, *, contact: str, identity_file: Path | None, as_json: bool, **options: Any) -> None:
    """Check SERVER_NAME as a federating server would: resolution, TLS, version, keys, directory.

    Exit codes: 0 it federates, 1 it does not, 2 bad input.
    """
    name = server_name_argument(server_name)
    identity = identity_from(identity_file)
    network = Network(settings_from(options, contact), version=VERSION)
    seen = trio.run(check_server, network, identity, name)
    if as_json:
        click.echo(json.dumps(observation_as_json(seen), indent=2))
    else:
        # Where no terminal is, a line is as long as what it says, so that a pipe can search it.
        Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(observation_tree(seen))
    sys.exit(0 if seen.federating else 1)


def observation_tree(seen: ServerObservation) -> Tree:
    """The observation as a tree for people. All text in it is plain: nothing of a remote is read as markup."""
    verdict = ("federates", "bold green") if seen.federating else ("does not federate", "bold red")
    tree = Tree(Text.assemble((seen.server_name.raw, "bold"), " ", verdict, _took(seen.duration_s)))
    branch = f"branch {seen.resolution.branch}" if seen.resolution.branch else "no branch"
    resolution = tree.add(Text(f"resolution: {branch}"))
    for step in seen.resolution.steps:
        line = Text.assemble((step.question.replace("_", "-"), "cyan"), f" {step.subject}: ")
        if step.failure is not None:
            line.append(_failure(step.failure), "yellow")
        else:
            line.append(step.answer)
        line.append(_took(step.duration_s), "dim")
        resolution.add(line).add(Text(step.conclusion, style="dim"))
    if seen.resolution.failure is not None:
        resolution.add(Text(_failure(seen.resolution.failure), style="red"))
    endpoints = tree.add(Text("endpoints, in the order to be tried"))
    for endpoint in seen.resolution.endpoints:
        used = "  <- used" if endpoint == seen.endpoint else ""
        where = f"{endpoint.address} port {endpoint.port}"
        endpoints.add(Text(f"{where}, Host {endpoint.host_header}, TLS name {endpoint.tls_name}{used}"))
    for what, attempt in seen.attempts:
        tree.add(_attempt(what, attempt))
    directory = seen.directory
    rooms = directory_rooms(directory)
    counted = "" if rooms is None else f", {rooms} rooms"
    because = f" ({directory.skipped_because})" if directory.skipped_because else ""
    tree.add(Text(f"directory: {directory.state}{because}{counted}"))
    return tree


_WORDS = {
    "tcp": "connect (TCP)",
    "tls": "secure (TLS)",
    "version": "version",
    "keys": "signing keys",
    "client_well_known": "client API",
    "client_versions": "client API versions",
    "support": "support contacts",
}


def _attempt(what: str, attempt: Attempt[object]) -> Text:
    match attempt:
        case Ok(value, timings):
            return Text.assemble((_WORDS[what], "cyan"), f": {_value(value)}", (_took(timings.total_s), "dim"))
        case Failed(failure, timings):
            return Text.assemble(
                (_WORDS[what], "cyan"), ": ", (_failure(failure), "red"), (_took(timings.total_s), "dim")
            )
        case Skipped(reason):
            return Text.assemble((_WORDS[what], "cyan"), (f": not attempted ({reason})", "dim"))


def _value(value: object) -> str:
    """What was seen, in a line for people."""
    match value:
        case None:
            return "not published"
        case TlsFacts():
            return f"{value.protocol}, issued by {value.issuer}, valid until {_moment(value.not_after)}"
        case VersionInfo():
            return f"{value.name or 'no name'} {value.version or 'without a version'}"
        case KeyDocument():
            return f"{', '.join(sorted(value.verify_keys))}, valid until {_moment(value.valid_until)}"
        case ClientVersions():
            newest = f", the last {value.versions[-1]}" if value.versions else ""
            return f"{len(value.versions)} versions{newest}; {len(value.unstable_features)} unstable features"
        case ClientWellKnown():
            return printable(value.base_url or "no homeserver named")
        case Support():
            page = "a support page" if value.support_page else "no support page"
            return f"{len(value.contacts)} contacts, {page}"
        case _:
            return printable(str(value))


def _moment(at: datetime) -> str:
    return f"{at:%d %b %Y %H:%M} UTC"


def _took(seconds: float) -> str:
    return f"  {seconds * 1000:.0f} ms" if seconds < 1 else f"  {seconds:.1f} s"


def _failure(failure: Failure) -> str:
    return f"{failure.kind}" + (f": {failure.detail}" if failure.detail else "")
