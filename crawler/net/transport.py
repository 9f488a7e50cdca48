"""`Network`: the way out for the rest of the crawler. Visits and connections come from here."""

import random
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from crawler.config import Limits, Settings
from crawler.errors import Failure
from crawler.model.names import ServerName
from crawler.net.borrowing import BorrowingPacer
from crawler.net.connection import Connection
from crawler.net.dial import canonical
from crawler.net.lending import FromBorrower, ToBorrower
from crawler.net.session import Session
from crawler.net.stack import build_stack, utc_now
from crawler.net.traffic import Traffic
from crawler.protocol.memory import Memory

__all__ = ["Connection", "Network"]


class Network:
    """One for each process; `async with network` ends its sockets. May be built before the event loop runs.

    Args:
        settings: limits, who we are, how names become sockets.
        version: of this program, for the user agent.
        rng: draws the order of SRV targets.
        now: the wall clock.
        memory: answers of resolutions that need not be asked for again, and where new ones go; None, as for a check,
            which is made now: every question is asked.
        to_lender: tells who lends this process its share of every address's pace; None: the pace is all ours.

    Raises:
        UsageError: settings that name a CA file or a DNS server that is not there.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        version: str,
        rng: random.Random | None = None,
        now: Callable[[], datetime] = utc_now,
        memory: Memory | None = None,
        to_lender: Callable[[FromBorrower], None] | None = None,
    ) -> None:
        # SRV's weighted draw wants fairness, not secrecy.
        draw = rng or random.Random()  # noqa: S311 - see above
        self._stack = build_stack(settings, version, draw, now, memory, to_lender)

    @property
    def limits(self) -> Limits:
        return self._stack.limits

    @property
    def first_limits(self) -> Limits:
        """Those of a first try."""
        return self._stack.first_limits

    @property
    def traffic(self) -> Traffic:
        """Counters since the process began; they go on counting."""
        return self._stack.traffic

    def hear_lender(self, message: ToBorrower) -> None:
        """What the lender of paces says; see `lending`."""
        pacer = self._stack.pacer
        if not isinstance(pacer, BorrowingPacer):
            raise TypeError("nobody lends to this network")
        pacer.heard(message)

    def connection(self, address: str, port: int, tls_name: str) -> Connection:
        """A connection of its own, to be closed by the caller; not dialled yet."""
        return Connection(self._stack, address, port, tls_name)

    def visit(self, server_name: ServerName, *, hurried: bool = False) -> Session:
        """A session for one visit, within `limits.server_requests` and `limits.server_bytes`, to be closed, or used as
        `async with`; a `hurried` one has the short deadlines of a first try."""
        return Session(self._stack, server_name, hurried=hurried)

    async def ask_dns(self, host: str) -> tuple[str, ...]:
        """The addresses of `host`; none when there are none, for whatever reason."""
        return (await self._stack.dns.lookup_addresses(host)).addresses

    async def ask_txt(self, owner: str) -> tuple[str, ...]:
        """The TXT records of `owner`; none when there are none, for whatever reason."""
        return await self._stack.dns.lookup_txt(owner)

    async def dial(self, address: str, port: int) -> bool:
        """Whether somebody takes a connection there, at the address's pace. Nothing is sent over it."""
        async with self._stack.pacer.turn(canonical(address)):
            sock = await self._stack.dialler.dial(address, port, self._stack.limits.connect_timeout_s)
        if isinstance(sock, Failure):
            return False
        sock.close()
        self._stack.traffic.connections += 1
        return True

    def forget_silence(self) -> None:
        """Nobody is held to have been silent lately any more: our own network was away."""
        self._stack.silences.forget()
        self._stack.dns.forget_silence()

    def close(self) -> None:
        """End what outlives visits: the sockets to the name servers. Asking anew opens them again."""
        self._stack.dns.close()

    async def __aenter__(self) -> "Network":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
