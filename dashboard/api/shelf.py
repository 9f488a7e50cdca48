"""Answers that are the same for every visitor of one census, made once and kept: bodies as they are sent, packed too.

Bounded by bytes, for an address can ask for many things. Two who ask for the same at once wait for one making. Kept
by the name of the serving file, not by the snapshot's: the same crawls can be published anew with other numbers beside
them, or with a server less that was forgotten.
"""

import gzip
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import trio
from fastapi import Request, Response

from crawler.errors import StoreError
from crawler.version import VERSION
from dashboard.api.problem import NO_CENSUS, UNREADABLE, Problem
from dashboard.data import CensusSource, View

LIMIT_BYTES = 48 * 1024 * 1024
"""Of all bodies that are kept together."""

_PACK_FROM_BYTES = 500
_SLOT_BYTES = 500
"""What the bookkeeping of an answer takes, roughly."""

FRESH_S = 60
"""How long others may keep an answer without asking again: a server that is forgotten must soon be gone everywhere."""

CACHE = {"Cache-Control": f"public, max-age={FRESH_S}", "Vary": "Accept, Accept-Encoding"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent. `packed` is the body in gzip; None where that is not worth it."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    packed: bytes | None = None

    @classmethod
    def of(cls, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> "Answer":
        """An answer with what is packed once for all."""
        worth_it = len(body) >= _PACK_FROM_BYTES and not media_type.startswith("application/vnd.apache.parquet")
        return cls(body, media_type, headers or {}, gzip.compress(body, 5, mtime=0) if worth_it else None)

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        """To whoever asks for it, packed if he takes that."""
        told = {**headers, **self.headers}
        body = self.body
        if self.packed is not None and takes_gzip(request.headers.get("accept-encoding", "")):
            told["Content-Encoding"] = "gzip"
            body = self.packed
        return Response(body, media_type=self.media_type, headers=told)

    @property
    def size_bytes(self) -> int:
        return len(self.body) + len(self.packed or b"") + _SLOT_BYTES


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answer: Answer | None = None


class Shelf:
    """The answers of one census file's snapshots."""

    def __init__(self, source: CensusSource, limit_bytes: int = LIMIT_BYTES) -> None:
        self.source = source
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._bytes = 0

    async def answer(self, request: Request, key: Hashable, make: Callable[[View], Answer]) -> Response:
        """Answer a request from the census of this moment.

        Args:
            request: Whose `If-None-Match` and `Accept-Encoding` count.
            key: What is asked for, in which form; the same key, the same answer.
            make: Makes it; in a thread, so it may ask the census.

        Raises:
            Problem: there is no census, or it cannot be read, or what `make` raises.
        """
        seen = request.headers.get("if-none-match", "")
        found, etag = await self._in_thread(partial(self._find, key, make, seen))
        headers = {**CACHE, "ETag": etag}
        if found is None:
            return Response(status_code=304, headers=headers)
        return found.response(request, headers)

    async def ask(self, question: Callable[[View], T]) -> T:
        """Ask the census of this moment something that is not kept.

        Raises:
            Problem: as above.
        """

        def in_view() -> T:
            with self.source.view() as view:
                return question(_needed(view))

        return await self._in_thread(in_view)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await trio.to_thread.run_sync(call, limiter=self.source.limiter)
        except StoreError:
            # What it says names files of this machine; that is for the log of the one who runs it.
            raise Problem(UNREADABLE, "What was published cannot be read.", {"retry_after_s": 60}) from None

    def _find(self, key: Hashable, make: Callable[[View], Answer], seen: str) -> tuple[Answer | None, str]:
        with self.source.view() as found:
            view = _needed(found)
            etag = etag_of(view, key)
            if any(_opaque(tag) in (_opaque(etag), "*") for tag in seen.split(",")):
                return None, etag
            return self._once((view.reader.path.name, key), partial(make, view)), etag

    def _once(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
        with slot.lock:
            if slot.answer is None:
                try:
                    slot.answer = make()
                except BaseException:
                    self._drop(key, slot)
                    raise
                self._keep(key, slot, slot.answer.size_bytes)
            return slot.answer

    def _drop(self, key: Hashable, slot: _Slot) -> None:
        with self._lock:
            if self._slots.get(key) is slot:
                del self._slots[key]

    def _keep(self, key: Hashable, slot: _Slot, size_bytes: int) -> None:
        with self._lock:
            other = self._slots.get(key)
            if other is not None and other is not slot and other.answer is not None:
                self._bytes -= other.answer.size_bytes
            self._slots[key] = slot
            self._bytes += size_bytes
            for old_key, old in list(self._slots.items()):
                if self._bytes <= self._limit_bytes:
                    break
                if old.answer is not None:  # one in the making has no size yet
                    del self._slots[old_key]
                    self._bytes -= old.answer.size_bytes


def etag_of(view: View, key: Hashable) -> str:
    """A weak entity tag (RFC 9110, 8.8.1): by snapshot, publication, program, and what was asked for, since forms of
    one address differ."""
    of_key = format(hash_of(repr(key)), "08x")
    return f'W/"{view.reader.snapshot_id}.{view.reader.path.stem.rpartition("-")[2]}.{VERSION}.{of_key}"'


def hash_of(text: str) -> int:
    """The same in every process, unlike `hash`."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _needed(view: View | None) -> View:
    if view is None:
        raise Problem(NO_CENSUS, "No census of the whole federation was published here yet.", {"retry_after_s": 60})
    return view


def _opaque(tag: str) -> str:
    return tag.strip().removeprefix("W/")


def takes_gzip(accept_encoding: str) -> bool:
    """RFC 9110, 12.5.3, as far as it concerns gzip."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
