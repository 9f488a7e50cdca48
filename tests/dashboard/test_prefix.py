"""Below a prefix: every address that goes out has it, every address that comes in is understood with and without it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import h11
import httpx
import pytest
import trio
from dash.development.base_component import Component
from fastapi import FastAPI
from fastapi.routing import APIRouter

from crawler.errors import UsageError
from dashboard import api, links
from dashboard.app import create_app
from dashboard.data import CensusSource
from dashboard.palette import Scheme
from dashboard.prefix import parse_prefix
from dashboard.routing import PAGES, render
from dashboard.serving import bind, serve_async
from tests.dashboard.test_app import asks

PREFIX = "/census"
_ADDRESSES = ("href", "src", "topojsonURL")
_ELSEWHERE = ("#", "https://matrix.to/", "matrix:", "data:", "mailto:")


def addresses(tree: Any) -> Iterator[str]:
    """Every address in a component tree, those in properties that hold data too."""
    if isinstance(tree, Component):
        yield from addresses(tree.to_plotly_json()["props"])
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key in _ADDRESSES and isinstance(value, str):
                yield value
            else:
                yield from addresses(value)
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from addresses(each)


_ARGUMENTS = {"/charts/{name}": "servers-online", "/embed/{name}": "countries"}


def paths_of_all_pages(source: CensusSource, at: str = "") -> list[str]:
    """One address of each page, of what an earlier census has when one is asked for."""
    with source.looking(at) as view:
        assert view is not None
        server = view.reader.servers_page(view.crawl.id).rows[0].server_name
        room = view.reader.rooms_page(view.crawl.id).rows[0].room_id
    known = {**_ARGUMENTS, "/servers/{name}": server, "/rooms/{name}": quote(room, safe="")}
    return [page.path.partition("{")[0] + known.get(page.path, "") for page in PAGES]


@pytest.mark.parametrize("prefix", ["", "/a/b"])
def test_every_address_of_every_page_has_the_prefix_once(census: Path, prefix: str) -> None:
    source = CensusSource(census)
    with links.under(prefix):
        for path in paths_of_all_pages(source):
            found = set(addresses(render(source, path, "", Scheme.LIGHT).content))
            ours = {address for address in found if address.startswith("/")}
            strange = {a for a in found - ours if not a.startswith(_ELSEWHERE)}
            assert not strange, path
            assert all(address.startswith(f"{prefix}/") for address in ours), (path, ours)
            assert not any(prefix and address.startswith(prefix * 2) for address in ours), path
    source.close()


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[int]:
    """The port of an application on a socket."""
    stop = trio.Event()
    with bind("127.0.0.1", 0) as listening:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_async, app, listening, stop)
            yield listening.getsockname()[1]
            stop.set()


async def _proxy(stream: trio.SocketStream, port: int, *, strips: bool) -> None:
    """One request of a reverse proxy that speaks for `PREFIX` alone, as nginx does with and without a path."""
    client = h11.Connection(h11.SERVER)
    request, body = None, b""
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await stream.receive_some(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            break
    assert request is not None
    target = request.target.decode()
    if not target.startswith(f"{PREFIX}/"):
        await stream.send_all(b"HTTP/1.1 404 not mine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return
    inner = target.removeprefix(PREFIX) if strips else target
    headers = {name.decode(): value.decode() for name, value in request.headers}
    headers |= {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as upstream:
        answer = await upstream.request(request.method.decode(), inner, headers=headers, content=body, timeout=60)
    kept = [(n, v) for n, v in answer.headers.raw if n.lower() not in (b"transfer-encoding", b"content-encoding")]
    kept = [(n, v) for n, v in kept if n.lower() != b"content-length"]
    kept += [(b"content-length", str(len(answer.content)).encode()), (b"connection", b"close")]
    await stream.send_all(client.send(h11.Response(status_code=answer.status_code, headers=kept)) or b"")
    await stream.send_all(client.send(h11.Data(data=answer.content)) or b"")


@asynccontextmanager
async def _behind_proxy(census: Path, *, strips: bool) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(census, trusted_proxies=["127.0.0.1"], root_path=PREFIX, requests_a_minute=0)
    async with _served(app) as port, trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def accept(stream: trio.SocketStream) -> None:
            async with stream:
                await _proxy(stream, port, strips=strips)

        nursery.start_soon(trio.serve_listeners, accept, [listener])
        at = listener.socket.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{at}", trust_env=False, timeout=60) as client:
            yield client
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("strips", [True, False])
async def test_behind_a_proxy_that_takes_the_prefix_off_or_passes_it_on(census: Path, *, strips: bool) -> None:
    async with _behind_proxy(census, strips=strips) as client:
        page = (await client.get("/census/growth")).text
        named = re.findall(r'(?:src|href)="(/[^"]*)"', page)
        assert len(named) > 5
        assert all(address.startswith("/census/") for address in named)
        for address in named:
            assert (await client.get(address.replace("&amp;", "&"))).status_code == 200, address

        asked = {"_dash-layout": None, "_dash-dependencies": None}
        for address in asked:
            assert (await client.get(f"/census/{address}")).status_code == 200
        answer = await client.post("/census/_dash-update-component", json=asks("/census/growth"))
        assert answer.status_code == 200
        assert answer.json()["response"]["title"]["data"] == "Growth"
        assert answer.json()["response"]["shown"]["data"] == "/growth"

        servers = (await client.get("/census/api/v1/servers", params={"limit": 2})).json()
        assert servers["next"].startswith("/census/api/v1/servers?")
        assert (await client.get(servers["next"])).json()["data"][0] not in servers["data"]
        wrong = await client.get("/census/api/v1/nowhere")
        assert wrong.json()["type"] == "/census/api#not-found"
        assert (await client.get(wrong.json()["type"])).status_code == 200
        described = (await client.get("/census/api/v1/openapi.json")).json()
        assert described["servers"] == [{"url": "/census"}]
        feed = (await client.get("/census/feed.atom")).text
        assert f'href="https://127.0.0.1:{client.base_url.port}/census/feed.atom"' in feed
        for path in (
            "/data/servers-online.csv",
            "/badge/servers.svg",
            "/metrics",
            "/healthz",
            "/stats",
            "/embed/countries",
        ):
            assert (await client.get(f"/census{path}")).status_code == 200, path
        embedded = (await client.get("/census/embed/countries")).headers
        assert "frame-ancestors *" in embedded["content-security-policy"]
        assert "x-frame-options" not in embedded
        assert (await client.get("/census/nowhere")).status_code == 404
        assert (await client.get("/growth")).status_code == 404, "the proxy has other sites beside us"
        config = re.search(r'<script id="_dash-config"[^>]*>(.*?)</script>', page)
        assert config is not None
        assert json.loads(config[1])["requests_pathname_prefix"] == "/census/"


@pytest.mark.parametrize(("typed", "prefix"), [("", ""), ("/", ""), ("census", "/census"), ("/a/b/", "/a/b")])
def test_a_prefix_has_one_spelling(typed: str, prefix: str) -> None:
    assert parse_prefix(typed) == prefix


@pytest.mark.parametrize("typed", ["/a b", "/a//b", "/a?b", "https://example.org/census", "/../x", "/é", '/"><'])
def test_what_is_no_prefix_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="--root-path wants a path such as /census"):
        parse_prefix(typed)


@pytest.mark.parametrize("taken", ["/data", "/servers/x", "/api", "/assets", "/push", "/_dash-layout"])
def test_a_prefix_that_begins_as_an_address_of_ours_is_refused(census: Path, taken: str) -> None:
    with pytest.raises(UsageError, match="the dashboard has an address of that name"):
        create_app(census, root_path=taken)


def test_the_places_of_the_api_are_all_there_are(census: Path) -> None:
    included = [getattr(route, "original_router", None) for route in create_app(census).routes]
    paths: list[str] = []
    waiting = [router for router in included if isinstance(router, APIRouter)]
    while waiting:
        for route in waiting.pop().routes:
            inner = getattr(route, "original_router", None)
            if isinstance(inner, APIRouter):
                waiting.append(inner)
            else:
                paths.append(getattr(route, "path", ""))
    assert len(paths) > 15
    assert {f"/{path.split('/')[1]}" for path in paths} == set(api.PLACES)


def test_links_are_where_their_reader_stands() -> None:
    assert links.page("/growth?scale=log#x") == "/growth?scale=log#x"
    with links.under("/census"), links.looking_at(7):
        assert links.page("/growth") == "/census/growth?at=7"
        assert links.page("/growth?scale=log#x") == "/census/growth?scale=log&at=7#x"
        assert links.whole("/api") == "/census/api"
        assert [links.bare(path) for path in ("/census", "/census/", "/census/growth", "/censuses")] == [
            "/",
            "/",
            "/growth",
            "/censuses",
        ]
    assert links.page("/") == "/"
