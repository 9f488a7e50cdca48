"""Messages between the processes of one crawl: frozen dataclasses, pickled, each with its length before it.

Unpickling runs what the bytes say, so a pipe is only ever a socket pair that this program made and handed to a process
that it started itself: nothing has a name by which anybody else could find it.
"""

import pickle
import struct
from collections.abc import AsyncGenerator

import trio

_LENGTH = struct.Struct("!I")
_RECEIVE_BYTES = 256 * 1024


class Pipe:
    """One end. `pump` must run for anything to leave it.

    What is queued is bounded by what is asked: as many tasks as the crawl has in flight, and one question about each
    address in use.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._queue: list[bytes] = []
        self._queued = trio.Event()

    def send(self, message: object) -> None:
        """Queue a message; never blocks."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._queue.append(_LENGTH.pack(len(data)) + data)
        self._queued.set()

    async def pump(self) -> None:
        """Write what is queued, all that there is at once, until the other end is gone."""
        while True:
            await self._queued.wait()
            self._queued = trio.Event()
            data = b"".join(self._queue)
            self._queue.clear()
            try:
                await self._stream.send_all(data)
            except trio.BrokenResourceError:
                return

    async def messages(self) -> AsyncGenerator[object, None]:
        """What the other end sends, until it is gone. A message cut off by its end never was."""
        received = bytearray()
        while True:
            while len(received) >= _LENGTH.size:
                end = _LENGTH.size + _LENGTH.unpack_from(received)[0]
                if len(received) < end:
                    break
                message = pickle.loads(memoryview(received)[_LENGTH.size : end].tobytes())  # noqa: S301 - see above
                del received[:end]
                yield message
            try:
                data = await self._stream.receive_some(_RECEIVE_BYTES)
            except trio.BrokenResourceError:
                return
            if not data:
                return
            received += data

    async def aclose(self) -> None:
        await self._stream.aclose()
