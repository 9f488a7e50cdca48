"""The whole application over ASGI: headers, policy, sizes, caching, the callback, health."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dashboard.app import create_app
from dashboard.security import REQUEST_LIMIT_BYTES


@pytest.fixture(scope="module")
def app(census: Path) -> FastAPI:
    # Without rations: each test has a clock of its own (trio's begins anywhere), and the application outlives them.
    return create_app(census, requests_a_minute=0)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


ROUTE_OUTPUT = "..page.children...census-line.children...nav.children...drawer-nav.children...title.data...shown.data.."


def asks(path: str, search: str = "", theme: str = "light", shown: str | None = None) -> dict[str, Any]:
    """What the browser sends when the address is `path`."""
    pairs = (("page", "children"), ("census-line", "children"), ("nav", "children"), ("drawer-nav", "children"))
    outputs = [{"id": part, "property": name} for part, name in (*pairs, ("title", "data"), ("shown", "data"))]
    return {
        "output": ROUTE_OUTPUT,
        "outputs": outputs,
        "inputs": [
            {"id": "address", "property": "pathname", "value": path},
            {"id": "address", "property": "search", "value": search},
            {"id": "theme", "property": "data", "value": theme},
        ],
        "changedPropIds": ["address.pathname"],
        "parsedChangedPropsIds": ["address.pathname"],
        "state": [{"id": "shown", "property": "data", "value": shown}],
    }


@pytest.mark.parametrize("path", ["/", "/about", "/nowhere", "/healthz", "/api/v1/health", "/_dash-layout"])
async def test_every_answer_carries_the_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


async def test_the_policy_allows_exactly_the_inline_scripts_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.get("/servers")
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
    run = [body for attributes, body in inline if "application/json" not in attributes]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in run}
    policy = answer.headers["content-security-policy"].split("; ")
    scripts = next(part for part in policy if part.startswith("script-src"))
    assert hashes == set(re.findall(r"'sha256-[^']+'", scripts))
    empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    assert f"style-src-attr 'unsafe-hashes' 'sha256-{empty}'" in policy


async def test_the_page_names_no_other_host(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []


async def test_a_deep_link_brings_everything_the_root_does(app: FastAPI, census: Path) -> None:
    """Dash gathers its scripts at the first request to an address of its own; a first visitor may come in elsewhere."""
    del app
    transport = httpx.ASGITransport(create_app(census))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as first:
        deep = (await first.get("/servers/matrix.example")).text
        root = (await first.get("/")).text
    scripts = [re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', page) for page in (deep, root)]
    assert scripts[0] == scripts[1]
    assert any("census.js" in address for address in scripts[0])
    assert "theme.js" in scripts[0][0]


async def test_unknown_addresses_are_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/servers")).status_code == 200
    assert (await client.get("/servers/whatever.example")).status_code == 200
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.get("/docs")).status_code == 404
    assert (await client.get("/openapi.json")).status_code == 404


async def test_the_websocket_door_is_shut(client: httpx.AsyncClient) -> None:
    assert (await client.get("/_dash-ws-callback")).status_code == 404
    (config,) = re.findall(r'<script id="_dash-config"[^>]*>(.*?)</script>', (await client.get("/")).text)
    assert "websocket" not in json.loads(config)


async def test_component_files_are_compressed_once_and_kept(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    address = re.findall(r'src="(/_dash-component-suites/dash/dash-renderer/[^"]+)"', page)[0]
    packed = await client.get(address, headers={"accept-encoding": "gzip"})
    plain = await client.get(address, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert "immutable" in packed.headers["cache-control"]
    again = await client.get(address, headers={"if-none-match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_no_file_outside_the_components_is_served(client: httpx.AsyncClient) -> None:
    for path in ("dash/../../../etc/passwd", "dash/dash.py", "os/os.py", "dash/%2e%2e/%2e%2e/x.js"):
        answer = await client.get(f"/_dash-component-suites/{path}")
        assert answer.status_code == 404, path


async def test_pages_are_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/_dash-layout", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


async def test_a_request_too_large_is_refused_before_it_is_read(app: FastAPI) -> None:
    """Straight over ASGI, where one can see how much of an endless body was taken."""
    taken_bytes = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken_bytes
        taken_bytes += 65536
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    path = "/_dash-update-component"
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": headers, "scheme": "http", "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1)}
    await app(scope, receive, send)
    assert sent[0]["status"] == 413
    assert taken_bytes <= REQUEST_LIMIT_BYTES + 65536


async def test_the_layout_wears_the_remembered_theme(client: httpx.AsyncClient) -> None:
    for theme in ("light", "dark"):
        layout = (await client.get("/_dash-layout", headers={"cookie": f"theme={theme}"})).json()
        assert layout["props"]["forceColorScheme"] == theme
    hostile = (await client.get("/_dash-layout", headers={"cookie": "theme=<script>"})).json()
    assert hostile["props"]["forceColorScheme"] == "light"


async def test_an_address_becomes_its_page(client: httpx.AsyncClient) -> None:
    answer = await client.post("/_dash-update-component", json=asks("/servers", "?q=matrix.example"))
    assert answer.status_code == 200
    response = answer.json()["response"]
    assert response["title"]["data"] == "Servers"
    assert response["shown"]["data"] == "/servers?q=matrix.example"
    assert "matrix.example" in json.dumps(response["page"])
    current = [link for link in response["nav"]["children"] if "current" in link["props"].get("className", "")]
    assert [link["props"]["children"] for link in current] == ["Servers"]


async def test_what_is_on_the_screen_already_is_left_alone(client: httpx.AsyncClient) -> None:
    shown = asks("/servers", "?q=x", shown="/servers?q=x")
    answer = await client.post("/_dash-update-component", json=shown)
    assert answer.status_code == 204 or answer.json()["response"] == {}


async def test_a_page_that_breaks_keeps_the_frame_and_gives_an_id(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the reason, for the log alone")

    monkeypatch.setattr("dashboard.routing.render", broken)
    answer = await client.post("/_dash-update-component", json=asks("/rooms"))
    assert answer.status_code == 200
    said = json.dumps(answer.json())
    assert "could not be made" in said
    assert "the reason" not in said
    report_id = re.search(r"with this id: .*?([0-9a-f]{8})", said)
    assert report_id is not None
    assert any(report_id[1] in record.getMessage() for record in caplog.records)


async def test_health_tells_what_is_shown(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.get("/healthz")).text == "ok\n"
    health = (await client.get("/api/v1/health")).json()
    assert health["status"] == "ok"
    assert health["census"]["servers"] == 260
    assert health["census"]["synthetic"] is True
    assert health["census"]["finished_at"] == "2026-11-23T03:10:00Z"
    transport = httpx.ASGITransport(create_app(tmp_path / "none.duckdb"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as empty:
        assert (await empty.get("/api/v1/health")).json() == {"status": "empty", "snapshot": None, "census": None}


async def test_health_says_when_the_data_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "serving"
    folder.mkdir()
    (folder / "census-000001-1.duckdb").write_bytes(b"x" * 4096)
    (folder / "census.current").write_text("census-000001-1.duckdb\n")
    transport = httpx.ASGITransport(create_app(tmp_path / "census.duckdb"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as broken:
        answer = await broken.get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unreadable")
