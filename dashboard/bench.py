"""`bench dashboard`: what visitors get from a served census of a year, how fast, how much, and what the server needs.

The census is made up (`analytics.made_history`); the server is `matrix-census serve` in a process of its own, asked
over a socket as a browser asks (`bench_visitor`). Only the headline needs a browser (`bench_browser`).
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click

from analytics.made_history import make_published_history
from crawler.cli.options import made_history_options
from crawler.store.reader import SnapshotReader
from dashboard import routing
from dashboard.bench_browser import NoBrowserError, look
from dashboard.bench_visitor import Visit, Visitor
from dashboard.charts.catalogue import CHARTS
from dashboard.pages.rooms import room_path
from dashboard.pages.servers import server_path

VISITORS = 50
_PAUSE_S = (0.5, 1.5)
_SEED = 1
_STOP_S = 30
_P95 = 0.95


@dataclass(frozen=True, slots=True)
class Server:
    """A dashboard in a process of its own."""

    site: str
    pid: int

    @property
    def cpu_s(self) -> float | None:
        """CPU seconds so far, of all threads; None where the system does not say (proc(5): fields 14 and 15)."""
        try:
            after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_rss_mb(self) -> int | None:
        """The most memory so far, MB of 2^20 bytes; None where the system does not say."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return None
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return int(found[1]) // 1024 if found else None


