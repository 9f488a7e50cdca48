"""What a crawl is asked to do: whom to begin with, how far to go, in whose name. Its limits are settings."""

import json
from dataclasses import dataclass

from crawler.config import Settings
from crawler.engine.optouts import NOBODY, OptOuts
from crawler.model.crawl import CrawlScope, LeadSource
from crawler.model.names import ServerName


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crawl is asked to do.

    Attributes:
        insists: a person named the seeds, which are looked at whether due or not.
        resumes: number of the interrupted crawl that is gone on with, which has its seeds already; None: a new one.
    """

    seeds: tuple[tuple[ServerName, LeadSource], ...]
    scope: CrawlScope
    max_servers: int | None = None
    synthetic: bool = False
    identity: str | None = None
    crawler_version: str = "unknown"
    insists: bool = True
    opt_outs: OptOuts = NOBODY
    resumes: int | None = None

    def settings_json(self, settings: Settings) -> str:
        """The settings with what else a resumed crawl has to know of its beginning, as JSON."""
        document = json.loads(settings.to_json())
        return json.dumps({**document, "crawl": {"max_servers": self.max_servers, "insists": self.insists}})
