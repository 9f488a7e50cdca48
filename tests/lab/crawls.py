"""Crawls of a practice federation that runs in the same process."""

from datetime import datetime
from pathlib import Path

from crawler.config import Limits, Settings
from crawler.config import Network as NetworkSettings
from crawler.engine.plan import Plan
from crawler.engine.report import build_report
from crawler.engine.run import CrawlRun
from crawler.engine.worker import worker
from crawler.lab.profile import Profile
from crawler.lab.run import Lab
from crawler.model.crawl import Crawl, CrawlScope, LeadSource
from crawler.model.discovery import Branch
from crawler.model.names import parse_server_name
from crawler.net.transport import Network
from crawler.protocol.memory import Memory
from crawler.store.writer import CensusWriter

LIVING = Profile("living", dead_share=0, has_roster=False, branch_shares=dict.fromkeys(Branch, 1))
"""Every branch about as often as any other, and nobody silent: no test waits for a time-out or meets one by chance."""


def settings_for(lab: Lab) -> Settings:
    line = lab.line()
    network = NetworkSettings(
        dns=str(line["dns"]), ca=str(line["ca"]), connect=lab.connect, allow_address=tuple(lab.world.allow_addresses())
    )
    limits = Limits(address_concurrency=100, address_rate_per_s=1e6)
    return Settings(limits=limits, network=network)


async def crawl(lab: Lab, path: Path, now: datetime) -> tuple[Crawl, CrawlRun]:
    """As the verb does it, unsigned and by a clock of ours, with all names as seeds."""
    settings, memory = settings_for(lab), Memory()
    seeds = tuple((parse_server_name(name), LeadSource.SEED) for name in lab.world.names)
    with CensusWriter.open(path) as writer:
        memory.learn(writer.remembered_answers(settings.to_json(), now))
        async with Network(settings, version="1.2.3", now=lambda: now, memory=memory) as network:
            run = CrawlRun(
                Plan(seeds, CrawlScope.FULL, synthetic=True),
                settings,
                writer,
                worker(network, None),
                lambda: now,
                memory=memory,
            )
            return await run.run(lambda progress: build_report(progress, network.traffic)), run
