"""Serving on a real socket, and the verb `serve` as a process."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import trio
from click.testing import CliRunner

from crawler.errors import UsageError
from dashboard.app import create_app
from dashboard.cli import serve
from dashboard.serving import bind, is_loopback, serve_async, url_of


async def test_serves_until_stopped_and_leaves_the_socket_to_its_owner(census: Path) -> None:
    with closing(bind("127.0.0.1", 0)) as listening:
        stop = trio.Event()
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve_async, create_app(census), listening, stop)
                async with httpx.AsyncClient(timeout=30) as client:
                    assert (await client.get(f"{url_of(listening)}/healthz")).status_code == 200
                stop.set()
        assert listening.fileno() >= 0


async def test_slow_queries_do_not_hold_up_other_visitors(census: Path) -> None:
    with closing(bind("127.0.0.1", 0)) as listening:
        stop = trio.Event()
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve_async, create_app(census), listening, stop)
                async with httpx.AsyncClient(timeout=30) as client:
                    statuses: list[int] = []

                    async def ask() -> None:
                        statuses.append((await client.get(f"{url_of(listening)}/api/v1/health")).status_code)

                    async with trio.open_nursery() as visitors:
                        for _ in range(40):
                            visitors.start_soon(ask)
                    assert statuses == [200] * 40
                stop.set()


def test_a_port_in_use_is_one_clear_line() -> None:
    with closing(bind("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1 port {port}.*--port"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError):
        bind("192.0.2.1", 0)
    with pytest.raises(UsageError, match="no address"):
        bind("no such host.invalid", 0)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - the case
        ("::", False),
        ("192.0.2.7", False),
        ("census.example", False),
        ("localhost.example", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_urls_put_ipv6_in_brackets() -> None:
    try:
        listening = bind("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6 loopback")
    with closing(listening):
        assert re.fullmatch(r"http://\[::1\]:\d+", url_of(listening))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104 - the case
def test_a_public_address_wants_to_be_meant(host: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(serve, ["--host", host, "--db", str(tmp_path / "census.duckdb")])
    assert isinstance(result.exception, UsageError)
    assert "--public" in str(result.exception)


@contextmanager
def served(census: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "matrix_census", "serve", "--db", str(census), "--port", "0", *options]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            assert found, line
            yield process, found[0]
        finally:
            process.kill()


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_cleanly(census: Path, stopped_by: signal.Signals) -> None:
    with served(census) as (process, address):
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
        process.send_signal(stopped_by)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert rest == ""


def test_a_visitor_who_hangs_does_not_keep_it_alive(census: Path) -> None:
    with served(census) as (process, address):
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as hanging:
            hanging.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 0
