"""The practice federation as its own process, and `matrix-census` run against it as a person would."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

COMMAND = [sys.executable, "-m", "matrix_census"]
LONGEST_S = 240
"""Nothing here takes a tenth of it; it only keeps a hang from lasting."""

PACE = ["--set", "limits.address_rate_per_s=200"]
"""Our own servers need no rest: a test of manners does without it."""


def environment() -> dict[str, str]:
    """Ours, without settings that would turn something behind a test's back."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MATRIX_CENSUS_DB")}


@dataclass(frozen=True, slots=True)
class Practice:
    """A lab that is up. `line` is what it printed; `truth` what a perfect crawl must find; `pid` its process."""

    line: dict[str, Any]
    folder: Path
    pid: int = 0

    @property
    def truth(self) -> dict[str, Any]:
        truth: dict[str, Any] = json.loads((self.folder / "truth.json").read_text())
        return truth

    def options(self, *without: str) -> list[str]:
        """Each value of the line in the option of the same name."""
        return [
            part
            for key, value in self.line.items()
            if key not in without
            for each in (value if isinstance(value, list) else [value])
            for part in (f"--{key.replace('_', '-')}", str(each))
        ]

    def sightings(self) -> list[dict[str, Any]]:
        """What its servers saw so far, in the order of the ends of the requests."""
        return [json.loads(line) for line in (self.folder / "seen.jsonl").read_text().splitlines()]


@contextmanager
def practice(folder: Path, servers: int, seed: int = 1, *options: str) -> Iterator[Practice]:
    """Run a lab, with further options of the verb, until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["lab", "--servers", str(servers), "--seed", str(seed), "--dir", str(folder / "lab")]
    arguments += ["--truth", str(folder / "truth.json"), "--log", str(folder / "seen.jsonl"), *options]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the lab did not start"
            yield Practice(json.loads(line), folder, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def census(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        cwd=cwd,
        env=environment(),
    )


def rows(serving: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of a query on a serving file."""
    with duckdb.connect(str(serving), read_only=True) as connection:
        answer = connection.execute(sql)
        columns = [column[0] for column in answer.description]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
