"""Puts the practice federation up, says in one line how to reach it, and takes it down.

    matrix-census lab --servers 300 > lab.json

The line is a JSON object; each of its values goes unchanged into the option of `matrix-census crawl` of the same name.
"""

import contextlib
import json
import secrets
import signal
import ssl
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import trio

from crawler.errors import UsageError
from crawler.file_limit import raise_file_limit
from crawler.lab.certificates import Authority, Contexts
from crawler.lab.dns import Answers, serve_dns
from crawler.lab.files import LabFiles, write_files, write_json
from crawler.lab.hosting import LISTENING_PORTS
from crawler.lab.matrix import Matrix
from crawler.lab.peers import Peers
from crawler.lab.profile import SHOWCASE, Profile
from crawler.lab.seen import Seen
from crawler.lab.sockets import free_port, refusing_port, serve_stalling, silent_port
from crawler.lab.truth import Truth
from crawler.lab.world import CRAWLER_NAME, World
from crawler.listen.http import listening_port, open_listeners, serve
from crawler.listen.message import Bounds
from crawler.model.names import parse_server_name
from crawler.protocol.signing import Identity, new_signing_key

_HOST = "127.0.0.1"

_BOUNDS = Bounds(connections=4000, idle_s=60.0)
"""Wide: a crawl of thousands of servers may hold a connection to each."""


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What `lab` is asked for.

    Attributes:
        servers: how many virtual servers.
        seed: the same seed and number make the same federation.
        truth: where to write what a perfect crawl must find; None: nowhere.
        directory: where its files go and stay; None: a temporary folder, removed at the end.
        log: where to write, as JSON lines, every request that its servers saw; None: nowhere.
        profile: what kind of federation.
        day: how many days after its first; it changes from day to day.
        manners: where to write, when it ends, what its servers saw of the crawler in sum; None: nowhere.
    """

    servers: int = 300
    seed: int = 1
    truth: Path | None = None
    directory: Path | None = None
    log: Path | None = None
    profile: Profile = SHOWCASE
    day: int = 0
    manners: Path | None = None


@dataclass(frozen=True, slots=True)
class Lab:
    """A practice federation that is up, for whoever runs it in the same process.

    `identity` is the crawler's; `serve_key` where it is to serve its key document; `seen` what the servers saw;
    `matrix` answers for all of them.
    """

    world: World
    files: LabFiles
    identity: Identity
    dns_port: int
    ports: dict[int, int]
    connect: tuple[str, ...]
    serve_key: int
    seen: Seen
    dns_answers: Answers
    matrix: Matrix

    def line(self) -> dict[str, object]:
        """What the verb prints: an option of `crawl` for each key."""
        return {
            "dns": f"{_HOST}:{self.dns_port}",
            "ca": str(self.files.ca),
            "connect": list(self.connect),
            "allow_address": self.world.allow_addresses(),
            "seeds": str(self.files.seeds),
            "identity": str(self.files.identity),
            "serve_key": f"{_HOST}:{self.serve_key}",
            "tls_cert": str(self.files.tls_cert),
            "tls_key": str(self.files.tls_key),
        }


async def serve_lab(
    options: LabOptions, *, keep_seen: bool = True, task_status: trio.TaskStatus[Lab] = trio.TASK_STATUS_IGNORED
) -> None:
    """Run the practice federation until cancelled; starts with the `Lab` once everything listens.

    Args:
        options: what to run.
        keep_seen: hold every sighting in `Lab.seen`, for tests that read them.

    Raises:
        UsageError: a file cannot be written.
    """
    world = World(options.seed, options.servers, options.profile, options.day)
    authority = Authority(datetime.now(UTC))
    identity = Identity(parse_server_name(CRAWLER_NAME), new_signing_key(secrets.token_hex))
    with contextlib.ExitStack() as held:
        directory, log = _open_files(options, held)
        files = _write_files(options, directory, world, authority, identity)
        refusing, silent = held.enter_context(refusing_port()), held.enter_context(silent_port())
        serve_key = free_port()
        seen = Seen(trio.current_time, log, keep=keep_seen)
        client_tls = ssl.create_default_context(cadata=authority.pem().decode())
        matrix = Matrix(world, Peers(CRAWLER_NAME, _HOST, serve_key, client_tls), seen)
        contexts = Contexts(authority, world.network.certificates, world.network.ip_names, world.domains())
        held.callback(_write_manners, options.manners, seen)
        async with trio.open_nursery() as nursery:
            stalling: int = await nursery.start(serve_stalling)
            dns_port, answers = await nursery.start(serve_dns, world.network.zone)
            ports: dict[int, int] = {}
            for port in LISTENING_PORTS:
                listeners = await open_listeners(_HOST, 0)
                ports[port] = listening_port(listeners[0])

                async def listen(
                    at: int = port,
                    on: list[trio.SocketListener] = listeners,
                    *,
                    task_status: trio.TaskStatus[None],
                ) -> None:
                    tls = contexts.listening_on(at)
                    await serve(matrix.listening_on(at), on, tls=tls, bounds=_BOUNDS, task_status=task_status)

                await nursery.start(listen)
            task_status.started(
                Lab(
                    world=world,
                    files=files,
                    identity=identity,
                    dns_port=dns_port,
                    ports=ports,
                    connect=tuple(world.connect_rules(ports, refusing, silent, stalling, serve_key)),
                    serve_key=serve_key,
                    seen=seen,
                    dns_answers=answers,
                    matrix=matrix,
                )
            )


def run_lab(options: LabOptions, out: TextIO | None = None) -> None:
    """The verb: run the practice federation, print its line to `out` (standard output) when it is ready, and end
    cleanly on Ctrl-C or SIGTERM.

    Raises:
        UsageError: a file cannot be written; inside the groups that trio's nurseries make.
    """
    raise_file_limit()
    trio.run(_run, options, out or sys.stdout)


async def _run(options: LabOptions, out: TextIO) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def up(*, task_status: trio.TaskStatus[Lab]) -> None:
                await serve_lab(options, keep_seen=False, task_status=task_status)

            lab: Lab = await nursery.start(up)
            print(json.dumps(lab.line()), file=out, flush=True)
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break


def tell_truth(options: LabOptions, path: Path) -> None:
    """Write what a perfect crawl must find, without serving anything.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        write_json(path, Truth(World(options.seed, options.servers, options.profile, options.day)).document())
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error


def _write_manners(path: Path | None, seen: Seen) -> None:
    if path is not None:
        write_json(path, seen.summary())


def _open_files(options: LabOptions, held: contextlib.ExitStack) -> tuple[Path, TextIO | None]:
    try:
        directory = options.directory
        if directory is None:
            directory = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="matrix-census-lab-")))
        log = None if options.log is None else held.enter_context(options.log.open("w", encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    return directory, log


def _write_files(
    options: LabOptions, directory: Path, world: World, authority: Authority, identity: Identity
) -> LabFiles:
    try:
        if options.truth is not None:
            write_json(options.truth, Truth(world).document())
        return write_files(directory, world, authority, identity)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
