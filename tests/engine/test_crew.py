"""Several processes crawl one practice federation, for real: all is found, also when one is killed, and no address is
asked more than by one process."""

import os
import resource
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trio

from crawler.config import Limits, Network, Politeness, Settings
from crawler.engine.canary import Canary
from crawler.engine.crew import FRUITLESS, Crew
from crawler.engine.leases import Start
from crawler.engine.plan import Plan
from crawler.engine.run import CrawlRun
from crawler.engine.seeds import read_seeds
from crawler.engine.task import Visit
from crawler.engine.worker import worker
from crawler.errors import CensusError, LocalResourcesError
from crawler.lab.profile import CALM
from crawler.lab.run import Lab, LabOptions, serve_lab
from crawler.lab.truth import Truth
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.model.names import parse_server_name
from crawler.net import transport
from crawler.protocol.memory import Memory
from crawler.store.writer import CensusWriter

SERVERS = 40
LIMITS = Limits(address_concurrency=2, address_rate_per_s=40.0)
SHARED = replace(CALM, hosted_share=0.7, tenants_an_address=30, dead_share=0.0)
"""Most servers behind few addresses, so that processes meet there."""


@asynccontextmanager
async def federation(folder: Path) -> AsyncIterator[Lab]:
    with trio.fail_after(240):
        async with trio.open_nursery() as nursery:
            options = LabOptions(servers=SERVERS, seed=4, directory=folder / "lab", profile=SHARED)

            async def up(*, task_status: trio.TaskStatus[Lab]) -> None:
                await serve_lab(options, task_status=task_status)

            yield await nursery.start(up)
            nursery.cancel_scope.cancel()


def settings_of(lab: Lab) -> Settings:
    network = Network(
        dns=f"127.0.0.1:{lab.dns_port}",
        ca=str(lab.files.ca),
        connect=tuple(lab.connect),
        allow_address=tuple(lab.world.allow_addresses()),
    )
    return Settings(limits=LIMITS, politeness=Politeness(contact="t@census.example"), network=network)


@dataclass(frozen=True, slots=True)
class Crawled:
    """How a crawl ended, and how many requests it says it made."""

    sealed: Crawl
    requests: int


async def crawl(
    lab: Lab, db: Path, workers: int, meanwhile: Callable[[CrawlRun, Crew], None] = lambda _run, _crew: None
) -> Crawled:
    """A crawl in the same loop as the lab, by so many worker processes; none: by this one."""
    settings = settings_of(lab)
    memory = Memory()
    network = transport.Network(settings, version="test", memory=memory)
    canary = Canary(network, settings.liveness)
    crew = Crew(max(1, workers), Start(settings, None, "test"), network.traffic, canary, memory)
    plan = Plan(tuple(read_seeds(lab.files.seeds)), CrawlScope.FULL, synthetic=True)
    with CensusWriter.open(db) as writer:
        work = crew.work if workers else worker(network, None, canary)
        run = CrawlRun(plan, settings, writer, work, lambda: datetime.now(UTC), canary, memory)
        async with network, trio.open_nursery() as nursery:

            async def look_on() -> None:
                while True:
                    await trio.sleep(0.02)
                    meanwhile(run, crew)

            if workers:
                await nursery.start(crew.run)
            nursery.start_soon(look_on)
            sealed = await run.run(lambda _progress: {})
            nursery.cancel_scope.cancel()
    return Crawled(sealed, network.traffic.requests)


