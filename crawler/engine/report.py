"""What a crawl did, in numbers: kept as JSON in its row, and printed at its end."""

import dataclasses

from crawler.engine.progress import Progress
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.net.traffic import Traffic

FUNNEL = ("known", "visited", "resolves", "reachable", "secure", "online", "federating", "listing")
"""The stages a server passes, in order; each implies the one before."""

MOST_NAMED = 100
"""Servers of one kind that the report names; all are counted."""


def build_report(progress: Progress, traffic: Traffic) -> dict[str, object]:
    """The report of a crawl; every count is of this crawl alone."""
    named = dict(list(progress.bounds_hit.items())[:MOST_NAMED])
    reusers = dict(list(progress.keys_reused.items())[:MOST_NAMED])
    return {
        "funnel": {stage: getattr(progress, stage) for stage in FUNNEL},
        "failures": {kind.value: count for kind, count in progress.failures.most_common()},
        "directories": {state.value: count for state, count in progress.directories.most_common()},
        "attempts": dict(sorted(progress.attempts.items())),
        "directory_pages": progress.pages,
        "listings": progress.listings,
        "rooms_opted_out": progress.noindex,
        "aliases_asked": progress.aliases_asked,
        "aliases_outstanding": progress.aliases_outstanding,
        "servers_deferred": progress.deferred,
        "bounds_hit": {"servers": len(progress.bounds_hit), "named": named},
        "key_ids_reused": {"servers": len(progress.keys_reused), "named": reusers},
        "traffic": dataclasses.asdict(traffic),
    }


def summary_lines(crawl: Crawl, progress: Progress) -> list[str]:
    """The end of a crawl in a few plain lines."""
    seconds = (crawl.finished_at - crawl.started_at).total_seconds() if crawl.finished_at else 0.0
    what = "census" if crawl.is_census else f"{crawl.scope} crawl"
    synthetic = " SYNTHETIC: these are servers of the practice federation." if crawl.synthetic else ""
    stages = ", ".join(f"{stage} {getattr(progress, stage)}" for stage in FUNNEL)
    lines = [
        f"Crawl {crawl.id} {crawl.state} after {seconds:.0f} s ({what}).{synthetic}",
        f"  servers: {stages}",
        f"  rooms: {crawl.rooms} unique in {progress.listings} listings"
        + (f", {progress.noindex} opted out and left out" if progress.noindex else ""),
    ]
    if progress.failures:
        top = ", ".join(f"{kind} {count}" for kind, count in progress.failures.most_common(6))
        lines.append(f"  not federating because of: {top}")
    if progress.aliases_outstanding:
        lines.append(f"  aliases left to later crawls: {progress.aliases_outstanding}")
    if progress.bounds_hit:
        first = ", ".join(list(progress.bounds_hit)[:3])
        lines.append(f"  directories cut short by a bound: {len(progress.bounds_hit)} ({first})")
    if progress.keys_reused:
        first = ", ".join(list(progress.keys_reused)[:3])
        lines.append(f"  servers that gave a key ID to another key: {len(progress.keys_reused)} ({first})")
    if crawl.scope is CrawlScope.LIMITED:
        lines.append(f"  limited: {progress.deferred} known servers were not looked at")
    if crawl.state is CrawlState.CANCELLED:
        lines.append("  cancelled: what was seen is kept, but it is no census and is not published")
    return lines
