"""Ports on loopback that are there to be refused, to stay silent, or to be free for somebody else."""

import contextlib
import socket
from collections.abc import Iterator

import trio

_FILL = 4
_STALLED_AT_ONCE = 1000
_STALLS_FOR_S = 120.0


@contextlib.contextmanager
def refusing_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that refuses every connection: bound, so that nobody else gets it, but not listening."""
    with socket.socket() as bound:
        bound.bind((host, 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def silent_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that answers no connection attempt at all.

    A listening socket whose queue of accepted connections is full drops the SYNs of all others (Linux, with
    tcp_abort_on_overflow off, as it is by default); so we fill the shortest possible queue ourselves and never accept.
    """
    with contextlib.ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind((host, 0))
        listening.listen(0)
        for _ in range(_FILL):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listening.getsockname())
        yield listening.getsockname()[1]


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free now, for the crawler to serve its key document on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


async def serve_stalling(
    host: str = "127.0.0.1", *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Accept connections and never say a word, until the peer leaves or two minutes are over; starts with the port."""
    slots = trio.CapacityLimiter(_STALLED_AT_ONCE)

    async def hold(stream: trio.SocketStream) -> None:
        async with slots, stream:
            with trio.move_on_after(_STALLS_FOR_S), contextlib.suppress(trio.BrokenResourceError):
                while await stream.receive_some(4096):
                    pass

    (listener,) = await trio.open_tcp_listeners(0, host=host)
    task_status.started(listener.socket.getsockname()[1])
    await trio.serve_listeners(hold, [listener])
