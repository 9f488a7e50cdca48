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
from contextlib import aclosing

import trio

from crawler.engine.canary import Canary
from crawler.engine.collector import rare_collections
from crawler.engine.leases import Broken, Done, Job, Start
from crawler.engine.pipe import Pipe
from crawler.engine.worker import worker
from crawler.errors import CensusError
from crawler.net.lending import Lend, Recall, Rest
from crawler.net.transport import Network
from crawler.protocol.memory import Memory


async def serve(pipe: Pipe) -> None:
    """Carry out what comes, until nothing can come any more."""
    async with trio.open_nursery() as nursery, aclosing(pipe.messages()) as messages:
        nursery.start_soon(pipe.pump)
        start = await anext(messages, None)
        if isinstance(start, Start):
            memory = Memory()
            memory.learn(start.answers)
            network = Network(start.settings, version=start.version, memory=memory, to_lender=pipe.send)
            canary = Canary(network, start.settings.liveness, start.canaries)
            work = worker(network, start.identity, canary)
            nursery.start_soon(canary.watch)

            async def carry_out(job: Job) -> None:
                try:
                    outcome = await work(job.task)
                except Exception as error:
                    told = error if isinstance(error, CensusError) else None
                    pipe.send(Broken(job.number, told, traceback.format_exc()))
                    return
                traffic, answers = dataclasses.replace(network.traffic), tuple(memory.take_new())
                pipe.send(Done(job.number, outcome, traffic, answers, canary.lagged_lately_s()))

            async with network:
                async for message in messages:
                    match message:
                        case Job():
                            nursery.start_soon(carry_out, message)
                        case Lend() | Recall() | Rest():
                            network.hear_lender(message)
                        case _:
                            raise TypeError(f"no message to a worker: {message!r}")
        nursery.cancel_scope.cancel()


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
    with rare_collections():
        trio.run(_main, int(sys.argv[1]))
