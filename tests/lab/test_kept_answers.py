"""Crawls of the practice federation one after the other: what may be kept is not asked for again until it expires. The
servers' own counts tell."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from crawler.lab.run import Lab
from tests.lab.conftest import LabMaker
from tests.lab.crawls import LIVING, crawl

SERVERS = 40
HOUR = timedelta(hours=1)
LATER = (timedelta(seconds=30), HOUR, timedelta(days=3))
URI = "/.well-known/matrix/server"
Asked = Counter[tuple[str, str]]


def asked(lab: Lab) -> Asked:
    """Since the last call: SRV owners by the DNS server's count, hosts by the web servers', without redirects'."""
    own = {name.partition(":")[0] for name in lab.world.names}
    found: Asked = Counter({("srv", name): n for (kind, name), n in lab.dns_answers.asked_for.items() if kind == "SRV"})
    found.update(("well_known", s.host) for s in lab.seen.sightings if s.target == URI and s.host in own)
    lab.dns_answers.asked_for.clear()
    lab.seen.sightings.clear()
    return found


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


OUTCOMES = """
SELECT server_name, branch, delegated, resolves, failed_kind FROM server_observation JOIN server USING (server_id)
WHERE crawl_id = {} ORDER BY server_name
"""


STEPS = """
SELECT cached_at, cache_s FROM resolution_step WHERE crawl_id = 2 AND cached_at < '2026-11-24 03:00:30Z'
"""
DELEGATING = """
SELECT server_key FROM server_observation JOIN server USING (server_id) WHERE delegated IS NOT NULL
"""


async def test_later_crawls_ask_only_for_what_has_expired(lab: LabMaker, tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    start = datetime(2026, 11, 24, 3, tzinfo=UTC)
    async with lab(servers=SERVERS, profile=LIVING) as stranger:
        federation = stranger.lab
        await crawl(federation, path, start)
        first = asked(federation)
        for after in LATER:
            now = start + after
            still = kept(path, now)
            await crawl(federation, path, now)
            again = set(asked(federation))
            assert again & still == set(), after
            # What was not kept (no-store, say), or has expired, is asked for as before.
            assert {key for key in first if key not in still} <= again, after
            if after == LATER[0]:
                assert {question for question, _ in still} == {"srv", "well_known"}
                assert len(again) < len(first) / 2
            if after == HOUR:
                # Of .well-known answers only valid ones outlive the hour, by default for a day.
                documents = {(question, host) for question, host in still if question == "well_known"}
                assert documents
                assert documents <= delegating(path)
    outcomes = [rows(path, OUTCOMES.format(number)) for number in range(1, 2 + len(LATER))]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    steps = rows(path, STEPS)
    assert steps
    assert all(cached_at == start and 0 < cache_s <= 48 * 3600 - 30 for cached_at, cache_s in steps)


def kept(path: Path, now: datetime) -> set[tuple[str, str]]:
    found = rows(path, "SELECT question, subject, expires_at FROM cached_answer WHERE question <> 'addresses'")
    return {(question, subject) for question, subject, until in found if until > now}


def delegating(path: Path) -> set[tuple[str, str]]:
    hosts = rows(path, DELEGATING)
    return {("well_known", key.partition(":")[0]) for (key,) in hosts}
