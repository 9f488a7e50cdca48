"""A crawl that was interrupted, and what it has committed: all that is needed to go on with it.

Apart from the crawl itself, because only the store writes these down and only a resumed crawl reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawler.model.crawl import Crawl, LeadSource
from crawler.model.rooms import SpaceAnswer


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A crawl that can be resumed. `settings` is the JSON of its row, `identity` the server name that signed its
    requests, None for an unsigned one."""

    crawl: Crawl
    settings: Mapping[str, Any]
    identity: str | None


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit that is committed.

    Attributes:
        server_name: in the spelling of the visit.
        is_new: the crawl itself was the first to meet the name.
        client_base: as published; None: it published none.
        address: of the endpoint used; None: there was none.
    """

    server_name: str
    is_new: bool
    online: bool
    federating: bool
    client_base: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class PastCounts:
    """Counts over all visits that are committed, as `engine.progress` keeps them."""

    sums: Mapping[str, int]
    failures: Mapping[str, int]
    directories: Mapping[str, int]
    attempts: Mapping[str, int]
    bounds_hit: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Past:
    """What an interrupted crawl has committed.

    Attributes:
        visits: in the order in which they began.
        given: names that the crawl was given to start from, with how.
        heard: names that servers told of -> how many told, in the order of first hearing.
        foreign_aliases: aliases listed by directories other than their owner's -> most members reported.
        listed: (server name, room ID, room type) of the directories.
        spaces: (name of the server that told, what it told), in the order of telling.
        sittings: each run of the crawl's process so far, oldest first: began_at, ended_at, crawler_version and
            traffic; the last two of these are None when it was killed.
    """

    crawl: Crawl
    visits: tuple[PastVisit, ...]
    given: tuple[tuple[str, LeadSource], ...]
    heard: Mapping[str, int]
    foreign_aliases: Mapping[str, int]
    listed: tuple[tuple[str, str, str | None], ...]
    spaces: tuple[tuple[str, SpaceAnswer], ...]
    counts: PastCounts
    sittings: tuple[Mapping[str, Any], ...]
