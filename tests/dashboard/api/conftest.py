"""Censuses of two days, served by the verb on a socket."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.dashboard.federation import publish, write_census


@pytest.fixture(scope="package")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A census file with two published, synthetic censuses, a day apart, and one server that opted out."""
    path = tmp_path_factory.mktemp("api") / "census.duckdb"
    write_census(path, servers=60)
    write_census(path, servers=80, seed=5, days_ago=-1)
    publish(path)
    (path.parent / "opt-out.txt").write_text("opted-out.example\n")
    return path


@pytest.fixture(scope="package")
def site(two_days: Path) -> Iterator[str]:
    """Where the application is served."""
    command = [sys.executable, "-m", "matrix_census", "serve", "--db", str(two_days), "--port", "0"]
    command += ["--requests-a-minute", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="package")
def client(site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site, timeout=60) as opened:
        yield opened
