"""Watches ourselves while we watch others: how late the event loop wakes us, how slowly answers come in, and whether
anything comes in at all.

Nothing of this is asked of anybody while answers come in anyhow. When nothing did for `liveness.knock_after_s`, or too
few did to hold against them who is about to be called offline, the canary asks DNS a question of its own and connects
to one server that should be there: one that this crawl found online (each in its turn, so that none is bothered much),
or one named by `liveness.canaries`. Nothing is asked over that connection. As long as that fails too our network is
down: the crawl takes no new task and says so.
"""

import math
import secrets
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import trio

from crawler.config import Limits, Liveness
from crawler.engine.task import Visited
from crawler.engine.vigil import (
    OUT_OF_TIME,
    SLOW_SHARE,
    Doubt,
    Sign,
    Vigil,
    answer_times,
    doubt,
    failures_of_reading,
    failures_on_the_way,
)
from crawler.errors import FailureKind
from crawler.model.discovery import Endpoint
from crawler.model.names import ServerName
from crawler.model.observation import Ok, ServerObservation
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

LEAST_SHARE = 0.1
"""Of its tasks that a crawl may always have under way, however late it is."""

FIRST_SHARE = 0.25
"""What a crawl begins with: how much is too much shows in the answers, and there are none yet."""

LATELY_S = 10.0
"""Answers of so long tell whether they are slow now; fewer seconds hold too few of them."""


class Throttle:
    """Which share of its tasks a crawl may have under way: a quarter less each second in which our event loop lags, or
    those who answer are slow, so much that first tries would be worthless; a tenth more each second in which neither
    is so; slowly more while nobody can tell."""

    def __init__(self, limits: Limits, liveness: Liveness) -> None:
        self._tolerated_s = liveness.lag_share * _shortest_s(limits.of_first_try())
        self._allowed = FIRST_SHARE
        self._turned_at = float("-inf")

    def allowed(self, late_s: float | None, now: float) -> float:
        """When `is_due`, after being late by `late_s` in the last second (None: nobody can tell); from just above 0 to
        1."""
        self._turned_at = now
        factor = 1.02 if late_s is None else 0.75 if late_s > self._tolerated_s else 1.1
        self._allowed = min(max(self._allowed * factor, LEAST_SHARE), 1.0)
        return self._allowed

    def is_due(self, now: float) -> bool:
        """Whether it is time to ask again."""
        return now - self._turned_at >= THROTTLE_EVERY_S


