"""Whom to write to: the last that was heard, for as long as it is published, and for nobody else to read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from crawler.errors import Failure, FailureKind
from crawler.model.client_side import Support, SupportContact
from crawler.model.crawl import CrawlScope
from crawler.model.observation import Attempt, Failed, Ok, ServerObservation
from crawler.store.reader import SnapshotReader
from tests.store.census import crawl, publish
from tests.store.observations import online

ADMIN = SupportContact("m.role.admin", "@admin:one.test", "admin@one.test")
SECURITY = SupportContact("m.role.security", None, "security@one.test")
BROKEN: Attempt[Support | None] = Failed(Failure(FailureKind.JSON_INVALID))


def seen(name: str, support: Attempt[Support | None]) -> ServerObservation:
    return replace(online(name), support=support)


def told(*contacts: SupportContact, page: str | None = None) -> Attempt[Support | None]:
    return Ok(Support(contacts, page))


def kept(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(
            "SELECT crawl_id, ordinal, role, matrix_id, email_address, support_page"
            " FROM support_contact ORDER BY server_id, ordinal"
        ).fetchall()


def test_the_last_that_was_heard_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [seen("one.test", told(ADMIN, SECURITY)), seen("two.test", told(page="https://two.test/help"))])
    assert kept(path) == [
        (1, 0, "m.role.admin", "@admin:one.test", "admin@one.test", None),
        (1, 1, "m.role.security", None, "security@one.test", None),
        (1, 0, "", None, None, "https://two.test/help"),
    ]
    crawl(path, [seen("one.test", told(SECURITY)), seen("two.test", BROKEN)])
    assert [row[:3] for row in kept(path)] == [(2, 0, "m.role.security"), (1, 0, "")]
    crawl(path, [seen("one.test", Ok(None)), seen("two.test", told(ADMIN))])
    assert [row[:3] for row in kept(path)] == [(3, 0, "m.role.admin")]


def test_what_three_censuses_did_not_see_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [seen("one.test", told(ADMIN)), seen("two.test", told(SECURITY))])
    crawl(path, [seen("two.test", BROKEN)])
    crawl(path, [seen("two.test", told(SECURITY))])
    crawl(path, [], scope=CrawlScope.LIMITED)
    assert [row[:3] for row in kept(path)] == [(1, 0, "m.role.admin"), (3, 0, "m.role.security")]
    crawl(path, [seen("two.test", BROKEN)])
    assert [row[:3] for row in kept(path)] == [(3, 0, "m.role.security")]


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [seen("one.test", told(ADMIN)), seen("two.test", Ok(None)), seen("three.test", BROKEN)])
    publish(path)
    with SnapshotReader.open(path) as reader:
        published = []
        for name in ("one.test", "two.test", "three.test"):
            found = reader.server(name, 1)
            assert found is not None
            assert found.observation is not None
            published.append(found.observation.support_published)
        assert published == [True, False, None]
        assert kept(reader.path) == []
        assert b"admin@one.test" not in reader.path.read_bytes()
