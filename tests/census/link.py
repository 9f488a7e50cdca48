"""Our way to the practice federation, with a switch: when it is off, nothing comes through and nobody says so.

That is how a network goes away: questions to DNS are lost, connections are neither made nor refused, and those that
stand fall silent. A stopped process would not do, since the kernel goes on accepting connections for it.
"""

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trio.testing

from crawler.lab.hosting import LISTENING_PORTS
from tests.census.practice import Practice

_FILL = 4
_BACKLOG = 512
_ANSWER_S = 5.0
_HERE = "127.0.0.1"


class Link:
    """Relays between a crawl and a lab. `options` are the lab's, led through them."""

    def __init__(self, lab: Practice, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._on = trio.Event()
        self._on.set()
        self._accepting: set[trio.CancelScope] = set()
        self._listening: list[socket.socket] = []
        self._held = contextlib.ExitStack()
        self.dns = self._relay_dns(str(lab.line["dns"]))
        self.connect = [self._led_here(rule) for rule in lab.line["connect"]]

    def options(self, lab: Practice, *without: str) -> list[str]:
        rest = lab.options("dns", "connect", *without)
        return [*rest, "--dns", self.dns, *(part for rule in self.connect for part in ("--connect", rule))]

    async def go_down(self) -> None:
        self._on = trio.Event()
        for accepting in self._accepting:
            accepting.cancel()
        await trio.testing.wait_all_tasks_blocked()
        for listening in self._listening:
            listening.listen(0)
            for _ in range(_FILL):  # a full queue drops whoever else knocks; see `lab.sockets.silent_port`
                filler = self._held.enter_context(socket.socket())
                filler.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    filler.connect(listening.getsockname())

    def come_back(self) -> None:
        self._held.close()
        for listening in self._listening:
            listening.listen(_BACKLOG)
        self._on.set()

    def _led_here(self, rule: str) -> str:
        left, _, right = rule.partition("=")
        if left not in [f"*:{port}" for port in LISTENING_PORTS]:
            return rule
        listening = socket.create_server((_HERE, 0), backlog=_BACKLOG)
        self._listening.append(listening)
        self._nursery.start_soon(self._relay_connections, listening, int(right.rpartition(":")[2]))
        return f"{left}={_HERE}:{listening.getsockname()[1]}"

    async def _relay_connections(self, listening: socket.socket, port: int) -> None:
        with trio.socket.from_stdlib_socket(listening) as door:
            while True:
                await self._on.wait()
                with trio.CancelScope() as accepting:
                    self._accepting.add(accepting)
                    while True:
                        near, _ = await door.accept()
                        self._nursery.start_soon(self._relay_connection, trio.SocketStream(near), port)
                self._accepting.discard(accepting)

    async def _relay_connection(self, near: trio.SocketStream, port: int) -> None:
        with contextlib.suppress(OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            async with near, await trio.open_tcp_stream(_HERE, port) as far, trio.open_nursery() as nursery:

                async def pump(source: trio.SocketStream, to: trio.SocketStream) -> None:
                    async for piece in source:
                        await self._on.wait()
                        await to.send_all(piece)
                    await self._on.wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(pump, near, far)
                nursery.start_soon(pump, far, near)

    def _relay_dns(self, upstream: str) -> str:
        host, _, port = upstream.rpartition(":")
        plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        plain.bind((_HERE, 0))
        door = trio.socket.from_stdlib_socket(plain)
        self._nursery.start_soon(self._relay_questions, door, (host, int(port)))
        return f"{_HERE}:{plain.getsockname()[1]}"

    async def _relay_questions(self, door: trio.socket.SocketType, upstream: tuple[str, int]) -> None:
        with door:
            while True:
                question, who = await door.recvfrom(65535)
                if self._on.is_set():
                    self._nursery.start_soon(self._relay_question, door, question, who, upstream)

    async def _relay_question(
        self, door: trio.socket.SocketType, question: bytes, who: tuple[str, int], upstream: tuple[str, int]
    ) -> None:
        with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, trio.move_on_after(_ANSWER_S):
            await asking.connect(upstream)
            await asking.send(question)
            answer = await asking.recv(65535)
            if self._on.is_set():
                await door.sendto(answer, who)


@asynccontextmanager
async def link_to(lab: Practice) -> AsyncIterator[Link]:
    """A link that is up, until the end of the block."""
    async with trio.open_nursery() as nursery:
        link = Link(lab, nursery)
        yield link
        nursery.cancel_scope.cancel()
