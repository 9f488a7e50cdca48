"""A visitor without a screen: asks the server for a page as a browser does, and says how long and how much it was.

What a browser asks is not guessed. Dash tells it which callbacks there are (`/_dash-dependencies`); the one that fills
the frame makes the page, and each callback with an input among what has come and an output that was there before is
asked at once, with the values that the page came with. So are pictures of this server. Callbacks that run in the
browser ask nobody.
"""

import gzip
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from dashboard import frame, routing
from dashboard.pages import states

_PATIENCE_S = 120.0
_UPDATE = "/_dash-update-component"
_FRAME_OUTPUT = f"{frame.PAGE}.children"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `body` is posted as JSON; None: a GET."""

    path: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One page: milliseconds from the first byte asked to the last byte answered, of all its requests one after the
    other, and the bytes of all bodies as they were sent."""

    took_ms: float
    sent_bytes: int


class Visitor:
    """One connection that stays open, as a browser's does. `learned` is what pages of an address ask for besides
    themselves; visitors may share it, so that only the first has to find out."""

    def __init__(self, site: str, learned: dict[str, tuple[Ask, ...]]) -> None:
        host, port = urlsplit(site).hostname or "", urlsplit(site).port
        self._connection = HTTPConnection(host, port, timeout=_PATIENCE_S)
        self._learned = learned
        answer, _, _ = self._send(Ask("/_dash-dependencies", None))
        self._callbacks: list[dict[str, Any]] = json.loads(answer)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def open(self, address: str) -> Visit:
        """Ask for the page of an address, path and query.

        Raises:
            ValueError: the answer was no page: a status other than 200, or the page that says that it failed.
        """
        content, took_ms, sent_bytes = self._filled(address)
        if address not in self._learned:
            self._learned[address] = self._asked_by(json.loads(content), address)
        for ask in self._learned[address]:
            _, also_ms, also_bytes = self._send(ask)
            took_ms, sent_bytes = took_ms + also_ms, sent_bytes + also_bytes
        return Visit(took_ms, sent_bytes)

    def read(self, address: str) -> Mapping[str, Any]:
        """What fills the frame at an address: component, property, value.

        Raises:
            ValueError: likewise.
        """
        content, _, _ = self._filled(address)
        filled: Mapping[str, Any] = json.loads(content)["response"]
        return filled

    def get(self, path: str) -> Visit:
        """Ask for what is no page."""
        _, took_ms, sent_bytes = self._send(Ask(path, None))
        return Visit(took_ms, sent_bytes)

    def _filled(self, address: str) -> tuple[bytes, float, int]:
        answer = self._send(self._page(address))
        if not states.is_whole(answer[0]):
            raise ValueError(f"{address}: the page failed; the server's log says why")
        return answer

    def _send(self, ask: Ask) -> tuple[bytes, float, int]:
        headers = {"Accept-Encoding": "gzip"} | ({"Content-Type": "application/json"} if ask.body else {})
        began = time.perf_counter()
        self._connection.request("POST" if ask.body else "GET", ask.path, ask.body, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status not in (200, 204):
            raise ValueError(f"{ask.path}: status {answer.status}")
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(body) if packed else body, took_ms, len(body)

    def _page(self, address: str) -> Ask:
        path, mark, query = address.partition("?")
        callback = next(each for each in self._callbacks if _FRAME_OUTPUT in each["output"])
        held = {
            f"{frame.ADDRESS}.pathname": path,
            f"{frame.ADDRESS}.search": mark + query,
            f"{frame.THEME}.data": "light",
        }
        return _update(callback, held, [f"{frame.ADDRESS}.pathname", f"{frame.ADDRESS}.search"])

    def _asked_by(self, answer: Mapping[str, Any], address: str) -> tuple[Ask, ...]:
        there = dict(_components(answer["response"]))
        asks = []
        for callback in self._callbacks:
            inputs = [_name(each) for each in callback["inputs"]]
            new = [name for name in inputs if name.rpartition(".")[0] in there]
            outputs = [part.rpartition(".")[0] for part in callback["output"].strip(".").split("...")]
            if callback["clientside_function"] or not new or all(output in there for output in outputs):
                continue
            values = {name: there[name.rpartition(".")[0]].get(name.rpartition(".")[2]) for name in new}
            asks.append(_update(callback, values | {f"{routing.SHOWN}.data": address}, new))
        pictures = [props["src"] for props in _all_props(answer["response"]) if _is_ours(props.get("src"))]
        return (*asks, *(Ask(quote(path, safe="/%?=&"), None) for path in pictures))


def _update(callback: Mapping[str, Any], held: Mapping[str, Any], changed: list[str]) -> Ask:
    """The request of a callback, as Dash's own renderer words it."""
    outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in _outputs(callback)]
    body = {
        "output": callback["output"],
        "outputs": outputs if callback["output"].startswith("..") else outputs[0],
        "inputs": [{**each, "value": held.get(_name(each))} for each in callback["inputs"]],
        "changedPropIds": changed,
        "parsedChangedPropsIds": changed,
        "state": [{**each, "value": held.get(_name(each))} for each in callback["state"]],
    }
    return Ask(_UPDATE, json.dumps(body).encode())


def _outputs(callback: Mapping[str, Any]) -> list[str]:
    return list(callback["output"].strip(".").split("..."))


def _name(part: Mapping[str, str]) -> str:
    return f"{part['id']}.{part['property']}"


def _is_ours(source: object) -> bool:
    return isinstance(source, str) and source.startswith("/")


def _components(tree: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Components with an id, and their props."""
    for props in _all_props(tree):
        if isinstance(props.get("id"), str):
            yield props["id"], props


def _all_props(tree: object) -> Iterator[Mapping[str, Any]]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            if "props" in node and "namespace" in node:
                yield node["props"]
                stack.append(node["props"].get("children"))
            else:
                stack.extend(node.values())
