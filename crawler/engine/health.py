"""What a watch tells those who watch it: `/healthz` for a supervisor, `/metrics` for Prometheus (text format 0.0.4).

`/healthz` answers 200 as long as the watch itself is well, whatever became of its crawls: a supervisor that restarted
it because a crawl failed would only make things worse. Alert on `matrix_census_watch_crawls_total` and on the age of
`matrix_census_watch_completed_timestamp_seconds` instead.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from crawler.engine.watch import Watched
from crawler.listen.message import UNRECOGNIZED, WRONG_METHOD, Handler, Request, Response, json_response
from crawler.model.crawl import CrawlScope, CrawlState
from crawler.model.exposition import TEXT, Family, Sample, exposition

STAGES = ("known", "visited", "resolves", "reachable", "secure", "online", "federating", "listing")

GAUGES = {
    "queued": "Servers heard of and not yet begun.",
    "active": "Tasks under way.",
    "leads": "Times that a server was named.",
    "listings": "Entries of room directories read.",
    "requests": "HTTP requests sent by the process.",
    "connections": "TCP connections established by the process.",
    "dns_queries": "DNS queries sent by the process.",
    "bytes_read": "Bytes of answers read by the process.",
    "polite_wait_s": "Seconds that requests waited for the pace of their address, summed over tasks.",
    "rate_limited": "Answers with status 429.",
    "servers_per_s": "Servers visited a second, over the last minute.",
    "elapsed_s": "Seconds since the crawl began or was resumed.",
}
"""Number in a progress line -> what it is."""


def health_handler(watched: Watched) -> Handler:
    """The handler for `listen.http.serve`."""

    async def handle(request: Request) -> Response:
        if request.path not in ("/healthz", "/metrics"):
            return UNRECOGNIZED
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        if request.path == "/healthz":
            return json_response(200, health(watched))
        return Response(200, exposition(families(watched), open_metrics=False).encode(), TEXT.encode())

    return handle


def health(watched: Watched) -> dict[str, object]:
    """The body of /healthz."""
    return {
        "status": "ok",
        "started_at": watched.started_at.isoformat(),
        "crawling": watched.running.scope if watched.running else None,
        "since": _time(watched.running_since),
        "visited": watched.progress.get("visited") if watched.running else None,
        "paused": watched.progress.get("paused") or None if watched.running else None,
        "last_failure": watched.last_failure or None,
        "completed_at": {scope: at.isoformat() for scope, at in watched.completed_at.items()},
        "next": {kind.scope: at.isoformat() for kind, at in watched.next_starts.items()},
    }


def families(watched: Watched) -> Iterator[Family]:
    """What /metrics tells. What is not known is left out, never told as zero."""
    running = (
        Sample(float(watched.running is not None and watched.running.scope is scope), {"scope": scope})
        for scope in CrawlScope
    )
    yield Family("matrix_census_crawl_running", "gauge", "Whether a crawl runs now, by scope.", tuple(running))
    ended = (
        Sample(watched.ended[scope, outcome], {"scope": scope, "outcome": outcome})
        for scope in CrawlScope
        for outcome in (CrawlState.COMPLETED, CrawlState.CANCELLED, CrawlState.FAILED)
    )
    yield Family("matrix_census_watch_crawls", "counter", "Crawls that ended, by scope and how.", tuple(ended))
    missed = (Sample(watched.slots_missed),)
    yield Family("matrix_census_watch_slots_missed", "counter", "Crawls not begun since another one ran.", missed)
    completed = (Sample(int(at.timestamp()), {"scope": scope}) for scope, at in watched.completed_at.items())
    name = "matrix_census_watch_completed_timestamp_seconds"
    yield Family(name, "gauge", "End of the last completed crawl.", tuple(completed))
    starts = (Sample(int(at.timestamp()), {"scope": kind.scope}) for kind, at in watched.next_starts.items())
    yield Family("matrix_census_watch_next_timestamp_seconds", "gauge", "When the next crawl begins.", tuple(starts))
    if watched.progress:
        yield from _of_crawl(watched.progress)


def _of_crawl(progress: Mapping[str, Any]) -> Iterator[Family]:
    stages = (Sample(progress[stage], {"stage": stage}) for stage in STAGES if _is_number(progress.get(stage)))
    meaning = "Servers of the running or last crawl, by stage passed."
    yield Family("matrix_census_crawl_servers", "gauge", meaning, tuple(stages))
    said = progress.get("failures")
    failures = (
        Sample(count, {"kind": kind})
        for kind, count in (said.items() if isinstance(said, dict) else ())
        if _is_number(count) and kind.isidentifier()
    )
    meaning = "Servers that do not federate, by kind of failure."
    yield Family("matrix_census_crawl_failures", "gauge", meaning, tuple(failures))
    for name, meaning in GAUGES.items():
        if _is_number(progress.get(name)):
            unit = name.removesuffix("_s") + ("_seconds" if name.endswith("_s") and name != "servers_per_s" else "")
            metric = "matrix_census_crawl_" + ("servers_per_second" if name == "servers_per_s" else unit)
            yield Family(metric, "gauge", meaning, (Sample(progress[name]),))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
