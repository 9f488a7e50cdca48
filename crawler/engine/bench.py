"""`bench crawl`: how fast and how right a crawl is, on a practice federation in a process of its own.

Speed is told as ratios within one run, since machines differ: the crawler's CPU time, from its start to a serving file
of what it saw, against that of as many plain TLS handshakes with the same certificates. The numbers that are computed
from a census afterwards are no part of its crawl: what publishing with them takes is told apart. What the crawl says is
scored against the federation's own tables.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.config import Settings
from crawler.errors import CensusError
from crawler.net.floor import Place, measure_floor
from crawler.settings import load_settings
from crawler.store.connection import without_pandas
from crawler.store.publish import stage
from crawler.store.reader import SnapshotReader
from crawler.store.rows import ServerRow

COMMAND = (sys.executable, "-m", "matrix_census")
LAB_START_S = 120.0
PAGE = 1000
SIX_REQUESTS = (
    "limits.client_api=false",
    "limits.directory_pages=1",
    "limits.space_lookups=0",
    "politeness.robots_txt=false",
    "politeness.close_look_share=0",
    "limits.address_rate_per_s=10000",
    "limits.address_concurrency=100",
)
"""Calm: the same six requests of everybody (.well-known of server, client, support; version; keys; the first page of
the signed directory), and no waiting: what a visit costs, and nothing else. As nobody is asked for aliases, the crawl
is told all names. robots.txt would be the seventh; a live crawl cannot leave it out."""

CALM = "calm"

PLACES = 100
"""Servers whose certificates the floor is measured with."""
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process and its children used, as the operating system counts it."""

    wall_s: float
    cpu_s: float
    peak_rss_mb: float


@dataclass(frozen=True, slots=True)
class Score:
    """What was said against what is so. `recall`: of the servers that can be found, how many were; `precision`: of
    those called online, how many are; `live_called_offline` counts servers online in truth and not so called."""

    recall: float
    precision: float
    live_called_offline: int


def bench_crawl(
    folder: Path, profile: str, lab_options: Sequence[str], crawl_options: Sequence[str]
) -> dict[str, object]:
    """One crawl of one practice federation, measured.

    Args:
        folder: an empty folder for its files.
        profile: of the federation; a calm one is crawled without waiting and on one CPU, any other as politely as by
            default and on all.
        lab_options: of the verb `lab`.
        crawl_options: of the verb `crawl`, besides those that the lab itself says.

    Returns:
        The figures by their names, ready for JSON.

    Raises:
        CensusError: the lab did not start or the crawl did not complete.
    """
    db = folder / "census.duckdb"
    with _lab(folder, ["--profile", profile, *lab_options]) as line:
        truth = json.loads((folder / "truth.json").read_text("utf-8"))
        to_lab = [part for key, value in line.items() for part in _option(key, value)]
        if profile == CALM:
            names = folder / "names.txt"
            names.write_text("\n".join(_findable(truth)), "utf-8")
            to_lab += ["--seeds", str(names), *(part for each in SIX_REQUESTS for part in ("--set", each))]
        with _cpus(1 if profile == CALM else None) as cpus:
            crawling = ["crawl", "--json", "--no-publish", "--contact", "bench@census.example", *to_lab, *crawl_options]
            spent, told = _spent_by([*crawling, "--db", str(db)])
            crawl_id = json.loads(told)["crawl"]
            stage_cpu_s = _stage(db)
            with SnapshotReader.open(db) as reader:
                report = reader.report(crawl_id)
                seen = list(_servers(reader, crawl_id))
                places = _places(reader, crawl_id, seen)
            traffic = report["traffic"]
            floor = measure_floor(_settings(line), places, traffic["handshakes"])
    publishing, _ = _spent_by(["publish", "--db", str(db)])
    servers = len(seen)
    cpu_ms = (spent.cpu_s + stage_cpu_s) * 1000 / servers
    floor_ms = floor.cpu_s * 1000 / servers
    score = _score(truth, seen)
    return {
        "profile": profile,
        "servers": servers,
        "cpus": cpus,
        "wall_s": round(spent.wall_s, 2),
        "servers_per_s": round(servers / spent.wall_s, 1),
        "cpu_ms_per_server": round(cpu_ms, 3),
        "floor_ms_per_server": round(floor_ms, 3),
        "ratio_to_floor": round(cpu_ms / floor_ms, 3),
        "requests_per_server": round(traffic["requests"] / servers, 2),
        "connections_per_server": round(traffic["connections"] / servers, 2),
        "dns_queries_per_server": round(traffic["dns_queries"] / servers, 2),
        "peak_rss_mb": round(spent.peak_rss_mb, 1),
        "recall": score.recall,
        "precision": score.precision,
        "live_called_offline": score.live_called_offline,
        "loop_lag_p99_ms": report.get("loop_lag_p99_ms"),
        "publish_cpu_s": round(publishing.cpu_s, 2),
        "publish_peak_rss_mb": round(publishing.peak_rss_mb, 1),
    }


