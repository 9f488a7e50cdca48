"""Watches ourselves while we watch others: how late the event loop wakes us, and whether anything comes in at all.

Nothing of this is asked of anybody while answers come in anyhow. When nothing did for `liveness.knock_after_s`, the
canary asks DNS a question of its own and dials one server that should be there: one that this crawl found online (each
in its turn, so that none is bothered much), or one named by `liveness.canaries`. Only a connection is made, nothing is
sent over it. As long as that fails too our network is down: the crawl takes no new task and says so.
"""

import math
import secrets
from collections import Counter, deque
from collections.abc import Iterable

import trio

from crawler.config import Limits, Liveness
from crawler.engine.vigil import Doubt, Sign, Vigil, doubt, failures_of_reading, failures_on_the_way
from crawler.errors import FailureKind
from crawler.model.discovery import Endpoint
from crawler.model.names import ServerName
from crawler.model.observation import ServerObservation
from crawler.model.schedule import Robots
from crawler.net.dns import CACHE_FAILURE_S
from crawler.net.silence import KEPT_S
from crawler.net.transport import Network

TICK_S = 0.05
"""How often the loop is asked to wake us."""

ONLINE_KEPT = 64
"""Servers remembered as worth knocking at, the latest found online."""

KNOCKS_AT_ONCE = 5
"""Of each kind."""

HTTPS_PORT = 443
"""Dialled at canaries that are only known by name."""


THROTTLE_EVERY_S = 1.0

LEAST = 10
"""Tasks at once that are left however much we lag."""


class Throttle:
    """How many tasks may be under way: a quarter fewer each second in which our event loop lags so much that first
    tries would be worthless, a tenth more each second in which it does not."""

    def __init__(self, limits: Limits, liveness: Liveness) -> None:
        first = limits.of_first_try()
        shortest_s = min(first.dns_timeout_s, first.connect_timeout_s, first.request_timeout_s)
        self._tolerated_s = liveness.lag_share * shortest_s
        self._allowed = float(limits.concurrency)
        self._turned_at = float("-inf")

    def allowed(self, lag_s: float, most: int, now: float) -> int:
        """After a lag of `lag_s` in the last second; at most `most`."""
        if now - self._turned_at >= THROTTLE_EVERY_S:
            self._turned_at = now
            factor = 0.75 if lag_s > self._tolerated_s else 1.1
            self._allowed = min(max(self._allowed * factor, min(LEAST, most)), most)
        return int(self._allowed)


