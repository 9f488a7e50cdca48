"""`crawl-status.json` beside the census file: what the running crawl is at, for `status` and the dashboard.

The census file is locked while it is written, so what is going on in it is told by a small file of its own, replaced
atomically after every batch. It is news, not record: whoever reads it must expect that its crawl was killed since.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crawler.errors import ProtocolError, StoreError
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.protocol.json_body import parse_object
from crawler.store.durable import replace_file

_FILE = "crawl-status.json"

_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CrawlStatus:
    """`census` is the name of the census file; `crawl` its crawl, with the counts so far while it runs (rooms are only
    counted at the seal); `process` writes it; `updated_at` is when it last did."""

    census: str
    crawl: Crawl
    process: int
    updated_at: datetime


def status_path(census: Path) -> Path:
    """Where the status of the crawls of a census file is."""
    return census.parent / _FILE


def write_status(census: Path, status: CrawlStatus) -> None:
    """Replace the status.

    Raises:
        StoreError: the folder cannot be written.
    """
    crawl = status.crawl
    document = {
        "census": status.census,
        "id": crawl.id,
        "state": crawl.state,
        "scope": crawl.scope,
        "synthetic": crawl.synthetic,
        "started_at": crawl.started_at.isoformat(),
        "finished_at": None if crawl.finished_at is None else crawl.finished_at.isoformat(),
        "servers": crawl.servers,
        "online": crawl.online,
        "rooms": crawl.rooms,
        "crawler_version": crawl.crawler_version,
        "vantage": crawl.vantage,
        "process": status.process,
        "updated_at": status.updated_at.isoformat(),
    }
    path = status_path(census)
    try:
        # A seal is worth waiting for the disk; what a running crawl is at is old news after a power cut.
        replace_file(path, json.dumps(document).encode(), flush=crawl.state is not CrawlState.RUNNING)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def read_status(census: Path) -> CrawlStatus | None:
    """The status of the crawl of this census file; None when there is none, or it is about another file."""
    try:
        with status_path(census).open("rb") as file:
            document = parse_object(file.read(_LIMIT_BYTES))
        status = CrawlStatus(
            census=document["census"],
            crawl=Crawl(
                id=int(document["id"]),
                state=CrawlState(document["state"]),
                scope=CrawlScope(document["scope"]),
                synthetic=bool(document["synthetic"]),
                started_at=datetime.fromisoformat(document["started_at"]),
                finished_at=datetime.fromisoformat(document["finished_at"]) if document["finished_at"] else None,
                servers=_count(document["servers"]),
                online=_count(document["online"]),
                rooms=_count(document["rooms"]),
                crawler_version=document["crawler_version"],
                vantage=document["vantage"],
            ),
            process=int(document["process"]),
            updated_at=datetime.fromisoformat(document["updated_at"]),
        )
    except (ProtocolError, OSError, ValueError, KeyError, TypeError):
        return None
    return status if status.census == census.name else None


def _count(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError("a count is a whole number")
