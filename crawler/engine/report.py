"""What a crawl did, in numbers: kept as JSON in its row, and printed at its end."""

import dataclasses
from collections.abc import Mapping
from itertools import islice
from typing import TypeVar

from crawler.engine.progress import Progress
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.net.traffic import Traffic

V = TypeVar("V")

FUNNEL = ("known", "visited", "resolves", "reachable", "secure", "online", "federating", "listing")
"""The stages a server passes, in order; each implies the one before."""

MOST_NAMED = 100
"""Servers of each kind that the report names; all are counted."""


def build_report(progress: Progress, traffic: Traffic, loop_lag_p99_ms: int | None = None) -> dict[str, object]:
    """The report of a crawl; every count is of this crawl alone. The lag is of the process that keeps the frontier."""
    return {
        "funnel": {stage: getattr(progress, stage) for stage in FUNNEL},
        "failures": {kind.value: count for kind, count in progress.failures.most_common()},
        "directories": {state.value: count for state, count in progress.directories.most_common()},
        "attempts": dict(sorted(progress.attempts.items())),
        "directory_pages": progress.pages,
        "listings": progress.listings,
        "rooms_opted_out": progress.noindex,
        "tries": {
            "again": progress.again,
            "came_back": progress.came_back,
            "doubted": dict(progress.doubts),
            "unjudged": {"servers": len(progress.unjudged), "named": _first(progress.unjudged)},
        },
        "aliases_asked": progress.aliases_asked,
        "aliases_outstanding": progress.aliases_outstanding,
        "servers_deferred": progress.deferred,
        "guarded": {"servers": progress.guarded, "named": _first(progress.guarded_groups)},
        "left_out": dict(progress.left_out),
        "lives": dict(progress.lives),
        "spaces": {"opened": progress.spaces, "outstanding": progress.spaces_outstanding},
        "robots": dict(progress.robots),
        "federating_distinct": {what: len(each) for what, each in progress.distinct.items()},
        "bounds_hit": {"servers": len(progress.bounds_hit), "named": _first(progress.bounds_hit)},
        "key_ids_reused": {"servers": len(progress.keys_reused), "named": _first(progress.keys_reused)},
        "traffic": dataclasses.asdict(traffic),
        "loop_lag_p99_ms": loop_lag_p99_ms,
    }


def _first(named: Mapping[str, V]) -> dict[str, V]:
    return dict(islice(named.items(), MOST_NAMED))


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
    if progress.again:
        lines.append(f"  tried again: {progress.again} times; {progress.came_back} servers were only slow")
    if progress.unjudged:
        lines.append(
            f"  not judged: {len(progress.unjudged)} servers, since this machine or its network was not fit to: "
            "left to the next crawl"
        )
    if progress.left_out:
        told = ", ".join(f"{why.replace('_', ' ')} {count}" for why, count in sorted(progress.left_out.items()))
        lines.append(f"  heard of and not looked at: {told}")
    if progress.guarded:
        first = ", ".join(f"{group} ({count})" for group, count in list(progress.guarded_groups.items())[:3])
        lines.append(f"  too many alike, left to later crawls: {progress.guarded} names, most of {first}")
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
