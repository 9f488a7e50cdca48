"""The application behind a socket, until it is stopped: hypercorn's trio worker, one process, one event loop."""

import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import click
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.types import ASGIApp

from crawler.config import Settings
from crawler.errors import UsageError
from dashboard.api.door import REQUESTS_A_MINUTE
from dashboard.app import create_app

BACKLOG = 256
STOP_S = 2.0
"""How long open requests may take to end when the server is stopped."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose.

    Raises:
        UsageError: the port is in use, or the address is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise UsageError(f"--host {host} is no address of this machine") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(f"cannot serve on {host} port {port}: {error.strerror}; choose another with --port") from None
    return listening


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_of(listening: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve_async(app: ASGIApp, listening: socket.socket, stop: trio.Event) -> None:
    """Serve an application on a listening socket until `stop` is set. The socket stays the caller's."""
    config = Config()
    config.bind = [f"fd://{os.dup(listening.fileno())}"]  # hypercorn closes what it is given
    config.loglevel = "WARNING"
    config.accesslog = None
    config.graceful_timeout = STOP_S
    config.include_server_header = False
    await serve(app, config, shutdown_trigger=stop.wait, mode="asgi")  # type: ignore[arg-type]  # any ASGI


def say_address(url: str) -> None:
    """Tell the person at the keyboard where the dashboard is."""
    click.echo(f"The dashboard is at {url}  (Ctrl-C ends it)")


def serve_app(
    census: Path,
    host: str,
    port: int,
    *,
    settings: Settings | None = None,
    opt_outs: Sequence[Path] = (),
    trusted_proxies: Sequence[str] = (),
    root_path: str = "",
    requests_a_minute: int = REQUESTS_A_MINUTE,
    on_ready: Callable[[str], None] = say_address,
) -> None:
    """Serve the dashboard until Ctrl-C or SIGTERM. Blocking.

    Args:
        census: The census file; what is published beside it is shown.
        host: Address to listen on.
        port: TCP port, 0 for any.
        settings: How a server is looked at when a visitor asks for a check; None: the defaults.
        opt_outs: Lists of servers that are not looked at for a visitor, beside the census's own.
        trusted_proxies: Addresses or CIDRs whose `X-Forwarded-For` is believed.
        root_path: The path under which a reverse proxy serves us, such as `/census`; empty for none.
        requests_a_minute: Each visitor's ration of what is for programs; 0: as many as he likes.
        on_ready: Called with the address when the server listens.

    Raises:
        UsageError: the port is in use, the address is none of this machine, or what is given is not understood.
    """
    with closing(bind(host, port)) as listening:
        app = create_app(
            census, settings, opt_outs, trusted_proxies, root_path=root_path, requests_a_minute=requests_a_minute
        )
        trio.run(_serve_until_stopped, app, listening, on_ready)


async def _serve_until_stopped(app: ASGIApp, listening: socket.socket, on_ready: Callable[[str], None]) -> None:
    stop = trio.Event()
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_async, app, listening, stop)
            on_ready(url_of(listening))
            async for _ in signals:
                stop.set()
                break