def _shortest_s(limits: Limits) -> float:
    return min(limits.dns_timeout_s, limits.connect_timeout_s, limits.request_timeout_s)


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
        self._deciding = 0
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

    def late_s(self) -> float | None:
        """How late we are now: the worst lag of the last second, or how long half of those who answered lately took,
        whichever is more. None: too few answered to tell."""
        took_s = [took_s for sign in Sign if (took_s := self._answers_lately_s(sign, 0.5)) is not None]
        return max(self.lagged_lately_s(), *took_s) if took_s else None

    def is_fit(self, limits: Limits) -> bool:
        """Whether a try with these limits, were it to fail now, would be believed, as far as lag and strain go."""
        tolerated_s = self._liveness.lag_share * _shortest_s(limits)
        slow_s = max(self._answers_lately_s(sign, SLOW_SHARE) or 0.0 for sign in Sign)
        now = trio.current_time()
        return max(slow_s, self.vigil.worst_lag_s(now - LATELY_S, now)) <= tolerated_s

    def _answers_lately_s(self, sign: Sign, share: float) -> float | None:
        now = trio.current_time()
        return self.vigil.answers_s(sign, share, now - LATELY_S, now)

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """While a try is under way whose failure would decide that a server is offline."""
        self._deciding += 1
        try:
            yield
        finally:
            self._deciding -= 1

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
        self.learn(seen)
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

    def review(self, visited: Visited, limits: Limits) -> Visited:
        """The same for a try that another process of this crawl has made and judged by what it knew. The machine is
        one: if any of its loops was late, or answers were slow, then that try is not to be believed either."""
        seen = visited.observation
        self.learn(seen)
        if visited.doubt is not None or seen.federating:
            return visited
        now = trio.current_time()
        kinds = tuple(failures_on_the_way(seen))
        doubted = doubt(self.vigil, self._liveness, limits, kinds, now - seen.duration_s, now)
        return replace(visited, doubt=None if doubted is Doubt.OUTAGE else doubted)

    def learn(self, seen: ServerObservation) -> None:
        """How long who answered took; and who federates, which makes it worth knocking at when nothing comes in."""
        now = trio.current_time()
        for sign, took_s in answer_times(seen):
            self.vigil.took(sign, now, took_s)
            self.vigil.heard(sign, now)
        if not seen.federating:
            if not OUT_OF_TIME.isdisjoint(failures_on_the_way(seen)):
                self.vigil.timed_out(now)
            return
        if seen.endpoint is not None:
            self._endpoints.append(seen.endpoint)
            self._see(Sign.CONNECTION)
            self._see(Sign.ANSWER)
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
                    # One knock makes connection and answer.
                    way = Sign.DNS if sign is Sign.DNS else Sign.ANSWER
                    quiet_s = now - max(self.vigil.last_heard(sign), knocked_at[way])
                    # Who is about to be called offline is held against those who answer: there must be some.
                    if self._deciding and not self.vigil.are_enough(way, now - LATELY_S, now):
                        quiet_s = now - knocked_at[way]
                    if quiet_s >= self._liveness.knock_after_s and self._knocking[way] < KNOCKS_AT_ONCE:
                        knocked_at[way] = now
                        nursery.start_soon(self._knock, way)

    def _came_in(self) -> dict[Sign, int]:
        traffic = self._network.traffic
        return {
            Sign.DNS: traffic.dns_answers,
            Sign.CONNECTION: traffic.connections + traffic.bytes_read,
            Sign.ANSWER: traffic.bytes_read,
        }

    async def _knock(self, sign: Sign) -> None:
        """What comes of it shows in the traffic, and how long it took in the vigil."""
        self._knocking[sign] += 1
        began = trio.current_time()
        self.vigil.waiting[sign].append(began)
        try:
            match sign:
                case Sign.DNS if self._hosts:
                    self._hosts.rotate(1)
                    # A label nobody has asked for, so that no memory on the way can answer in the network's stead.
                    await self._network.ask_dns(f"{secrets.token_hex(6)}.matrix-census.{self._hosts[0]}")
                    self.vigil.took(sign, trio.current_time(), trio.current_time() - began)
                case Sign.ANSWER if self._endpoints:
                    self._endpoints.rotate(1)
                    known = self._endpoints[0]
                    await self._shake_hands(known.address, known.port, known.tls_name)
                case Sign.ANSWER if self._hosts:
                    for address in (await self._network.ask_dns(self._hosts[0]))[:1]:
                        await self._shake_hands(address, HTTPS_PORT, self._hosts[0])
                case _:
                    return
            self.knocks += 1
        finally:
            self._knocking[sign] -= 1
            self.vigil.waiting[sign].remove(began)

    async def _shake_hands(self, address: str, port: int, tls_name: str) -> None:
        """Somebody who is not there any more is as slow as can be: of one alone nothing follows."""
        connection = self._network.connection(address, port, tls_name)
        await connection.connect()
        now, took_s = trio.current_time(), self._network.limits.connect_timeout_s
        if isinstance(connection.tcp, Ok) and isinstance(connection.tls, Ok):
            took_s = connection.tcp.timings.total_s + connection.tls.timings.total_s
            self.vigil.heard(Sign.ANSWER, now)
        self.vigil.took(Sign.ANSWER, now, took_s)
        connection.close()
