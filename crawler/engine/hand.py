"""One worker process of a crawl: tasks in, outcomes out. Started by `crew`, never by a person.

    python -m crawler.engine.hand DESCRIPTOR

It knows neither frontier nor store, and owns nothing that outlives it: whatever kills it, the crew gives its tasks to
its successor. It ends when its pipe does, so that it never outlives the crawl either.
"""

import dataclasses
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import trio

from crawler.engine.leases import Broken, Done, Job, Start
from crawler.engine.pipe import Pipe
from crawler.engine.task import Outcome, Task
from crawler.engine.visit import worker
from crawler.errors import CensusError
from crawler.net.lending import Lend, Recall, Rest
from crawler.net.transport import Network


async def serve(pipe: Pipe) -> None:
    """Carry out what comes, until nothing can come any more."""
    async with trio.open_nursery() as nursery, aclosing(pipe.messages()) as messages:
        nursery.start_soon(pipe.pump)
        start = await anext(messages, None)
        if isinstance(start, Start):
            network = Network(start.settings, version=start.version, to_lender=pipe.send)
            work = worker(network, start.identity)
            async with network:
                async for message in messages:
                    match message:
                        case Job():
                            nursery.start_soon(_carry_out, work, message, pipe, network)
                        case Lend() | Recall() | Rest():
                            network.hear_lender(message)
                        case _:
                            raise TypeError(f"no message to a worker: {message!r}")
        nursery.cancel_scope.cancel()


async def _carry_out(work: Callable[[Task], Awaitable[Outcome]], job: Job, pipe: Pipe, network: Network) -> None:
    try:
        outcome = await work(job.task)
    except Exception as error:
        told = error if isinstance(error, CensusError) else None
        pipe.send(Broken(job.number, told, traceback.format_exc()))
    else:
        pipe.send(Done(job.number, outcome, dataclasses.replace(network.traffic)))


async def _main(descriptor: int) -> None:
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket(fileno=descriptor)))
    pipe = Pipe(stream)
    try:
        await serve(pipe)
    finally:
        await pipe.aclose()


if __name__ == "__main__":
    # Signals are the crawl's business, which keeps what was seen before it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    trio.run(_main, int(sys.argv[1]))