@contextmanager
def _cpus(at_most: int | None) -> Iterator[int]:
    """Hold what runs within, and the processes that it starts, to so many CPUs, where the system can. How many."""
    if not hasattr(os, "sched_setaffinity"):
        yield os.cpu_count() or 1
        return
    all_of_them = os.sched_getaffinity(0)
    some = set(sorted(all_of_them)[-at_most:]) if at_most else all_of_them
    os.sched_setaffinity(0, some)
    try:
        yield len(some)
    finally:
        os.sched_setaffinity(0, all_of_them)


def _stage(db: Path) -> float:
    """Copy what was sealed into a serving file, without numbers. Returns the CPU seconds of that."""
    began = time.process_time()
    with without_pandas():
        stage(db).commit()
    return time.process_time() - began


def _option(key: str, value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        yield f"--{key.replace('_', '-')}"
        yield str(each)


@contextmanager
def _lab(folder: Path, options: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    arguments = [*COMMAND, "lab", "--dir", str(folder / "lab"), "--truth", str(folder / "truth.json"), *options]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise CensusError("the practice federation did not start; run `matrix-census lab` to see why")
            yield json.loads(line)
        finally:
            process.terminate()


def _spent_by(verb: Sequence[str]) -> tuple[Spent, str]:
    """Run a verb of ours to its end. Returns what it used, its workers included, and what it said."""
    began = time.monotonic()
    process = subprocess.Popen([*COMMAND, *verb], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    told = process.stdout.read() if process.stdout else ""
    # Workers are children of the crawl, which waits for them: the system counts them in.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - began
    if process.returncode != 0:
        raise CensusError(f"the {verb[0]} ended with exit code {process.returncode}: nothing to measure")
    return Spent(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), told


def _settings(line: Mapping[str, Any]) -> Settings:
    return load_settings(ca=line["ca"], connect=tuple(line["connect"]), allow_address=tuple(line["allow_address"]))


def _servers(reader: SnapshotReader, crawl_id: int) -> Iterator[ServerRow]:
    offset = 0
    while True:
        page = reader.servers_page(crawl_id, limit=PAGE, offset=offset)
        yield from page.rows
        offset += PAGE
        if offset >= page.total:
            return


def _places(reader: SnapshotReader, crawl_id: int, seen: Sequence[ServerRow]) -> list[Place]:
    """Endpoints that the crawl itself found secure, of as many servers as are enough to be typical."""
    secure = [row.server_name for row in seen if row.secure]
    places = []
    for name in secure[:: max(1, len(secure) // PLACES)]:
        found = reader.server(name, crawl_id)
        used = found.observation if found else None
        if used is not None and used.address and used.port and used.tls_name:
            places.append(Place(used.address, used.port, used.tls_name))
    return places


def _findable(truth: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts for name, facts in truth["servers"].items() if facts["findable"]}


def _score(truth: Mapping[str, Any], seen: Sequence[ServerRow]) -> Score:
    findable = _findable(truth)
    said = {row.server_name.lower(): row.online for row in seen}
    online = {name.lower() for name, facts in findable.items() if facts["predicates"]["online"]}
    called = {name for name, is_online in said.items() if is_online}
    return Score(
        recall=round(sum(name.lower() in said for name in findable) / max(1, len(findable)), 6),
        precision=round(len(called & online) / max(1, len(called)), 6),
        live_called_offline=len(online - called),
    )
