"""Two vantages crawl one practice federation, each with parts of it out of reach; merged, both truths are there."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from crawler.engine.plan import Plan
from crawler.engine.report import build_report
from crawler.engine.run import CrawlRun
from crawler.engine.worker import worker
from crawler.lab.hosting import REFUSING_PORT
from crawler.lab.run import Lab
from crawler.model.crawl import CrawlScope, LeadSource
from crawler.model.names import parse_server_name
from crawler.net.transport import Network
from crawler.store.export import ExportOptions, export
from crawler.store.forget import forget, subject_of
from crawler.store.importing import import_snapshot
from crawler.store.verify import verify
from crawler.store.writer import CensusWriter
from tests.lab.conftest import LabMaker
from tests.lab.crawls import LIVING, settings_for
from tests.store.census import publish

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def crawl_from(lab: Lab, path: Path, vantage: str, hidden: set[str], only: list[str]) -> None:
    """A crawl to which these addresses are out of reach."""
    refusing = next(rule.rpartition("=")[2] for rule in lab.connect if rule.startswith(f"*:{REFUSING_PORT}="))
    settings = settings_for(lab)
    walls = tuple(f"{f'[{address}]' if ':' in address else address}:*={refusing}" for address in sorted(hidden))
    network_settings = replace(settings.network, connect=(*walls, *settings.network.connect))
    settings = replace(settings, network=network_settings, vantage=vantage)
    with CensusWriter.open(path) as writer:
        async with Network(settings, version="1.2.3", now=lambda: NOW) as network:
            seeds = tuple((parse_server_name(name), LeadSource.SEED) for name in only)
            plan = Plan(seeds, CrawlScope.FULL, synthetic=True)
            run = CrawlRun(plan, settings, writer, worker(network, None), lambda: NOW)
            await run.run(lambda progress: build_report(progress, network.traffic))


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def seen_online(path: Path) -> set[str]:
    online = "SELECT server_key FROM server_state JOIN server USING (server_id) WHERE online"
    return {name for (name,) in query(path, online)}


def listed(path: Path) -> set[str]:
    return {room for (room,) in query(path, "SELECT DISTINCT room_id FROM listing")}


async def test_merged_both_truths_are_there(lab: LabMaker, tmp_path: Path) -> None:
    here, there = tmp_path / "here" / "census.duckdb", tmp_path / "there" / "census.duckdb"
    async with lab(servers=40, profile=LIVING) as stranger:
        world = stranger.lab.world
        addresses = {n: {t.address for t in world.presence(k).targets} for k, n in enumerate(world.names)}
        alone = [n for n in world.names if sum(bool(addresses[n] & other) for other in addresses.values()) == 1]
        from_here, from_there = addresses[alone[0]] | addresses[alone[1]], addresses[alone[2]] | addresses[alone[3]]
        await crawl_from(stranger.lab, here, "here", from_here, world.names)
        await crawl_from(stranger.lab, there, "there", from_there, world.names)
    online_here, online_there = seen_online(here), seen_online(there)
    listed_here, listed_there = listed(here), listed(there)
    # By the walls that we put up, not by what any SQL says.
    assert online_there - online_here == {alone[0].lower(), alone[1].lower()}
    assert online_here - online_there == {alone[2].lower(), alone[3].lower()}
    publish(there)
    export(there, tmp_path / "out", ExportOptions())
    import_snapshot(here, tmp_path / "out")
    publish(here)
    assert verify(here) == []
    merged = query(here, "SELECT lower(server_name), online, disagree, online_for, offline_for FROM merged_server")
    told = {name: rest for name, *rest in merged}
    assert {name for name, (online, *_) in told.items() if online} == online_here | online_there
    assert {name: rest for name, rest in told.items() if rest[1]} == {
        **{name.lower(): [True, True, ["there"], ["here"]] for name in alone[:2]},
        **{name.lower(): [True, True, ["here"], ["there"]] for name in alone[2:4]},
    }
    rooms = {room: rest for room, *rest in query(here, "SELECT room_id, listed_for, unlisted_for FROM merged_room")}
    assert rooms == {
        **{key: [["here", "there"], None] for key in listed_here & listed_there},
        **{key: [["here"], ["there"]] for key in listed_here - listed_there},
        **{key: [["there"], ["here"]] for key in listed_there - listed_here},
    }
    assert len(rooms) > len(listed_here)
    of_one = f"FROM by_vantage WHERE server_name = '{alone[0]}' ORDER BY vantage"
    sides = query(here, f"SELECT vantage, online, failed_kind {of_one}")
    assert sides == [("here", False, "tcp_refused"), ("there", True, None)]
    # Neither history has become the other's: the newest crawl of the file is its own.
    assert query(here, "SELECT crawl_id, vantage FROM census ORDER BY crawl_id") == [(-1, "there"), (1, "here")]
    # What was forgotten is asked by no crawl after, though everybody names it.
    forget(here, [subject_of(alone[4])])
    async with lab(servers=40, profile=LIVING) as stranger:
        await crawl_from(stranger.lab, here, "here", set(), world.names)
        names = {sighting.server for sighting in stranger.lab.seen.sightings}
    assert alone[4] not in names
    assert alone[5] in names
    assert query(here, f"SELECT count(*) FROM server WHERE server_key = '{alone[4].lower()}'") == [(0,)]
    publish(here)
    assert verify(here) == []
