"""Who carries out the tasks of a crawl: a function from a task to its outcome, for this process or another.

Apart from the visit, which is one kind of task and does not know whether what it saw is believed.
"""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace

import trio

from crawler.engine.canary import Canary
from crawler.engine.explore import explore
from crawler.engine.lookup import ask_aliases
from crawler.engine.task import Explore, Explored, LookedUp, LookUp, Outcome, Task, Visit
from crawler.engine.visit import visit
from crawler.net.transport import Network
from crawler.protocol.signing import Identity


def worker(
    network: Network, identity: Identity | None, canary: Canary | None = None
) -> Callable[[Task], Awaitable[Outcome]]:
    """What carries out the tasks of a crawl; the canary judges whether what failed may be believed."""

    async def work(task: Task) -> Outcome:
        match task:
            case Visit():
                began = trio.current_time()
                with canary.deciding() if canary is not None and not task.hurried else nullcontext():
                    visited = await visit(network, identity, task)
                if canary is None:
                    return visited
                limits = network.first_limits if task.hurried else network.limits
                doubt = canary.judge(visited.observation, visited.robots, limits, began)
                return visited if doubt is None else replace(visited, doubt=doubt)
            case LookUp(owner, client_base, aliases):
                async with network.visit(owner) as session:
                    answers, left = await ask_aliases(session, client_base, aliases, network.limits)
                return LookedUp(task, answers, left)
            case Explore(server):
                if identity is None:
                    return Explored(task, ())
                async with network.visit(server) as session:
                    with trio.move_on_after(network.limits.server_timeout_s):
                        return await explore(session, identity, task)
                return Explored(task, ())

    return work
