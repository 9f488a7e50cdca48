"""`make census-of-synapse`: crawl two real homeservers by hand, and leave the census file to look at.

The same federation as in the tests, in a folder of its own, with the crawl's own output on the screen. The folder is
made anew each time; a folder that this script did not make is left alone.
"""

import argparse
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.synapse import command
from tests.synapse.federation import Federation, open_federation
from tests.synapse.homeserver import HomeserverError, Options

MARK = "made-by-census-of-synapse"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.synapse.census_of_synapse", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("synapse-census"), help="default: %(default)s")
    parser.add_argument("--keep", action="store_true", help="keep the homeservers running until Ctrl-C")
    parser.add_argument("--unsigned", action="store_true", help="crawl without an identity")
    chosen = parser.parse_args(arguments)
    # A stop request unwinds like Ctrl-C does, so that both homeservers are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    try:
        directory = make_directory(chosen.directory)
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 2
    started = time.monotonic()
    print(f"Starting two Synapse homeservers in {directory}/servers ...", flush=True)
    try:
        with open_federation((directory / "servers").resolve(), alpha=Options(open_without_auth=True)) as federation:
            print(f"alpha.test and beta.test federate, after {time.monotonic() - started:.1f} s.", flush=True)
            db = directory / "census.duckdb"
            code = crawl(federation, db, signed=not chosen.unsigned)
            if code == 0:
                print_next(federation, db, alive=chosen.keep)
                if chosen.keep:
                    wait_for_interrupt()
            return code
    except HomeserverError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def make_directory(directory: Path) -> Path:
    """An empty folder, in place of the one that an earlier run made.

    Raises:
        FileExistsError: there is something else of that name.
    """
    if directory.exists():
        if not (directory / MARK).exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise FileExistsError(f"{directory} is not of this script's making; name another with --directory")
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    (directory / MARK).touch()
    return directory


def crawl(federation: Federation, db: Path, *, signed: bool) -> int:
    """Run the crawl with its output on the screen; its exit code."""
    arguments = command.crawl(federation, db, signed=signed)
    print(f"\n$ {shown(arguments)}\n", flush=True)
    code = subprocess.run(arguments, env=command.environment(), check=False).returncode
    if code != 0:
        logs = [str(log) for server in (federation.alpha, federation.beta) for log in server.logs]
        print(f"\nThe crawl ended with exit code {code}. The homeservers' logs: {shown(logs)}")
    return code


def print_next(federation: Federation, db: Path, *, alive: bool) -> None:
    census = shown([str(command.COMMAND)])
    print(f"\nThe census is in {db}. Look at it:")
    for verb in ("status", "metrics", "metrics --json", "serve"):
        print(f"  {census} {verb} --db {shlex.quote(str(db))}")
    if not alive:
        print("To check the homeservers themselves, which stop now: make census-of-synapse ARGS=--keep")
        return
    print("While the homeservers run, check them:")
    for server in (federation.alpha, federation.beta):
        print(f"  {shown(command.check(federation.network, server.name))}")


def shown(arguments: Sequence[str]) -> str:
    """A command line as one would type it here."""
    here = Path.cwd()
    return shlex.join(str(Path(part).relative_to(here)) if part.startswith(f"{here}/") else part for part in arguments)


def wait_for_interrupt() -> None:
    print("\nThe homeservers run until Ctrl-C.", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("Stopping.")


if __name__ == "__main__":
    sys.exit(main())
