"""Pages as they are sent, made once for each census and question: who asks what another has asked gets the same bytes.

Around Dash, as plain ASGI, because its callbacks hand back components, which it writes out as JSON for every visitor
anew: of a page of charts that, and packing it, takes ten times as long as looking it up. What is kept is bounded by
bytes, and found under the name of the serving file and what `question_of` makes of the request; that says what the
answer depends on, or that it is nobody else's. Of many who ask at once for the same, one waits for Dash and the others
for him.

A name is looked up before the answer is made, so an answer may be of a newer census than its name says, never of an
older one; and when the name changes, all that was kept goes, so that nothing outlives the file that it was made from.
"""

import gzip
import json
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import trio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crawler.store.serving import serving_file
from dashboard.api.shelf import takes_gzip
from dashboard.data import CensusSource

LIMIT_BYTES = 32 * 1024 * 1024
"""Of all answers that are kept together, packed."""

PATH = "/_dash-update-component"

RENEWED_S = 600
"""How long an answer is given: a page may say how old its census is."""

_LEVEL = 5
_SLOT_BYTES = 500

QuestionOf = Callable[[Any], Hashable | None]


@dataclass(slots=True)
class _Slot:
    lock: trio.Lock = field(default_factory=trio.Lock)
    packed: bytes | None = None


class Answered:
    """See the module.

    Args:
        app: What answers.
        source: Of which census.
        question_of: Of the body of a request, parsed from JSON and otherwise unchecked: what its answer depends on
            besides the census; None: it is not kept.
        is_kept: Whether an answer is one to be given again.
        limit_bytes: As `LIMIT_BYTES`.
    """

    def __init__(
        self,
        app: ASGIApp,
        source: CensusSource,
        question_of: QuestionOf,
        is_kept: Callable[[bytes], bool],
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._app = app
        self._source = source
        self._question_of = question_of
        self._is_kept = is_kept
        self._limit_bytes = limit_bytes
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._bytes = 0
        self._serving = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return
        message = await receive()  # whole: RequestLimit has gathered it
        unread = [message]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        key = self._key(message.get("body", b""))
        if key is None:
            await self._app(scope, replay, send)
            return
        slot = self._slots.setdefault(key, _Slot())
        self._slots.move_to_end(key)
        async with slot.lock:
            packed = slot.packed
            if packed is None:
                heard = _Heard()
                try:
                    await self._app(scope, replay, heard.hear)
                finally:
                    if heard.status != 200 or not self._is_kept(heard.body):
                        self._slots.pop(key, None)
                if key not in self._slots:
                    await _send(send, heard.status, heard.headers, heard.body)
                    return
                packed = await trio.to_thread.run_sync(gzip.compress, heard.body, _LEVEL)
                self._keep(key, slot, packed)
        headers = [(b"content-type", b"application/json"), (b"vary", b"Accept-Encoding")]
        if takes_gzip(Headers(scope=scope).get("accept-encoding", "")):
            await _send(send, 200, [*headers, (b"content-encoding", b"gzip")], packed)
        else:
            await _send(send, 200, headers, gzip.decompress(packed))

    def _key(self, body: bytes) -> Hashable | None:
        try:
            question = self._question_of(json.loads(body))
        except ValueError:
            return None
        serving = serving_file(self._source.census)
        if question is None or serving is None:
            return None
        if serving.name != self._serving:
            self._serving, self._bytes = serving.name, 0
            self._slots.clear()
        return int(trio.current_time() // RENEWED_S), question

    def _keep(self, key: Hashable, slot: _Slot, packed: bytes) -> None:
        slot.packed = packed
        if self._slots.get(key) is not slot:
            return  # let go meanwhile, and so are those who wait for it
        self._bytes += len(packed) + _SLOT_BYTES
        for old_key, old in list(self._slots.items()):
            if self._bytes <= self._limit_bytes:
                break
            if old.packed is not None:  # one in the making has no size yet
                del self._slots[old_key]
                self._bytes -= len(old.packed) + _SLOT_BYTES


@dataclass(slots=True)
class _Heard:
    """What the application sends, gathered."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    told = [each for each in headers if each[0].lower() != b"content-length"]
    told.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})