class Canary:
    """Use `watch` as a task beside the visits of the same process; `vigil` is what it knows.

    Args:
        network: that the visits use.
        liveness: how patient to be.
        names: whom to knock at while nobody was found online yet.
    """

    def __init__(self, network: Network, liveness: Liveness, names: Iterable[ServerName] = ()) -> None:
        self._network = network
        self._liveness = liveness
        self._names = tuple(names)
        self._hosts = deque((name.host for name in self._names if not name.is_ip), maxlen=ONLINE_KEPT)
        self._endpoints: deque[Endpoint] = deque(maxlen=ONLINE_KEPT)
        self._knocking: Counter[Sign] = Counter()
        self.vigil = Vigil(float("-inf"), () if self._names else Sign)
        self._began_at = float("-inf")
        self.worst_lag_s = 0.0
        """Since the beginning."""
        self.knocks = 0
        self._ticks: Counter[int] = Counter()

    def lag_p99_ms(self) -> int | None:
        """99 in 100 times that this process's loop was to wake us, it did so with no more lag than this; None: never
        yet."""
        left = self._ticks.total() // 100
        for lag_ms, count in sorted(self._ticks.items(), reverse=True):
            left -= count
            if left < 0:
                return lag_ms
        return None

    def lagged_lately_s(self) -> float:
        """The worst lag of the last second."""
        now = trio.current_time()
        return self.vigil.worst_lag_s(now - THROTTLE_EVERY_S, now)

    def down_for_s(self) -> float | None:
        """For how long nothing has come in although we knocked; None while that is less than a silence may last."""
        if self._began_at == float("-inf"):
            return None  # the watch has not begun
        seeing = [sign for sign in Sign if sign not in self.vigil.blind]
        silent_s = trio.current_time() - min((self.vigil.last_heard(sign) for sign in seeing), default=float("inf"))
        # Twice: the first knock goes out some time into the silence, and must have had time to be answered.
        return silent_s if silent_s > 2 * self._liveness.silence_s else None

    def judge(self, seen: ServerObservation, robots: Robots | None, limits: Limits, since: float) -> Doubt | None:
        """Whether what a try of a server saw, begun at `since` and over now, may be believed."""
        if seen.federating:
            self.remember(seen)
        now = trio.current_time()
        kinds = tuple(failures_of_reading(seen, robots) if seen.federating else failures_on_the_way(seen))
        # A silence may be one that another visit, or try, waited for; that must have been fit to judge as well.
        if FailureKind.TCP_TIMEOUT in kinds:
            since = min(since, now - KEPT_S - limits.connect_timeout_s)
        if FailureKind.DNS_TIMEOUT in kinds:
            since = min(since, now - CACHE_FAILURE_S - limits.dns_timeout_s)
        doubted = doubt(self.vigil, self._liveness, limits, kinds, max(since, self._began_at), now)
        if doubted is Doubt.OUTAGE:
            self._network.forget_silence()  # else the next try would find what this one found
        return doubted

    def remember(self, seen: ServerObservation) -> None:
        """A server federates: worth knocking at when nothing else comes in."""
        if seen.endpoint is not None:
            self._endpoints.append(seen.endpoint)
            self._see(Sign.CONNECTION)
        if not seen.server_name.is_ip:
            self._hosts.append(seen.server_name.host)
            self._see(Sign.DNS)

    def _see(self, sign: Sign) -> None:
        """From now on there is somebody to knock at; how long it was quiet before says nothing."""
        if sign in self.vigil.blind:
            self.vigil.blind.discard(sign)
            self.vigil.heard(sign, trio.current_time())

    def lagged(self, lag_s: float) -> None:
        """The event loop of another process of this crawl woke so much too late, just now."""
        self.vigil.lagged(trio.current_time(), lag_s)
        self.worst_lag_s = max(self.worst_lag_s, lag_s)

    async def watch(self) -> None:
        """Watch until cancelled."""
        self._began_at = trio.current_time()
        self.vigil = Vigil(self._began_at, self.vigil.blind)
        was = dict.fromkeys(Sign, 0)
        knocked_at = dict.fromkeys(Sign, trio.current_time())
        async with trio.open_nursery() as nursery:
            while True:
                due = trio.current_time() + TICK_S
                await trio.sleep_until(due)
                now = trio.current_time()
                self.vigil.lagged(now, now - due)
                self._ticks[math.ceil((now - due) * 1000)] += 1
                self.worst_lag_s = max(self.worst_lag_s, now - due)
                for sign, count in self._came_in().items():
                    if count != was[sign]:
                        was[sign] = count
                        if now - self.vigil.last_heard(sign) > self._liveness.silence_s:
                            # Else whoever is tried again would be held to be as silent as we were deaf.
                            self._network.forget_silence()
                        self.vigil.heard(sign, now)
                    quiet_s = now - max(self.vigil.last_heard(sign), knocked_at[sign])
                    if quiet_s >= self._liveness.knock_after_s and self._knocking[sign] < KNOCKS_AT_ONCE:
                        knocked_at[sign] = now
                        nursery.start_soon(self._knock, sign)

    def _came_in(self) -> dict[Sign, int]:
        traffic = self._network.traffic
        return {Sign.DNS: traffic.dns_answers, Sign.CONNECTION: traffic.connections + traffic.bytes_read}

    async def _knock(self, sign: Sign) -> None:
        """What comes of it shows in the traffic."""
        self._knocking[sign] += 1
        try:
            match sign:
                case Sign.DNS if self._hosts:
                    self._hosts.rotate(1)
                    # A label nobody has asked for, so that no memory on the way can answer in the network's stead.
                    await self._network.ask_dns(f"{secrets.token_hex(6)}.matrix-census.{self._hosts[0]}")
                case Sign.CONNECTION if self._endpoints:
                    self._endpoints.rotate(1)
                    await self._network.dial(self._endpoints[0].address, self._endpoints[0].port)
                case Sign.CONNECTION if self._hosts:
                    for address in (await self._network.ask_dns(self._hosts[0]))[:1]:
                        await self._network.dial(address, HTTPS_PORT)
                case _:
                    return
            self.knocks += 1
        finally:
            self._knocking[sign] -= 1
