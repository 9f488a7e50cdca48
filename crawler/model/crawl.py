"""A crawl, its state and scope, and the leads that feed it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CrawlState(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class CrawlScope(StrEnum):
    """FULL looks at every server it can find; LIMITED had a cap, a subset, or one server.

    Only a completed full crawl is a census.
    """

    FULL = "full"
    LIMITED = "limited"


class LeadSource(StrEnum):
    """How we came to hear of a server."""

    SEED = "seed"
    MRS_CATALOG = "mrs_catalog"
    FEDERATION_INFO = "federation_info"
    ROOM_ID = "room_id"
    ALIAS = "alias"
    ALIAS_SERVERS = "alias_servers"
    WELL_KNOWN = "well_known"
    SPACE_CHILD = "space_child"
    SPACE_VIA = "space_via"
    SPACE_SENDER = "space_sender"
    SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True)
class Lead:
    """Somebody named a server. `server` is the name's key (ASCII-lower); `named_by` the key of the server whose answer
    named it (None for seeds); `count` how often that answer named it this way."""

    server: str
    source: LeadSource
    named_by: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Crawl:
    """One row of the crawl table. `finished_at` is None while running; counts are None until the seal."""

    id: int
    state: CrawlState
    scope: CrawlScope
    synthetic: bool
    started_at: datetime
    finished_at: datetime | None
    servers: int | None
    online: int | None
    rooms: int | None
    crawler_version: str
    vantage: str

    @property
    def is_census(self) -> bool:
        return self.state is CrawlState.COMPLETED and self.scope is CrawlScope.FULL
