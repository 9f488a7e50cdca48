"""The rows of the crawl table as the model speaks of them: read alike from a census file and from a serving file."""

from contextlib import closing
from pathlib import Path
from typing import Any

from crawler.errors import CensusLockedError
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.store.connection import Connection, connect_to_read
from crawler.store.lock import lock_to_read
from crawler.store.migrations import refuse_newer, schema_version
from crawler.store.serving import published_crawl, serving_file
from crawler.store.status import read_status

_SELECT = """
SELECT crawl_id, state, scope, synthetic, started_at, finished_at, servers, online, rooms, crawler_version, vantage
FROM crawl
"""


def read_crawl(connection: Connection, crawl_id: int) -> Crawl:
    """One crawl.

    Raises:
        ValueError: there is none of this number.
    """
    row = connection.execute(f"{_SELECT} WHERE crawl_id = ?", [crawl_id]).fetchone()
    if row is None:
        raise ValueError(f"there is no crawl {crawl_id}")
    return _crawl(row)


def read_crawls(connection: Connection) -> list[Crawl]:
    """All crawls of the file, newest first."""
    return [_crawl(row) for row in connection.execute(f"{_SELECT} ORDER BY crawl_id DESC").fetchall()]


def series_of(connection: Connection, vantage: str, *, synthetic: bool) -> int:
    """The number of the series of such crawls; it is begun if there is none."""
    place = [vantage, synthetic]
    row = connection.execute("SELECT series_id FROM series WHERE vantage = ? AND synthetic = ?", place).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO series SELECT coalesce(max(series_id), 0) + 1, ?, ? FROM series RETURNING series_id", place
        ).fetchone()
    if row is None:
        raise ValueError("an INSERT that returns no row")
    return int(row[0])


def crawl_rows(census: Path) -> list[Crawl]:
    """The crawls of a census file, newest first, for a person who asks what is in it.

    While nobody writes the file, it is what counts; a crawl that it calls running was killed, and the next start will
    call it failed. While somebody does, the crawls are those of the serving file, and the running one as its status
    tells of it (its counts are those so far). No census file: no crawls.

    Raises:
        SchemaTooNewError: a newer program wrote it.
        StoreError: it is no census, or cannot be read.
    """
    if not census.exists():
        return []
    try:
        with lock_to_read(census):
            return _crawls_of(census)
    except CensusLockedError:
        published = serving_file(census)
        crawls = [] if published is None else _crawls_of(published)
        status = read_status(census)
        if status is None or any(crawl.id >= status.crawl.id for crawl in crawls):
            return crawls
        return [status.crawl, *crawls]


def unpublished(census: Path) -> Crawl | None:
    """The newest crawl of a census file, if it is completed and the process ended before it was published."""
    newest = next(iter(crawl_rows(census)), None)
    if newest is None or newest.state is not CrawlState.COMPLETED or published_crawl(census) == newest.id:
        return None
    return newest


def _crawls_of(path: Path) -> list[Crawl]:
    with closing(connect_to_read(path)) as connection:
        version = schema_version(connection, path)
        refuse_newer(version, path)
        return read_crawls(connection) if version else []


def _crawl(row: tuple[Any, ...]) -> Crawl:
    number, state, scope, synthetic, started_at, finished_at, servers, online, rooms, crawler_version, vantage = row
    return Crawl(
        id=number,
        state=CrawlState(state),
        scope=CrawlScope(scope),
        synthetic=synthetic,
        started_at=started_at,
        finished_at=finished_at,
        servers=servers,
        online=online,
        rooms=rooms,
        crawler_version=crawler_version,
        vantage=vantage,
    )
