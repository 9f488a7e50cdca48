"""The census of this moment: the newest serving file, opened read-only, reopened when a new one is published.

A view stays whole: a request that began on one serving file ends on it, whatever is published meanwhile, so no page
mixes two snapshots. The old file is closed when its last request has gone. What is the same for every visitor (the
metric rows, the names for filters) is read once for each view; what a page computes is kept with it (`View.once`).
"""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TypeVar

import trio

from analytics.funnel import Predicate
from analytics.mission import metric_rows
from analytics.reference import load_software
from analytics.schemas import MetricRow
from crawler.model.crawl import Crawl
from crawler.store.reader import SnapshotReader
from crawler.store.serving import serving_file
from dashboard.figures.implementations import Named
from dashboard.kept import Kept

QUERIES_AT_ONCE = 8
"""Threads that ask DuckDB. Each query uses what cores there are; more at once only queue inside."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """One census. `rows` are its metric rows; `software` the reference table of implementations by name; `spoken` the
    names that its online servers give, the most common first."""

    reader: SnapshotReader
    crawl: Crawl
    rows: Sequence[MetricRow]
    software: Mapping[str, Named]
    spoken: Sequence[str]
    kept: Kept = field(default_factory=Kept)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for this census and `key`, and kept as long as the census is shown."""
        return self.kept.once(key, make)

    def has_table(self, name: str) -> bool:
        """Whether the serving file has a table: one that was published by an older version may lack it."""
        return name in self.once("tables", self._tables)

    def _tables(self) -> frozenset[str]:
        with closing(self.reader.cursor()) as cursor:
            return frozenset(name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall())

    @property
    def interval_s(self) -> float | None:
        """How far apart the censuses like the newest are, the median in seconds; None before the second."""
        return self.once("interval", self._interval_s)

    def _interval_s(self) -> float | None:
        sealed = sorted(
            crawl.finished_at
            for crawl in self.reader.crawls()
            if crawl.is_census and crawl.finished_at and crawl.vantage == self.crawl.vantage
        )
        gaps = [(after - before).total_seconds() for before, after in pairwise(sealed)]
        return median(gaps) if gaps else None

    @property
    def known(self) -> int:
        """Servers that anything named."""
        return next((int(row.value or 0) for row in self.rows if row.dimension == Predicate.KNOWN), 0)


@dataclass(slots=True)
class _Lease:
    reader: SnapshotReader
    view: View | None
    users: int = 0
    is_newest: bool = True


class CensusSource:
    """Gives views of one census file's newest serving file, to any thread."""

    def __init__(self, census: Path) -> None:
        self.census = census
        self.limiter = trio.CapacityLimiter(QUERIES_AT_ONCE)
        self._lock = threading.Lock()
        self._lease: _Lease | None = None

    @contextmanager
    def view(self) -> Iterator[View | None]:
        """The newest census for as long as it is used; None when there is none. Blocking.

        Raises:
            StoreError: what was published cannot be read.
        """
        with self._lock:
            lease = self._newest()
            if lease is not None:
                lease.users += 1
        try:
            yield lease.view if lease else None
        finally:
            if lease is not None:
                with self._lock:
                    lease.users -= 1
                    _close_if_done(lease)

    def close(self) -> None:
        """Let the serving file go as soon as nobody uses it."""
        with self._lock:
            self._retire()

    def _newest(self) -> _Lease | None:
        if self._lease is not None and self._lease.reader.is_newest:
            return self._lease
        if serving_file(self.census) is None:
            self._retire()
            return None
        opened = _open(self.census)
        self._retire()
        self._lease = opened
        return opened

    def _retire(self) -> None:
        if self._lease is not None:
            self._lease.is_newest = False
            _close_if_done(self._lease)
            self._lease = None


def _open(census: Path) -> _Lease:
    reader = SnapshotReader.open(census)
    try:
        crawl = reader.latest_census()
        if crawl is None:
            return _Lease(reader, None)
        rows = metric_rows(reader.path, crawl.id)
        names = dict.fromkeys(count.software for count in reader.software_counts(crawl.id) if count.software)
        return _Lease(reader, View(reader, crawl, rows, software_reference(), tuple(names)))
    except BaseException:
        reader.close()
        raise


def _close_if_done(lease: _Lease) -> None:
    if not lease.is_newest and lease.users == 0:
        lease.reader.close()


@cache
def software_reference() -> Mapping[str, Named]:
    """The shipped table of implementations, by name."""
    return {
        row["software"]: Named(row["display_name"], row["lineage"]) for row in load_software().iter_rows(named=True)
    }
