"""What a crawl did, in numbers: kept as JSON in its row, and printed at its end."""

import dataclasses
from collections.abc import Mapping
from itertools import islice
from typing import Any, TypeVar

from crawler.engine.progress import Progress
from crawler.engine.rate import RecentRate
from crawler.model.crawl import Crawl, CrawlScope, CrawlState
from crawler.net.traffic import Traffic
from crawler.version import VERSION

V = TypeVar("V")

FUNNEL = ("known", "visited", "resolves", "reachable", "secure", "online", "federating", "listing")
"""The stages a server passes, in order; each implies the one before."""

MOST_NAMED = 100
"""Servers of each kind that the report names; all are counted."""

MOST_BOUNDED = 10_000
"""The same of those that ran into a bound: whoever holds crawls up is to be known by name."""


def build_report(progress: Progress, traffic: Traffic, loop_lag_p99_ms: int | None = None) -> dict[str, object]:
    """The report of a crawl; every count is of this crawl alone.

    Counts of what was seen and times are over all sittings; traffic over those sittings that came to an end, and how
    many did not stands beside it, as `sittings_untold`; tries and lag are of the last sitting alone, the lag of the
    process that keeps the frontier.
    """
    sittings = [*progress.past_sittings, _this_sitting(progress, traffic)]
    told = [sitting["traffic"] for sitting in sittings if sitting["traffic"] is not None]
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
        "bounds_hit": {"servers": len(progress.bounds_hit), "named": _first(progress.bounds_hit, MOST_BOUNDED)},
        "key_ids_reused": {"servers": len(progress.keys_reused), "named": _first(progress.keys_reused)},
        "phase_times_s": progress.phase_times,
        "traffic": {what: round(sum(each.get(what, 0) for each in told), 3) for what in dataclasses.asdict(traffic)},
        "sittings": sittings,
        "sittings_untold": len(sittings) - len(told),
        "loop_lag_p99_ms": loop_lag_p99_ms,
    }


def _this_sitting(progress: Progress, traffic: Traffic) -> dict[str, Any]:
    return {
        "began_at": progress.began_at.isoformat() if progress.began_at else None,
        "ended_at": progress.ended_at.isoformat() if progress.ended_at else None,
        "crawler_version": VERSION,
        "traffic": dataclasses.asdict(traffic),
    }


def progress_document(progress: Progress, traffic: Traffic, rate: RecentRate, elapsed_s: float) -> dict[str, object]:
    """How far the crawl is, for programs: one line of `--progress json`. None: it cannot be said yet."""
    per_s, eta_s = rate.per_s, rate.eta_s(progress.queued + progress.active)
    return {
        "event": "progress",
        "crawl": progress.crawl_id,
        "elapsed_s": round(elapsed_s, 1),
        **{stage: getattr(progress, stage) for stage in FUNNEL},
        "queued": progress.queued,
        "active": progress.active,
        "leads": progress.leads,
        "listings": progress.listings,
        "servers_per_s": None if per_s is None else round(per_s, 2),
        "eta_s": None if eta_s is None else round(eta_s),
        "failures": {kind.value: count for kind, count in progress.failures.most_common()},
        "paused": progress.paused or None,
        **dataclasses.asdict(traffic),
    }


def _first(named: Mapping[str, V], most: int = MOST_NAMED) -> dict[str, V]:
    return dict(islice(named.items(), most))


def summary_lines(crawl: Crawl, progress: Progress, traffic: Traffic) -> list[str]:
    """The end of a crawl in a few plain lines. `traffic` is that of this process."""
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
        first = ", ".join(f"{server}: {bound}" for server, bound in islice(progress.bounds_hit.items(), 3))
        lines.append(f"  cut short by a bound of ours: {len(progress.bounds_hit)} servers ({first})")
    if progress.keys_reused:
        first = ", ".join(list(progress.keys_reused)[:3])
        lines.append(f"  servers that gave a key ID to another key: {len(progress.keys_reused)} ({first})")
    lines.append(
        f"  asked: {traffic.requests} requests, {traffic.bytes_read / 1e6:.1f} MB of answers, "
        f"{traffic.dns_queries} DNS queries, {traffic.connections} connections; "
        f"{traffic.polite_wait_s:.0f} s waited to be polite, {traffic.rate_limited} times told to slow down"
        + (" (since it was resumed)" if progress.past_sittings else "")
    )
    if progress.phase_times:
        times = ", ".join(
            f"{phase} {took['p50_s']:.3g}/{took['p90_s']:.3g}/{took['p99_s']:.3g}"
            for phase in ("resolution", "tcp", "tls", "version", "keys")
            if (took := progress.phase_times.get(phase))
        )
        lines.append(f"  seconds in half, nine tenths, 99 hundredths of all cases: {times}")
    if crawl.scope is CrawlScope.LIMITED:
        lines.append(f"  limited: {progress.deferred} known servers were not looked at")
    if crawl.state is CrawlState.CANCELLED:
        lines.append(
            "  cancelled: what was seen is kept, but it is no census and is not published; go on with: "
            "matrix-census crawl --resume"
        )
    return lines
