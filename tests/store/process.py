"""Other processes, for tests of what only several processes can do wrong."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

ROOT = Path(__file__).parents[2]

PATIENCE_S = 120
"""Longer than anything takes on a machine that is busy: a process that waits for ever must fail a test, not stop it."""


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs `code` with `arguments` in sys.argv; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that the process prints; nothing when it ended, which it must when it says nothing for so long."""
    assert process.stdout is not None
    deadline = Timer(PATIENCE_S, process.kill)
    deadline.start()
    try:
        return process.stdout.readline().strip()
    finally:
        deadline.cancel()
