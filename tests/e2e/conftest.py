"""The dashboard as a process of its own, and a Chromium that looks at it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser_engine import find_chromium
from tests.dashboard.federation import publish, write_census, write_history

ARTIFACTS = Path(__file__).resolve().parents[2] / "test-artifacts"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run")
STOP_S = 15


@contextmanager
def serving(census: Path, *options: str) -> Iterator[str]:
    """The address of a dashboard of `census`, served by a process that is stopped as Ctrl-C would."""
    command = [sys.executable, "-m", "matrix_census", "serve", "--db", str(census), "--port", "0", *options]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line + process.stdout.read()
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=STOP_S)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest, rest


@pytest.fixture(scope="session")
def census(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published census of the made-up federation."""
    path = tmp_path_factory.mktemp("e2e") / "census.duckdb"
    write_census(path)
    publish(path)
    return path


@pytest.fixture(scope="session")
def site(census: Path) -> Iterator[str]:
    with serving(census) as address:
        yield address


@pytest.fixture(scope="session")
def history_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard of three censuses."""
    path = tmp_path_factory.mktemp("e2e-history") / "census.duckdb"
    write_history(path)
    publish(path)
    with serving(path) as address:
        yield address


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard that was started before the first census."""
    with serving(tmp_path_factory.mktemp("empty") / "census.duckdb") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium: run `make browser-engine`, or name one in MATRIX_CENSUS_CHROMIUM")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()
