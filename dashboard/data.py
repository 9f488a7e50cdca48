"""The census of this moment: the newest serving file, opened read-only, reopened when a new one is published.

A view stays whole: a request that began on one serving file ends on it, whatever is published meanwhile, so no page
mixes two snapshots. The old file is closed when its last request has gone. What is the same for every visitor (the
metric rows, the names for filters) is read once for each view; what a page computes is kept with it (`View.once`).
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TypeVar

import trio

from analytics.funnel import Predicate
from analytics.load_stored import load_metric_rows
from analytics.mission import metric_rows
from analytics.reference import load_software
from analytics.schemas import MetricRow
from crawler.model.crawl import Crawl
from crawler.store.reader import SnapshotReader
from crawler.store.serving import serving_file
from dashboard import links
from dashboard.figures.implementations import Named
from dashboard.kept import Kept

QUERIES_AT_ONCE = 8
"""Threads that ask DuckDB. Each query uses what cores there are; more at once only queue inside."""

EARLIER_MOST = 6
"""Earlier censuses whose pages are kept."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """One census, the newest or an earlier one of its series in the same file. `rows` are its metric rows; `software`
    the reference table of implementations by name; `spoken` the names that its online servers give, the most common
    first; `past` its number when it is an earlier one, None of the newest."""

    reader: SnapshotReader
    crawl: Crawl
    rows: Sequence[MetricRow]
    software: Mapping[str, Named]
    spoken: Sequence[str]
    past: int | None = None
    kept: Kept = field(default_factory=Kept)
    earlier: Kept = field(default_factory=lambda: Kept(EARLIER_MOST))

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
    def censuses(self) -> Sequence[Crawl]:
        """The censuses of its series that have numbers, the oldest first."""
        return self.once("censuses", self._censuses)

    def _censuses(self) -> Sequence[Crawl]:
        with closing(self.reader.cursor()) as cursor:
            numbered = frozenset(found for (found,) in cursor.execute(_NUMBERED).fetchall())
        return tuple(crawl for crawl in reversed(self.reader.crawls()) if crawl.is_census and crawl.id in numbered)

    def as_of(self, asked: str) -> "View | None":
        """The census of a number, or the last one sealed on a day (UTC) or before; None when there is none.

        Args:
            asked: As an address has it: `87` or `2026-10-03`.
        """
        crawl = _chosen(self.censuses, asked)
        if crawl is None or crawl.id == self.crawl.id:
            return None if crawl is None else self
        return self.earlier.once(crawl.id, lambda: self._of(crawl))

    def _of(self, crawl: Crawl) -> "View":
        rows = load_metric_rows(self.reader.path, crawl.id) or ()
        return View(self.reader, crawl, rows, self.software, _spoken(self.reader, crawl.id), crawl.id)

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


_NUMBERED = """
SELECT DISTINCT m.snapshot FROM metric m JOIN crawl c ON c.crawl_id = m.snapshot
WHERE c.series_id = (SELECT series_id FROM census ORDER BY crawl_id DESC LIMIT 1)
"""


def _chosen(censuses: Sequence[Crawl], asked: str) -> Crawl | None:
    if asked.isascii() and asked.isdigit():
        return next((crawl for crawl in censuses if str(crawl.id) == asked), None)
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        return None
    before = bisect_right(censuses, day, key=lambda crawl: (crawl.finished_at or crawl.started_at).date())
    return censuses[before - 1] if before else None


def _spoken(reader: SnapshotReader, crawl_id: int) -> Sequence[str]:
    counts = reader.software_counts(crawl_id)
    return tuple(dict.fromkeys(count.software for count in counts if count.software))


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

    @contextmanager
    def looking(self, asked: str | None) -> Iterator[View | None]:
        """The census that an address asks for (`View.as_of`), with links that stay with it; the newest if it asks for
        none, or for one that there is not. Blocking.

        Raises:
            StoreError: as above.
        """
        with self.view() as newest:
            view = (newest.as_of(asked) if newest and asked else None) or newest
            with links.looking_at(view.past if view else None):
                yield view

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
        return _Lease(reader, View(reader, crawl, rows, software_reference(), _spoken(reader, crawl.id)))
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
