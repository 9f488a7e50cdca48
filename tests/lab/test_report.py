"""The report at the end of a crawl against what the practice servers, its name server and its own rows say."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.lab.conftest import LabMaker
from tests.lab.crawls import LIVING, crawl

SERVERS = 40


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


async def test_the_report_says_what_the_servers_saw(lab: LabMaker, tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    async with lab(servers=SERVERS, profile=LIVING) as stranger:
        federation = stranger.lab
        await crawl(federation, path, datetime(2026, 11, 24, 3, tzinfo=UTC))
        seen, queries = federation.seen, federation.dns_answers.asked_for.total()
        limited = sum(each.status == 429 for each in seen.sightings)
        requests = seen.requests
    ((text,),) = rows(path, "SELECT report::VARCHAR FROM crawl")
    report = json.loads(text)
    traffic = report["traffic"]
    assert traffic["requests"] == requests > SERVERS
    assert traffic["dns_queries"] == queries > SERVERS
    assert SERVERS < traffic["dns_answers"] <= queries
    assert traffic["rate_limited"] == limited
    assert traffic["connections"] == traffic["handshakes"] > SERVERS
    ((visited, own_requests, own_bytes),) = rows(path, "SELECT count(*), sum(requests), sum(bytes_read) FROM visit")
    assert report["funnel"]["visited"] == visited == SERVERS
    assert own_requests <= traffic["requests"]
    assert own_bytes <= traffic["bytes_read"]
    for phase in ("version", "keys"):
        took = sorted(
            row[0] for row in rows(path, f"SELECT total_s FROM attempt WHERE what = '{phase}' AND total_s > 0")
        )
        told = report["phase_times_s"][phase]
        assert told["p50_s"] <= told["p90_s"] <= told["p99_s"] <= told["max_s"]
        assert told["max_s"] == round(took[-1], 4)
        middle = (len(took) - 1) // 2
        assert took[max(0, middle - 1)] - 1e-4 <= told["p50_s"] <= took[min(len(took) - 1, middle + 2)] + 1e-4
