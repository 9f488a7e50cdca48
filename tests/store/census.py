"""Crawls put into a census file, in one line each."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from crawler.model.crawl import Crawl, CrawlScope, CrawlState, Lead
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer
from crawler.store.publish import stage
from crawler.store.writer import CensusWriter
from tests.store.observations import DAY


def begin(writer: CensusWriter, *, scope: CrawlScope = CrawlScope.FULL, synthetic: bool = True) -> int:
    """Begin a crawl like any other."""
    return writer.begin_crawl(
        scope=scope,
        synthetic=synthetic,
        settings_json='{"limits": {"concurrency": 200}}',
        vantage="here",
        identity="census.test",
        crawler_version="0.1.0",
        started_at=DAY,
    )


def crawl(
    path: Path,
    observations: Sequence[ServerObservation],
    leads: Iterable[Lead] = (),
    answers: Sequence[tuple[str, AliasAnswer]] = (),
    *,
    state: CrawlState = CrawlState.COMPLETED,
    scope: CrawlScope = CrawlScope.FULL,
    synthetic: bool = True,
) -> Crawl:
    """A whole crawl in one batch."""
    with CensusWriter.open(path) as writer:
        crawl_id = begin(writer, scope=scope, synthetic=synthetic)
        writer.record(crawl_id, observations, list(leads), answers)
        return writer.seal(crawl_id, state, DAY + timedelta(minutes=5), {"requests": 7})


def publish(path: Path) -> Path:
    """Stage and swap."""
    return stage(path).commit()
