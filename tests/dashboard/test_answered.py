"""Answers of callbacks that are the same for all: made once for each census and question, never of an older census."""

import gzip
import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.answered import PATH, Answered
from dashboard.app import create_app
from dashboard.data import CensusSource
from dashboard.routing import question_of
from tests.dashboard.federation import publish, write_census

_FRAME = "..page.children...census-line.children.."


class Counting:
    """Answers each time with another number; `{"status": ...}` in the body asks for that status."""

    def __init__(self) -> None:
        self.answers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await Request(scope, receive).json()
        await trio.sleep(0.01)
        self.answers += 1
        body = json.dumps([self.answers, "x" * asked.get("size", 0), asked.get("say", "")])
        await Response(body, asked.get("status", 200), media_type="application/json")(scope, receive, send)


def asked_for(body: Any) -> Hashable | None:
    return body.get("question") if isinstance(body, dict) else None


@dataclass
class Heard:
    """What an application answered."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")

    @property
    def json(self) -> Any:
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


async def post(app: ASGIApp, body: Any, path: str = PATH, accept: str = "gzip", method: str = "POST") -> Heard:
    """One request as the server hands it on."""
    heard = Heard()
    headers = [(b"accept-encoding", accept.encode()), (b"content-type", b"application/json"), (b"host", b"test")]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "client": ("127.0.0.1", 9), "server": ("test", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    messages: list[Message] = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    await app(scope, receive, heard.hear)
    return heard


@pytest.fixture
def small(tmp_path: Path) -> Path:
    census = tmp_path / "census.duckdb"
    write_census(census, servers=5)
    publish(census)
    return census


async def test_many_who_ask_for_the_same_get_what_was_made_for_one(small: Path) -> None:
    app = Counting()
    answered = Answered(app, CensusSource(small), asked_for, lambda body: b"broken" not in body)
    told: list[Any] = []

    async def ask(question: str, **more: object) -> None:
        answer = await post(answered, {"question": question, **more})
        told.append((question, answer.status, answer.json[0]))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask, "a")
    await ask("b")
    await ask("a")
    assert told == [*[("a", 200, 1)] * 10, ("b", 200, 2), ("a", 200, 1)]
    # A failure, and a page that says that it failed, are given to nobody else.
    for _ in range(2):
        await ask("c", status=500)
        await ask("d", say="broken")
    assert [number for *_, number in told[-4:]] == [3, 4, 5, 6]
    plain = await post(answered, {"question": "a"}, accept="identity")
    assert "content-encoding" not in plain.headers
    assert plain.json[0] == 1
    write_census(small, servers=6, days_ago=-1)
    publish(small)
    await ask("a")
    assert told[-1] == ("a", 200, 7)


async def test_what_it_does_not_understand_it_leaves_alone(small: Path, tmp_path: Path) -> None:
    app = Counting()
    answered = Answered(app, CensusSource(small), asked_for, lambda _: True)
    unpublished = Answered(app, CensusSource(tmp_path / "none" / "census.duckdb"), asked_for, lambda _: True)
    asked = [(None, PATH), (None, PATH), ("a", "/x"), ("a", "/x")]
    assert [(await post(answered, {"question": question}, path)).json[0] for question, path in asked] == [1, 2, 3, 4]
    assert [(await post(unpublished, {"question": "a"})).json[0] for _ in range(2)] == [5, 6]


async def test_it_keeps_no_more_than_it_may(small: Path) -> None:
    app = Counting()
    size = 4000
    kept = Answered(app, CensusSource(small), asked_for, lambda _: True, limit_bytes=3 * 560)

    async def ask(question: str) -> int:
        number: int = (await post(kept, {"question": question, "size": size})).json[0]
        return number

    assert [await ask(question) for question in "abcab"] == [1, 2, 3, 1, 2]
    assert await ask("d") == 4  # c, which was asked for longest ago, is let go
    assert [await ask(question) for question in "dbac"] == [4, 2, 1, 5]


def test_the_question_of_the_frame_is_path_query_and_scheme() -> None:
    def body(
        path: object, search: object, theme: object, shown: object, output: str = "..page.children...x.y.."
    ) -> Any:
        inputs = [("address", "pathname", path), ("address", "search", search), ("theme", "data", theme)]
        return {
            "output": output,
            "inputs": [{"id": of, "property": name, "value": value} for of, name, value in inputs],
            "state": [{"id": "shown", "property": "data", "value": shown}],
        }

    asked = question_of(body("/rooms", "?q=a", "dark", None))
    assert asked is not None
    assert asked == question_of(body("/rooms", "?q=a", "dark", "/about"))
    others = [
        body("/rooms", "?q=b", "dark", None),
        body("/rooms", "?q=a", "light", None),
        body("/x", "?q=a", "dark", None),
    ]
    assert len({asked, *map(question_of, others)}) == 4
    # What is on the screen already is answered with nothing; other callbacks have their own state.
    assert question_of(body("/rooms", "?q=a", "dark", "/rooms?q=a")) is None
    assert question_of(body("/rooms", "", "dark", None, "check-now-result.children")) is None
    nonsense: tuple[Any, ...] = (None, [], {}, {"inputs": 3}, body(3, "", "", ""), body("/", [3], "", ""))
    for each in nonsense:
        assert question_of(each) is None


async def test_a_page_is_sent_packed_and_whole(small: Path) -> None:
    app = create_app(small)
    callbacks = (await post(app, None, "/_dash-dependencies", method="GET")).json
    callback = next(each for each in callbacks if "page.children" in each["output"])
    parts = callback["output"].strip(".").split("...")
    values = {"pathname": "/servers", "search": "", "data": "light"}
    body = {
        "output": callback["output"],
        "outputs": [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts],
        "inputs": [{**each, "value": values[each["property"]]} for each in callback["inputs"]],
        "changedPropIds": ["address.pathname"],
        "state": callback["state"],
    }
    first, second = [await post(app, body) for _ in range(2)]
    assert first.status == 200
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert "5 servers" in json.dumps(first.json)
    assert (second.body, second.headers) == (first.body, first.headers)
    assert (await post(app, body, accept="identity")).json == first.json
