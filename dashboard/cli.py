"""The verb of the dashboard: `serve`."""

from pathlib import Path
from typing import Any

import click

from crawler.cli.options import db_option, network_options, opt_out_option, settings_from, settings_options
from crawler.errors import UsageError
from dashboard.api.door import REQUESTS_A_MINUTE
from dashboard.serving import is_loopback, serve_app


@click.command(short_help="Serve the dashboard of a census file.")
@db_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8050, show_default=True, help="TCP port; 0 for any.")
@click.option("--public", is_flag=True, help="Allow an address that other machines can reach.")
@click.option(
    "--requests-a-minute",
    type=click.IntRange(min=0),
    default=REQUESTS_A_MINUTE,
    show_default=True,
    metavar="N",
    help="What each visitor may ask of the API; 0: as much as he likes.",
)
@opt_out_option
@click.option(
    "--trusted-proxy",
    multiple=True,
    metavar="CIDR",
    help="Believe X-Forwarded-For from this address or CIDR: your reverse proxy's. Repeatable. Rations, and "
    "the proof of usage reports, go by the address found there.",
)
@click.option(
    "--root-path",
    default="",
    metavar="PATH",
    help="The path under which your reverse proxy serves this, such as /census; whether the proxy takes it off or "
    "passes it on.",
)
@click.option("--contact", default="", metavar="ADDRESS", help="How to reach you; part of the user agent of checks.")
@settings_options
@network_options
def serve(
    db: Path,
    host: str,
    port: int,
    *,
    public: bool,
    requests_a_minute: int,
    opt_out: tuple[Path, ...],
    trusted_proxy: tuple[str, ...],
    root_path: str,
    contact: str,
    **options: Any,
) -> None:
    """Serve the dashboard of a census file until Ctrl-C.

    It shows the newest census and changes to a new one by itself; a crawl may run meanwhile. It may be started before
    the first census. Without --public it listens on this machine alone; it speaks plain HTTP, so put a proxy with TLS
    before it when others shall see it.

    The API for programs is described at /api. /api/v1/check?server_name=NAME looks at a server now, as `matrix-census
    check` does, unless it opted out; the settings, network and opt-out options are for that.

    /push takes usage reports of homeservers, in the shape that Synapse sends; with the next crawl or `publish` their
    sums stand in the metrics. An admin has to write two lines into homeserver.yaml, and your address into the second:

    \b
      report_stats: true
      report_stats_endpoint: https://census.example.org/push

    Exit codes: 0 stopped, 2 the port is in use or the address is not allowed.
    """
    if not public and not is_loopback(host):
        raise UsageError(f"--host {host} can be reached by other machines; say --public if that is meant")
    serve_app(
        db,
        host,
        port,
        settings=settings_from(options, contact),
        opt_outs=opt_out,
        trusted_proxies=trusted_proxy,
        root_path=root_path,
        requests_a_minute=requests_a_minute,
    )


commands: tuple[click.Command, ...] = (serve,)