def bench_dashboard(census: Path, visits: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure a census file that is published.

    Args:
        census: The census file.
        visits: How often each page is opened.
        say: Is told what is being done.

    Returns:
        What is printed, JSON-like.
    """
    chance = random.Random(_SEED)  # noqa: S311 - which page is next, no secret
    pages, answers = _addresses(census, chance)
    load = os.getloadavg()[0]
    without: dict[str, str] = {}
    with _serving(census) as server:
        learned: dict[str, Any] = {}
        with closing(Visitor(server.site, learned)) as visitor:
            found = {
                name: _measured(server, visitor.open, islice(cycle(those), visits), say, name)
                for name, those in pages.items()
            }
            asked = {
                name: _measured(server, visitor.get, islice(cycle(those), visits), say, name)
                for name, those in answers.items()
            }
        say(f"{VISITORS} visitors at once")
        walks = _walk(server, learned, list(pages.values()), max(1, visits // 4), chance)
        say("the headline in a browser")
        try:
            seen = look(server.site, [those[0] for those in pages.values()])
        except NoBrowserError as error:
            seen = None
            without = dict.fromkeys(("headline_ms", "shared_kb"), str(error))
        peak = server.peak_rss_mb
    if peak is None:
        without["peak_rss_mb"] = "this system has no /proc/PID/status"
    return {
        "pages": found,
        "headline_ms": seen.headline_ms if seen else None,
        "visitors50_p95_ms": _quantile([walk.took_ms for walk in walks], _P95),
        "peak_rss_mb": peak,
        "shared_kb": seen.shared_kb if seen else None,
        "answers": asked,
        "without": without,
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
    }


def _addresses(census: Path, chance: random.Random) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The pages by name, and what is asked for that is none: of each the addresses that are opened in turn."""
    with SnapshotReader.open(census) as reader:
        crawl = reader.latest_census()
        assert crawl is not None  # noqa: S101 - it was published a moment ago
        servers = [row.server_name for row in reader.servers_page(crawl.id, limit=1000).rows]
        rooms = [row.room_id for row in reader.rooms_page(crawl.id, limit=50).rows]
        rooms += [row.room_id for row in reader.rooms_page(crawl.id, sort="room_id", limit=950).rows]
    chance.shuffle(servers)
    chance.shuffle(rooms)
    sealed = (crawl.finished_at or crawl.started_at).date()
    since = [sealed - timedelta(days=days) for days in chance.sample(range(2, 400), 50)]
    words = [f"{chance.choice('aeiourst')}{chance.choice('aeiourst')}" for _ in range(50)]
    plain = {page.path.strip("/") or "overview": [page.path] for page in routing.PAGES if "{" not in page.path}
    pages = plain | {
        "servers, searched": [f"/servers?{urlencode({'q': word, 'sort': '-rooms'})}" for word in words],
        "rooms, searched": [f"/rooms?{urlencode({'q': word, 'noise': 'shown'})}" for word in words],
        "growth, of days chosen": [f"/growth?from={day}" for day in since],
        "server": [server_path(name) for name in servers],
        "room": [room_path(room_id) for room_id in rooms],
        "charts": [f"/charts/{name}" for name in CHARTS],
    }
    answers = {
        "csv": [f"/data/{name}.csv" for name in CHARTS],
        "api servers": [f"/api/v1/servers?{urlencode({'q': word})}" for word in words],
        "api server": [f"/api/v1/servers/{quote(name, safe='')}" for name in servers],
        "api server history": [f"/api/v1/servers/{quote(name, safe='')}/history" for name in servers],
        "api rooms": [f"/api/v1/rooms?{urlencode({'q': word})}" for word in words],
        "api room": [f"/api/v1/rooms/{quote(room_id, safe='')}" for room_id in rooms],
        "api room history": [f"/api/v1/rooms/{quote(room_id, safe='')}/history" for room_id in rooms],
        "api changes": [f"/api/v1/changes?since={day}T00:00:00Z" for day in since],
        "api series": [f"/api/v1/series?metric=servers&since={day}T00:00:00Z" for day in since],
        "api metrics": ["/api/v1/metrics"],
        "api leads": [f"/api/v1/leads?{urlencode({'named_by': name})}" for name in servers],
        "metrics": ["/metrics"],
        "feed": ["/feed.atom"],
        "stats": ["/stats"],
        "catalogue": ["/catalog/servers/objects"],
    }
    return pages, answers


def _measured(
    server: Server, ask: Callable[[str], Visit], addresses: Iterator[str], say: Callable[[str], None], name: str
) -> dict[str, float | None]:
    """The first visit apart, and what lay between: a page that is the same for all is made by the first."""
    say(name)
    cpu_s = server.cpu_s
    visits = [ask(address) for address in addresses]
    after_s = server.cpu_s
    times = [visit.took_ms for visit in visits]
    return {
        "p50_ms": _quantile(times, 0.5),
        "p95_ms": _quantile(times, _P95),
        "weight_kb": round(max(visit.sent_bytes for visit in visits) / 1000, 1),
        "first_ms": round(times[0], 1),
        "cpu_ms": None if cpu_s is None or after_s is None else round((after_s - cpu_s) * 1000 / len(visits), 1),
    }


def _walk(
    server: Server,
    learned: dict[str, Any],
    pages: Sequence[Sequence[str]],
    steps: int,
    chance: random.Random,
) -> list[Visit]:
    """Fifty who open one page after another, any kind of page as likely as any other, and look at it for a second."""

    def walk(seed: int) -> list[Visit]:
        own = random.Random(seed)  # noqa: S311 - as above
        visits = []
        with closing(Visitor(server.site, learned)) as visitor:
            for _ in range(steps):
                time.sleep(own.uniform(*_PAUSE_S))
                visits.append(visitor.open(own.choice(own.choice(pages))))
        return visits

    with ThreadPoolExecutor(VISITORS) as threads:
        seeds = [chance.getrandbits(32) for _ in range(VISITORS)]
        return [visit for visits in threads.map(walk, seeds) for visit in visits]


def _quantile(times: Sequence[float], share: float) -> float:
    """By the nearest rank: the least of the times that `share` of them do not exceed."""
    ordered = sorted(times)
    return round(ordered[max(0, -int(-share * len(ordered) // 1) - 1)], 1)


@contextmanager
def _serving(census: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "matrix_census", "serve", "--db", str(census), "--port", "0"]
    # All visitors come from one address; each would have a ration of his own.
    command += ["--requests-a-minute", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - our own verb
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if not found:
            raise click.ClickException("the dashboard did not start; see above")
        yield Server(found[0], process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextmanager
def _made(keep: Path | None, sizes: Mapping[str, int], say: Callable[[str], None]) -> Iterator[Path]:
    """A published census of these sizes, made unless it is kept from before."""
    with tempfile.TemporaryDirectory(prefix="matrix-census-bench-") as passing:
        name = "made-{days}x{servers}x{rooms}".format(**sizes)
        folder = (keep or Path(passing)) / name
        census = folder / "census.duckdb"
        if not folder.exists():
            # Named only when it is whole: a file whose making was cut short is not measured the next time.
            making = folder.with_name(f"{name}.making-{os.getpid()}")
            making.mkdir(parents=True)
            make_published_history(making / census.name, **sizes, say=say)
            making.rename(folder)
        yield census


@click.command(short_help="Measure a served dashboard of years of censuses.")
@made_history_options
@click.option(
    "--visits",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    metavar="N",
    help="How often each page is opened; each of the fifty at once opens a quarter as many.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Leave the made census there, and measure it again the next time: to make the full one takes some minutes.",
)
def dashboard(servers: int, rooms: int, days: int, visits: int, keep: Path | None) -> None:
    """Serve a made-up history as `serve` does, in a process of its own, visit it, and print one JSON object.

    \b
    pages       For each page, over its visits one after another on one open connection:
      p50_ms, p95_ms  from asking to the last byte of all that a browser asks the server for when the page is opened:
                      the callback that fills the frame, those of controls and tables that follow, pictures of ours.
                      Not the document, scripts and styles, which are fetched once for all pages.
      weight_kb       bytes of those answers as sent, packed with gzip (of 1,000; the largest of the visits)
      first_ms        the first visit after the start: what is the same for all is made by it
      cpu_ms          CPU time of the server a visit, all threads, the first visit in it
    headline_ms       Chromium with an empty cache: from navigation to the first number of the overview being visible,
                      the median of five
    visitors50_p95_ms fifty at once, each opening pages at random with pauses of half a second to a second and a half
    peak_rss_mb       the server's memory at its most, of 2^20 bytes
    shared_kb         what all pages need, once: document, scripts, styles, layout, as Chromium got it
    answers           of what is for programs, the same numbers
    without           why a number is null: without Playwright or Chromium there is no headline
    load              of the machine over a minute, at the beginning and the end

    Pages of many (a server, a room, a search, a range of days) are of another one at each visit. Nothing is imported
    into the made-up census, so Developers is empty and of Spec the cadence is. Targets: each p95_ms 200, headline_ms
    1,500, visitors50_p95_ms 1,000, peak_rss_mb 1,000.
    """

    def say(text: str) -> None:
        click.echo(f"{text} ...", err=True)

    sizes = {"servers": servers, "rooms": rooms, "days": days}
    with _made(keep, sizes, say) as census:
        found = bench_dashboard(census, visits, say)
    click.echo(json.dumps({**sizes, **found}, indent=1))
