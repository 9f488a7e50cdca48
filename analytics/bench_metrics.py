"""`bench metrics`: what the numbers of a census cost when years of censuses lie before it.

Measured is the step at publish: the newest of many censuses is read from the serving file and its rows are computed,
those of all earlier ones are taken over, everything is stored, and the whole series is read back as one frame. Text
features and the resilience curves are of the newest census alone and are told apart. The made-up history is written,
and each measurement runs, in a process of its own, so that the peak of memory is of that measurement and nothing else.
"""

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from analytics.decentralisation import held_by
from analytics.federation_graph import federation_graph
from analytics.graph_tables import removals
from analytics.load import census_ids
from analytics.load_frames import load_frames
from analytics.load_history import load_lives, load_version_stays
from analytics.load_stored import carried_over, load_series_frame
from analytics.mission import PARTS, Gathered, Part
from analytics.room_graph import GraphShape, graph_shape
from analytics.room_text import FEATURES_VERSION
from analytics.schemas import MetricRow
from analytics.signal import room_features
from analytics.steps import ROWS_VERSION, store_history, store_newest, store_rows
from crawler.cli.options import made_history_options
from crawler.store.bench_history import write_history
from crawler.store.publish import stage


class Stopwatch:
    """Wall seconds by what they were spent on, and the CPU seconds of all of it."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}
        self.cpu_s = 0.0

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Time what is done inside."""
        began, cpu = time.perf_counter(), time.process_time()
        yield
        self.spent_s[what] = self.spent_s.get(what, 0.0) + time.perf_counter() - began
        self.cpu_s += time.process_time() - cpu

    def rounded(self) -> dict[str, float]:
        """For print."""
        return {what: round(seconds, 3) for what, seconds in self.spent_s.items()}


def bench_metrics(folder: Path, *, servers: int, rooms: int, days: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure.

    Args:
        folder: Where the files may lie, some hundred megabytes at full size; a history that is there is used again.
        servers: Servers of the first day.
        rooms: Rooms of the first day.
        days: Censuses, one a day.
        say: Is told what is being done.

    Returns:
        What is printed, JSON-like: seconds of wall time, megabytes of 2^20 bytes.
    """
    census = folder / f"history-{servers}-{rooms}-{days}.duckdb"
    if not census.exists():
        say(f"writing {days} days of {servers} servers and {rooms} rooms")
        half = census.with_suffix(".half")
        half.unlink(missing_ok=True)
        _apart(_write, half, servers, rooms, days)
        half.rename(census)
    say("text features and resilience of the newest census")
    first = _apart(_first, census)
    say("the step at publish")
    series = _apart(_step, census)
    return {"servers": servers, "rooms": rooms, "days": days, **series, **first}


def _write(census: Path, servers: int, rooms: int, days: int) -> dict[str, Any]:
    write_history(census, servers=servers, rooms=rooms, days=days)
    return {}


def _first(census: Path) -> dict[str, Any]:
    """The newest census from nothing; its rows, under the numbers of all earlier ones, are what the step finds."""
    watch = Stopwatch()
    with stage(census) as draft:
        ids = census_ids(draft.path)
        frames = load_frames(draft.path, ids[-1:])
        (snapshot,) = frames.snapshots
        federation = federation_graph(snapshot, frames.reference.software)
        with watch.on("resilience_s"):
            shape, curves = graph_shape(federation.graph), removals(federation)
        with watch.on("features_s"):
            features = room_features(snapshot)
        with watch.on("features_again_s"):
            room_features(snapshot, features)
        lives = load_lives(draft.path, ids[-1])
        stays = load_version_stays(draft.path, ids[-1])
        gathered = Gathered(lives, stays, federation, held_by(federation), shape, curves, features)
        rows = [row for part in PARTS for row in part.rows(snapshot, frames, gathered)]
        store_newest(draft, snapshot, gathered)
        store_rows(draft, (), [replace(row, snapshot=number) for number in ids for row in rows])
        draft.commit()
    return watch.rounded() | {"features_and_resilience_peak_rss_mb": _peak_rss_mb()}


def _step(census: Path) -> dict[str, Any]:
    """What `steps.store_numbers` does, piece by piece, with the text features of the day before."""
    watch, apart = Stopwatch(), Stopwatch()
    with apart.on("stage_s"):
        draft = stage(census)
    with draft:
        ids = census_ids(draft.path)
        with watch.on("read the newest census"):
            frames = load_frames(draft.path, ids[-1:])
            (snapshot,) = frames.snapshots
        with watch.on("read the history"):
            lives, stays = load_lives(draft.path, ids[-1]), load_version_stays(draft.path, ids[-1])
            features = carried_over(draft.previous, ROWS_VERSION, FEATURES_VERSION).features
            assert features is not None, "the first publish stored them"  # noqa: S101 - for mypy; it was written above
        with watch.on("who is in what"):
            federation = federation_graph(snapshot, frames.reference.software)
            held = held_by(federation)
        gathered = Gathered(lives, stays, federation, held, GraphShape({}, {}, {}, {}), [], features)
        rows: list[MetricRow] = []
        for part in PARTS:
            if part.name != "resilience":
                with watch.on(_said(part)):
                    rows += part.rows(snapshot, frames, gathered)
        with watch.on("take over and store"):
            store_rows(draft, ids[:-1], rows)
        with apart.on("history_tables_s"):
            store_history(draft, snapshot, frames, gathered)
        with watch.on("read the whole series"):
            series = load_series_frame(draft.path).height
        wall_s = sum(watch.spent_s.values())
        return {
            "wall_s": round(wall_s, 3),
            "cpu_s": round(watch.cpu_s, 3),
            "peak_rss_mb": _peak_rss_mb(),
            "rows": series,
            "share": {what: round(seconds / wall_s, 3) for what, seconds in watch.spent_s.items()},
            **apart.rounded(),
        }


def _said(part: Part) -> str:
    answers = " and ".join(map(str, filter(None, part.missions)))
    return f"{part.name} (metric {answers})" if answers else part.name


def _peak_rss_mb() -> int:
    """Of this process so far; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _apart(action: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """The answer of a function in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(action, *arguments).result()


@click.command(short_help="Measure the numbers of a census with years of censuses before it.")
@made_history_options
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    metavar="DIR",
    help="Keep the made-up history here and use it again the next time; else it is made anew and removed.",
)
def metrics(servers: int, rooms: int, days: int, folder: Path | None) -> None:
    """Compute the nine metrics and the concentration tables of the newest of many made-up censuses, store them beside
    those of the earlier ones, read the series of all back, and print one JSON object.

    wall_s, cpu_s (of all threads) and peak_rss_mb are of that; share says what part of wall_s went where. Apart stand
    resilience_s (the curves of the newest census), features_s (signs and language of every room's text, nothing known
    before), features_again_s (the same texts on the next day) and history_tables_s (cohorts, survival, adoption). Rows
    of a census are computed once, at its publish, and taken over afterwards: no earlier census is read again. The full
    size takes some minutes and 500 MB of temporary space.
    """

    def say(text: str) -> None:
        click.echo(f"{text} ...", err=True)

    with tempfile.TemporaryDirectory(prefix="matrix-census-bench-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        found = bench_metrics(place, servers=servers, rooms=rooms, days=days, say=say)
    click.echo(json.dumps(found, indent=1))
