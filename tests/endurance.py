"""The long form of tests that try something at random moments: `make endurance`.

A test with a long form is marked `endurance` and asks `rounds` how many moments it is to try: a few in every run, many
when MATRIX_CENSUS_ENDURANCE is set. Run as a program this runs the long form of all of them, or of those that its
arguments name, and writes how each went into docs/endurance.md, with its date and commit; what it did not run stays
there as it was.
"""

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

VARIABLE = "MATRIX_CENSUS_ENDURANCE"
MOMENTS = "moments"
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "endurance.md"
RESULTS = ROOT / "test-artifacts" / "endurance.xml"

LONGEST_S = 3 * 3600
"""Then it is stopped, and the page says so."""

HEAD = """# Endurance

Made by `make endurance`, not by hand: the long form of the tests that try something at random moments, such as killing
a crawl with SIGKILL and going on with it. `make test` runs the same tests with fewer moments.

"""


def rounds(few: int, many: int) -> range:
    """The seeds of the moments to try."""
    return range(many if os.environ.get(VARIABLE) else few)


def moments(record: Callable[[str, object], None], few: int, many: int) -> range:
    """The same for a test that tries all moments itself: `record` is its fixture `record_property`."""
    seeds = rounds(few, many)
    record(MOMENTS, len(seeds))
    return seeds


def main() -> int:
    """Run the long forms and write the page."""
    RESULTS.parent.mkdir(exist_ok=True)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-m", "endurance", *sys.argv[1:]]
    # xunit1: the other kind has no place for what a test records of itself.
    command += [f"--junit-xml={RESULTS}", "-o", "junit_family=xunit1"]
    RESULTS.unlink(missing_ok=True)
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, VARIABLE: "1"}) as process:
        # Ctrl-C reaches it as well: it writes down what has ended, and so do we.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            code = process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            code = process.wait()
    if not RESULTS.is_file():
        return code or 1
    PAGE.parent.mkdir(exist_ok=True)
    before = PAGE.read_text("utf-8") if PAGE.is_file() else ""
    cut_short = code == pytest.ExitCode.INTERRUPTED
    PAGE.write_text(page(RESULTS, before, time.monotonic() - began, cut_short=cut_short), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return code


def page(results: Path, before: str, wall_s: float, *, cut_short: bool) -> str:
    """The page for a JUnit file; tests that are not in it keep the row that they have on the page `before`."""
    tests: dict[str, list[bool]] = {}
    tried: Counter[str] = Counter()
    failed: list[str] = []
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - likewise
        name = f"{case.get('classname')}.{case.get('name', '').partition('[')[0]}"
        passed = not any(child.tag in ("failure", "error", "skipped") for child in case)
        tests.setdefault(name, []).append(passed)
        said = case.find(f"properties/property[@name='{MOMENTS}']")
        tried[name] += 1 if said is None else int(said.get("value", "1"))
        if not passed:
            failed.append(f"{case.get('classname')}.{case.get('name')}")
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} | {_commit()}"
    rows = {line.split("`")[1]: line for line in before.splitlines() if line.startswith("| `")} | {
        name: f"| `{name}` | {tried[name]} | {len(outcomes)} | {sum(outcomes)} | {now} |"
        for name, outcomes in tests.items()
    }
    lines = [
        f"On {os.cpu_count()} cores with Python {sys.version.split()[0]}; the newest took {wall_s / 60:.0f} minutes.",
        "",
        "| test | moments tried | runs | passed | UTC | commit |",
        "|---|---|---|---|---|---|",
        *(row for _, row in sorted(rows.items())),
    ]
    if cut_short:
        lines += ["", "Stopped before its end: not all that was to be run is of that day."]
    if failed:
        lines += ["", "Failed:", "", *(f"- `{name}`" for name in failed)]
    return HEAD + "\n".join(lines) + "\n"


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()

    changed = " and changes not committed" if git("status", "--porcelain", "--untracked-files=no") else ""
    return f"`{git('rev-parse', '--short=12', 'HEAD')}`{changed}"


if __name__ == "__main__":
    sys.exit(main())
