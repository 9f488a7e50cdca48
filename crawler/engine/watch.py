"""Crawls on a schedule, one at a time, each in a process of its own, so that none can take the watch with it.

A crawl that runs out of memory, trips over a bug of ours or is killed ends its process; the watch tells of it and goes
on with the next one on time. What a crawl says of itself reaches the watch as its JSON lines (`crawl --progress json
--json`), which it passes on to its log and keeps for `engine.health`. An interrupted crawl that began less than an
interval ago is gone on with, once.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import trio

from crawler.engine.cadence import Cadence, Kind
from crawler.errors import CensusError, printable
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.store.crawls import crawl_rows, unpublished

COMMAND = (sys.executable, "-m", "matrix_census", "crawl", "--json", "--progress", "json")

INTERRUPTED = 130
"""The exit code of a crawl that was stopped."""

REFUSED = 2
"""The exit code of one that refused what it was given."""

LINE_BYTES = 64 * 1024
"""Longest line taken from a crawl; the rest of a longer one is left out."""

STOP_S = 30.0
"""How long a crawl may take to seal itself when the watch is stopped; it promises five seconds."""

Log = Callable[..., None]
"""Tells one event: a word for it, and what there is to say as keywords."""


@dataclass(slots=True)
class Watched:
    """What the watch knows, for whoever asks: see `engine.health`."""

    started_at: datetime
    running: Kind | None = None
    running_since: datetime | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    """The last progress line of the running crawl; of the last one when none runs."""
    ended: Counter[tuple[CrawlScope, str]] = field(default_factory=Counter)
    """(scope, completed, cancelled or failed) -> crawls since the watch started."""
    completed_at: dict[CrawlScope, datetime] = field(default_factory=dict)
    """Scope -> end of the last crawl that completed."""
    last_failure: str = ""
    """Why the last crawl failed; empty when it did not."""
    slots_missed: int = 0
    next_starts: dict[Kind, datetime] = field(default_factory=dict)


class Watch:
    """A schedule under way.

    Args:
        db: the census file.
        options: further options of each crawl.
        resume_options: those of them that a resumed crawl takes; it has the others from where it began.
        cadence: when which kind is due.
        log: where to tell what happens.
        now: the time of day.
    """

    def __init__(
        self,
        db: Path,
        options: Sequence[str],
        resume_options: Sequence[str],
        cadence: Cadence,
        log: Log,
        now: Callable[[], datetime],
    ) -> None:
        self.watched = Watched(now())
        self._db = db
        self._options = options
        self._resume_options = resume_options
        self._cadence = cadence
        self._log = log
        self._now = now
        self._stopping = trio.Event()
        self._resumed: set[int] = set()

    def stop(self) -> None:
        """End as soon as the running crawl has sealed itself."""
        self._stopping.set()

    async def run(self) -> None:
        """Crawl whenever a crawl is due, until `stop`."""
        while not self._stopping.is_set():
            kind, start = self._cadence.next()
            self.watched.next_starts = self._cadence.starts()
            interrupted = self._interrupted(kind)
            if interrupted is None:
                if start > self._now():
                    self._log("waiting", scope=kind.scope, until=start.isoformat())
                # The time of day may be set while we sleep, so it is looked at now and then.
                while (left_s := (start - self._now()).total_seconds()) > 0:
                    with trio.move_on_after(min(left_s, 60.0)):
                        await self._stopping.wait()
                        return
            self._cadence.begins(kind, self._now())
            self.watched.next_starts = self._cadence.starts()
            if await self._crawl(kind, interrupted) == REFUSED and interrupted is not None:
                await self._crawl(kind, None)
            passed = self._cadence.let_go(kind, self._now())
            if passed:
                self.watched.slots_missed += passed
                self._log("slots_missed", level="warning", slots=passed, because="another crawl was running")

    def _interrupted(self, kind: Kind) -> Crawl | None:
        """The newest crawl, if it was interrupted, is of that kind, and is young enough to be gone on with. Once only:
        whatever kills a crawl twice may go on doing so."""
        try:
            crawls = crawl_rows(self._db)
        except CensusError as error:
            self._log("census_unreadable", level="warning", because=str(error))
            return None
        newest = crawls[0] if crawls else None
        if newest is None or newest.scope is not kind.scope or newest.id in self._resumed:
            return None
        if self._now() - newest.started_at >= kind.every:
            return None
        cut_short = newest.state in (CrawlState.RUNNING, CrawlState.CANCELLED) or unpublished(self._db) is not None
        return newest if cut_short else None

    async def _crawl(self, kind: Kind, interrupted: Crawl | None) -> int:
        """One crawl, from its start to the news of its end. Returns its exit code."""
        watched = self.watched
        watched.running, watched.running_since, watched.progress = kind, self._now(), {}
        if interrupted is not None:
            self._resumed.add(interrupted.id)
            arguments = ["--resume", str(interrupted.id), *self._resume_options]
        else:
            arguments = [*([] if kind.max_servers is None else ["--max-servers", str(kind.max_servers)])]
            arguments += self._options
        self._log("crawl_starts", scope=kind.scope, resumes=interrupted.id if interrupted else None)
        said: dict[str, Any] = {}
        last_words: list[str] = []
        try:
            code = await self._process([*COMMAND, "--db", str(self._db), *arguments], said, last_words)
        except OSError as error:
            code, last_words = -1, [f"cannot start a process: {error.strerror}"]
        finally:
            watched.running = watched.running_since = None
        outcome = str(said.get("state", "failed")) if code in (0, INTERRUPTED) else "failed"
        watched.ended[kind.scope, outcome] += 1
        watched.last_failure = ""
        if outcome == CrawlState.COMPLETED:
            watched.completed_at[kind.scope] = self._now()
            self._log("crawl_completed", **said)
        elif outcome == CrawlState.CANCELLED:
            self._log("crawl_cancelled", level="warning", **said)
        else:
            watched.last_failure = last_words[-1] if last_words else _how_it_ended(code)
            self._log("crawl_failed", level="error", scope=kind.scope, exit_code=code, because=watched.last_failure)
        return code

    async def _process(self, command: list[str], said: dict[str, Any], last_words: list[str]) -> int:
        """Run a crawl to its end, which comes soon after we are told to stop. Returns its exit code.

        In a session of its own: Ctrl-C at our terminal would reach it beside our own word, and twice means "at once".
        """
        process = await trio.lowlevel.open_process(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        try:
            async with trio.open_nursery() as readers, trio.open_nursery() as stopper:
                readers.start_soon(_read_lines, process.stdout, lambda line: self._heard_result(line, said))
                readers.start_soon(_read_lines, process.stderr, lambda line: self._heard(line, last_words))
                stopper.start_soon(self._stop_process, process)
                code = await process.wait()
                stopper.cancel_scope.cancel()
        finally:
            if process.returncode is None:
                process.kill()
        return code

    async def _stop_process(self, process: trio.Process) -> None:
        await self._stopping.wait()
        process.terminate()
        await trio.sleep(STOP_S)
        self._log("crawl_killed", level="error", because=f"it did not seal itself in {STOP_S:.0f} s")
        process.kill()

    def _heard_result(self, line: str, said: dict[str, Any]) -> None:
        document = _object(line)
        if document is not None:
            said.update(document)

    def _heard(self, line: str, last_words: list[str]) -> None:
        document = _object(line)
        if document is not None and document.get("event") == "progress":
            self.watched.progress = document
            self._log(**document)
        elif line.strip():
            last_words.append(printable(line.strip()))
            del last_words[:-20]
            self._log("crawl_says", text=last_words[-1])


async def _read_lines(stream: trio.abc.ReceiveStream | None, heard: Callable[[str], None]) -> None:
    """Hand each line on, cut to `LINE_BYTES`."""
    if stream is None:
        return
    line = b""
    async with stream:
        async for chunk in stream:
            first, *rest = bytes(chunk).split(b"\n")
            line = (line + first)[:LINE_BYTES]
            for begun in rest:
                heard(line.decode("utf-8", "replace"))
                line = begun[:LINE_BYTES]
    if line:
        heard(line.decode("utf-8", "replace"))


def _object(line: str) -> dict[str, Any] | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _how_it_ended(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}, without a word"
