"""Several processes that carry out the tasks of one crawl, so that it can use all cores.

Frontier and writer stay where they are; to the crawl, a crew is a `Worker` like the one within its own process. A task
goes to the worker that last known address of its server points to, so that those behind one address meet in one
process, and the pace of an address that several need is kept whole by lending (`net.lending`). Tasks of a process that
died go to the one that takes its place: no server is lost, and none is reported twice, since a task has one outcome.
"""

import itertools
import socket
import subprocess
import sys
import zlib
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import assert_never

import trio

from crawler.engine.canary import Canary
from crawler.engine.leases import Broken, Done, Job, Start
from crawler.engine.pipe import Pipe
from crawler.engine.task import Explore, LookUp, Outcome, Task, Visit, Visited
from crawler.errors import CensusError
from crawler.net.lending import Ask, Lender, Rest, Return, Sent
from crawler.net.traffic import Traffic
from crawler.protocol.memory import Memory

DEATHS = 20
"""Worker processes that may die in one crawl. Past that it is no accident: something kills them, or they kill
themselves."""

FRUITLESS = 3
"""Processes of one seat that may die in a row without an outcome between them."""

FAREWELL_S = 1.0
"""A process ends by itself when its pipe does; it is killed when it has not after so long."""

COMMAND = (sys.executable, "-m", "crawler.engine.hand")


@dataclass(slots=True)
class _Leased:
    """A task given to a worker, and how it ended."""

    task: Task
    ended: trio.Event = field(default_factory=trio.Event)
    outcome: Outcome | None = None
    error: Exception | None = None


@dataclass(slots=True)
class _Seat:
    """One worker's place, whoever holds it: its process now, its tasks until they are done."""

    number: int
    leased: dict[int, _Leased] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    pipe: Pipe | None = None
    pid: int | None = None
    fruitless: int = 0


class Crew:
    """`run` must run for `work` to get anywhere.

    Args:
        count: how many processes.
        start: what each of them is and knows.
        traffic: grows by what each process does, up to the last outcome that it sent.
        canary: is told whom the processes found online, and how much they lag.
        memory: learns what they heard; they begin with what it knows.
    """

    def __init__(
        self,
        count: int,
        start: Start,
        traffic: Traffic,
        canary: Canary,
        memory: Memory,
    ) -> None:
        limits = start.settings.limits
        # Of the crawl as a whole, like the other limits: no more handshakes are begun at once for being many.
        busy = replace(limits, busy_connections=max(1, limits.busy_connections // count))
        self._start = replace(start, settings=replace(start.settings, limits=busy))
        self._traffic = traffic
        self._canary = canary
        self._memory = memory
        self._seats = [_Seat(number) for number in range(count)]
        self._numbers = itertools.count()
        self._lender = Lender(limits.address_concurrency, limits.address_rate_per_s, trio.current_time)
        self.deaths = 0

    @property
    def pids(self) -> list[int]:
        """Of the processes that are up."""
        return [seat.pid for seat in self._seats if seat.pid is not None]

    async def work(self, task: Task) -> Outcome:
        """Have a task carried out.

        Raises:
            CensusError: the worker's machine is out of resources.
            RuntimeError: a bug of ours, with where in the worker it showed.
        """
        seat = self._seat_of(task)
        number = next(self._numbers)
        leased = seat.leased[number] = _Leased(task)
        if seat.pipe is not None:
            seat.pipe.send(Job(number, task))
        try:
            await leased.ended.wait()
        finally:
            del seat.leased[number]
        if leased.outcome is None:
            raise leased.error or RuntimeError("a task ended without an outcome")
        return leased.outcome

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep all seats taken, until cancelled.

        Raises:
            CensusError: workers keep dying.
        """
        async with trio.open_nursery() as nursery:
            for seat in self._seats:
                nursery.start_soon(self._keep, seat)
            task_status.started()

    def _seat_of(self, task: Task) -> _Seat:
        match task:
            case Visit(server, address=address):
                place = address or server.host.lower()
            case LookUp(owner):
                place = owner.host.lower()
            case Explore(server):
                place = server.host.lower()
            case _:
                assert_never(task)
        return self._seats[zlib.crc32(place.encode()) % len(self._seats)]

    async def _keep(self, seat: _Seat) -> None:
        while True:
            status = await self._employ(seat)
            self._bury(seat)
            if self.deaths > DEATHS or seat.fruitless >= FRUITLESS:
                raise CensusError(
                    f"{self.deaths} worker processes died, the last with status {status}; what was seen is kept. Is "
                    "memory short? Start again with fewer --workers"
                )

    async def _employ(self, seat: _Seat) -> int:
        """One process, from its start to its end. Returns how it ended, as the system tells."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await trio.lowlevel.open_process(
                [*COMMAND, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                # Not of our group, so that Ctrl-C comes to us alone.
                process_group=0,
            )
        pipe = Pipe(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
        try:
            seat.pipe, seat.pid = pipe, process.pid
            pipe.send(replace(self._start, answers=self._memory.answers()))
            for number, leased in seat.leased.items():
                pipe.send(Job(number, leased.task))
            async with trio.open_nursery() as nursery, aclosing(pipe.messages()) as messages:
                nursery.start_soon(pipe.pump)
                async for message in messages:
                    self._heard(seat, message)
                nursery.cancel_scope.cancel()
        finally:
            seat.pipe = seat.pid = None
            with trio.CancelScope(shield=True):
                await pipe.aclose()
                with trio.move_on_after(FAREWELL_S):
                    await process.wait()
                process.kill()
                status = await process.wait()
        return status

    def _bury(self, seat: _Seat) -> None:
        self.deaths += 1
        seat.fruitless += 1
        seat.traffic = Traffic()
        self._say(self._lender.lost(seat.number))

    def _heard(self, seat: _Seat, message: object) -> None:
        match message:
            case Done(number, outcome, traffic, answers, lag_s):
                self._traffic.add(traffic, seat.traffic)
                seat.traffic = traffic
                seat.fruitless = 0
                self._memory.heard(answers)
                self._canary.lagged(lag_s)
                if isinstance(outcome, Visited):
                    limits = self._start.settings.limits
                    outcome = self._canary.review(outcome, limits.of_first_try() if outcome.task.hurried else limits)
                leased = seat.leased.get(number)
                if leased is not None:
                    leased.outcome = outcome
                    leased.ended.set()
            case Broken(number, error, trace):
                leased = seat.leased.get(number)
                if leased is not None:
                    leased.error = error or RuntimeError(f"a worker process failed:\n{trace}")
                    leased.ended.set()
            case Ask() | Return() | Rest():
                self._say(self._lender.heard(seat.number, message))
            case _:
                raise TypeError(f"no message of a worker: {message!r}")

    def _say(self, sent: list[Sent]) -> None:
        for number, message in sent:
            pipe = self._seats[number].pipe
            if pipe is not None:
                pipe.send(message)
