"""What a new crawl is asked to do: its settings, its seeds, and whom to knock at, from the options of the verb.

Beside `resume`, which has the same of a crawl that was interrupted.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trio

from crawler.cli.options import server_name_argument, settings_from
from crawler.config import Settings
from crawler.engine.optouts import OptOuts
from crawler.engine.plan import Plan
from crawler.engine.seeds import LIST_LIMIT_BYTES, Seed, parse_seeds, read_seeds, shipped_seeds
from crawler.engine.synthetic import trusts_only_the_lab
from crawler.errors import UsageError
from crawler.model.crawl import CrawlScope, LeadSource
from crawler.model.names import ServerName, try_server_name
from crawler.model.observation import Attempt, Failed, Ok
from crawler.net.fetch import Answer
from crawler.net.transport import Network
from crawler.protocol.signing import Identity
from crawler.version import VERSION

CANARIES = 8
"""Shipped seeds that a live crawl knocks at, unless it is told others."""


def new_plan(options: dict[str, Any], identity: Identity | None, opt_outs: OptOuts) -> tuple[Settings, Plan]:
    """The settings and the plan.

    Raises:
        UsageError: an option is no good, or a live crawl has no contact.
    """
    settings = settings_from(options, options["contact"])
    if settings.network.is_live and not settings.politeness.contact:
        raise UsageError(
            "a crawl of the live network wants --contact ADDRESS, so that server admins can reach you "
            "(for a private federation give --allow-address instead)"
        )
    seeds = [(server_name_argument(seed), LeadSource.SEED) for seed in options["seeds"]]
    for where in options["seeds_files"]:
        seeds += _seeds_from(where, settings)
    named_by_hand = bool(seeds)
    seeds = seeds or [(name, LeadSource.SEED) for name in shipped_seeds()]
    plan = Plan(
        seeds=tuple(seeds),
        insists=named_by_hand,
        opt_outs=opt_outs,
        scope=CrawlScope.FULL if options["max_servers"] is None else CrawlScope.LIMITED,
        max_servers=options["max_servers"],
        synthetic=trusts_only_the_lab(settings.network.ca),
        identity=identity.server_name.raw if identity else None,
        crawler_version=VERSION,
    )
    return settings, plan


def _seeds_from(where: str, settings: Settings) -> list[Seed]:
    if not where.startswith("https://"):
        return read_seeds(Path(where))
    attempt = trio.run(_download, where, settings)
    if isinstance(attempt, Ok) and attempt.value.status == 200:
        return parse_seeds(attempt.value.body, where)
    why = f"status {attempt.value.status}" if isinstance(attempt, Ok) else "no answer"
    if isinstance(attempt, Failed):
        why = f"{attempt.failure.kind} {attempt.failure.detail}"
    raise UsageError(f"cannot get the seeds at {where}: {why}")


async def _download(url: str, settings: Settings) -> Attempt[Answer]:
    place = try_server_name(urlsplit(url).netloc)
    if place is None:
        raise UsageError(f"{url!r} is no https URL of a plain host")
    async with Network(settings, version=VERSION) as network, network.visit(place) as session:
        return await session.get(url, body_limit_bytes=LIST_LIMIT_BYTES)


def canaries_of(settings: Settings) -> list[ServerName]:
    """Whom to knock at before anybody was found online."""
    named = [server_name_argument(name) for name in settings.liveness.canaries]
    return named or (shipped_seeds()[:CANARIES] if settings.network.is_live else [])