def told(db: Path) -> list[tuple[object, ...]]:
    """What a crawl says of each server, without times and what is drawn by lot."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return connection.execute(
            "SELECT server_name, branch, online, federating, listing, failed_kind, software_raw, verify_keys,"
            " directory_state, directory_rooms, aliases_outstanding, support_published"
            " FROM server_observation JOIN server USING (server_id) ORDER BY server_name"
        ).fetchall()


def check_pace(lab: Lab) -> None:
    """By what the servers themselves saw of all processes together."""
    assert lab.seen.sightings
    assert max(lab.seen.together_max.values()) <= LIMITS.address_concurrency
    times: defaultdict[str, list[float]] = defaultdict(list)
    for sighting in lab.seen.sightings:
        if sighting.address is not None:
            times[sighting.address].append(sighting.at_s)
    busiest = max(times.values(), key=len)
    assert len(busiest) > LIMITS.address_rate_per_s * 2
    # Requests leave at the pace and may reach a busy server in heaps: over the whole crawl they cannot be quicker.
    assert len(busiest) <= LIMITS.address_rate_per_s * (busiest[-1] - busiest[0]) + LIMITS.address_concurrency


async def test_the_snapshot_is_that_of_one_process(tmp_path: Path) -> None:
    async with federation(tmp_path) as lab:
        await crawl(lab, tmp_path / "alone.duckdb", 0)
        for workers in (1, 2):
            requests = lab.seen.requests
            lab.seen.sightings.clear()
            db = tmp_path / f"{workers}.duckdb"
            together = await crawl(lab, db, workers)
            assert told(db) == told(tmp_path / "alone.duckdb")
            assert together.sealed.state is CrawlState.COMPLETED
            assert together.requests == lab.seen.requests - requests
            check_pace(lab)


async def test_killing_a_worker_loses_no_server(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill(run: CrawlRun, crew: Crew) -> None:
        if run.progress.visited >= 5 * (len(killed) + 1) and len(killed) < 2 and len(crew.pids) == 2:
            killed.append(crew.pids[0])
            os.kill(killed[-1], signal.SIGKILL)

    async with federation(tmp_path) as lab:
        crawled = await crawl(lab, tmp_path / "census.duckdb", 2, kill)
        truth: Any = Truth(lab.world).document()["servers"]
        findable = {name for name, facts in truth.items() if facts["findable_unsigned"]}
        assert len(killed) == 2
        assert crawled.sealed.state is CrawlState.COMPLETED
        assert {row[0] for row in told(tmp_path / "census.duckdb") if row[2]} == findable
        assert max(lab.seen.together_max.values()) <= LIMITS.address_concurrency


DEAD_END = Visit(parse_server_name("127.0.0.1:9"))


def nowhere(ca: str = "") -> Settings:
    """A network in which nothing is found."""
    return Settings(network=Network(dns="127.0.0.1:9", ca=ca, allow_address=("127.0.0.0/8",)))


def crew_of_one(settings: Settings) -> Crew:
    network = transport.Network(nowhere(), version="test")
    return Crew(1, Start(settings, None, "test"), network.traffic, Canary(network, settings.liveness), Memory())


async def have_done(crew: Crew, *tasks: Visit, between: Callable[[int], None] = lambda _pid: None) -> None:
    """One task after the other; `between` them, something happens to the worker."""
    with trio.fail_after(120):
        async with trio.open_nursery() as nursery:
            await nursery.start(crew.run)
            for task in tasks:
                await crew.work(task)
                between(crew.pids[0])
            nursery.cancel_scope.cancel()


async def test_workers_that_cannot_live_end_the_crawl_and_say_so() -> None:
    crew = crew_of_one(nowhere(ca="/nowhere.pem"))
    with pytest.raises(ExceptionGroup) as caught:
        await have_done(crew, DEAD_END)
    assert caught.group_contains(CensusError, match="worker processes died", depth=2)
    assert crew.deaths == FRUITLESS


async def test_a_worker_out_of_descriptors_blames_no_server() -> None:
    def leave_none(pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0))

    with pytest.raises(ExceptionGroup) as caught:
        await have_done(crew_of_one(nowhere()), DEAD_END, DEAD_END, between=leave_none)
    assert caught.group_contains(LocalResourcesError, depth=1)


async def test_a_bug_in_a_worker_is_told_with_its_place() -> None:
    no_name: Any = "no parsed name"
    with pytest.raises(ExceptionGroup) as caught:
        await have_done(crew_of_one(nowhere()), Visit(no_name, address="192.0.2.1"))
    assert caught.group_contains(RuntimeError, match="visit.py", depth=1)
