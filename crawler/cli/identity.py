"""`identity new`, `identity document`, `identity check`: the key that signs our requests."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import trio

from crawler.cli.options import (
    identity_from,
    json_option,
    network_options,
    server_name_argument,
    settings_from,
    settings_options,
)
from crawler.engine.check import check_identity
from crawler.engine.identity import new_identity, read_identity, write_identity
from crawler.net.transport import Network
from crawler.protocol.signing import Identity, build_key_document
from crawler.version import VERSION

DOCUMENT_VALID_FOR = timedelta(days=7)
"""Servers trust a key document for at most seven days, whatever it says (server-server API, "Publishing Keys")."""


@click.group(short_help="Make, publish and try the key that signs our requests.")
def identity() -> None:
    """Make, publish and try the key that signs our requests.

    Most servers show their public room directory only to requests signed by a server name. You need a name whose TLS
    endpoint you control; no homeserver has to run there. Servers fetch the key from that name once and then believe
    the signatures.
    """


@identity.command(short_help="Make a new key for SERVER_NAME.")
@click.argument("server_name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to keep it; never overwritten.",
)
def new(server_name: str, out: Path) -> None:
    """Make a new ed25519 key for SERVER_NAME, in FILE with mode 0600, and say what to publish for it."""
    made = new_identity(server_name_argument(server_name))
    write_identity(made, out)
    name = made.server_name
    click.echo(f"Wrote {out}: key {made.key.key_id} of {name}. Keep it secret; keep it, too: it cannot be made again.")
    click.echo()
    click.echo("Servers will fetch the public half from your name. Either let each crawl serve it:")
    click.echo(f"  matrix-census crawl ... --identity {out} --serve-key 0.0.0.0:{name.port or 8448} \\")
    click.echo("      --tls-cert fullchain.pem --tls-key privkey.pem")
    click.echo(f"(a certificate for {name.host_for_url} that is publicly trusted), or publish this document at")
    click.echo(f"  https://{name.host_for_url}:{name.port or 8448}/_matrix/key/v2/server")
    click.echo(f"and renew it with `matrix-census identity document {out}` before its week is over:")
    click.echo()
    click.echo(_document(made))
    click.echo()
    click.echo(f"Then try it as a peer would: matrix-census identity check --identity {out}")


@identity.command(short_help="Print a fresh signed key document to publish.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def document(file: Path) -> None:
    """Print a fresh key document of the identity in FILE, valid for seven days, to publish on a web server."""
    click.echo(_document(read_identity(file)))


def _document(of: Identity) -> str:
    return json.dumps(build_key_document(of, datetime.now(UTC), DOCUMENT_VALID_FOR.total_seconds()), indent=2)


@identity.command(short_help="Fetch our own key document by our own name, as a peer would.")
@click.option(
    "--identity",
    "identity_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The identity file.",
)
@settings_options
@network_options
@json_option
def check(identity_file: Path, *, as_json: bool, **options: Any) -> None:
    """Fetch our own key document by our own name, as a peer would, and compare.

    Exit code 0: a peer would find the key of this file. 1: it would not, with the step that failed. --json prints an
    object: `good`, `sentence`, and `failures`, each with `what` was attempted, `kind` and `detail`.
    """
    ours = identity_from(identity_file)
    assert ours is not None  # noqa: S101 - the option is required
    network = Network(settings_from(options), version=VERSION)
    found = trio.run(check_identity, network, ours)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        click.echo(found.sentence)
    sys.exit(0 if found.good else 1)
