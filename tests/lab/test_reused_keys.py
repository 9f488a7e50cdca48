"""Practice servers that give their key ID to another key: the next crawl's report names them, and nobody else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.cli.publication import publish
from crawler.engine.report import summary_lines
from crawler.net.traffic import Traffic
from crawler.store.reader import SnapshotReader
from tests.lab.conftest import LabMaker
from tests.lab.crawls import LIVING, crawl

REUSERS = 2


async def test_servers_that_reuse_a_key_id_are_named(lab: LabMaker, tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    start = datetime(2026, 11, 24, 3, tzinfo=UTC)
    async with lab(servers=20, profile=LIVING) as stranger:
        world = stranger.lab.world
        federating = [plan.index for plan in world.plans() if plan.alive][:REUSERS]
        names = {world.names[index] for index in federating}
        first, _ = await crawl(stranger.lab, path, start)
        for index in federating:
            stranger.lab.matrix.reuse_key_id(index)
        second, run = await crawl(stranger.lab, path, start + timedelta(minutes=1))
    publish(path, [])
    with SnapshotReader.open(path) as reader:
        assert told(reader, first.id) == {"servers": 0, "named": {}}
        id_of = {world.names[index]: world.identity(index).key.key_id for index in federating}
        assert told(reader, second.id) == {"servers": REUSERS, "named": {name: [id_of[name]] for name in sorted(names)}}
        for index in federating:
            identity = world.identity(index)
            past = reader.past_keys(identity.server_name.key)[identity.key.key_id]
            assert identity.key.public_key_base64 in past
            assert len(past) == 2
            uses = reader.key_uses(identity.server_name.key)
            assert [(use.first_crawl, use.last_crawl) for use in uses] == [(1, 1), (2, 2)]
    (line,) = [line for line in summary_lines(second, run.progress, Traffic()) if "key ID" in line]
    assert str(REUSERS) in line
    assert all(name in line for name in names)


def told(reader: SnapshotReader, crawl_id: int) -> Any:
    return reader.report(crawl_id)["key_ids_reused"]
