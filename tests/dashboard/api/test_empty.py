"""Without a census, and with one that cannot be read: every door says so, and none tells a zero."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from dashboard.app import create_app
from dashboard.ration import Ration, visitor_of
from tests.dashboard.api.test_elsewhere import parsed


def opened(census: Path, **options: int) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(census, **options))  # type: ignore[arg-type]  # of numbers alone
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@pytest.fixture(params=["empty", "unreadable"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    if request.param == "unreadable":
        (tmp_path / "serving").mkdir()
        (tmp_path / "serving" / "census-000001-1.duckdb").write_bytes(b"x" * 4096)
        (tmp_path / "serving" / "census.current").write_text("census-000001-1.duckdb\n")
    async with opened(tmp_path / "census.duckdb") as client:
        yield client


async def test_the_api_says_that_there_is_no_census(client: httpx.AsyncClient) -> None:
    for path in (
        "servers",
        "servers/x.example",
        "rooms",
        "metrics",
        "series?metric=servers",
        "crawls",
        "leads",
        "changes",
    ):
        answer = await client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert answer.json()["type"] in ("/api#no-census", "/api#unreadable")
        assert answer.headers["retry-after"] == "60"
        assert "serving" not in answer.text, "no file of this machine is named"


async def test_programs_elsewhere_are_told_too(client: httpx.AsyncClient) -> None:
    metrics = await client.get("/metrics")
    assert metrics.status_code == 200
    assert metrics.text.splitlines()[-1] == "matrix_census_published 0"
    badge = await client.get("/badge/servers.svg")
    assert parsed(badge.text).findtext("{http://www.w3.org/2000/svg}title") in (
        "servers online: no census yet",
        "servers online: not readable",
    )
    for path in ("/stats", "/catalog/servers", "/catalog/servers/objects"):
        answer = await client.get(path)
        assert answer.status_code == 503
        assert answer.json().keys() == {"errcode", "error"}
    assert (await client.get("/feed.atom")).status_code == 503
    assert (await client.get("/api")).status_code == 200
    assert (await client.get("/api/v1/openapi.json")).status_code == 200


async def test_a_visitor_who_asks_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with opened(tmp_path / "census.duckdb", requests_a_minute=3) as client:
        answers = [await client.get("/api") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["type"] == "/api#too-many"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 21
        assert answers[-1].headers["access-control-allow-origin"] == "*"
        assert (await client.get("/healthz")).status_code == 200, "pages and health are not rationed"


def test_a_ration_is_whole_again_after_its_window() -> None:
    ration = Ration(3, 60.0)
    assert [ration.wait_s("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert ration.wait_s("a", 0.0) == pytest.approx(20.0)
    assert ration.wait_s("b", 0.0) == 0.0
    assert ration.wait_s("a", 20.0) == 0.0
    assert ration.wait_s("a", 20.0) == pytest.approx(20.0)
    assert [ration.wait_s("a", 200.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_who_has_a_network_of_addresses_is_one_visitor() -> None:
    assert visitor_of("2001:db8:1:2::7") == visitor_of("2001:db8:1:2:ffff::1")
    assert visitor_of("2001:db8:1:2::7") != visitor_of("2001:db8:1:3::7")
    assert visitor_of("::ffff:192.0.2.7") == visitor_of("192.0.2.7")
    assert visitor_of("fe80::1%eth0") == visitor_of("fe80::2%eth1")
    assert len(visitor_of("x" * 500)) == 64


async def test_behind_the_prefix_of_a_proxy(tmp_path: Path, two_days: Path) -> None:
    app = create_app(two_days, root_path="/census")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page = (await client.get("/api/v1/servers", params={"limit": 2})).json()
        assert page["next"].startswith("/census/api/v1/servers?")
        following = await client.get(page["next"].removeprefix("/census"))
        assert following.json()["data"][0] not in page["data"]
        problem = (await client.get("/api/v1/nowhere")).json()
        assert problem["type"] == "/census/api#not-found"
        assert (await client.get("/api/v1/openapi.json")).json()["servers"] == [{"url": "/census"}]
        assert 'href="/census/api/v1/openapi.json"' in (await client.get("/api")).text
        assert "http://127.0.0.1/census/feed.atom" in (await client.get("/feed.atom")).text
